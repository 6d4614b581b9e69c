"""The command `sweep table`: what the points of a sweep differ in, beside what their runs have measured."""

from __future__ import annotations

import csv
import io
import json
import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ...engine.canonical import KeyPath, json_ready
from ...engine.inputs import read_part
from ...engine.printable import escape, markdown_table
from ...engine.problems import ConfigurationError
from ...engine.runs.marks import find_states
from ...engine.toml_writer import show_note
from ..output import NOT_VALID, SUCCESS, WRONG_USAGE, json_result, note, picture_result, print_problems, result
from ..terminal import Terminal, short_names
from .table_picture import save_picture

_MOST = 1 << 26
_LARGEST = 1e300
"""Numbers from here on cannot be drawn."""


class Measured(NamedTuple):
    """A point of a sweep: the settings in which it differs from others, and the scalars that its run has written."""

    number: int
    directory: str
    settings: Mapping[KeyPath, Any]
    metrics: Mapping[str, Any]


def run(arguments: Namespace) -> int:
    """Print the points of `sweep` with the scalars of the JSON file `metrics`, and draw one `metric` as `png`."""
    if arguments.metric and not arguments.png:
        note("acbo-settings sweep table: --metric says what the picture shows, and needs --png")
        return WRONG_USAGE
    try:
        states = list(find_states(arguments.schema, arguments.sweep))
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    broken: list[str] = []
    points = [
        Measured(
            state.point.number, state.directory, state.point.swept, _read(state.directory, arguments.metrics, broken)
        )
        for state in states
    ]
    for message in broken:
        note(f"acbo-settings sweep table: {message}")
    lacking = sum(not point.metrics for point in points)
    if lacking == len(points):
        note(f"acbo-settings sweep table: no point of {arguments.sweep} has a {arguments.metrics} with a scalar")
        return NOT_VALID
    if lacking:
        note(f"note: {lacking:,} of {len(points):,} points have nothing in {arguments.metrics} that could be shown")
    _print(points, arguments.format)
    code = SUCCESS if arguments.png is None else _draw(points, arguments.metric, arguments.png)
    return NOT_VALID if broken else code


def _read(directory: str, name: str, broken: list[str]) -> dict[str, Any]:
    """The scalars of a JSON file, those of objects inside it by dotted names; nothing where there is no such file."""
    path = os.path.join(directory, name)
    try:
        tree = json.loads(read_part(path, _MOST))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        broken.append(f"{path} cannot be read as JSON: {getattr(error, 'strerror', None) or error}")
        return {}
    return _scalars(tree) if isinstance(tree, dict) else {}


def _scalars(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            found |= _scalars(value, f"{above}{key}.")
        elif isinstance(value, int | float | str):
            name = f"{above}{key}".encode("utf-8", "backslashreplace").decode()
            found[name] = value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
    return found


def _columns(points: Sequence[Measured]) -> tuple[list[KeyPath], list[str]]:
    """The swept settings and the metrics of all points."""
    paths = dict.fromkeys(path for point in points for path in point.settings)
    return list(paths), list(dict.fromkeys(name for point in points for name in point.metrics))


def _print(points: Sequence[Measured], form: str) -> None:
    """Print the table in a format."""
    paths, names = _columns(points)
    if form == "json":
        json_result([_facts(point) for point in points])
        return
    if form == "csv":
        result(_csv(points, paths, names), end="")
        return
    heads = ["INDEX", *short_names(paths), *(escape(name, 60) for name in names)]
    rows = [_cells(point, paths, names) for point in points]
    if form == "markdown":
        result(markdown_table(heads, rows, "---:"), end="")
    else:
        Terminal().table(heads, rows, right=heads)


def _facts(point: Measured) -> dict[str, Any]:
    settings = {".".join(path): json_ready(value) for path, value in point.settings.items()}
    finite = {name: value for name, value in point.metrics.items() if isinstance(value, str) or value - value == 0}
    metrics = {name: finite.get(name) for name in point.metrics}  # JSON has no NaN
    return {"index": point.number, "directory": point.directory, "settings": settings, "metrics": metrics}


def _csv(points: Sequence[Measured], paths: Sequence[KeyPath], names: Sequence[str]) -> str:
    """One line a point; every column has its whole name."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["index", *(".".join(path) for path in paths), *names])
    for point in points:
        given = [point.settings.get(path, "") for path in paths]
        measured = [point.metrics.get(name, "") for name in names]
        writer.writerow([point.number, *(_plain(value) for value in (*given, *measured))])
    return text.getvalue()


def _plain(value: Any) -> Any:
    """A value as CSV has it: booleans as JSON writes them, and arrays as JSON."""
    return json.dumps(value) if isinstance(value, bool | list | dict) else value


def _cells(point: Measured, paths: Sequence[KeyPath], names: Sequence[str]) -> list[str]:
    given = [show_note(point.settings[path]) if path in point.settings else "" for path in paths]
    return [str(point.number), *given, *(_shown(point.metrics.get(name)) for name in names)]


def _shown(value: Any) -> str:
    """A scalar in a table: a number with six digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return json.dumps(value)
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value), 60)


def _draw(points: Sequence[Measured], metric: str | None, file: str) -> int:
    """Draw one metric over each swept setting."""
    names = [name for name in _columns(points)[1] if any(_is_number(point.metrics.get(name)) for point in points)]
    if not names or (metric is not None and metric not in names):
        known = f"; there are {', '.join(names)}" if names else ""
        note(f"acbo-settings sweep table: no point has a number {metric or ''}".rstrip() + known)
        return NOT_VALID
    chosen = metric or names[0]
    measured = [
        (point.settings, float(point.metrics[chosen])) for point in points if _is_number(point.metrics.get(chosen))
    ]
    return picture_result("sweep table", file, partial(save_picture, measured, chosen))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
