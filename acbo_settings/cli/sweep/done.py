"""The command `sweep done`: points that need not be run any more, because somebody says so."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator

from ...engine.frozen_sweep import read_sweep
from ...engine.problems import ConfigurationError, file_problem
from ...engine.report import refusal
from ...engine.run_arguments import point_directory
from ...engine.runs.marks import mark_done
from ..output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_problems


def run(arguments: Namespace) -> int:
    """Say that the points with these `indices` of `sweep` are done; nothing is said when one of them is none."""
    wrong = [text for text in arguments.indices if not re.fullmatch(r"[0-9]{1,6}(-[0-9]{1,6})?", text)]
    if wrong:
        note(f"acbo-settings sweep done: {wrong[0]} is no number of a point, and no range such as 17-19")
        return WRONG_USAGE
    try:
        numbers = sorted({number for text in arguments.indices for number in _numbers(text)})
        sweep = read_sweep(arguments.schema, arguments.sweep)
        active = {point.number for point in sweep.active}
        if unknown := [number for number in numbers if number not in active]:
            raise refusal([file_problem(arguments.sweep, f"has no point {unknown[0]}", f"it has {sweep.head.shown}")])
        for number in numbers:
            mark_done(arguments.schema, point_directory(arguments.sweep, number))
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    return SUCCESS


def _numbers(text: str) -> Iterator[int]:
    first, _, last = text.partition("-")
    return iter(range(int(first), int(last or first) + 1))
