"""Writing the frozen file of a run: its text, and how it gets to the disk whole, once, and for good."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from errno import EINVAL
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from ... import __version__
from ..canonical import custom_metadata, setting_lines, sha256
from ..frozen import CHECKSUM_KEY, FORMAT, DamagedFile, FrozenConfig, file_error, parse_frozen, read_frozen
from ..inputs import FROZEN_LINE, MAX_BYTES, encode_path, read_if_there
from ..loading.file import reason
from ..report import escape, origin_text

if TYPE_CHECKING:
    from ..loading.resolved import ResolvedConfig

_MAX_NAME = 1000

_NOTE = """\
# What this run started with. A later start gets the same or is refused. Do not edit it: the checksum in the last
# line would not fit. `acbo-settings show` prints it, `acbo-settings diff` compares it."""


def render_frozen(resolved: ResolvedConfig, inputs: str | None, now: datetime) -> str:
    """The text of a frozen file.

    Args:
        resolved: The configuration, with the origins of its values.
        inputs: The digest of what it was made of, if there is one.
        now: When it was frozen, with an offset.

    Returns:
        TOML that `parse_frozen` reads back.

    >>> from acbo_settings import resolve_training_config
    >>> text = render_frozen(resolve_training_config(environ={}), None, datetime.now(UTC))
    >>> text.splitlines()[3]
    'total_steps = 5000'
    """
    lines = [f"{FROZEN_LINE}{FORMAT}", _NOTE, *(line for _, line in setting_lines(resolved.config))]
    if custom := custom_metadata(resolved.config):
        lines += ["", "[metadata]", *metadata_lines(custom)]
    facts = {
        "fingerprint": resolved.config.fingerprint,
        "time": now.isoformat(timespec="seconds"),
        "package": f"acbo-settings {__version__}",
        "file": resolved.file and escape(resolved.file, _MAX_NAME),
        "inputs": inputs,
    }
    lines += ["", "[frozen]", *(f"{key} = {_value(fact)}" for key, fact in facts.items() if fact is not None)]
    lines += ["", "[frozen.origins]"]
    for path, sourced in {**resolved.values, **resolved.custom}.items():
        if not sourced.is_default:
            lines.append(f"{'.'.join(map(_key, path))} = {_value(origin_text(sourced))}")
    body = "\n".join([*lines, "", "[frozen.checksum]", ""])
    return f'{body}{CHECKSUM_KEY}{sha256(body.encode())}"\n'


def metadata_lines(custom: Mapping[str, Any]) -> list[str]:
    """Custom metadata as the lines of a frozen file; who has the same lines has the same metadata.

    Args:
        custom: Plain data by custom key.

    Returns:
        One line a key.

    >>> metadata_lines({"seeds": [1, 2], "my note": "a"})
    ['seeds = [1, 2]', '"my note" = "a"']
    """
    return [f"{_key(key)} = {_value(value)}" for key, value in custom.items()]


