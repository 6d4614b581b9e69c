"""Which keys of one source are settings, which are custom, and which are mistakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .canonical import KeyPath
from .errors import Problem
from .metadata import find_unwritable
from .origins import Origin, SourcedValue
from .paths import component_types, default_values
from .suggestions import closest_setting, near_miss


@dataclass(frozen=True, slots=True)
class Source:
    """What one source holds, as it was read.

    Args:
        tree: The nested keys and values.
        origin_of: Where the value at a key path of the tree came from.
        is_call: Whether it was passed to `create_training_config`, where a component's field at the top level is
            kept with a warning; from anywhere else it is an error.

    >>> from acbo_settings.origins import Argument
    >>> sort_keys(Source({"total_steps": 7}, lambda path: Argument("overrides"))).settings["total_steps",].value
    7
    """

    tree: Mapping[str, Any]
    origin_of: Callable[[KeyPath], Origin]
    is_call: bool = False


@dataclass(slots=True)
class SortedKeys:
    """The keys of one source, sorted; `sort_keys` makes it.

    >>> SortedKeys().problems
    []
    """

    settings: dict[KeyPath, SourcedValue] = field(default_factory=dict)
    """The settings among them, by key path, not validated yet."""

    custom: dict[str, Any] = field(default_factory=dict)
    """Custom keys and the contents of `metadata`."""

    problems: list[Problem] = field(default_factory=list)
    """Keys that do not exist, and what is no table or no metadata."""

    advice: list[Problem] = field(default_factory=list)
    """Keys that were kept but are probably misplaced."""


def sort_keys(source: Source) -> SortedKeys:
    """Tell the settings of a source from its custom keys and from its mistakes.

    Args:
        source: What was read.

    Returns:
        Every key of the source in one of four places.

    >>> from acbo_settings.origins import Argument
    >>> found = sort_keys(Source({"gpro": {"group_size": 128}}, lambda path: Argument("overrides")))
    >>> found.problems[0].hint
    'did you mean grpo?'
    """
    found = SortedKeys()
    for key, value in source.tree.items():
        path = (key,)
        if not isinstance(key, str):
            path = (str(key),)
            found.problems.append(_problem(source, path, value, "keys must be text", at_key=True))
        elif path in default_values():
            found.settings[path] = SourcedValue(value, source.origin_of(path))
        elif key not in component_types() and key != "metadata":
            _sort_custom_key(source, path, value, found)
        elif not isinstance(value, Mapping):
            found.problems.append(_problem(source, path, value, "Input should be a table"))
        elif key == "metadata":
            _sort_metadata(source, value, found)
        else:
            _sort_component(source, key, value, found)
    return found


def _sort_component(source: Source, component: str, table: Mapping[Any, Any], found: SortedKeys) -> None:
    for name, value in table.items():
        path = (component, str(name))
        if path in default_values():
            found.settings[path] = SourcedValue(value, source.origin_of(path))
        else:
            meant = closest_setting(str(name), component)
            found.problems.append(_problem(source, path, value, "no such setting", meant, at_key=True))


def _sort_custom_key(source: Source, path: KeyPath, value: Any, found: SortedKeys) -> None:
    """A top-level key that is no setting: the user's own, or a mistake."""
    meant = near_miss(path[0])
    if meant and len(meant) == 2 and meant[-1] == path[0] and source.is_call:
        message = f"is kept as metadata and has no effect: {meant[-1]} belongs to {meant[0]}"
        found.advice.append(_problem(source, path, value, message, meant, at_key=True))
    elif meant:
        found.problems.append(_problem(source, path, value, "no such setting", meant, at_key=True))
        return
    _keep(source, path, value, found)


def _sort_metadata(source: Source, table: Mapping[Any, Any], found: SortedKeys) -> None:
    for name, value in _custom_items(table):
        path = ("metadata", str(name))
        meant = (str(name),)
        if meant in default_values() or name in component_types():
            message = f"{name} is a setting, and has no effect inside metadata"
            hint = "put it at the top level, above the first table" if meant in default_values() else ""
            found.problems.append(_problem(source, path, value, message, hint=hint, at_key=True))
        elif name in found.custom:
            found.problems.append(_problem(source, path, value, "is set at the top level too", at_key=True))
        else:
            _keep(source, path, value, found)


def _custom_items(table: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """The items of a metadata table. A frozen one is a configuration's own, and records its settings too: not those."""
    from pyrsistent import PMap

    for name, value in table.items():
        if not isinstance(table, PMap) or (name not in component_types() and (name,) not in default_values()):
            yield name, value


def _keep(source: Source, path: KeyPath, value: Any, found: SortedKeys) -> None:
    """Keep a custom value, if it can be written down."""
    reason = find_unwritable({path[-1]: value})
    if reason:
        found.problems.append(_problem(source, path, value, reason))
    else:
        found.custom[path[-1]] = value


def _problem(
    source: Source,
    path: KeyPath,
    value: Any,
    message: str,
    meant: KeyPath | None = None,
    hint: str = "",
    at_key: bool = False,
) -> Problem:
    hint = f"did you mean {'.'.join(meant)}?" if meant else hint
    values = ((path, SourcedValue(value, source.origin_of(path))),)
    return Problem(path=path, message=message, values=values, hint=hint, at_key=at_key)
