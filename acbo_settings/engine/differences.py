"""Where two configurations differ, and how one differs from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .canonical import KeyPath, flatten
from .schema import default_values
from .values import SourcedValue


class Difference(NamedTuple):
    """One setting that two configurations have different values for; `find_differences` makes it.

    Args:
        path: The key path of the setting.
        first: Value and origin on the first side.
        second: Value and origin on the second side.

    >>> from acbo_settings import resolve_training_config
    >>> from acbo_settings.engine.loading.layers import default_layer
    >>> longer = resolve_training_config(overrides={"total_steps": 7000}, environ={})
    >>> find_differences(default_layer(), longer.values)[0].second.value
    7000
    """

    path: KeyPath
    first: SourcedValue
    second: SourcedValue


def find_differences(
    first: Mapping[KeyPath, SourcedValue], second: Mapping[KeyPath, SourcedValue]
) -> tuple[Difference, ...]:
    """The settings that two configurations have different values for, in the order of the schema.

    Args:
        first: All settings of one side, such as `ResolvedConfig.values`.
        second: Those of the other.

    Returns:
        One entry for each setting that differs; `1` and `1.0` are the same.

    >>> from acbo_settings.engine.loading.layers import default_layer
    >>> find_differences(default_layer(), default_layer())
    ()
    """
    pairs = [Difference(path, first[path], second[path]) for path in default_values()]
    return tuple(pair for pair in pairs if pair.first.value != pair.second.value)


def changed_settings(config: Any) -> dict[KeyPath, Any]:
    """The settings of a configuration that differ from the defaults.

    Args:
        config: A `TrainingConfig`.

    Returns:
        A new dict of values by key path, in the order of the schema. A setting that somebody set to its default is
        not in it.

    >>> from acbo_settings import TrainingConfig
    >>> changed_settings(TrainingConfig(total_steps=7000))
    {('total_steps',): 7000}
    """
    return {path: value for path, value in flatten(config).items() if value != default_values()[path]}
