"""The keys of one source: which are settings, which are the user's own, and which are mistakes."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any

from ..canonical import KeyPath, leaves
from ..credentials import HIDDEN, SECRET, find_secret, is_secret, own_variable
from ..declarations import Was
from ..metadata import MAX_VALUES, find_misshapen, find_unwritable
from ..names import (
    EXTENDS,
    GRID,
    PAIRED,
    called_elsewhere,
    did_you_mean,
    find_path,
    is_nearly_extends,
    meant_by,
    meant_inside,
    near_miss,
)
from ..origins import Origin
from ..problems import MAX_PROBLEMS, Problem
from ..schema import Schema
from ..values import SourcedValue
from .source import Source


def way_out(schema: Schema, path: KeyPath, origin: Origin) -> str:
    """Where a key belongs that is no setting, and none that was misspelt; empty for what can be no key of metadata."""
    if path == (EXTENDS,):
        return f"{EXTENDS} belongs at the top of a file"
    if find_path(schema, path[:1]) or not find_path(schema, ("metadata", *path)):
        return ""
    notes = origin.place_for_notes(schema, path)
    return f"a note of your own belongs {notes}, a setting of your own in a schema of your own"


class SortedKeys:
    """The keys of one source, sorted: settings and custom keys by key path, not judged yet, and what is wrong."""

    def __init__(self, schema: Schema, source: Source) -> None:
        self.settings: dict[KeyPath, SourcedValue] = {}
        self.custom: dict[KeyPath, SourcedValue] = {}
        self.names: dict[KeyPath, KeyPath] = {}  # of each custom key, as the source spells it
        self.problems: list[Problem] = []
        self.old_names: dict[KeyPath, KeyPath] = {}  # of the settings that were given under one
        self._schema = schema
        self._source = source
        self._sort_table((), source.tree)

    def _sort_table(self, section: KeyPath, table: Mapping[Any, Any]) -> None:
        for key, value in table.items():
            path = (*section, key if type(key) is str else _text_of(key))
            if not isinstance(key, str):
                self._tell(path, value, "keys must be text", at_key=True)
            elif is_secret(key) and isinstance(value, str) and value.strip():
                self._refuse_secret(path)
            elif path in self._schema.defaults:
                self.settings[path] = SourcedValue(value, self._source.origin_of(path))
            else:
                self._sort_other(path, value)

    def _sort_other(self, path: KeyPath, value: Any) -> None:
        """Sort a key that is no setting."""
        if path in self._schema.past and path != ("metadata",):
            self._sort_past(path, value)
            return
        found = find_path(self._schema, path)
        if found is None and len(path) == 1 and self._source.is_call:
            self._sort_custom(path, value)
        elif found is None:
            self._tell(path, value, "no such setting", self._hint(path, value), at_key=True)
            if isinstance(value, Mapping) and (secret := find_secret(value, MAX_VALUES)):
                self._refuse_secret((*path, *secret))
        elif type(value) is not dict and not isinstance(value, Mapping):
            hint = "dataclasses.asdict gives one" if is_dataclass(value) else ""
            self._tell(path, value, "Input should be a table", hint)
        elif found == ("metadata",):
            self._sort_metadata(value)
        else:
            self._sort_table(path, value)

    def _sort_past(self, path: KeyPath, value: Any) -> None:
        """Sort a key that was a setting once: it is taken under its new name, or there is none any more."""
        if sentence := self._schema.removed.get(path):
            self._tell(path, value, "was removed", sentence, at_key=True)
        elif path in self._schema.old_names:
            now, was = self._schema.old_names[path]
            if also := self.settings.get(now) or self._given(now):
                self.problems.append(_given_twice(was, now, (path, self._sourced(path, value)), (now, also)))
                return
            self._advise(path, value, f"is called {'.'.join(now)} since {was.since}")
            self.settings[now] = self._sourced(path, value)
            self.old_names[now] = path
        elif isinstance(value, Mapping):
            self._sort_table(path, value)
        else:
            self._tell(path, value, "no such setting", at_key=True)

    def _given(self, path: KeyPath) -> SourcedValue | None:
        """What the source itself gives a setting."""
        value: Any = self._source.tree
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                return None
            value = value[name]
        return self._sourced(path, value)

    def _sourced(self, path: KeyPath, value: Any) -> SourcedValue:
        """A value with the place where the source has it."""
        return SourcedValue(value, self._source.origin_of(path))

    def _hint(self, path: KeyPath, value: Any) -> str:
        """What may have been meant by a key that there is not, or where a key of the user's own belongs."""
        if len(self.problems) >= MAX_PROBLEMS:
            return ""
        section, name = path[:-1], path[-1]
        if name == EXTENDS:
            return way_out(self._schema, (name,), self._source.origin_of(path))
        if section:
            return did_you_mean(meant_by(self._schema, path))
        named = {argument: variable for variable, argument in self._schema.application.run_variables.items()}
        if name in (GRID, PAIRED) and isinstance(value, Mapping | list):
            return f"it belongs to the file of a sweep, which {self._schema.application.name} sweep check judges"
        if name == "sweep" and not isinstance(value, str):
            return f"what is swept stands in a file of its own: see {self._schema.application.name} sweep --help"
        if name in named:
            return f"it is no part of a configuration: {named[name]} sets it"
        near = near_miss(self._schema, name)
        if near and tuple(name.split(".")) == near:
            return f"nest it: {near[-1]} inside {'.'.join(near[:-1])}"
        if is_nearly_extends(name):
            return did_you_mean(EXTENDS)
        inside = meant_inside(self._schema, value) if isinstance(value, Mapping) else None
        if inside and len(inside) == 1 and not near:
            return f"{inside[0]} belongs at the top level, outside of {name}"
        meant = near or inside or find_path(self._schema, name) or meant_by(self._schema, path)
        return did_you_mean(meant) or way_out(self._schema, path, self._source.origin_of(path))

    def _sort_custom(self, path: KeyPath, value: Any) -> None:
        """Sort a top-level key of a call that is no setting: the user's own, or a mistake."""
        meant = near_miss(self._schema, path[0])
        is_field = meant is not None and len(meant) > 1 and meant[-1] == path[0]
        if meant and not is_field:
            hint = f"{did_you_mean(meant)} (a custom key of such a name can go into metadata)"
            self._tell(path, value, "no such setting", hint, at_key=True)
            return
        self._keep(path, value)
        if meant:
            message = f"is kept as metadata and has no effect: {meant[-1]} belongs to {'.'.join(meant[:-1])}"
            self._advise(path, value, message, did_you_mean(meant))
        elif lost := self._settings_inside(value):
            self._advise(path, value, f"is kept as metadata, so that {lost} in it has no effect")
        elif meant := called_elsewhere(self._schema, path[0]):
            self._advise(path, value, "is kept as metadata and has no effect", did_you_mean(meant))

    def _refuse_secret(self, path: KeyPath) -> None:
        """Refuse a secret; not even the problem holds its value."""
        self._tell(path, HIDDEN, SECRET, own_variable(path), at_key=True)

    def _settings_inside(self, value: object) -> str | None:
        """A setting or section that stands in a table of the user's own, where it would not be looked for."""
        names = {path[0] for path in self._schema.defaults}
        return next((key for key in value if key in names), None) if isinstance(value, Mapping) else None

    def _sort_metadata(self, table: Mapping[Any, Any]) -> None:
        pyrsistent = sys.modules.get("pyrsistent")  # a configuration's own metadata records settings, and is a PMap
        is_record = pyrsistent is not None and isinstance(table, pyrsistent.PMap)
        settled, table = self._schema.settled_notes(table)
        for path, value in settled.items():
            self._sort_past(path, value)
        for name, value in table.items():
            if is_record and name in self._source.tree:
                continue  # here the settings themselves are given too
            path = ("metadata", _text_of(name))
            meant = find_path(self._schema, path[1:])
            if meant and meant != ("metadata",):
                message = f"{path[1]} is a setting, and has no effect inside metadata"
                hint = self._source.origin_of(path).way_out_of_metadata(self._schema, meant)
                self._tell(path, value, message, hint, at_key=True)
            else:
                self._keep(path, value, name)
                self._advise_of_field(path, value)

    def _advise_of_field(self, path: KeyPath, value: Any) -> None:
        """Say so where a note has the name of a setting: appended to a file, it stands in the last table of that."""
        name = path[-1]
        meant = self._schema.by_last_part.get(name)
        if name == EXTENDS:
            self._advise(path, value, "is a note, and has no effect", f"{EXTENDS} belongs at the top of a file")
        elif meant and path in self.names:
            self._advise(path, value, "is a note, and has no effect", did_you_mean(meant))

    def _keep(self, path: KeyPath, value: Any, key: Any = "") -> None:
        """Keep a custom value, if it can be written down and its name is not taken."""
        name = path[-1]
        kept = ("metadata", name)
        if not isinstance(key, str):
            self._tell(path, value, "keys must be text", at_key=True)
        elif kept in self.names:
            self._tell(path, value, "is set both at the top level and in metadata", at_key=True)
        elif misshapen := find_misshapen({name: value}):
            where, reason = misshapen
            self._tell((*path, *map(_text_of, where[1:])), value, reason)
        elif secret := find_secret({name: value}, MAX_VALUES):
            self._refuse_secret((*path, *secret[1:]))
        else:
            self.names[kept] = path
            for leaf, inside in leaves({name: value}).items():
                self.custom[leaf] = SourcedValue(inside, self._source.origin_of((*path, *leaf[2:])))

    def _advise(self, path: KeyPath, value: Any, message: str, hint: str = "") -> None:
        self._tell(path, value, message, hint, at_key=True, is_advice=True)

    def _tell(
        self, path: KeyPath, value: Any, message: str, hint: str = "", at_key: bool = False, is_advice: bool = False
    ) -> None:
        values = ((path, self._sourced(path, value)),)
        severity: Any = "advice" if is_advice else "error"
        problem = Problem(path=path, message=message, values=values, hint=hint, at_key=at_key, severity=severity)
        self.problems.append(problem)


