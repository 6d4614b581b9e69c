"""Which keys of one source are settings, which are custom, and which are mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any, NamedTuple

from pyrsistent import PMap

from ..canonical import KeyPath
from ..errors import MAX_PROBLEMS, Problem
from ..schema import component_types, default_values
from ..spelling import closest_setting, near_miss, setting_called_elsewhere
from ..values import Origin, SourcedValue, Variable
from .environment import variable_name
from .metadata import find_unwritable


class Source(NamedTuple):
    """What one source holds, as it was read.

    Args:
        tree: The nested keys and values.
        origin_of: Where the value at a key path of the tree came from.
        is_call: Whether it was passed to `create_training_config`, where a component's field at the top level is
            kept with a warning; from anywhere else it is an error.

    >>> from acbo_settings.engine.values import Argument
    >>> sort_keys(Source({"total_steps": 7}, lambda path: Argument("overrides"))).settings["total_steps",].value
    7
    """

    tree: Mapping[str, Any]
    origin_of: Callable[[KeyPath], Origin]
    is_call: bool = False


class SortedKeys:
    """The keys of one source, sorted; `sort_keys` makes it.

    Attributes:
        settings: The settings among them, by key path, not validated yet.
        custom: Custom keys and the contents of `metadata`, each by the key path that it has in the metadata.
        problems: Keys that do not exist, and what is no table or no metadata.
        advice: Keys that were kept but are probably misplaced.

    >>> SortedKeys().problems
    []
    """

    def __init__(self) -> None:
        self.settings: dict[KeyPath, SourcedValue] = {}
        self.custom: dict[KeyPath, SourcedValue] = {}
        self.problems: list[Problem] = []
        self.advice: list[Problem] = []


def sort_keys(source: Source) -> SortedKeys:
    """Tell the settings of a source from its custom keys and from its mistakes.

    Args:
        source: What was read.

    Returns:
        Every key of the source in one of four places.

    >>> from acbo_settings.engine.values import Argument
    >>> found = sort_keys(Source({"gpro": {"group_size": 128}}, lambda path: Argument("overrides")))
    >>> found.problems[0].hint.split("?")[0]
    'did you mean grpo'
    """
    found = SortedKeys()
    for key, value in source.tree.items():
        path = (_text_of(key),)
        if not isinstance(key, str):
            found.problems.append(_problem(source, path, value, "keys must be text", at_key=True))
        elif path in default_values():
            found.settings[path] = SourcedValue(value, source.origin_of(path))
        elif path[0] not in component_types() and path[0] != "metadata":
            _sort_custom_key(source, path, value, found)
        elif not isinstance(value, Mapping):
            hint = "dataclasses.asdict gives one" if is_dataclass(value) else ""
            found.problems.append(_problem(source, path, value, "Input should be a table", hint))
        elif path[0] == "metadata":
            _sort_metadata(source, value, found)
        else:
            _sort_component(source, path[0], value, found)
    return found


def _text_of(key: Any) -> str:
    """A key as plain text; of one that is no text, what tells it best."""
    if isinstance(key, str):
        return str.__str__(key)
    return str(key) if type(key) is int and key.bit_length() < 64 else f"<{type(key).__name__}>"


def _sort_component(source: Source, component: str, table: Mapping[Any, Any], found: SortedKeys) -> None:
    for name, value in table.items():
        path = (component, _text_of(name))
        if path in default_values():
            found.settings[path] = SourcedValue(value, source.origin_of(path))
        else:
            meant = closest_setting(path[1], component) if len(found.problems) < MAX_PROBLEMS else None
            message = "no such setting" if isinstance(name, str) else "keys must be text"
            found.problems.append(_problem(source, path, value, message, _did_you_mean(meant), at_key=True))


def _sort_custom_key(source: Source, path: KeyPath, value: Any, found: SortedKeys) -> None:
    """A top-level key that is no setting: the user's own, or a mistake."""
    meant = near_miss(path[0])
    is_field = meant is not None and len(meant) == 2 and meant[-1] == path[0]
    if meant and not (is_field and source.is_call):
        hint = _did_you_mean(meant) + ("" if is_field else " (a custom key of such a name can go into metadata)")
        if tuple(path[0].split(".")) == meant:
            hint = f"nest it: {meant[1]} inside {meant[0]}"
        found.problems.append(_problem(source, path, value, "no such setting", hint, at_key=True))
        return
    _keep(source, path, value, found)
    if meant:
        message = f"is kept as metadata and has no effect: {meant[-1]} belongs to {meant[0]}"
        found.advice.append(_problem(source, path, value, message, _did_you_mean(meant), at_key=True))
    elif lost := _settings_inside(value):
        message = f"is kept as metadata, so that {lost} in it has no effect"
        found.advice.append(_problem(source, path, value, message, at_key=True))
    elif meant := setting_called_elsewhere(path[0]):
        message = "is kept as metadata and has no effect"
        found.advice.append(_problem(source, path, value, message, _did_you_mean(meant), at_key=True))


def _settings_inside(value: object) -> str | None:
    """A setting or component that stands in a table of the user's own, where it would not be looked for."""
    names = {path[0] for path in default_values()}
    return next((key for key in value if key in names), None) if isinstance(value, Mapping) else None


def _sort_metadata(source: Source, table: Mapping[Any, Any], found: SortedKeys) -> None:
    for name, value in table.items():
        if isinstance(table, PMap) and name in source.tree:
            continue  # a configuration's own metadata records settings, and here the settings themselves are given too
        path = ("metadata", _text_of(name))
        meant = path[1:]
        if meant in default_values() or meant[0] in component_types():
            message = f"{meant[0]} is a setting, and has no effect inside metadata"
            found.problems.append(_problem(source, path, value, message, _way_to(meant, source, path), at_key=True))
        else:
            _keep(source, path, value, found, name)


def _way_to(setting: KeyPath, source: Source, path: KeyPath) -> str:
    """How to set a setting that was found inside metadata."""
    if isinstance(source.origin_of(path), Variable):
        return f"did you mean {variable_name(setting)}?"
    return "put it at the top level, above the first table" if setting in default_values() else ""


def _keep(source: Source, path: KeyPath, value: Any, found: SortedKeys, key: Any = "") -> None:
    """Keep a custom value, if it can be written down and its name is not taken."""
    name = path[-1]
    kept = ("metadata", name)
    if not isinstance(key, str):
        found.problems.append(_problem(source, path, value, "keys must be text", at_key=True))
    elif kept in found.custom:
        message = "is set both at the top level and in metadata"
        found.problems.append(_problem(source, path, value, message, at_key=True))
    elif unwritable := find_unwritable({name: value}):
        where, reason = unwritable
        found.problems.append(_problem(source, (*path, *map(_text_of, where[1:])), value, reason))
    else:
        found.custom[kept] = SourcedValue(value, source.origin_of(path))


def _did_you_mean(meant: KeyPath | None) -> str:
    return f"did you mean {'.'.join(meant)}?" if meant else ""


def _problem(source: Source, path: KeyPath, value: Any, message: str, hint: str = "", at_key: bool = False) -> Problem:
    values = ((path, SourcedValue(value, source.origin_of(path))),)
    return Problem(path=path, message=message, values=values, hint=hint, at_key=at_key)
