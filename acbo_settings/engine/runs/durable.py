"""Writing a file whole, so that it survives a crash, or not at all: temporary file, fsync, its name, fsync of that.

There are no locks, which some file systems of clusters refuse, and no clocks. A process that is killed may leave its
temporary file, whose name starts with a dot.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from errno import EINVAL, EMLINK, ENOSYS, EOPNOTSUPP, EPERM
from functools import partial
from itertools import islice

from ..frozen import unusable
from ..inputs import encode_path, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from ..problems import ConfigurationError

_BATCH = 200
"""Files that are flushed together: each has an open descriptor, of which a process may have about a thousand."""

_FLUSHES = 8
"""Flushes that wait for the disk, or for a file server, at once."""

_WITHOUT_LINKS = (EPERM, EOPNOTSUPP, ENOSYS, EMLINK)


def write_once(name: str, content: bytes, mode: int | None = None) -> bool:
    """Write a file that must not be there yet; its directory is made. Return False when the name was taken.

    It has a mode, if there is one, and else that of a new file. Whoever has the name, it is flushed to the disk.

    ConfigurationError with the reason of the system, when any step fails; no part of a file is left then. When only the
    last step failed, the flush of the directory, the whole file is there, and the message says so.
    """
    with _Writing(name) as temporary:
        temporary.make_directory()
        temporary.fill(content, mode)
        try:
            temporary.link()
        except FileExistsError:
            temporary.remove()
            _sync_directory(temporary.directory)  # which the winner may not have done yet
            return False
        temporary.finish()
    return True


def replace_file(name: str, content: bytes) -> None:
    """Put a file in the place of another, with its mode. Of several processes that do this at once, the last one wins.

    ConfigurationError when any step fails; the old file is still in its place then, or, when only the flush of the
    directory failed, the new one, and the message says so.
    """
    with _Writing(name) as temporary:
        temporary.fill(content, mode_of(name))
        temporary.replace()
        temporary.finish()


def write_many(files: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """Write files one after the other, each whole or not at all, in the place of what may be there; their names.

    Those of a batch are flushed together, which takes a disk a fraction of the time: a name comes back once its file,
    and the name of that, are on the disk. ConfigurationError when any step fails; the files before that one stay.
    """
    from concurrent.futures import ThreadPoolExecutor  # which nobody else needs

    waiting = iter(files)
    with ThreadPoolExecutor(_FLUSHES) as flushing:
        while batch := list(islice(waiting, _BATCH)):
            _write_batch(batch, flushing)
            yield from (name for name, _ in batch)


def _write_batch(batch: Sequence[tuple[str, bytes]], flushing: Executor) -> None:
    """Write some files with their flushes together: those of the files, and then those of their names."""
    with ExitStack() as stack:
        made = [stack.enter_context(_Writing(name)) for name, _ in batch]
        for writing, (_, content) in zip(made, batch, strict=True):
            writing.attempt(writing.make_directories)
            writing.attempt(partial(writing.write, content, mode_of(writing.name)))
        _flush_all(flushing, [partial(writing.attempt, writing.flush) for writing in made])
        for writing in made:
            writing.attempt(writing.replace)
        named = {directory: writing for writing in made for directory in (*writing.parents, writing.directory)}
        _flush_all(flushing, [partial(each.attempt, partial(_sync_directory, name)) for name, each in named.items()])


def _flush_all(flushing: Executor, steps: Iterable[Callable[[], None]]) -> None:
    """Take steps at once, and end when all have ended; the exception of one that failed."""
    waiting = [flushing.submit(step) for step in steps]
    errors = [each.exception() for each in waiting]
    for error in filter(None, errors):
        raise error


def remove_file(name: str) -> None:
    """Remove a file, if that can be done."""
    with suppress(OSError):
        os.unlink(encode_path(name))


def mode_of(name: str) -> int | None:
    """The mode of a file, or None when it is not there."""
    try:
        return stat.S_IMODE(os.stat(encode_path(name)).st_mode)
    except FileNotFoundError:
        return None


class _Writing:
    """A temporary file beside a name. Leaving the block removes it; a failure inside is told with its path."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_made = self.is_there = False
        self.descriptor: int | None = None
        self.parents: list[bytes] = []

    def __enter__(self) -> _Writing:
        try:
            directory, base = os.path.split(encode_path(self.name))
        except ValueError as error:
            raise unusable(self.name, str(error)) from None
        self.directory = directory
        self.path = os.path.join(directory, b"." + base + b"." + os.urandom(8).hex().encode() + b".tmp")
        return self

    def make_directory(self) -> None:
        """Make the directory and those above it that are missing, and flush their names to the disk."""
        self.make_directories()
        for parent in self.parents:
            _sync_directory(parent)

    def make_directories(self) -> None:
        """Make the directory and those above it that are missing; `parents` are those in which there are new names."""
        made, parent = [], self.directory
        while parent and not os.path.isdir(parent):
            made.append(parent)
            parent = os.path.dirname(parent)
        if made:
            os.makedirs(self.directory, exist_ok=True)
        self.parents = [os.path.dirname(directory) for directory in made]

    def fill(self, content: bytes, mode: int | None = None) -> None:
        """Write the content and flush it to the disk."""
        self.write(content, mode)
        self.flush()

    def write(self, content: bytes, mode: int | None = None) -> None:
        """Write the content; a write that takes only a part is continued."""
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self.is_made = True
        if mode is not None:
            os.fchmod(self.descriptor, mode)
        while content:
            content = content[os.write(self.descriptor, content) :]

    def flush(self) -> None:
        """Flush what was written to the disk."""
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def link(self) -> None:
        """Give the file its name, unless something has it; FileExistsError then."""
        try:
            os.link(self.path, encode_path(self.name))
        except OSError as error:
            if error.errno in _WITHOUT_LINKS:
                told = "the file system has no hard links, without which two starts could not agree on one file"
                raise OSError(error.errno, f"{told}: put the directory of the run on another one") from None
            raise

    def replace(self) -> None:
        """Give the file its name, whatever has it."""
        os.replace(self.path, encode_path(self.name))
        self.is_made, self.is_there = False, True

    def finish(self) -> None:
        """Flush to the disk that the file has its name, and no temporary one any more."""
        self.is_there = True
        self.remove()
        _sync_directory(self.directory)

    def attempt(self, step: Callable[[], None]) -> None:
        """Take one of many steps, of which the one that fails has to be told as its own."""
        try:
            step()
        except OSError as error:
            raise self._told(error, "") from None

    def remove(self) -> None:
        """Remove the temporary file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.path)
        self.is_made = False

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        left = ""
        if self.descriptor is not None:
            with suppress(OSError):
                os.close(self.descriptor)
        try:
            if self.is_made:
                self.remove()
        except OSError:
            left = f"; {os.fsdecode(self.path)} is left"
        if isinstance(error, OSError):
            raise self._told(error, left) from None

    def _told(self, error: OSError, left: str) -> ConfigurationError:
        told = f": {os.fsdecode(error.filename)}" if error.filename not in (None, self.path) else ""
        what = "was written, but may not survive a crash" if self.is_there else "cannot be written"
        return unusable(self.name, f"{what}: {reason(self.name, error)}{told}{left}")


def _sync_directory(directory: bytes) -> None:
    """Flush the names in a directory to the disk.

    A file system that cannot do that for directories says EINVAL. A directory that may be entered but not listed cannot
    be opened, so that its names wait for the system's own flush.
    """
    try:
        descriptor = os.open(directory or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != EINVAL:
            raise
    finally:
        os.close(descriptor)
