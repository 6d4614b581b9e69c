"""The examples of the API reference, each as it is written there, except for what needs a trainer."""

from __future__ import annotations

import json
from dataclasses import MISSING, FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from pyrsistent import PMap

from acbo_settings import (
    ConfigurationWarning,
    EvaluationConfig,
    ExplorationConfig,
    ExplorationTrainingConfig,
    GRPOConfig,
    GRPOTrainingConfig,
    RewardTrainingConfig,
    TrainingConfig,
    create_default_training_config,
    create_training_config,
    validate_training_config,
)

FIELDS: dict[type, dict[str, tuple[type, object]]] = {
    TrainingConfig: {
        "total_steps": (int, 5000),
        "warmup_steps": (int, 100),
        "surrogate_update_frequency": (int, 50),
        "log_frequency": (int, 10),
        "save_trajectory_data": (bool, True),
        "grpo": (GRPOTrainingConfig, GRPOTrainingConfig()),
        "rewards": (RewardTrainingConfig, RewardTrainingConfig()),
        "exploration": (ExplorationTrainingConfig, ExplorationTrainingConfig()),
        "evaluation": (EvaluationConfig, EvaluationConfig()),
        "metadata": (PMap, PMap),
    },
    GRPOTrainingConfig: {
        "group_size": (int, 64),
        "num_iterations": (int, 4),
        "learning_rate": (float, 3e-4),
        "max_grad_norm": (float, 1.0),
        "clip_ratio": (float, 0.2),
        "entropy_coeff": (float, 0.01),
        "kl_penalty_coeff": (float, 0.0),
        "scale_rewards": (bool, True),
    },
    RewardTrainingConfig: {
        "optimization_weight": (float, 1.0),
        "structure_weight": (float, 0.5),
        "parent_weight": (float, 0.3),
        "exploration_weight": (float, 0.1),
        "reward_scaling": (str, "tanh"),
        "reward_clip_value": (float, 10.0),
    },
    ExplorationTrainingConfig: {
        "strategy_type": (str, "adaptive"),
        "uncertainty_weight": (float, 1.0),
        "count_weight": (float, 0.1),
        "variable_uncertainty_weight": (float, 0.5),
        "temperature": (float, 1.0),
        "initial_temperature": (float, 2.0),
        "final_temperature": (float, 0.1),
        "adaptation_steps": (int, 1000),
        "stagnation_threshold": (int, 100),
    },
    EvaluationConfig: {
        "eval_frequency": (int, 100),
        "checkpoint_frequency": (int, 500),
        "track_optimization": (bool, True),
        "track_structure_learning": (bool, True),
        "track_intervention_diversity": (bool, True),
        "early_stopping_enabled": (bool, False),
        "early_stopping_patience": (int, 200),
        "early_stopping_threshold": (float, 1e-4),
    },
}


@pytest.mark.parametrize("owner", FIELDS)
def test_dataclasses_have_the_documented_fields(owner: type) -> None:
    """Names, order, types and defaults of the fields are the reference's, whatever else there is to set."""
    documented = [field for field in fields(owner) if field.name in FIELDS[owner]]
    assert [field.name for field in documented] == list(FIELDS[owner])
    made = owner()
    for field in documented:
        kind, default = FIELDS[owner][field.name]
        value = getattr(made, field.name)
        assert isinstance(value, kind)
        assert type(value) is kind or kind is PMap
        assert value == default or kind is PMap
        assert field.default is not MISSING or field.default_factory is not MISSING


@pytest.mark.parametrize("owner", FIELDS)
def test_dataclasses_are_frozen_and_slotted(owner: type) -> None:
    """No field can be set and no attribute added."""
    made = owner()
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(owner)[0].name, 1)
    assert not hasattr(made, "__dict__")


def test_create_from_dictionary() -> None:
    """The factory's first example."""
    config_dict = {
        "total_steps": 10000,
        "grpo": {"group_size": 64, "num_iterations": 4, "kl_penalty_coeff": 0.0},
        "rewards": {"optimization_weight": 2.0, "structure_weight": 1.0},
    }
    config = create_training_config(config_dict)
    assert (config.total_steps, config.grpo.num_iterations, config.rewards.structure_weight) == (10000, 4, 1.0)
    assert config.rewards.parent_weight == 0.3


def test_create_from_keyword_arguments() -> None:
    """The factory's second example."""
    config = create_training_config(total_steps=10000, warmup_steps=200, grpo={"group_size": 128})
    assert (config.total_steps, config.warmup_steps, config.grpo.group_size) == (10000, 200, 128)
    assert config.grpo.num_iterations == 4


def test_keyword_arguments_win_and_components_merge() -> None:
    """With both, keyword arguments win key by key, and the dict stays as it was."""
    given = {"total_steps": 10000, "grpo": {"group_size": 64, "num_iterations": 6}}
    before = json.dumps(given)
    config = create_training_config(given, total_steps=20000, grpo={"group_size": 128})
    assert (config.total_steps, config.grpo.group_size, config.grpo.num_iterations) == (20000, 128, 6)
    assert json.dumps(given) == before


