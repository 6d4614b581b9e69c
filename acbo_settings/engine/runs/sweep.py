"""A freezing of a sweep: which points are new, kept, replaced or retired, and with which values.

What a freezing that was cut off has left is completed by the next one, with the values that the sweep's file stands
for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ..canonical import KeyPath, custom_metadata, leaves, nested
from ..differences import Difference
from ..frozen import FrozenConfig
from ..frozen_sweep import FrozenPoint, unusable
from ..inputs import Inputs, Start
from ..loading.layers import Layers
from ..loading.sweep import JudgedSweep, SweepPoint
from ..loading.sweep_file import SweepPoints
from ..origins import File
from ..problems import Problem, SharedProblems, file_problem
from ..report import refusal
from ..toml_document import Document
from ..values import SourcedValue
from .start import (
    changed_setting,
    find_changed_notes,
    find_changes,
    freeze_config,
    kept_note,
    kept_setting,
    lay_over,
)
from .sweep_directory import NEW_SWEEP, SweepDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..inputs import OnChange

_KEEPER = "the sweep"


class _Known(NamedTuple):
    """What has to be known of a point to freeze it: its place in the sweep's file, and what stands for it there."""

    place: int
    fingerprint: str
    notes: str
    swept: str


class SweepFreezing:
    """One freezing of a sweep: `judge` goes through the points, and `write` writes those that are not there yet.

    `on_change` says what to do when the points would be frozen with other values than they are, as for a run.
    ConfigurationError when they would, and from either step for what cannot be read or written.
    """

    def __init__(
        self, start: Start, layers: Layers, points: SweepPoints, directory: str, file: str, on_change: OnChange
    ) -> None:
        self.new = self.kept = self.replaced = self.retired = self.started = 0
        """Points by what becomes of them; those that come back after they were retired are among the kept ones.

        Those that were started are replaced ones whose runs may have left something.
        """
        self.advice: list[Problem] = []
        self._start = start
        self._schema = start.inputs.schema
        self._file = file
        self._on_change = on_change
        self._directory = SweepDirectory(self._schema, directory)
        self._changed_notes = self._is_kept = self._is_base_lost = False
        layers = self._held_to_base(layers, points)
        self.judged = JudgedSweep(layers, points, file, self._directory.sweep)
        self._found: dict[int, _Known] = {}
        self._waiting: dict[int, _Known] = {}
        self._seals: dict[int, str] = {}

    @property
    def numbers(self) -> list[int]:
        """The numbers of the points that are to be run."""
        return sorted(self._found)

    @property
    def waiting(self) -> int:
        """The points that are to be written."""
        return len(self._waiting)

    def _held_to_base(self, layers: Layers, points: SweepPoints) -> Layers:
        """What the points have in common, if that is what the sweep was frozen with before."""
        active = [point for point in self._directory.points if not point.is_retired]
        frozen = self._directory.any_own_file()
        self._is_base_lost = frozen is None and bool(active)
        today, problems = JudgedSweep(layers, points, self._file).examine(0, 0)
        if frozen is None or problems:
            return layers
        swept = {*points.keys, *(path for point in active for path in point.swept)}
        changes = [each for each in find_changes(self._schema, frozen, today) if each.path not in swept]
        told = find_changed_notes(frozen.custom, custom_metadata(today.config), layers)
        notes = [note for note in told if note[0] not in swept]
        if self._on_change == "replace":
            self._changed_notes = bool(notes)
            return layers
        if changes and self._on_change == "error":
            raise refusal(self._change_problems(frozen, changes))
        self._is_kept = bool(changes or notes)
        self.advice += (kept_setting(_KEEPER, change) for change in changes)
        self.advice += (kept_note(_KEEPER, note) for note in notes)
        return _with_notes(lay_over(layers, changes), frozen, {note[0] for note in notes})

    def _change_problems(self, frozen: FrozenConfig, changes: list[Difference]) -> list[Problem]:
        message = "this sweep was frozen with another configuration than today's"
        ways = (
            "undo the change, or take a new directory for a new sweep; --on-change keep goes on with the frozen one,"
            " --on-change replace freezes all points with today's, and keeps the old files"
        )
        return [
            file_problem(self._directory.file, message, ways),
            *(changed_setting(self._start, frozen, change) for change in changes),
        ]

    def judge(self) -> Iterator[None]:
        """Go through the points, and find out what is to be written."""
        changed: SharedProblems[int] = SharedProblems()
        for point in self.judged.judge():
            if point:
                self._found[point.number] = _Known(point.place, point.fingerprint, point.notes, point.swept)
                self._sort(point, changed)
            yield None
        if errors := [problem for problem in self.judged.problems if problem.severity == "error"]:
            raise refusal(errors)
        if told := [problem for problem, _ in changed.told()]:
            raise refusal(told)
        if self._is_base_lost and self.new and self._on_change != "replace":
            message = "has none of the frozen files of its points any more, and nobody knows what they had in common"
            raise unusable(self._directory.path, message, f"restore one of them; {NEW_SWEEP}")
        self.advice += self.judged.problems
        before = (point for point in self._directory.points if not point.is_retired)
        self.retired = sum(point.number not in self._found for point in before)

    def _sort(self, point: SweepPoint, changed: SharedProblems[int]) -> None:
        """Find out whether a point is new, or replaced, or kept."""
        found = self._found[point.number]
        if point.is_new:
            self._directory.require_free(point.number)
            self._waiting[point.number] = found
            self.new += 1
            return
        known = self._directory.points[point.number]
        is_same = point.fingerprint == known.fingerprint
        if self._on_change == "replace" and (not is_same or self._changed_notes):
            self._waiting[point.number] = found
            self.replaced += 1
            self.started += self._directory.was_started(point.number)
            return
        self.kept += 1
        if self._directory.has_own_file(known):
            changed.add(() if is_same else self._find_changes(point), point.number)
        elif is_same and point.notes == known.notes:
            self._directory.require_free(point.number)
            self._waiting[point.number] = found  # it is missing, or a freezing was cut off when it had replaced this
        else:
            changed.add([self._lost(known)], point.number)

    def _lost(self, known: FrozenPoint) -> Problem:
        """The problem with a point whose file is not there, and would be written with another configuration."""
        message = f"is not there any more, and held another configuration ({known.fingerprint}) or other metadata"
        hint = "restore it, or freeze with what it was frozen with; --on-change replace freezes today's"
        return file_problem(self._directory.frozen_file(known.number), message, hint)

    def _find_changes(self, point: SweepPoint) -> Iterator[Problem]:
        """The settings in which a point is not what it was; a new setting changes the fingerprint alone."""
        frozen = self._directory.frozen(point.number)
        changes = find_changes(self._schema, frozen, point.resolved) if frozen else []
        if frozen and changes:
            yield from self._change_problems(frozen, changes)

    def write(self) -> Iterator[str]:
        """Write the points that are waiting; the names of their files, each once it is on the disk."""
        facts = {"file": self._file, "time": datetime.now(UTC).isoformat(timespec="seconds")}
        self._directory.require_size(self._listed(dict.fromkeys(self._waiting, "0" * 16)), facts)
        yield from self._directory.write(self._frozen(), self._on_change == "replace")
        self._directory.commit(self._listed(self._seals), facts, self._seals)

    def _frozen(self) -> Iterator[FrozenConfig]:
        """The points that are waiting, each as its frozen file."""
        inputs, file = Inputs(self._schema), self._start.inputs.file
        facts = {"file": file and file.name, "inputs": inputs.digest}
        # Where something else wins over them, what they say is not what was frozen: then tasks are held to the values.
        is_all = not self._is_kept and self._start.inputs.overrides is None
        variables = self._start.inputs.environ if is_all else {}
        for number, point in self._waiting.items():
            name = self._directory.frozen_file(number)
            resolved, _ = self.judged.examine(point.place, number)
            frozen = freeze_config(self._schema, name, resolved, {**facts, "point": number}, variables)
            self._seals[number] = frozen.seal
            yield frozen

    def _listed(self, seals: Mapping[int, str]) -> list[FrozenPoint]:
        """All points as the sweep's file has them, with these seals of those that are written."""
        count = max([len(self._directory.points), *(number + 1 for number in self._found)])
        return [self._listed_as(number, seals.get(number)) for number in range(count)]

    def _listed_as(self, number: int, seal: str | None) -> FrozenPoint:
        """One point as the sweep's file has it: as it was, but for what its file says now; retired, if it is gone."""
        point = self._found.get(number)
        if point and seal:
            return FrozenPoint(number, point.fingerprint, point.notes, seal, False, point.swept)
        old = self._directory.points[number]
        return FrozenPoint(number, old.fingerprint, old.notes, old.seal, not point, point.swept if point else old.text)


def _with_notes(layers: Layers, frozen: FrozenConfig, paths: Collection[KeyPath]) -> Layers:
    """The layers with the metadata of a frozen file at these keys, so that new points have what old ones keep."""
    if not paths:
        return layers
    document = Document(frozen.name, frozen.text)
    custom = {path: sourced for path, sourced in layers.custom.items() if path not in paths}
    for path, value in leaves(frozen.custom).items():
        if path in paths:
            custom[path] = SourcedValue(value, File(document, path))
    return layers.replace(custom=custom, metadata=nested({path[1:]: each.value for path, each in custom.items()}))
