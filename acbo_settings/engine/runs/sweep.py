"""A sweep, frozen: the points each as the frozen file of a run, and last the file that says which points there are.

That file is what makes a sweep one: a point that it does not name is trained by no task. It holds the seal of each
point's file, so that a task is refused whose file is another one. What a freezing that was cut off has left is
completed by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from ..canonical import KeyPath, custom_metadata, nested
from ..frozen import FrozenConfig, read_frozen, seal_in
from ..frozen_sweep import (
    MAX_BYTES,
    MAX_POINTS,
    FrozenPoint,
    FrozenSweep,
    frozen_sweep_name,
    read_sweep,
    render_sweep,
    unusable,
)
from ..inputs import Inputs, Start, encode_path, exists, is_directory
from ..loading.layers import Layers
from ..loading.sweep import JudgedSweep, SweepPoint
from ..loading.sweep_file import SweepPoints
from ..metadata import leaves
from ..origins import File
from ..problems import ConfigurationError, Problem, SharedProblems, file_problem
from ..report import refusal
from ..run_arguments import point_directory
from ..toml_document import Document
from ..values import Difference, SourcedValue
from .durable import mode_of, replace_file, write_many, write_once
from .start import (
    changed_setting,
    find_changed_notes,
    find_changes,
    freeze_config,
    kept_name,
    kept_note,
    kept_setting,
    lay_over,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..inputs import OnChange


_NEW_SWEEP = "a new directory holds a new sweep"


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
        self._directory = directory
        self._file = file
        self._on_change = on_change
        self._seen = _identity(self._sweep_file)
        self._old = self._read_old()
        self._changed_notes = self._is_kept = self._is_base_lost = False
        layers = self._held_to_base(layers, points)
        self.judged = JudgedSweep(layers, points, file, self._old)
        self._found: dict[int, _Known] = {}
        self._waiting: dict[int, _Known] = {}
        self._seals: dict[int, str] = {}

    @property
    def _sweep_file(self) -> str:
        return frozen_sweep_name(self._schema.application, self._directory)

    def _read_old(self) -> FrozenSweep | None:
        """The sweep as it was frozen before, if it was."""
        if exists(self._directory) and not is_directory(self._directory):
            raise unusable(self._directory, "is not a directory, as that of a sweep must be")
        if exists(os.path.join(self._directory, self._schema.application.frozen_name)):
            raise unusable(self._directory, "is the directory of a run", _NEW_SWEEP)
        return read_sweep(self._schema, self._directory) if exists(self._sweep_file) else None

    @property
    def _points_before(self) -> list[FrozenPoint]:
        return self._old.points if self._old else []

    def _frozen_file(self, number: int) -> str:
        return os.path.join(point_directory(self._directory, number), self._schema.application.frozen_name)

    def _held_to_base(self, layers: Layers, points: SweepPoints) -> Layers:
        """What the points have in common, if that is what the sweep was frozen with before."""
        frozen = self._one_before()
        self._is_base_lost = frozen is None and any(not point.is_retired for point in self._points_before)
        today, problems = JudgedSweep(layers, points, self._file).examine(0, 0)
        if frozen is None or problems:
            return layers
        swept = {*points.keys, *(path for point in self._points_before if not point.is_retired for path in point.swept)}
        changes = [each for each in find_changes(self._schema, frozen, today) if each.path not in swept]
        told = find_changed_notes(frozen.custom, custom_metadata(today.config), layers)
        notes = [note for note in told if note[0] not in swept]
        if self._on_change == "replace":
            self._changed_notes = bool(notes)
            return layers
        if changes and self._on_change == "error":
            raise refusal(self._change_problems(frozen, changes))
        keeper = "the sweep"
        self.advice += [*(kept_setting(keeper, each) for each in changes), *(kept_note(keeper, each) for each in notes)]
        self._is_kept = bool(changes or notes)
        return _with_notes(lay_over(layers, changes), frozen, {note[0] for note in notes})

    def _one_before(self) -> FrozenConfig | None:
        """The frozen file of some point of the sweep as it was frozen before; None where none of them is there."""
        for point in self._points_before:
            with suppress(ConfigurationError):  # what somebody has edited is told when it is that point's turn
                frozen = None if point.is_retired else read_frozen(self._schema, self._frozen_file(point.number))
                if frozen and frozen.seal == point.seal:
                    return frozen
        return None

    def _change_problems(self, frozen: FrozenConfig, changes: list[Difference]) -> list[Problem]:
        message = "this sweep was frozen with another configuration than today's"
        ways = (
            "--on-change keep goes on with the frozen one, --on-change replace freezes all points with today's, and"
            f" keeps the old files; {_NEW_SWEEP}"
        )
        return [
            file_problem(self._sweep_file, message, ways),
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
            raise unusable(self._directory, message, f"restore one of them; {_NEW_SWEEP}")
        self.advice += self.judged.problems
        self.retired = sum(not point.is_retired and point.number not in self._found for point in self._points_before)

    def _sort(self, point: SweepPoint, changed: SharedProblems[int]) -> None:
        """Find out whether a point is new, or kept, or replaced."""
        found = self._found[point.number]
        if point.is_new:
            self._require_free(point.number)
            self._waiting[point.number] = found
            self.new += 1
            return
        known = self._points_before[point.number]
        is_same = point.fingerprint == known.fingerprint
        if self._on_change == "replace" and (not is_same or self._changed_notes):
            self._waiting[point.number] = found
            self.replaced += 1
            self.started += self._was_started(point.number)
            return
        self.kept += 1
        if self._seal_of(point.number) == known.seal:
            changed.add(() if is_same else self._find_changes(point), point.number)
        elif is_same and point.notes == known.notes:
            self._require_free(point.number)
            self._waiting[point.number] = found  # it is missing, or a freezing was cut off when it had replaced this
        else:
            changed.add([self._lost(known)], point.number)

    def _was_started(self, number: int) -> bool:
        name = self._schema.application.started_name
        return exists(os.path.join(point_directory(self._directory, number), name))

    def _lost(self, known: FrozenPoint) -> Problem:
        """The problem with a point whose file is not there, and would be written with another configuration."""
        message = f"is not there any more, and held another configuration ({known.fingerprint}) or other metadata"
        hint = "restore it, or freeze with what it was frozen with; --on-change replace freezes today's"
        return file_problem(self._frozen_file(known.number), message, hint)

    def _find_changes(self, point: SweepPoint) -> Iterator[Problem]:
        """The settings in which a point is not what it was; a new setting changes the fingerprint alone."""
        frozen = read_frozen(self._schema, self._frozen_file(point.number))
        if frozen:
            changes = find_changes(self._schema, frozen, point.resolved)
            yield from self._change_problems(frozen, changes) if changes else ()

    def _seal_of(self, number: int) -> str:
        """The seal of a point's frozen file; none where that is not there. What somebody has edited is told."""
        hint = "move it away, and freeze the sweep again: it is written anew then"
        return seal_in(self._frozen_file(number), hint)

    def _require_free(self, number: int) -> None:
        """Refuse to take the directory of a run that is no point of a sweep."""
        name = self._frozen_file(number)
        if exists(name):
            frozen = read_frozen(self._schema, name)
            if frozen and frozen.point is None:
                raise unusable(name, "is the frozen file of a run of its own", "choose another directory for the sweep")

    @property
    def numbers(self) -> list[int]:
        """The numbers of the points that are to be run."""
        return sorted(self._found)

    def write(self) -> Iterator[str]:
        """Write the points that are waiting; the names of their files, each once it is on the disk."""
        self._require_size()
        yield from write_many(self._contents())
        self._commit()

    def _require_size(self) -> None:
        """Refuse what could not be read back, before anything is written."""
        points = self._listed(dict.fromkeys(self._waiting, "0" * 16))
        if len(points) > MAX_POINTS:
            message = f"would have more than {MAX_POINTS:,} points, with those that are retired"
            raise unusable(self._sweep_file, message, _NEW_SWEEP)
        if len(render_sweep(self._schema, points, self._facts).encode()) > MAX_BYTES - 1000:
            raise unusable(self._sweep_file, "would be larger than 64 MiB: what is swept is too long")

    @property
    def _facts(self) -> dict[str, str]:
        return {"file": self._file, "time": datetime.now(UTC).isoformat(timespec="seconds")}

    def _listed(self, seals: Mapping[int, str]) -> list[FrozenPoint]:
        """All points as the sweep's file has them, with these seals of those that are written."""
        old = self._points_before
        count = max([len(old), *(number + 1 for number in self._found)])
        return [self._listed_as(number, seals.get(number)) for number in range(count)]

    def _listed_as(self, number: int, seal: str | None) -> FrozenPoint:
        """One point as the sweep's file has it: as it was, but for what its file says now; retired, if it is gone."""
        point = self._found.get(number)
        if point and seal:
            return FrozenPoint(number, point.fingerprint, point.notes, seal, False, point.swept)
        old = self._points_before[number]
        return FrozenPoint(number, old.fingerprint, old.notes, old.seal, not point, point.swept if point else old.text)

    @property
    def waiting(self) -> int:
        """The points that are to be written."""
        return len(self._waiting)

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        inputs = Inputs(self._schema)
        file = self._start.inputs.file
        facts = {"file": file and file.name, "inputs": inputs.digest}
        # Where something else wins over them, what they say is not what was frozen: then tasks are held to the values.
        is_all = not self._is_kept and self._start.inputs.overrides is None
        variables = self._start.inputs.environ if is_all else {}
        for number, point in self._waiting.items():
            self._require_alone()
            name = self._frozen_file(number)
            resolved, _ = self.judged.examine(point.place, number)
            frozen = freeze_config(self._schema, name, resolved, {**facts, "point": number}, variables)
            self._keep_old(name)
            self._seals[number] = frozen.seal
            yield name, frozen.text.encode()

    def _keep_old(self, name: str) -> None:
        """Keep the frozen file that is replaced beside it, under its fingerprint, as a run does."""
        old = read_frozen(self._schema, name) if self._on_change == "replace" and self._old else None
        if old:
            write_once(kept_name(old), old.text.encode(), mode_of(name))

    def _commit(self) -> None:
        """Write which points there are."""
        content = render_sweep(self._schema, self._listed(self._seals), self._facts).encode()
        self._require_alone()
        if self._old is None:
            is_written = write_once(self._sweep_file, content)
        else:
            is_written = True
            replace_file(self._sweep_file, content)
        if not is_written or any(self._seal_of(number) != seal for number, seal in self._seals.items()):
            raise self._not_alone()

    def _require_alone(self) -> None:
        """Stop when another process has frozen the sweep meanwhile, before what that has written is overwritten."""
        if _identity(self._sweep_file) != self._seen:
            raise self._not_alone()

    def _not_alone(self) -> ConfigurationError:
        return unusable(self._directory, "was frozen by another process at the same time", "freeze it again")


def _identity(name: str) -> tuple[int, ...] | None:
    """What tells a file from one that comes into its place."""
    try:
        status = os.stat(encode_path(name))
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


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
