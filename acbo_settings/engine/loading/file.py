"""A configuration file as text and as a tree, or as the one `Problem` that says why it is none."""

from __future__ import annotations

import codecs
import os
import re
import tomllib
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ..document import MAX_KEY_PARTS, Position, find_long_key, find_long_number
from ..errors import Problem
from ..inputs import PATH_ARGUMENT, RawFile, encode_path
from ..values import Argument, File, SourcedValue, SourceFile, Variable


class UnreadableFile(Exception):  # noqa: N818 (it carries a problem to the report, and never reaches a user)
    """A file that can not be used, as the one `Problem` that says why.

    >>> raise UnreadableFile(Problem(path=(), message="is a directory"))
    Traceback (most recent call last):
    ...
    acbo_settings.engine.loading.file.UnreadableFile: is a directory
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def decode_file(file: RawFile) -> SourceFile:
    """The text of a file in UTF-8, with or without a byte-order mark.

    Args:
        file: The file as bytes.

    Returns:
        The file's name and text.

    Raises:
        UnreadableFile: When it could not be read, or is not UTF-8.

    >>> from acbo_settings.engine.inputs import read_raw_file
    >>> decode_file(read_raw_file("/"))
    Traceback (most recent call last):
    ...
    acbo_settings.engine.loading.file.UnreadableFile: is a directory, not a file
    """
    if file.error:
        hint = where_looked(file.name) if isinstance(file.error, FileNotFoundError) else ""
        problem = file_problem(file.name, reason(file.name, file.error), hint)
        if file.named_by:
            origin = Argument(file.named_by) if file.named_by == PATH_ARGUMENT else Variable(file.named_by, file.name)
            problem = replace(problem, values=(*problem.values, ((), SourcedValue(file.name, origin))))
        raise UnreadableFile(problem)
    return SourceFile(file.name, _decode(file.name, file.content.removeprefix(codecs.BOM_UTF8)))


def file_problem(name: str, message: str, hint: str = "") -> Problem:
    """A problem with a file as a whole.

    Args:
        name: The path.
        message: What is wrong with it.
        hint: What to do about it.

    Returns:
        The facts.

    >>> file_problem("acbo.toml", "is a directory, not a file").message
    'is a directory, not a file'
    """
    file = ((), SourcedValue(None, File(SourceFile(name, ""))))
    return Problem(path=(), message=message, values=(file,), hint=hint)


def where_looked(name: str) -> str:
    """What may explain that a file is not found.

    Args:
        name: The path.

    Returns:
        The working directory for a path that starts there, or that `~` is not expanded; else an empty text.

    >>> where_looked("~/acbo.toml")
    '~ is not expanded here'
    """
    if name.startswith("~"):
        return "~ is not expanded here"
    try:
        return "" if os.path.isabs(name) else f"the working directory is {os.getcwd()}"
    except OSError:
        return "the working directory does not exist any more"


def reason(name: str, error: OSError | ValueError) -> str:
    """Why a file can not be used, in the words of the system.

    Args:
        name: The path.
        error: What the system said, or a ValueError whose text is the reason.

    Returns:
        A sentence without its subject.

    >>> reason("acbo.toml", PermissionError(13, "Permission denied"))
    'permission denied'
    """
    if not isinstance(error, OSError):
        return str(error)
    path = encode_path(name)
    if isinstance(error, FileNotFoundError):
        with suppress(OSError):  # it is no link, or is gone
            return f"is a symbolic link to {os.fsdecode(os.readlink(path))}, which does not exist"
        return "no such file"
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _decode(name: str, content: bytes) -> str:
    """The text of a file in UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFile(file_problem(name, "is UTF-16, and TOML must be UTF-8: save it as UTF-8"))
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
    acbo_settings.engine.loading.file.UnreadableFile: Expected '=' after a key in a key/value pair
    """
    if long_key := find_long_key(file.text):
        raise _syntax_error(file, f"a key has more than {MAX_KEY_PARTS} parts", Position(long_key, 1, 1))
    try:
        return tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        raise _located(file, str(error)) from None
    except RecursionError:
        raise UnreadableFile(file_problem(file.name, "is nested too deeply")) from None
    except ValueError as error:
        place = find_long_number(file.text)
        raise _syntax_error(file, "a number has too many digits" if place else str(error), place) from None


def _located(file: SourceFile, message: str) -> UnreadableFile:
    """A message of tomllib, whose position stands in its text: a line and a column, or the end of the document."""
    problem, _, place = message.rpartition(" (at ")
    if numbers := re.fullmatch(r"line (\d+), column (\d+)\)", place):
        line, column = map(int, numbers.groups())
    else:
        text = file.text.rstrip()
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    if problem == "Cannot overwrite a value" or problem.startswith("Cannot declare"):
        problem = "This key or table is set twice"
    hint = "text needs quotes, true and false are lower-case" if problem == "Invalid value" else ""
    return _syntax_error(file, problem or message, Position(line, column, column), hint)


def _syntax_error(file: SourceFile, message: str, position: Position | None, hint: str = "") -> UnreadableFile:
    place = SourcedValue(None, File(file, exact=position))
    return UnreadableFile(Problem(path=(), message=message, values=(((), place),), hint=hint))
