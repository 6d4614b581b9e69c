"""The JSON Schema of an `acbo.toml`, for editors: completion, documentation and mistakes while typing."""

from __future__ import annotations

import inspect
from typing import Any

from .engine.schema import component_types
from .reference import Setting, settings

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The draft that the schema is written in."""

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
_DESCRIPTION = (
    "The settings of an ACBO training run. Across settings, which no schema can say: warmup_steps must be less than"
    " total_steps, final_temperature less than initial_temperature, and at least one reward weight above 0. Top-level"
    " keys are open for metadata, so a misspelt one is found by loading alone."
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of an `acbo.toml`, draft 2020-12.

    Components are closed: an unknown key in one is a mistake. The top level is open, because custom keys there become
    metadata. Loading is stricter in what no schema can say: it refuses `64.0` for an integer, nan and infinities,
    integers of more than 300 digits, top-level keys that almost are settings, settings inside `[metadata]`, and what
    breaks a rule across settings.

    Returns:
        A new dict, ready for `json.dumps`.

    >>> json_schema()["properties"]["grpo"]["properties"]["group_size"]["minimum"]
    8
    """
    properties: dict[str, Any] = {}
    for setting in settings():
        table = properties
        if len(setting.path) == 2:
            table = properties.setdefault(setting.path[0], _component(setting.path[0]))["properties"]
        table[setting.path[-1]] = _field(setting)
    properties["metadata"] = {"title": "metadata", "description": "Custom keys.", "type": "object"}
    return {
        "$schema": DIALECT,
        "title": "acbo.toml",
        "description": _DESCRIPTION,
        "type": "object",
        "properties": properties,
        "additionalProperties": True,
    }


def _component(name: str) -> dict[str, Any]:
    doc = inspect.getdoc(component_types()[name]) or ""
    return {
        "title": name,
        "description": doc.partition("\n")[0],
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def _field(setting: Setting) -> dict[str, Any]:
    field: dict[str, Any] = {"title": setting.key, "description": setting.doc, "type": _TYPES[setting.type]}
    field |= {_KEYWORDS[kind]: bound for kind, bound in setting.bounds}
    if setting.choices:
        field["enum"] = list(setting.choices)
    return {**field, "default": setting.default}
