"""An experiment with settings of its own, loaded, frozen and resumed: `ACBO_RUN_DIR=runs/1 python experiment.py`.

`acbo-settings check` in this directory knows the class from `pyproject.toml`. The trainer stands here as a line that
prints what it would get.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from acbo_settings import ConfigurationError, TrainingConfig, advice, load_training_config, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """The policy network."""

    hidden_size: Annotated[int, Ge(1), Le(4096)] = 128
    """Width of each layer."""

    activation: Literal["relu", "gelu"] = "gelu"
    """What stands between two layers."""

    dropout: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the units that are left out in training, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(TrainingConfig):
    """The configuration of one of our experiments."""

    seed: Annotated[int, Ge(0)] = 0
    """Seed of all random numbers."""

    graph_sizes: tuple[int, ...] = (10, 20)
    """Variables of the models that are trained on, one size after the other."""

    data: Path
    """The directory of the models."""

    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """The network that is trained."""

    @rule("policy.hidden_size", "grpo.group_size")
    def fits_the_card(self) -> str | None:
        """A group of policies has to fit the memory of one card."""
        needed = self.policy.hidden_size * self.grpo.group_size
        return f"The policy does not fit the card ({needed} is above 65536)" if needed > 65536 else None

    @advice("graph_sizes")
    def grows(self) -> str | None:
        """A curriculum starts with small models."""
        is_sorted = list(self.graph_sizes) == sorted(self.graph_sizes)
        return None if is_sorted else "Graph sizes do not grow: the curriculum starts with large models"


def main() -> None:
    """Start the job, or go on with it."""
    try:
        config = load_training_config(schema=ExperimentConfig)
    except ConfigurationError as error:
        sys.exit(str(error))
    print(f"{config.fingerprint}: seed {config.seed}, {config.policy}, sizes {config.graph_sizes} from {config.data}")


if __name__ == "__main__":
    main()
