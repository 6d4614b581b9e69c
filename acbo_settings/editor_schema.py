"""The JSON Schema of an `acbo.toml`, for editors: completion, documentation, and mistakes while typing."""

from __future__ import annotations

import inspect
import json
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from .engine.canonical import KeyPath, plain_setting
from .engine.kinds import Kind
from .engine.names import EXTENDS
from .engine.schema import Schema, Setting

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The draft that the JSON Schema is written in."""

_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string", Path: "string"}
_KEYWORDS = {
    "ge": "minimum",
    "gt": "exclusiveMinimum",
    "le": "maximum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
}
_ITEM_KEYWORDS = {"min_length": "minItems", "max_length": "maxItems"}
_DESCRIPTION = (
    "The settings of an ACBO training run. Across settings, which no schema can say: warmup_steps must be less than"
    " total_steps, final_temperature less than initial_temperature, and at least one reward weight above 0."
)
_EXTENDS = {
    "title": EXTENDS,
    "description": "The file that this one extends, or a list of files of which later ones win. A path is relative to"
    " this file. Values here win over those there.",
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
}
_METADATA = {"title": "metadata", "description": "Notes of your own: anything that TOML can hold.", "type": "object"}


def editor_schema(schema: Schema) -> dict[str, Any]:
    """The JSON Schema of a file, for editors: completion, documentation, and mistakes while typing."""
    document = _table(schema, ())
    settled_notes = document["properties"].get("metadata", {})
    document["properties"] = {EXTENDS: _EXTENDS, **document["properties"], "metadata": settled_notes | _METADATA}
    head = {"$schema": DIALECT, "title": schema.application.file_name, "description": _DESCRIPTION}
    return head | {name: document[name] for name in ("type", "properties", "additionalProperties")}


def _table(schema: Schema, path: KeyPath) -> dict[str, Any]:
    """The JSON Schema of one section, or of one that old names alone are in; an unknown key in it is a mistake."""
    doc = (inspect.getdoc(schema.sections[path]) if path in schema.sections else None) or ""
    settings = {key[-1]: _field(setting) for key, setting in schema.settings.items() if key[:-1] == path}
    for old, (now, was) in schema.old_names.items():
        if old[:-1] == path:
            told = f"Is called {'.'.join(now)} since {was.since}."
            settings[old[-1]] = {**_values(schema.setting(now).kind), "description": told, "deprecated": True}
    old_tables = [old[:length] for old in schema.old_names for length in range(1, len(old))]
    tables = {
        table[-1]: _table(schema, table) for table in (*schema.sections, *old_tables) if table and table[:-1] == path
    }
    return {
        "title": ".".join(path),
        "description": doc.partition("\n")[0],
        "type": "object",
        "properties": settings | tables,
        "additionalProperties": path[:1] == ("metadata",),
    }


def _field(setting: Setting) -> dict[str, Any]:
    field: dict[str, Any] = {"title": setting.key, "description": setting.doc, **_values(setting.kind)}
    if setting.default is None or setting.default is MISSING:  # TOML has no null
        return field
    return {**field, "default": plain_setting(setting.default)}


def _values(kind: Kind) -> dict[str, Any]:
    """The values of a kind: type, bounds and choices."""
    if kind.items:
        bounds = {_ITEM_KEYWORDS[name]: bound for name, bound in kind.bounds}
        return {"type": "array", "items": _values(kind.items), **bounds}
    found: dict[str, Any] = {"type": _TYPES[kind.type]} | {_KEYWORDS[name]: bound for name, bound in kind.bounds}
    return found | {"enum": list(kind.choices)} if kind.choices else found


def editor_schema_text(schema: Schema) -> str:
    """The JSON Schema as a file holds it."""
    return json.dumps(editor_schema(schema), indent=2, ensure_ascii=False) + "\n"
