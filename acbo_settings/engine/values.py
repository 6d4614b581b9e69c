"""A value with its origin, and layers of such values laid over one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from functools import cache
from typing import Any

from . import Record, public
from .canonical import KeyPath
from .origins import Default, Origin
from .printable import show_value
from .schema import Schema

_set = object.__setattr__
_MAX_DEPTH = 50


@public
class SourcedValue(Record):
    """A value, where it came from, and the value of a lower layer that it shadows.

    Args:
        value: The value as the layer gave it.
        origin: The layer's place: default, file, variable or argument.
        over: What would be in force without it, or None.

    >>> from acbo_settings import Default, Variable
    >>> sourced = SourcedValue(128, Variable("LAB_GROUP_SIZE", "128"), over=SourcedValue(64, Default()))
    >>> [value.value for value in sourced.shadowed]
    [64]
    """

    __slots__ = ("value", "origin", "over")
    __match_args__ = ("value", "origin", "over")
    value: Any
    origin: Origin
    over: SourcedValue | None

    def __init__(self, value: Any, origin: Origin, over: SourcedValue | None = None) -> None:
        # Without `_fill`, because this is called for every value of every layer.
        _set(self, "value", value)
        _set(self, "origin", origin)
        _set(self, "over", over)

    def __reduce__(self) -> tuple[Any, ...]:
        """A value that another process may not know is pickled as the text that reports show for it.

        What it shadows is pickled as a list, because thousands of texts can give one setting.
        """
        chain = [{"value": _portable(each.value, {}), "origin": each.origin} for each in (self, *self.shadowed)]
        return self._from_fields, ({**chain[0], "over": chain[1:]},)

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> SourcedValue:
        over = fields.get("over")
        if isinstance(over, list):
            below: SourcedValue | None = None
            for each in reversed(over):
                below = cls(**each, over=below)
            over = below
        return cls(**{**fields, "over": over})

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SourcedValue):
            return NotImplemented
        return self._chain() == other._chain()

    def __hash__(self) -> int:
        return hash(tuple(self._chain()))

    def __repr__(self) -> str:
        chain = [f"SourcedValue(value={value!r}, origin={origin!r}, over=" for value, origin in self._chain()]
        return f"{''.join(chain)}None{')' * len(chain)}"

    def _chain(self) -> list[tuple[Any, Origin]]:
        return [(each.value, each.origin) for each in (self, *self.shadowed)]

    @property
    def is_default(self) -> bool:
        """Whether nobody set the value."""
        return self.origin.kind == Default.kind

    @property
    def shadowed(self) -> tuple[SourcedValue, ...]:
        """The values that this one shadows, the nearest layer first, the default last."""
        found, below = [], self.over
        while below is not None:  # not by recursion: thousands of texts can give one setting
            found.append(below)
            below = below.over
        return tuple(found)


def _portable(value: Any, made: dict[int, Any], depth: int = 0) -> Any:
    """Plain data as it is, anything else as text; a list that stands there again and again is made once."""
    from datetime import date, datetime, time, timezone
    from pathlib import PurePath

    if value is None or type(value) in (str, int, float, bool) or isinstance(value, PurePath):
        return value
    if type(value) in (list, tuple, dict) and depth < _MAX_DEPTH:
        if id(value) not in made:
            parts = [_portable(part, made, depth + 1) for part in value]
            items = [_portable(item, made, depth + 1) for item in value.values()] if type(value) is dict else []
            made[id(value)] = dict(zip(parts, items, strict=True)) if type(value) is dict else type(value)(parts)
        return made[id(value)]
    if type(value) in (date, datetime, time) and type(getattr(value, "tzinfo", None)) in (type(None), timezone):
        return value
    return show_value(value)


Layer = Mapping[KeyPath, SourcedValue]
"""The settings of one source by key path."""


@cache
def default_layer(schema: Schema) -> Layer:
    """The defaults of all settings, as a layer."""
    return {path: SourcedValue(value, Default()) for path, value in schema.defaults.items() if value is not MISSING}


def merge_notes(layers: Iterable[Layer]) -> dict[KeyPath, SourcedValue]:
    """Lay the custom keys of layers over one another, each leaf of a table by its own.

    Only tables are merged: any other value replaces what stands there, and a table replaces any other value.
    """
    tree: dict[str, Any] = {}
    for layer in layers:
        for path, sourced in layer.items():
            _lay_note(tree, path, sourced)
    return dict(_notes_of(tree, ()))


def _lay_note(tree: dict[str, Any], path: KeyPath, sourced: SourcedValue) -> None:
    for name in path[:-1]:
        below = tree.get(name)
        if not isinstance(below, dict):
            below = tree[name] = {}
        tree = below
    below = tree.get(path[-1])
    if not (isinstance(below, dict) and isinstance(sourced.value, Mapping)):  # an empty table adds nothing to one
        tree[path[-1]] = sourced.replace(over=None if isinstance(below, dict) else below)


def _notes_of(tree: Mapping[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, SourcedValue]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _notes_of(value, (*above, name))
        else:
            yield (*above, name), value


def merge(layers: Iterable[Layer]) -> dict[KeyPath, SourcedValue]:
    """Lay layers over one another, lowest first, key by key; a later one wins and keeps what it shadows."""
    merged: dict[KeyPath, SourcedValue] = {}
    for layer in layers:
        if not merged:
            merged.update(layer)
            continue
        for path, sourced in layer.items():
            below = merged.get(path)
            merged[path] = SourcedValue(sourced.value, sourced.origin, below) if below else sourced
    return merged
