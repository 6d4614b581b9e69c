"""The settings in which two configurations differ, and how a notebook shows them."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import pytest
from hypothesis import given

from acbo_settings import create_default_training_config, find_differences, resolve_training_config
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.differences import Differences
from acbo_settings.engine.listing import changed_settings
from acbo_settings.engine.values import default_layer

from ..strategies import SCHEMA, layers, tree_of


@given(layers([("total_steps",), ("log_frequency",), ("grpo", "group_size"), ("rewards", "parent_weight")]))
def test_exactly_the_settings_that_differ_are_found(layer: dict[KeyPath, Any]) -> None:
    """What was given another value than the default is found, on either side, and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resolved = resolve_training_config(overrides=tree_of(layer), environ={})
    differing = [path for path, default in SCHEMA.defaults.items() if layer.get(path, default) != default]
    found = find_differences(default_layer(SCHEMA), resolved.values)
    assert [difference.path for difference in found] == differing
    assert set(changed_settings(resolved.config)) == set(differing)
    other_way = find_differences(resolved.values, default_layer(SCHEMA))
    assert [(each.second, each.first) for each in found] == [(each.first, each.second) for each in other_way]


def test_a_default_written_out_is_no_difference() -> None:
    """Who sets a value, and whether as an integer, does not matter: only the value does."""
    written = resolve_training_config(overrides={"grpo": {"max_grad_norm": 1}}, environ={})
    assert find_differences(default_layer(SCHEMA), written.values) == ()
    assert changed_settings(written.config) == {}


def test_configurations_are_no_values() -> None:
    """What is compared has origins: who gives configurations is told where these are."""
    config = create_default_training_config()
    with pytest.raises(TypeError, match=r"such as resolve_training_config\(\)\.values"):
        find_differences(config, default_layer(SCHEMA))  # type: ignore[arg-type]


def test_differences_are_a_tuple() -> None:
    """It can be pickled, compared and sliced as any, and a notebook shows a table."""
    first = resolve_training_config(overrides=["total_steps=7000"], environ={})
    found = find_differences(first.values, default_layer(SCHEMA))
    assert pickle.loads(pickle.dumps(found)) == found
    assert isinstance(found, Differences)
    assert "7000" in found._repr_html_()
