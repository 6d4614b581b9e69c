"""What there is to set, derived from a dataclass: key paths, types, bounds, defaults and docs, as one value.

`Schema.of` a dataclass costs a start next to nothing: annotations and docs are read when somebody asks for them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, cached_property

from . import home_of, public
from .canonical import KeyPath, flatten, plain, plain_setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeVar

    from .declarations import Rules, Was
    from .kinds import Kind

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
        self.sweep_variable = f"{prefix}SWEEP"
        """The variable that names the directory of a sweep."""
        self.index_variable = f"{prefix}SWEEP_INDEX"
        """The variable that says which point of a sweep a task is."""
        self.run_variables = {
            self.run_variable: "run_dir",
            f"{prefix}ON_CHANGE": "on_change",
            f"{prefix}MAY_CHANGE": "may_change",
            self.sweep_variable: "sweep",
            self.index_variable: "index",
        }
        """The variables that stand for arguments of a start, which a call may leave out, and those arguments."""
        stem = file_name.removesuffix(".toml")
        self.frozen_name = f"{stem}.frozen.toml"
        """The file in a run's directory that holds the run's configuration."""
        self.start_name = f"{stem}.frozen.start.toml"
        """The file beside it that holds what all ranks of one start of a job have, where settings may change."""
        self.sweep_name = f"{stem}.sweep.toml"
        """The file in a sweep's directory that holds which points there are."""
        self.started_name = f"{stem}.started.toml"
        """The file in a run's directory that says that it was started."""
        self.done_name = f"{stem}.done.toml"
        """The file in a run's directory that says that it is done."""
        self.frozen_line = f"# {name} frozen configuration, format "
        """How the first line of such a file starts; the number of the format ends it."""
        self.rules = rules
        """The module whose `RULES` say what must hold across settings; it is imported when something is judged."""


