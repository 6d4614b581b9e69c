"""What there is to set, derived from a dataclass: key paths, types, bounds, defaults and docs, as one value.

`Schema.of` a dataclass costs a start next to nothing: annotations and docs are read when somebody asks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache, cached_property

from . import Record, home_of, public
from .canonical import KeyPath, flatten, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    Section = TypeVar("Section", bound=type)


class Application:
    """The program that a schema belongs to: names, and where its rules are. The root dataclass has one."""

    def __init__(self, name: str, version: str, prefix: str, file_name: str, rules: str) -> None:
        self.name = name
        self.version = version
        self.prefix = prefix
        """What the names of all its variables start with, in upper case and with the underscore behind it."""
        self.file_name = file_name
        """The file that is read from the working directory when none is named."""
        self.file_variable = f"{prefix}CONFIG_FILE"
        """The variable that names the file."""
        self.run_variable = f"{prefix}RUN_DIR"
        """The variable that names the directory of a run."""
        self.run_variables = {
            self.run_variable: "run_dir",
            f"{prefix}ON_CHANGE": "on_change",
            f"{prefix}MAY_CHANGE": "may_change",
        }
        """The variables that stand for arguments of a start, which a call may leave out, and those arguments."""
        self.frozen_name = f"{file_name.removesuffix('.toml')}.frozen.toml"
        """The file in a run's directory that holds the run's configuration."""
        self.frozen_line = f"# {name} frozen configuration, format "
        """How the first line of such a file starts; the number of the format ends it."""
        self.rules = rules
        """The module whose `RULES` say what must hold across settings; it is imported when something is judged."""


class Rule(Record):
    """One rule over several settings, the first of which is what the report names.

    `check` takes a configuration and answers with the sentence that says what is wrong, or None. Advice with `causes`
    is only given when somebody set one of these, be it to the default. Other advice needs no such condition: the
    defaults keep every rule, so that whatever breaks one was set by somebody.
    """

    __slots__ = ("reads", "check", "causes")
    reads: tuple[KeyPath, ...]
    check: Callable[[Any], str | None]
    causes: tuple[KeyPath, ...]

    def __init__(
        self, reads: tuple[KeyPath, ...], check: Callable[[Any], str | None], causes: tuple[KeyPath, ...] = ()
    ) -> None:
        self._fill(reads, check, causes)


class Rules(Record):
    """What an application says of its settings beyond the schema."""

    __slots__ = ("errors", "consistency", "advice", "range_sentences", "other_names")
    errors: tuple[Rule, ...]
    consistency: tuple[Rule, ...]
    advice: tuple[Rule, ...]
    range_sentences: Mapping[tuple[KeyPath, str], str]
    other_names: Mapping[str, KeyPath]

    def __init__(
        self,
        errors: tuple[Rule, ...] = (),
        consistency: tuple[Rule, ...] = (),
        advice: tuple[Rule, ...] = (),
        range_sentences: Mapping[tuple[KeyPath, str], str] | None = None,
        other_names: Mapping[str, KeyPath] | None = None,
    ) -> None:
        self._fill(errors, consistency, advice, range_sentences or {}, other_names or {})


class Setting:
    """What there is to know of one setting."""

    def __init__(self, schema: Schema, path: KeyPath, annotation: Any) -> None:
        from typing import Annotated, Literal, get_args, get_origin

        arguments = get_args(annotation)
        kind = get_origin(annotation)
        bounds = arguments[1:] if kind is Annotated else ()
        self._schema = schema
        self.path = path
        """Where it stands in the tree."""
        self.key = ".".join(path)
        """The key as people write it."""
        self.default = schema.defaults[path]
        """The value when nobody sets it."""
        self.choices: tuple[str, ...] = arguments if kind is Literal else ()
        """The texts allowed, where only some are."""
        self.type: type = str if self.choices else arguments[0] if kind is Annotated else annotation
        """`int`, `float`, `bool` or `str`."""
        self.bounds: tuple[tuple[str, float], ...] = tuple(
            (name, getattr(bound, name)) for bound in bounds for name in _SIGNS if hasattr(bound, name)
        )
        """Each bound as `("ge" | "gt" | "le", number)`."""

    @property
    def doc(self) -> str:
        """One or more sentences."""
        return docs_of(self._schema.sections[self.path[:-1]]).get(self.path[-1], "")

    @property
    def range(self) -> str:
        """The values allowed, as people write them."""
        from .printable import show_value

        if self.choices:
            return ", ".join(show_value(choice) for choice in self.choices)
        bounds = ", ".join(f"{_SIGNS[kind]} {bound}" for kind, bound in self.bounds)
        return bounds or ("true, false" if self.type is bool else "")


_SIGNS = {"ge": "≥", "gt": ">", "le": "≤"}


class Schema:
    """The settings of a dataclass and of those inside it, at any depth; `Schema.of` makes it."""

    @staticmethod
    def of(root: Any) -> Schema:
        """The one schema of a dataclass whose fields are settings, dataclasses of settings, and `metadata`."""
        if root not in _SCHEMAS:
            _SCHEMAS[root] = Schema(root)
        return _SCHEMAS[root]

    def __init__(self, root: Any) -> None:
        if not hasattr(root, "__application__"):
            raise TypeError(f"{root.__name__} is no class of settings")
        default = root()
        self.root: type = root
        self.application: Application = root.__application__
        self.defaults: Mapping[KeyPath, Any] = flatten(default)
        """The default of each setting by its key path, in the order of the fields."""
        self.sections: Mapping[KeyPath, type] = dict(_sections((), default))
        """The dataclass of each table by its key path, that of the root first."""
        self._settings: dict[KeyPath, Setting] = {}

    def below(self, path: KeyPath) -> list[KeyPath]:
        """The settings of a section, or the setting itself."""
        return [setting for setting in self.defaults if setting[: len(path)] == path]

    def build(self, values: Mapping[KeyPath, Any], metadata: Mapping[str, Any] | None = None) -> Any:
        """The configuration of these values, unchecked, with defaults where there are none; the metadata is kept."""
        arguments: dict[KeyPath, dict[str, Any]] = {path: {} for path in self.sections}
        for path, value in values.items():
            arguments[path[:-1]][path[-1]] = value
        if metadata is not None:
            arguments[()]["metadata"] = Unread(metadata)
        for path, section in reversed(list(self.sections.items())):
            if path:
                arguments[path[:-1]][path[-1]] = section(**arguments[path])
        return self.root(**arguments[()])

    def typed(self, config: object) -> dict[KeyPath, Any]:
        """Every setting of a configuration by its key path, an integer that stands for a float as that float."""
        return {
            path: float(value) if isinstance(value, int) and isinstance(self.defaults.get(path), float) else value
            for path, value in flatten(config).items()
        }

    @property
    def facts(self) -> list[Any]:
        """What tells this schema from every other: the version, and each field with its annotation and default."""
        annotations = [
            (path, field.name, field.type if isinstance(field.type, str) else repr(field.type))
            for path, section in self.sections.items()
            for field in fields(section)
        ]
        return [self.application.version, annotations, list(self.defaults.values())]

    @property
    def settings(self) -> Mapping[KeyPath, Setting]:
        """All that is known of each setting, by its key path."""
        return {path: self.setting(path) for path in self.defaults}

    def setting(self, path: KeyPath) -> Setting:
        """All that is known of one setting; worked out when somebody asks, because resolving annotations takes time."""
        if path not in self._settings:
            self._settings[path] = Setting(self, path, self._annotation(path))
        return self._settings[path]

    def _annotation(self, path: KeyPath) -> Any:
        """The annotation of one setting, resolved where it was written."""
        owners = self.sections[path[:-1]].__mro__
        owner = next(owner for owner in owners if path[-1] in vars(owner).get("__annotations__", {}))
        annotation = vars(owner)["__annotations__"][path[-1]]
        # What `typing.get_type_hints` does, which resolves all annotations of a class, that of the metadata too.
        return eval(annotation, vars(sys.modules[owner.__module__])) if isinstance(annotation, str) else annotation

    @cached_property
    def rules(self) -> Rules:
        """What must hold across settings, what is advised, and what the settings are called elsewhere."""
        from importlib import import_module

        rules: Rules = import_module(self.application.rules).RULES
        return rules


_SCHEMAS: dict[Any, Schema] = {}


def _sections(path: KeyPath, default: Any) -> Iterator[tuple[KeyPath, type]]:
    yield path, type(default)
    for field in fields(default):
        if field.compare and is_dataclass(value := getattr(default, field.name)):
            yield from _sections((*path, field.name), value)


@public
class Unread:
    """A table of plain data that becomes a `PMap` when somebody reads it."""

    __slots__ = ("tree",)

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self.tree = tree

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.tree,)


class FrozenWhenRead:
    """The attribute of a dataclass whose plain data becomes a `PMap` when somebody reads it."""

    def __init__(self, slot: Any) -> None:
        self._slot = slot
        self.__doc__ = "The settings that were given, and keys of the user's own: a `PMap`, made when it is first read."

    def __get__(self, record: Any, owner: type | None = None) -> Any:
        if record is None:
            return self
        value = self._slot.__get__(record, owner)
        if type(value) is Unread:
            from .metadata import frozen_map

            value = frozen_map(plain(value.tree))
            self._slot.__set__(record, value)
        return value

    def __set__(self, record: Any, value: Any) -> None:
        self._slot.__set__(record, value)

    def plain(self, record: Any) -> dict[str, Any]:
        """The same as new plain data, without making a `PMap` of it."""
        value = self._slot.__get__(record, type(record))
        return plain(value.tree if type(value) is Unread else value)  # type: ignore[no-any-return]

    def pickled(self, record: Any) -> Any:
        """The same as it is pickled: plain data, which has its order in every process; or what that cannot hold."""
        value = self._slot.__get__(record, type(record))
        if type(value) is Unread:
            return Unread(plain(value.tree))
        from pyrsistent import PMap

        from .metadata import find_unwritable, frozen_map

        is_plain = isinstance(value, PMap) and not find_unwritable(value) and frozen_map(plain(value)) == value
        return Unread(plain(value)) if is_plain else value


class FieldDocs(dict[str, str]):
    """The `__slots__` of a dataclass, from which `help` takes what it says of each field; the docs are read then."""

    def __init__(self, owner: type) -> None:
        super().__init__(dict.fromkeys(vars(owner)["__slots__"], ""))
        self._owner = owner

    def __getitem__(self, name: str) -> str:
        return docs_of(self._owner).get(name, "")


def section(owner: Section) -> Section:
    """Make a slotted dataclass one of a schema: `help` tells of its fields, and its metadata is frozen when it is read.

    The root of a schema, which has the metadata, needs it; for other sections it only adds the docs.
    """
    owner.__slots__ = FieldDocs(owner)  # type: ignore[attr-defined]
    if metadata := vars(owner).get("metadata"):
        owner.metadata = FrozenWhenRead(metadata)  # type: ignore[attr-defined]
    return owner


@cache
def docs_of(owner: type) -> Mapping[str, str]:
    """The text below each field of a dataclass, those of its bases included; empty where there is no source."""
    docs: dict[str, str] = {}
    for each in reversed(owner.__mro__):
        if is_dataclass(each):
            docs |= _docs_in_source(each)
    return docs


def _docs_in_source(owner: type) -> dict[str, str]:
    import ast
    import inspect
    from itertools import pairwise

    try:
        source = inspect.getsource(sys.modules[home_of(owner)])
    except (KeyError, OSError, TypeError):
        return {}
    classes = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef))
    body = next((node.body for node in classes if node.name == owner.__name__), [])
    return {
        field.target.id: inspect.cleandoc(str(below.value.value)).replace("\n", " ")
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
    }
