"""The keys of one source: which are settings, which are the user's own, and which are mistakes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from ..canonical import KeyPath
from ..metadata import find_unwritable
from ..names import called_elsewhere, did_you_mean, find_path, meant_by, near_miss
from ..origins import SourcedValue
from ..problems import MAX_PROBLEMS, Problem
from ..schema import Schema
from .source import Source


class SortedKeys:
    """The keys of one source, sorted: settings and custom keys by key path, not judged yet, and what is wrong."""

    def __init__(self, schema: Schema, source: Source) -> None:
        self.settings: dict[KeyPath, SourcedValue] = {}
        self.custom: dict[KeyPath, SourcedValue] = {}
        self.problems: list[Problem] = []
        self._schema = schema
        self._source = source
        self._sort_table((), source.tree)

    def _sort_table(self, section: KeyPath, table: Mapping[Any, Any]) -> None:
        for key, value in table.items():
            path = (*section, _text_of(key))
            if not isinstance(key, str):
                self._tell(path, value, "keys must be text", at_key=True)
            elif path in self._schema.defaults:
                self.settings[path] = SourcedValue(value, self._source.origin_of(path))
            else:
                self._sort_other(path, value)

    def _sort_other(self, path: KeyPath, value: Any) -> None:
        """Sort a key that is no setting."""
        found = find_path(self._schema, path)
        if found is None and len(path) == 1:
            self._sort_custom(path, value)
        elif found is None:
            meant = meant_by(self._schema, path) if len(self.problems) < MAX_PROBLEMS else None
            self._tell(path, value, "no such setting", did_you_mean(meant), at_key=True)
        elif not isinstance(value, Mapping):
            hint = "dataclasses.asdict gives one" if is_dataclass(value) else ""
            self._tell(path, value, "Input should be a table", hint)
        elif found == ("metadata",):
            self._sort_metadata(value)
        else:
            self._sort_table(path, value)

    def _sort_custom(self, path: KeyPath, value: Any) -> None:
        """Sort a top-level key that is no setting: the user's own, or a mistake."""
        meant = near_miss(self._schema, path[0])
        is_field = meant is not None and len(meant) > 1 and meant[-1] == path[0]
        if meant and not (is_field and self._source.is_call):
            hint = did_you_mean(meant) + ("" if is_field else " (a custom key of such a name can go into metadata)")
            if tuple(path[0].split(".")) == meant:
                hint = f"nest it: {meant[-1]} inside {'.'.join(meant[:-1])}"
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

    def _settings_inside(self, value: object) -> str | None:
        """A setting or section that stands in a table of the user's own, where it would not be looked for."""
        names = {path[0] for path in self._schema.defaults}
        return next((key for key in value if key in names), None) if isinstance(value, Mapping) else None

    def _sort_metadata(self, table: Mapping[Any, Any]) -> None:
        pyrsistent = sys.modules.get("pyrsistent")  # a configuration's own metadata records settings, and is a PMap
        is_record = pyrsistent is not None and isinstance(table, pyrsistent.PMap)
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

    def _keep(self, path: KeyPath, value: Any, key: Any = "") -> None:
        """Keep a custom value, if it can be written down and its name is not taken."""
        name = path[-1]
        kept = ("metadata", name)
        if not isinstance(key, str):
            self._tell(path, value, "keys must be text", at_key=True)
        elif kept in self.custom:
            self._tell(path, value, "is set both at the top level and in metadata", at_key=True)
        elif unwritable := find_unwritable({name: value}):
            where, reason = unwritable
            self._tell((*path, *map(_text_of, where[1:])), value, reason)
        else:
            self.custom[kept] = SourcedValue(value, self._source.origin_of(path))

    def _advise(self, path: KeyPath, value: Any, message: str, hint: str = "") -> None:
        self._tell(path, value, message, hint, at_key=True, is_advice=True)

    def _tell(
        self, path: KeyPath, value: Any, message: str, hint: str = "", at_key: bool = False, is_advice: bool = False
    ) -> None:
        values = ((path, SourcedValue(value, self._source.origin_of(path))),)
        severity: Any = "advice" if is_advice else "error"
        problem = Problem(path=path, message=message, values=values, hint=hint, at_key=at_key, severity=severity)
        self.problems.append(problem)


def _text_of(key: Any) -> str:
    """A key as plain text; of one that is no text, what tells it best."""
    if isinstance(key, str):
        return str.__str__(key)
    return str(key) if type(key) is int and key.bit_length() < 64 else f"<{type(key).__name__}>"
