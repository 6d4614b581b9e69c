"""Custom keys: what values they may hold, and how they are frozen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from pyrsistent import PMap, freeze

from .canonical import thaw

MAX_DEPTH = 50
"""Tables and arrays inside one another that a custom key may hold."""

MAX_INTEGER_BITS = 14_280
"""The size of the largest integer that Python turns into text, which is one of 4,300 decimal digits."""


def find_unwritable(value: Any, depth: int = 0) -> str | None:
    """Why a value can not be kept as metadata: everything kept must have a form in TOML.

    Args:
        value: Anything.
        depth: How many tables and arrays it stands in.

    Returns:
        What is wrong, or None when text, numbers, booleans, dates and times, dicts and sequences are all there is.

    >>> find_unwritable({"seeds": [1, 2]}), find_unwritable({"note": None})
    (None, 'None has no form in TOML: leave the key out')
    """
    if depth > MAX_DEPTH:
        return f"is nested more than {MAX_DEPTH} deep"
    if isinstance(value, Mapping):
        return next(filter(None, (_find_in_item(key, item, depth) for key, item in value.items())), None)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return next(filter(None, (find_unwritable(item, depth + 1) for item in value)), None)
    return _find_in_scalar(value)


def _find_in_item(key: Any, item: Any, depth: int) -> str | None:
    if not isinstance(key, str):
        return f"a key is a {type(key).__name__}, and keys must be text"
    return _find_in_scalar(key) or find_unwritable(item, depth + 1)


def _find_in_scalar(value: Any) -> str | None:
    if value is None:
        return "None has no form in TOML: leave the key out"
    if isinstance(value, str):
        has_surrogate = any("\ud800" <= character <= "\udfff" for character in value)
        return "is not valid UTF-8" if has_surrogate else None
    if isinstance(value, int):
        return "has more than 4,300 digits" if value.bit_length() > MAX_INTEGER_BITS else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "should be a finite number"
    if isinstance(value, date | datetime | time):
        return None
    return f"a {type(value).__name__} has no form in TOML: give text, a number, a list or a dict"


def overlay(lower: dict[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """One tree laid over another, key by key.

    Args:
        lower: The tree below.
        upper: The tree that wins; a value of it replaces whatever stands there, only tables are merged.

    Returns:
        A new dict.

    >>> overlay({"a": {"x": 1}, "b": 2}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}, 'b': 2}
    """
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = overlay(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else thaw(value)
    return merged


def freeze_metadata(tree: Mapping[str, Any]) -> PMap[str, Any]:
    """A tree of plain values, deeply frozen with pyrsistent.

    Args:
        tree: Dicts, lists and values; it is not changed, and later changes of it have no effect.

    Returns:
        Maps for dicts and vectors for lists, at every depth.

    >>> freeze_metadata({"seeds": [1, 2]})["seeds"]
    pvector([1, 2])
    """
    frozen: PMap[str, Any] = freeze(thaw(tree))
    return frozen
