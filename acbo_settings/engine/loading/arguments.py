"""The readers: file, environment and call, each through the source class of pydantic-settings that is made for it.

Where those fall short, the subclasses here take over: a file that is not there is no longer skipped, a variable that
does not decode no longer hides all others, the environment can be passed in, and every key keeps its origin. The
sources read one by one; laying them over one another, with what each value shadows, is `origins.merge`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import create_model
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ...config import TrainingConfig
from ..canonical import KeyPath, fields_of
from ..errors import Problem
from ..inputs import PREFIX, is_frozen
from ..schema import default_values
from ..values import Argument, File, Origin, SourcedValue, SourceFile, Variable
from .environment import DELIMITER, parse_text
from .file import UnreadableFile, file_problem, parse_toml
from .keys import Source

_COPIED = (
    "it is a copy of a run's frozen file: to make an acbo.toml of it that can be edited,"
    " remove its first line and everything from [frozen] on"
)


class _Settings(BaseSettings):
    # Never instantiated: the sources ask its fields. In a file, keys are spelled in one way only.
    model_config = SettingsConfigDict(
        case_sensitive=True,
        defer_build=True,
        arbitrary_types_allowed=True,
        env_prefix=PREFIX.lower(),
        env_nested_delimiter=DELIMITER,
    )


@cache
def _settings_class() -> type[BaseSettings]:
    """The fields of `TrainingConfig` for the sources of pydantic-settings, which take no dataclass at the top."""
    fields: dict[str, Any] = {name: (type(value), value) for name, value in fields_of(TrainingConfig()).items()}
    return create_model("AcboSettings", __base__=_Settings, metadata=(dict[str, Any], {}), **fields)


class _TomlFile(TomlConfigSettingsSource):
    def __init__(self, file: SourceFile) -> None:
        self.file = file
        super().__init__(_settings_class(), toml_file=file.name)

    def _read_files(self, files: object, deep_merge: bool = False) -> dict[str, Any]:
        return _parse_frozen(self.file) if is_frozen(self.file.name, self.file.text) else parse_toml(self.file)


def _parse_frozen(file: SourceFile) -> dict[str, Any]:
    """The tree of a run's frozen file, which is a configuration file as any when it is whole."""
    from ..frozen import DamagedFile, given_tree, parse_frozen

    try:
        return given_tree(parse_frozen(file.name, file.text))
    except DamagedFile as error:
        hint = error.hint if is_frozen(file.name, "") else _COPIED
        raise UnreadableFile(file_problem(file.name, str(error), hint)) from None


