"""One configuration file of the command line, judged without raising: what is wrong with it, and what is advised."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..api import SCHEMA
from ..engine.inputs import Inputs, is_directory, is_frozen, process_environment, read_inputs
from ..engine.loading.layers import Layers, read_layers
from ..engine.loading.resolved import ResolvedConfig, judge
from ..engine.problems import ConfigurationError, Problem
from .output import note, print_advice, print_problems

FILE_NAME, FROZEN_NAME = SCHEMA.application.file_name, SCHEMA.application.frozen_name

FROZEN_NOTE = "note: the ACBO_* variables of this shell take no part in a frozen configuration"


class CheckedFile(NamedTuple):
    """What came of one file.

    `path` is the file as it was named or found, or None when there was none; `resolved` the configuration, or None when
    it is not valid; `frozen` tells whether it is the frozen file of a run, in which variables take no part.
    """

    path: str | None
    resolved: ResolvedConfig[Any] | None
    problems: tuple[Problem, ...]
    frozen: bool = False

    @property
    def advice(self) -> tuple[Problem, ...]:
        """What is legal but will hardly do what was meant."""
        return self.resolved.advice if self.resolved else ()


def check_file(path: str | None, environ: Mapping[str, str] | None = None) -> CheckedFile:
    """Resolve the configuration of a file, of a directory's, or without a path of the file that a job would read.

    In a frozen file that is named, no variable takes part: it is what its run started with.
    """
    inputs = read_inputs(SCHEMA, path and file_in(path), environ=environ)
    file = inputs.file
    frozen = bool(path and file and is_frozen(SCHEMA.application, file.name, file.content.decode(errors="replace")))
    if frozen:
        inputs = Inputs(SCHEMA, file)
    checked = check_layers(read_layers(inputs))
    return checked._replace(path=file.name if file else None, frozen=frozen)


def check_layers(layers: Layers) -> CheckedFile:
    """Judge what was read, and say what came of it."""
    try:
        return CheckedFile(layers.file, judge(layers), ())
    except ConfigurationError as error:
        return CheckedFile(layers.file, None, error.problems)


def file_in(path: str, names: Sequence[str] = (FILE_NAME, FROZEN_NAME)) -> str:
    """The configuration file that a path stands for: a file, or the first of the names in a directory.

    In a directory that has none of the names, it is the `acbo.toml` that is missing.
    """
    if not is_directory(path):
        return path
    found = [os.path.join(path, name) for name in names if os.path.lexists(os.path.join(path, name))]
    return found[0] if found else os.path.join(path, FILE_NAME)


def resolve_and_report(path: str | None, environ: Mapping[str, str] | None = None) -> CheckedFile:
    """Check one file, and write its report or its advice to stderr."""
    checked = check_file(path, environ)
    if checked.problems:
        print_problems(checked.problems)
    print_advice(checked.advice)
    if checked.frozen and environ is None and has_variables():
        note(FROZEN_NOTE)
    return checked


def has_variables() -> bool:
    """Whether this shell has variables of the package."""
    return bool(process_environment(SCHEMA.application))
