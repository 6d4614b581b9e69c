"""The settings as data and as documents: table, variables, example file.

`acbo.toml.example` and the tables in the README are what these functions return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING
from textwrap import wrap
from typing import NamedTuple

from .engine.canonical import KeyPath, plain_setting
from .engine.names import EXTENDS, variable_name
from .engine.printable import markdown_table, show_value
from .engine.schema import Application, Schema, Setting
from .engine.toml_writer import tables_last, value_text

_SUBJECT = "The settings of an ACBO training run, each with its default."


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
        VariableReference(
            variable_name(schema, row.path), row.kind.name, row.kind.range, show_value(row.default), row.doc
        )
        for row in schema.settings.values()
    ]
    application = schema.application
    doc = f"The configuration file, or a directory with an {application.file_name}; /dev/null for none."
    found.append(VariableReference(application.file_variable, "path", "", application.file_name, doc))
    found += _run_variables(application)
    for path in filter(None, schema.sections):
        doc = f"The table [{'.'.join(path)}], or some of its keys, as a JSON object."
        doc += " A variable of a single key wins over it."
        found.append(VariableReference(variable_name(schema, path), "JSON", "", "", doc))
    doc = "Notes of your own as a JSON object; numbers and lists keep their type."
    found.append(VariableReference(variable_name(schema, ("metadata",)), "JSON", "", "", doc))
    doc = "A note of your own of any name, here <NAME>, as text. The key is in lower case."
    found.append(VariableReference(variable_name(schema, ("metadata", "<name>")), "str", "", "", doc))
    return tuple(found)


def _run_variables(application: Application) -> list[VariableReference]:
    """The variables that stand for arguments of `load_training_config` where the call does not give them."""
    types = {
        "run_dir": ("path", "", ""),
        "on_change": ("str", '"error", "keep", "replace"', '"error"'),
        "sweep": ("path", "", ""),
        "index": ("int", "≥ 0", ""),
    }
    docs = {
        "run_dir": "The directory of the run that holds the job to one configuration.",
        "on_change": "What to do when today's values are not the frozen ones of the run.",
        "may_change": "Settings, sections and keys of the metadata that may change in the run, separated by commas.",
        "sweep": "The directory of a frozen sweep, of which the job trains one point.",
        "index": "The number of that point. Without it SLURM_ARRAY_TASK_ID is, else JOB_COMPLETION_INDEX.",
    }
    return [
        VariableReference(name, *types.get(argument, ("str", "", "")), docs[argument])
        for name, argument in application.run_variables.items()
    ]


def variables_table(schema: Schema) -> str:
    """The table of all variables, in Markdown."""
    rows = [
        [f"`{row.name}`", row.type, row.range, f"`{row.default}`" if row.default else "", row.doc]
        for row in variables(schema)
    ]
    return markdown_table(["variable", "type", "range", "default", "meaning"], rows)


def settings_table(schema: Schema) -> str:
    """The table of all settings, in Markdown."""
    rows = [
        [f"`{row.key}`", row.kind.name, row.kind.range, f"`{show_value(row.default)}`", f"`{name}`"]
        for name, row in ((variable_name(schema, path), row) for path, row in schema.settings.items())
    ]
    return markdown_table(["setting", "type", "range", "default", "variable"], rows)


def example_toml(schema: Schema) -> str:
    """The file that is copied: it sets nothing, and is what `acbo.toml.example` holds."""
    copied = f"Copy this file to {schema.application.file_name} and remove the # in front of what you change."
    return _commented_file(schema, [f"{_SUBJECT} {copied} A variable wins over the file: see the README."])


def starting_toml(schema: Schema, check: str) -> str:
    """The file to begin with, which is edited where it stands; `check` is the command that judges it."""
    needed = required_keys(schema)
    lines = [
        f"{_SUBJECT} Remove the # in front of what you change."
        " A variable wins over this file: acbo-settings env lists them.",
        *([f"Without a default, and to be given: {', '.join(needed)}."] if needed else []),
        f"To check it: {check}",
    ]
    return _commented_file(schema, lines)


def required_keys(schema: Schema) -> list[str]:
    """The settings that have no default, so that each file must give them."""
    return [setting.key for setting in schema.settings.values() if setting.default is MISSING]


def _commented_file(schema: Schema, head: Sequence[str]) -> str:
    """A file that sets nothing: below its head each key is commented out, with its doc, type, range and default."""
    lines = [line for sentence in head for line in _comment(sentence)]
    lines += [
        "",
        "# A file that this one extends, or a list of files of which later ones win; relative to this file.",
        f'# {EXTENDS} = "../base.toml"',
    ]
    table: KeyPath = ()
    for setting in tables_last(schema.settings).values():
        if setting.path[:-1] != table:
            table = setting.path[:-1]
            lines += ["", f"[{'.'.join(table)}]"]
        lines += ["", *_comment(setting.doc), f"# {_kind_of(setting)}"]
        has_default = setting.default is not None and setting.default is not MISSING
        lines += [f"# {setting.path[-1]} = {value_text(plain_setting(setting.default)) if has_default else '...'}"]
    return "\n".join(lines) + "\n"


def _comment(sentence: str) -> list[str]:
    return wrap(sentence, 96, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def _kind_of(setting: Setting) -> str:
    """The type and the range of a setting, and what there is to tell of one without a default."""
    told = f"{setting.kind.name}: {setting.kind.range}".rstrip(": ")
    if setting.default is MISSING:
        return f"{told}; required: it has no default"
    return f"{told}; not set by default" if setting.default is None else told
