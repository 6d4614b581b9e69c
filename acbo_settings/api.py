"""What a job calls: the functions of the reference, bound to ACBO's settings. Imports wait until they are needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

from .config import TrainingConfig
from .engine import entrance, public
from .engine.frozen import load_frozen, missing_advice, unchanged_config
from .engine.inputs import Start, as_utf8, read_start
from .engine.schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from typing_extensions import TypeVar

    Loaded = TypeVar("Loaded")

    from .engine.inputs import OnChange
    from .engine.loading.resolved import ResolvedConfig

    Config = TypeVar("Config", bound=TrainingConfig, default=TrainingConfig)

SCHEMA = Schema.of(TrainingConfig)
"""ACBO's settings, as the engine takes them: the one binding of the two."""


def schema_of(root: Any) -> Schema:
    """The settings of a class: the reference's, or those of a subclass with settings of one's own."""
    if root is None:
        return SCHEMA
    if not isinstance(root, type) or not issubclass(root, TrainingConfig):
        raise TypeError(f"schema must be a subclass of TrainingConfig, not {getattr(root, '__name__', root)}")
    return Schema.of(root)


@public
@entrance
def load_training_config(
    path: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
    run_dir: str | os.PathLike[str] | None = None,
    on_change: OnChange | None = None,
    may_change: Iterable[str] | None = None,
    sweep: str | os.PathLike[str] | None = None,
    index: int | None = None,
    schema: type[Config] | None = None,
    allgather: Callable[[Any], Sequence[Any]] | None = None,
) -> Config:
    """Load the configuration of this job: defaults < files < environment variables < overrides, key by key.

    Args:
        path: The TOML file, or a directory with an `acbo.toml`. Without it: the one that `ACBO_CONFIG_FILE` names,
            else `acbo.toml` in the working directory, else none, with a warning. A file that is named must exist;
            `os.devnull` says that none is meant. The files that it names under `extends` lie below it.
        overrides: Settings that win over everything: a dict, nested as in the file or with dotted keys, or a list of
            texts such as `["grpo.group_size=128", "metadata.note=first"]`, of which later ones win. It is not changed.
        environ: The environment to read; without it, that of the process.
        strict: Whether an unknown `ACBO_*` variable is an error; with False it is a `ConfigurationWarning`.
        run_dir: The directory of a run, which holds the run to one configuration. The first start writes it to
            `acbo.frozen.toml` there, and creates the directory; every later start, and every other rank, gets exactly
            that one, metadata included, or is refused. Without it, the directory that `ACBO_RUN_DIR` names, if it is
            set.
        on_change: What to do when today's values are not the frozen ones. "error" refuses to start; "keep" goes on with
            the frozen ones, with a warning; "replace" freezes today's, custom metadata included, and keeps the old file
            as `acbo.frozen.<fingerprint>.toml`, with a number if need be. Today's inputs must be valid in any case.
            Without it, what `ACBO_ON_CHANGE` says, else "error".
        may_change: Settings, whole sections and keys of the metadata, such as `("total_steps", "evaluation",
            "metadata.pod")`, that may change from start to start: today's values of them are used. The frozen file
            keeps the old ones, unless it is replaced. Without it, the names in `ACBO_MAY_CHANGE`, separated by commas.
        sweep: The directory of a sweep that `acbo-settings sweep freeze` wrote. The configuration is that of one of its
            points, whose directory is the run. No file is read; a variable or an override with another value than the
            frozen one is refused. Without it, the directory that `ACBO_SWEEP` names, if it is set.
        index: The number of the point, counted from 0. Without it, `ACBO_SWEEP_INDEX`, else `SLURM_ARRAY_TASK_ID`, else
            `JOB_COMPLETION_INDEX`, which Indexed Jobs of Kubernetes have.
        schema: A subclass of `TrainingConfig` with settings of one's own. They take part in everything: files,
            variables, reports, equality, fingerprint, the run.
        allgather: Gathers one text from every rank, as for `assert_same_across_ranks`; every rank has to pass it. Then
            a configuration is returned on every rank, and everywhere the same one, or on none.

    Returns:
        The validated, frozen configuration, an instance of `schema`. That a point of a sweep is started is noted in
        `acbo.started.toml` in its directory, with host and job, by the first rank.

    Raises:
        ConfigurationError: With everything that is wrong, each with its source; when the run started with another
            configuration, each setting that differs; when the run's file is damaged, or cannot be read or written; when
            `run_dir` and `ACBO_RUN_DIR` name different directories; when nothing says which point of a sweep is meant,
            or there is no such point; with `allgather` on every rank, when any rank fails or has another configuration.
        TypeError: When `path`, `run_dir` or `sweep` is no path, `may_change` a single text, or it or `on_change` is
            given and no run is named; when `index` is given and no sweep, or `path` and a sweep; when `schema` has a
            field that no setting can be.
        ValueError: When `on_change` is none of its three values.

    Warns:
        ConfigurationWarning: When there is no file and none was named; for each legal but suspicious combination that
            somebody's value causes; for each value that is kept. Of several ranks only the first one warns. A start
            that finds the run frozen from the very same inputs has nothing to resolve, and is silent.

    >>> from acbo_settings import load_frozen_config
    >>> config = load_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    >>> config.grpo.group_size, config.total_steps
    (128, 5000)
    >>> load_training_config(overrides=["grpo.group_size=32"], environ={}).grpo.group_size
    32
    >>> load_training_config(run_dir="runs/17", environ={"ACBO_TOTAL_STEPS": "7000"}) == load_frozen_config("runs/17")
    True
    """

    def load() -> Config:
        """Load on this rank."""
        start = _read_start(schema, path, overrides, environ, strict, run_dir, on_change, may_change, sweep, index)
        _forget_last(start)
        unchanged = unchanged_config(start)  # without pydantic: the same inputs have the same values
        if unchanged is None:
            resolved: ResolvedConfig[Config] = _resolve(start)
            return resolved.config
        _note_start(start)
        config: Config = unchanged
        return config

    return load() if allgather is None else _load_same(load, lambda config: config, allgather, environ)


