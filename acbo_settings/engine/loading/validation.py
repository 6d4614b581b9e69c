"""Types, ranges and rules: which values are valid, and what is wrong with the others. pydantic-core judges types."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path, PurePath
from typing import Any

from pydantic_core import ErrorDetails, SchemaValidator, ValidationError, core_schema

from ..canonical import KeyPath
from ..declarations import Rule
from ..kinds import Kind
from ..metadata import LARGEST_INTEGER
from ..names import did_you_mean, variable_name
from ..origins import Argument
from ..printable import show_value
from ..problems import Problem, whole_problem
from ..schema import Schema, Setting
from ..values import SourcedValue
from .texts import parse_text

_SCALARS = (bool, int, float, str)
_PLAIN = {*_SCALARS, type(None)}
_NEVER_UNTAKEN = (bool, float)  # where their setting is of that type


@cache
def _validator(setting: Setting) -> SchemaValidator:
    return SchemaValidator(_core_schema(setting.kind))


def _core_schema(kind: Kind) -> Any:
    if kind.is_optional:
        return core_schema.nullable_schema(_core_schema(kind.replace(is_optional=False)))
    if kind.choices:
        return core_schema.literal_schema(list(kind.choices))
    bounds: dict[str, Any] = dict(kind.bounds)
    if kind.items:
        return core_schema.tuple_variable_schema(_core_schema(kind.items), **bounds)
    if kind.type is int:
        return core_schema.int_schema(strict=True, **bounds)
    if kind.type is float:
        return core_schema.float_schema(strict=True, allow_inf_nan=False, **bounds)
    if kind.type is Path:
        return core_schema.no_info_after_validator_function(Path, core_schema.str_schema(strict=True, min_length=1))
    is_switch = kind.type is bool
    return core_schema.bool_schema(strict=True) if is_switch else core_schema.str_schema(strict=True, **bounds)


def validate_values(schema: Schema, values: Mapping[KeyPath, SourcedValue]) -> tuple[dict[KeyPath, Any], list[Problem]]:
    """The valid values, each of exactly the type of its setting (an integer may become a float), and the problems."""
    valid: dict[KeyPath, Any] = {}
    problems = []
    for path, sourced in values.items():
        setting, given, message, hint = schema.setting(path), sourced.value, "", ""
        if type(given) is not setting.kind.type or type(given) not in _NEVER_UNTAKEN:
            given = _without_paths(given)
            message = _find_untaken(given, setting.kind)
        try:
            made = _validator(setting).validate_python(given)
            valid[path] = made if type(made) in _PLAIN else _plain(made)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            message, hint = message or _message(schema, path, details), _hint(setting, details["type"], sourced)
        if message:
            valid.pop(path, None)
            problems.append(Problem(path=path, message=message, values=((path, sourced),), hint=hint))
    return valid, problems


def find_missing(schema: Schema, values: Mapping[KeyPath, SourcedValue], file: str | None) -> list[Problem]:
    """The settings that have no default, and that nobody gives."""
    missing = [path for path in schema.required if path not in values]
    return [Problem(path=path, message="must be given", hint=_ways_to_give(schema, path, file)) for path in missing]


def _ways_to_give(schema: Schema, path: KeyPath, file: str | None) -> str:
    key, variable = ".".join(path), variable_name(schema, path)
    name = schema.application.file_name if file in (None, os.devnull) else file
    return f"write {key} = ... in {name}, set {variable}, or pass {key} in overrides"


def _without_paths(value: object) -> object:
    """The same with texts for paths, as which they are checked, also where a list holds them."""
    if isinstance(value, list | tuple):
        return [str(item) if isinstance(item, PurePath) else item for item in value]
    return str(value) if isinstance(value, PurePath) else value


def _find_untaken(value: object, kind: Kind) -> str:
    """Why this package does not take what pydantic would: endless integers, and a float made from a Decimal or so."""
    if kind.choices and isinstance(value, _SCALARS) and type(value) is not kind.type and value in kind.choices:
        return f"Input should be {kind.range}, not {show_value(value)} of the type {type(value).__name__}"
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= each <= "\udfff" for each in value):
        return "is not valid UTF-8"
    if kind.items:
        if not isinstance(value, list | tuple):
            return "" if value is None and kind.is_optional else "Input should be an array"
        return next(filter(None, (_find_untaken(item, kind.items) for item in value)), "")
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            return "has more than 300 digits"
        return "is an integer that no float is exactly" if kind.type is float and not _is_exact(value) else ""
    if kind.type is float and hasattr(value, "__float__") and not isinstance(value, float):
        return f"Input should be a valid number, not {type(value).__name__}"
    return ""


def _is_exact(value: int) -> bool:
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _plain(value: Any) -> Any:
    """A value of exactly the type that it has for everybody, such as the text of a member of a `(str, Enum)`."""
    if type(value) is tuple:
        return tuple(map(_plain, value))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return int(value) if isinstance(value, int) else float(value)


def _message(schema: Schema, path: KeyPath, details: ErrorDetails) -> str:
    """The sentence of pydantic, and in front of it the application's own where it has one."""
    message = details["msg"].replace("Tuple should", "Input should").replace(" after validation", "")
    if details["loc"]:
        message = f"item {int(details['loc'][0]) + 1}: {message}"
    if sentence := schema.rules.range_sentences.get((path, details["type"])):
        return f"{sentence.format(**details.get('ctx', {}))} ({message[0].lower()}{message[1:]})"
    return message


