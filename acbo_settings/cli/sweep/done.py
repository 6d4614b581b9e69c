"""The command `sweep done`: points that need not be run any more, because somebody says so."""

from __future__ import annotations

import re
from argparse import Namespace

from ...engine.frozen_sweep import read_sweep
from ...engine.launcher import indices_in
from ...engine.printable import counted, number_list
from ...engine.problems import ConfigurationError, file_problem
from ...engine.report import refusal
from ...engine.runs.marks import mark_points_done
from ..output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_problems
from ..terminal import go_through


def run(arguments: Namespace) -> int:
    """Say that the points with these `indices` of `sweep` are done; nothing is said when one of them is none."""
    words = [word for text in arguments.indices for word in text.split(",")]
    wrong = next((word for word in words if not _is_range(word)), None)
    if wrong is not None:
        shown = wrong or "an empty text"
        note(f"acbo-settings sweep done: {shown} is no number of a point, and no range such as 17-19")
        return WRONG_USAGE
    try:
        numbers = sorted({number for word in words for number in indices_in(word)})
        sweep = read_sweep(arguments.schema, arguments.sweep)
        active = {point.number for point in sweep.active}
        if unknown := [number for number in numbers if number not in active]:
            is_retired = unknown[0] in sweep.head.retired
            message = f"point {unknown[0]} is retired" if is_retired else f"has no point {unknown[0]}"
            raise refusal([file_problem(arguments.sweep, message, f"it has {sweep.head.shown}")])
        written = mark_points_done(arguments.schema, arguments.sweep, [sweep.points[number] for number in numbers])
        go_through(written, len(numbers), "writing")
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    note(f"{counted(len(numbers), 'point')} of {arguments.sweep} done: {number_list(numbers)}")
    return SUCCESS


def _is_range(word: str) -> bool:
    """Whether a word is a number, or two of which the second is not the smaller one."""
    found = re.fullmatch(r"([0-9]{1,6})(?:-([0-9]{1,6}))?", word)
    return found is not None and int(found[1]) <= int(found[2] or found[1])
