"""What was passed in a call, as sources: `overrides`, and the dicts of `create_training_config`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import create_model
from pydantic_settings import BaseSettings, InitSettingsSource, SettingsConfigDict

from ..canonical import KeyPath
from ..schema import DELIMITER, Schema
from ..values import Argument, Origin, Problem, whole_problem
from .keys import Source


class _Settings(BaseSettings):
    # Never instantiated: the sources ask its fields. In a file, keys are spelled in one way only.
    model_config = SettingsConfigDict(case_sensitive=True, defer_build=True, env_nested_delimiter=DELIMITER)


@cache
def settings_class(schema: Schema) -> type[BaseSettings]:
    """The top level of a schema as the sources of pydantic-settings want it: what is below is read, not judged."""
    paths = [*schema.defaults, *schema.sections, ("metadata",)]
    tables = {path[0] for path in paths if len(path) > 1 or path in schema.sections or path == ("metadata",) if path}
    fields: dict[str, Any] = {path[0]: (dict[str, Any] if path[0] in tables else Any, None) for path in paths if path}
    return create_model("Settings", __base__=_Settings, **fields)


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
