"""The command `explain`: what a setting means, its value now, and where that came from."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..api import SCHEMA
from ..engine.canonical import KeyPath
from ..engine.inputs import read_inputs
from ..engine.loading.environment import hint_for_variable
from ..engine.loading.layers import Layers, read_layers
from ..engine.names import did_you_mean, find_path, meant_by, variable_name
from ..engine.printable import fit, show_value
from ..engine.report import explain_value, origin_text
from ..engine.schema import Setting
from .checked_file import check_layers
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_problems
from .terminal import Terminal


def run(arguments: Namespace) -> int:
    """Print all there is to know of `keys`: settings, sections or variables; or the table of all settings."""
    found = [(key, *find_key(key)) for key in arguments.keys]
    for key, path, hint in found:
        if path is None:
            note(f"acbo-settings explain: no such setting: {key}{f'; {hint}' if hint else ''}")
    if not all(path for _, path, _ in found):
        return WRONG_USAGE
    chosen = list(dict.fromkeys(path for _, path, _ in found if path))
    layers, terminal = read_layers(read_inputs(SCHEMA)), Terminal()
    sections = [path for path in chosen if path in SCHEMA.sections] if chosen else [()]
    in_sections = [path for path in SCHEMA.defaults if any(path[: len(section)] == section for section in sections)]
    if in_sections:
        _print_table(terminal, [SCHEMA.setting(path) for path in in_sections], layers)
    for path in (path for path in chosen if path in SCHEMA.defaults):
        if in_sections or path != chosen[0]:
            terminal.out("")
        _print_setting(terminal, SCHEMA.setting(path), layers)
    if problems := check_layers(layers).problems:
        print_problems(problems)
    return NOT_VALID if problems else SUCCESS


def find_key(name: str) -> tuple[KeyPath | None, str]:
    """The setting or section that a name stands for, and an empty text; or None, and what may have been meant."""
    path = find_path(SCHEMA, name)
    if path and path[0] != "metadata":
        return path, ""
    if name.upper().startswith(SCHEMA.application.prefix):
        is_known = path or name.upper() == SCHEMA.application.file_variable
        return None, "acbo-settings env tells of it" if is_known else hint_for_variable(SCHEMA, name)
    if name.partition(".")[0] == "metadata":
        return None, "custom keys have no reference; show prints them with their origins"
    meant = meant_by(SCHEMA, name)
    return None, did_you_mean(None if meant == ("metadata",) else meant)


def _print_table(terminal: Terminal, rows: Sequence[Setting], layers: Layers) -> None:
    cells = []
    for row in rows:
        value = layers.values[row.path]
        origin = "" if value.is_default else origin_text(value)
        shown = show_value(value.value) if layers.complete else "?"
        cells.append([row.key, shown, show_value(row.default), origin])
    terminal.table(["SETTING", "VALUE", "DEFAULT", "FROM"], cells)


def _print_setting(terminal: Terminal, row: Setting, layers: Layers) -> None:
    terminal.out(row.key, style="bold")
    terminal.out(fit(f"  {row.doc}", terminal.width, "  "))
    facts = [
        ("type", row.type.__name__),
        ("range", row.range),
        ("default", show_value(row.default)),
        ("variable", variable_name(SCHEMA, row.path)),
    ]
    for name, text in [*facts, *_values(layers, row.path)]:
        terminal.out(fit(f"  {name:9} {text}", terminal.width, " " * 12))


def _values(layers: Layers, path: KeyPath) -> list[tuple[str, str]]:
    """The value in force, and below it what it shadows."""
    if not layers.complete:
        return [("value", "not known, because a source cannot be read")]
    value = layers.values[path]
    names = ["value", *["over"] * len(value.shadowed)]
    texts = [explain_value(each.replace(over=None)) for each in (value, *value.shadowed)]
    return list(zip(names, texts, strict=True))