@public
@entrance
def resolve_training_config(
    path: str | os.PathLike[str] | None = None,
    *,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
    run_dir: str | os.PathLike[str] | None = None,
    on_change: OnChange | None = None,
    may_change: Iterable[str] | None = None,
    sweep: str | os.PathLike[str] | None = None,
    index: int | None = None,
    schema: type[Config] | None = None,
    allgather: Callable[[Any], Sequence[Any]] | None = None,
) -> ResolvedConfig[Config]:
    """Load the configuration of this job as `load_training_config` does, and keep where each value came from.

    Args:
        path: As for `load_training_config`, like the others.
        overrides: Settings that win over everything.
        environ: The environment to read.
        strict: Whether an unknown `ACBO_*` variable is an error.
        run_dir: The directory of a run.
        on_change: What to do when today's values are not the frozen ones.
        may_change: Settings, sections and keys of the metadata that may change from start to start.
        sweep: The directory of a sweep.
        index: The number of a point of it.
        schema: A subclass of `TrainingConfig` with settings of one's own.
        allgather: Gathers one text from every rank.

    Returns:
        The configuration and the origins of its values; one that a run keeps against today's has its origin in the
        frozen file. With `run_dir` too the layers are always read, and advice is given.

    Raises:
        ConfigurationError: As `load_training_config`, like the next two.
        TypeError: When an argument has a wrong type.
        ValueError: When `on_change` is none of its three values.

    Warns:
        ConfigurationWarning: As `load_training_config`.

    >>> resolved = resolve_training_config(overrides={"rewards": {"reward_scaling": "clip"}}, environ={})
    >>> resolved.explain("rewards.reward_scaling")
    '"clip", from overrides, over the default "tanh"'
    """

    def load() -> ResolvedConfig[Config]:
        """Load on this rank."""
        start = _read_start(schema, path, overrides, environ, strict, run_dir, on_change, may_change, sweep, index)
        return _resolve(start)

    return load() if allgather is None else _load_same(load, lambda resolved: resolved.config, allgather, environ)


