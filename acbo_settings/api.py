"""The two functions that a job starts with. What they need is imported when they are called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .engine.inputs import Inputs, read_inputs

if TYPE_CHECKING:
    from .config import TrainingConfig
    from .engine.loading.resolved import ResolvedConfig
    from .engine.runs.arguments import OnChange


def load_training_config(
    path: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
    run_dir: str | os.PathLike[str] | None = None,
    on_change: OnChange = "error",
    may_change: Iterable[str] = (),
) -> TrainingConfig:
    """Load the configuration of this job: defaults < file < environment variables < overrides, key by key.

    Args:
        path: The TOML file. Without it: the one that `ACBO_CONFIG_FILE` names, else `acbo.toml` in the working
            directory, else none. A file that is named must exist.
        overrides: Settings that win over everything, nested as in the file. It is not changed.
        environ: The environment to read; without it, that of the process.
        strict: Whether an unknown `ACBO_*` variable is an error; with False it is a `ConfigurationWarning`.
        run_dir: The directory of a run, which holds the run to one configuration. The first start writes it to
            `acbo.frozen.toml` there, and creates the directory; every later start, and every other rank, gets exactly
            that one, metadata included, or is refused.
        on_change: What to do when today's values are not the frozen ones. "error" refuses to start; "keep" goes on with
            the frozen ones, with a warning; "replace" freezes today's, custom metadata included, and keeps the old file
            as `acbo.frozen.<fingerprint>.toml`, with a number if need be. Today's inputs must be valid in any case.
        may_change: Settings and whole components, such as `("total_steps", "evaluation")`, that may change from start
            to start: today's values of them are used. The frozen file keeps the old ones, unless it is replaced.

    Returns:
        The validated, frozen configuration.

    Raises:
        ConfigurationError: With everything that is wrong, each with its source; when the run started with another
            configuration, each setting that differs; when the run's file is damaged, or can not be read or written.
        TypeError: When `path` or `run_dir` is no path, `may_change` a single text, or one of the last two is given
            without `run_dir`.
        ValueError: When `on_change` is none of its three values.

    Warns:
        ConfigurationWarning: For each legal but suspicious combination that somebody's value causes, and for each
            value that is kept. A start that finds the run frozen from the very same inputs has nothing to resolve, and
            is silent.

    >>> from acbo_settings import load_frozen_config
    >>> config = load_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    >>> config.grpo.group_size, config.total_steps
    (128, 5000)
    >>> load_training_config(run_dir="runs/17", environ={"ACBO_TOTAL_STEPS": "7000"}) == load_frozen_config("runs/17")
    True
    """
    inputs = read_inputs(path, overrides, environ)
    if run_dir is None:
        return _resolve(inputs, strict, on_change, may_change).config
    from .engine.frozen import read_frozen
    from .engine.runs.arguments import digest_inputs, plan_start

    start = plan_start(run_dir, inputs, strict, on_change, may_change)
    frozen = read_frozen(start.name)
    if frozen and frozen.inputs and frozen.inputs == digest_inputs(inputs, strict):
        return frozen.config  # without pydantic: the same inputs have the same values
    from .engine.runs.start import resolve_run

    return resolve_run(start, frozen).config


def resolve_training_config(
    path: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
    run_dir: str | os.PathLike[str] | None = None,
    on_change: OnChange = "error",
    may_change: Iterable[str] = (),
) -> ResolvedConfig:
    """Load the configuration of this job as `load_training_config` does, and keep where each value came from.

    Args:
        path: As for `load_training_config`, like the others.
        overrides: Settings that win over everything.
        environ: The environment to read.
        strict: Whether an unknown `ACBO_*` variable is an error.
        run_dir: The directory of a run.
        on_change: What to do when today's values are not the frozen ones.
        may_change: Settings and whole components that may change from start to start.

    Returns:
        The configuration and the origins of its values; one that a run keeps against today's has its origin in the
        frozen file. With `run_dir` too the layers are always read, and advice is given.

    Raises:
        ConfigurationError: As `load_training_config`, like the next two.
        TypeError: When an argument has a wrong type.
        ValueError: When `on_change` is none of its three values.

    Warns:
        ConfigurationWarning: For each legal but suspicious combination, and for each value that is kept.

    >>> resolved = resolve_training_config(overrides={"rewards": {"reward_scaling": "clip"}}, environ={})
    >>> resolved.explain("rewards.reward_scaling")
    '"clip", from overrides, over the default "tanh"'
    """
    inputs = read_inputs(path, overrides, environ)
    if run_dir is None:
        return _resolve(inputs, strict, on_change, may_change)
    from .engine.frozen import read_frozen
    from .engine.runs.arguments import plan_start
    from .engine.runs.start import resolve_run

    start = plan_start(run_dir, inputs, strict, on_change, may_change)
    return resolve_run(start, read_frozen(start.name))


def _resolve(inputs: Inputs, strict: bool, on_change: OnChange, may_change: Iterable[str]) -> ResolvedConfig:
    """Resolve outside of any run, where the arguments of runs would have no effect."""
    if on_change != "error" or may_change:
        raise TypeError("on_change and may_change are for a run: they need run_dir")
    from .engine.loading.layers import read_layers
    from .engine.loading.resolved import judge_layers, warn

    resolved = judge_layers(read_layers(inputs), strict)
    warn(resolved.advice)
    return resolved
