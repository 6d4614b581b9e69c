"""Keys, values and sentences as text that is safe in a terminal and fits it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import MISSING

from .canonical import KeyPath

MAX_SENTENCE = 600
"""Characters of a name or a message that are shown."""

_MAX_VALUE = 60


class Later:
    """A value that only the job will know."""

    def __str__(self) -> str:
        return "known only in the job"


LATER = Later()
"""The value of a setting that a job gets from what cannot be known before it runs."""


def dotted(path: KeyPath) -> str:
    """A key path as people write it, cut if it is very long."""
    return escape(".".join(path), 2 * _MAX_VALUE)


def show_value(value: object) -> str:
    """A value as TOML would have it, on one line and cut when it is long.

    >>> show_value(True), show_value("tanh"), show_value(1e-4)
    ('true', '"tanh"', '0.0001')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"') if len(value) <= 10_000 else value[:100]
        return f'"{escape(quoted, _MAX_VALUE)}"'
    if isinstance(value, int) and value.bit_length() > 400:
        return f"a number of about {int(value.bit_length() * 0.30103):,} digits"
    if isinstance(value, int | float):
        return repr(value)
    if value is None:
        return "not set"
    if value is LATER:
        return str(value)
    if value is MISSING:
        return "none: it must be given"
    if isinstance(value, os.PathLike):
        return show_value(os.fspath(value))
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float | os.PathLike) for item in value):
        return escape(f"[{', '.join(map(show_value, value[:_MAX_VALUE]))}]", _MAX_VALUE)
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list | tuple) else escape(f"a {type(value).__name__}", _MAX_VALUE)


def show_variable(name: str, text: object) -> str:
    """A variable as one would set it in a shell."""
    import shlex

    return f"{escape(name, 2 * _MAX_VALUE)}={escape(shlex.quote(str(text)[:1000]), 2 * _MAX_VALUE)}"


def show_key(key: str) -> str:
    """The last part of a key, cut if it is long."""
    return escape(key, _MAX_VALUE)


def escape(text: str, width: int = MAX_SENTENCE) -> str:
    """A text on one line of printable characters, cut from the end and marked when it is longer than the width.

    >>> escape("a\\x1b[31mb", 40)
    'a\\\\x1b[31mb'
    """
    shown = escape_characters(text[: width + 1])
    return shown if len(shown) <= width else shown[: width - 3] + "..."


def shorten(text: str, width: int | None) -> str:
    """A text without its middle, where it is longer than the width, if there is one.

    >>> shorten("from LAB_LOG_FREQUENCY, over the default 10", 30)
    'from LAB_LOG_F...he default 10'
    """
    if width is None or len(text) <= width:
        return text
    behind = (width - 3) // 2
    return f"{text[: width - 3 - behind]}...{text[len(text) - behind :]}"


def terminal_width() -> int:
    """The columns that what is printed may take: those of the terminal, and not less than can be read."""
    from shutil import get_terminal_size

    return max(get_terminal_size().columns, 20)


def safe_lines(text: str) -> str:
    """Lines for people, of which neither a terminal nor the log of a CI service takes anything for a command.

    >>> safe_lines("a\\n  ::error::b")
    'a\\n  \\\\x3a:error::b'
    """
    return "\n".join(disarmed(escape_characters(line)) for line in text.split("\n"))


def disarmed(line: str) -> str:
    """A line that GitHub does not take for a command."""
    line = line.replace("##[", "#\\x23[")
    return line.replace("::", "\\x3a:", 1) if line.lstrip().startswith("::") else line


def escape_characters(text: str) -> str:
    """The same text with what is not printable, lone surrogates included, as Python writes it in a literal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def fit(text: str, width: int | None, indent: str = "    ") -> str:
    """A sentence broken between words to fit a width; white space in front of it is kept, and no word is broken.

    >>> fit("total_steps: Input should be greater", 30)
    'total_steps: Input should be\\n    greater'
    """
    if width is None or len(text) <= width:
        return text
    from textwrap import wrap

    lead = text[: len(text) - len(text.lstrip())]
    lines = wrap(
        text.lstrip(),
        max(width, 20),
        initial_indent=lead,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines)


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]], sides: str = "---") -> str:
    """A table in Markdown, in which a bar inside of a cell ends no cell; `sides` says where its columns stand.

    >>> print(markdown_table(["a"], [["x|y"]]), end="")
    | a |
    | --- |
    | x\\|y |
    """
    bar = "\\|"
    lines = ([cell.replace("|", bar) for cell in row] for row in (heads, [sides] * len(heads), *rows))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "point"), counted(8000, "point")
    ('1 point', '8,000 points')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def number_list(numbers: Iterable[int], separator: str = ", ", most: int | None = None) -> str:
    """Ascending numbers as people write them, and `sbatch --array` takes them; `most` spells out the first runs only.

    >>> number_list([0, 1, 2, 3, 7]), number_list([3, 17, 18, 19], ",")
    ('0-3, 7', '3,17-19')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], number]
        else:
            runs.append([number])
    shown = separator.join("-".join(map(str, run)) for run in runs[:most])
    rest = sum(run[-1] - run[0] + 1 for run in runs[most:]) if most else 0
    return f"{shown} and {rest:,} more" if rest else shown
