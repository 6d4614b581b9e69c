"""The two functions that a job starts with. What they need is imported when they are called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .inputs import read_inputs

if TYPE_CHECKING:
    from .resolving import ResolvedConfig
    from .schema import TrainingConfig


def load_training_config(
    path: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
) -> TrainingConfig:
    """Load the configuration of this job: defaults < file < environment variables < overrides, key by key.

    Args:
        path: The TOML file. Without it: the one that `ACBO_CONFIG_FILE` names, else `acbo.toml` in the working
            directory, else none. A file that is named must exist.
        overrides: Settings that win over everything, nested as in the file. It is not changed.
        environ: The environment to read; without it, that of the process.
        strict: Whether an unknown `ACBO_*` variable is an error; with False it is a `ConfigurationWarning`.

    Returns:
        The validated, frozen configuration.

    Raises:
        ConfigurationError: With everything that is wrong, each with its source.
        TypeError: When `path` is no path.

    Warns:
        ConfigurationWarning: For each legal but suspicious combination that somebody's value causes.

    >>> config = load_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    >>> config.grpo.group_size, config.total_steps
    (128, 5000)
    """
    return resolve_training_config(path, overrides=overrides, environ=environ, strict=strict).config


def resolve_training_config(
    path: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
) -> ResolvedConfig:
    """Load the configuration of this job as `load_training_config` does, and keep where each value came from.

    Args:
        path: As for `load_training_config`, like the others.
        overrides: Settings that win over everything.
        environ: The environment to read.
        strict: Whether an unknown `ACBO_*` variable is an error; with False it is a `ConfigurationWarning`.

    Returns:
        The configuration and the origins of its values.

    Raises:
        ConfigurationError: With everything that is wrong, each with its source.
        TypeError: When `path` is no path.

    Warns:
        ConfigurationWarning: For each legal but suspicious combination.

    >>> resolved = resolve_training_config(overrides={"rewards": {"reward_scaling": "clip"}}, environ={})
    >>> resolved.explain("rewards.reward_scaling")
    '"clip", from overrides, over the default "tanh"'
    """
    from .merging import read_layers
    from .resolving import resolve_layers

    return resolve_layers(read_layers(read_inputs(path, overrides, environ)), strict)
