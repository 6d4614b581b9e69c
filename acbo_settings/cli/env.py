"""The command `env`: every environment variable that means something."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..reference import VariableReference, variables, variables_table
from .output import SUCCESS, json_result, result
from .terminal import Terminal

_FOR_MEANING = 70
"""How many columns beside the names it takes to read all others with ease."""


def run(arguments: Namespace) -> int:
    """Print the variables in a `format`."""
    if arguments.format == "json":
        json_result([row._asdict() for row in variables(arguments.schema)])
    elif arguments.format == "markdown":
        result(variables_table(arguments.schema), end="")
    else:
        _print_table(Terminal(), variables(arguments.schema))
    return SUCCESS


def _print_table(terminal: Terminal, rows: Sequence[VariableReference]) -> None:
    """A table, in which the meaning stands below its row where there is no room for it."""
    heads, docs = ["VARIABLE", "TYPE", "RANGE", "DEFAULT"], [row.doc for row in rows]
    cells = [[row.name, row.type, row.range, row.default] for row in rows]
    if terminal.is_fitted and terminal.width - max(len(row.name) for row in rows) < _FOR_MEANING:
        terminal.table(heads, cells, whole=["VARIABLE"], below=docs)
    else:
        whole = [[*facts, doc] for facts, doc in zip(cells, docs, strict=True)]
        terminal.table([*heads, "MEANING"], whole, whole=["VARIABLE"])
