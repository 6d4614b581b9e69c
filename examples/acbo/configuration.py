"""What this training can be told beside the settings of the reference, without jax, so that commands start soon."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Le

from acbo_settings import TrainingConfig, advice


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
    """Interventions on one model, which are as many training steps, before the next model is drawn. Stagnation begins
    anew with each model, so that exploration.stagnation_threshold acts in full only up to twice this number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(TrainingConfig):
    """The configuration of this training."""

    seed: Annotated[int, Ge(0), Le(2**31 - 1)] = 0
    """Seed of all random numbers."""

    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """The network that is trained."""

    models: ModelsConfig = field(default_factory=ModelsConfig)
    """The models that are trained on."""

    @advice("surrogate_update_frequency", "models.interventions")
    def learns_too_late(self) -> str | None:
        """The surrogate has to be updated while the model is still there."""
        every, interventions = self.surrogate_update_frequency, self.models.interventions
        if every < interventions:
            return None
        return f"The surrogate hardly learns: it is updated every {every} steps, and a model has {interventions}"

    @advice("log_frequency", "models.interventions")
    def logs_only_beginnings(self) -> str | None:
        """Log lines should tell of more than the first intervention on a model."""
        if self.log_frequency % self.models.interventions:
            return None
        return f"Each log line tells of a new model: {self.log_frequency} is a multiple of {self.models.interventions}"
