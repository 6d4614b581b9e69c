"""Training configuration for ACBO: layered, validated, frozen, and every value with its origin.

`load_training_config()` at the start of a job is what most programs need. Importing this package brings the schema
alone; pydantic is imported by the first call that needs it.

>>> import acbo_settings
>>> acbo_settings.load_training_config(environ={"ACBO_TOTAL_STEPS": "7000"}).total_steps
7000
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

from .config import (
    EvaluationConfig,
    ExplorationTrainingConfig,
    GRPOTrainingConfig,
    RewardTrainingConfig,
    TrainingConfig,
)

if TYPE_CHECKING:
    from .api import load_training_config, resolve_training_config
    from .components import ExplorationConfig, GRPOConfig
    from .editor_schema import json_schema
    from .engine.differences import Difference, find_differences
    from .engine.errors import ConfigurationError, ConfigurationWarning, Problem
    from .engine.frozen import load_frozen_config
    from .engine.loading.resolved import (
        ResolvedConfig,
        create_default_training_config,
        create_training_config,
        validate_training_config,
    )
    from .engine.runs.ranks import assert_same_across_ranks
    from .engine.values import Argument, Default, File, SourcedValue, Variable
    from .plan import TrainingPlan, plan_training

_MODULE_OF = {
    "Argument": "engine.values",
    "ConfigurationError": "engine.errors",
    "ConfigurationWarning": "engine.errors",
    "Default": "engine.values",
    "Difference": "engine.differences",
    "ExplorationConfig": "components",
    "File": "engine.values",
    "GRPOConfig": "components",
    "Problem": "engine.errors",
    "ResolvedConfig": "engine.loading.resolved",
    "SourcedValue": "engine.values",
    "TrainingPlan": "plan",
    "Variable": "engine.values",
    "assert_same_across_ranks": "engine.runs.ranks",
    "create_default_training_config": "engine.loading.resolved",
    "create_training_config": "engine.loading.resolved",
    "find_differences": "engine.differences",
    "json_schema": "editor_schema",
    "load_frozen_config": "engine.frozen",
    "load_training_config": "api",
    "plan_training": "plan",
    "resolve_training_config": "api",
    "validate_training_config": "engine.loading.resolved",
}

__all__ = [
    "Argument",
    "ConfigurationError",
    "ConfigurationWarning",
    "Default",
    "Difference",
    "EvaluationConfig",
    "ExplorationConfig",
    "ExplorationTrainingConfig",
    "File",
    "GRPOConfig",
    "GRPOTrainingConfig",
    "Problem",
    "ResolvedConfig",
    "RewardTrainingConfig",
    "SourcedValue",
    "TrainingConfig",
    "TrainingPlan",
    "Variable",
    "assert_same_across_ranks",
    "create_default_training_config",
    "create_training_config",
    "find_differences",
    "json_schema",
    "load_frozen_config",
    "load_training_config",
    "plan_training",
    "resolve_training_config",
    "validate_training_config",
]


if not TYPE_CHECKING:  # with it in sight, type checkers would take any name

    def __getattr__(name):
        """Import the module that a public name lives in when the name is first used (PEP 562)."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