def _key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    """A value on one line of TOML, which is JSON too where that can be."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, datetime):
        return datetime.isoformat(value)
    if isinstance(value, date):
        return date.isoformat(value)
    if isinstance(value, time):
        return time.isoformat(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def freeze_once(name: str, resolved: ResolvedConfig, inputs: str | None) -> FrozenConfig:
    """Freeze a configuration, unless the run has one already.

    Args:
        name: The path of the frozen file; its directory is created.
        resolved: The configuration.
        inputs: The digest of what it was made of, if there is one.

    Returns:
        The frozen file that the run now has. Of several processes that do this at the same moment one writes it, and
        all get what that one wrote.

    Raises:
        ConfigurationError: When it can not be written; no part of a file is left then. When only the last step failed,
            the flush of the directory, the whole file is there, and the message says so.

    >>> from acbo_settings import resolve_training_config
    >>> first, second = (resolve_training_config(environ={"ACBO_TOTAL_STEPS": text}) for text in ("7000", "8000"))
    >>> [freeze_once("runs/1/acbo.frozen.toml", start, None).config.total_steps for start in (first, second)]
    [7000, 7000]
    """
    frozen = _frozen(name, resolved, inputs)
    if write_once(name, frozen.text.encode()):
        return frozen
    winner = read_frozen(name)
    if winner is None:
        raise file_error(name, "was there and is gone again: another process has moved it away")
    return winner


def freeze_anew(old: FrozenConfig, resolved: ResolvedConfig, inputs: str | None) -> FrozenConfig:
    """Freeze another configuration in the place of a run's own, whose file is kept beside it.

    Of several processes that do this at the same moment, the last one wins.

    Args:
        old: The frozen file that the run has.
        resolved: The configuration.
        inputs: The digest of what it was made of, if there is one.

    Returns:
        The new frozen file. The old one is now `kept_name(old)`.

    Raises:
        ConfigurationError: When it can not be written; the old one is still in its place then, or, when only the flush
            of the directory failed, the new one, and the message says so.

    >>> from acbo_settings import resolve_training_config
    >>> old = freeze_once("runs/2/acbo.frozen.toml", resolve_training_config(environ={}), None)
    >>> _ = freeze_anew(old, resolve_training_config(environ={"ACBO_TOTAL_STEPS": "7000"}), None)
    >>> sorted(os.listdir("runs/2"))
    ['acbo.frozen.b6b94ba25f97c991.toml', 'acbo.frozen.toml']
    """
    frozen = _frozen(old.name, resolved, inputs)
    while not write_once(kept_name(old), old.text.encode()) and read_if_there(kept_name(old)) is None:
        pass  # another process has taken the name for another file: the next one is free
    with _Writing(old.name) as temporary:
        temporary.fill(frozen.text.encode())
        os.replace(temporary.path, encode_path(old.name))
        temporary.finish()
    return frozen


def _frozen(name: str, resolved: ResolvedConfig, inputs: str | None) -> FrozenConfig:
    """What a later start will read: the first one gets the very same."""
    text = render_frozen(resolved, inputs, datetime.now(UTC))
    if len(text.encode()) > MAX_BYTES:
        raise file_error(name, "would be larger than 1 MiB: the metadata is too long to be frozen")
    try:
        return parse_frozen(name, text)
    except DamagedFile:
        raise file_error(name, "would not read back: the metadata has no form in TOML") from None


def kept_name(old: FrozenConfig) -> str:
    """Where the frozen file of a run is kept when it is replaced: under its fingerprint.

    Args:
        old: The frozen file.

    Returns:
        The path, in the same directory; with a number, if another file has that name. It exists when that very file is
        kept already.

    >>> from acbo_settings import TrainingConfig
    >>> kept_name(FrozenConfig("runs/4/acbo.frozen.toml", "", TrainingConfig(), (), {}, None, None))
    'runs/4/acbo.frozen.b6b94ba25f97c991.toml'
    """
    stem = os.path.join(os.path.dirname(old.name), f"acbo.frozen.{old.config.fingerprint}")
    suffixes = chain([""], (f".{number}" for number in count(2)))
    return next(name for suffix in suffixes if _may_hold(name := f"{stem}{suffix}.toml", old.text.encode()))


def _may_hold(name: str, content: bytes) -> bool:
    """Whether a file is not there, or has this content."""
    file = read_if_there(name)
    return file is None or (file.error is None and file.content == content)


def write_once(name: str, content: bytes) -> bool:
    """Write a file that must not be there yet: whole, durably, or not at all.

    A temporary file in the same directory is written, flushed to the disk, and linked to the name, which fails when
    the name is taken; then the directory is flushed. There are no locks, which some file systems of clusters refuse,
    and no clocks. A process that is killed may leave its temporary file, whose name starts with a dot.

    Args:
        name: The path; its directory is created.
        content: The whole content.

    Returns:
        Whether the file is the one that was written here; False when the name was taken.

    Raises:
        ConfigurationError: With the reason of the system, when any step fails.

    >>> write_once("runs/3/a.toml", b"a = 1"), write_once("runs/3/a.toml", b"a = 2"), os.listdir("runs/3")
    (True, False, ['a.toml'])
    """
    with _Writing(name) as temporary:
        temporary.make_directory()
        temporary.fill(content)
        try:
            os.link(temporary.path, encode_path(name))
        except FileExistsError:
            return False
        temporary.finish()
    return True


class _Writing:
    """A temporary file beside a name. Leaving the block removes it; a failure inside is told with its path."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_there = False

    def __enter__(self) -> _Writing:
        try:
            directory, base = os.path.split(encode_path(self.name))
        except ValueError as error:
            raise file_error(self.name, str(error)) from None
        self.directory = directory
        self.path = os.path.join(directory, b"." + base + b"." + os.urandom(8).hex().encode() + b".tmp")
        return self

    def make_directory(self) -> None:
        """Make the directory and those above it that are missing, and flush their names to the disk."""
        made, parent = [], self.directory
        while parent and not os.path.isdir(parent):
            made.append(parent)
            parent = os.path.dirname(parent)
        if made:
            os.makedirs(self.directory, exist_ok=True)
        for directory in made:
            _sync_directory(os.path.dirname(directory))

    def fill(self, content: bytes) -> None:
        """Write the content and flush it to the disk; a write that takes only a part is continued."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            while content:
                content = content[os.write(descriptor, content) :]
            os.fsync(descriptor)
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise
        os.close(descriptor)

    def finish(self) -> None:
        """Remove the temporary name, now that the file has its own, and flush that to the disk."""
        self.is_there = True
        self.remove()
        _sync_directory(self.directory)

    def remove(self) -> None:
        """Remove the temporary file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.path)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        left = ""
        try:
            self.remove()
        except OSError:
            left = f"; {os.fsdecode(self.path)} is left"
        if isinstance(error, OSError):
            told = f": {os.fsdecode(error.filename)}" if error.filename not in (None, self.path) else ""
            what = "was written, but may not survive a crash" if self.is_there else "cannot be written"
            raise file_error(self.name, f"{what}: {reason(self.name, error)}{told}{left}") from None


def _sync_directory(directory: bytes) -> None:
    """Flush the names in a directory to the disk; a file system that can not do that for directories says EINVAL."""
    descriptor = os.open(directory or b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != EINVAL:
            raise
    finally:
        os.close(descriptor)
