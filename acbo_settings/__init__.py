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

from .schema import (
    EvaluationConfig,
    ExplorationTrainingConfig,
    GRPOTrainingConfig,
    RewardTrainingConfig,
    TrainingConfig,
)

if TYPE_CHECKING:
    from .components import ExplorationConfig, GRPOConfig
    from .differences import Difference, find_differences
    from .editor_schema import json_schema
    from .errors import ConfigurationError, ConfigurationWarning, Problem
    from .frozen import load_frozen_config
    from .loading import load_training_config, resolve_training_config
    from .origins import Argument, Default, File, SourcedValue, Variable
    from .plan import TrainingPlan, plan_training
    from .ranks import assert_same_across_ranks
    from .resolving import (
        ResolvedConfig,
        create_default_training_config,
        create_training_config,
        validate_training_config,
    )

_MODULE_OF = {
    "Argument": "origins",
    "ConfigurationError": "errors",
    "ConfigurationWarning": "errors",
    "Default": "origins",
    "Difference": "differences",
    "ExplorationConfig": "components",
    "File": "origins",
    "GRPOConfig": "components",
    "Problem": "errors",
    "ResolvedConfig": "resolving",
    "SourcedValue": "origins",
    "TrainingPlan": "plan",
    "Variable": "origins",
    "assert_same_across_ranks": "ranks",
    "create_default_training_config": "resolving",
    "create_training_config": "resolving",
    "find_differences": "differences",
    "json_schema": "editor_schema",
    "load_frozen_config": "frozen",
    "load_training_config": "loading",
    "plan_training": "plan",
    "resolve_training_config": "loading",
    "validate_training_config": "resolving",
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
