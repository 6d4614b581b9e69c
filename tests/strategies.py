"""Valid values for every setting, and layers of them, for the properties."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from acbo_settings import TrainingConfig
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.names import variable_name
from acbo_settings.engine.schema import Schema, Setting

SCHEMA = Schema.of(TrainingConfig)
SETTINGS = SCHEMA.settings

# Ranges in which the rules across settings hold, whatever the other settings are.
HARMLESS: dict[KeyPath, st.SearchStrategy[Any]] = {
    ("total_steps",): st.integers(1000, 10**9),
    ("warmup_steps",): st.integers(0, 999),
    ("rewards", "optimization_weight"): st.floats(0.1, 10),
    ("exploration", "initial_temperature"): st.floats(2, 100),
    ("exploration", "final_temperature"): st.floats(0.01, 1.9),
}


def values_of(setting: Setting) -> st.SearchStrategy[Any]:
    """Any value that the setting allows, and that keeps the rules."""
    if setting.path in HARMLESS:
        return HARMLESS[setting.path]
    if setting.kind.choices:
        return st.sampled_from(setting.kind.choices)
    if setting.kind.type is bool:
        return st.booleans()
    bounds = dict(setting.kind.bounds)
    low, high = bounds.get("ge", bounds.get("gt", 0)), bounds.get("le", 10**6)
    if setting.kind.type is int:
        return st.integers(int(low), int(high))
    return st.floats(low, high, exclude_min="gt" in bounds).map(lambda value: value + 0.0)


def layers(paths: Sequence[KeyPath] = ()) -> st.SearchStrategy[dict[KeyPath, Any]]:
    """Any subset of the settings, each with a valid value."""
    chosen = {path: values_of(SETTINGS[path]) for path in paths or list(SETTINGS)}
    return st.fixed_dictionaries({}, optional=chosen)


def tree_of(layer: dict[KeyPath, Any]) -> dict[str, Any]:
    """A layer as nested dicts."""
    tree: dict[str, Any] = {}
    for path, value in layer.items():
        table = tree
        for part in path[:-1]:
            table = table.setdefault(part, {})
        table[path[-1]] = value
    return tree


def variables_of(layer: dict[KeyPath, Any]) -> dict[str, str]:
    """A layer as environment variables, one for each value."""
    return {variable_name(SCHEMA, path): text_of(value) for path, value in layer.items()}


def table_variables_of(layer: dict[KeyPath, Any]) -> dict[str, str]:
    """A layer as environment variables that hold a whole table; only components have one."""
    return {variable_name(SCHEMA, (name,)): json.dumps(table) for name, table in tree_of(layer).items()}


def text_of(value: object) -> str:
    """A value as one would write it into a variable."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def inside_and_outside(setting: Setting, kind: str, bound: float) -> tuple[Any, Any]:
    """The last value inside of a bound, and the first outside."""
    if setting.kind.type is int:
        step = -1 if kind == "ge" else 1
        return int(bound), int(bound) + step
    away = -math.inf if kind in ("ge", "gt") else math.inf
    if kind == "gt":
        return math.nextafter(bound, math.inf), float(bound)
    return float(bound), math.nextafter(bound, away)