def _load_same(
    load: Callable[[], Loaded],
    config_of: Callable[[Loaded], Any],
    allgather: Callable[[Any], Sequence[Any]],
    environ: Mapping[str, str] | None,
) -> Loaded:
    from .engine.runs.ranks import load_same

    loaded: Loaded = load_same(load, config_of, allgather, os.environ if environ is None else environ)
    return loaded


def _read_start(
    schema: type[Any] | None,
    path: Any,
    overrides: Mapping[str, Any] | Sequence[str] | None,
    environ: Mapping[str, str] | None,
    strict: bool,
    run_dir: Any,
    on_change: OnChange | None,
    may_change: Iterable[str] | None,
    sweep: Any,
    index: int | None,
) -> Start:
    """Read what a start is given; its paths are UTF-8, whatever the locale."""
    paths = {"path": as_utf8(path), "run_dir": as_utf8(run_dir), "sweep": as_utf8(sweep)}
    return read_start(
        schema_of(schema),
        overrides=overrides,
        environ=environ,
        strict=strict,
        on_change=on_change,
        may_change=may_change,
        index=index,
        **paths,
    )


def _resolve(start: Start) -> ResolvedConfig[Any]:
    _forget_last(start)
    if start.frozen_file is None:
        from .engine.loading.resolved import resolve

        return resolve(start)
    from .engine.runs.start import resolve_start

    resolved = resolve_start(start, start.frozen_file)
    _note_start(start)
    return resolved


_loaded_last: list[tuple[str, str]] = []
"""The directory of the run that this process loaded last, if it did, and of a point the seal of its frozen file."""


def _forget_last(start: Start) -> None:
    """Forget which run was loaded before, because a start of another one that is refused loads none."""
    if start.frozen_file is not None:
        _loaded_last.clear()


def _note_start(start: Start) -> None:
    """Note which run this process has loaded, and with a point of a sweep that it is started."""
    if start.frozen_file is None:
        return
    seal = start.point.seal if start.point else ""
    _loaded_last[:] = [(os.path.abspath(os.path.dirname(start.frozen_file)), seal)]
    if start.point is None:
        return
    from .engine.launcher import is_first_rank

    if is_first_rank(start.environ):
        from .engine.runs.marks import mark_started

        mark_started(start.inputs.schema, start.point, start.environ)


@public
def run_directory() -> Path:
    """The directory of the run, or of the point of a sweep, that this process loaded last, for what a job makes.

    Returns:
        The directory, absolute.

    Raises:
        RuntimeError: When this process has loaded no run.

    >>> from acbo_settings import load_training_config
    >>> config = load_training_config(run_dir="runs/18", environ={})
    >>> run_directory().name
    '18'
    """
    from pathlib import Path

    return Path(_last_loaded()[0])


def _last_loaded() -> tuple[str, str]:
    if not _loaded_last:
        raise RuntimeError("this process has loaded no run: load the configuration with run_dir, or as a sweep's point")
    return _loaded_last[0]


@public
@entrance
def mark_done(run_dir: str | os.PathLike[str] | None = None) -> None:
    """Say that a run, or a point of a sweep, is done: `acbo-settings sweep status` then leaves it out.

    Args:
        run_dir: The directory of the run. Without it, the run or the point that this process loaded last; where
            several threads load, name it.

    Raises:
        ConfigurationError: When there is no frozen file in the directory, or nothing can be written there.
        TypeError: When `run_dir` is no path.
        RuntimeError: When `run_dir` is not given, and this process has loaded no run.

    >>> import os
    >>> from acbo_settings import load_training_config
    >>> config = load_training_config(run_dir="runs/19", environ={})
    >>> mark_done()
    >>> os.path.exists("runs/19/acbo.done.toml")
    True
    """
    from .engine.inputs import path_text
    from .engine.runs.marks import mark_done as mark

    directory = _last_loaded()[0] if run_dir is None else path_text(as_utf8(run_dir), "run_dir")
    seals = dict(_loaded_last)  # what this process has loaded is done as it was loaded
    mark(SCHEMA, directory, seals.get(os.path.abspath(directory), ""))


