"""Custom metadata: what it may hold, how the tables of several sources become one, and how it is frozen to a `PMap`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from .canonical import KeyPath

if TYPE_CHECKING:
    from pyrsistent import PMap

_MOST_IN_ORDER = 1000

MAX_DEPTH = 50
"""Tables and arrays inside one another that a custom key may hold."""

MAX_VALUES = 100_000
"""Values that a custom key may hold, each use of a shared list counted."""

LARGEST_INTEGER = 10**300 - 1
"""The largest integer that is taken. Python can be set to turn no more than 640 digits into text, and a product of two
settings must still be shown."""


def find_misshapen(tree: Mapping[Any, Any]) -> tuple[KeyPath, str] | None:
    """Where the first table stands that can be no table, and what is wrong with it; or None. Values may be anything.

    >>> find_misshapen({"wandb": {1: "a", "b": None}})
    (('wandb',), 'keys must be text, not int')
    """
    waiting: list[tuple[KeyPath, Any]] = [((), tree)]
    for _ in range(MAX_VALUES):
        if not waiting:
            return None
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            if reason := _find_in_keys(value):
                return path, reason
            if len(path) > MAX_DEPTH:
                return path, f"is nested more than {MAX_DEPTH} deep"
            waiting += [((*path, key), item) for key, item in reversed(list(islice(value.items(), MAX_VALUES)))]
    return (), f"holds more than {MAX_VALUES:,} values"


def find_unwritable(tree: Mapping[Any, Any], depth: int = 0) -> tuple[KeyPath, str] | None:
    """Where the first value of a table stands that has no form in TOML, and what is wrong with it; or None.

    >>> find_unwritable({"wandb": {"note": None}})
    (('wandb', 'note'), 'None (null) has no form in TOML: leave the key out')
    """
    waiting: list[tuple[KeyPath, Any, int]] = [((), tree, depth)]
    for _ in range(MAX_VALUES):
        if not waiting:
            return None
        path, value, depth = waiting.pop()
        reason = _find_in_keys(value) if isinstance(value, Mapping) else None
        if depth > MAX_DEPTH:
            reason = f"is nested more than {MAX_DEPTH} deep"
        elif isinstance(value, Mapping):
            items = list(islice(value.items(), MAX_VALUES))
            waiting += [((*path, key), item, depth + 1) for key, item in reversed(items)]
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
            waiting += [(path, item, depth + 1) for item in reversed(list(islice(value, MAX_VALUES)))]
        else:
            reason = _find_in_scalar(value)
        if reason:
            return path, reason
    return (), f"holds more than {MAX_VALUES:,} values"


def _find_in_keys(table: Mapping[Any, Any]) -> str | None:
    for key in table:
        if not isinstance(key, str):
            return f"keys must be text, not {type(key).__name__}"
        if reason := _find_in_scalar(key):
            return f"a key {reason}"
    return None


def _find_in_scalar(value: Any) -> str | None:
    if value is None:
        return "None (null) has no form in TOML: leave the key out"
    if isinstance(value, str):
        has_surrogate = any("\ud800" <= character <= "\udfff" for character in value)
        return "is not valid UTF-8" if has_surrogate else None
    if isinstance(value, int):
        return "has more than 300 digits" if abs(value) > LARGEST_INTEGER else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "should be a finite number"
    if isinstance(value, date | time):
        return _find_in_date(value)
    return f"{type(value).__name__} has no form in TOML: give text, a number, a list or a dict"


def _find_in_date(value: date | time) -> str | None:
    if isinstance(value, time) and value.tzinfo:
        return "a time of day with an offset has no form in TOML"
    try:
        offset = value.utcoffset() if isinstance(value, datetime) else None
        next(kind for kind in (datetime, date, time) if isinstance(value, kind)).isoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):  # a class of others that has the name alone in common, such as pandas.NaT
        return f"{value} has no form in TOML"
    return "an offset with seconds has no form in TOML" if (offset or timedelta()) % timedelta(minutes=1) else None


def frozen_map(tree: Mapping[str, Any]) -> PMap[str, Any]:
    """A tree of plain values frozen at every depth, its keys in the same order in every process.

    A `PMap` orders its keys by their hashes, which differ from process to process; in a single bucket they stay as they
    came. Looking one up takes longer the more there are, so that a table of more than 1,000 keys has no order.
    """
    from pyrsistent import pmap, pvector

    def freeze(value: Any) -> Any:
        """One value, with what it holds."""
        if isinstance(value, Mapping):
            return pmap({key: freeze(item) for key, item in value.items()}, int(0 < len(value) <= _MOST_IN_ORDER))
        return pvector(map(freeze, value)) if isinstance(value, list) else value

    frozen: PMap[str, Any] = freeze(tree)
    return frozen
