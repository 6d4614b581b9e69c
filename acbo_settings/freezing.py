"""Writing the frozen file of a run: its text, and how it gets to the disk whole, once, and for good."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from errno import EINVAL
from itertools import count
from typing import TYPE_CHECKING, Any

from . import __version__
from .canonical import custom_metadata, flatten, sha256
from .files import reason
from .frozen import CHECKSUM_KEY, FORMAT, FrozenConfig, file_error, parse_frozen, read_frozen
from .inputs import FROZEN_LINE, MAX_BYTES, encode_path
from .report import escape, origin_text

if TYPE_CHECKING:
    from .resolving import ResolvedConfig

_MAX_NAME = 1000

_NOTE = """\
# What this run started with. A later start gets the same or is refused. Do not edit it: the checksum in the last
# line would not fit. `acbo-settings show` prints it, `acbo-settings diff` compares it."""


def render_frozen(resolved: ResolvedConfig, inputs: str | None, time: datetime) -> str:
    """The text of a frozen file.

    Args:
        resolved: The configuration, with the origins of its values.
        inputs: The digest of what it was made of, if there is one.
        time: When it was frozen, with an offset.

    Returns:
        TOML that `parse_frozen` reads back.

    >>> from acbo_settings import resolve_training_config
    >>> text = render_frozen(resolve_training_config(environ={}), None, datetime.now(UTC))
    >>> text.splitlines()[3]
    'total_steps = 5000'
    """
    lines = [f"{FROZEN_LINE}{FORMAT}", _NOTE, *_setting_lines(resolved)]
    if custom := custom_metadata(resolved.config):
        lines += ["", "[metadata]", *(f"{_key(key)} = {_value(value)}" for key, value in custom.items())]
    facts = {
        "fingerprint": resolved.config.fingerprint,
        "time": time.isoformat(timespec="seconds"),
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


def _setting_lines(resolved: ResolvedConfig) -> Iterator[str]:
    """The settings as an `acbo.toml` has them."""
    table = ""
    for (*tables, key), value in flatten(resolved.config).items():
        if tables and tables[0] != table:
            table = tables[0]
            yield from ("", f"[{table}]")
        yield f"{key} = {_value(value)}"


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
    return str(value).lower() if isinstance(value, bool) else getattr(value, "isoformat", value.__repr__)()


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
        ConfigurationError: When it can not be written; no part of a file is left then.

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
        The new frozen file. The old one is now `acbo.frozen.<its fingerprint>.toml`.

    Raises:
        ConfigurationError: When it can not be written; the old one is still in its place then.

    >>> from acbo_settings import resolve_training_config
    >>> old = freeze_once("runs/2/acbo.frozen.toml", resolve_training_config(environ={}), None)
    >>> _ = freeze_anew(old, resolve_training_config(environ={"ACBO_TOTAL_STEPS": "7000"}), None)
    >>> sorted(os.listdir("runs/2"))
    ['acbo.frozen.b6b94ba25f97c991.toml', 'acbo.frozen.toml']
    """
    frozen = _frozen(old.name, resolved, inputs)
    _keep_beside(old)
    with _Writing(old.name) as temporary:
        temporary.fill(frozen.text.encode())
        os.replace(temporary.path, encode_path(old.name))
        temporary.sync_directory()
    return frozen


def _frozen(name: str, resolved: ResolvedConfig, inputs: str | None) -> FrozenConfig:
    """What a later start will read: the first one gets the very same."""
    text = render_frozen(resolved, inputs, datetime.now(UTC))
    if len(text.encode()) > MAX_BYTES:
        raise file_error(name, "would be larger than 1 MiB: the metadata is too long to be frozen")
    return parse_frozen(name, text)


def _keep_beside(old: FrozenConfig) -> None:
    """Write a run's frozen file once more, under its fingerprint; with a number, if another one has that name."""
    directory, content = os.path.dirname(old.name), old.text.encode()
    for number in count(1):
        suffix = "" if number == 1 else f".{number}"
        name = os.path.join(directory, f"acbo.frozen.{old.config.fingerprint}{suffix}.toml")
        if write_once(name, content):
            return
        kept = read_frozen(name)
        if kept and kept.text == old.text:
            return


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
        os.makedirs(temporary.directory, exist_ok=True)
        temporary.fill(content)
        try:
            os.link(temporary.path, encode_path(name))
        except FileExistsError:
            return False
        temporary.remove()
        temporary.sync_directory()
    return True


class _Writing:
    """A temporary file beside a name. Leaving the block removes it; a failure inside is told with its path."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> _Writing:
        try:
            directory, base = os.path.split(encode_path(self.name))
        except ValueError as error:
            raise file_error(self.name, str(error)) from None
        self.directory = directory or b"."
        self.path = os.path.join(self.directory, b"." + base + b"." + os.urandom(8).hex().encode() + b".tmp")
        return self

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

    def remove(self) -> None:
        """Remove the temporary file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self.path)

    def sync_directory(self) -> None:
        """Flush the name to the disk; a file system that can not do that for directories says EINVAL."""
        descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != EINVAL:
                raise
        finally:
            os.close(descriptor)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        with suppress(OSError):
            self.remove()
        if isinstance(error, OSError):
            told = f": {os.fsdecode(error.filename)}" if error.filename not in (None, self.path) else ""
            raise file_error(self.name, f"cannot be written: {reason(self.name, error)}{told}") from None
