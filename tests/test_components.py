"""Components: the records for the GRPO and the exploration module carry every setting, unchanged."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

from acbo_settings import ExplorationConfig, ExplorationTrainingConfig, GRPOConfig, GRPOTrainingConfig

from .strategies import SCHEMA


def other_values(section: str) -> dict[str, Any]:
    """Another value than its default for each setting of a section."""
    others: dict[str, Any] = {}
    for path, default in SCHEMA.defaults.items():
        if path[:-1] == (section,):
            choices = SCHEMA.setting(path).kind.choices
            other = next(choice for choice in choices if choice != default) if choices else None
            others[path[-1]] = other or (not default if isinstance(default, bool) else default + 1)
    return others


GRPO, EXPLORATION = other_values("grpo"), other_values("exploration")
RECORDS = [GRPOConfig(**GRPO), ExplorationConfig(**EXPLORATION)]


def values_of(record: Any) -> dict[str, Any]:
    """The fields of a record with their values."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def test_grpo_config_carries_all_settings() -> None:
    """All settings, none of them at its default here, reach the GRPO module as they are."""
    given = GRPOTrainingConfig(**GRPO)
    default = values_of(GRPOTrainingConfig())
    assert all(value != default[name] for name, value in GRPO.items())
    assert values_of(given.to_grpo_config()) == values_of(given) == GRPO
    assert type(given.to_grpo_config()) is GRPOConfig


def test_exploration_config_carries_all_settings() -> None:
    """All settings, none of them at its default here, reach the exploration module as they are."""
    given = ExplorationTrainingConfig(**EXPLORATION)
    default = values_of(ExplorationTrainingConfig())
    assert all(value != default[name] for name, value in EXPLORATION.items())
    assert values_of(given.to_exploration_config()) == values_of(given) == EXPLORATION
    assert type(given.to_exploration_config()) is ExplorationConfig


def test_defaults_are_carried_too() -> None:
    """A record made from the defaults holds the defaults."""
    assert values_of(GRPOTrainingConfig().to_grpo_config()) == values_of(GRPOTrainingConfig())
    assert values_of(ExplorationTrainingConfig().to_exploration_config()) == values_of(ExplorationTrainingConfig())


@pytest.mark.parametrize("record", RECORDS)
def test_records_are_frozen(record: Any) -> None:
    """No field can be changed, and `vars` gives a dict of all."""
    name = fields(record)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(record, name, 1)
    assert vars(record) == values_of(record)


@pytest.mark.parametrize("record", RECORDS)
def test_records_are_values(record: Any) -> None:
    """A copy is equal, has the same hash, and survives another process."""
    for copied in (copy.deepcopy(record), pickle.loads(pickle.dumps(record)), type(record)(**values_of(record))):
        assert copied == record
        assert hash(copied) == hash(record)
    assert type(record)(**values_of(record) | {fields(record)[0].name: 0}) != record


@pytest.mark.parametrize(("record", "given"), [(GRPOConfig, GRPO), (ExplorationConfig, EXPLORATION)])
def test_records_have_no_defaults(record: Any, given: dict[str, Any]) -> None:
    """Each field must be given, and by its name, so that none can be forgotten or exchanged."""
    for name in given:
        with pytest.raises(TypeError, match=name):
            record(**{other: value for other, value in given.items() if other != name})
    with pytest.raises(TypeError, match="positional"):
        record(*given.values())