class _SingleVariables(EnvSettingsSource):
    """Recognized variables, by key path, that set one value each: all of them text."""

    def __init__(self, variables: Mapping[KeyPath, Variable]) -> None:
        self.variables = variables
        super().__init__(_settings_class(), case_sensitive=False)

    def _load_env_vars(self) -> dict[str, str | None]:
        return {(PREFIX + DELIMITER.join(path)).lower(): variable.text for path, variable in self.variables.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Leave text as it is: pydantic-settings would take a nested metadata variable for JSON."""
        return value


class _TableVariables(_SingleVariables):
    """Recognized variables that hold a whole table as JSON; `problems` tells which do not decode."""

    def __init__(self, variables: Mapping[KeyPath, Variable]) -> None:
        self.problems: list[Problem] = []
        super().__init__(variables)

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Decode one table; what does not decode is noted, so that the others are still read."""
        try:
            return _parse_json_table(value)
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            path = (field_name,)
            sourced = SourcedValue(value, self.variables[path])
            message = f"should be a table as JSON: {reason}"
            self.problems.append(Problem(path=path, message=message, values=((path, sourced),)))
            return {}


def read_file_layer(file: SourceFile) -> Source:
    """The layer of a configuration file.

    Args:
        file: The file as it was read.

    Returns:
        Its keys and values, and where each stands.

    Raises:
        UnreadableFile: When it is no valid TOML, or a frozen file that is not whole.

    >>> layer = read_file_layer(SourceFile("acbo.toml", "total_steps = 7"))
    >>> layer.tree, str(layer.origin_of(("total_steps",)))
    ({'total_steps': 7}, 'acbo.toml:1')
    """
    return Source(_TomlFile(file)(), lambda path: File(file, path))


def read_table_layer(tables: Mapping[KeyPath, Variable]) -> tuple[Source, list[Problem]]:
    """The layer of the variables that hold a whole table as JSON.

    Args:
        tables: The variables by the key path of their table.

    Returns:
        The keys and values inside them, typed as JSON has them, and what does not decode.

    >>> layer, problems = read_table_layer({("grpo",): Variable("ACBO_GRPO", '{"group_size": 128}')})
    >>> layer.tree, str(layer.origin_of(("grpo", "group_size"))), problems
    ({'grpo': {'group_size': 128}}, 'ACBO_GRPO', [])
    """
    source = _TableVariables(tables)
    return Source(source(), lambda path: tables[path[:1]]), source.problems


def read_variable_layer(settings: Mapping[KeyPath, Variable]) -> Source:
    """The layer of the variables that set one value each.

    Args:
        settings: The variables by key path.

    Returns:
        Their values, each parsed for the type of its setting; a text that can not be stays text.

    >>> layer = read_variable_layer({("grpo", "group_size"): Variable("ACBO_GRPO__GROUP_SIZE", " 128 ")})
    >>> layer.tree
    {'grpo': {'group_size': 128}}
    """

    def origin_of(path: KeyPath) -> Origin:
        """The variable of a key; of a custom table that several variables fill, the first."""
        return next(variable for key, variable in settings.items() if key[: len(path)] == path)

    return Source(_parse_texts(_SingleVariables(settings)()), origin_of)


def read_argument_layer(tree: Mapping[str, Any], name: str, is_call: bool = False) -> Source:
    """The layer of a dict that was passed in a call.

    Args:
        tree: The dict; it is not changed.
        name: What the report calls it.
        is_call: Whether it was passed to `create_training_config`.

    Returns:
        Its keys and values.

    >>> read_argument_layer({"total_steps": 7}, "overrides").tree
    {'total_steps': 7}
    """
    source = InitSettingsSource(_settings_class(), init_kwargs=dict(tree))
    return Source(source(), lambda path: Argument(name), is_call)


def read_argument_layers(
    arguments: Mapping[str, Mapping[str, Any] | None], problems: list[Problem], is_call: bool = False
) -> list[Source]:
    """The layers of the dicts that were passed in a call.

    Args:
        arguments: The dicts by the names that the report calls them.
        problems: What is no dict is added to it.
        is_call: Whether they were passed to `create_training_config`.

    Returns:
        One layer for each dict.

    >>> problems = []
    >>> read_argument_layers({"overrides": [7]}, problems), problems[0].message
    ([], 'Input should be a dict, not list')
    """
    sources = []
    for name, tree in arguments.items():
        if isinstance(tree, Mapping):
            sources.append(read_argument_layer(tree, name, is_call))
        elif tree is not None:
            value = SourcedValue(tree, Argument(name))
            message = f"Input should be a dict, not {type(tree).__name__}"
            hint = "its to_dict() gives one" if hasattr(tree, "to_dict") else ""
            problems.append(Problem(path=(), message=message, values=(((), value),), hint=hint))
    return sources


def _parse_texts(tree: dict[str, Any], prefix: KeyPath = ()) -> dict[str, Any]:
    """A tree of texts with each setting parsed for its type; custom keys stay text."""
    parsed: dict[str, Any] = {}
    for key, value in tree.items():
        path = (*prefix, key)
        if isinstance(value, dict):
            parsed[key] = _parse_texts(value, path)
        else:
            parsed[key] = parse_text(value, default_values().get(path, ""))
    return parsed


def _parse_json_table(text: str) -> dict[str, Any]:
    """A JSON object; ValueError for anything else, for a key that stands twice, and for NaN and infinities."""
    table = json.loads(
        text, object_pairs_hook=_require_unique, parse_constant=_refuse_constant, parse_int=_parse_integer
    )
    if not isinstance(table, dict):
        raise ValueError(f"{text.strip()[:40]} is not an object")
    return table


def _require_unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r} stands in it twice")
    return table


def _parse_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a number has too many digits") from None


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a finite number")
