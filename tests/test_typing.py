"""What type checkers see: mypy and pyright check this file, and pytest runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, assert_type

import pytest
from pyrsistent import PMap

from acbo_settings import (
    ConfigurationError,
    GRPOConfig,
    Problem,
    ResolvedConfig,
    TrainingConfig,
    create_default_training_config,
    create_training_config,
    load_frozen_config,
    load_training_config,
    resolve_training_config,
    validate_training_config,
)

from .experiment import ExperimentConfig


def test_functions_have_precise_types() -> None:
    """Each public function is seen with its type, although it is imported when it is first used."""
    assert_type(load_training_config(environ={}), TrainingConfig)
    assert_type(resolve_training_config(environ={}), ResolvedConfig[TrainingConfig])
    assert_type(resolve_training_config(environ={}).config, TrainingConfig)
    unspecified: ResolvedConfig = resolve_training_config(environ={})
    assert unspecified.config == create_default_training_config()
    assert_type(create_training_config(total_steps=7000), TrainingConfig)
    assert_type(create_default_training_config(), TrainingConfig)
    assert_type(validate_training_config(TrainingConfig()), bool)


def test_a_schema_of_ones_own_is_seen_as_such() -> None:
    """With `schema`, each function gives an instance of that class, without a cast, and no other attributes."""
    given = {"ACBO_DATA": "x"}
    config = load_training_config(environ=given, schema=ExperimentConfig)
    assert_type(config, ExperimentConfig)
    assert_type(config.policy.layers, tuple[int, ...])
    assert_type(config.policy.dropout, float | None)
    assert_type(config.data, Path)
    assert_type(resolve_training_config(environ=given, schema=ExperimentConfig), ResolvedConfig[ExperimentConfig])
    assert_type(resolve_training_config(environ=given, schema=ExperimentConfig).config, ExperimentConfig)
    assert_type(create_training_config(data="x", schema=ExperimentConfig), ExperimentConfig)
    assert_type(create_training_config({"data": "x"}, schema=ExperimentConfig).seed, int)
    frozen = load_training_config(environ=given, run_dir="run", schema=ExperimentConfig)
    assert_type(load_frozen_config("run", schema=ExperimentConfig), ExperimentConfig)
    assert frozen == load_frozen_config("run", schema=ExperimentConfig)
    with pytest.raises(AttributeError):
        _ = config.polcy  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError):
        _ = config.policy.hidden_sise  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(AttributeError):
        _ = load_training_config(environ={}).seed  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        load_training_config(environ={}, schema=dict)  # type: ignore[type-var]  # pyright: ignore[reportArgumentType]


def test_fields_have_precise_types() -> None:
    """Values are seen with the type of the schema, choices with their texts."""
    config = create_default_training_config()
    assert_type(config.grpo.group_size, int)
    assert_type(config.grpo.learning_rate, float)
    assert_type(config.rewards.reward_scaling, Literal["tanh", "clip", "none"])
    assert_type(config.evaluation.early_stopping_enabled, bool)
    assert_type(config.grpo.to_grpo_config(), GRPOConfig)
    assert_type(config.rewards.get_reward_weights(), PMap[str, float])
    assert_type(config.to_dict(), dict[str, Any])
    assert_type(config.to_toml(), str)
    assert_type(config.to_flat(), dict[str, bool | int | float | str])


def test_errors_have_precise_types() -> None:
    """The problems of an error are seen as such."""
    try:
        create_training_config(total_steps=0)
    except ConfigurationError as error:
        assert_type(error.problems, tuple[Problem, ...])
