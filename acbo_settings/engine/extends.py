"""Which files a configuration file extends, in the order in which they lie over one another."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .inputs import RawFile

EXTENDS = "extends"
"""The key at the top of a file that names what it extends: one path, or a list of which later ones win."""

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
        self._visit(named, [named])

    def _visit(self, file: RawFile, way: Sequence[RawFile]) -> None:
        """Add the files that a file extends, then itself; `way` leads to it from the named one."""
        before = None
        for name in extended_names(file.content):
            base = self._read(os.path.join(os.path.dirname(file.name), name))
            base.extended_by = file
            known = next((each for each in self.files if _is_same(each, base)), None)
            if known is None or base.error:
                self._add(base, way)
            elif before and self.files.index(known) <= self.files.index(before):
                again = known is before
                base.error = ValueError("is named twice" if again else f"lies below {before.name}: name it first")
                self.files.append(base)
            before = known or base
        self.files.append(file)

    def _add(self, base: RawFile, way: Sequence[RawFile]) -> None:
        """Add a file that is met for the first time, if nothing speaks against it."""
        self._left -= len(base.content)
        if base.error is None:
            base.error = self._objection(base, way)
        if base.error is None:
            self._visit(base, [*way, base])
        else:
            self.files.append(base)

    def _objection(self, base: RawFile, way: Sequence[RawFile]) -> ValueError | None:
        places = [index for index, each in enumerate(way) if _is_same(each, base)]
        if places:
            between = " and ".join(each.name for each in way[places[0] + 1 :])
            return ValueError("extends itself" + (f", by way of {between}" if between else ""))
        if len(self.files) + len(way) > MAX_EXTENDED:
            return ValueError(f"is one file too many: at most {MAX_EXTENDED} can be extended")
        if self._left < 0:
            return ValueError("is too much: all files together would hold more than 1 MiB")
        return None


def _is_same(first: RawFile, second: RawFile) -> bool:
    return first.place is not None and first.place == second.place


def extended_names(content: bytes) -> list[str]:
    """The paths that a file names under `extends`; none where it has no such key, or cannot be read as TOML.

    The usual line is read without a parser, which a start from a frozen file does not import.
    """
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        return []
    lines = (line.strip(" \t") for line in text.split("\n"))
    first = next((line for line in lines if line and not line.startswith("#")), "")
    key, equals, value = first.partition("=")
    if key.rstrip(" \t") == EXTENDS and equals and (names := _plain_texts(value.strip(" \t"))):
        return names
    import tomllib

    from .toml_document import find_long_key

    try:
        found = None if find_long_key(text) else tomllib.loads(text).get(EXTENDS)
    except (ValueError, RecursionError):
        return []
    return paths_of(found) or []


def paths_of(value: object) -> list[str] | None:
    """The paths that the value of `extends` holds, one or a list of them; None for anything else."""
    listed = value if isinstance(value, list) else [value]
    paths = [path for path in listed if isinstance(path, str)]
    return paths if len(paths) == len(listed) else None


def _plain_texts(text: str) -> list[str] | None:
    """The texts of one TOML value, if it is a plain text, or a plain list of such, on one line."""
    value, _, _ = text.partition("#")
    value = value.rstrip(" \t")
    items = value[1:-1].removesuffix(",").split(",") if value[:1] == "[" and value[-1:] == "]" else [value]
    texts = [item.strip(" \t") for item in items]
    is_plain = all(len(each) > 1 and each[0] == each[-1] == '"' and each.count('"') == 2 for each in texts)
    return [each[1:-1] for each in texts] if is_plain and "\\" not in value else None
