"""What all commands share: exit codes, and the door through which they write.

Results go to stdout, everything else to stderr. `terminal` writes what has colours or columns.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from shutil import get_terminal_size
from typing import Any

from ..engine.inputs import encode_path
from ..engine.printable import disarmed, escape_characters, fit, safe_lines
from ..engine.problems import Problem

SUCCESS, NOT_VALID, WRONG_USAGE, NOT_WRITTEN = 0, 1, 2, 2


def result(text: str, end: str = "\n") -> None:
    """Write a result to stdout as it is: a program may read it. A terminal gets it without control characters."""
    if sys.stdout is not None and sys.stdout.isatty():
        text = "\n".join(map(escape_characters, text.split("\n")))
    print(text, end=end, flush=True)


def line(text: str) -> None:
    """Write a line for people to stdout."""
    print(disarmed(escape_characters(text)), flush=True)


def json_result(value: Any) -> None:
    """Write plain data to stdout as JSON, in which what is not printable, or a command of GitHub, is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False).replace("##[", "#\\u0023[")
    result("".join(part if part.isprintable() or part == "\n" else json.dumps(part)[1:-1] for part in text))


def note(message: str) -> None:
    """Write one sentence for the person at the terminal to stderr, fitted to it."""
    if sys.stderr is not None:  # the shell has closed it, and print would take stdout
        print(safe_lines(fit(escape_characters(message), get_terminal_size().columns)), file=sys.stderr)


def picture_result(command: str, file: str, save: Callable[[str], None]) -> int:
    """Save what a command draws as a file, and say so, or why it cannot be; the exit code."""
    try:
        save(os.fsdecode(encode_path(file)))
    except ImportError:
        reason = "a picture needs matplotlib, which the extra `plot` brings: pip install 'acbo-settings[plot]'"
    except OverflowError:
        reason = "a picture cannot have numbers this large"
    except (OSError, ValueError) as error:
        reason = f"cannot write {file}: {getattr(error, 'strerror', None) or error}"
    else:
        note(f"wrote {file}")
        return SUCCESS
    note(f"acbo-settings {command}: {reason}")
    return NOT_VALID


def print_problems(problems: Sequence[Problem]) -> None:
    """Write the report of an invalid configuration to stderr, fitted to the terminal."""
    from ..engine.report import format_report
    from .terminal import Terminal, print_report

    print_report(format_report(problems, Terminal(stderr=True).width))


def print_advice(advice: Sequence[Problem], is_asked_for: bool = False) -> None:
    """Write advice to stderr, fitted to the terminal; of several ranks only the first one does, unless asked for it."""
    from ..engine.launcher import is_first_rank

    if not advice or not (is_asked_for or is_first_rank(os.environ)):
        return
    from ..engine.report import format_problem
    from .terminal import Terminal, print_report

    prefix = "advice: "
    width = Terminal(stderr=True).width - len(prefix)
    for problem in advice:
        print_report(prefix + format_problem(problem, width))
