"""What the GRPO module and the exploration module take: plain frozen records, without bounds or metadata."""

from __future__ import annotations

from dataclasses import dataclass

from .engine import public


@public
@dataclass(frozen=True, kw_only=True)
class GRPOConfig:
    """The settings of one GRPO update, as the GRPO module takes them.

    `GRPOTrainingConfig.to_grpo_config` makes it from a validated configuration. The fields are those of
    `GRPOTrainingConfig`, with the same names and units; it checks nothing itself, and `vars` gives a dict of it.

    >>> from acbo_settings import create_training_config
    >>> create_training_config(grpo={"scale_rewards": False}).grpo.to_grpo_config().scale_rewards
    False
    """

    group_size: int
    num_iterations: int
    learning_rate: float
    max_grad_norm: float
    clip_ratio: float
    entropy_coeff: float
    kl_penalty_coeff: float
    scale_rewards: bool


@public
@dataclass(frozen=True, kw_only=True)
class ExplorationConfig:
    """The settings of the exploration strategy, as the exploration module takes them.

    `ExplorationTrainingConfig.to_exploration_config` makes it from a validated configuration. The fields are those of
    `ExplorationTrainingConfig`, with the same names and units; it checks nothing itself, and `vars` gives a dict of it.

    >>> from acbo_settings import create_default_training_config
    >>> create_default_training_config().exploration.to_exploration_config().strategy_type
    'adaptive'
    """

    strategy_type: str
    uncertainty_weight: float
    count_weight: float
    variable_uncertainty_weight: float
    temperature: float
    initial_temperature: float
    final_temperature: float
    adaptation_steps: int
    stagnation_threshold: int