@public
@entrance
def sweep_directories(sweep: str | os.PathLike[str]) -> list[str]:
    """The directories of the points of a sweep that are not done, each to be loaded with `run_dir`.

    Args:
        sweep: The directory of a sweep that `acbo-settings sweep freeze` wrote.

    Returns:
        The directories in the order of the points' numbers, without retired points. They are absolute, because what
        starts tasks may do so in another working directory.

    Raises:
        ConfigurationError: When the sweep is not frozen, or its file was damaged.
        TypeError: When `sweep` is no path.

    >>> import os
    >>> from acbo_settings.cli.main import main
    >>> with open("sweep.toml", "w") as file:
    ...     _ = file.write("[grid]\\ntotal_steps = [5000, 7000]")
    >>> main(["sweep", "freeze", "--dir", "sweeps/steps"])
    0-1
    0
    >>> [os.path.basename(directory) for directory in sweep_directories("sweeps/steps")]
    ['0000', '0001']
    """
    from .engine.inputs import path_text
    from .engine.runs.marks import find_states

    directory = os.path.abspath(path_text(as_utf8(sweep), "sweep"))
    return [state.directory for state in find_states(SCHEMA, directory) if state.name != "done"]


@public
@entrance
def load_frozen_config(path: str | os.PathLike[str], *, schema: type[Config] | None = None) -> Config:
    """Load the configuration of a run from its frozen file, exactly as the run started with it.

    Args:
        path: The file, or the run's directory that holds an `acbo.frozen.toml`.
        schema: A subclass of `TrainingConfig` with settings of one's own.

    Returns:
        The configuration with its metadata. Neither `acbo.toml` nor variables take part.

    Raises:
        ConfigurationError: When the file is missing, unreadable, empty, cut, edited, or of a newer format; when it
            holds settings that `schema` does not have.
        TypeError: When `path` is no path.

    Warns:
        ConfigurationWarning: For each setting that the file does not know; it has its default.

    >>> from acbo_settings import load_training_config
    >>> config = load_training_config(run_dir="runs/17", environ={"ACBO_TOTAL_STEPS": "7000"})
    >>> load_frozen_config("runs/17").total_steps
    7000
    """
    frozen = load_frozen(schema_of(schema), as_utf8(path))
    if advice := missing_advice(frozen):
        from .engine.loading.resolved import warn

        warn(advice, os.environ)
    config: Config = frozen.config
    return config


@public
@entrance
def create_training_config(
    config_dict: Mapping[str, Any] | None = None, *, schema: type[Config] | None = None, **kwargs: Any
) -> Config:
    """Create a validated configuration from a dict, keyword arguments, or both.

    Args:
        config_dict: Settings, nested as in `acbo.toml` or with dotted keys. What is given is recorded in `metadata`,
            keys at the top level that are not settings included; scalars of numpy are what their `item()` is. It is not
            changed.
        schema: A subclass of `TrainingConfig` with settings of one's own.
        **kwargs: The same; they win over the dict. Sections are merged key by key.

    Returns:
        The validated, frozen configuration.

    Raises:
        ConfigurationError: A ValueError, with everything that is wrong.

    Warns:
        ConfigurationWarning: For suspicious combinations, and for a section's field at the top level.

    >>> config = create_training_config({"grpo": {"group_size": 128}}, total_steps=10000, note="scm20")
    >>> config.grpo.group_size, config.total_steps, config.metadata["note"]
    (128, 10000, 'scm20')
    """
    from .engine.loading.arguments import read_arguments
    from .engine.loading.layers import merge_sources
    from .engine.loading.resolved import judge, warn

    arguments = {"config_dict": config_dict, "keyword arguments": kwargs}
    settings = schema_of(schema)
    resolved: ResolvedConfig[Config] = judge(
        merge_sources(settings, *read_arguments(settings, arguments, is_call=True))
    )
    warn(resolved.advice, os.environ)
    return resolved.config


