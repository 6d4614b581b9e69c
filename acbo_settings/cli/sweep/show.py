"""The command `sweep show`: the points of a frozen sweep, with what tells them apart and what became of them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ...engine.canonical import KeyPath, json_ready
from ...engine.problems import ConfigurationError
from ...engine.runs.marks import PointState, find_states, objection_to
from ...engine.toml_writer import show_note
from ..output import NOT_VALID, SUCCESS, WRONG_USAGE, json_result, note, print_problems
from ..terminal import Terminal, short_names


def run(arguments: Namespace) -> int:
    """Print the points of `sweep` in a `format`."""
    if message := objection_to(arguments.done):
        note(f"acbo-settings sweep show: --done {message}")
        return WRONG_USAGE
    try:
        states = list(find_states(arguments.schema, arguments.sweep, arguments.done, with_retired=True))
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    if arguments.format == "json":
        json_result([_facts(state) for state in states])
    else:
        _print_table(states)
    return SUCCESS


def _facts(state: PointState) -> dict[str, object]:
    """A point as plain data."""
    return {
        "index": state.point.number,
        "directory": state.directory,
        "settings": {".".join(path): json_ready(value) for path, value in state.point.swept.items()},
        "fingerprint": state.point.fingerprint,
        "state": state.name,
    }


def _print_table(states: Sequence[PointState]) -> None:
    """A column for each swept setting; a point that was frozen before one was swept has none of it."""
    swept = [state.point.swept for state in states]
    paths: list[KeyPath] = list(dict.fromkeys(path for each in swept for path in each))
    names = short_names(paths)
    heads = ["INDEX", *names, "FINGERPRINT", "STATE"]
    rows = (
        [
            str(state.point.number),
            *(show_note(given[path]) if path in given else "" for path in paths),
            state.point.fingerprint,
            state.name,
        ]
        for state, given in zip(states, swept, strict=True)
    )
    Terminal().table(heads, rows, right=["INDEX", *names], whole=["INDEX", "FINGERPRINT", "STATE"])
