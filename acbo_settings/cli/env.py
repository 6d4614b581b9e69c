"""The command `env`: every environment variable that means something."""

from __future__ import annotations

from argparse import Namespace

from ..engine.printable import fit
from ..engine.schema import Schema
from ..reference import variables, variables_table
from .output import SUCCESS, json_result, result
from .terminal import Terminal


def run(arguments: Namespace) -> int:
    """Print the variables in a `format`."""
    if arguments.format == "json":
        json_result([row._asdict() for row in variables(arguments.schema)])
    elif arguments.format == "markdown":
        result(variables_table(arguments.schema), end="")
    else:
        _print_variables(Terminal(), arguments.schema)
    return SUCCESS


def _print_variables(terminal: Terminal, schema: Schema) -> None:
    """One paragraph each: the longest name alone takes more than half of 80 columns."""
    for row in variables(schema):
        terminal.out(row.name, style="bold")
        facts = "; ".join(filter(None, (row.type, row.range, row.default and f"default {row.default}")))
        terminal.out(fit(f"    {facts}", terminal.width, "    "))
        terminal.out(fit(f"    {row.doc}", terminal.width, "    "), style="dim")