@public
@entrance
def create_default_training_config(*, schema: type[Config] | None = None) -> Config:
    """Create the default configuration, with the recommended settings.

    Args:
        schema: A subclass of `TrainingConfig` with settings of one's own.

    Returns:
        The defaults, with empty metadata.

    Raises:
        ConfigurationError: When a setting of `schema` has no default, or its defaults break a rule.

    >>> create_default_training_config().grpo.group_size
    64
    """
    settings = schema_of(schema)
    if settings is SCHEMA:  # whose defaults the tests hold
        default: Config = settings.root()
        return default
    return create_training_config(schema=schema)


@public
@entrance
def validate_training_config(config: TrainingConfig) -> bool:
    """Check a configuration, however it was built: types, ranges, and rules across settings.

    Args:
        config: The configuration. Besides what loading and creating check, its `eval_frequency` and its
            `surrogate_update_frequency` must not be above `total_steps`. What its metadata holds is not checked.

    Returns:
        True.

    Raises:
        ConfigurationError: A ValueError, with everything that is wrong.

    >>> from acbo_settings import TrainingConfig
    >>> validate_training_config(TrainingConfig(total_steps=10000))
    True
    """
    from .engine.loading.validation import validate_config

    schema = Schema.of(type(config)) if isinstance(config, TrainingConfig) else SCHEMA
    if problems := validate_config(schema, config):
        from .engine.report import refusal

        raise refusal(problems)
    return True


@public
@entrance
def assert_same_across_ranks(config: TrainingConfig, allgather: Callable[[Any], Sequence[Any]]) -> None:
    """Refuse to go on unless every rank has an equal configuration; metadata takes no part.

    Every rank has to call it. While they agree it gathers one text of 16 characters; the settings are gathered only
    when they do not, with the number that the launcher gave each rank, so that the order of what comes back does not
    matter. A rank that could not load hangs the others here: `load_training_config(allgather=...)` does both.

    Args:
        config: The configuration of this rank, validated.
        allgather: Gathers one Python object (here a text) from every rank, and returns them all: `comm.allgather` of
            mpi4py, or a wrapper for `torch.distributed.all_gather_object` or
            `jax.experimental.multihost_utils.process_allgather`; see the README.

    Raises:
        ConfigurationError: On every rank the same, with each setting that differs, its values, and which ranks have
            them.
        TypeError: When `allgather` does not return a sequence that holds what it was given.

    >>> from acbo_settings import create_training_config
    >>> config = create_training_config(log_frequency=20)
    >>> def allgather(text):  # as if there were a second rank that logs every 10 steps
    ...     return [text, text[::-1] if len(text) == 16 else text.replace('"20"', '"10"')]
    >>> assert_same_across_ranks(config, allgather)
    Traceback (most recent call last):
    ...
    acbo_settings.ConfigurationError: Configuration validation failed: 2 problems
    <BLANKLINE>
      ranks: 2 ranks have 2 different configurations; start them from the same file and variables, or with one run_dir
      log_frequency: 20 on rank 0; 10 on rank 1
    """
    from .engine.runs.ranks import require_same

    require_same(config, allgather, os.environ)


@public
def json_schema(*, schema: type[TrainingConfig] | None = None) -> dict[str, Any]:
    """The JSON Schema of an `acbo.toml`, draft 2020-12.

    The top level and the sections are closed: an unknown key is a mistake, and notes go below `metadata`. Loading is
    stricter in what no schema can say: it refuses `64.0` for an integer, nan and infinities, integers of more than 300
    digits, settings and secrets inside `[metadata]`, and what breaks a rule across settings.

    Args:
        schema: A subclass of `TrainingConfig` with settings of one's own.

    Returns:
        A new dict, ready for `json.dumps`.

    >>> json_schema()["properties"]["grpo"]["properties"]["group_size"]["minimum"]
    8
    """
    from .editor_schema import editor_schema

    return editor_schema(schema_of(schema))
