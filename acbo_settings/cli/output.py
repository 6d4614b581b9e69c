"""What all commands share: exit codes, and how notes, reports and advice are written to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from shutil import get_terminal_size

from ..engine.printable import fit
from ..engine.problems import Problem

SUCCESS, NOT_VALID, WRONG_USAGE = 0, 1, 2


def note(message: str) -> None:
    """Write one sentence for the person at the terminal to stderr, fitted to it."""
    print(fit(message, get_terminal_size().columns), file=sys.stderr)


def print_problems(problems: Sequence[Problem]) -> None:
    """Write the report of an invalid configuration to stderr, fitted to the terminal."""
    from ..engine.report import format_report
    from .terminal import Terminal, print_report

    print_report(format_report(problems, Terminal(stderr=True).width))


def print_advice(advice: Sequence[Problem], is_asked_for: bool = False) -> None:
    """Write advice to stderr, fitted to the terminal; of several ranks only the first one does, unless asked for it."""
    from ..engine.loading.surroundings import is_first_rank

    if not advice or not (is_asked_for or is_first_rank(os.environ)):
        return
    from ..engine.report import format_problem
    from .terminal import Terminal, print_report

    prefix = "advice: "
    width = Terminal(stderr=True).width - len(prefix)
    for problem in advice:
        print_report(prefix + format_problem(problem, width))