class Setting:
    """What there is to know of one setting."""

    def __init__(self, schema: Schema, path: KeyPath, kind: Kind) -> None:
        self._schema = schema
        self.path = path
        """Where it stands in the tree."""
        self.key = ".".join(path)
        """The key as people write it."""
        self.default = schema.defaults[path]
        """The value when nobody sets it, or `MISSING` where somebody must."""
        self.kind = kind
        """What values it may have."""

    @property
    def doc(self) -> str:
        """One or more sentences."""
        return docs_of(self._schema.sections[self.path[:-1]]).get(self.path[-1], "")


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
        self.root: type = root
        self.application: Application = root.__application__
        self.defaults: dict[KeyPath, Any] = {}
        """The default of each setting by its key path, in the order of the fields; `MISSING` where there is none."""
        self.sections: dict[KeyPath, type] = {}
        """The dataclass of each table by its key path, that of the root first."""
        self._changed: dict[KeyPath, Any] = {}  # defaults that are not those of the dataclass itself
        self._settings: dict[KeyPath, Setting] = {}
        self._read((), root, None)

    def _read(self, path: KeyPath, owner: Any, default: Any) -> None:
        """Read the fields of one table, whose default is an instance, or that of each field alone."""
        self.sections[path] = owner
        made = vars(owner).get("__dataclass_params__")
        if made is None or not made.frozen or not made.eq:
            wanted = "@dataclass(frozen=True, slots=True, kw_only=True)"
            raise TypeError(f"{owner.__qualname__} must be a frozen dataclass of its own: put {wanted} above it")
        for field in fields(owner):
            below = (*path, field.name)
            own = field.default_factory() if field.default_factory is not MISSING else field.default
            value = own if default is None else getattr(default, field.name)
            if below == ("metadata",):
                continue
            if not field.compare:
                raise TypeError(f"{owner.__qualname__}.{field.name} takes no part in comparisons, as all settings must")
            if isinstance(value, type):
                told = f"{owner.__qualname__}.{field.name} has the class {value.__name__} itself as its default"
                raise TypeError(f"{told}: use field(default_factory={value.__name__})")
            if is_dataclass(value):
                self._read(below, type(value), value)
            elif value is MISSING and is_dataclass(table := self._annotated(below)):
                self._read(below, table, None)
            elif isinstance(value, list | dict | set):
                raise TypeError(f"{owner.__qualname__}.{field.name} has a mutable default: use a tuple or a dataclass")
            else:
                self.defaults[below] = value
                if value is not own and value != own:
                    self._changed[below] = value

    @cached_property
    def reference(self) -> Any:
        """The class of the application itself, which the root is, or has among its bases."""
        return next(owner for owner in self.root.__mro__ if "__application__" in vars(owner))

    @cached_property
    def old_names(self) -> Mapping[KeyPath, tuple[KeyPath, Was]]:
        """What settings were called before: the setting of each old key path, and since when it has its name."""
        found: dict[KeyPath, tuple[KeyPath, Was]] = {}
        for path in (*self.defaults, *list(self.sections)[1:]):
            owner, raw = self._raw_annotation(path)
            is_ours = owner.__module__.partition(".")[0] == __name__.partition(".")[0]
            if (is_ours or path in self.sections) and isinstance(raw, str) and "Was" not in raw:
                continue  # resolving our own annotations takes time, and the class of a table may be known nowhere
            from .declarations import old_names_in

            for was in old_names_in(self._annotation(path)):
                for now in self.below(path):
                    old = (*was.path, *now[len(path) :])
                    if any(old in taken for taken in (self.defaults, self.sections, found, (("metadata",),))):
                        raise TypeError(f"{'.'.join(now)} cannot have been {'.'.join(old)}: that name is taken")
                    found[old] = now, was
        return found

    def settled_notes(
        self, notes: Mapping[Any, Any], above: KeyPath = ("metadata",)
    ) -> tuple[dict[KeyPath, Any], Mapping[Any, Any]]:
        """The metadata in which stand settings of today: those by their old key paths, and the rest of it."""
        if above not in self.past:
            return {}, notes
        found: dict[KeyPath, Any] = {}
        rest: dict[Any, Any] = {}
        for key, value in notes.items():
            path = (*above, key)
            if path in self.old_names:
                found[path] = value
                continue
            inside, left = self.settled_notes(value, path) if isinstance(value, Mapping) else ({}, value)
            found |= inside
            if left or not inside:
                rest[key] = left
        return found, rest

    def current(self, path: KeyPath) -> KeyPath:
        """What a setting is called now, whether the key path is its old one or not."""
        return path if path in self.defaults or path not in self.old_names else self.old_names[path][0]

    @cached_property
    def removed(self) -> Mapping[KeyPath, str]:
        """What there was to set once, and what to do about it: `removed` of the classes, by key path from the root."""
        told: dict[str, str] = {}
        for section in reversed(self.sections.values()):
            for owner in reversed(section.__mro__):
                given = vars(owner).get("removed", {})
                texts = [part for pair in given.items() for part in pair] if isinstance(given, Mapping) else [given]
                if not all(isinstance(text, str) for text in texts):
                    raise TypeError(f"{owner.__qualname__}.removed must be a dict of keys and what to do about each")
                told |= given
        found = {tuple(key.split(".")): sentence for key, sentence in told.items()}
        if taken := [path for path in found if path in self.defaults or path in self.sections]:
            raise TypeError(f"{'.'.join(taken[0])} is told to be removed, and is a setting")
        if notes := [path for path in found if path[0] == "metadata"]:
            raise TypeError(f"{'.'.join(notes[0])} cannot be told to be removed: metadata is not settings")
        return found

    @cached_property
    def _longest_removed(self) -> int:
        return max(map(len, self.removed), default=0)

    def why_removed(self, path: KeyPath) -> str:
        """What to do about a key path that was removed, or stands in a table that was; empty for any other."""
        # A name that somebody gives can have 100,000 parts: no more of them are looked at than can matter.
        starts = (path[:length] for length in range(1, min(len(path), self._longest_removed) + 1))
        return next((self.removed[start] for start in starts if start in self.removed), "")

    @cached_property
    def past(self) -> frozenset[KeyPath]:
        """All key paths that once meant something, and those of the tables around them."""
        paths = (*self.old_names, *self.removed)
        return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))

    @cached_property
    def past_tables(self) -> frozenset[KeyPath]:
        """The tables among them that there are no more."""
        gone = self.past - set(self.old_names) - set(self.removed) - set(self.sections)
        return frozenset(path for path in gone if path[0] != "metadata")

    @cached_property
    def by_last_part(self) -> Mapping[str, KeyPath]:
        """The first setting of each name, be it in whatever section."""
        return {path[-1]: path for path in reversed(self.defaults)}

    def below(self, path: KeyPath) -> list[KeyPath]:
        """The settings of a section, or the setting itself."""
        if path in self.defaults:
            return [path]
        return [setting for setting in self.defaults if setting[: len(path)] == path]

    @cached_property
    def required(self) -> tuple[KeyPath, ...]:
        """The settings that somebody must give."""
        return tuple(path for path, default in self.defaults.items() if default is MISSING)

    @cached_property
    def _placeholders(self) -> dict[KeyPath, Any]:
        """What a dataclass would not fill in by itself: changed defaults, and nothing for what must be given."""
        return self._changed | dict.fromkeys(self.required)

    def build(self, values: dict[KeyPath, Any], metadata: Mapping[str, Any] | None = None) -> Any:
        """The configuration of these values, unchecked, with defaults where there are none; the metadata is kept."""
        arguments: dict[KeyPath, dict[str, Any]] = {path: {} for path in self.sections}
        for path, value in (self._placeholders | values if self._placeholders else values).items():
            arguments[path[:-1]][path[-1]] = value
        if metadata is not None:
            arguments[()]["metadata"] = Unread(metadata)
        for path, section in reversed(list(self.sections.items())):
            if path:
                arguments[path[:-1]][path[-1]] = section(**arguments[path])
        return self.root(**arguments[()])

    def typed(self, config: object) -> dict[KeyPath, Any]:
        """Every setting of a configuration by its key path, an integer that stands for a float as that float."""
        return {path: self.as_float(path, value) for path, value in flatten(config).items()}

    def revive(self, values: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
        """Settings as TOML has them as those of a configuration: tuples, paths, and defaults where nothing is written.

        It is `MISSING` for a value of another type, and for one that is not written and has no default.
        """
        return {
            path: self._revived(path, values[path], default) if path in values else default
            for path, default in self.defaults.items()
        }

    def _revived(self, path: KeyPath, value: Any, default: Any) -> Any:
        if type(value) is type(default):
            return value
        made = self.setting(path).kind.revived(value)
        return MISSING if made is None else made

    def as_float(self, path: KeyPath, value: Any) -> Any:
        """A value of a setting, an integer that stands for a float as that float; anything else as it is."""
        if type(value) is tuple and path in self.defaults:
            items = self.setting(path).kind.items
            return tuple(map(float, value)) if items and items.type is float else value
        if not isinstance(value, int) or isinstance(value, bool) or path not in self.defaults:
            return value
        default = self.defaults[path]
        kind = self.setting(path).kind.type if default is None or default is MISSING else type(default)
        return float(value) if kind is float else value

    @property
    def facts(self) -> list[Any]:
        """What tells this schema from every other: the version, and each field with its annotation and default."""
        annotations = [
            (path, field.name, field.type if isinstance(field.type, str) else repr(field.type))
            for path, section in self.sections.items()
            for field in fields(section)
        ]
        defaults = [None if value is MISSING else [plain_setting(value)] for value in self.defaults.values()]
        return [self.application.version, annotations, defaults]

    @property
    def settings(self) -> Mapping[KeyPath, Setting]:
        """All that is known of each setting, by its key path."""
        return {path: self.setting(path) for path in self.defaults}

    def setting(self, path: KeyPath) -> Setting:
        """All that is known of one setting; worked out when somebody asks, because resolving annotations takes time."""
        if path not in self._settings:
            self._settings[path] = Setting(self, path, self._kind(path))
        return self._settings[path]

    def _kind(self, path: KeyPath) -> Kind:
        from .kinds import kind_of

        owner = self.sections[path[:-1]]
        return kind_of(self._annotation(path), f"{owner.__qualname__}.{path[-1]}")

    def _annotated(self, path: KeyPath) -> Any:
        """The type of a setting or section without the conditions beside it."""
        annotation = self._annotation(path)
        return annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation

    def _annotation(self, path: KeyPath) -> Any:
        """The annotation of one setting, resolved where it was written."""
        owner, annotation = self._raw_annotation(path)
        if not isinstance(annotation, str):
            return annotation
        try:
            # What `typing.get_type_hints` does, which resolves all annotations of a class, that of the metadata too.
            return eval(annotation, vars(sys.modules[home_of(owner)]))
        except NameError as error:
            raise TypeError(
                f"{owner.__qualname__}.{path[-1]} has a type that its module does not know: {error}"
            ) from None

    def _raw_annotation(self, path: KeyPath) -> tuple[type, Any]:
        """The class that annotates one setting, and the annotation as it is written there."""
        owners = self.sections[path[:-1]].__mro__
        owner = next(owner for owner in owners if path[-1] in vars(owner).get("__annotations__", {}))
        return owner, vars(owner)["__annotations__"][path[-1]]

    @cached_property
    def rules(self) -> Rules:
        """What must hold across settings, what is advised, and what the settings are called elsewhere."""
        from importlib import import_module

        from .declarations import with_methods

        return with_methods(import_module(self.application.rules).RULES, self)


_SCHEMAS: dict[Any, Schema] = {}


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
    owner.__setattr__ = _refuse_assignment  # type: ignore[assignment]  # of a frozen dataclass, which would not say why
    if metadata := vars(owner).get("metadata"):
        owner.metadata = FrozenWhenRead(metadata)  # type: ignore[attr-defined]
    return owner


def _refuse_assignment(self: object, name: str, value: object) -> NoReturn:
    from dataclasses import FrozenInstanceError

    way_out = "give another value in the file, a variable or overrides, before it is loaded"
    raise FrozenInstanceError(f"cannot assign to field {name!r}: the configuration is frozen; {way_out}")


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
