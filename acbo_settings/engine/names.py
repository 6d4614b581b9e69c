"""What a setting is called: by its key, by its variable, by others; and what a name stands for, or was meant to.

Everybody who has a name from a person asks here: files, variables, overrides, `may_change` and the command line.
`spelling` is imported when a name is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from .canonical import KeyPath
from .schema import Schema

MAX_KEY_PARTS = 16
"""Parts that a dotted key may have. `tomllib` takes time with the square of them: half a minute for 50,000."""

EXTENDS = "extends"
"""The key at the top of a file that names what it extends: one path, or a list of which later ones win."""

GRID, PAIRED = "grid", "paired"
"""The tables of the file of a sweep: every combination of what the first one has, and combinations written out."""

DELIMITER = "__"
"""What stands between the parts of a key in a variable's name."""


def variable_name(schema: Schema, path: KeyPath) -> str:
    """The environment variable that sets a key, in upper case."""
    return schema.application.prefix + DELIMITER.join(path).upper()


def find_path(schema: Schema, name: str | KeyPath) -> KeyPath | None:
    """The key path that a name stands for: of a setting, a section, the metadata or a key in it; else None.

    A name is a key path, its parts joined by dots, or the name of a variable in any case.
    """
    path = _path_of(schema, name) if isinstance(name, str) else name
    if path in schema.defaults or path in schema.sections or path in schema.past or schema.why_removed(path):
        return path or None
    is_metadata = path[0] == "metadata" and all(path) and len(path) <= MAX_KEY_PARTS
    return path if is_metadata else None


def _path_of(schema: Schema, name: str) -> KeyPath:
    prefix = schema.application.prefix
    if name.upper().startswith(prefix):
        return tuple(name[len(prefix) :].lower().split(DELIMITER))
    return tuple(name.split("."))


def meant_variable(schema: Schema, name: str) -> str | None:
    """The variable that a name would be but for one typing error in the prefix; None for any other name."""
    from .spelling import typing_errors

    prefix, name = schema.application.prefix, name.upper()
    for length in (len(prefix), len(prefix) + 1, len(prefix) - 1):
        meant = prefix + name[length:]
        if is_variable(schema, meant) and typing_errors(name[:length], prefix, 1) == 1:
            return meant
    return None


def is_variable(schema: Schema, name: str) -> bool:
    """Whether a name is that of a variable that means something, in any case."""
    application = schema.application
    is_special = name.upper() in (application.file_variable, *application.run_variables)
    return is_special or find_path(schema, name) is not None


def did_you_mean(meant: KeyPath | str | None) -> str:
    """The hint that names what was meant; empty where nothing was near."""
    shown = meant if isinstance(meant, str) else ".".join(meant or ())
    return f"did you mean {shown}?" if shown else ""


@cache
def _names(schema: Schema, section: KeyPath = ()) -> dict[str, KeyPath]:
    """Each way to name a setting or table, normalized: by its last part alone and in full."""
    from .spelling import normalized

    paths = [*schema.defaults, *(path for path in schema.sections if path), ("metadata",)]
    if section:
        return {normalized(path[-1]): path for path in paths if path[:-1] == section}
    names: dict[str, KeyPath] = {}
    for path in paths:
        names.setdefault(normalized(path[-1]), path)
    return names | {normalized("".join(path)): path for path in paths}


def meant_setting(schema: Schema, name: str, section: KeyPath = ()) -> KeyPath | None:
    """The setting, section or `metadata` that may have been meant by a name that does not exist.

    The settings of the section in which the name stands are looked at first.
    """
    from .spelling import closest_of

    if found := called_elsewhere(schema, name):
        return found
    is_known = section and section in schema.sections  # of any other nothing is kept: there can be thousands
    return (closest_of(name, _names(schema, section)) if is_known else None) or closest_of(name, _names(schema))


def meant_by(schema: Schema, name: str | KeyPath) -> KeyPath | None:
    """The same for a dotted key, or a key path, that leads nowhere."""
    *section, last = _path_of(schema, name) if isinstance(name, str) else name
    return meant_setting(schema, last, tuple(section))


def called_elsewhere(schema: Schema, name: str) -> KeyPath | None:
    """The setting that other programs call by this name."""
    from .spelling import normalized

    return _other_names(schema).get(normalized(name))


@cache
def _other_names(schema: Schema) -> dict[str, KeyPath]:
    from .spelling import normalized

    return {normalized(name): path for name, path in schema.rules.other_names.items()}


def near_miss(schema: Schema, name: str) -> KeyPath | None:
    """The setting or table that a top-level name misses so narrowly that it is hardly a key of the user's own.

    One typing error is near, two in a name of ten characters or more.
    """
    from .spelling import closest_of, normalized

    return closest_of(name, _names(schema), 1 if len(normalized(name)) < 10 else 2)


def meant_inside(schema: Schema, table: Mapping[Any, Any]) -> KeyPath | None:
    """The first setting or section that a table of no known name holds, by its own name or by that of others."""
    from .spelling import normalized

    names = (key for key in table if isinstance(key, str))
    found = (called_elsewhere(schema, name) or _names(schema).get(normalized(name)) for name in names)
    return next(filter(None, found), None)


def is_nearly_extends(name: str) -> bool:
    """Whether a key is `extends` with a typing error, or what other programs call it."""
    from .spelling import closest

    called = ("include", "includes", "inherit", "inherits", "base", "parent", "_base_")
    return name != EXTENDS and (name.lower() in called or closest(name, [EXTENDS], 1) is not None)
