"""The command `schema`: the JSON Schema of an `acbo.toml`."""

from __future__ import annotations

from argparse import Namespace

from ..editor_schema import editor_schema
from .output import SUCCESS, json_result


def run(arguments: Namespace) -> int:
    """Print the JSON Schema."""
    json_result(editor_schema(arguments.schema))
    return SUCCESS
