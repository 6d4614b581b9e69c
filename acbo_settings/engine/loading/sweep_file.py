"""The file of a sweep: which settings its points differ in, and the value that each point has of them.

Its values are sorted and spelled as those of a configuration file. They are judged with all else of a point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import prod
from typing import Any, NamedTuple

from ..canonical import KeyPath, nested
from ..inputs import RawFile
from ..names import GRID, PAIRED, did_you_mean, find_path
from ..origins import SweepItem
from ..printable import show_value
from ..problems import Problem, file_problem
from ..schema import Schema
from ..spelling import closest
from ..toml_document import Document, Place
from ..values import Layer, SourcedValue
from .file import decode_file, parse_toml
from .keys import SortedKeys, find_unwritable_notes
from .source import Source

MAX_POINTS = 100_000
"""The most points that a sweep may have."""


class _Axis(NamedTuple):
    """What varies together: a key of the grid, or all keys of the pairs. A point has one of the choices."""

    choices: tuple[Layer, ...]

    @property
    def keys(self) -> dict[KeyPath, SourcedValue]:
        """The settings that vary, with their first value."""
        return {path: sourced for choice in reversed(self.choices) for path, sourced in choice.items()}


class SweepPoints:
    """The points of a sweep: of each, by its place in the file, the settings in which it differs from the others.

    The pairs are the slowest, and the last key of the grid the fastest. Nothing is built before a point is asked for.
    """

    def __init__(self, axes: Sequence[_Axis]) -> None:
        self._axes = axes
        self.keys: dict[KeyPath, SourcedValue] = {path: sourced for axis in axes for path, sourced in axis.keys.items()}
        """The settings in which points differ, and keys of the metadata, each with its first value."""

    def __len__(self) -> int:
        return prod(len(axis.choices) for axis in self._axes) if self._axes else 0

    def at(self, place: int) -> Layer:
        """What the point at a place gives its settings."""
        layer: Layer = {}
        for axis in reversed(self._axes):
            place, number = divmod(place, len(axis.choices))
            layer = {**axis.choices[number], **layer}
        return layer


def read_points(schema: Schema, file: RawFile) -> tuple[SweepPoints, list[Problem]]:
    """The points of a sweep's file, and what is wrong with its keys, or advised.

    ConfigurationError where there is nothing to be read; with an error among the problems, there are no points.
    """
    document = decode_file(file)
    reading = _Reading(schema, document, parse_toml(document))
    is_wrong = any(problem.severity == "error" for problem in reading.problems)
    return SweepPoints([] if is_wrong else reading.axes), reading.problems


class _Reading:
    """One reading of the file of a sweep: `axes` is what varies, and `problems` what is wrong."""

    def __init__(self, schema: Schema, document: Document, tree: Mapping[str, Any]) -> None:
        self._schema = schema
        self._document = document
        name = next(".".join(path) for path in schema.defaults)
        self._example = f"write {name} = [..., ...] under [{GRID}], for example"
        self.problems: list[Problem] = []
        self.axes: list[_Axis] = []
        for key, value in tree.items():
            if key not in (GRID, PAIRED):
                self._tell_unknown(key, value)
        grid, pairs = tree.get(GRID, {}), tree.get(PAIRED, [])
        if not self._has_shape(grid, pairs):
            return
        arrays = dict(self._arrays_in((GRID,), grid))
        if self._are_too_many(len(pairs), arrays):
            return
        if pairs:
            self._add(PAIRED, (self._pair(number, pair) for number, pair in enumerate(pairs)))
        for path in sorted(arrays, key=self._place_of):
            self._add(".".join(path[1:]), self._items(path, arrays[path]))
        self._tell_doubles()
        if not self.problems and not any(axis.keys for axis in self.axes):
            self._tell_nothing()

    def _place_of(self, path: Place) -> tuple[int, int]:
        """Where a key stands: `tomllib` keeps tables in the order of the file, but not the keys of all of them."""
        position = self._document.position(path)
        return position.line, position.key_column

    def _has_shape(self, grid: Any, pairs: Any) -> bool:
        """Whether the two tables are such, and anything stands in them."""
        before = len(self.problems)
        if not isinstance(grid, dict):
            self._tell((GRID,), (GRID,), grid, "should be a table", self._example)
        if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
            self._tell((PAIRED,), (PAIRED,), pairs, "should be an array of tables", f"write [[{PAIRED}]]")
        elif not grid and not any(pairs) and not self.problems:
            self._tell_nothing()
        return len(self.problems) == before

    def _tell_nothing(self) -> None:
        message = f"has no points: neither [{GRID}] nor [[{PAIRED}]] has a setting"
        self.problems.append(file_problem(self._document.name, message, self._example))

    def _arrays_in(self, path: KeyPath, table: Mapping[str, Any]) -> Iterator[tuple[KeyPath, list[Any]]]:
        """The arrays of the grid by their keys."""
        for key, value in table.items():
            below = (*path, key)
            if isinstance(value, dict):
                yield from self._arrays_in(below, value)
            elif not isinstance(value, list):
                hint = f"write {key} = [{show_value(value)}, ...]"
                self._tell(below[1:], below, value, "should be an array of values in a grid", hint)
            elif not value:
                self._tell(below[1:], below, value, "has no values, so that the sweep has no points")
            else:
                yield below, value

    def _are_too_many(self, pairs: int, arrays: Mapping[KeyPath, list[Any]]) -> bool:
        """Say so where there are more points than a sweep may have."""
        counts = [*([pairs] if pairs else []), *(len(array) for array in arrays.values())]
        if prod(counts) <= MAX_POINTS:
            return False
        shown = " × ".join(f"{count:,}" for count in counts)
        product = f"{shown} = {prod(counts):,}" if len(counts) > 1 else shown
        message = f"has {product} points, and a sweep may have at most {MAX_POINTS:,}"
        self.problems.append(file_problem(self._document.name, message))
        return True

    def _items(self, path: KeyPath, array: list[Any]) -> Iterator[Layer]:
        """What each item of an array of the grid gives a point; a key that is wrong is told once."""
        for number, item in enumerate(array):
            before = len(self.problems)
            yield self._sorted(nested({path[1:]: item}), path, (*path, number))
            if any(problem.at_key and problem.severity == "error" for problem in self.problems[before:]):
                return

    def _pair(self, number: int, pair: Mapping[str, Any]) -> Layer:
        """What a pair gives a point."""
        if not pair:
            self._tell((PAIRED,), (PAIRED, number), None, "has no setting")
        layer = self._sorted(pair, (PAIRED,), (PAIRED, number))
        for path, sourced in layer.items():
            is_one = path in self._schema.defaults and not self._schema.setting(path).kind.items
            if is_one and isinstance(sourced.value, list):
                hint = f"write a [[{PAIRED}]] for each combination, or put the array under [{GRID}]"
                self._tell_of(path, sourced, "is an array, and a pair has one value", hint, at_key=False)
        return layer

    def _sorted(self, tree: Mapping[str, Any], path: KeyPath, item: Place) -> Layer:
        """The settings and the keys of the metadata in a tree, which stands at a place of the file."""
        is_pair = len(path) == 1

        def origin_of(below: KeyPath) -> SweepItem:
            """Where a value stands: behind the item, or at it."""
            rest = below if is_pair else below[len(path) - 1 :]
            return SweepItem(self._document, (path[0], *below), (*item, *rest))

        keys = SortedKeys(self._schema, Source(tree, origin_of))
        advised = {(each.path, each.message) for each in self.problems if each.severity == "advice"}
        self.problems += [each for each in keys.problems if (each.path, each.message) not in advised]
        self.problems += find_unwritable_notes(keys.custom, [keys])
        return {**keys.settings, **keys.custom}

    def _add(self, name: str, found: Iterator[Layer]) -> None:
        """Add what varies, if each choice gives the same settings; where one is wrong, it may give none."""
        before = len(self.problems)
        axis = _Axis(tuple(found))
        is_wrong = any(problem.severity == "error" for problem in self.problems[before:])
        for path, first in axis.keys.items() if not is_wrong else ():
            lacking = [number for number, choice in enumerate(axis.choices) if path not in choice]
            if lacking:
                what = f"[[{PAIRED}]]" if name == PAIRED else f"items of {name}"
                shown = ", ".join(str(number + 1) for number in islice(lacking, 3))
                more = f" and {len(lacking) - 3:,} more" if len(lacking) > 3 else ""
                message = f"is given in some {what} only, and not in number {shown}{more}"
                self._tell_of(path, first, message, "give it in each, or in none")
        self.axes.append(axis)

    def _tell_doubles(self) -> None:
        """Say which settings vary in two ways, so that it is not clear which one a point has."""
        given: dict[KeyPath, SourcedValue] = {}
        above: dict[KeyPath, SourcedValue] = {}  # by the tables around what is given
        for axis in self.axes:
            for path, sourced in axis.keys.items():
                starts = [path[:length] for length in range(1, len(path) + 1)]
                taken = next((given[start] for start in starts if start in given), above.get(path))
                if taken:
                    message = "is given twice: a setting varies either in the grid or in pairs, and there once"
                    values = ((path, taken), (path, sourced))
                    self.problems.append(Problem(path=path, message=message, values=values, at_key=True))
            given |= axis.keys
            above |= {path[:length]: each for path, each in axis.keys.items() for length in range(1, len(path))}

    def _tell_unknown(self, key: str, value: Any) -> None:
        """Tell of a table or key that the file of a sweep does not have."""
        if find_path(self._schema, key) or "." in key:
            hint = f"what varies stands under [{GRID}] or [[{PAIRED}]]"
            hint += f", and all else in {self._schema.application.file_name}"
        else:
            hint = did_you_mean(closest(key, (GRID, PAIRED))) or f"it has [{GRID}] and [[{PAIRED}]]"
        self._tell((key,), (key,), value, "is not known in the file of a sweep", hint, at_key=True)

    def _tell(
        self, path: KeyPath, place: Place, value: Any, message: str, hint: str = "", at_key: bool = False
    ) -> None:
        names = tuple(part for part in place if isinstance(part, str))
        self._tell_of(path, SourcedValue(value, SweepItem(self._document, names, place)), message, hint, at_key)

    def _tell_of(self, path: KeyPath, sourced: SourcedValue, message: str, hint: str = "", at_key: bool = True) -> None:
        self.problems.append(Problem(path=path, message=message, values=((path, sourced),), hint=hint, at_key=at_key))
