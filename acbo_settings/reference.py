"""The settings as data and as documents: table, variables, example file, JSON Schema.

`acbo.toml.example` and the tables in the README are what these functions return.
"""

from __future__ import annotations

import inspect
import json
from textwrap import wrap
from typing import Any, NamedTuple

from .engine.canonical import KeyPath
from .engine.schema import Schema, Setting
from .engine.text import show_value

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The draft that the JSON Schema is written in."""

_TYPES = {int: "integer", float: "number", bool: "boolean", str: "string"}
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
_DESCRIPTION = (
    "The settings of an ACBO training run. Across settings, which no schema can say: warmup_steps must be less than"
    " total_steps, final_temperature less than initial_temperature, and at least one reward weight above 0. Top-level"
    " keys are open for metadata, so a misspelt one is found by loading alone."
)


class VariableReference(NamedTuple):
    """What there is to know of one environment variable, as texts; `range` and `default` may be empty."""

    name: str
    type: str
    range: str
    default: str
    doc: str


def variables(schema: Schema) -> tuple[VariableReference, ...]:
    """Every environment variable that means something: settings in their order, the file, whole tables, metadata."""
    found = [
        VariableReference(row.variable, row.type.__name__, row.range, show_value(row.default), row.doc)
        for row in schema.settings.values()
    ]
    application = schema.application
    doc = f"The configuration file. Without it {application.file_name} in the working directory, if it exists."
    found.append(VariableReference(application.config_file, "path", "", application.file_name, doc))
    for path in filter(None, schema.sections):
        doc = f"The table [{'.'.join(path)}], or some of its keys, as a JSON object."
        doc += " A variable of a single key wins over it."
        found.append(VariableReference(schema.variable(path), "JSON", "", "", doc))
    doc = "Custom metadata as a JSON object; numbers and lists keep their type."
    found.append(VariableReference(schema.variable(("metadata",)), "JSON", "", "", doc))
    doc = "Custom metadata of any name, here <NAME>, as text. The key is in lower case."
    found.append(VariableReference(schema.variable(("metadata", "<name>")), "str", "", "", doc))
    return tuple(found)


def variables_table(schema: Schema) -> str:
    """The table of all variables, in Markdown."""
    rows = [
        f"| `{row.name}` | {row.type} | {row.range} | {f'`{row.default}`' if row.default else ''} | {row.doc} |"
        for row in variables(schema)
    ]
    head = ["| variable | type | range | default | meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def settings_table(schema: Schema) -> str:
    """The table of all settings, in Markdown."""
    rows = [
        f"| `{row.key}` | {row.type.__name__} | {row.range} | `{show_value(row.default)}` | `{row.variable}` |"
        for row in schema.settings.values()
    ]
    head = ["| setting | type | range | default | variable |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def example_toml(schema: Schema) -> str:
    """A file that sets nothing: every key commented out, with its doc, type, range and default."""
    lines = [
        "# The settings of an ACBO training run, each with its default. Copy this file to acbo.toml and",
        "# remove the # in front of what you change. A variable wins over the file: see the README.",
    ]
    table: KeyPath = ()
    for setting in schema.settings.values():
        if setting.path[:-1] != table:
            table = setting.path[:-1]
            lines += ["", f"[{'.'.join(table)}]"]
        lines += ["", *wrap(setting.doc, 96, initial_indent="# ", subsequent_indent="# ")]
        lines += [f"# {setting.type.__name__}: {setting.range}"]
        lines += [f"# {setting.path[-1]} = {show_value(setting.default)}"]
    return "\n".join(lines) + "\n"


def editor_schema(schema: Schema) -> dict[str, Any]:
    """The JSON Schema of a file, for editors: completion, documentation, and mistakes while typing."""
    document = _table(schema, ())
    document["properties"]["metadata"] = {"title": "metadata", "description": "Custom keys.", "type": "object"}
    head = {"$schema": DIALECT, "title": schema.application.file_name, "description": _DESCRIPTION}
    return head | {name: document[name] for name in ("type", "properties")} | {"additionalProperties": True}


def _table(schema: Schema, path: KeyPath) -> dict[str, Any]:
    """The JSON Schema of one section; an unknown key in it is a mistake."""
    doc = inspect.getdoc(schema.sections[path]) or ""
    settings = {key[-1]: _field(setting) for key, setting in schema.settings.items() if key[:-1] == path}
    tables = {table[-1]: _table(schema, table) for table in schema.sections if table and table[:-1] == path}
    return {
        "title": ".".join(path),
        "description": doc.partition("\n")[0],
        "type": "object",
        "properties": settings | tables,
        "additionalProperties": False,
    }


def _field(setting: Setting) -> dict[str, Any]:
    field: dict[str, Any] = {"title": setting.key, "description": setting.doc, "type": _TYPES[setting.type]}
    field |= {_KEYWORDS[kind]: bound for kind, bound in setting.bounds}
    if setting.choices:
        field["enum"] = list(setting.choices)
    return {**field, "default": setting.default}


def editor_schema_text(schema: Schema) -> str:
    """The JSON Schema as a file holds it."""
    return json.dumps(editor_schema(schema), indent=2, ensure_ascii=False) + "\n"
