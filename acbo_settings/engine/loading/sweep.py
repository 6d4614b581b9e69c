"""The points of a sweep, each resolved and judged: a layer above all that they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..canonical import KeyPath, custom_metadata, nested, plain
from ..frozen_sweep import FrozenSweep, notes_digest, swept_text
from ..origins import Origin, SweepItem
from ..printable import number_list
from ..problems import Problem, SharedProblems, file_problem
from ..values import Layer, SourcedValue, merge, merge_notes
from .layers import Layers
from .resolved import ResolvedConfig, examine
from .sweep_file import SweepPoints

_ABOVE_FILES = ("variable", "assignment", "argument")


class SweepPoint(NamedTuple):
    """A point of a sweep: its number, its place in the file, and what it resolves to.

    `notes` is the digest of its metadata, and `swept` the inline table of the settings, and of keys of the metadata, in
    which the points differ; `is_new` tells whether the sweep lacked it when it was frozen before.
    """

    number: int
    place: int
    resolved: ResolvedConfig[Any]
    fingerprint: str
    notes: str
    swept: str
    is_new: bool


class JudgedSweep:
    """The points of a sweep over the layers that they have in common; `judge` goes through them.

    A point of a sweep that was `frozen` before keeps its number, and a new one gets the next. Points that are equal in
    settings and metadata are one.
    """

    def __init__(self, layers: Layers, points: SweepPoints, file: str, frozen: FrozenSweep | None = None) -> None:
        self.layers = layers
        self.points = points
        self.count = 0
        """The points so far, each counted once."""
        self._file = file
        self._found: SharedProblems[int] = SharedProblems()
        self._found.add(_find_set_for_all(layers, points))
        self._equal: list[tuple[int, int]] = []
        self._taken: dict[tuple[str, str], int] = {}
        old = frozen.points if frozen else []
        self._next = len(old)
        self._by_values = {point.text: point.number for point in old if not point.is_retired}
        last = sorted(old, key=lambda point: not point.is_retired)  # those that are run win
        self._by_meaning = {(point.fingerprint, point.notes): point.number for point in last}

    def judge(self) -> Iterator[SweepPoint | None]:
        """Each point, or None for one that is not valid, or equals another one."""
        for place in range(len(self.points)):
            yield self._judge(place)

    def examine(self, place: int, number: int) -> tuple[ResolvedConfig[Any], list[Problem]]:
        """What the point at a place of the file resolves to, with its number in the origins, and what is wrong."""
        return examine(_lay_over(self.layers, self._swept(place, number)))

    def _swept(self, place: int, number: int) -> Layer:
        """The values of the settings in which a point differs from others, and of keys of the metadata."""
        return {path: _at(sourced, number) for path, sourced in self.points.at(place).items()}

    def _judge(self, place: int) -> SweepPoint | None:
        schema = self.layers.schema
        given = {path: schema.as_float(path, each.value) for path, each in self.points.at(place).items()}
        known = self._by_values.get(swept_text(given))
        number = self._next if known is None else known
        resolved, problems = self.examine(place, number)
        config = resolved.config
        meaning = ("", "") if problems else (config.fingerprint, notes_digest(custom_metadata(config)))
        if not problems and meaning in self._taken:
            self._equal.append((place, self._taken[meaning]))
            return None
        if known is None and not problems and meaning in self._by_meaning:
            known = number = self._by_meaning[meaning]
            resolved, _ = self.examine(place, number)  # so that what is advised names it
        self._next += known is None
        self.count += 1
        self._found.add([*problems, *resolved.advice], number)
        if problems:
            return None
        self._taken[meaning] = number
        fingerprint, notes = meaning
        return SweepPoint(number, place, resolved, fingerprint, notes, swept_text(given), known is None)

    @property
    def valid(self) -> int:
        """The valid points among them."""
        return len(self._taken)

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the points, and advised; what several have in common once, with their numbers."""
        counts = {"error": self.count, "advice": self.valid}  # only what is valid is advised of
        told = [
            problem.replace(scope=_scope(problem, numbers, counts[problem.severity]))
            for problem, numbers in self._found.told()
        ]
        if self._equal:
            place, number = self._equal[0]
            left_out = f"{len(self._equal):,} of {len(self.points):,} combinations"
            message = f"points that are equal are one, which leaves out {left_out}: combination {place} equals point"
            told.append(file_problem(self._file, f"{message} {number}").replace(severity="advice"))
        return told


def _at(sourced: SourcedValue, number: int) -> SourcedValue:
    """A value of a sweep's file as that of one point."""
    origin: Any = sourced.origin
    return SourcedValue(sourced.value, origin.at(number))


def _lay_over(layers: Layers, swept: Layer) -> Layers:
    """The layers of one point."""
    settings = {path: sourced for path, sourced in swept.items() if path[0] != "metadata"}
    values = merge([layers.values, settings])
    if len(settings) == len(swept):
        return layers.replace(values=values)
    notes = {path: sourced for path, sourced in swept.items() if path[0] == "metadata"}
    custom = merge_notes([layers.custom, notes])
    metadata = nested({path[1:]: plain(sourced.value) for path, sourced in custom.items()})
    return layers.replace(values=values, custom=custom, metadata=metadata)


def _find_set_for_all(layers: Layers, points: SweepPoints) -> Iterator[Problem]:
    """The settings of a sweep that a variable or an override sets as well, which would make all points the same."""
    for path, first in points.keys.items():
        given = [layers.values[path]] if path in layers.values else _related_notes(layers, path)
        chains = ((each, *each.shadowed) for each in given)
        above = [each for chain in chains for each in chain if each.origin.kind in _ABOVE_FILES]
        if above:
            origin: Origin = above[0].origin
            message = f"is swept, and {origin.source_name} would make all points the same"
            values = ((path, above[0]), (path, first))
            yield Problem(path=path, message=message, values=values, hint="give it in one of the two places")


def _related_notes(layers: Layers, path: KeyPath) -> list[SourcedValue]:
    """What stands in the metadata at a key, above it, and below it."""
    return [
        sourced for other, sourced in layers.custom.items() if other[: len(path)] == path or path[: len(other)] == other
    ]


def _scope(problem: Problem, numbers: Iterable[int], count: int) -> str:
    """The points that have a problem, where not all of them do and it does not say so itself."""
    among = sorted(set(numbers))
    names_one = any(isinstance(sourced.origin, SweepItem) for _, sourced in problem.values)
    if not among or len(among) == count or (len(among) == 1 and names_one):
        return ""
    return f"point{'' if len(among) == 1 else 's'} {number_list(among, most=10)}"
