"""All sources of one load, laid over one another: every value in force, and what was wrong with reading; unjudged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..canonical import KeyPath
from ..errors import Problem
from ..inputs import Inputs
from ..schema import default_values
from ..values import Default, SourcedValue, merge
from .arguments import read_argument_layers, read_file_layer, read_table_layer, read_variable_layer
from .environment import sort_variables
from .file import UnreadableFile, decode_file
from .keys import Source, sort_keys
from .metadata import overlay


class MergedLayers(NamedTuple):
    """All sources of one load laid over one another; `read_layers` and `merge_sources` make it.

    Args:
        values: Each of the 36 settings by key path: the value as its layer gave it, its origin, and what it shadows.
        custom: The same for each custom key, by paths such as `("metadata", "experiment")`.
        metadata: The custom keys as one tree, tables of several sources merged.
        file: The file that was read, as it was named, or None.
        unreadable: Why a source could not be read: as long as there is anything, `values` lacks what it holds.
        misplaced: Keys that do not exist, and what is no table or no metadata.
        unknown: Variables that set nothing.
        advice: Keys that were kept but are probably misplaced.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> read_layers(read_inputs(overrides={"total_steps": 7}, environ={})).values["total_steps",].value
    7
    """

    values: Mapping[KeyPath, SourcedValue]
    custom: Mapping[KeyPath, SourcedValue]
    metadata: dict[str, Any]
    file: str | None
    unreadable: Sequence[Problem]
    misplaced: Sequence[Problem]
    unknown: Sequence[Problem]
    advice: Sequence[Problem]


def read_layers(inputs: Inputs) -> MergedLayers:
    """Lay what a start is given over one another: defaults < file < environment variables < overrides.

    Args:
        inputs: File, variables and overrides.

    Returns:
        Every value in force, and what was wrong with reading; no value is judged.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> str(read_layers(read_inputs(environ={"ACBO_TOTAL_STEPS": "7"})).values["total_steps",].origin)
    'ACBO_TOTAL_STEPS'
    """
    variables = sort_variables(inputs.environ)
    problems, sources = variables.problems, []
    try:
        if inputs.file:
            sources.append(read_file_layer(decode_file(inputs.file)))
    except UnreadableFile as error:
        problems.append(error.problem)
    if variables.tables:
        tables, undecodable = read_table_layer(variables.tables)
        sources.append(tables)
        problems += undecodable
    if variables.settings:
        sources.append(read_variable_layer(variables.settings))
    sources += read_argument_layers({"overrides": inputs.overrides}, problems)
    return merge_sources(sources, problems, variables.unknown, inputs.file.name if inputs.file else None)


def merge_sources(
    sources: Sequence[Source],
    unreadable: Sequence[Problem] = (),
    unknown: Sequence[Problem] = (),
    file: str | None = None,
) -> MergedLayers:
    """Sort the keys of each source, and lay their values over the defaults and one another.

    Args:
        sources: Lowest first.
        unreadable: What was wrong with reading them.
        unknown: Variables that set nothing.
        file: The file among them, as it was named.

    Returns:
        Every value in force, with what it shadows.

    >>> merge_sources(read_argument_layers({"overrides": {"note": "scm20"}}, [])).metadata
    {'note': 'scm20'}
    """
    keys = [sort_keys(source) for source in sources]
    metadata: dict[str, Any] = {}
    for found in keys:
        metadata = overlay(metadata, {path[-1]: sourced.value for path, sourced in found.custom.items()})
    return MergedLayers(
        values=merge([default_layer(), *(found.settings for found in keys)]),
        custom=merge(found.custom for found in keys),
        metadata=metadata,
        file=file,
        unreadable=unreadable,
        misplaced=[problem for found in keys for problem in found.problems],
        unknown=unknown,
        advice=[problem for found in keys for problem in found.advice],
    )


def default_layer() -> dict[KeyPath, SourcedValue]:
    """The defaults, as a layer that can be compared.

    Returns:
        A new dict with all 36 settings.

    >>> default_layer()["total_steps",].value
    5000
    """
    return {path: SourcedValue(value, Default()) for path, value in default_values().items()}
