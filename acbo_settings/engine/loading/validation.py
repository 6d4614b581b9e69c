"""Types and ranges: a configuration that may hold anything → the validated one, or all problems. pydantic judges."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ...config import TrainingConfig
from ...rules import RANGE_SENTENCES
from ..canonical import KeyPath
from ..errors import Problem
from ..schema import default_values
from ..spelling import closest
from ..values import Argument, SourcedValue, Variable
from .environment import parse_text
from .metadata import LARGEST_INTEGER


@cache
def _adapter() -> TypeAdapter[TrainingConfig]:
    return TypeAdapter(TrainingConfig)


def validate_fields(
    config: object, values: Mapping[KeyPath, SourcedValue]
) -> tuple[TrainingConfig | None, list[Problem]]:
    """Check type and range of every field, however the configuration was built.

    Args:
        config: What should be a `TrainingConfig`.
        values: The values with their origins, for the report; one that is missing came from the `config` argument.

    Returns:
        A configuration of exactly the schema's types (an integer given for a float is a float in it) and no
        problems; or None and every field that is wrong.

    >>> config, problems = validate_fields(TrainingConfig(total_steps=0), {})
    >>> problems[0].message
    'Input should be greater than or equal to 1'
    """
    problems = _find_untaken(config, values)
    validated = None
    try:
        validated = _adapter().validate_python(config)
    except ValidationError as error:
        told = {problem.path for problem in problems}
        found = [_problem(details, values) for details in error.errors(include_url=False)]
        problems += [problem for problem in found if problem.path not in told]
    except AttributeError as error:
        value = SourcedValue(config, Argument("config"))
        problems.append(Problem(path=(), message=f"is incomplete: {error}", values=(((), value),)))
    return (None, problems) if problems else (validated, [])


def _find_untaken(config: object, values: Mapping[KeyPath, SourcedValue]) -> list[Problem]:
    """What pydantic would take and this package does not: endless integers, and a float made from a Decimal or so."""
    problems = []
    for path, default in default_values().items():
        value: Any = config
        for name in path:
            value = getattr(value, name, default)
        if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
            message = "has more than 300 digits"
        elif isinstance(default, float) and hasattr(value, "__float__") and not isinstance(value, int | float):
            message = f"Input should be a valid number, not {type(value).__name__}"
        else:
            continue
        sourced = values.get(path, SourcedValue(value, Argument("config")))
        problems.append(Problem(path=path, message=message, values=((path, sourced),)))
    return problems


def _problem(details: ErrorDetails, values: Mapping[KeyPath, SourcedValue]) -> Problem:
    """The facts of pydantic as ours, with the reference's own sentence where it has one."""
    path = tuple(str(part) for part in details["loc"])
    message = details["msg"]
    if sentence := RANGE_SENTENCES.get((path, details["type"])):
        message = f"{sentence.format(**details.get('ctx', {}))} ({message[0].lower()}{message[1:]})"
    if not path:
        message = f"{message}, not {type(details['input']).__name__}"
    value = values.get(path, SourcedValue(details["input"], Argument("config")))
    return Problem(path=path, message=message, values=((path, value),), hint=_hint(details, path, value))


def _hint(details: ErrorDetails, path: KeyPath, sourced: SourcedValue) -> str:
    """What the value may have been meant to be, written as its source wants it."""
    given = details["input"]
    meant: object = None
    if details["type"] == "literal_error":
        choices = re.findall(r"'(\w+)'", details.get("ctx", {})["expected"])
        meant = closest(given, choices) if isinstance(given, str) else None
        return f'did you mean "{meant}"?' if meant else ""
    if details["type"] in ("int_type", "float_type", "bool_type"):
        meant = _meant(given, default_values()[path])
    if meant is None:
        return "write true or false" if details["type"] == "bool_type" else ""
    quoted = isinstance(given, str) and (not isinstance(sourced.origin, Variable) or given[:1] in "'\"")
    return f"did you mean {str(meant).lower()}{', without quotes' if quoted else ''}?"


def _meant(given: object, default: object) -> object:
    """A value of the default's type that is written almost like the one given, or None."""
    if isinstance(given, str):
        given = parse_text(given.strip("'\"").replace("_", ""), default)
    if isinstance(given, str) and not isinstance(default, bool):
        given = parse_text(given, 0.0)
    if isinstance(given, bool) or not isinstance(given, int | float) or not abs(given) < 1e15:
        return given if isinstance(given, bool) and isinstance(default, bool) else None
    if isinstance(default, bool):
        return bool(given) if given in (0, 1) else None
    if isinstance(default, int):
        return int(given) if given == int(given) else None
    return float(given)
