"""The command `sweep status`: how far a sweep is, and which of its points are still to be run."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Sequence

from ...engine.printable import counted, number_list
from ...engine.problems import ConfigurationError
from ...engine.runs.marks import PointState, find_states, has_own_file, objection_to
from ..output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_problems, result
from ..terminal import Terminal


def run(arguments: Namespace) -> int:
    """Print how far `sweep` is, or as an `array` which of its points are not done."""
    if message := objection_to(arguments.done):
        note(f"acbo-settings sweep status: --done {message}")
        return WRONG_USAGE
    try:
        states = list(find_states(arguments.schema, arguments.sweep, arguments.done))
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    if arguments.array:
        return _print_array(states, arguments.sweep)
    counts = Counter(state.name for state in states)
    told = ", ".join(f"{counts[name]:,} {name}" for name in ("done", "started", "waiting"))
    Terminal().out(f"{counted(len(states), 'point')}: {told}")
    _print_started([state for state in states if state.name == "started"])
    _note_lost([state for state in states if not has_own_file(arguments.schema, arguments.sweep, state.point)])
    return SUCCESS


def _note_lost(states: Sequence[PointState]) -> None:
    """Say which points no task can start."""
    if states:
        numbers = number_list([state.point.number for state in states], most=10)
        told = "the frozen file is missing, edited or another's: freeze the sweep again, which says more"
        note(f"note: of point{'' if len(states) == 1 else 's'} {numbers} {told}")


def _print_array(states: Sequence[PointState], sweep: str) -> int:
    """The points that are not done as `sbatch --array` takes them."""
    missing = [state.point.number for state in states if state.name != "done"]
    if not missing:
        note(f"acbo-settings sweep status: every point of {sweep} is done")
        return NOT_VALID
    result(number_list(missing, ","))
    return SUCCESS


def _print_started(states: Sequence[PointState]) -> None:
    """The points that were started and are not done, with who started them last."""
    if not states:
        return
    heads = ["INDEX", "HOST", "JOB", "RESTARTS", "STARTED"]
    rows = [
        [str(state.point.number), each.host, each.job, str(each.restarts), each.time]
        for state in states
        if (each := state.started)
    ]
    Terminal().out("")
    Terminal().table(heads, rows, right=["INDEX", "RESTARTS"])
