"""Training configuration for ACBO: layered, validated, frozen, and every value with its origin.

A job starts with

>>> from acbo_settings import load_training_config
>>> load_training_config(environ={"ACBO_TOTAL_STEPS": "7000"}).total_steps
7000

and `help(load_training_config)` tells more. The functions are

load_training_config
    Load the configuration of this job: defaults < files < environment variables < overrides, key by key.
resolve_training_config
    Load the configuration of this job as `load_training_config` does, and keep where each value came from.
load_frozen_config
    Load the configuration of a run from its frozen file, exactly as the run started with it.
create_training_config
    Create a validated configuration from a dict, keyword arguments, or both.
create_default_training_config
    Create the default configuration, with the recommended settings.
validate_training_config
    Check a configuration, however it was built: types, ranges, and rules across settings.
mark_done
    Say that a run, or a point of a sweep, is done: `acbo-settings sweep status` then leaves it out.
run_directory
    The directory of the run, or of the point of a sweep, that this process loaded last, for what a job makes.
sweep_directories
    The directories of the points of a sweep that are not done, each to be loaded with `run_dir`.
assert_same_across_ranks
    Refuse to go on unless every rank has an equal configuration; metadata takes no part.
plan_training
    Work out what a run will do, if it is not stopped early.
learning_rate
    The learning rate at one step, with a linear warmup.
exploration_temperature
    The exploration temperature at one step.
find_differences
    The settings that two configurations have different values for, in the order of the schema.
json_schema
    The JSON Schema of an `acbo.toml`, draft 2020-12.
rule
    Declare a method of a schema of one's own as a rule across settings: what it says is an error.
advice
    Declare a method of a schema of one's own as advice across settings: what it says is a warning.

What each setting means is told by `help` of the dataclass it is a field of: `TrainingConfig`, `GRPOTrainingConfig`,
`RewardTrainingConfig`, `ExplorationTrainingConfig`, `EvaluationConfig`. Importing this package brings these alone;
pydantic is imported by the first call that needs it.
"""

from __future__ import annotations

__version__ = "0.2.0"

from importlib import import_module

from .config import (
    EvaluationConfig,
    ExplorationTrainingConfig,
    GRPOTrainingConfig,
    RewardTrainingConfig,
    TrainingConfig,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api import (
        assert_same_across_ranks,
        create_default_training_config,
        create_training_config,
        json_schema,
        load_frozen_config,
        load_training_config,
        mark_done,
        resolve_training_config,
        run_directory,
        sweep_directories,
        validate_training_config,
    )
    from .components import ExplorationConfig, GRPOConfig
    from .engine.declarations import Was, advice, rule
    from .engine.differences import Difference, find_differences
    from .engine.loading.resolved import ResolvedConfig
    from .engine.origins import Argument, Assignment, Default, File, FrozenFile, SweepItem, Variable
    from .engine.problems import ConfigurationError, ConfigurationWarning, Problem
    from .engine.values import SourcedValue
    from .plan import TrainingPlan, plan_training
    from .schedules import exploration_temperature, learning_rate

_MODULES = {
    "api": (
        "load_training_config",
        "resolve_training_config",
        "load_frozen_config",
        "create_training_config",
        "create_default_training_config",
        "validate_training_config",
        "assert_same_across_ranks",
        "json_schema",
        "mark_done",
        "run_directory",
        "sweep_directories",
    ),
    "components": ("ExplorationConfig", "GRPOConfig"),
    "engine.loading.resolved": ("ResolvedConfig",),
    "engine.origins": ("Argument", "Assignment", "Default", "File", "FrozenFile", "SweepItem", "Variable"),
    "engine.differences": ("Difference", "find_differences"),
    "engine.values": ("SourcedValue",),
    "engine.problems": ("ConfigurationError", "ConfigurationWarning", "Problem"),
    "engine.declarations": ("Was", "advice", "rule"),
    "plan": ("TrainingPlan", "plan_training"),
    "schedules": ("learning_rate", "exploration_temperature"),
}
# Names that nobody calls, but that pickles know.
_MODULES_OF_PARTS = {
    "engine": ("Part",),
    "engine.schema": ("Unread",),
    "engine.differences": ("Differences",),
    "engine.toml_document": ("Document", "Position"),
    "plan": ("Recurring", "Schedule"),
}
_MODULE_OF = {
    name: module for modules in (_MODULES, _MODULES_OF_PARTS) for module, names in modules.items() for name in names
}

__all__ = [
    "Argument",
    "Assignment",
    "ConfigurationError",
    "ConfigurationWarning",
    "Default",
    "Difference",
    "EvaluationConfig",
    "ExplorationConfig",
    "ExplorationTrainingConfig",
    "File",
    "FrozenFile",
    "GRPOConfig",
    "GRPOTrainingConfig",
    "Problem",
    "ResolvedConfig",
    "RewardTrainingConfig",
    "SourcedValue",
    "SweepItem",
    "TrainingConfig",
    "TrainingPlan",
    "Variable",
    "Was",
    "advice",
    "assert_same_across_ranks",
    "create_default_training_config",
    "create_training_config",
    "exploration_temperature",
    "find_differences",
    "json_schema",
    "learning_rate",
    "load_frozen_config",
    "load_training_config",
    "mark_done",
    "plan_training",
    "resolve_training_config",
    "rule",
    "run_directory",
    "sweep_directories",
    "validate_training_config",
]


if not TYPE_CHECKING:  # with them in sight, type checkers would take any name
    # The dataclasses wear this package's name, so that their annotations are resolved here.
    from .config import Annotated, Any, Ge, Gt, Le, Literal, PMap  # noqa: F401

    def __getattr__(name):
        """Import the module that a public name lives in when the name is first used (PEP 562)."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
