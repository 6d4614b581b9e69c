"""Reading a configuration file: which one, safely, once, and as text or as one `Problem`."""

from __future__ import annotations

import codecs
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from typing import Any

from .errors import Problem
from .origins import Argument, File, Origin, SourcedValue, SourceFile, Variable
from .positions import MAX_KEY_PARTS, Position, find_long_key, find_long_number

FILE_NAME = "acbo.toml"
"""The file that is read from the working directory when none is named."""

MAX_BYTES = 1 << 20
"""The largest configuration file that is read, in bytes: 1 MiB."""

_TOO_LARGE = "is larger than 1 MiB, the most that a configuration file may have"

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class UnreadableFile(Exception):  # noqa: N818 (it carries a problem to the report, and never reaches a user)
    """A file that can not be used, as the one `Problem` that says why.

    >>> raise UnreadableFile(Problem(path=(), message="is a directory"))
    Traceback (most recent call last):
    ...
    acbo_settings.files.UnreadableFile: is a directory
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def find_file(path: str | os.PathLike[str] | None, variables: Mapping[str, str]) -> SourceFile | None:
    """Read the configuration file: the one that is named, else `acbo.toml` in the working directory if it exists.

    Args:
        path: The file that the caller named, or None.
        variables: The environment variables that name a file, by their names as spelled; at most one.

    Returns:
        The file's name and text, or None when nothing is named and there is no `acbo.toml`.

    Raises:
        UnreadableFile: When a file is named or there, and can not be used.
        TypeError: When `path` is no path.

    >>> find_file(None, {"ACBO_CONFIG_FILE": "runs/17/acbo.toml"})
    Traceback (most recent call last):
    ...
    acbo_settings.files.UnreadableFile: no such file
    """
    if path is not None:
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(name, str):
            raise TypeError(f"path must be a str or os.PathLike, not {type(path).__name__}; settings go into overrides")
        return read_file(name, Argument("the path argument"))
    for variable, text in variables.items():
        return read_file(text, Variable(variable, text))
    try:
        os.lstat(FILE_NAME)
    except FileNotFoundError:
        return None
    except OSError:
        pass  # it may be there: reading says what is wrong
    return read_file(FILE_NAME, None)


def read_file(name: str, named_by: Origin | None) -> SourceFile:
    """Read one configuration file through one descriptor, without ever waiting for it.

    Args:
        name: The path.
        named_by: Who named it, for the report; None when nobody did.

    Returns:
        The file's name and text.

    Raises:
        UnreadableFile: When it is missing, no regular file, above 1 MiB, not permitted, or not UTF-8.

    >>> read_file("/", None)
    Traceback (most recent call last):
    ...
    acbo_settings.files.UnreadableFile: is a directory, not a file
    """
    values = (((), SourcedValue(name, named_by)),) if named_by else ()
    try:
        content = _read_bytes(name)
    except OSError as error:
        hint = _where_looked(name) if isinstance(error, FileNotFoundError) else ""
        raise UnreadableFile(_problem(name, values, _reason(name, error), hint)) from None
    except ValueError as error:
        raise UnreadableFile(_problem(name, values, str(error))) from None
    return SourceFile(name, _decode(name, content.removeprefix(codecs.BOM_UTF8)))


def _problem(
    name: str, values: tuple[tuple[tuple[str, ...], SourcedValue], ...], message: str, hint: str = ""
) -> Problem:
    file = ((), SourcedValue(None, File(SourceFile(name, ""))))
    return Problem(path=(), message=message, values=(file, *values), hint=hint)


def _where_looked(name: str) -> str:
    """What may explain that a file is not found."""
    if name.startswith("~"):
        return "~ is not expanded here"
    try:
        return "" if os.path.isabs(name) else f"the working directory is {os.getcwd()}"
    except OSError:
        return "the working directory does not exist any more"


def _read_bytes(name: str) -> bytes:
    """The content of a regular file; ValueError with the reason for any other."""
    if not name.strip():
        raise ValueError("the path is empty")
    if "\0" in name:
        raise ValueError("the path contains a NUL character")
    # Before it is opened, because opening a device can act on it; after, because it may have been replaced.
    path = _encode(name)
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


def _encode(name: str) -> bytes:
    """The bytes of a path: UTF-8 whatever the locale, other bytes as Python stands for them in text."""
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


def _reason(name: str, error: OSError) -> str:
    """Why a file can not be opened, in the words of the system."""
    path = _encode(name)
    if isinstance(error, FileNotFoundError) and os.path.islink(path):
        return f"is a symbolic link to {os.fsdecode(os.readlink(path))}, which does not exist"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    reason = error.strerror or str(error)
    return reason[:1].lower() + reason[1:]


def _decode(name: str, content: bytes) -> str:
    """The text of a file in UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile(_problem(name, (), "is UTF-16, and TOML must be UTF-8: save it as UTF-8"))
    try:
        return content.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        text = content.decode(errors="backslashreplace").replace("\r\n", "\n")
        before = content[: error.start].decode().replace("\r\n", "\n")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        place = File(SourceFile(name, text), exact=Position(line, column, column))
        message = f"is not valid UTF-8: byte 0x{content[error.start]:02x}"
        raise UnreadableFile(Problem(path=(), message=message, values=(((), SourcedValue(None, place)),))) from None


def parse_toml(file: SourceFile) -> dict[str, Any]:
    """The tree of a TOML document.

    Args:
        file: The document.

    Returns:
        What `tomllib` makes of it.

    Raises:
        UnreadableFile: With the line and column of the mistake, when it is no valid TOML or too deep to be read.

    >>> parse_toml(SourceFile("acbo.toml", "total_steps 5"))
    Traceback (most recent call last):
    ...
    acbo_settings.files.UnreadableFile: Expected '=' after a key in a key/value pair
    """
    if long_key := find_long_key(file.text):
        raise _syntax_error(file, f"a key has more than {MAX_KEY_PARTS} parts", Position(long_key, 1, 1))
    try:
        return tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        raise _located(file, str(error)) from None
    except RecursionError:
        raise UnreadableFile(_problem(file.name, (), "is nested too deeply")) from None
    except ValueError as error:
        place = find_long_number(file.text)
        raise _syntax_error(file, "a number has too many digits" if place else str(error), place) from None


def _located(file: SourceFile, message: str) -> UnreadableFile:
    """A message of tomllib, whose position stands in its text: a line and a column, or the end of the document."""
    reason, _, place = message.rpartition(" (at ")
    if numbers := re.fullmatch(r"line (\d+), column (\d+)\)", place):
        line, column = map(int, numbers.groups())
    else:
        text = file.text.rstrip()
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    if reason == "Cannot overwrite a value" or reason.startswith("Cannot declare"):
        reason = "This key or table is set twice"
    hint = "text needs quotes, true and false are lower-case" if reason == "Invalid value" else ""
    return _syntax_error(file, reason or message, Position(line, column, column), hint)


def _syntax_error(file: SourceFile, message: str, position: Position | None, hint: str = "") -> UnreadableFile:
    place = SourcedValue(None, File(file, exact=position))
    return UnreadableFile(Problem(path=(), message=message, values=(((), place),), hint=hint))
