"""The command `diff`: the settings, and the keys of the metadata, in which configurations differ."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from ..engine.canonical import KeyPath, json_ready, plain_setting
from ..engine.printable import dotted, escape, markdown_table
from ..engine.schema import Schema
from ..engine.toml_writer import show_note, value_text
from ..engine.values import SourcedValue, default_layer
from .checked_file import DEFAULTS, check_file, has_variables, print_findings
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, json_result, note, result
from .terminal import Terminal

_Side = Mapping[KeyPath, SourcedValue]


def run(arguments: Namespace) -> int:
    """Compare `first` and `others` in a `format`: files, directories, or `defaults`.

    The exit code is 1 when they differ, and 2 when one of them is not valid.
    """
    found: list[tuple[str, _Side]] = []
    for name in (arguments.first, *arguments.others):
        side = _read_side(arguments.schema, name)
        if side is None:
            return WRONG_USAGE
        found.append(side)
    if has_variables():
        note("note: the ACBO_* variables of this shell take no part: files are compared as they are")
    differing = _find_differing([values for _, values in found])
    if arguments.format == "json":
        json_result(_facts(found, differing))
    elif differing:
        print_differing = _print_markdown if arguments.format == "markdown" else _print_table
        print_differing(found, differing)
    return NOT_VALID if differing else SUCCESS


def _read_side(schema: Schema, name: str) -> tuple[str, _Side] | None:
    """What one side is called, and its values; None when it is not valid, which is told then."""
    if name == DEFAULTS:  # of which some settings may have none, and these differ from any value
        return name, default_layer(schema)
    checked = check_file(schema, name, {}, prefers_frozen=True)
    if checked.resolved is None and (kind := _kind_of_job(name)):
        note(
            f"acbo-settings diff: {escape(name, 1000)} is a {kind}, and diff compares configuration files and runs;"
            " show and plan take the files of jobs"
        )
        return None
    print_findings(checked)
    if checked.resolved is None:
        return None
    typed = schema.typed(checked.resolved.config)  # 1 and 1.0 are the same
    settings = {path: sourced.replace(value=typed[path]) for path, sourced in checked.resolved.values.items()}
    return checked.path or name, {**settings, **checked.resolved.custom}


def _kind_of_job(name: str) -> str | None:
    """Which kind of job file a side is, which has no configuration of its own; None for any other."""
    from ..jobs.job_file import find_kind
    from .checked_job import read_job_file

    document = read_job_file(name)
    return find_kind(document.text) if document else None


def _find_differing(sides: Sequence[_Side]) -> list[KeyPath]:
    """The settings for which not all sides have the same value, and below them the keys of the metadata."""
    paths = sorted({path: None for side in sides for path in side}, key=lambda path: path[0] == "metadata")
    return [path for path in paths if len({_shown(side.get(path)) for side in sides}) > 1]


def _shown(sourced: SourcedValue | None) -> str:
    """What tells a value from all others."""
    return "" if sourced is None or sourced.value is None else value_text(plain_setting(sourced.value))


def _facts(sides: Sequence[tuple[str, _Side]], differing: Sequence[KeyPath]) -> dict[str, Any]:
    """The same for machines: values keep their types, and stand in the order of the sides."""
    return {
        "sides": [name for name, _ in sides],
        "differences": [
            {"key": ".".join(path), "values": [_value_facts(values.get(path)) for _, values in sides]}
            for path in differing
        ],
    }


def _value_facts(sourced: SourcedValue | None) -> dict[str, Any]:
    """A value with its origin, and whether anybody gives it; a key of the metadata may be missing altogether."""
    if sourced is None:
        return {"value": None, "origin": None, "given": False}
    value = json_ready(plain_setting(sourced.value))
    return {"value": value, "origin": sourced.origin.facts(at_key=False), "given": not sourced.is_default}


def _print_table(sides: Sequence[tuple[str, _Side]], differing: Sequence[KeyPath]) -> None:
    """What is compared, as `diff -u` tells it where there are two, and the values of each with their origins.

    Two sides have a column each for their origins; of more sides they stand below the values that somebody gave.
    """
    terminal = Terminal()
    signs = ["---", "+++"] if len(sides) == 2 else [str(number) for number in range(1, len(sides) + 1)]
    for sign, (name, _) in zip(signs, sides, strict=True):
        terminal.out(f"{sign} {escape(name, 1000)}")
    if len(sides) == 2:
        heads = ["SETTING", *(head for sign in signs for head in (sign, "FROM"))]
        pairs = [[dotted(path), *chain(*(_cells(path, *side) for side in sides))] for path in differing]
        terminal.table(heads, pairs)
    else:
        terminal.table(["SETTING", *signs], [[dotted(path), *_lines(path, sides)] for path in differing])


def _print_markdown(sides: Sequence[tuple[str, _Side]], differing: Sequence[KeyPath]) -> None:
    """A column for each side, in which an origin stands in brackets behind its value."""
    names = [escape(name, 1000) for name, _ in sides]
    rows = [[dotted(path), *(" ".join(_bracketed(*each)) for each in _lines(path, sides))] for path in differing]
    result(markdown_table(["setting", *names], rows), end="")


def _bracketed(value: str, *origin: str) -> Iterator[str]:
    yield value
    yield from (f"({each})" for each in origin)


def _lines(path: KeyPath, sides: Sequence[tuple[str, _Side]]) -> Iterator[list[str]]:
    """The value of each side, and its origin where that is no default: a default is what it is."""
    for name, side in sides:
        value, origin = _cells(path, name, side)
        is_plain = path in side and side[path].is_default
        yield [value] if is_plain else [value, origin] if value else [origin]


def _cells(path: KeyPath, name: str, side: _Side) -> list[str]:
    """The value of one side and its origin, of which the name of the side itself is left out."""
    if path not in side:
        return ["", "not given"]
    origin = side[path].origin
    return [show_note(side[path].value), escape(origin.short if origin.source_name == name else str(origin))]