def test_create_default(capsys: pytest.CaptureFixture[str]) -> None:
    """The default configuration's example prints its two numbers."""
    config = create_default_training_config()
    print(f"Total steps: {config.total_steps}")
    print(f"GRPO group size: {config.grpo.group_size}")
    assert capsys.readouterr().out == "Total steps: 5000\nGRPO group size: 64\n"


def test_validate_accepts_the_defaults() -> None:
    """A valid configuration gives True."""
    assert validate_training_config(create_default_training_config()) is True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"warmup_steps": 6000, "total_steps": 5000}, "Warmup steps must be less than total steps"),
        ({"total_steps": 100, "warmup_steps": 200}, "Warmup steps must be less than total steps"),
        ({"grpo": {"group_size": 4}}, "Group size should be at least 8 for stable GRPO training"),
        (
            {"exploration": {"initial_temperature": 1.0, "final_temperature": 2.0}},
            "Final temperature must be less than initial temperature",
        ),
    ],
)
def test_documented_errors(given: dict[str, Any], sentence: str) -> None:
    """The errors of the reference are ValueErrors with its sentences."""
    with pytest.raises(ValueError, match=sentence):
        create_training_config(given)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (TrainingConfig(grpo=GRPOTrainingConfig(group_size=4)), "Group size should be at least 8 for stable GRPO"),
        (
            TrainingConfig(exploration=ExplorationTrainingConfig(final_temperature=3.0)),
            "Final temperature must be less than initial",
        ),
        (
            TrainingConfig(
                rewards=RewardTrainingConfig(
                    optimization_weight=0.0, structure_weight=0.0, parent_weight=0.0, exploration_weight=0.0
                )
            ),
            "At least one reward weight must be greater than 0",
        ),
    ],
)
def test_custom_validation(config: TrainingConfig, sentence: str) -> None:
    """What is built by hand is refused by `validate_training_config` with the same sentences."""
    with pytest.raises(ValueError, match=sentence):
        validate_training_config(config)


USAGE_PATTERNS: list[dict[str, Any]] = [
    {"total_steps": 10000},
    {
        "grpo": {
            "group_size": 128,
            "num_iterations": 6,
            "learning_rate": 1e-4,
            "scale_rewards": True,
            "kl_penalty_coeff": 0.0,
        }
    },
    {
        "rewards": {
            "optimization_weight": 2.0,
            "structure_weight": 1.0,
            "parent_weight": 0.5,
            "exploration_weight": 0.2,
            "reward_scaling": "tanh",
            "reward_clip_value": 20.0,
        }
    },
    {
        "exploration": {
            "strategy_type": "adaptive",
            "initial_temperature": 5.0,
            "final_temperature": 0.01,
            "adaptation_steps": 2000,
            "stagnation_threshold": 50,
        }
    },
    {"total_steps": 20000, "grpo": {"group_size": 128}},
    {"grpo": {"group_size": 128, "learning_rate": 1e-4}},
    {
        "total_steps": 50000,
        "grpo": {"group_size": 64, "num_iterations": 4, "learning_rate": 3e-4},
        "evaluation": {"checkpoint_frequency": 1000, "early_stopping_enabled": True},
    },
]


@pytest.mark.parametrize("given", USAGE_PATTERNS)
def test_usage_patterns(given: dict[str, Any]) -> None:
    """Usage patterns and common configurations have the values given, without a warning, and are consistent."""
    config = create_training_config(given)
    assert validate_training_config(config)
    for key, value in given.items():
        table = value if isinstance(value, dict) else {key: value}
        record = getattr(config, key) if isinstance(value, dict) else config
        assert {name: getattr(record, name) for name in table} == table


def test_exploration_heavy_pattern_is_told_that_it_explores_less() -> None:
    """The pattern is taken, and told that a higher initial temperature alone cools the bonus down further."""
    given = {
        "rewards": {"exploration_weight": 2.0, "structure_weight": 2.0, "optimization_weight": 0.5},
        "exploration": {"initial_temperature": 10.0, "strategy_type": "adaptive"},
    }
    with pytest.warns(ConfigurationWarning, match="A higher initial temperature alone explores less") as caught:
        config = create_training_config(given)
    assert len(caught) == 1
    assert validate_training_config(config)
    assert (config.exploration.initial_temperature, config.rewards.structure_weight) == (10.0, 2.0)


def test_evaluation_pattern_can_never_stop_early() -> None:
    """The pattern for evaluation and checkpoints is taken, and told that 500 evaluations are 25,000 steps."""
    given = {
        "evaluation": {
            "eval_frequency": 50,
            "checkpoint_frequency": 250,
            "early_stopping_enabled": True,
            "early_stopping_patience": 500,
            "early_stopping_threshold": 1e-5,
        }
    }
    with pytest.warns(ConfigurationWarning, match="take 25000 of 5000 steps"):
        config = create_training_config(given)
    assert config.evaluation.early_stopping_patience == 500


