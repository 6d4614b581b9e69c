"""The schema as data and as documents: every setting with type, range, default, variable and doc.

`acbo.toml.example` and the table in the README are what these functions return.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from . import schema
from .canonical import KeyPath
from .paths import component_types, default_values
from .report import show_value
from .schema import TrainingConfig
from .variables import variable_name

_SIGNS = {"ge": "≥", "gt": ">", "le": "≤"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What there is to know of one setting.

    >>> settings()[5].key, settings()[5].range, settings()[5].variable
    ('grpo.group_size', '≥ 8, ≤ 256', 'ACBO_GRPO__GROUP_SIZE')
    """

    path: KeyPath
    """Where it stands, such as `("grpo", "group_size")`."""

    type: str
    """`int`, `float`, `bool` or `str`."""

    default: Any
    """The value when nobody sets it."""

    bounds: tuple[tuple[str, float], ...]
    """Each bound as `("ge" | "gt" | "le", number)`."""

    choices: tuple[str, ...]
    """The texts allowed, for a `str`."""

    doc: str
    """One or more sentences."""

    @property
    def key(self) -> str:
        """The key as people write it."""
        return ".".join(self.path)

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable_name(self.path)

    @property
    def range(self) -> str:
        """The values allowed, as people write them."""
        if self.choices:
            return ", ".join(show_value(choice) for choice in self.choices)
        return ", ".join(f"{_SIGNS[kind]} {bound}" for kind, bound in self.bounds) or "true, false"


@cache
def settings() -> tuple[Setting, ...]:
    """All 36 settings, in the order of the schema.

    Returns:
        One tuple for the whole process.

    >>> len(settings()), settings()[0].key, settings()[0].default
    (36, 'total_steps', 5000)
    """
    owners: dict[KeyPath, type] = {(): TrainingConfig}
    owners |= {(name,): component for name, component in component_types().items()}
    hints = {prefix: get_type_hints(owner, include_extras=True) for prefix, owner in owners.items()}
    docs = _docs()
    return tuple(
        _setting(path, default, hints[path[:-1]][path[-1]], docs[owners[path[:-1]].__name__, path[-1]])
        for path, default in default_values().items()
    )


def _setting(path: KeyPath, default: object, hint: object, doc: str) -> Setting:
    bounds = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    named = tuple((name, getattr(bound, name)) for bound in bounds for name in _SIGNS if hasattr(bound, name))
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    return Setting(path=path, type=type(default).__name__, default=default, bounds=named, choices=choices, doc=doc)


def _docs() -> dict[tuple[str, str], str]:
    """The text below each field of the schema, by class and field."""
    found = {}
    for owner in ast.parse(inspect.getsource(schema)).body:
        if not isinstance(owner, ast.ClassDef):
            continue
        for field, below in zip(owner.body, owner.body[1:], strict=False):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[owner.name, field.target.id] = inspect.cleandoc(str(below.value.value)).replace("\n", " ")
    return found


def example_toml() -> str:
    """The text of `acbo.toml.example`: every key commented out, with its doc, type, range and default.

    Returns:
        A TOML document that sets nothing.

    >>> print(example_toml().splitlines()[-1])
    # early_stopping_threshold = 0.0001
    """
    from textwrap import wrap

    lines = [
        "# The settings of an ACBO training run, each with its default. Copy this file to acbo.toml and",
        "# remove the # in front of what you change. A variable wins over the file: see the README.",
    ]
    table: KeyPath = ()
    for setting in settings():
        if setting.path[:-1] != table:
            table = setting.path[:-1]
            lines += ["", f"[{table[0]}]"]
        lines += ["", *wrap(setting.doc, 96, initial_indent="# ", subsequent_indent="# ")]
        lines += [f"# {setting.type}: {setting.range}", f"# {setting.path[-1]} = {show_value(setting.default)}"]
    return "\n".join(lines) + "\n"


def settings_table() -> str:
    """The table of all settings, in Markdown.

    Returns:
        One row a setting: key, type, range, default, variable.

    >>> print(settings_table().splitlines()[2])
    | `total_steps` | int | ≥ 1 | `5000` | `ACBO_TOTAL_STEPS` |
    """
    rows = [
        f"| `{row.key}` | {row.type} | {row.range} | `{show_value(row.default)}` | `{row.variable}` |"
        for row in settings()
    ]
    head = ["| setting | type | range | default | variable |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"
