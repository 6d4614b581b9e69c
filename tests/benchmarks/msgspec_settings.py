"""The program that `runs.py` compares with: the same 36 settings with msgspec and `tomllib`, written by hand."""

import os
import tomllib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

NotNegative = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class GRPO(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `grpo`."""

    group_size: Annotated[int, Meta(ge=8, le=256)] = 64
    num_iterations: Annotated[int, Meta(ge=1, le=10)] = 4
    learning_rate: Annotated[float, Meta(gt=0, le=0.01)] = 3e-4
    max_grad_norm: Annotated[float, Meta(gt=0, le=10)] = 1.0
    clip_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.2
    entropy_coeff: NotNegative = 0.01
    kl_penalty_coeff: NotNegative = 0.0
    scale_rewards: bool = True


class Rewards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `rewards`."""

    optimization_weight: NotNegative = 1.0
    structure_weight: NotNegative = 0.5
    parent_weight: NotNegative = 0.3
    exploration_weight: NotNegative = 0.1
    reward_scaling: Literal["tanh", "clip", "none"] = "tanh"
    reward_clip_value: Positive = 10.0


class Exploration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `exploration`."""

    strategy_type: Literal["uncertainty_guided", "adaptive"] = "adaptive"
    uncertainty_weight: NotNegative = 1.0
    count_weight: NotNegative = 0.1
    variable_uncertainty_weight: NotNegative = 0.5
    temperature: Positive = 1.0
    initial_temperature: Positive = 2.0
    final_temperature: Positive = 0.1
    adaptation_steps: Count = 1000
    stagnation_threshold: Count = 100


class Evaluation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table `evaluation`."""

    eval_frequency: Count = 100
    checkpoint_frequency: Count = 500
    track_optimization: bool = True
    track_structure_learning: bool = True
    track_intervention_diversity: bool = True
    early_stopping_enabled: bool = False
    early_stopping_patience: Count = 200
    early_stopping_threshold: Positive = 1e-4


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings."""

    total_steps: Count = 5000
    warmup_steps: Annotated[int, Meta(ge=0)] = 100
    surrogate_update_frequency: Count = 50
    log_frequency: Count = 10
    save_trajectory_data: bool = True
    grpo: GRPO = GRPO()
    rewards: Rewards = Rewards()
    exploration: Exploration = Exploration()
    evaluation: Evaluation = Evaluation()


def load() -> Settings:
    """Read defaults < `acbo.toml` < environment variables."""
    with open("acbo.toml", "rb") as file:
        tree: dict[str, Any] = tomllib.load(file)
    for name, text in os.environ.items():
        if name.startswith("ACBO_"):
            *tables, key = name.removeprefix("ACBO_").lower().split("__")
            table = tree
            for part in tables:
                table = table.setdefault(part, {})
            table[key] = text
    return msgspec.convert(tree, Settings, strict=False)


def to_tree(settings: Settings) -> Any:
    """The settings as nested dicts, to be compared."""
    return msgspec.to_builtins(settings)
