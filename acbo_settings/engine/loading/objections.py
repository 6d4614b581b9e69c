"""What speaks against classes of one's own as a schema. A TypeError names class and field before anything is judged."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from functools import cache

from pydantic_settings import BaseSettings

from ..canonical import KeyPath
from ..credentials import is_secret
from ..kinds import Kind
from ..names import DELIMITER, EXTENDS
from ..origins import Default
from ..printable import show_value
from ..schema import Application, Schema
from ..values import SourcedValue
from .environment import KUBERNETES
from .validation import validate_values


@cache
def require_usable(schema: Schema) -> None:
    """Look at all that classes of one's own declare; TypeError for what can be no setting, rule or old name."""
    own = [owner for owner in schema.root.__mro__ if owner not in schema.reference.__mro__]
    names = {name for owner in own for name in vars(owner).get("__annotations__", {})}
    if not own:
        return  # the reference itself, which tests hold
    known = Schema.of(schema.reference)
    _require_sections(schema, known)
    for path in (path for path in schema.defaults if path[0] in names):
        _require_name(schema, path)
        kind = schema.setting(path).kind
        if path in known.defaults:
            _require_kept(schema, path, kind, known.setting(path).kind)
        _require_default(schema, path, kind)
    _require_old_names(schema)
    _ = schema.past, schema.rules


def _require_old_names(schema: Schema) -> None:
    """An old name is one that somebody could have given, and that means nothing else."""
    for old, (now, _) in schema.old_names.items():
        told = f"{_place(schema, now)} cannot have been {'.'.join(old)!r}"
        if not all(old):
            raise TypeError(f"{told}: a part of that name is empty")
        is_below = any(old[:length] in schema.defaults for length in range(1, len(old)))
        if is_below or (old[0] != "metadata" and _is_taken(schema, old[0])):
            raise TypeError(f"{told}: that name is taken")
        if schema.why_removed(old):
            raise TypeError(f"{told}: that is told to be removed")


def _place(schema: Schema, path: KeyPath) -> str:
    """A setting or section as the field of its class."""
    return f"{schema.sections[path[:-1]].__qualname__}.{path[-1]}"


def _require_sections(schema: Schema, known: Schema) -> None:
    """Each section is one of settings alone, and those of the reference are still there."""
    for path, section in list(known.sections.items())[1:]:
        if not issubclass(schema.sections.get(path, object), section):
            raise TypeError(f"{_place(schema, path)} must be {section.__name__}, or a subclass of it")
    for owner in schema.sections.values():
        name = owner.__qualname__
        if hasattr(owner, "__post_init__"):
            raise TypeError(f"{name} has a __post_init__, which would see values before they are judged: use a @rule")
        if later := [field.name for field in fields(owner) if not field.init and field.name != "metadata"]:
            raise TypeError(f"{name}.{later[0]} has init=False, so that nobody could give it")
    annotated = [owner for owner in schema.root.__mro__ if "metadata" in vars(owner).get("__annotations__", {})]
    if annotated[0] is not known.root:
        raise TypeError(f"{annotated[0].__qualname__}.metadata is taken: name the field otherwise")


def _require_name(schema: Schema, path: KeyPath) -> None:
    """A name that files and variables can spell, and that means nothing else yet."""
    for length in range(1, len(path) + 1):
        name, place = path[length - 1], _place(schema, path[:length])
        if not re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
            raise TypeError(f"{place} cannot be spelled by a variable: use small letters, digits and single _ between")
        if is_secret(name):
            raise TypeError(f"{place} has the name of a secret, which no configuration holds: name it otherwise")
    if _is_taken(schema, path[0]):
        raise TypeError(f"{_place(schema, path[:1])} is taken: name the field otherwise")


def _is_taken(schema: Schema, name: str) -> bool:
    """Whether a name at the top level means something else: to files, variables, the class itself, or pydantic."""
    if name in schema.reference.__dataclass_fields__:
        return False
    is_variable = _variable_is_taken(schema.application, schema.application.prefix + name.upper())
    is_member = hasattr(schema.reference, name) or hasattr(BaseSettings, name)
    return is_variable or is_member or name in (EXTENDS, "frozen", "removed")


def _variable_is_taken(application: Application, name: str) -> bool:
    if name in (application.file_variable, *application.run_variables):
        return True
    rest = name.removeprefix(application.prefix)
    return rest != "PORT" and re.fullmatch(KUBERNETES, rest.partition(DELIMITER)[0]) is not None


def _require_kept(schema: Schema, path: KeyPath, kind: Kind, known: Kind) -> None:
    """A setting of the reference that a class declares anew allows nothing that the reference does not."""
    is_kept = kind.type is known.type and kind.items == known.items and kind.is_optional <= known.is_optional
    if not is_kept or not _has_choices_of(kind, known) or not _has_bounds_of(kind, known):
        allowed = ", ".join(filter(None, (known.name, known.range)))
        raise TypeError(
            f"{_place(schema, path)} must allow nothing that the reference does not allow: {allowed};"
            f" write {known.annotation}, or a narrower one"
        )


def _has_choices_of(kind: Kind, known: Kind) -> bool:
    return not known.choices or (bool(kind.choices) and set(kind.choices) <= set(known.choices))


def _has_bounds_of(kind: Kind, known: Kind) -> bool:
    """Whether each bound of the reference is there, as it was or narrower."""
    own = dict(kind.bounds)
    for name, bound in known.bounds:
        given = own.get(name, own.get({"ge": "gt", "le": "lt"}.get(name, "")))
        is_narrower = given is not None and (given >= bound if name in ("ge", "gt", "min_length") else given <= bound)
        if not (is_narrower if name != "multiple_of" else given == bound):
            return False
    return True


def _require_default(schema: Schema, path: KeyPath, kind: Kind) -> None:
    """The default is valid, and of the very type: the defaults alone are a configuration."""
    default, place = schema.defaults[path], _place(schema, path)
    if kind.is_optional and default is not None:
        raise TypeError(f"{place} may be None, and so must have the default None and no other")
    if default is MISSING or (default is None and kind.is_optional):
        return
    valid, problems = validate_values(schema, {path: SourcedValue(default, Default())})
    if problems:
        raise TypeError(f"{place} has the default {show_value(default)}, which is not valid: {problems[0].message}")
    if repr(valid[path]) != repr(default):
        raise TypeError(f"{place} has the default {default!r}: write {valid[path]!r}")
