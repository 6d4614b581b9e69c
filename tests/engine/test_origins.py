"""Origins: how each is named, where it stands, and how layers of sourced values are merged."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import resolve_training_config
from acbo_settings.cli.show import changed_settings
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.origins import (
    Argument,
    Default,
    File,
    Layer,
    Origin,
    SourcedValue,
    Variable,
    default_layer,
    find_differences,
    merge,
)
from acbo_settings.engine.toml_document import Document, Position

from ..strategies import SCHEMA, tree_of
from ..strategies import layers as any_layers

FILE = Document("runs/17/acbo.toml", "# run 17\ntotal_steps = 7\n[grpo]\n  group_size = 4\n")

ORIGINS: list[tuple[Origin, str]] = [
    (Default(), "the default"),
    (Variable("acbo_total_steps", "7"), "acbo_total_steps"),
    (Argument("overrides"), "overrides"),
    (File(FILE), "runs/17/acbo.toml"),
    (File(FILE, ("total_steps",)), "runs/17/acbo.toml:2"),
    (File(FILE, ("grpo",)), "runs/17/acbo.toml:3"),
    (File(FILE, ("grpo", "group_size")), "runs/17/acbo.toml:4"),
    (File(FILE, exact=Position(3, 5, 9)), "runs/17/acbo.toml:3:5"),
    (File(FILE, ("grpo",), exact=Position(3, 5, 9)), "runs/17/acbo.toml:3:5"),
]


def sourced(value: int, argument: str) -> SourcedValue:
    """A value that was passed in a call."""
    return SourcedValue(value, Argument(argument))


LAYERS = st.lists(
    st.dictionaries(
        st.sampled_from([("total_steps",), ("log_frequency",), ("grpo", "group_size"), ("grpo", "clip_ratio")]),
        st.tuples(st.integers(0, 9), st.sampled_from(["config_dict", "overrides"]).map(Argument)).map(
            lambda given: SourcedValue(*given)
        ),
    ),
    max_size=5,
)


@pytest.mark.parametrize(("origin", "text"), ORIGINS)
def test_origin_as_text(origin: Origin, text: str) -> None:
    """An origin reads as people name it: a file with its line, a variable as spelled, an argument by its name."""
    assert str(origin) == text


@pytest.mark.parametrize(("origin", "text"), ORIGINS)
def test_origin_can_be_pickled(origin: Origin, text: str) -> None:
    """An origin means the same in another process, and in a copy."""
    for copied in (pickle.loads(pickle.dumps(origin)), copy.deepcopy(origin)):
        assert copied == origin
        assert hash(copied) == hash(origin)
        assert str(copied) == text


def test_origins_differ() -> None:
    """Origins of another kind, name, place or file are not equal."""
    origins = [*(origin for origin, _ in ORIGINS), Variable("overrides", ""), Argument("7"), File(Document("a", ""))]
    for place, origin in enumerate(origins):
        assert [other == origin for other in origins] == [other == place for other in range(len(origins))]


@pytest.mark.parametrize(
    ("origin", "position"),
    [
        (File(FILE), None),
        (File(FILE, ("grpo", "group_size")), Position(4, 3, 16)),
        (File(FILE, exact=Position(3, 5, 9)), Position(3, 5, 9)),
    ],
)
def test_position_of_a_file_origin(origin: File, position: Position | None) -> None:
    """A key has its position in the file, a syntax error its own, a file as a whole none."""
    assert origin.position == position


@pytest.mark.parametrize(("number", "line"), [(1, "# run 17"), (4, "  group_size = 4"), (5, ""), (6, ""), (99, "")])
def test_line_of_a_file(number: int, line: str) -> None:
    """Lines are counted from 1, come without their end, and are empty past the last one."""
    assert FILE.line(number) == line


def test_last_line_of_a_file_needs_no_end() -> None:
    """The last line is there whether a line feed follows it or not."""
    assert Document("acbo.toml", "a = 1\nb = 2").line(2) == Document("acbo.toml", "a = 1\nb = 2\n").line(2) == "b = 2"


@pytest.mark.parametrize("record", [*(origin for origin, _ in ORIGINS), FILE, SourcedValue(1, Default())])
def test_origins_are_frozen(record: Any) -> None:
    """Where a value came from can not be changed."""
    for name in ("source", "name", "text", "value", "other"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(record, name, "changed")


def test_unknown_key_has_no_position() -> None:
    """Asking a file for a key that it does not set is an error."""
    with pytest.raises(KeyError):
        FILE.position(("warmup_steps",))


def test_file_of_wrong_syntax_can_be_named() -> None:
    """A file whose text is no TOML is still an origin as a whole, since its keys are looked for only when needed."""
    broken = Document("acbo.toml", "[[[ = ")
    assert str(File(broken)) == "acbo.toml"
    assert "[[[" not in repr(broken)


def test_only_a_default_is_a_default() -> None:
    """A value that somebody set is none of the defaults, even when it equals one."""
    assert SourcedValue(5000, Default()).is_default
    for origin, _ in ORIGINS[1:]:
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


# Differences


@given(any_layers([("total_steps",), ("log_frequency",), ("grpo", "group_size"), ("rewards", "parent_weight")]))
def test_exactly_the_settings_that_differ_are_found(layer: dict[KeyPath, Any]) -> None:
    """What was given another value than the default is found, on either side, and nothing else."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        resolved = resolve_training_config(overrides=tree_of(layer), environ={})
    differing = [path for path, default in SCHEMA.defaults.items() if layer.get(path, default) != default]
    found = find_differences(default_layer(SCHEMA), resolved.values)
    assert [difference.path for difference in found] == differing
    assert changed_settings(resolved.config) == set(differing)
    other_way = find_differences(resolved.values, default_layer(SCHEMA))
    assert [(each.second, each.first) for each in found] == [(each.first, each.second) for each in other_way]


def test_a_default_written_out_is_no_difference() -> None:
    """Who sets a value, and whether as an integer, does not matter: only the value does."""
    written = resolve_training_config(overrides={"grpo": {"max_grad_norm": 1}}, environ={})
    assert find_differences(default_layer(SCHEMA), written.values) == ()
    assert changed_settings(written.config) == set()