def _hint(setting: Setting, kind: str, sourced: SourcedValue) -> str:
    """What the value may have been meant to be, written as its source wants it."""
    given = sourced.value
    if setting.kind.choices:
        from ..spelling import closest

        texts = [choice for choice in setting.kind.choices if isinstance(choice, str)]
        meant: object = closest(given, texts) if isinstance(given, str) else None
        return did_you_mean(f'"{meant}"' if meant else None)
    is_text = isinstance(given, str) and not sourced.origin.quotes_text
    if is_text and setting.kind.is_optional and str(given).strip().lower() in ("none", "null"):
        return "an empty text says that it is not set"
    if setting.kind.items:
        example = {int: "[64, 32]", float: "[0.5, 1.0]", bool: "[true, false]"}.get(
            setting.kind.items.type, '["a", "b"]'
        )
        return f"write it as JSON, such as {example}" if is_text else ""
    meant = _meant(given, setting.kind.type) if kind in ("int_type", "float_type", "bool_type") else None
    if meant is None:
        return "write true or false" if kind == "bool_type" else ""
    quoted = isinstance(given, str) and (sourced.origin.quotes_text or given[:1] in "'\"")
    return did_you_mean(f"{str(meant).lower()}{', without quotes' if quoted else ''}")


def _meant(given: object, wanted: type) -> object:
    """A value of the wanted type that is written almost like the one given, or None."""
    if isinstance(given, str):
        given = parse_text(given.strip("'\"").replace("_", ""), wanted)
    if isinstance(given, str) and wanted is not bool:
        given = parse_text(given, float)
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e15:
        return given if isinstance(given, bool) and wanted is bool else None
    if wanted is bool:
        return bool(given) if given in (0, 1) else None
    if wanted is int:
        return int(given) if given == int(given) else None
    return float(given)


def validate_config(schema: Schema, config: object) -> list[Problem]:
    """Everything that is wrong with a configuration, however it was built; rules that only advise while loading too."""
    values: dict[KeyPath, SourcedValue] = {}
    problems = _take_apart(schema, (), config, values)
    valid, invalid = validate_values(schema, values)
    problems += [*invalid, *_find_others(schema, valid, values)]
    rules = schema.rules.errors + schema.rules.consistency
    return problems + find_broken(rules, schema.build(valid), values, [problem.path for problem in problems])


