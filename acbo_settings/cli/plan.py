"""The command `plan`: what a run will do, in tables, sentences and small plots, and as a picture."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from functools import partial

from ..engine.loading.validation import find_broken
from ..engine.printable import show_value
from ..plan import TrainingPlan, plan_training
from ..plan_drawing import title_of
from ..plan_text import plan_lines
from ..rules import NEVER
from .checked_job import MAX_NOTES, Configuration, resolve_and_report
from .output import NOT_VALID, SUCCESS, note, picture_result
from .plan_picture import save_picture
from .terminal import Terminal


def run(arguments: Namespace) -> int:
    """Print what the run of `path` will do, and draw it as a `picture` if asked for."""
    found = resolve_and_report(arguments, arguments.path)
    if not found:
        return NOT_VALID
    if len(found) > 1 and arguments.picture:
        note("acbo-settings plan: a picture shows one plan, and the parts of the job differ")
        return NOT_VALID
    terminal = Terminal()
    for number, each in enumerate(found):
        if len(found) > 1:
            terminal.heading(each.title, is_first=number == 0)
        _note_later(each)
        for line in plan_lines(_plan_of(each), terminal.width, _title_of(each)):
            terminal.out(line.text, style="bold" if line.is_heading else None)
    if arguments.picture is None:
        return SUCCESS
    file, form = arguments.picture
    return picture_result("plan", file, partial(save_picture, _plan_of(found[0]), _title_of(found[0]), form))


def _note_later(planned: Configuration) -> None:
    """Say with which values the plan is made where only the job will know them; of many only how many."""
    if len(planned.later) > MAX_NOTES:
        note(f"note: {len(planned.later)} settings are known only in the job: planned with their defaults")
        return
    for path, sourced in planned.later.items():
        default = show_value(planned.resolved.values[path].shadowed[-1].value)
        note(f"note: {'.'.join(path)} is known only in the job, from {sourced.origin}: planned with {default}")


def _plan_of(planned: Configuration) -> TrainingPlan:
    """The plan, without what the advice has said already and without what follows from defaults alone."""
    resolved = planned.resolved
    said = {problem.message for problem in resolved.advice}
    found = [problem.message for problem in find_broken(NEVER, resolved.config, resolved.values)]
    return replace(
        plan_training(resolved.config), never=tuple(f"{sentence}." for sentence in found if sentence not in said)
    )


def _title_of(planned: Configuration) -> str:
    """The experiment, or else the file, and the fingerprint, if it does not depend on what only the job will know."""
    return title_of(planned.resolved.config, planned.path or "", is_known=not planned.later)
