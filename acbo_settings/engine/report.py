"""Problems and advice as text, with the source line shown. Nothing here prints."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Sequence

from .canonical import KeyPath
from .errors import MAX_PROBLEMS, ConfigurationError, Problem
from .values import Argument, File, SourcedValue, Variable

_MAX_TEXT = 300
_MAX_VALUE = 60
_LINE_WIDTH = 100


def refusal(problems: Sequence[Problem]) -> ConfigurationError:
    """The exception for everything that is wrong.

    Args:
        problems: At least one problem, in the order to be shown.

    Returns:
        The exception with its report, to be raised.

    >>> raise refusal([Problem(path=("grpo", "group_sise"), message="no such setting")])
    Traceback (most recent call last):
    ...
    acbo_settings.engine.errors.ConfigurationError: Configuration validation failed: 1 problem
    <BLANKLINE>
      grpo.group_sise: no such setting
    """
    return ConfigurationError(format_report(problems), problems)


def format_report(problems: Sequence[Problem], width: int | None = None) -> str:
    """The report of everything that is wrong, as `ConfigurationError` shows it.

    Args:
        problems: At least one problem, in the order to be shown.
        width: The columns to fit; without it, sentences are not broken.

    Returns:
        Lines without control characters, the first starting with `Configuration validation failed`; at most 20
        problems are spelled out.

    >>> print(format_report([Problem(path=("grpo", "group_sise"), message="no such setting")]))
    Configuration validation failed: 1 problem
    <BLANKLINE>
      grpo.group_sise: no such setting
    """
    count = len(problems)
    lines = [f"Configuration validation failed: {count:,} problem{'' if count == 1 else 's'}", ""]
    for problem in problems[:MAX_PROBLEMS]:
        lines += ["  " + line for line in format_problem(problem, width and width - 2).split("\n")]
    if count > MAX_PROBLEMS:
        lines.append(f"  and {count - MAX_PROBLEMS:,} more")
    return "\n".join(lines)


def format_problem(problem: Problem, width: int | None = None) -> str:
    """One problem, or one piece of advice: what, where, and the line of the file if it is about one.

    Args:
        problem: The facts.
        width: The columns to fit; without it, sentences are not broken.

    Returns:
        One or more lines.

    >>> from acbo_settings.engine.values import Variable
    >>> value = SourcedValue("4", Variable("ACBO_GRPO__GROUP_SIZE", "4"))
    >>> path = ("grpo", "group_size")
    >>> print(format_problem(Problem(path=path, message="Input should be at least 8", values=((path, value),))))
    grpo.group_size: Input should be at least 8
      --> ACBO_GRPO__GROUP_SIZE=4
    """
    subject = subject_of(problem)
    hint = f"; {problem.hint}" if problem.hint else ""
    head = fit(f"{subject}: {escape(problem.message, _MAX_TEXT)}{escape(hint, _MAX_TEXT)}", width)
    values = problem.values if problem.path else _telling_values(problem)
    if not values:
        return head
    if len(values) == 1:
        return "\n".join([head, *_place(problem, values[0][1], width)])
    places = ", ".join(_named_place(path, value) for path, value in values)
    return f"{head}\n{fit(f'  --> {places}', width)}"


def subject_of(problem: Problem) -> str:
    """What a problem is about: its key, or the whole file, variable or argument.

    Args:
        problem: The facts.

    Returns:
        One short text that is safe to print.

    >>> subject_of(Problem(path=("grpo", "group_sise"), message="no such setting"))
    'grpo.group_sise'
    """
    return dotted(problem.path) if problem.path else _source_name(problem)


def fit(text: str, width: int | None, indent: str = "    ") -> str:
    """A sentence broken between words, so that it fits a terminal.

    Args:
        text: One line; white space in front of it is kept.
        width: The columns to fit, or None to leave the text as it is. A longer word, such as a path, is not broken.
        indent: What to put in front of the second line and those after it.

    Returns:
        One or more lines.

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


def explain_value(sourced: SourcedValue) -> str:
    """A value with its origin, and all that it shadows.

    Args:
        sourced: The value in force.

    Returns:
        One line.

    >>> from acbo_settings import resolve_training_config
    >>> resolved = resolve_training_config(overrides={"log_frequency": 5}, environ={"ACBO_LOG_FREQUENCY": "20"})
    >>> print(explain_value(resolved.values["log_frequency",]))
    5, from overrides, over 20 from ACBO_LOG_FREQUENCY, over the default 10
    """
    text = f"{show_value(sourced.value)}, {'' if sourced.is_default else 'from '}{origin_text(sourced)}"
    for lower in sourced.shadowed:
        value = show_value(lower.value)
        text += f", over the default {value}" if lower.is_default else f", over {value} from {origin_text(lower)}"
    return text


