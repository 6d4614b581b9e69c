"""Types, ranges and rules: which values are valid, and what is wrong with the others. pydantic-core judges types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import ErrorDetails, SchemaValidator, ValidationError, core_schema

from ..canonical import KeyPath
from ..metadata import LARGEST_INTEGER
from ..names import did_you_mean
from ..origins import Argument, SourcedValue
from ..problems import Problem, whole_problem
from ..schema import Rule, Schema, Setting
from .texts import parse_text


@cache
def _validator(setting: Setting) -> SchemaValidator:
    if setting.choices:
        return SchemaValidator(core_schema.literal_schema(list(setting.choices)))
    bounds: dict[str, Any] = dict(setting.bounds)
    if setting.type is int:
        return SchemaValidator(core_schema.int_schema(strict=True, **bounds))
    if setting.type is float:
        return SchemaValidator(core_schema.float_schema(strict=True, allow_inf_nan=False, **bounds))
    is_switch = setting.type is bool
    return SchemaValidator(core_schema.bool_schema(strict=True) if is_switch else core_schema.str_schema(strict=True))


def validate_values(schema: Schema, values: Mapping[KeyPath, SourcedValue]) -> tuple[dict[KeyPath, Any], list[Problem]]:
    """The valid values, each of exactly the type of its setting (an integer may become a float), and the problems."""
    valid: dict[KeyPath, Any] = {}
    problems = []
    for path, sourced in values.items():
        setting = schema.setting(path)
        message, hint = _find_untaken(sourced.value, setting.type), ""
        try:
            valid[path] = _validator(setting).validate_python(sourced.value)
        except ValidationError as error:
            if not message:
                (details,) = error.errors(include_url=False)
                message, hint = _message(schema, path, details), _hint(setting, details["type"], sourced)
        if message:
            valid.pop(path, None)
            problems.append(Problem(path=path, message=message, values=((path, sourced),), hint=hint))
    return valid, problems


def _find_untaken(value: object, wanted: type) -> str:
    """Why this package does not take what pydantic would: endless integers, and a float made from a Decimal or so."""
    if isinstance(value, int):
        return "has more than 300 digits" if abs(value) > LARGEST_INTEGER else ""
    if wanted is float and hasattr(value, "__float__") and not isinstance(value, float):
        return f"Input should be a valid number, not {type(value).__name__}"
    return ""


def _message(schema: Schema, path: KeyPath, details: ErrorDetails) -> str:
    """The sentence of pydantic, and in front of it the application's own where it has one."""
    message = details["msg"]
    if sentence := schema.rules.range_sentences.get((path, details["type"])):
        return f"{sentence.format(**details.get('ctx', {}))} ({message[0].lower()}{message[1:]})"
    return message


def _hint(setting: Setting, kind: str, sourced: SourcedValue) -> str:
    """What the value may have been meant to be, written as its source wants it."""
    given = sourced.value
    if setting.choices:
        from ..spelling import closest

        meant: object = closest(given, setting.choices) if isinstance(given, str) else None
        return did_you_mean(f'"{meant}"' if meant else None)
    meant = _meant(given, setting.type) if kind in ("int_type", "float_type", "bool_type") else None
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
    problems += invalid
    rules = schema.rules.errors + schema.rules.consistency
    return problems + find_broken(rules, schema.build(valid), values, problems)


def _take_apart(schema: Schema, path: KeyPath, record: Any, values: dict[KeyPath, SourcedValue]) -> list[Problem]:
    """Add the settings of one section to the values; return what is no section, or lacks something."""
    owner = schema.sections[path]
    if not isinstance(record, owner):
        return [_no_instance(path, record, owner.__name__)]
    problems: list[Problem] = []
    for name in owner.__dataclass_fields__:  # type: ignore[attr-defined]
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
    problems: Sequence[Problem] = (),
    advises: bool = False,
) -> list[Problem]:
    """The rules that a configuration does not keep, as problems with the values that they read.

    A rule that reads what has a problem already does not run: the configuration has a default there.
    """
    broken = {problem.path for problem in problems}
    return [
        Problem(
            path=rule.reads[0],
            message=sentence,
            values=tuple((path, values[path]) for path in rule.reads),
            severity="advice" if advises else "error",
        )
        for rule in rules
        if not (broken and any(path[:length] in broken for path in rule.reads for length in range(len(path) + 1)))
        if not rule.causes or not all(values[path].is_default for path in rule.causes)
        if (sentence := rule.check(config))
    ]
