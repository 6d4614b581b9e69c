"""The schema as data and as documents: every setting with type, range, default, variable and doc.

`acbo.toml.example` and the table in the README are what these functions return.
"""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from . import config as schema
from .config import TrainingConfig
from .engine.canonical import KeyPath
from .engine.inputs import CONFIG_FILE, FILE_NAME, PREFIX
from .engine.loading.environment import sort_variables, variable_name
from .engine.report import show_value
from .engine.schema import component_types, default_values
from .engine.spelling import closest_setting

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


class VariableReference(NamedTuple):
    """What there is to know of one environment variable; `variables` makes it.

    Args:
        name: The name, in upper case.
        type: What its text stands for.
        range: The values allowed, or an empty text.
        default: What holds when it is not set, as a file would have it, or an empty text.
        doc: One or more sentences.

    >>> variables()[0].name, variables()[0].default
    ('ACBO_TOTAL_STEPS', '5000')
    """

    name: str
    type: str
    range: str
    default: str
    doc: str


def variables() -> tuple[VariableReference, ...]:
    """Every environment variable that means something: the 36 settings, the file, whole tables, and metadata.

    Returns:
        Settings first, in the order of the schema.

    >>> len(variables()), variables()[36].name
    (43, 'ACBO_CONFIG_FILE')
    """
    found = [
        VariableReference(row.variable, row.type, row.range, show_value(row.default), row.doc) for row in settings()
    ]
    doc = f"The configuration file. Without it {FILE_NAME} in the working directory, if it exists."
    found.append(VariableReference(CONFIG_FILE, "path", "", FILE_NAME, doc))
    for name in component_types():
        doc = f"The table [{name}], or some of its keys, as a JSON object. A variable of a single key wins over it."
        found.append(VariableReference(variable_name((name,)), "JSON", "", "", doc))
    doc = "Custom metadata as a JSON object; numbers and lists keep their type."
    found.append(VariableReference(variable_name(("metadata",)), "JSON", "", "", doc))
    doc = "Custom metadata of any name, here <NAME>, as text. The key is in lower case."
    found.append(VariableReference(variable_name(("metadata", "<name>")), "str", "", "", doc))
    return tuple(found)


def variables_table() -> str:
    """The table of all variables, in Markdown.

    Returns:
        One row a variable: name, type, range, default, doc.

    >>> print(variables_table().splitlines()[2])
    | `ACBO_TOTAL_STEPS` | int | ≥ 1 | `5000` | Training steps of the run. |
    """
    rows = [
        f"| `{row.name}` | {row.type} | {row.range} | {f'`{row.default}`' if row.default else ''} | {row.doc} |"
        for row in variables()
    ]
    head = ["| variable | type | range | default | meaning |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def find_key(name: str) -> tuple[KeyPath | None, str]:
    """The setting or component that a name on the command line stands for.

    Args:
        name: A key such as `grpo.group_size`, a component, or the name of their variable.

    Returns:
        The key path and an empty text; or None and what may have been meant.

    >>> find_key("ACBO_GRPO__GROUP_SIZE"), find_key("grpo.group_sise")
    ((('grpo', 'group_size'), ''), (None, 'did you mean grpo.group_size?'))
    """
    known = {".".join(path): path for path in [*default_values(), *((name,) for name in component_types())]}
    known |= {variable_name(path): path for path in known.values()}
    if path := known.get(name) or known.get(name.upper()):
        return path, ""
    if name.upper().startswith(PREFIX):
        unknown = sort_variables({name: ""}).unknown
        return None, unknown[0].hint if unknown else "acbo-settings env tells of it"
    if name.partition(".")[0] == "metadata":
        return None, "custom keys have no reference; show prints them with their origins"
    meant = closest_setting(name.split(".")[-1], name.split(".")[0])
    return None, f"did you mean {'.'.join(meant)}?" if meant in known.values() and meant else ""


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