def explain_origin(sourced: SourcedValue) -> str:
    """Where a value came from and what it shadows, without the value itself; for the comment behind it.

    Args:
        sourced: The value in force, which is no default.

    Returns:
        One line.

    >>> from acbo_settings import resolve_training_config
    >>> resolved = resolve_training_config(environ={"ACBO_LOG_FREQUENCY": "20"})
    >>> print(explain_origin(resolved.values["log_frequency",]))
    from ACBO_LOG_FREQUENCY, over the default 10
    """
    return explain_value(sourced).removeprefix(f"{show_value(sourced.value)}, ")


def dotted(path: KeyPath) -> str:
    """A key path as people write it, safe to print.

    Args:
        path: The parts.

    Returns:
        The parts joined by dots, cut if they are very long.

    >>> dotted(("grpo", "group_size"))
    'grpo.group_size'
    """
    return escape(".".join(path), 2 * _MAX_VALUE)


def show_value(value: object) -> str:
    """A value as TOML would have it, cut when it is long.

    Args:
        value: Anything.

    Returns:
        One short line without control characters.

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
        return "None"
    if isinstance(value, dict):
        return "a table"
    return "an array" if isinstance(value, list | tuple) else escape(f"a {type(value).__name__}", _MAX_VALUE)


def escape(text: str, width: int) -> str:
    """A text that is safe in a terminal and not too long.

    Args:
        text: Anything, line ends and lone surrogates included.
        width: The most characters to keep; more are cut from the end and marked.

    Returns:
        One line of printable characters.

    >>> escape("a\\x1b[31mb", 40)
    'a\\\\x1b[31mb'
    """
    shown = "".join(_escape_character(character) for character in text[: width + 1])
    return shown if len(shown) <= width else shown[: width - 3] + "..."


def _escape_character(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _source_name(problem: Problem) -> str:
    """What a problem with a whole source is called: its file, variable or argument."""
    origin = problem.values[0][1].origin
    return escape(origin.source.name if isinstance(origin, File) else str(origin), 2 * _MAX_TEXT) or '""'


def _telling_values(problem: Problem) -> tuple[tuple[KeyPath, SourcedValue], ...]:
    """Of a problem with a whole source, what the subject does not say yet."""
    first = problem.values[0][1].origin
    return problem.values if isinstance(first, File) and first.position else problem.values[1:]


def _place(problem: Problem, sourced: SourcedValue, width: int | None) -> list[str]:
    """The lines below a problem that is about one value: its place, and the line of the file with a caret."""
    origin = sourced.origin
    if isinstance(origin, Variable):
        place = f"  --> {escape(origin.name, 2 * _MAX_VALUE)}={_shell_text(origin.text)}"
        return [] if problem.path == (origin.name,) and problem.at_key else [place]
    if isinstance(origin, Argument):
        return [f"  --> {origin}" + ("" if problem.at_key else f", given {show_value(sourced.value)}")]
    if not isinstance(origin, File) or origin.position is None:
        return [f"  --> {origin_text(sourced)}"]
    line, key_column, value_column = origin.position
    column = key_column if problem.at_key else value_column
    shown, caret = _window(origin.source.line(line), column - 1, max(width - 6, 20) if width else _LINE_WIDTH)
    number = f"{line:>2}"
    gutter = " " * len(number)
    return [f"  --> {origin_text(sourced)}", f"{gutter} |", f"{number} | {shown}", f"{gutter} | {' ' * caret}^"]


def _shell_text(text: object) -> str:
    """A variable's text, quoted as one would write it in a shell."""
    return escape(shlex.quote(str(text)[:1000]), 2 * _MAX_VALUE)


def _window(line: str, column: int, width: int) -> tuple[str, int]:
    """The part of a line around a column, safe to print, and how far right the column then is."""
    start = max(0, column - 2 * width // 3) if len(line) > width else 0
    before = "".join(_escape_character(character) for character in line[start:column].replace("\t", " "))
    if start:
        before = "..." + before[-(2 * width // 3) :]
    after = escape(line[column : column + width].replace("\t", " "), max(20, width - len(before)))
    if len(line) > column + width and not after.endswith("..."):
        after += "..."
    return (before + after).rstrip(), sum(_width(character) for character in before)


def _width(character: str) -> int:
    """The columns that a character takes in a terminal."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _named_place(path: KeyPath, sourced: SourcedValue) -> str:
    """Where one of several values comes from, named by the last part of its key."""
    if path == (str(sourced.origin),):
        return origin_text(sourced)
    link = "is" if sourced.is_default else "from"
    return f"{escape(path[-1], _MAX_VALUE)} {link} {origin_text(sourced)}"


def origin_text(sourced: SourcedValue) -> str:
    """Where a value came from, safe to print.

    Args:
        sourced: The value.

    Returns:
        The file and line, the variable, or what else it was.

    >>> from acbo_settings.engine.values import Default
    >>> origin_text(SourcedValue(64, Default()))
    'the default'
    """
    return escape(str(sourced.origin), 2 * _MAX_TEXT)
