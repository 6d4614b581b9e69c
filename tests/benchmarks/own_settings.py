"""A class with 24 settings of its own, of every kind, beside the reference's 36."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from acbo_settings import TrainingConfig, Was, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """The network that reads the state."""

    heads: Annotated[int, Ge(1), Le(64)] = 8
    depth: Annotated[int, Ge(1)] = 4
    width: Annotated[int, Ge(1), Was("encoder.hidden_size", since="2.0")] = 256
    dropout: Annotated[float, Ge(0), Le(1)] = 0.1
    activation: Literal["relu", "gelu"] = "gelu"
    layers: tuple[int, ...] = (256, 256)
    is_shared: bool = True
    name: str = "encoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The network that is trained."""

    heads: Annotated[int, Ge(1), Le(64)] = 4
    depth: Annotated[int, Ge(1)] = 2
    width: Annotated[int, Ge(1)] = 128
    dropout: Annotated[float, Ge(0), Le(1)] = 0.0
    activation: Literal["relu", "gelu"] = "relu"
    rates: tuple[float, ...] = (0.1, 0.2)
    precision: Literal[16, 32] = 32
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SixtySettings(TrainingConfig):
    """The configuration of an experiment."""

    seed: Annotated[int, Ge(0), Was("metadata.seed", since="2.0")] = 0
    data: Path = Path("data")
    graphs: Annotated[int, Ge(1)] = 100
    nodes: tuple[int, ...] = (5, 10, 20)
    density: Annotated[float, Ge(0), Le(1)] = 0.3
    noise: Literal["gaussian", "uniform"] = "gaussian"
    curriculum: bool = False
    tag: str | None = None
    encoder: Encoder = field(default_factory=Encoder)
    policy: Policy = field(default_factory=Policy)

    @rule("policy.width", "grpo.group_size")
    def fits_the_card(self) -> str | None:
        """The groups fit the card."""
        return "The policy does not fit the card" if self.policy.width * self.grpo.group_size > 1_000_000 else None
