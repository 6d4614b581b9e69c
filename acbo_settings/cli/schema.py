"""The command `schema`: the JSON Schema of an `acbo.toml`."""

from __future__ import annotations

from argparse import Namespace

from ..editor_schema import editor_schema_text
from .output import SUCCESS


def run(arguments: Namespace) -> int:
    """Print the JSON Schema."""
    print(editor_schema_text(arguments.schema), end="")
    return SUCCESS
