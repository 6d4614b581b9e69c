"""Judging configuration files one by one, without raising: what is wrong with each, and what is advised."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..engine.errors import ConfigurationError, Problem
from ..engine.inputs import FILE_NAME, FROZEN_NAME, Inputs, is_directory, is_frozen, read_inputs
from ..engine.loading.layers import MergedLayers, read_layers
from ..engine.loading.resolved import ResolvedConfig, judge_layers


class CheckedFile(NamedTuple):
    """What came of one file; `check_file` makes it.

    Args:
        path: The file, as it was named or found; None when there was none.
        resolved: The configuration, or None when it is not valid.
        problems: Everything that is wrong.
        frozen: Whether it is the frozen file of a run, in which variables take no part.

    >>> check_file(None, environ={"ACBO_TOTAL_STEPS": "0"}).problems[0].path
    ('total_steps',)
    """

    path: str | None
    resolved: ResolvedConfig | None
    problems: tuple[Problem, ...]
    frozen: bool = False

    @property
    def advice(self) -> tuple[Problem, ...]:
        """What is legal but will hardly do what was meant."""
        return self.resolved.advice if self.resolved else ()


def check_file(path: str | None, environ: Mapping[str, str] | None = None) -> CheckedFile:
    """Resolve the configuration of one file, and say what came of it.

    Args:
        path: The file, or a directory that holds one; None for the one that a job would read.
        environ: The environment to read; without it, that of the process. In a frozen file that is named, no variable
            takes part: it is what its run started with.

    Returns:
        The configuration with its advice, or the problems; nothing is raised or warned about.

    >>> check_file("no-such-file.toml", environ={}).problems[0].message
    'no such file'
    """
    inputs = read_inputs(path and file_in(path), environ=environ)
    file = inputs.file
    frozen = bool(path and file and is_frozen(file.name, file.content.decode(errors="replace")))
    if frozen:
        inputs = Inputs(file, {}, None)
    checked = check_layers(read_layers(inputs))
    return checked._replace(path=file.name if file else None, frozen=frozen)


def check_layers(layers: MergedLayers) -> CheckedFile:
    """Judge what was read, and say what came of it.

    Args:
        layers: All sources of one load, laid over one another.

    Returns:
        The configuration with its advice, or the problems; nothing is raised or warned about.

    >>> check_layers(read_layers(read_inputs(environ={"ACBO_TOTAL_STEPS": "0"}))).problems[0].path
    ('total_steps',)
    """
    try:
        return CheckedFile(layers.file, judge_layers(layers), ())
    except ConfigurationError as error:
        return CheckedFile(layers.file, None, error.problems)


def file_in(path: str, names: Sequence[str] = (FILE_NAME, FROZEN_NAME)) -> str:
    """The configuration file that a path of the command line stands for.

    Args:
        path: A file, or a directory that holds one.
        names: The files to look for in a directory, the first one first.

    Returns:
        The file; in a directory that has none of the names, the `acbo.toml` that is missing.

    >>> file_in("experiments/acbo.toml"), file_in("/")
    ('experiments/acbo.toml', '/acbo.toml')
    """
    if not is_directory(path):
        return path
    found = [os.path.join(path, name) for name in names if os.path.lexists(os.path.join(path, name))]
    return found[0] if found else os.path.join(path, FILE_NAME)
