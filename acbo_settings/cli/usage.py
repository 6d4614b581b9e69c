"""Wrong usage of the command line: what is said of it, and what was probably meant. Nothing of it is needed before."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from ..api import SCHEMA
from ..engine.names import find_path, meant_by
from ..engine.spelling import closest

_LACKING = "the following arguments are required: "
"""How argparse begins to say what is missing."""

_OTHER_NAMES = {
    "help": "--help",
    "version": "--version",
    "validate": "check",
    "lint": "check",
    "verify": "check",
    "print": "show",
    "list": "show",
    "get": "show",
    "compare": "diff",
    "new": "init",
    "create": "init",
}
"""What commands are called by other programs."""

_NAMES_A_PATH = ("--in", "--path", "--file", "--config", "-f", "-c")
"""The options with which a file is named, here and by other programs."""

Arguments = Mapping[str, Mapping[str, Any]]
"""What a command takes: positional arguments by their names, and options by theirs."""


def no_such_command(word: str, commands: Sequence[str]) -> str:
    """What is said of a command that there is none of."""
    other = _OTHER_NAMES.get(word)
    meant = other if other in commands or (other or "").startswith("-") else closest(word, commands)
    if meant is None and os.path.exists(word) and "check" in commands:
        meant = f"check {quote(word)}"
    hint = f"did you mean {meant}?" if meant else f"there are {', '.join(commands)}"
    return f"there is no command {word or quote(word)}; {hint}"


def no_such_choice(option: str, word: str, choices: Sequence[str]) -> str:
    """What is said of a value that an option does not take."""
    meant = closest(word, choices)
    hint = f"; did you mean {meant}?" if meant else ""
    return f"{option} takes {', '.join(choices[:-1])} or {choices[-1]}, and not {word or quote(word)}{hint}"


def is_lacking(message: str) -> bool:
    """Whether argparse says that something is missing."""
    return message.startswith(_LACKING)


def what_is_lacking(message: str, command: str, arguments: Arguments, words: Sequence[str]) -> str:
    """What argparse says, or where something is missing, what that is and what can be given for it."""
    if not is_lacking(message):
        return message
    names = message.removeprefix(_LACKING).split(", ")
    given = _places_of(words[len(command.split()) :])
    if command == "diff" and given:
        side = quote(given[0])
        return f"{side} is compared with nothing; acbo-settings diff defaults {side} compares it with the defaults"
    lacking = " and ".join(f"{name} {arguments[name]['metavar']}" if name in arguments else name for name in names)
    is_there = len(given) > len(_places(arguments)) and names[0] in arguments
    return f"{command} needs {lacking}" + (f"; did you mean {names[0]} {quote(given[-1])}?" if is_there else "")


def _places(arguments: Arguments) -> list[str]:
    """What the positional arguments of a command are called."""
    return [options["metavar"] for name, options in arguments.items() if not name.startswith("-")]


def _places_of(words: Sequence[str]) -> list[str]:
    """The words that are neither options nor what belongs to one."""
    before = ["", *words]
    return [
        word
        for last, word in zip(before, words, strict=False)
        if not word.startswith("-") and (not last.startswith("-") or "=" in last)
    ]


def no_such_argument(
    command: str, arguments: Arguments, words: Sequence[str], unexpected: Sequence[str], takes_jobs: bool
) -> str:
    """What is said of words that a command does not take; that of sbatch may be meant where it takes files of jobs."""
    word = unexpected[0]
    if word.startswith("-") and word != "-":
        following = words[words.index(word) + 1 :][:1] if word in words else []
        hint = _meant_option(command, arguments, word, following) or (_behind_dashes(word, words) if takes_jobs else "")
        message = f"{command} has no option {word.partition('=')[0]}"
    else:
        hint = _meant_word(command, arguments, word)
        taken = _places(arguments)
        got = f"and got {word or quote(word)}"
        message = f"{command} takes one {taken[-1]}, {got} too" if taken else f"{command} takes no PATH, {got}"
    return f"{message}; {hint}" if hint else message


def _meant_option(command: str, arguments: Arguments, word: str, following: Sequence[str]) -> str:
    """The option that was meant, or how to say the same without one; empty where neither is known."""
    name, equals, value = word.partition("=")
    value = value if equals else "".join(following)
    options = [*(name for name in arguments if name.startswith("-")), "--schema", "--help"]
    begins = [option for option in options if len(name) > 3 and option.startswith(name)]
    if meant := begins[0] if len(begins) == 1 else closest(name, options):
        return f"did you mean {meant}?"
    if "--set" in arguments and (setting := _setting(name.lstrip("-"))):
        return f"did you mean --set {setting}={quote(value) if value and not value.startswith('-') else 'VALUE'}?"
    if name in _NAMES_A_PATH and "--in" in arguments:
        return "did you mean --in?"
    if name in _NAMES_A_PATH and any(path in arguments for path in ("path", "paths")):
        return f"did you mean acbo-settings {command} {quote(value) if value else 'PATH'}?"
    return ""


def _behind_dashes(word: str, words: Sequence[str]) -> str:
    """Where an option of sbatch stands, if that is meant: a batch script is given."""
    from ..jobs.slurm.submission import is_option  # which right usage need not import here

    is_meant = is_option(word) and any(_is_script(each) for each in words if not each.startswith("-"))
    return "options of sbatch stand behind --" if is_meant else ""


def _is_script(path: str) -> bool:
    from ..engine.inputs import is_directory, read_raw_file
    from ..jobs.job_file import SCRIPT, find_kind

    file = None if is_directory(path) else read_raw_file(path)
    if file is None or file.error:
        return False
    return path.endswith((".sbatch", ".slurm", ".sh")) or find_kind(file.content.decode(errors="replace")) == SCRIPT


def _setting(name: str) -> str:
    """The key of the setting that a name is, or nearly is; empty for any other."""
    path = find_path(SCHEMA, name) or meant_by(SCHEMA, name)
    return ".".join(path) if path in SCHEMA.defaults and path is not None else ""


def _meant_word(command: str, arguments: Arguments, word: str) -> str:
    """What was meant by a word that a command has no place for; empty where that is not known."""
    key, equals, value = word.partition("=")
    if equals and "--set" in arguments and (setting := _setting(key)):
        return f"did you mean --set {setting}={quote(value)}?"
    for name, options in arguments.items():
        if name.startswith("-") and options.get("metavar") == "DIR":
            return f"did you mean {name} {quote(word)}?"
    if find_path(SCHEMA, word):
        return f"acbo-settings explain {quote(word)} tells of it"
    if "--set" not in arguments and not _places(arguments):
        return f"it prints to stdout: acbo-settings {command} > {quote(word)}"
    return ""