def find_unwritable_notes(custom: Mapping[KeyPath, SourcedValue], keys: Sequence[SortedKeys]) -> Iterator[Problem]:
    """The custom values in force that have no form in TOML; what they shadow may be anything."""
    for path, sourced in custom.items():
        if unwritable := find_unwritable({path[-1]: sourced.value}, len(path) - 2):
            where, reason = unwritable
            given = next(found.names[path[:2]] for found in reversed(keys) if path in found.custom)
            spelled = (*given, *path[2:], *map(_text_of, where[1:]))
            yield Problem(path=spelled, message=reason, values=((spelled, sourced),))


def find_doubles(schema: Schema, sorted_keys: Sequence[SortedKeys]) -> Iterator[Problem]:
    """The settings that variables, or the texts of one call, give under an old name and another one.

    A file may say by its new name what one that it extends says by the old one.
    """
    seen: dict[tuple[str, KeyPath], tuple[KeyPath, SourcedValue]] = {}
    for keys in sorted_keys if any(keys.old_names for keys in sorted_keys) else ():
        for path, sourced in keys.settings.items():
            name, kind = keys.old_names.get(path, path), sourced.origin.kind
            before = seen.get((kind, path))
            seen[kind, path] = name, sourced
            if kind != "file" and before and before[0] != name:
                old, other = sorted([(name, sourced), before], key=lambda given: given[0] not in schema.old_names)
                yield _given_twice(schema.old_names[old[0]][1], path, old, other)


def _given_twice(
    was: Was, now: KeyPath, old: tuple[KeyPath, SourcedValue], other: tuple[KeyPath, SourcedValue]
) -> Problem:
    """The problem with a setting that one source gives under two names."""
    message = f"is given twice: it is called {'.'.join(now)} since {was.since}"
    return Problem(path=old[0], message=message, values=(old, other), at_key=True)


def _text_of(key: Any) -> str:
    """A key as plain text; of one that is no text, what tells it best."""
    if isinstance(key, str):
        return str.__str__(key)
    return str(key) if type(key) is int and key.bit_length() < 64 else f"<{type(key).__name__}>"