def test_fast_experimentation_keeps_its_misplaced_field() -> None:
    """The fast configuration's `eval_frequency` at the top level is kept as metadata, with a warning."""
    with pytest.warns(ConfigurationWarning) as caught:
        config = create_training_config({"total_steps": 1000, "eval_frequency": 50, "grpo": {"group_size": 32}})
    assert ["eval_frequency belongs to evaluation" in str(each.message) for each in caught] == [True, False]
    assert "Adaptation steps equal total steps (1000)" in str(caught[1].message)
    assert (config.total_steps, config.grpo.group_size) == (1000, 32)
    assert (config.evaluation.eval_frequency, config.metadata["eval_frequency"]) == (100, 50)


def test_grpo_integration_carries_every_field() -> None:
    """`to_grpo_config` gives each field of the section as it is, `scale_rewards=False` included."""
    given = {
        "group_size": 32,
        "num_iterations": 2,
        "learning_rate": 1e-3,
        "max_grad_norm": 0.5,
        "clip_ratio": 0.3,
        "entropy_coeff": 0.02,
        "kl_penalty_coeff": 0.1,
        "scale_rewards": False,
    }
    config = create_training_config({"total_steps": 10000, "grpo": given})
    converted = config.grpo.to_grpo_config()
    assert isinstance(converted, GRPOConfig)
    assert vars(converted) == {**vars(GRPOTrainingConfig().to_grpo_config()), **given}


def test_exploration_integration_carries_every_field() -> None:
    """`to_exploration_config` gives each field of the section as it is."""
    exploration = create_training_config(exploration={"temperature": 0.7}).exploration
    converted = exploration.to_exploration_config()
    assert isinstance(converted, ExplorationConfig)
    names = [field.name for field in fields(ExplorationTrainingConfig)]
    assert [field.name for field in fields(converted)] == names
    assert all(getattr(converted, name) == getattr(exploration, name) for name in names)


def test_reward_integration() -> None:
    """The weights come as a map, scaling and clip value as attributes."""
    rewards = create_training_config(rewards={"optimization_weight": 2.0}).rewards
    assert rewards.get_reward_weights() == {
        "optimization": 2.0,
        "structure": 0.5,
        "parent": 0.3,
        "exploration": 0.1,
    }
    assert (rewards.reward_scaling, rewards.reward_clip_value) == ("tanh", 10.0)


def test_training_loop() -> None:
    """The loop of the reference finds every frequency that it asks for."""
    config = create_default_training_config()
    due = {"warmup": 0, "evaluation": 0, "checkpoint": 0, "log": 0}
    for step in range(config.total_steps):
        due["warmup"] += step < config.warmup_steps
        due["evaluation"] += step % config.evaluation.eval_frequency == 0
        due["checkpoint"] += step % config.evaluation.checkpoint_frequency == 0
        due["log"] += step % config.log_frequency == 0
    assert due == {"warmup": 100, "evaluation": 50, "checkpoint": 10, "log": 500}


def test_best_practice_of_validation(capsys: pytest.CaptureFixture[str]) -> None:
    """Catching ValueError around creating and validating prints the report."""
    my_config_dict = {"grpo": {"num_iterations": 11}}
    try:
        config = create_training_config(my_config_dict)
        validate_training_config(config)
    except ValueError as e:
        print(f"Invalid configuration: {e}")
    assert capsys.readouterr().out.startswith("Invalid configuration: Configuration validation failed: 1 problem")


def test_best_practice_of_storing(tmp_path: Path) -> None:
    """The values can be saved as JSON by hand."""
    config = create_default_training_config()
    config_dict = {"total_steps": config.total_steps, "grpo": {"group_size": config.grpo.group_size}}
    (tmp_path / "training_config.json").write_text(json.dumps(config_dict))
    assert create_training_config(json.loads((tmp_path / "training_config.json").read_text())) == config


def test_metadata_storage(capsys: pytest.CaptureFixture[str]) -> None:
    """A custom key is found in the metadata."""
    config = create_training_config({"custom_field": "value"})
    print(config.metadata["custom_field"])
    assert capsys.readouterr().out == "value\n"


def test_validation_composition() -> None:
    """A function of one's own can check a configuration further."""

    def validate_custom_rules(config: TrainingConfig) -> None:
        if config.grpo.group_size > 100 and config.total_steps < 10000:
            raise ValueError("Large group sizes need more training steps")
        if config.rewards.exploration_weight > 1.0 and config.exploration.strategy_type != "adaptive":
            raise ValueError("High exploration weight requires adaptive strategy")

    validate_custom_rules(create_default_training_config())
    with pytest.raises(ValueError, match="Large group sizes"):
        validate_custom_rules(create_training_config(grpo={"group_size": 128}))
