"""What a text stands for, in a variable or on a command line: a value of a setting's type, or a table as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import MISSING
from typing import Any

from ..canonical import KeyPath, nested, plain_setting
from ..credentials import hide
from ..kinds import Kind
from ..origins import Origin
from ..problems import Problem
from ..schema import Schema
from ..values import SourcedValue

_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def is_table(schema: Schema, path: KeyPath) -> bool:
    """Whether a key stands for a whole table, which a text holds as JSON."""
    return path in schema.sections or path in schema.past_tables or path == ("metadata",)


def parse_text(text: str, wanted: type) -> object:
    """The value of a type that a text stands for, or the text where it is none: validation says so then.

    White space around it does not count. pydantic's own reading of texts also takes `1_000`, `64.0` for an integer and
    `t` for true, which this package does not.

    >>> parse_text(" 128 ", int), parse_text("1e-3", float), parse_text("off", bool), parse_text("64.0", int)
    (128, 0.001, False, '64.0')
    """
    text = text.strip()
    if wanted is bool:
        return _BOOLEANS.get(text.lower(), text)
    if not text.isascii() or "_" in text or wanted not in (int, float):
        return text
    try:
        value: object = wanted(text)
    except ValueError:
        return text
    return value


def parse_value(text: str, kind: Kind) -> object:
    """The value of a setting that a text stands for, or the text where it is none."""
    if not text.strip() and kind.is_optional:
        return None
    if kind.items:
        try:
            return json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_integer)
        except (ValueError, RecursionError):
            return text
    return parse_text(text, kind.type)


def parse_table(schema: Schema, path: KeyPath, text: str, origin: Origin) -> dict[str, Any] | Problem:
    """The table that a text holds as JSON, its keys and values typed as JSON has them; or why it holds none."""
    try:
        return _parse_json(text)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        values = ((path, SourcedValue(text, origin)),)
        is_other = isinstance(error, json.JSONDecodeError) or not text.lstrip().startswith("{")
        hint = f"such as {_example(schema, path)}" if is_other and path not in schema.past_tables else ""
        return Problem(path=path, message=f"should be a table as JSON: {reason}", values=values, hint=hint)


def _example(schema: Schema, path: KeyPath) -> str:
    """A table with its first setting that has a default, or with a note, as a shell takes it."""
    from shlex import quote

    inside = schema.below(path) or [(*path, "note")]
    defaults = {setting: schema.defaults.get(setting, MISSING) for setting in inside}
    given = [setting for setting in inside if defaults[setting] not in (None, MISSING)]
    setting = (given or inside)[0]
    value = plain_setting(defaults[setting]) if given else "..."
    return quote(json.dumps(nested({setting[len(path) :]: value})))


def _parse_json(text: str) -> dict[str, Any]:
    """A JSON object; ValueError for anything else, for a key that stands twice, and for NaN and infinities."""
    table = json.loads(
        text, object_pairs_hook=_require_unique, parse_constant=_refuse_constant, parse_int=_parse_integer
    )
    if not isinstance(table, dict):
        raise ValueError(f"{hide(text.strip())[:40]} is not an object")
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
