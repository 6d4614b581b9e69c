"""Metadata: which custom values can be kept, how trees of them are laid over one another, and that they are frozen."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrsistent import PMap, PVector, pmap, pvector

from acbo_settings.engine import canonical
from acbo_settings.engine.canonical import plain
from acbo_settings.engine.metadata import MAX_DEPTH, MAX_VALUES, find_unwritable, frozen_map
from acbo_settings.engine.origins import Argument
from acbo_settings.engine.values import SourcedValue, merge_notes

NO_FORM = "has no form in TOML: give text, a number, a list or a dict"

PLACES: list[tuple[Callable[[Any], dict[str, Any]], tuple[str, ...]]] = [
    (lambda value: {"key": value}, ("key",)),
    (lambda value: {"x": 1, "key": [0, value], "y": 1}, ("key",)),
    (lambda value: {"key": [{"a": {}, "b": value}]}, ("key", "b")),
]
"""Trees around a value, with the path of the key that holds it."""

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers() | st.text("aä\n", max_size=3),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text("abcd", max_size=1), values, max_size=3),
    max_leaves=8,
)
TREES = st.dictionaries(st.text("abcd", max_size=1), VALUES, max_size=4)
"""Trees of plain values whose keys often meet."""


def trees_of_one_shape(depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """Trees in which a lower-case key always holds a value and an upper-case key always a table."""
    values = st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), max_size=3)
    if depth == 0:
        return values
    tables = st.dictionaries(st.sampled_from("XY"), trees_of_one_shape(depth - 1), max_size=2)
    return st.builds(lambda some, others: {**some, **others}, values, tables)


def nested(depth: int) -> dict[str, Any]:
    """A tree of so many lists and dicts, one in another by turns."""
    value: Any = 1
    for level in range(depth):
        value = {"a": value} if (depth - level) % 2 else [value]
    return {"a": value}


def leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """The values of a tree by key path; a dict without keys is a value too."""
    flat: dict[tuple[str, ...], Any] = {}
    for key, value in tree.items():
        flat |= leaves(value, (*above, key)) if isinstance(value, dict) and value else {(*above, key): value}
    return flat


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "",
        "ä\N{GAME DIE}\n\0",
        True,
        0,
        -(10**18),
        1.5,
        -0.0,
        5e-324,
        date(2026, 1, 31),
        datetime(2026, 1, 31, 12, 30),
        datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=-3, minutes=-45))),
        time(12, 30, 0, 1),
        [],
        (1, ("a", [2.5])),
        range(3),
        {},
        {"": {"a b.c": [{"d": True}]}},
        OrderedDict(a=1),
        pmap({"a": pvector([1])}),
        UserDict(a=[1]),
        deque([1, "a"]),
    ],
)
def test_writable_values_are_kept(value: Any) -> None:
    """Text, numbers, booleans, dates and times are kept, and any dicts and sequences of them."""
    assert find_unwritable({"key": value}) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "None (null) has no form in TOML: leave the key out"),
        (math.nan, "should be a finite number"),
        (-math.inf, "should be a finite number"),
        ("\ud800", "is not valid UTF-8"),
        ("a\udfff", "is not valid UTF-8"),
        (b"bytes", f"bytes {NO_FORM}"),
        (bytearray(b"bytes"), f"bytearray {NO_FORM}"),
        (memoryview(b"bytes"), f"memoryview {NO_FORM}"),
        ({1, 2}, f"set {NO_FORM}"),
        (iter([1]), f"list_iterator {NO_FORM}"),
        (1 + 2j, f"complex {NO_FORM}"),
        (Decimal(1), f"Decimal {NO_FORM}"),
        (PurePosixPath("a"), f"PurePosixPath {NO_FORM}"),
        (object(), f"object {NO_FORM}"),
        ({1: 2}, "keys must be text, not int"),
        ({"x": 1, None: 2}, "keys must be text, not NoneType"),
        ({"\udc80": 1}, "a key is not valid UTF-8"),
    ],
)
@pytest.mark.parametrize(("place", "path"), PLACES)
def test_unwritable_values_are_refused(
    value: Any, reason: str, place: Callable[[Any], dict[str, Any]], path: tuple[str, ...]
) -> None:
    """What has no form in TOML is refused with the reason and its key, at any depth."""
    assert find_unwritable(place(value)) == (path, reason)


@pytest.mark.parametrize(
    "value",
    [time(12, tzinfo=UTC), datetime(1890, 1, 1, tzinfo=timezone(timedelta(minutes=53, seconds=28)))],
)
def test_times_without_a_form_in_toml_are_refused(value: Any) -> None:
    """TOML has no time of day with an offset, and no offset with seconds."""
    assert find_unwritable({"key": value}) is not None


@pytest.mark.parametrize(("digits", "reason"), [(300, None), (301, "has more than 300 digits")])
def test_longest_integer(digits: int, reason: str | None) -> None:
    """An integer may have 300 digits."""
    value = 10 ** (digits - 1)
    expected = (("key",), reason) if reason else None
    assert find_unwritable({"key": value}) == find_unwritable({"key": -value}) == expected


def test_deepest_tree() -> None:
    """So many tables and arrays may stand in one another, and no more."""
    assert find_unwritable(nested(MAX_DEPTH - 1)) is None
    refused = find_unwritable(nested(MAX_DEPTH))
    assert refused is not None
    assert refused[1] == f"is nested more than {MAX_DEPTH} deep"


def test_endless_value_is_refused() -> None:
    """A list that holds itself is nested too deeply."""
    endless: list[Any] = []
    endless.append(endless)
    assert find_unwritable({"key": endless}) == (("key",), f"is nested more than {MAX_DEPTH} deep")


def test_largest_tree() -> None:
    """About so many values may be kept together, tables and arrays counted, and no more."""
    assert find_unwritable({"key": [0] * (MAX_VALUES - 10)}) is None
    assert find_unwritable({"key": [0] * MAX_VALUES}) == ((), f"holds more than {MAX_VALUES:,} values")


def test_shared_lists_are_counted_each_time() -> None:
    """A small value that would be written as an enormous one is refused, in time."""
    value: list[Any] = [0]
    for _ in range(40):
        value = [value, value]
    assert find_unwritable({"key": value}) == ((), f"holds more than {MAX_VALUES:,} values")


def test_first_unwritable_value_is_named() -> None:
    """Of several values that can not be kept, the first in the order of the tree is told."""
    assert find_unwritable({"a": 1, "b": [{"c": None}, None], "d": math.nan}) == (
        ("b", "c"),
        "None (null) has no form in TOML: leave the key out",
    )


def overlay(*trees: Mapping[str, Any]) -> dict[str, Any]:
    """Trees of metadata laid over one another, lowest first, each leaf by its own."""
    layers = [
        {path: SourcedValue(value, Argument("tree")) for path, value in canonical.leaves(tree).items()}
        for tree in trees
    ]
    return canonical.nested({path[1:]: plain(sourced.value) for path, sourced in merge_notes(layers).items()})


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": {"x": 1, "y": 1}}, {"a": {"y": 2, "z": 2}}, {"a": {"x": 1, "y": 2, "z": 2}}),
        ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": {"x": 2}}, {"a": {"x": 2}}),
        ({"a": {"x": 1}}, {"a": {}}, {"a": {"x": 1}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": pmap({"y": (2,)})}, {"a": {"x": 1, "y": [2]}}),
    ],
)
def test_overlay(lower: dict[str, Any], upper: Mapping[str, Any], expected: dict[str, Any]) -> None:
    """Tables are merged key by key, and any other value of the upper tree replaces what stands there."""
    assert overlay(lower, upper) == expected


@given(TREES, TREES)
def test_overlay_changes_neither_tree(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    """Both trees are the same afterwards, and the result is a dict of its own."""
    before = copy.deepcopy((lower, upper))
    merged = overlay(lower, upper)
    merged["new"] = 1
    assert (lower, upper) == before


@given(TREES, TREES)
def test_upper_tree_wins(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    """All values of the upper tree are in the result, and of the lower one those at no path that the upper one sets."""
    merged = leaves(overlay(lower, upper))
    above = leaves(upper)
    for path, value in above.items():
        assert merged.get(path) == value or value == {}
    for path, value in leaves(lower).items():
        if not any(path[: len(other)] == other[: len(path)] for other in above):
            assert merged[path] == value


@given(TREES)
def test_empty_tree_is_neutral(tree: dict[str, Any]) -> None:
    """Nothing over a tree, or a tree over nothing, is the tree."""
    assert overlay(tree, {}) == overlay({}, tree) == overlay(tree, tree) == tree


@given(trees_of_one_shape(), trees_of_one_shape(), trees_of_one_shape())
def test_overlay_is_associative(lowest: dict[str, Any], middle: dict[str, Any], upper: dict[str, Any]) -> None:
    """Where each key is a table in all trees or in none, three can be laid over one another from either end."""
    assert overlay(overlay(lowest, middle), upper) == overlay(lowest, overlay(middle, upper))


def test_overlay_does_not_follow_the_upper_tree() -> None:
    """What is changed in the upper tree later has no effect on the result."""
    upper: dict[str, Any] = {"a": {"seeds": [1]}}
    merged = overlay({}, upper)
    upper["a"]["seeds"].append(2)
    assert merged == {"a": {"seeds": [1]}}


@settings(deadline=None)
@given(TREES)
def test_frozen_tree_holds_the_same_values(tree: dict[str, Any]) -> None:
    """A frozen tree, thawed again, is the tree."""
    assert plain(frozen_map(tree)) == tree


def test_frozen_tree_is_frozen_at_every_depth() -> None:
    """Dicts become maps and sequences become vectors, which can be hashed and not changed."""
    frozen: Any = frozen_map(plain({"a": {"b": [{"c": (1, [2])}]}}))
    assert isinstance(frozen["a"], PMap)
    assert isinstance(frozen["a"]["b"], PVector)
    seeds: Any = frozen["a"]["b"][0]["c"][1]
    with pytest.raises(TypeError):
        seeds[0] = 3
    assert isinstance(seeds, PVector)
    assert hash(frozen) == hash(frozen_map(plain(frozen)))


def test_frozen_tree_does_not_follow_the_given_one() -> None:
    """The tree that was given is not changed, and changing it later has no effect."""
    tree: dict[str, Any] = {"a": {"seeds": [1]}}
    frozen = frozen_map(tree)
    assert tree == {"a": {"seeds": [1]}}
    tree["a"]["seeds"].append(2)
    assert plain(frozen) == {"a": {"seeds": [1]}}
