"""The command `diff`: the settings, and the keys of the metadata, in which configurations differ."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence

from ..engine.canonical import KeyPath, plain_setting
from ..engine.printable import dotted, escape
from ..engine.schema import Schema
from ..engine.toml_writer import show_note, value_text
from ..engine.values import SourcedValue, default_layer
from .checked_file import DEFAULTS, check_file, has_variables, print_findings
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note
from .terminal import Terminal

_Side = Mapping[KeyPath, SourcedValue]


def run(arguments: Namespace) -> int:
    """Compare `first` and `others`: files, directories, or `defaults`; 1 when they differ, 2 when one is not valid."""
    found: list[tuple[str, _Side]] = []
    for name in (arguments.first, *arguments.others):
        side = _read_side(arguments.schema, name)
        if side is None:
            return WRONG_USAGE
        found.append(side)
    if has_variables():
        note("note: the ACBO_* variables of this shell take no part: files are compared as they are")
    differing = _find_differing([values for _, values in found])
    if not differing:
        return SUCCESS
    _print_differing(found, differing)
    return NOT_VALID


def _read_side(schema: Schema, name: str) -> tuple[str, _Side] | None:
    """What one side is called, and its values; None when it is not valid, which is told then."""
    if name == DEFAULTS:  # of which some settings may have none, and these differ from any value
        return name, default_layer(schema)
    checked = check_file(schema, name, {}, prefers_frozen=True)
    print_findings(checked)
    if checked.resolved is None:
        return None
    typed = schema.typed(checked.resolved.config)  # 1 and 1.0 are the same
    settings = {path: sourced.replace(value=typed[path]) for path, sourced in checked.resolved.values.items()}
    return checked.path or name, {**settings, **checked.resolved.custom}


def _find_differing(sides: Sequence[_Side]) -> list[KeyPath]:
    """The settings for which not all sides have the same value, and below them the keys of the metadata."""
    paths = sorted({path: None for side in sides for path in side}, key=lambda path: path[0] == "metadata")
    return [path for path in paths if len({_shown(side.get(path)) for side in sides}) > 1]


def _shown(sourced: SourcedValue | None) -> str:
    """What tells a value from all others."""
    return "" if sourced is None or sourced.value is None else value_text(plain_setting(sourced.value))


def _print_differing(sides: Sequence[tuple[str, _Side]], differing: Sequence[KeyPath]) -> None:
    """What is compared, as `diff -u` tells it where there are two, and the values of each with their origins."""
    terminal = Terminal()
    signs = ["---", "+++"] if len(sides) == 2 else [str(number) for number in range(1, len(sides) + 1)]
    for sign, (name, _) in zip(signs, sides, strict=True):
        terminal.out(f"{sign} {escape(name, 1000)}")
    if len(sides) == 2:
        heads = ["SETTING", *(head for sign in signs for head in (sign, "FROM"))]
        rows = [[dotted(path), *(cell for side in sides for cell in _cells(path, *side))] for path in differing]
    else:
        heads = ["SETTING", *signs]
        rows = [[dotted(path), *(_cell(path, *side) for side in sides)] for path in differing]
    terminal.table(heads, rows)


def _cells(path: KeyPath, name: str, side: _Side) -> list[str]:
    """The value of one side and its origin, of which the name of the side itself is left out."""
    if path not in side:
        return ["", "not given"]
    origin = side[path].origin
    return [show_note(side[path].value), escape(origin.short if origin.source_name == name else str(origin))]


def _cell(path: KeyPath, name: str, side: _Side) -> str:
    """Both in one: where there are many sides, each has one column."""
    value, origin = _cells(path, name, side)
    return f"{value} ({origin.removeprefix('the ')})" if value else origin
