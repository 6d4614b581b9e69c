"""The command `diff`: the settings in which two configurations differ."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence

from ..api import SCHEMA
from ..engine.canonical import KeyPath
from ..engine.origins import Difference, SourcedValue, default_layer, find_differences
from ..engine.printable import escape, show_value
from .checked_file import FILE_NAME, FROZEN_NAME, file_in, has_variables, resolve_and_report
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note
from .terminal import Terminal


def run(arguments: Namespace) -> int:
    """Compare `first` and `second`: files, directories, or `defaults`; 1 when they differ, 2 when one is not valid."""
    sides: list[Mapping[KeyPath, SourcedValue]] = []
    names = []
    for name in (arguments.first, arguments.second):
        if name == "defaults":
            sides.append(default_layer(SCHEMA))
            names.append(name)
            continue
        checked = resolve_and_report(file_in(name, (FROZEN_NAME, FILE_NAME)), {})
        if checked.resolved is None:
            return WRONG_USAGE
        sides.append(checked.resolved.values)
        names.append(checked.path or name)
    if has_variables():
        note("note: the ACBO_* variables of this shell take no part: files are compared as they are")
    if not (differences := find_differences(*sides)):
        return SUCCESS
    _print_differences(names, differences)
    return NOT_VALID


def _print_differences(names: Sequence[str], differences: Sequence[Difference]) -> None:
    """What is compared, as `diff -u` tells it, and both values of each setting with their lines."""
    terminal = Terminal()
    for sign, name in zip(("---", "+++"), names, strict=True):
        terminal.out(f"{sign} {escape(name, 1000)}")
    cells = [[".".join(found.path), *_side(found.first), *_side(found.second)] for found in differences]
    terminal.table(["SETTING", "---", "FROM", "+++", "FROM"], cells)


def _side(sourced: SourcedValue) -> list[str]:
    position = sourced.origin.position
    return [show_value(sourced.value), f"line {position.line}" if position else str(sourced.origin)]
