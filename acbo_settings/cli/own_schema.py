"""Which class the command line takes for the settings: one that is named, that of the project, or the reference's.

No configuration file, frozen file or variable names code: only the option does, and the `pyproject.toml` at or above
the working directory.
"""

from __future__ import annotations

import dataclasses
import importlib
import os
import sys
from contextlib import redirect_stdout
from traceback import extract_tb
from typing import Any

from ..api import SCHEMA, schema_of
from ..engine.inputs import read_raw_file
from ..engine.loading.objections import require_usable
from ..engine.schema import Schema
from ..engine.spelling import closest, normalized

_TABLE = "acbo-settings"


class SchemaError(Exception):
    """A class that cannot be found or used; the text says which and why."""


def find_schema(named: str | None) -> Schema:
    """The settings of the class that is named as `module:Class`, else of the one that the project names, if it does.

    SchemaError when there is no such class, or none that can be a schema.
    """
    try:
        directory = os.getcwd()
    except OSError:  # it was removed
        return SCHEMA if named is None else _import_schema(named, None, "--schema")
    if named is not None:
        return _import_schema(named, directory, "--schema")
    while True:
        file = os.path.join(directory, "pyproject.toml")
        found = _table_of(file)
        if found is not None:
            return SCHEMA if "schema" not in found else _import_schema(found["schema"], directory, file)
        if (above := os.path.dirname(directory)) == directory:
            return SCHEMA
        directory = above


def _table_of(file: str) -> dict[str, Any] | None:
    """The table for this program in a `pyproject.toml`, or None where there is none."""
    read = read_raw_file(file)
    if read.error or b"acbo" not in read.content.lower():
        return None
    import tomllib

    try:
        tool = tomllib.loads(read.content.decode()).get("tool", {})
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{file} cannot be read: {error}") from None
    tool = tool if isinstance(tool, dict) else {}
    if _TABLE not in tool and (meant := closest(_TABLE, tool)):
        raise SchemaError(f"{file}: no program reads tool.{meant}; did you mean [tool.{_TABLE}]?")
    table = tool.get(_TABLE)
    if not isinstance(table, dict | None):
        raise SchemaError(f"{file}: tool.{_TABLE} must be a table")
    if unknown := [key for key in table or () if key != "schema"]:
        raise SchemaError(f"{file}: tool.{_TABLE} has no key {unknown[0]}, only schema")
    return table


def _import_schema(name: object, directory: str | None, source: str) -> Schema:
    if not isinstance(name, str) or not all(name.partition(":")):
        raise SchemaError(f"{source}: name a class as module:Class, not {name}")
    if directory is not None and directory not in sys.path:
        sys.path.insert(0, directory)
    module, _, attributes = name.partition(":")
    try:
        with redirect_stdout(sys.stderr):  # which is for messages; results alone go to stdout
            found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        is_missing = isinstance(error, ModuleNotFoundError) and module.startswith(str(error.name))
        where = f"; looked in {directory} and where Python finds its packages" if is_missing else _place_of(error)
        if isinstance(error, TypeError) and "non-frozen dataclass" in str(error):
            where += "; write @dataclass(frozen=True, slots=True, kw_only=True) above the class"
        raise SchemaError(f"{source}: {name} cannot be used: {type(error).__name__}: {error}{where}") from None
    try:
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
        if found is None:
            raise TypeError("it is None")
        schema = schema_of(found)
        require_usable(schema)  # what of it cannot be used is told here, not as a traceback
    except Exception as error:
        hint = _meant_class(module, attributes) if isinstance(error, AttributeError) else ""
        raise SchemaError(f"{source}: {name} cannot be used: {type(error).__name__}: {error}{hint}") from None
    return schema


def _meant_class(module: str, name: str) -> str:
    """The class of a module that has nearly this name, or else those that could be named; empty where there is none."""
    found = vars(sys.modules[module]).items()
    names = [key for key, value in found if isinstance(value, type) and issubclass(value, SCHEMA.root)]
    own = [key for key in names if vars(sys.modules[module])[key] is not SCHEMA.root]
    begun = [key for key in own if normalized(key).startswith(normalized(name))]
    if meant := closest(name, own) or (begun[0] if len(begun) == 1 else None):
        return f"; did you mean {module}:{meant}?"
    return f"; it has {', '.join(own[:5])}" if own else ""


def _place_of(error: BaseException) -> str:
    """The line in which a module failed, if it got as far as to run one."""
    machinery = (__file__, importlib.__file__, dataclasses.__file__, "<frozen")
    places = [frame for frame in extract_tb(error.__traceback__) if not frame.filename.startswith(machinery)]
    return f" ({os.path.relpath(places[-1].filename)}:{places[-1].lineno})" if places else ""
