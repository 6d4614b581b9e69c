"""The command `show`: the resolved configuration as TOML with origins, as JSON, or as lines for a shell."""

from __future__ import annotations

import json
import shlex
from argparse import Namespace
from collections.abc import Container, Mapping, Sequence
from typing import Any

from ..engine.canonical import KeyPath, custom_metadata, flatten, nested, plain_setting, to_dict
from ..engine.listing import aligned, changed_settings, files_line, with_origins
from ..engine.loading.texts import parse_value
from ..engine.names import variable_name
from ..engine.printable import fit
from ..engine.schema import Schema
from ..engine.toml_writer import config_lines
from .checked_job import MAX_NOTES, Configuration, resolve_and_report
from .output import NOT_VALID, SUCCESS, json_result, note, result
from .terminal import Terminal

_MAX_VARIABLE = 128 * 1024  # what Linux takes for one NAME=value with its end, MAX_ARG_STRLEN


def run(arguments: Namespace) -> int:
    """Print the configuration of `path` in a `format`, or only what is `changed`."""
    found = resolve_and_report(arguments, arguments.path)
    if not found:
        return NOT_VALID
    if arguments.format == "json":
        trees = [plain_tree(each.resolved.config, _paths(each, arguments.changed)) for each in found]
        parts = [{"part": each.title, "settings": tree} for each, tree in zip(found, trees, strict=True)]
        json_result(trees[0] if len(found) == 1 else parts)
    elif arguments.format == "env":
        return _show_variables(found, arguments.changed)
    else:
        _show_all(found, arguments.changed)
        return SUCCESS
    _note_later(found)
    return SUCCESS


def _paths(shown: Configuration, is_changed: bool) -> set[KeyPath]:
    """The settings that are shown with a value."""
    config = shown.resolved.config
    chosen = set(changed_settings(config)) if is_changed else set(Schema.of(type(config)).defaults)
    return chosen - set(shown.later)


def _note_later(found: Sequence[Configuration]) -> None:
    """Say which settings are left out; of many only how many."""
    for each in found:
        if len(each.later) > MAX_NOTES:
            note(f"note: {len(each.later)} settings are known only in the job, and are left out")
            continue
        for path, sourced in each.later.items():
            note(f"note: {'.'.join(path)} is known only in the job, from {sourced.origin}, and is left out")


def _show_variables(found: Sequence[Configuration], is_changed: bool) -> int:
    """Print lines for a shell, which can have one environment."""
    if len(found) > 1:
        titles = "; ".join(each.title for each in found)
        note(f"acbo-settings show: the parts of the job differ, and one shell cannot have them all: {titles}")
        return NOT_VALID
    config, paths = found[0].resolved.config, _paths(found[0], is_changed)
    texts = variable_texts(config, paths)
    if too_long := [name for name, text in texts.items() if len(f"{name}={text}\0".encode()) > _MAX_VARIABLE]:
        note(f"acbo-settings show: {too_long[0]} would hold more than 128 KiB, with which no program starts")
        return NOT_VALID
    for line in export_lines(texts):
        result(line)
    if custom_metadata(config) != to_dict(config).get("metadata", {}):
        note("note: dates in the metadata are text in a variable")
    for path in find_unspeakable(config, paths):
        note(f"note: no variable can hold {'.'.join(path)}: white space around a text, and an empty one, are lost")
    _note_later(found)
    return SUCCESS


def _show_all(found: Sequence[Configuration], is_changed: bool) -> None:
    """Print TOML, that of each part of a job below its name where there are several."""
    for number, each in enumerate(found):
        if len(found) > 1:
            Terminal().heading(each.title, is_first=number == 0)
        _show_toml(each, is_changed)


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


def _show_toml(shown: Configuration, is_changed: bool) -> None:
    """TOML whose comments, all in one column, say where values come from."""
    terminal, resolved = Terminal(), shown.resolved
    later = shown.later if len(shown.later) <= MAX_NOTES else {}
    lines = files_line(resolved)
    if len(shown.later) > MAX_NOTES:
        lines.append(f"# {len(shown.later)} settings are known only in the job, and are left out")
    for line in lines:
        terminal.out(fit(line, terminal.width, "# "), style="dim")
    rows = with_origins(resolved, config_lines(resolved.config, {*_paths(shown, is_changed), *later}))
    for line, comment in aligned(rows, terminal.width if terminal.is_fitted else None):
        terminal.toml(line, end="" if comment else "\n")
        if comment:
            terminal.out(comment, style="dim")
