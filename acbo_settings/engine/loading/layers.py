"""All sources of one start, laid over one another: every value in force, and what is wrong so far; unjudged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import Record
from ..canonical import KeyPath, nested, plain
from ..inputs import Inputs, Start
from ..problems import Problem
from ..schema import Schema
from ..values import SourcedValue, default_layer, merge, merge_notes
from .environment import read_environment
from .file import read_files
from .keys import SortedKeys, find_doubles, find_unwritable_notes
from .source import Source


class Layers(Record):
    """The merged layers of one start; `read_layers` makes them.

    `values` has each setting by key path, with its origin and what it shadows, and `custom` each custom key, those
    inside tables each by its own, by paths such as `("metadata", "wandb", "group")`; `metadata` is these as a tree.
    `files` are the names of those that were read, each behind what it extends.
    Where a source could not be read, the layers are not `complete`: values that it holds are missing.
    """

    __slots__ = ("schema", "values", "custom", "metadata", "files", "problems", "complete")
    schema: Schema
    values: Mapping[KeyPath, SourcedValue]
    custom: Mapping[KeyPath, SourcedValue]
    metadata: Mapping[str, Any]
    files: tuple[str, ...]
    problems: Sequence[Problem]
    complete: bool

    def __init__(
        self,
        schema: Schema,
        values: Mapping[KeyPath, SourcedValue],
        custom: Mapping[KeyPath, SourcedValue],
        metadata: Mapping[str, Any],
        files: tuple[str, ...],
        problems: Sequence[Problem],
        complete: bool,
    ) -> None:
        self._fill(schema, values, custom, metadata, files, problems, complete)


def read_layers(start: Start) -> Layers:
    """Lay what a start is given over one another: defaults < files < environment < overrides."""
    inputs = start.inputs
    variables, wrong_variables = read_environment(inputs)
    files, wrong_files = read_files(inputs) if inputs.files else ([], [])
    arguments, wrong_arguments = _read_overrides(inputs)
    problems = [problem for problem in wrong_variables if not problem.at_key] + wrong_files
    unknown = [problem for problem in wrong_variables if problem.at_key]
    problems += [problem for problem in wrong_arguments if not problem.at_key]
    unknown += [problem for problem in wrong_arguments if problem.at_key]
    layers = merge_sources(inputs.schema, [*files, *variables, *arguments], problems)
    problems = [*_find_advice(start), *layers.problems, *unknown]
    return layers.replace(files=tuple(file.name for file in inputs.files), problems=problems)


def _read_overrides(inputs: Inputs) -> tuple[list[Source], list[Problem]]:
    """The overrides as sources; most starts have none, and do not import what reads them."""
    if inputs.overrides is None:
        return [], []
    from .arguments import read_overrides

    return read_overrides(inputs.schema, inputs.overrides)


def _find_advice(start: Start) -> list[Problem]:
    """What is advised because of what surrounds a start, where there can be anything."""
    run_variables = start.inputs.schema.application.run_variables
    is_surrounded = any(start.environ.get(name) for name in ("SLURM_JOB_ID", *run_variables))
    if start.inputs.files and not start.changeable and not is_surrounded and not start.point:
        return []
    from .surroundings import find_advice

    return find_advice(start)


def merge_sources(schema: Schema, sources: Sequence[Source], problems: Sequence[Problem] = ()) -> Layers:
    """Sort the keys of each source, lowest first, and lay their values over the defaults and one another.

    `problems` is what was wrong with reading them.
    """
    keys = [SortedKeys(schema, source) for source in sources]
    custom = merge_notes(found.custom for found in keys)
    unwritable = list(find_unwritable_notes(custom, keys))
    if not unwritable:
        custom = {path: sourced.replace(value=plain(sourced.value)) for path, sourced in custom.items()}
    return Layers(
        schema=schema,
        values=merge([default_layer(schema), *(found.settings for found in keys)]),
        custom=custom,
        metadata=nested({path[1:]: sourced.value for path, sourced in custom.items()}),
        files=(),
        problems=[
            *problems,
            *(problem for found in keys for problem in found.problems),
            *unwritable,
            *find_doubles(schema, keys),
        ],
        complete=not problems,
    )
