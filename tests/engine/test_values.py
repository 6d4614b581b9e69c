"""Values with their origins: what they shadow, and how layers of them are merged."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.origins import Argument, Default, Origin, Variable
from acbo_settings.engine.values import Layer, SourcedValue, merge

LAYERS = st.lists(
    st.dictionaries(
        st.sampled_from([("total_steps",), ("log_frequency",), ("grpo", "group_size"), ("grpo", "clip_ratio")]),
        st.tuples(st.integers(0, 9), st.sampled_from(["config_dict", "overrides"]).map(Argument)).map(
            lambda given: SourcedValue(*given)
        ),
    ),
    max_size=5,
)


def test_only_a_default_is_a_default() -> None:
    """A value that somebody set is none of the defaults, even when it equals one."""
    assert SourcedValue(5000, Default()).is_default
    for origin in (Variable("ACBO_TOTAL_STEPS", "5000"), Argument("overrides")):
        assert not SourcedValue(5000, origin, over=SourcedValue(5000, Default())).is_default


def test_shadowed_values_come_nearest_first() -> None:
    """A value lists what it shadows from the nearest layer down to the default."""
    default = SourcedValue(64, Default())
    variable = SourcedValue(32, Variable("ACBO_GRPO__GROUP_SIZE", "32"), over=default)
    top = SourcedValue(128, Argument("overrides"), over=variable)
    assert top.shadowed == (variable, default)
    assert default.shadowed == ()


def expected_chain(layers: list[dict[KeyPath, SourcedValue]], path: KeyPath) -> list[tuple[Any, Origin]]:
    """The values of a key and their origins, the highest layer first."""
    return [(layer[path].value, layer[path].origin) for layer in reversed(layers) if path in layer]


@given(LAYERS)
def test_last_layer_wins_and_shadows_the_others(layers: list[dict[KeyPath, SourcedValue]]) -> None:
    """A key has the value of the last layer that sets it, over those of all others that do, in their order."""
    merged = merge(layers)
    assert set(merged) == {path for layer in layers for path in layer}
    for path, sourced in merged.items():
        chain = [(value.value, value.origin) for value in (sourced, *sourced.shadowed)]
        assert chain == expected_chain(layers, path)


@given(LAYERS)
def test_merge_changes_no_layer(layers: list[dict[KeyPath, SourcedValue]]) -> None:
    """The layers are the same afterwards, and the result is a dict of its own."""
    before = copy.deepcopy(layers)
    merge(layers)[("new",)] = SourcedValue(1, Default())
    assert layers == before


@given(LAYERS)
def test_merged_keys_keep_their_order(layers: list[dict[KeyPath, SourcedValue]]) -> None:
    """Keys come in the order in which the layers name them first."""
    assert list(merge(layers)) == list(dict.fromkeys(path for layer in layers for path in layer))


def test_merge_takes_any_iterable() -> None:
    """Layers can be given one by one, and none at all give no values."""
    layer: Layer = {("a",): SourcedValue(1, Default())}
    assert merge(iter([])) == {}
    assert merge(iter([layer])) == layer
