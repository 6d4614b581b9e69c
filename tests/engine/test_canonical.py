"""Canonical forms: a configuration by key path, as a dict for JSON, and as TOML that reads back the same."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrsistent import freeze, pmap

from acbo_settings import (
    EvaluationConfig,
    ExplorationTrainingConfig,
    GRPOTrainingConfig,
    RewardTrainingConfig,
    TrainingConfig,
    create_training_config,
    load_training_config,
)
from acbo_settings.engine.canonical import (
    canonical_json,
    custom_metadata,
    fields_of,
    flatten,
    plain,
    sha256,
    to_dict,
    to_flat,
)
from acbo_settings.engine.metadata import frozen_map

from ..strategies import layers, tree_of

TOP_LEVEL = ["total_steps", "warmup_steps", "surrogate_update_frequency", "log_frequency", "save_trajectory_data"]

CHARACTERS = "".join(map(chr, [*range(0x180), 0x2028, 0x2029, 0xD7FF, 0xE000, 0xFEFF, 0xFFFF, 0x1F3B2, 0x10FFFF]))
"""Control characters, Latin letters, and the first, last and strangest of the others."""

OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(CHARACTERS),
    st.dates(),
    st.times().map(lambda value: value.replace(fold=0)),
    st.datetimes(timezones=st.none() | OFFSETS).map(lambda value: value.replace(fold=0)),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(CHARACTERS, max_size=5), values, max_size=3),
    max_leaves=8,
)
METADATA = st.dictionaries(st.text(CHARACTERS, max_size=5).map("my {}".format), VALUES, max_size=4)
"""Custom keys with every kind of value that metadata may hold."""


@dataclass(frozen=True)
class Inner:
    """Two values."""

    a: int = 1
    b: tuple[int, ...] = (2,)


@dataclass(frozen=True)
class Outer:
    """A value, a record, and a field that takes no part in comparison."""

    x: str = "x"
    inner: Inner = field(default_factory=Inner)
    metadata: Any = field(default=None, compare=False)


def with_floats(number: float) -> TrainingConfig:
    """A configuration with this number in a setting of each component."""
    return TrainingConfig(
        grpo=GRPOTrainingConfig(learning_rate=number),
        rewards=RewardTrainingConfig(parent_weight=number),
        exploration=ExplorationTrainingConfig(temperature=number),
        evaluation=EvaluationConfig(early_stopping_threshold=number),
    )


def change_everything(tree: Any) -> None:
    """Empty every dict and list of a tree, the innermost first."""
    for value in list(tree.values() if isinstance(tree, dict) else tree):
        if isinstance(value, dict | list):
            change_everything(value)
    tree.clear()


def described(tree: Any) -> Any:
    """A tree of plain dicts and lists with the `repr` of all else, so that types and signs count in a comparison."""
    if type(tree) is dict:
        return {key: described(value) for key, value in tree.items()}
    return [described(value) for value in tree] if type(tree) is list else repr(tree)


def test_fields_of_a_record() -> None:
    """The fields come in their order and as they are, and those out of comparison do not come."""
    record = Outer(inner=Inner(b=(3,)), metadata={"a": 1})
    assert list(fields_of(record)) == ["x", "inner"]
    assert fields_of(record)["inner"] is record.inner


def test_flatten_takes_any_dataclass() -> None:
    """Records inside a record become key paths, below a prefix if there is one; other values stay whole."""
    assert flatten(Outer()) == {("x",): "x", ("inner", "a"): 1, ("inner", "b"): (2,)}
    assert flatten(Inner(), ("p", "q")) == {("p", "q", "a"): 1, ("p", "q", "b"): (2,)}


def test_flatten_gives_the_settings_of_the_reference() -> None:
    """First those at the top, then those of each component, and no metadata."""
    paths = list(flatten(TrainingConfig(metadata=pmap({"note": "a"}))))
    assert [(name,) for name in TOP_LEVEL] == [path for path in paths if len(path) == 1] == paths[: len(TOP_LEVEL)]
    components = [path[0] for path in paths[len(TOP_LEVEL) :]]
    assert list(dict.fromkeys(components)) == ["grpo", "rewards", "exploration", "evaluation"]
    assert components == sorted(components, key=list(dict.fromkeys(components)).index)


def test_flatten_gives_the_values() -> None:
    """Each path leads to the value that the configuration has there."""
    config = TrainingConfig(total_steps=7, rewards=RewardTrainingConfig(reward_scaling="clip"))
    flat = flatten(config)
    assert flat["total_steps",] == 7
    assert flat["rewards", "reward_scaling"] == "clip"
    assert flat | {("total_steps",): 5000, ("rewards", "reward_scaling"): "tanh"} == flatten(TrainingConfig())


@pytest.mark.parametrize(
    "value",
    [1, "text", True, None, 1.5, date(2026, 1, 31), time(12), datetime(2026, 1, 31)],
)
def test_thaw_leaves_scalars(value: Any) -> None:
    """What is no mapping and no sequence is returned as it is."""
    assert plain(value) is value


@settings(deadline=None)
@given(VALUES)
def test_thaw_undoes_freezing(value: Any) -> None:
    """A tree that pyrsistent froze comes back as plain dicts and lists of the same values."""
    assert described(plain(freeze(value))) == described(value)


def test_thawed_containers_are_new() -> None:
    """Changing a thawed tree, at any depth, leaves the given one alone."""
    tree: dict[str, Any] = {"a": [1, {"b": [2]}], "c": {}, "d": []}
    change_everything(plain(tree))
    assert tree == {"a": [1, {"b": [2]}], "c": {}, "d": []}


def test_thaw_turns_every_sequence_into_a_list() -> None:
    """Tuples and ranges inside a tree become lists."""
    assert plain({"a": ((1, 2), range(2))}) == {"a": [[1, 2], [0, 1]]}


def test_custom_metadata_leaves_the_settings_out() -> None:
    """Of the metadata, what records a setting or a component is no custom key."""
    recorded = {"total_steps": 7, "grpo": {"group_size": 32}, "note": "a", "group_size": 1, "tags": ["x"]}
    config = TrainingConfig(metadata=frozen_map(recorded))
    assert custom_metadata(config) == {"note": "a", "group_size": 1, "tags": ["x"]}
    assert custom_metadata(TrainingConfig()) == {}


def test_dict_of_the_defaults() -> None:
    """A configuration without custom keys is a dict of its settings and nothing else."""
    tree = to_dict(TrainingConfig())
    assert list(tree) == [*TOP_LEVEL, "grpo", "rewards", "exploration", "evaluation"]
    assert sum(len(value) if isinstance(value, dict) else 1 for value in tree.values()) == len(
        flatten(TrainingConfig())
    )
    assert tree["exploration"]["final_temperature"] == 0.1


def test_dict_is_plain_and_new() -> None:
    """The containers are dicts and lists of their own: changing them leaves the configuration alone."""
    config = TrainingConfig(metadata=frozen_map({"tags": ["x", {"y": [1]}]}))
    tree = to_dict(config)
    assert type(tree["metadata"]["tags"][1]) is dict
    change_everything(tree)
    assert to_dict(config)["metadata"] == {"tags": ["x", {"y": [1]}]}
    assert to_dict(config)["grpo"] == fields_of(GRPOTrainingConfig())


@settings(deadline=None)
@given(METADATA)
def test_dict_survives_json(metadata: dict[str, Any]) -> None:
    """JSON can hold the dict of any configuration, and gives it back unchanged."""
    tree = to_dict(TrainingConfig(metadata=frozen_map(metadata)))
    assert described(json.loads(json.dumps(tree, allow_nan=False))) == described(tree)
    assert ("metadata" in tree) == bool(metadata)


@settings(deadline=None)
@given(METADATA)
def test_flat_values_are_scalars(metadata: dict[str, Any]) -> None:
    """Whatever the metadata holds, trackers get numbers and texts alone, and no setting is missing."""
    flat = to_flat(TrainingConfig(metadata=frozen_map(metadata)))
    assert all(isinstance(value, bool | int | float | str) for value in flat.values())
    assert {key: value for key, value in flat.items() if not key.startswith("metadata.")} == {
        ".".join(path): value for path, value in flatten(TrainingConfig()).items()
    }


def test_scalar_metadata_is_flat() -> None:
    """Tables of the metadata are named by their dotted keys, dates are text, and lists are left out."""
    notes = {"experiment": "scm20", "wandb": {"group": 3}, "tags": ["x"], "day": date(2026, 1, 31)}
    flat = to_flat(TrainingConfig(metadata=frozen_map(notes)))
    assert {key: value for key, value in flat.items() if "metadata" in key} == {
        "metadata.experiment": "scm20",
        "metadata.wandb.group": 3,
        "metadata.day": "2026-01-31",
    }


def test_dates_are_texts_in_the_dict() -> None:
    """Dates and times in the metadata become ISO 8601 text, at any depth."""
    when = datetime(2026, 1, 31, 12, 30, tzinfo=timezone(timedelta(hours=2)))
    tree = to_dict(TrainingConfig(metadata=frozen_map({"when": [when, {"day": when.date()}], "at": time(7)})))
    assert tree["metadata"] == {
        "when": ["2026-01-31T12:30:00+02:00", {"day": "2026-01-31"}],
        "at": "07:00:00",
    }


# Fingerprints

PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.dictionaries(st.text("abc_."), values),
)

GIVEN: list[dict[str, Any]] = [
    {},
    {"total_steps": 10000},
    {"grpo": {"learning_rate": 1e-4, "kl_penalty_coeff": 1e-7}, "rewards": {"reward_scaling": "clip"}},
    {"total_steps": 10**20, "rewards": {"reward_clip_value": 1e21, "parent_weight": 1 / 3}},
    {"exploration": {"strategy_type": "uncertainty_guided"}, "save_trajectory_data": False},
]
"""Settings whose fingerprints must never change as long as the schema has the same settings."""


@given(PLAIN)
def test_canonical_json_is_that_of_the_rfc(value: Any) -> None:
    """Any plain data has the text that an independent implementation of RFC 8785 gives it."""
    assert canonical_json(value) == rfc8785.dumps(value).decode()


@settings(max_examples=1000)
@given(st.integers(0, 2**64 - 1))
def test_canonical_numbers_read_back(bits: int) -> None:
    """Any finite double, whatever its bits, reads back the same, and is written as the RFC wants it."""
    (value,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    if value == value and abs(value) != float("inf"):
        assert float(canonical_json(value)) == value
        assert canonical_json(value) == rfc8785.dumps(value).decode()


def test_integers_are_written_in_full() -> None:
    """Above 2**53, where JavaScript has no integers, two that differ have different texts."""
    assert canonical_json(2**53 + 1) == "9007199254740993"


def test_what_has_no_canonical_form_is_refused() -> None:
    """A value of another type is a TypeError and not some text."""
    with pytest.raises(TypeError, match="object has no canonical form"):
        canonical_json({"a": object()})
    with pytest.raises(TypeError, match="keys must be text"):
        canonical_json({1: 2})
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="has no canonical form"):
            canonical_json(value)


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_golden_fingerprints(assert_report: Callable[[str, str], None]) -> None:
    """The fingerprint of given settings is what it was in the first version."""
    lines = [f"{create_training_config(given).fingerprint} {json.dumps(given)}" for given in GIVEN]
    assert_report("fingerprints", "\n".join(lines))


def test_others_can_compute_the_fingerprint() -> None:
    """The documented way, with a library for the RFC and one for SHA-256, gives the same digits."""
    config = create_training_config(total_steps=7000, note="scm20")
    tree = config.to_dict()
    del tree["metadata"]
    assert hashlib.sha256(rfc8785.dumps(tree)).hexdigest()[:16] == config.fingerprint


@given(layers(), layers())
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_fingerprints_are_equal_exactly_when_configurations_are(first: Any, second: Any) -> None:
    """Of any two configurations, and of each with itself read back from its own TOML and JSON."""
    one, other = (create_training_config(tree_of(layer)) for layer in (first, second))
    assert (one.fingerprint == other.fingerprint) == (one == other)
    assert create_training_config(json.loads(json.dumps(one.to_dict()))).fingerprint == one.fingerprint
    assert create_training_config(tomllib.loads(one.to_toml())).fingerprint == one.fingerprint


@pytest.mark.parametrize("spelling", ["1e-4", "0.0001", "1.0E-04", "+0.00010", "100e-6"])
def test_spelling_does_not_matter(spelling: str) -> None:
    """However a variable spells a number, it is the same configuration."""
    written = load_training_config(environ={"ACBO_GRPO__LEARNING_RATE": spelling})
    assert written.fingerprint == create_training_config(grpo={"learning_rate": 1e-4}).fingerprint


def test_signs_and_types_that_equality_overlooks() -> None:
    """0, 0.0 and -0.0 are equal, and so are 1 and 1.0: they have one fingerprint, validated or not."""
    zeros = [GRPOTrainingConfig(entropy_coeff=value) for value in (0, 0.0, -0.0)]
    ones = [GRPOTrainingConfig(max_grad_norm=value) for value in (1, 1.0)]
    assert len({TrainingConfig(grpo=grpo).fingerprint for grpo in zeros}) == 1
    assert len({TrainingConfig(grpo=grpo).fingerprint for grpo in ones}) == 1
    large = [GRPOTrainingConfig(entropy_coeff=value) for value in (10**22, 1e22)]
    assert len({TrainingConfig(grpo=grpo).fingerprint for grpo in large}) == 1


def test_metadata_takes_no_part() -> None:
    """A note changes nothing."""
    assert create_training_config(note="scm20").fingerprint == TrainingConfig().fingerprint


def test_hashing_needs_no_openssl() -> None:
    """The fingerprint is computed without `hashlib`, and by it where Python has no hashes of its own."""
    program = """
import sys, acbo_settings
for name in sys.argv[1:]:
    sys.modules[name] = None
print(acbo_settings.TrainingConfig().fingerprint, "_hashlib" in sys.modules)
"""
    hidden = ["_sha2", "_sha256"]
    for names, openssl in (([], False), (hidden, True)):
        command = [sys.executable, "-c", program, *names]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, env={}).stdout
        assert shown.split() == [TrainingConfig().fingerprint, str(openssl)]
    assert sha256(b"acbo") == hashlib.sha256(b"acbo").hexdigest()
