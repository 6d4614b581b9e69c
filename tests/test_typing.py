"""What type checkers see: mypy and pyright check this file, and pytest runs it."""

from __future__ import annotations

from typing import Any, Literal, assert_type

from pyrsistent import PMap

from acbo_settings import (
    ConfigurationError,
    GRPOConfig,
    Problem,
    ResolvedConfig,
    TrainingConfig,
    create_default_training_config,
    create_training_config,
    load_training_config,
    resolve_training_config,
    validate_training_config,
)


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


def test_errors_have_precise_types() -> None:
    """The problems of an error are seen as such."""
    try:
        create_training_config(total_steps=0)
    except ConfigurationError as error:
        assert_type(error.problems, tuple[Problem, ...])
