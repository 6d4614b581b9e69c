"""The command `sweep freeze`: what the tasks of a sweep will train with, written before any of them waits."""

from __future__ import annotations

from argparse import Namespace

from ...engine.printable import counted, number_list
from ...engine.problems import ConfigurationError
from ...engine.report import refusal
from ...engine.run_arguments import directory_objection
from ...engine.runs.sweep import SweepFreezing
from ..output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_advice, print_problems, result
from ..terminal import go_through
from .sweep_file import read_sweep_file


def run(arguments: Namespace) -> int:
    """Freeze the points of `path` into `dir`, and hold them to what they were frozen with as `on_change` says."""
    if message := directory_objection(arguments.schema.application, "sweep", arguments.dir):
        note(f"acbo-settings sweep freeze: --dir {message}")
        return WRONG_USAGE
    try:
        file = read_sweep_file(arguments)
        if file.errors:
            raise refusal(file.errors)
        freezing = SweepFreezing(file.start, file.layers, file.points, arguments.dir, file.name, arguments.on_change)
        go_through(freezing.judge(), len(file.points), "judging")
        print_advice([*file.problems, *freezing.advice])
        go_through(freezing.write(), freezing.waiting, "writing")
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    result(number_list(freezing.numbers, ","))
    note(_what_was_frozen(freezing, arguments.dir))
    if freezing.started:
        counted = f"{freezing.started:,} of the replaced points {'was' if freezing.started == 1 else 'were'} started"
        note(f"note: {counted} before: what their runs have made, such as checkpoints, lies in their directories still")
    if freezing.retired and freezing.new == len(freezing.numbers):
        note("note: no point that the sweep had before is left; another sweep belongs in another directory")
    return SUCCESS


def _what_was_frozen(freezing: SweepFreezing, directory: str) -> str:
    """One sentence on what became of the points."""
    counts = {
        "new": freezing.new,
        "as before": freezing.kept,
        "replaced": freezing.replaced,
        "retired": freezing.retired,
    }
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    return f"{directory} holds {counted(len(freezing.numbers), 'point')}: {told}"
