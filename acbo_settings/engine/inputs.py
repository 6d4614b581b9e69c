"""What a start is given, read once and safely: the bytes of the file, the `ACBO_*` variables, the overrides.

Little is imported: a start from a frozen file needs this much. That is why the records here, in `frozen` and in `runs`
are plain classes: named tuples take millions of instructions to define.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from typing import Any

PREFIX = "ACBO_"
"""What the names of all variables of this package start with, in any case."""

CONFIG_FILE = "ACBO_CONFIG_FILE"
"""The variable that names the configuration file."""

FILE_NAME = "acbo.toml"
"""The file that is read from the working directory when none is named."""

FROZEN_NAME = "acbo.frozen.toml"
"""The file in a run's directory that holds the run's configuration."""

FROZEN_LINE = "# acbo-settings frozen configuration, format "
"""How the first line of such a file starts; the number of the format ends it."""

PATH_ARGUMENT = "the path argument"
"""What the report calls the caller who named the file."""

MAX_BYTES = 1 << 20
"""The largest file that is read, in bytes: 1 MiB."""

_TOO_LARGE = "is larger than 1 MiB, the most that a configuration file may have"

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class RawFile:
    """A configuration file as bytes, or why there are none; `find_file` and `read_raw_file` make it.

    Attributes:
        name: The path as the user wrote it.
        named_by: The variable that named it, `the path argument`, or empty when nobody did.
        content: The whole content.
        error: An OSError, or a ValueError that says why it is not read, or None.

    >>> str(read_raw_file("/").error)
    'is a directory, not a file'
    """

    def __init__(self, name: str, named_by: str, content: bytes, error: OSError | ValueError | None) -> None:
        self.name = name
        self.named_by = named_by
        self.content = content
        self.error = error


def is_directory(name: str) -> bool:
    """Whether a path leads to a directory, in any locale.

    Args:
        name: The path.

    Returns:
        False also for what can be no path.

    >>> is_directory("/"), is_directory("")
    (True, False)
    """
    try:
        return os.path.isdir(encode_path(name))
    except ValueError:
        return False


def read_if_there(name: str) -> RawFile | None:
    """Read a file that need not exist.

    Args:
        name: The path.

    Returns:
        The file, or None when there is nothing of that name; a symbolic link to nothing is something.

    >>> read_if_there("no-such-file.toml") is None
    True
    """
    file = read_raw_file(name)
    if not isinstance(file.error, FileNotFoundError):
        return file
    # Something is there all the same: a dangling link, or a file that another process has made just now.
    return read_raw_file(name) if os.path.lexists(encode_path(name)) else None


def read_raw_file(name: str, named_by: str = "") -> RawFile:
    """Read a file through one descriptor, without ever waiting for it; once more if a file server says ESTALE.

    Args:
        name: The path.
        named_by: Who named it, for the report.

    Returns:
        Its content, or the error: it is missing, no regular file, above 1 MiB, or not permitted.

    >>> read_raw_file("/").content
    b''
    """
    try:
        try:
            content = _read_bytes(name)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            content = _read_bytes(name)
    except (OSError, ValueError) as error:
        return RawFile(name, named_by, b"", error)
    return RawFile(name, named_by, content, None)


def _read_bytes(name: str) -> bytes:
    """The content of a regular file; ValueError with the reason for any other."""
    # Before it is opened, because opening a device can act on it; after, because it may have been replaced.
    path = encode_path(name)
    _require_regular(os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _require_regular(os.fstat(descriptor))
        content = b""
        while len(content) <= MAX_BYTES and (block := os.read(descriptor, MAX_BYTES + 1 - len(content))):
            content += block
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise ValueError(_TOO_LARGE)
    return content


def encode_path(name: str) -> bytes:
    """The bytes of a path: UTF-8 whatever the locale, other bytes as Python stands for them in text.

    Args:
        name: The path.

    Returns:
        What the system takes.

    Raises:
        ValueError: With the reason, when no path can be that text.

    >>> encode_path("größe.toml")
    b'gr\\xc3\\xb6\\xc3\\x9fe.toml'
    """
    if not name.strip():
        raise ValueError("the path is empty")
    if "\0" in name:
        raise ValueError("the path contains a NUL character")
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ValueError("the path holds characters that no path can hold") from None


def _require_regular(status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise ValueError(f"is {_KINDS.get(kind, 'special')}, not a file")
    if status.st_size > MAX_BYTES:
        raise ValueError(_TOO_LARGE)


class Inputs:
    """All that a configuration is made of, besides the defaults; `read_inputs` makes it.

    Attributes:
        file: The configuration file, or None when nothing is named and there is no `acbo.toml`.
        environ: Names and texts of the variables that start with `ACBO_`.
        overrides: Settings that win over everything, as the caller gave them.

    >>> read_inputs(environ={"HOME": "/root", "ACBO_TOTAL_STEPS": "7"}).environ
    {'ACBO_TOTAL_STEPS': '7'}
    """

    def __init__(self, file: RawFile | None, environ: Mapping[str, str], overrides: Mapping[str, Any] | None) -> None:
        self.file = file
        self.environ = environ
        self.overrides = overrides


def read_inputs(
    path: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Inputs:
    """Read what a configuration is made of.

    Args:
        path: The TOML file, or None for the one that `ACBO_CONFIG_FILE` names, else `acbo.toml`, else none.
        overrides: Settings that win over everything.
        environ: The environment to read; without it, that of the process.

    Returns:
        The file's bytes, or why there are none, and the rest as it was given.

    Raises:
        TypeError: When `path` is no path.

    >>> read_inputs("no-such-file.toml", environ={}).file.name
    'no-such-file.toml'
    """
    given = process_environment() if environ is None else environ
    variables = {name: text for name, text in given.items() if name.upper().startswith(PREFIX)}
    return Inputs(find_file(path, variables), variables, overrides)


def process_environment() -> dict[str, str]:
    """The variables of this process that start with `ACBO_`, read as UTF-8 whatever the locale.

    Returns:
        Names and texts; bytes that are no UTF-8 are lone surrogates in them.

    >>> "PATH" in process_environment()
    False
    """
    prefix = PREFIX.encode()
    return {
        name.decode("utf-8", "surrogateescape"): text.decode("utf-8", "surrogateescape")
        for name, text in os.environb.items()
        if name.upper().startswith(prefix)
    }


def find_file(path: str | os.PathLike[str] | None, environ: Mapping[str, str]) -> RawFile | None:
    """Read the configuration file: the one that is named, else `acbo.toml` in the working directory if it exists.

    Args:
        path: The file that the caller named, or None.
        environ: The variables; one that names a file by an empty text, or twice, does not count.

    Returns:
        The file, or None when nothing is named and there is no `acbo.toml`.

    Raises:
        TypeError: When `path` is no path.

    >>> find_file(None, {"ACBO_CONFIG_FILE": "runs/17/acbo.toml"}).named_by
    'ACBO_CONFIG_FILE'
    """
    if path is not None:
        return read_raw_file(path_text(path, "path", "; settings go into overrides"), PATH_ARGUMENT)
    named = [(name, text) for name, text in environ.items() if name.upper() == CONFIG_FILE]
    if len(named) == 1 and isinstance(named[0][1], str) and named[0][1].strip():
        return read_raw_file(named[0][1], named[0][0])
    return read_if_there(FILE_NAME)


def is_frozen(name: str, text: str) -> bool:
    """Whether a configuration file is meant to be a frozen one, by its name, its first line, or its checksum.

    Args:
        name: The path.
        text: The content.

    Returns:
        True also for one that is damaged.

    >>> is_frozen("acbo.toml", "total_steps = 7"), is_frozen("runs/17/acbo.frozen.toml", "")
    (False, True)
    """
    is_marked = text.removeprefix("\ufeff").startswith(FROZEN_LINE) or "\n[frozen.checksum]" in text
    return is_marked or os.path.basename(name).startswith("acbo.frozen.")


def path_text(path: object, name: str, hint: str = "") -> str:
    """A path argument as text.

    Args:
        path: What the caller gave.
        name: The name of the argument, for the error.
        hint: What else to say in the error.

    Returns:
        The path.

    Raises:
        TypeError: When it is neither text nor `os.PathLike`.

    >>> from pathlib import Path
    >>> path_text(Path("runs") / "17", "run_dir")
    'runs/17'
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str or os.PathLike, not {type(path).__name__}{hint}")
    return text
