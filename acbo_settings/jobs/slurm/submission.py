"""How a batch script is submitted: the options of sbatch in its directives, in the environment, on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...engine.toml_document import Document, Position

DIRECTIVE = "#SBATCH"

_LONG = ("export", "chdir", "array", "export-file")
_SHORT = {"D": "chdir", "a": "array"}
_FLAGS = frozenset(
    "contiguous debugger-test disable-stdout-job-summary exclusive get-user-env help hold ignore-pbs immediate no-kill"
    " nice no-requeue overcommit oversubscribe parsable propagate quiet reboot requeue share spread-job test-only usage"
    " use-min-nodes verbose version wait".split()
)
_SHORT_FLAGS = frozenset("HhIkOQsvVW")
_OTHERS = frozenset(
    "account begin bb bbf clusters comment constraint container core-spec cores-per-socket cpu-freq cpus-per-gpu"
    " cpus-per-task deadline delay-boot dependency distribution error exclude extra-node-info gid gpu-bind gpu-freq"
    " gpus gpus-per-node gpus-per-socket gpus-per-task gres gres-flags hint input job-name kill-on-invalid-dep licenses"
    " mail-type mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network nodefile nodelist nodes ntasks"
    " ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket open-mode output partition power prefer priority"
    " profile qos reservation signal sockets-per-node switches thread-spec threads-per-core time time-min tmp tres-bind"
    " tres-per-task uid wait-all-nodes wckey wrap".split()
)
"""The options with a value that say nothing of what a job is given."""

_SHORT_OTHERS = frozenset("AbBcCdeFGiJLmMnNopqStwx")
"""The same by their letters."""


class UsageError(Exception):
    """A command line that sbatch would not take; the text says why, and `word` which part of it."""

    def __init__(self, message: str, word: str = "") -> None:
        super().__init__(message)
        self.word = word


class Option(NamedTuple):
    """An option of sbatch that says what a job is given; without a position it stands in no script."""

    name: str
    value: str
    position: Position | None = None


class Submission(NamedTuple):
    """The options in force by name; those that SLURM ignores, because they stand below a command; what it refuses.

    What is refused has the word as its value, and as its name how sbatch takes that.
    """

    options: Mapping[str, Option]
    ignored: tuple[Option, ...] = ()
    refused: tuple[Option, ...] = ()


def read_submission(script: Document, arguments: Sequence[str], environ: Mapping[str, str]) -> Submission:
    """The options of a script: the command line wins over the environment, and that over the directives.

    UsageError for a command line that sbatch would not take.
    """
    obeyed, ignored, refused = _directives(script)
    options = {option.name: option for option in obeyed}
    for variable, name in {"SBATCH_EXPORT": "export", "SBATCH_ARRAY_INX": "array"}.items():
        if variable in environ:
            options[name] = Option(name, environ[variable])
    options |= {option.name: option for option in parse_options(arguments)}
    return Submission(options, tuple(ignored), tuple(refused))


def _directives(script: Document) -> tuple[list[Option], list[Option], list[Option]]:
    """The options in directives that SLURM obeys, those below the first command, and what it refuses."""
    obeyed: list[Option] = []
    ignored: list[Option] = []
    refused: list[Option] = []
    is_below = False
    for number, line in enumerate(script.text.split("\n"), 1):
        if line.startswith(DIRECTIVE):
            found, wrong = _options_of(line, number)
            (ignored if is_below else obeyed).extend(found)
            refused += [] if is_below else wrong
        elif line.strip() and not line.lstrip().startswith("#"):
            is_below = True
    return obeyed, ignored, refused


def _options_of(line: str, number: int) -> tuple[list[Option], list[Option]]:
    """The options of one directive, each where it stands, and the words that are none."""
    words = _words(line, len(DIRECTIVE))
    found: list[Option] = []
    wrong = [
        Option(f"-{word[1]}", word, Position(number, column + 1, column + 1))
        for word, column in words
        if re.match(r"-(export|chdir|array)\b", word)
    ]
    try:
        for name, value, index in _options([word for word, _ in words]):
            column = words[index][1] + 1
            found.append(Option(name, value, Position(number, column, column)))
    except UsageError as error:
        column = next((column for word, column in words if word == error.word), 0) + 1
        wrong.append(Option("", error.word, Position(number, column, column)))
    return found, wrong


def _words(line: str, start: int) -> list[tuple[str, int]]:
    """The words of a directive with their columns: quotes are taken off, a hash begins a comment even inside a word."""
    words: list[tuple[str, int]] = []
    word, quote, begun = "", "", -1
    for column in range(start, len(line) + 1):
        character = line[column] if column < len(line) else " "
        if not quote and (character in " \t#" or column == len(line)):
            if begun >= 0:
                words.append((word, begun))
            word, begun = "", -1
            if character == "#":
                break
            continue
        begun = column if begun < 0 else begun
        if character in "'\"" and quote in ("", character):
            quote = "" if quote else character
        elif character != "\\" or quote == "'":
            word += character
    return words


def is_option(word: str) -> bool:
    """Whether a word begins with an option that sbatch has, in full or by its letter."""
    try:
        name, _, is_flag = _split(word)
    except UsageError:
        return False
    return is_flag or name in _LONG or name in _OTHERS or (len(name) == 1 and name in _SHORT_OTHERS)


def parse_options(arguments: Sequence[str]) -> list[Option]:
    """The options of the command line of sbatch; UsageError for what it would not take, or takes for the script."""
    return [Option(name, value) for name, value, _ in _options(arguments)]


def _options(words: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """The options that say what a job is given: name, value, and the number of the word that begins with it."""
    index = 0
    while index < len(words):
        word = words[index]
        name, value, is_flag = _split(word)
        if value is None and not is_flag:
            if index + 1 == len(words):
                raise UsageError(f"the option {word} has no value", word)
            value, step = words[index + 1], 2
        else:
            step = 1
        if name in _LONG:
            yield name, value or "", index
        index += step


def _split(word: str) -> tuple[str, str | None, bool]:
    """An option's name, the value that its word holds, and whether it takes none."""
    if long := re.fullmatch(r"--([a-z][\w-]*)(?:=(.*))?", word, re.DOTALL):
        name = _unabbreviated(long[1])
        return name, long[2], name in _FLAGS
    if short := re.fullmatch(r"-([A-Za-z])(.*)", word, re.DOTALL):
        return _SHORT.get(short[1], short[1]), short[2].removeprefix("=") or None, short[1] in _SHORT_FLAGS
    raise UsageError(f"{word} is no option of sbatch", word)


def _unabbreviated(name: str) -> str:
    """The option that sbatch takes the beginning of a name for."""
    return "chdir" if name in ("ch", "chd", "chdi") else "array" if name in ("ar", "arr", "arra") else name
