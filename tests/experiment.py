"""Settings of one's own: a subclass of the reference's, with every kind of value, as a laboratory would write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len, MinLen, MultipleOf
from pydantic import Field

from acbo_settings import TrainingConfig
from acbo_settings.engine.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """How a graph is read."""

    heads: Annotated[int, MultipleOf(2)] = 4
    """Attention heads."""

    widths: Annotated[tuple[float, ...], Len(1, 4)] = (1.0, 2.0)
    """Widths of the layers, as multiples of the first."""

    files: tuple[Path, ...] = ()
    """What is read first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """The policy network."""

    hidden_size: Annotated[int, Ge(1), Le(4096)] = 128
    """Width of each layer."""

    activation: Literal["relu", "gelu"] = "gelu"
    """What stands between two layers."""

    layers: tuple[int, ...] = (256, 256)
    """Width of each layer of the head."""

    precision: Literal[16, 32] = 32
    """Bits of a weight."""

    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the units that are left out, if any."""

    encoder: EncoderConfig = field(default_factory=lambda: EncoderConfig(heads=8))
    """The part that reads the graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(TrainingConfig):
    """The configuration of one of our experiments."""

    seed: Annotated[int, Ge(0)] = 0
    """Seed of all random numbers."""

    policy: PolicyConfig = field(default_factory=PolicyConfig)
    """The network that is trained."""

    data: Path
    """The directory of the data."""

    tag: Annotated[str, MinLen(2)] | None = None
    """A short name, if there is one."""

    total_steps: Annotated[int, Ge(1)] = 20000
    """Training steps of the run: ours are longer."""


EXPERIMENT = Schema.of(ExperimentConfig)
