"""The directory of a sweep: the points that it had before, their frozen files, and how new ones come to be there.

The file that says which points there are is written last, and it is what makes a sweep one: a point that it does not
name is trained by no task. It holds the seal of each point's file, so that a task is refused whose file is another one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ..frozen import FrozenConfig, read_frozen, seal_in
from ..frozen_sweep import (
    MAX_BYTES,
    MAX_NUMBERS,
    FrozenPoint,
    FrozenSweep,
    frozen_sweep_name,
    read_sweep,
    render_sweep,
    unusable,
)
from ..inputs import encode_path, exists, is_directory
from ..problems import ConfigurationError
from ..run_arguments import point_directory
from ..schema import Schema
from .durable import mode_of, replace_file, write_many, write_once
from .start import kept_name

NEW_SWEEP = "a new directory holds a new sweep"
"""The way out for who has something else in mind than the sweep that is there."""


class SweepDirectory:
    """The directory of a sweep, as it is found; ConfigurationError where it cannot be one, or its file is damaged."""

    def __init__(self, schema: Schema, path: str) -> None:
        self.path = path
        self.file = frozen_sweep_name(schema.application, path)
        self._schema = schema
        self._seen = _identity(self.file)
        self.sweep = self._read()

    def _read(self) -> FrozenSweep | None:
        if exists(self.path) and not is_directory(self.path):
            raise unusable(self.path, "is not a directory, as that of a sweep must be")
        if exists(os.path.join(self.path, self._schema.application.frozen_name)):
            raise unusable(self.path, "is the directory of a run", NEW_SWEEP)
        return read_sweep(self._schema, self.path) if exists(self.file) else None

    @property
    def points(self) -> list[FrozenPoint]:
        """The points that the sweep had before, if it was frozen before."""
        return self.sweep.points if self.sweep else []

    def frozen_file(self, number: int) -> str:
        """The path of a point's frozen file."""
        return os.path.join(point_directory(self.path, number), self._schema.application.frozen_name)

    def frozen(self, number: int) -> FrozenConfig | None:
        """A point's frozen file; None where there is none."""
        return read_frozen(self._schema, self.frozen_file(number))

    def has_own_file(self, point: FrozenPoint) -> bool:
        """Whether a point's file is the one that the sweep was frozen with; what somebody has edited is told."""
        hint = "move it away, and freeze the sweep again: it is written anew then"
        return seal_in(self.frozen_file(point.number), hint) == point.seal

    def any_own_file(self) -> FrozenConfig | None:
        """The frozen file of some point that is run; None where none of them is there."""
        for point in (point for point in self.points if not point.is_retired):
            with suppress(ConfigurationError):  # what somebody has edited is told when it is that point's turn
                frozen = self.frozen(point.number)
                if frozen and frozen.seal == point.seal:
                    return frozen
        return None

    def was_started(self, number: int) -> bool:
        """Whether a task has noted that a point is started, with whatever frozen file."""
        return exists(os.path.join(point_directory(self.path, number), self._schema.application.started_name))

    def require_free(self, number: int) -> None:
        """Refuse to take the directory of a run that is no point of a sweep."""
        frozen = self.frozen(number) if exists(self.frozen_file(number)) else None
        if frozen and frozen.point is None:
            hint = "choose another directory for the sweep"
            raise unusable(frozen.name, "is the frozen file of a run of its own", hint)

    def require_size(self, points: Iterable[FrozenPoint], facts: Mapping[str, Any]) -> None:
        """Refuse a sweep that could not be read back."""
        listed = list(points)
        if len(listed) > MAX_NUMBERS:
            message = f"would have more than {MAX_NUMBERS:,} points, with those that are retired"
            raise unusable(self.file, message, NEW_SWEEP)
        if len(render_sweep(self._schema, listed, facts).encode()) > MAX_BYTES:
            raise unusable(self.file, "would be larger than 64 MiB: what is swept is too long")

    def write(self, files: Iterator[FrozenConfig], is_replacing: bool) -> Iterator[str]:
        """Write frozen files of points, and keep those that are replaced; their names, each once it is on the disk."""
        return write_many(self._contents(files, is_replacing and self.sweep is not None))

    def _contents(self, files: Iterator[FrozenConfig], is_replacing: bool) -> Iterator[tuple[str, bytes]]:
        for file in files:
            self._require_alone()
            old = read_frozen(self._schema, file.name) if is_replacing else None
            if old:
                write_once(kept_name(old), old.text.encode(), mode_of(file.name))
            yield file.name, file.text.encode()

    def commit(self, points: Iterable[FrozenPoint], facts: Mapping[str, Any], seals: Mapping[int, str]) -> None:
        """Write which points there are; `seals` are those of the files that were written before, and must be there."""
        content = render_sweep(self._schema, points, facts).encode()
        self._require_alone()
        if self.sweep is not None:
            replace_file(self.file, content)
        elif not write_once(self.file, content):
            raise self._not_alone()
        if any(seal_in(self.frozen_file(number)) != seal for number, seal in seals.items()):
            raise self._not_alone()

    def _require_alone(self) -> None:
        """Stop when another process has frozen the sweep meanwhile, before what that has written is overwritten."""
        if _identity(self.file) != self._seen:
            raise self._not_alone()

    def _not_alone(self) -> ConfigurationError:
        return unusable(self.path, "was frozen by another process at the same time", "freeze it again")


def _identity(name: str) -> tuple[int, ...] | None:
    """What tells a file from one that comes into its place."""
    try:
        status = os.stat(encode_path(name))
    except (OSError, ValueError):
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
