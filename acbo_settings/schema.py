"""Where the dataclasses stood in 0.1: pickles of that version name this module."""

from __future__ import annotations

from .config import (
    EvaluationConfig,
    ExplorationTrainingConfig,
    GRPOTrainingConfig,
    RewardTrainingConfig,
    TrainingConfig,
)

__all__ = [
    "EvaluationConfig",
    "ExplorationTrainingConfig",
    "GRPOTrainingConfig",
    "RewardTrainingConfig",
    "TrainingConfig",
]
