"""The key paths of the 36 settings with their defaults, and the components they stand in, derived from the schema."""

from __future__ import annotations

from dataclasses import is_dataclass
from functools import cache

from ..config import TrainingConfig
from .canonical import KeyPath, fields_of, flatten


@cache
def default_values() -> dict[KeyPath, object]:
    """The default of each of the 36 settings by its key path, in the order of the schema.

    Returns:
        One dict for the whole process: do not change it.

    >>> default_values()["grpo", "group_size"]
    64
    """
    return flatten(TrainingConfig())


@cache
def component_types() -> dict[str, type]:
    """The four tables of a configuration, by name.

    Returns:
        One dict for the whole process, from `"grpo"` and so on to the dataclass: do not change it.

    >>> component_types()["grpo"].__name__
    'GRPOTrainingConfig'
    """
    return {name: type(value) for name, value in fields_of(TrainingConfig()).items() if is_dataclass(value)}
