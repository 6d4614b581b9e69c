"""What one source holds, as it was read; and the class of pydantic-settings that all sources are read with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pydantic import create_model
from pydantic_settings import BaseSettings, SettingsConfigDict

from .. import Record
from ..canonical import KeyPath
from ..names import DELIMITER
from ..origins import Origin
from ..schema import Schema


class Source(Record):
    """What one source holds, as it was read.

    `origin_of` tells where the value at a key path of the tree came from. `is_call` is for what was passed to
    `create_training_config`, where a setting of a section that stands at the top level is kept with advice; from
    anywhere else it is an error.
    """

    __slots__ = ("tree", "origin_of", "is_call")
    tree: Mapping[Any, Any]
    origin_of: Callable[[KeyPath], Origin]
    is_call: bool

    def __init__(self, tree: Mapping[Any, Any], origin_of: Callable[[KeyPath], Origin], is_call: bool = False) -> None:
        self._fill(tree, origin_of, is_call)


class AnySettings(BaseSettings):
    """What the sources are asked for, without a field: those of a call have no other names, and come through as well.

    It is never instantiated. In a file, keys are spelled in one way only.
    """

    model_config = SettingsConfigDict(case_sensitive=True, defer_build=True, env_nested_delimiter=DELIMITER)


@cache
def settings_class(schema: Schema) -> type[BaseSettings]:
    """The top level of a schema as the sources of pydantic-settings want it: what is below is read, not judged."""
    fields: dict[str, Any] = {path[0]: (Any, None) for path in schema.defaults if len(path) == 1}
    fields |= {path[0]: (Any, None) for path in schema.past if len(path) == 1}
    tables = ["metadata", *(path[0] for path in (*schema.sections, *schema.past_tables, *schema.removed) if path)]
    fields |= dict.fromkeys(tables, (dict[str, Any], None))
    # What has the name of something of pydantic's is told when the class is judged, and not by pydantic.
    fields = {name: field for name, field in fields.items() if not hasattr(BaseSettings, name)}
    return create_model("Settings", __base__=AnySettings, **fields)
