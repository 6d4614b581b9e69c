"""Problems and advice as text, with the source line shown, and values with their origins. Nothing here prints."""

from __future__ import annotations

from collections.abc import Sequence

from .canonical import KeyPath
from .origins import Origin
from .printable import MAX_SENTENCE, dotted, escape, escape_characters, fit, show_key, show_value
from .problems import MAX_PROBLEMS, ConfigurationError, Problem, file_problem
from .values import SourcedValue

_LINE_WIDTH = 100


def refusal(problems: Sequence[Problem]) -> ConfigurationError:
    """The exception for everything that is wrong, with its report, to be raised."""
    return ConfigurationError(format_report(problems), problems)


def unusable(name: str, message: str, hint: str = "") -> ConfigurationError:
    """The exception for a file that cannot be used as a whole; the message is a sentence without its subject."""
    return refusal([file_problem(name, message, hint)])


def format_report(problems: Sequence[Problem], width: int | None = None) -> str:
    """The report of everything that is wrong; at most 20 problems are spelled out.

    Sentences are broken to fit a width, if there is one.

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
    """One problem, or one piece of advice: what, where, and the line of the file if it is about one."""
    hint = f"; {problem.hint}" if problem.hint else ""
    message, hint = (escape(text, MAX_SENTENCE // 2) for text in (problem.message, hint))
    head = fit(f"{subject_of(problem)}: {message}{hint}", width)
    values = problem.values if problem.path else _telling_values(problem)
    notes = dict.fromkeys(note for _, value in values for note in value.origin.notes())
    notes |= {f"in {problem.scope}": None} if problem.scope else {}
    told = [fit(f"  = {escape(note)}", width) for note in notes]
    if not values:
        return "\n".join([head, *told])
    if len(values) == 1:
        return "\n".join([head, *_place(problem, values[0][1], width), *told])
    places = ", ".join(_named_place(path, value) for path, value in values)
    return "\n".join([head, fit(f"  --> {places}", width), *told])


def subject_of(problem: Problem) -> str:
    """What a problem is about: its key, or the whole file, variable or argument."""
    if problem.path:
        return dotted(problem.path)
    return escape(problem.values[0][1].origin.source_name) or '""'


def _telling_values(problem: Problem) -> tuple[tuple[KeyPath, SourcedValue], ...]:
    """Of a problem with a whole source, what the subject does not say yet."""
    return problem.values if problem.values[0][1].origin.position else problem.values[1:]


def _place(problem: Problem, sourced: SourcedValue, width: int | None) -> list[str]:
    """The lines below a problem that is about one value: its place, and the line of the file with a caret."""
    origin = sourced.origin
    if problem.at_key and problem.path == (origin.source_name,) and origin.position is None:
        return []
    place = f"  --> {escape(origin.place(sourced.value, problem.at_key))}"
    return [place, *_excerpt(origin, problem.at_key, width)]


def _excerpt(origin: Origin, at_key: bool, width: int | None) -> list[str]:
    """The line of the file, with a caret below the key or the value."""
    position = origin.position
    if position is None:
        return []
    column = position.key_column if at_key else position.value_column
    shown, caret = _window(origin.line(), column - 1, max(width - 6, 20) if width else _LINE_WIDTH)
    number = f"{position.line:>2}"
    gutter = " " * len(number)
    return [f"{gutter} |", f"{number} | {shown}", f"{gutter} | {' ' * caret}^"]


def _window(line: str, column: int, width: int) -> tuple[str, int]:
    """The part of a line around a column, safe to print, and how far right the column then is."""
    start = max(0, column - 2 * width // 3) if len(line) > width else 0
    before = escape_characters(line[start:column].replace("\t", " "))
    if start:
        before = "..." + before[-(2 * width // 3) :]
    after = escape(line[column : column + width].replace("\t", " "), max(20, width - len(before)))
    if len(line) > column + width and not after.endswith("..."):
        after += "..."
    return (before + after).rstrip(), sum(_width(character) for character in before)


def _width(character: str) -> int:
    """The columns that a character takes in a terminal."""
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _named_place(path: KeyPath, sourced: SourcedValue) -> str:
    """Where one of several values comes from, named by the last part of its key."""
    if path == (str(sourced.origin),):
        return origin_text(sourced)
    link = "is" if sourced.is_default else "from"
    return f"{show_key(path[-1])} {link} {origin_text(sourced)}"


def origin_text(sourced: SourcedValue) -> str:
    """Where a value came from, safe to print: the file and line, the variable, or what else it was."""
    return escape(str(sourced.origin))


def explain_value(sourced: SourcedValue) -> str:
    """A value with its origin, and all that it shadows, on one line."""
    return f"{show_value(sourced.value)}, {explain_origin(sourced)}"


def explain_origin(sourced: SourcedValue) -> str:
    """Where a value came from and what it shadows, without the value itself."""
    text = f"{'' if sourced.is_default else 'from '}{origin_text(sourced)}"
    for lower in sourced.shadowed:
        value = show_value(lower.value)
        text += f", over the default {value}" if lower.is_default else f", over {value} from {origin_text(lower)}"
    return text
