"""The command `show`: the resolved configuration as TOML with origins, as JSON, or as lines for a shell."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from collections.abc import Container, Mapping
from typing import Any

from ..engine.canonical import KeyPath, custom_metadata, flatten, nested, plain_setting, to_dict
from ..engine.loading.texts import parse_value
from ..engine.names import variable_name
from ..engine.printable import escape, fit
from ..engine.report import explain_origin
from ..engine.schema import Schema
from ..engine.toml_writer import config_lines
from ..engine.values import SourcedValue
from .checked_file import resolve_and_report
from .output import NOT_VALID, SUCCESS, json_result, note, result
from .terminal import Terminal

_MAX_VARIABLE = 128 * 1024  # what Linux takes for one NAME=value with its end, MAX_ARG_STRLEN


def run(arguments: Namespace) -> int:
    """Print the configuration of `path` in a `format`, or only what is `changed`."""
    checked = resolve_and_report(arguments.schema, arguments.path, settings=arguments.settings)
    resolved = checked.resolved
    if resolved is None:
        return NOT_VALID
    paths = changed_settings(resolved.config) if arguments.changed else set(arguments.schema.defaults)
    if arguments.format == "json":
        json_result(plain_tree(resolved.config, paths))
    elif arguments.format == "env":
        texts = variable_texts(resolved.config, paths)
        if too_long := [name for name, text in texts.items() if len(f"{name}={text}\0".encode()) > _MAX_VARIABLE]:
            note(f"acbo-settings show: {too_long[0]} would hold more than 128 KiB, with which no program starts")
            return NOT_VALID
        for line in export_lines(texts):
            result(line)
        if custom_metadata(resolved.config) != to_dict(resolved.config).get("metadata", {}):
            note("note: dates in the metadata are text in a variable")
        for path in find_unspeakable(resolved.config, paths):
            note(f"note: no variable can hold {'.'.join(path)}: white space around a text, and an empty one, are lost")
    else:
        if len(checked.files) > 1:
            Terminal().out(f"# files, later ones over earlier ones: {escape(', '.join(checked.files))}")
        _show_toml(resolved.config, {**resolved.values, **resolved.custom}, paths)
    return SUCCESS


def changed_settings(config: object) -> set[KeyPath]:
    """The settings that differ from the defaults; one that somebody set to its default does not."""
    return {path for path, value in flatten(config).items() if value != Schema.of(type(config)).defaults[path]}


def plain_tree(config: object, paths: Container[KeyPath]) -> dict[str, Any]:
    """Some settings as plain data for JSON, without empty tables, and the custom metadata."""
    tree = nested({path: plain_setting(value) for path, value in flatten(config).items() if path in paths})
    custom = to_dict(config).get("metadata")
    return {**tree, "metadata": custom} if custom else tree


def export_lines(texts: Mapping[str, str]) -> list[str]:
    """Lines for a POSIX shell that set variables."""
    return [f"export {name}={shlex.quote(text)}" for name, text in texts.items()]


def variable_texts(config: object, paths: Container[KeyPath]) -> dict[str, str]:
    """The variables which reproduce some settings, and the custom metadata as JSON."""
    texts = {path: _text_of(value) for path, value in flatten(config).items() if path in paths}
    if custom := to_dict(config).get("metadata"):
        texts["metadata",] = json.dumps(custom)
    return {variable_name(Schema.of(type(config)), path): text for path, text in texts.items()}


def find_unspeakable(config: object, paths: Container[KeyPath]) -> list[KeyPath]:
    """The settings whose values a variable would give otherwise."""
    schema = Schema.of(type(config))
    values = {path: value for path, value in flatten(config).items() if path in paths}
    return [
        path
        for path, value in values.items()
        if parse_value(_text_of(value), schema.setting(path).kind) != plain_setting(value) or value == ""
    ]


def _text_of(value: object) -> str:
    """The text of a variable that gives a value: a tuple as JSON, and nothing for what is not set."""
    if isinstance(value, bool | tuple):
        return json.dumps(plain_setting(value))
    return "" if value is None else str(value)


def _show_toml(config: object, values: Mapping[KeyPath, SourcedValue], paths: Container[KeyPath]) -> None:
    """TOML whose comments say where values come from: behind them, or above where the line would be too long."""
    terminal = Terminal()
    lines = config_lines(config, paths)
    for path, line in lines[1:] if lines and not lines[0][1] else lines:
        sourced = values.get(path) if path else None
        comment = "" if sourced is None or sourced.is_default else f"# {explain_origin(sourced)}"
        if len(line) + len(comment) + 2 > terminal.width:
            terminal.out(fit(comment, terminal.width, "# "), style="dim")
            comment = ""
        terminal.toml(line, end="  " if comment else "\n")
        if comment:
            terminal.out(comment, style="dim")
