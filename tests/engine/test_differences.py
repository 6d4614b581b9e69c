from __future__ import annotations

import warnings
from typing import Any

from hypothesis import given

from acbo_settings import resolve_training_config
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.differences import changed_settings, find_differences
from acbo_settings.engine.loading.layers import default_layer
from acbo_settings.engine.schema import default_values

from ..strategies import layers, tree_of


@given(layers([("total_steps",), ("log_frequency",), ("grpo", "group_size"), ("rewards", "parent_weight")]))
def test_exactly_the_settings_that_differ_are_found(layer: dict[KeyPath, Any]) -> None:
    """What was given another value than the default is found, on either side, and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resolved = resolve_training_config(overrides=tree_of(layer), environ={})
    differing = [path for path, default in default_values().items() if layer.get(path, default) != default]
    found = find_differences(default_layer(), resolved.values)
    assert [difference.path for difference in found] == differing == list(changed_settings(resolved.config))
    assert [(there, here) for _, here, there in found] == [
        (first, second) for _, first, second in find_differences(resolved.values, default_layer())
    ]


def test_a_default_written_out_is_no_difference() -> None:
    """Who sets a value, and whether as an integer, does not matter: only the value does."""
    written = resolve_training_config(overrides={"grpo": {"max_grad_norm": 1}}, environ={})
    assert find_differences(default_layer(), written.values) == ()
    assert changed_settings(written.config) == {}
