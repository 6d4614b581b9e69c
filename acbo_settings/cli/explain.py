"""The commands `explain`, `env` and `schema`: what there is to know of settings and variables."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence

from ..editor_schema import json_schema
from ..engine.canonical import KeyPath
from ..engine.inputs import read_inputs
from ..engine.loading.layers import MergedLayers, read_layers
from ..engine.report import explain_value, fit, origin_text, show_value
from ..reference import Setting, find_key, settings, variables, variables_table
from .checked_file import check_layers
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_problems
from .terminal import Terminal


def explain(arguments: Namespace) -> int:
    """Print all there is to know of some settings, or the table of all.

    Args:
        arguments: `keys`: settings, components, or names of variables.

    Returns:
        The exit code: 2 when there is no such setting, 1 when the configuration is not valid.

    >>> explain(Namespace(keys=["grpo.group_sise"]))
    2
    """
    found = [(key, *find_key(key)) for key in arguments.keys]
    for key, path, hint in found:
        if path is None:
            note(f"acbo-settings explain: no such setting: {key}{f'; {hint}' if hint else ''}")
    if not all(path for _, path, _ in found):
        return WRONG_USAGE
    chosen = list(dict.fromkeys(path for _, path, _ in found if path))
    layers, terminal = read_layers(read_inputs()), Terminal()
    if rows := [row for row in settings() if not chosen or (len(row.path) == 2 and row.path[:1] in chosen)]:
        _print_table(terminal, rows, layers)
    for row in (row for path in chosen for row in settings() if row.path == path):
        if rows or row.path != chosen[0]:
            terminal.out("")
        _print_setting(terminal, row, layers)
    if problems := check_layers(layers).problems:
        print_problems(problems)
    return NOT_VALID if problems else SUCCESS


def _print_table(terminal: Terminal, rows: Sequence[Setting], layers: MergedLayers) -> None:
    cells = []
    for row in rows:
        value = layers.values[row.path]
        origin = "" if value.is_default else origin_text(value)
        shown = "?" if layers.unreadable else show_value(value.value)
        cells.append([row.key, shown, show_value(row.default), origin])
    terminal.table(["SETTING", "VALUE", "DEFAULT", "FROM"], cells)


def _print_setting(terminal: Terminal, row: Setting, layers: MergedLayers) -> None:
    terminal.out(row.key, style="bold")
    terminal.out(fit(f"  {row.doc}", terminal.width, "  "))
    facts = [("type", row.type), ("range", row.range), ("default", show_value(row.default)), ("variable", row.variable)]
    for name, text in [*facts, *_values(layers, row.path)]:
        terminal.out(fit(f"  {name:9} {text}", terminal.width, " " * 12))


def _values(layers: MergedLayers, path: KeyPath) -> list[tuple[str, str]]:
    """The value in force, and below it what it shadows."""
    if layers.unreadable:
        return [("value", "not known, because a source cannot be read")]
    value = layers.values[path]
    names = ["value", *["over"] * len(value.shadowed)]
    texts = [explain_value(each._replace(over=None)) for each in (value, *value.shadowed)]
    return list(zip(names, texts, strict=True))


def env(arguments: Namespace) -> int:
    """Print every environment variable that means something.

    Args:
        arguments: `format`: `table`, `markdown` or `json`.

    Returns:
        The exit code 0.

    >>> env(Namespace(format="markdown"))  # doctest: +ELLIPSIS
    | variable | type | range | default | meaning |
    ...
    """
    if arguments.format == "json":
        print(json.dumps([row._asdict() for row in variables()], indent=2, ensure_ascii=False))
    elif arguments.format == "markdown":
        print(variables_table(), end="")
    else:
        _print_variables(Terminal())
    return SUCCESS


def _print_variables(terminal: Terminal) -> None:
    """One paragraph each: the longest name alone takes more than half of 80 columns."""
    for row in variables():
        terminal.out(row.name, style="bold")
        facts = "; ".join(filter(None, (row.type, row.range, row.default and f"default {row.default}")))
        terminal.out(fit(f"    {facts}", terminal.width, "    "))
        terminal.out(fit(f"    {row.doc}", terminal.width, "    "), style="dim")


def schema(arguments: Namespace) -> int:
    """Print the JSON Schema of an `acbo.toml`.

    Args:
        arguments: Nothing.

    Returns:
        The exit code 0.

    >>> schema(Namespace())  # doctest: +ELLIPSIS
    {
    ...
    """
    print(schema_text(), end="")
    return SUCCESS


def schema_text() -> str:
    """The JSON Schema as a file holds it.

    Returns:
        JSON, ending in a line end.

    >>> schema_text().splitlines()[2]
    '  "title": "acbo.toml",'
    """
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
