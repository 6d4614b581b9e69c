"""Which files a configuration file extends, in the order in which they lie over one another."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO

from .names import EXTENDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .inputs import RawFile

MAX_EXTENDED = 16
"""Files that the named one may extend, directly or by way of others."""


def extended_files(named: RawFile, read: Callable[[str], RawFile], most: int) -> tuple[RawFile, ...]:
    """The files that one extends, lowest first and each once, and itself; what cannot be used has its error.

    `read` reads a file; a path is relative to the file that holds it. All together hold at most `most` bytes.
    """
    return tuple(_Walk(named, read, most).files)


class _Walk:
    """One walk over a file and all that it extends: `files` holds each behind those that it extends."""

    def __init__(self, named: RawFile, read: Callable[[str], RawFile], most: int) -> None:
        self.files: list[RawFile] = []
        self._read = read
        self._left = most - len(named.content)
        self._way = [named]
        self._visit(named)

    def _visit(self, file: RawFile) -> None:
        """Add the files that a file extends, then itself."""
        before: RawFile | None = None
        for name in extended_names(file.content) if file.may_extend else ():
            if len(self.files) > MAX_EXTENDED and sum(each.error is not None for each in self.files) > MAX_EXTENDED:
                break  # a report of so many files tells enough
            base = self._read(os.path.join(os.path.dirname(file.path), name))
            base.extended_by = file
            known = _find_same(base, self.files)
            if known is None:
                self._add(base)
            elif before and self.files.index(known) <= self.files.index(before):
                again = known is before
                base.error = ValueError("is named twice" if again else f"lies below {before.name}: name it first")
                self.files.append(base)
            before = known or base
        self.files.append(file)

    def _add(self, base: RawFile) -> None:
        """Add a file that is met for the first time, if nothing speaks against it."""
        self._left -= len(base.content)
        base.error = base.error or self._objection(base)
        if base.error:
            self.files.append(base)
            return
        self._way.append(base)
        self._visit(base)
        self._way.pop()

    def _objection(self, base: RawFile) -> ValueError | None:
        if above := _find_same(base, self._way):
            between = " and ".join(each.name for each in self._way[self._way.index(above) + 1 :])
            return ValueError("extends itself" + (f", by way of {between}" if between else ""))
        if len(self.files) + len(self._way) > MAX_EXTENDED:
            return ValueError(f"is one file too many: at most {MAX_EXTENDED} can be extended")
        if self._left < 0:
            return ValueError("is too much: all files together would hold more than 1 MiB")
        return None


def _find_same(file: RawFile, others: list[RawFile]) -> RawFile | None:
    """Another reading of the same file in the same directory: a link elsewhere has other files beside it."""
    for other in others:
        if file.place and file.place == other.place and _directory_of(file) == _directory_of(other):
            return other
    return None


def _directory_of(file: RawFile) -> tuple[int, int]:
    status = os.stat(os.path.dirname(file.name).encode("utf-8", "surrogateescape") or b".")
    return status.st_dev, status.st_ino


def extended_names(content: bytes) -> list[str]:
    """The paths that a file names under `extends`; none where it has no such key, or cannot be read as TOML.

    The usual line is read without a parser, which a start from a frozen file does not import.
    """
    key, _, rest = _first_statement(content).partition("=")
    names = _plain_texts(rest) if key.rstrip(" \t") == EXTENDS else None
    return _parsed_names(content) if names is None else names


def _first_statement(content: bytes) -> str:
    """The first line that is neither empty nor a comment; the other lines of a long file are not looked at."""
    for line in BytesIO(content.removeprefix(b"\xef\xbb\xbf")):
        if (line := line.strip(b"\r\n")) and not line.startswith(b"#"):
            return line.decode(errors="replace")
    return ""


def _plain_texts(text: str) -> list[str] | None:
    """The texts of one TOML value, if it is a plain text, or a plain list of such, on one line."""
    value = text.partition("#")[0].strip(" \t\r")
    items = value[1:-1].removesuffix(",").split(",") if value[:1] == "[" and value[-1:] == "]" else [value]
    texts = []
    for item in items:
        before, _, inside = item.partition('"')
        inside, closed, after = inside.partition('"')
        if before.strip(" \t") or after.strip(" \t") or not closed or "\\" in inside:
            return None
        texts.append(inside)
    return texts


def _parsed_names(content: bytes) -> list[str]:
    """The same with a parser, whatever way the key is written."""
    import tomllib

    from .toml_document import find_long_key

    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
        found = [] if find_long_key(text) else tomllib.loads(text).get(EXTENDS, [])
    except (ValueError, RecursionError):
        return []
    names = found if isinstance(found, list) else [found]
    return names if all(isinstance(name, str) for name in names) else []
