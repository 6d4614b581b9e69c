"""The file of a sweep on the command line, and what lies below its points: the `acbo.toml` beside it, and variables."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import NamedTuple

from ...engine.inputs import PATH_ARGUMENT, Start, exists, is_directory, process_environment, read_raw_file, read_start
from ...engine.loading.layers import Layers, read_layers
from ...engine.loading.sweep_file import SweepPoints, read_points
from ...engine.problems import Problem, file_problem
from ...engine.schema import Schema

SWEEP_NAME = "sweep.toml"
"""The file that is meant where a directory is named."""


class SweepFile(NamedTuple):
    """The file of a sweep, as it was read: its points, what all of them have, and what is wrong with its keys."""

    name: str
    start: Start
    layers: Layers
    points: SweepPoints
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """What is wrong with its keys, so that there are no points."""
        return [problem for problem in self.problems if problem.severity == "error"]


def read_sweep_file(arguments: Namespace) -> SweepFile:
    """Read the file of a sweep that a command is given; ConfigurationError when it cannot be read.

    The variables of a run take no part: the points become runs of their own.
    """
    schema: Schema = arguments.schema
    name = os.path.join(arguments.path, SWEEP_NAME) if is_directory(arguments.path) else arguments.path
    points, problems = read_points(schema, read_raw_file(name))
    environ = process_environment(schema) if arguments.env else {}
    environ = {key: text for key, text in environ.items() if key.upper() not in schema.application.run_variables}
    overrides = [f"--set {text}" for text in arguments.settings] or None
    beside = os.path.join(os.path.dirname(name), schema.application.file_name)
    is_named = any(key.upper() == schema.application.file_variable for key in environ)
    is_lacking = not is_named and not exists(beside)
    start = read_start(schema, None if is_named else os.devnull if is_lacking else beside, overrides, environ)
    for file in start.inputs.files:
        file.named_by = "" if file.named_by == PATH_ARGUMENT else file.named_by  # nobody has named it
    if is_lacking and len(points):
        problems.append(_no_file(schema, beside))
    return SweepFile(name, start, read_layers(start), points, problems)


def _no_file(schema: Schema, beside: str) -> Problem:
    """The advice for a sweep beside which there is no configuration file."""
    message = "no such file beside that of the sweep, so that defaults and variables alone lie below the points"
    hint = f"{schema.application.file_variable} names another one, or {os.devnull} for none"
    return file_problem(beside, message, hint).replace(severity="advice")
