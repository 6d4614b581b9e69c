"""One configuration file of the command line, judged without raising: what is wrong with it, and what is advised."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api import SCHEMA
from ..engine.canonical import KeyPath
from ..engine.inputs import Inputs, Start, exists, is_directory, is_frozen, process_environment, read_start
from ..engine.loading.layers import read_layers
from ..engine.loading.resolved import ResolvedConfig, judge
from ..engine.loading.surroundings import no_file
from ..engine.names import find_path
from ..engine.problems import ConfigurationError, Problem, file_problem
from ..engine.schema import Schema
from ..engine.values import SourcedValue
from .output import print_advice, print_problems

if TYPE_CHECKING:
    from ..jobs.part import Part

FILE_NAME, FROZEN_NAME = SCHEMA.application.file_name, SCHEMA.application.frozen_name

DEFAULTS = "defaults"
"""The word that stands for a configuration without any file and variable."""

FROZEN_NOTE = "note: the ACBO_* variables of this shell take no part in a frozen configuration"


class CheckedFile(NamedTuple):
    """What came of one file.

    `files` are those that were read as they were named or found, each behind what it extends, or none when there was
    none; `values` each setting as far as it was read, or None when nothing was; `resolved` the configuration, or None
    when it is not valid; `frozen` tells whether it is the frozen file of a run, in which variables take no part. Of the
    file of a job, `parts` are what it gives, each judged, and `job_advice` what is advised of all of them. `refused` is
    what a run has frozen otherwise: the values are those of today, and not of the run.
    """

    files: tuple[str, ...]
    values: Mapping[KeyPath, SourcedValue] | None
    resolved: ResolvedConfig[Any] | None
    problems: tuple[Problem, ...]
    frozen: bool = False
    parts: tuple[tuple[Part, CheckedFile], ...] = ()
    job_advice: tuple[Problem, ...] = ()
    refused: bool = False

    @property
    def path(self) -> str | None:
        """The file itself, or None when there was none."""
        return self.files[-1] if self.files else None

    @property
    def advice(self) -> tuple[Problem, ...]:
        """What is legal but will hardly do what was meant."""
        return self.resolved.advice if self.resolved else self.job_advice


def check_file(
    schema: Schema,
    path: str | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Sequence[str] = (),
    needs_file: bool = False,
    prefers_frozen: bool = False,
) -> CheckedFile:
    """Resolve the configuration of a file, or of one in a directory, under some `KEY=VALUE` texts.

    Without a path it is what `load_training_config()` would return here: with the run that the variables name, in which
    nothing is written. In a frozen file that is named, no variable takes part: it is what its run started with. The
    `defaults` are without any file and variable.
    """
    if path == DEFAULTS:
        return check_file(schema, os.devnull, {}, settings)._replace(files=(DEFAULTS,))
    if path and _is_sweep(schema, path):
        hint = f"{schema.application.name} sweep show prints its points, each of which is a run"
        return CheckedFile((), None, None, (file_problem(path, "is the directory of a sweep", hint),))
    if path and (hint := _meant_besides_a_path(schema, path)):
        return CheckedFile((), None, None, (file_problem(path, "no such file", hint),))
    try:
        named = path and file_in(path, (FROZEN_NAME, FILE_NAME) if prefers_frozen else (FILE_NAME, FROZEN_NAME))
        overrides = [f"--set {text}" for text in settings] or None
        start = read_start(schema, named, overrides, environ, leaves_run=path is not None)
    except ConfigurationError as error:
        return CheckedFile((), None, None, error.problems)
    file = start.inputs.file
    frozen = bool(path and file and is_frozen(schema.application, file.name, file.content.decode(errors="replace")))
    if frozen:
        start = Start(Inputs(schema, start.inputs.files, overrides=start.inputs.overrides), {})
    checked = check_start(start, is_named=path is not None)
    checked = checked._replace(files=tuple(file.name for file in start.inputs.files), frozen=frozen)
    if start.point and start.frozen_file:
        return checked._replace(files=(start.frozen_file,))
    if file or not needs_file:
        return checked
    return checked._replace(resolved=None, problems=(no_file(start).replace(severity="error"), *checked.problems))


def _is_sweep(schema: Schema, path: str) -> bool:
    """Whether a path is the directory of a frozen sweep, and of nothing else."""
    names = (schema.application.sweep_name, FILE_NAME, FROZEN_NAME)
    return [exists(os.path.join(path, name)) for name in names] == [True, False, False]


def _meant_besides_a_path(schema: Schema, path: str) -> str:
    """What was meant by `KEY=VALUE`, or by a setting or section, where a path should be; empty for any other."""
    key, equals, _ = path.partition("=")
    found = find_path(schema, key)
    if not found or exists(path):
        return ""
    if equals:
        return f"did you mean --set {quote(path)}?"
    is_told = found[0] != "metadata"
    return f"did you mean {schema.application.name} explain {quote(path)}?" if is_told else ""


def check_start(start: Start, is_named: bool = False) -> CheckedFile:
    """Judge what a start is given, held to its run unless its file is named."""
    layers = read_layers(start)
    try:
        if start.frozen_file and not is_named:
            from ..engine.runs.start import preview_start

            resolved = preview_start(start, start.frozen_file)
        else:
            resolved = judge(layers)
    except ConfigurationError as error:
        values = layers.values if layers.complete else None
        return CheckedFile((), values, None, error.problems, refused=bool(start.frozen_file and not is_named))
    return CheckedFile((), resolved.values, resolved, ())


def file_in(path: str, names: Sequence[str]) -> str:
    """The configuration file that a path stands for: a file, or the first of the names in a directory.

    In a directory that has none of the names, it is the `acbo.toml` that is missing.
    """
    if not is_directory(path):
        return path
    found = [os.path.join(path, name) for name in names if os.path.lexists(os.path.join(path, name))]
    return found[0] if found else os.path.join(path, FILE_NAME)


def print_findings(checked: CheckedFile) -> None:
    """Write what is wrong with a file, or advised, to stderr."""
    if checked.problems:
        print_problems(checked.problems)
    print_advice(checked.advice)


def has_variables() -> bool:
    """Whether this shell has variables of the package."""
    return bool(process_environment(SCHEMA))
