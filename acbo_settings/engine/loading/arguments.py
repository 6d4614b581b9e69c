"""What was passed in a call, as sources: dicts, and lists of `key=value` texts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_settings import InitSettingsSource

from ..canonical import KeyPath, nested
from ..credentials import HIDDEN, SECRET, is_secret, own_variable
from ..kinds import Kind
from ..metadata import MAX_DEPTH
from ..names import did_you_mean, find_path, meant_by
from ..origins import Argument, Assignment, Origin
from ..problems import Problem, whole_problem
from ..schema import Schema
from ..values import SourcedValue
from .keys import way_out
from .source import AnySettings, Source
from .texts import is_table, parse_table, parse_value

_Read = tuple[list[Source], list[Problem]]


def read_overrides(schema: Schema, overrides: object) -> _Read:
    """The overrides of a call as sources, a dict as one and each text as one, and what is wrong with them."""
    if not isinstance(overrides, list | tuple):
        return read_arguments(schema, {"overrides": overrides}, "a dict or a list of texts")
    if wrong := [each for each in overrides if not isinstance(each, str)]:
        message = f"Input should be a dict or a list of texts, not of {type(wrong[0]).__name__}"
        return [], [whole_problem(Argument("overrides"), wrong[0], message)]
    return _read_assignments(schema, overrides)


def read_arguments(
    schema: Schema, arguments: Mapping[str, Any], wanted: str = "a dict", is_call: bool = False
) -> _Read:
    """One source for each dict, by the names that the report calls them, and what is no dict."""
    sources, problems = [], []
    for name, tree in arguments.items():
        if isinstance(tree, Mapping):
            tree, twice = _nest_dotted(schema, tree, Argument(name))
            problems += twice
            sources.append(_read(tree, Argument(name), is_call))
        elif tree is not None:
            message = f"Input should be {wanted}, not {type(tree).__name__}"
            hint = "its to_dict() gives one" if hasattr(tree, "to_dict") else ""
            hint = "put the text into a list" if isinstance(tree, str) and "list" in wanted else hint
            problems.append(whole_problem(Argument(name), tree, message, hint))
    return sources, problems


def _read(tree: Mapping[Any, Any], origin: Origin, is_call: bool = False) -> Source:
    def origin_of(path: KeyPath) -> Origin:
        """One for all: a dict has no lines."""
        return origin

    # It goes through all fields of its class, and there can be thousands of texts: it gets a class that has none.
    read = InitSettingsSource(AnySettings, init_kwargs=dict(tree))()
    numpy = sys.modules.get("numpy")  # who has its scalars has imported it
    return Source(_without(numpy.generic, read, {}) if numpy else read, origin_of, is_call)


def _without(scalars: type, value: Any, seen: dict[int, Any], depth: int = 0) -> Any:
    """The same tree with the scalars of numpy as what their `item()` is; a list that is met again is taken as it was.

    What is nested too deeply stays as it is, and is refused later.
    """
    if isinstance(value, scalars):
        return value.item()  # type: ignore[attr-defined]
    if depth > MAX_DEPTH or not isinstance(value, Mapping | list | tuple):
        return value
    if id(value) not in seen:
        seen[id(value)] = value
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        made = {key: _without(scalars, item, seen, depth + 1) for key, item in items}
        if any(made[key] is not value[key] for key in made):
            seen[id(value)] = made if isinstance(value, Mapping) else list(made.values())
    return seen[id(value)]


def _nest_dotted(schema: Schema, tree: Mapping[Any, Any], origin: Origin) -> tuple[Mapping[Any, Any], list[Problem]]:
    """A dict whose dotted keys, as search libraries give them, stand where others have them; and what is set twice."""
    dotted = {key: tuple(key.split(".")) for key in tree if isinstance(key, str) and "." in key}
    dotted = {key: path for key, path in dotted.items() if find_path(schema, path)}
    if not dotted:
        return tree, []
    plain = {key: value for key, value in tree.items() if key not in dotted}
    copies: dict[KeyPath, Any] = {}  # a table of the caller's is copied once, and not again for each key
    problems = []
    for key, path in sorted(dotted.items(), key=lambda item: len(item[1])):
        table, is_taken = plain, False
        for length, name in enumerate(path[:-1], 1):
            below = table.get(name, {})
            is_taken = is_taken or not isinstance(below, Mapping)
            if below is not copies.get(path[:length], copies):  # which no value can be
                table[name] = copies[path[:length]] = dict(below) if isinstance(below, Mapping) else {}
            table = table[name]
        if is_taken or path[-1] in table:
            message = f"is set twice: by the key {key}, and inside {path[0]}"
            values = ((path, SourcedValue(tree[key], origin)),)
            problems.append(Problem(path=path, message=message, values=values, at_key=True))
        table[path[-1]] = tree[key]
    return plain, problems


def _read_assignments(schema: Schema, texts: Sequence[str]) -> _Read:
    """Each text as a source of its own, so that of two with one key the later one wins and shadows."""
    sources: list[Source] = []
    problems: list[Problem] = []
    waiting = list(reversed(texts))
    while waiting:
        origin = Assignment(waiting.pop())
        if not origin.is_valid:
            following = waiting[-1] if waiting else ""
            value = following if "=" not in origin.text and "=" not in following else ""
            problems.append(_malformed(schema, origin, value))
            if value:
                waiting.pop()
            continue
        read = _read_assignment(schema, origin)
        if isinstance(read, Problem):
            problems.append(read)
        else:
            sources.append(read)
    return sources, problems


def _read_assignment(schema: Schema, origin: Assignment) -> Source | Problem:
    path = find_path(schema, origin.key)
    if path is None:
        parts = tuple(origin.key.split("."))
        if is_secret(parts[-1]):
            values = ((parts, SourcedValue(HIDDEN, origin)),)
            return Problem(path=parts, message=SECRET, values=values, hint=own_variable(parts), at_key=True)
        hint = did_you_mean(meant_by(schema, parts)) or way_out(schema, parts, origin)
        values = ((parts, SourcedValue(origin.value, origin)),)
        return Problem(path=parts, message="no such setting", values=values, hint=hint, at_key=True)
    now = schema.current(path)
    kind = schema.setting(now).kind if now in schema.defaults else Kind(str)
    if not origin.value.strip() and not kind.is_optional:
        values = ((path, SourcedValue(origin.value, origin)),)
        return Problem(path=path, message="is empty: give a value or leave it out", values=values)
    if not is_table(schema, path):
        return _read(nested({path: parse_value(origin.value, kind)}), origin)
    table = parse_table(schema, path, origin.value, origin)
    return table if isinstance(table, Problem) else _read(nested({path: table}), origin)


def _malformed(schema: Schema, origin: Assignment, following: str) -> Problem:
    """The problem with a text that is no `key=value`; the text behind it may be the value that was meant."""
    key, _, value = origin.text.lstrip("-").partition("=")
    name = key.strip().replace("-", "_")
    path = find_path(schema, name) or meant_by(schema, name)
    value = "" if is_secret(name) else value or following
    meant = f"{'.'.join(path)}={value or 'VALUE'}" if path else ""
    example = next(f"{'.'.join(path)}={default}" for path, default in schema.defaults.items())
    hint = did_you_mean(meant) or f"for example {example}"
    return whole_problem(origin, None, "is not of the form KEY=VALUE", hint)
