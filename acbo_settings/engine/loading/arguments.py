"""What was passed in a call, as sources: `overrides`, and the dicts of `create_training_config`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_settings import InitSettingsSource

from ..canonical import KeyPath
from ..origins import Argument, Origin
from ..problems import Problem, whole_problem
from ..schema import Schema
from .source import Source, settings_class


def read_arguments(
    schema: Schema, arguments: Mapping[str, Any], is_call: bool = False
) -> tuple[list[Source], list[Problem]]:
    """One source for each dict, by the names that the report calls them, and what is no dict."""
    sources, problems = [], []
    for name, tree in arguments.items():
        if isinstance(tree, Mapping):
            sources.append(_read(schema, tree, Argument(name), is_call))
        elif tree is not None:
            message = f"Input should be a dict, not {type(tree).__name__}"
            hint = "its to_dict() gives one" if hasattr(tree, "to_dict") else ""
            problems.append(whole_problem(Argument(name), tree, message, hint))
    return sources, problems


def _read(schema: Schema, tree: Mapping[str, Any], origin: Origin, is_call: bool) -> Source:
    def origin_of(path: KeyPath) -> Origin:
        """One for all: a dict has no lines."""
        return origin

    return Source(InitSettingsSource(settings_class(schema), init_kwargs=dict(tree))(), origin_of, is_call)