def _find_others(schema: Schema, valid: Mapping[KeyPath, Any], values: Mapping[KeyPath, SourcedValue]) -> list[Problem]:
    """The values that are of another type than loading gives, so that equality and fingerprint would disagree."""
    found = []
    for path, value in valid.items():
        given, kind = values[path].value, schema.setting(path).kind
        if _types_of(given, kind) != _types_of(value, kind):
            message = f"Input should be exactly {kind.name}, not {type(given).__name__}"
            found.append(Problem(path=path, message=message, values=((path, values[path]),)))
    return found


def _types_of(value: Any, kind: Kind) -> Any:
    """The type of a value, and of what it holds; an integer stands for the float that it is."""
    if kind.items:
        return type(value), *(_types_of(item, kind.items) for item in value or ())
    return float if kind.type is float and type(value) is int else type(value)


def _take_apart(schema: Schema, path: KeyPath, record: Any, values: dict[KeyPath, SourcedValue]) -> list[Problem]:
    """Add the settings of one section to the values; return what is no section, or lacks something."""
    owner = schema.sections[path]
    if type(record) is not owner:
        return [_no_instance(path, record, owner.__name__)]
    problems: list[Problem] = []
    for name in (field.name for field in fields(owner)):
        below = (*path, name)
        try:
            value = getattr(record, name)
        except AttributeError as error:
            return [*problems, whole_problem(Argument("config"), record, f"is incomplete: {error}")]
        if below in schema.sections:
            problems += _take_apart(schema, below, value, values)
        elif below in schema.defaults:
            values[below] = SourcedValue(value, Argument("config"))
        elif not _is_map(value):
            problems.append(_no_instance(below, value, "PMap"))
    return problems


def _no_instance(path: KeyPath, value: object, wanted: str) -> Problem:
    if not path:
        message = f"Input should be an instance of {wanted}, not {type(value).__name__}"
        return whole_problem(Argument("config"), value, message)
    values = ((path, SourcedValue(value, Argument("config"))),)
    return Problem(path=path, message=f"Input should be an instance of {wanted}", values=values)


def _is_map(value: object) -> bool:
    from pyrsistent import PMap

    return isinstance(value, PMap)


def find_broken(
    rules: Iterable[Rule],
    config: Any,
    values: Mapping[KeyPath, SourcedValue],
    unknown: Iterable[KeyPath] = (),
    advises: bool = False,
) -> list[Problem]:
    """The rules that a configuration does not keep, as problems with the values that they read.

    A rule that reads what is not known, because it is not valid or for another reason, does not run: the configuration
    has a default there.
    """
    left_out = set(unknown)
    return [
        Problem(
            path=rule.reads[0],
            message=sentence,
            values=tuple((path, values[path]) for path in rule.reads),
            severity="advice" if advises and not is_failure else "error",
        )
        for rule in rules
        if not (left_out and any(path[:length] in left_out for path in rule.reads for length in range(len(path) + 1)))
        if not rule.causes or not all(values[path].is_default for path in rule.causes)
        for sentence, is_failure in [_ask(rule, config)]
        if sentence
    ]


def _ask(rule: Rule, config: Any) -> tuple[str | None, bool]:
    """What a rule says, and whether that is that it has failed itself."""
    try:
        answer = rule.check(config)
    except Exception as error:
        return f"{_place_of(rule)} raised {type(error).__name__}: {error}", True
    if answer is None or isinstance(answer, str):
        return answer, False
    return f"{_place_of(rule)} must return a sentence or None, not {type(answer).__name__}", True


def _place_of(rule: Rule) -> str:
    """A rule by its name, and where it is written."""
    check = inspect.unwrap(rule.check)
    code = check.__code__
    return f"the rule {check.__qualname__} ({code.co_filename}:{code.co_firstlineno})"
