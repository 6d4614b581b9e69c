"""What this training can be told beside the settings of the reference, without jax, so that commands start soon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from acbo_settings import TrainingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """The policy network."""

    width: Annotated[int, Ge(1), Le(1024)] = 32
    """Width of each layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsConfig:
    """The causal models that are trained on."""

    variables: Annotated[int, Ge(3), Le(9)] = 5
    """Variables of each model, the target included."""

    interventions: Annotated[int, Ge(1)] = 20
    """Interventions on one model, which are as many training steps, before the next model is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(TrainingConfig):
    """The configuration of this training."""

    seed: Annotated[int, Ge(0), Le(2**31 - 1)] = 0
    """Seed of all random numbers."""

    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """The network that is trained."""

    models: ModelsConfig = field(default_factory=ModelsConfig)
    """The models that are trained on."""
