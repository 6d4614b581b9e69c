"""A TOML document: its text, and where in it each key stands: key path → line and columns.

`tomllib` judges documents and gives no positions. Here a document that it has accepted is cut into tokens, just enough
to tell statements, keys and values apart; what a key means, `tomllib` is asked. One pass, so the time is linear.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise

from . import Record, public
from .canonical import KeyPath
from .names import MAX_KEY_PARTS

# A string that is never closed reaches to the end of its line or document, so that no character is read twice.
# It is a text, because most starts need no positions: `re` compiles and keeps it when it is first used.
_TOKEN = (
    r'(?P<string>"{3}(?:[^\\]|\\(?:.|\Z))*?(?:"{3,5}|\Z)'
    r"|'{3}.*?(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?)"
    r"|(?P<comment>#[^\n]*+)"
    r"|(?P<newline>\n)"
    r"|(?P<mark>[][{}=,])"
    r"""|(?P<bare>[^][{}=,\s"'#]++)"""
)

_set = object.__setattr__

Place = tuple[str | int, ...]
"""Where something stands in a document: a key path, in which a number leads to an item of an array."""


@public
class Position(Record):
    """Where a key and its value start, counted from 1; for a table's header both columns are the key's."""

    __slots__ = ("line", "key_column", "value_column")
    __match_args__ = ("line", "key_column", "value_column")
    line: int
    key_column: int
    value_column: int

    def __init__(self, line: int, key_column: int, value_column: int) -> None:
        self._fill(line, key_column, value_column)


class Excerpt(Record):
    """Where in another file a document stands: a block of lines that are indented there, or a text within a line.

    `first` is the line and the column of its first character. In a text within lines no line is told from another.
    """

    __slots__ = ("source", "first_line", "first_column", "is_block")
    source: Document
    first_line: int
    first_column: int
    is_block: bool

    def __init__(self, source: Document, first_line: int, first_column: int, is_block: bool) -> None:
        self._fill(source, first_line, first_column, is_block)

    def position(self, inside: Position) -> Position:
        """The position in the file of one in the document."""
        if not self.is_block:
            return Position(self.first_line, self.first_column, self.first_column)
        indent = self.first_column - 1
        line = inside.line + self.first_line - 1
        return Position(line, inside.key_column + indent, inside.value_column + indent)


@public
class Document(Record):
    """A configuration file as it was read once: its path as the user wrote it, and its text.

    The text has no byte-order mark, and its lines are ended by a single line feed. `extended_by` is the file that names
    this one under `extends`, if one does; `excerpt` tells where the document stands in another file, if it does.
    Positions and lines are worked out for the whole document when somebody first asks for one.
    """

    __slots__ = ("name", "text", "extended_by", "excerpt", "_found", "_lines")
    name: str
    text: str
    extended_by: Document | None
    excerpt: Excerpt | None
    _found: dict[bool, Mapping[Place, Position]]
    _lines: list[str]

    def __init__(
        self, name: str, text: str, extended_by: Document | None = None, excerpt: Excerpt | None = None
    ) -> None:
        # Without `_fill`, because this is made of each file of a start.
        _set(self, "name", name)
        _set(self, "text", text)
        _set(self, "extended_by", extended_by)
        _set(self, "excerpt", excerpt)
        _set(self, "_found", {})
        _set(self, "_lines", [])

    @classmethod
    def _field_names(cls) -> list[str]:
        return ["name", "text", "extended_by", "excerpt"]

    def __repr__(self) -> str:
        return f"Document(name={self.name!r})"

    def position(self, path: Place) -> Position:
        """Where a key or table stands, or an item of an array. KeyError for no such key.

        What stands in an array has its position, where the path does not lead to an item.
        """
        has_items = any(type(part) is int for part in path)
        if has_items not in self._found:
            self._found[has_items] = find_positions(self.text, has_items)
        found = self._found[has_items]
        while len(path) > 1 and path not in found:
            path = path[:-1]
        return self.in_file(found[path])

    def in_file(self, position: Position) -> Position:
        """A position in the document, as one in the file of its name."""
        return self.excerpt.position(position) if self.excerpt else position

    def text_above(self, position: Position) -> str:
        """The text above the line of a position in the file, as far as it belongs to the document."""
        first = self.excerpt.first_line if self.excerpt else 1
        return "\n".join(self.text.split("\n")[: position.line - first])

    def line(self, number: int) -> str:
        """One line of the file without its end, counted from 1; empty past the end."""
        if self.excerpt:
            return self.excerpt.source.line(number)
        if not self._lines:  # advice shows one line each, and there can be thousands
            self._lines.extend(self.text.split("\n"))
        return self._lines[number - 1] if number <= len(self._lines) else ""


class _Token:
    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end


def find_positions(text: str, has_items: bool = False) -> dict[Place, Position]:
    """The position of every key and table of a document that `tomllib` accepts, in its order.

    Tables inside arrays have no path of their own: the array is the value; unless items of arrays are asked for.

    >>> find_positions("[grpo]\\ngroup_size = 4")["grpo", "group_size"]
    Position(line=2, key_column=1, value_column=14)
    """
    return _Finder(text, has_items).positions


def find_first(text: str) -> Position | None:
    """Where a key or table stands first that the last statement of a text sets again; None where that is not clear.

    >>> find_first("a = 1\\nb = 2\\na = 3")
    Position(line=1, key_column=1, value_column=5)
    """
    try:
        finder = _Finder(text, has_items=True)
    except (IndexError, ValueError):  # what follows what is set twice is no TOML either
        return None
    path, last = finder.last
    starts = (
        finder.positions[path[:length]] for length in range(len(path), 0, -1) if path[:length] in finder.positions
    )
    return next((first for first in starts if first != last), None)


def find_long_key(text: str) -> int | None:
    """The line of the first dotted key that is too long for `tomllib` to read in reasonable time, in any text."""
    if text.count(".") < MAX_KEY_PARTS or all(line.count(".") < MAX_KEY_PARTS for line in text.split("\n")):
        return None
    dots = 0
    for token in _tokens(text):
        if token.kind in ("mark", "newline"):
            dots = 0
        elif token.kind == "bare":
            dots += token.text.count(".")
        if dots >= MAX_KEY_PARTS:
            return text.count("\n", 0, token.start) + 1
    return None


def find_long_number(text: str) -> Position | None:
    """Where the first number with more digits than Python reads stands, in any text."""
    for token, following in pairwise([*_tokens(text), _Token("newline", "", len(text), len(text))]):
        if token.kind != "bare" or len(token.text) < 500 or following.text == "=":
            continue
        try:
            tomllib.loads(f"number = {token.text}")
        except tomllib.TOMLDecodeError:
            continue
        except ValueError:
            column = token.start - text.rfind("\n", 0, token.start)
            return Position(text.count("\n", 0, token.start) + 1, column, column)
    return None


def _tokens(text: str) -> Iterator[_Token]:
    for match in re.finditer(_TOKEN, text, re.DOTALL):
        if match.lastgroup != "comment":
            yield _Token(match.lastgroup or "", match.group(), match.start(), match.end())


class _Finder:
    """One walk over the tokens of a document; `positions` holds what it found, and `last` what it came to last."""

    def __init__(self, text: str, has_items: bool) -> None:
        self.text = text
        self.positions: dict[Place, Position] = {}
        self.last: tuple[Place, Position | None] = ((), None)
        self._has_items = has_items
        self._line_starts = [0, *accumulate(len(line) + 1 for line in text.split("\n")[:-1])]
        self._tokens = list(_tokens(text))
        self._next = 0
        self._arrays: dict[Place, int] = {}  # of tables, with the number of the last one
        self._walk()

    def _walk(self) -> None:
        table: Place = ()
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token.kind == "newline":
                self._next += 1
            elif token.text == "[" and token.kind == "mark":
                table = self._header()
            else:
                self._assignment(table)

    def _header(self) -> Place:
        """Read `[a.b]` or `[[a.b]]` and return the path that the statements below it belong to."""
        self._next += 1
        if is_array := self._peek() == "[":
            self._next += 1
        start = self._tokens[self._next].start
        key = self._key_until("]")
        self._next += 2 if is_array else 1
        path = (*self._in_last_items(key[:-1]), key[-1])
        if is_array:
            self._arrays[path] = self._arrays.get(path, -1) + 1
        if self._has_items:
            path = self._in_last_items(key)
        self._record((), path, start, start)
        return path

    def _in_last_items(self, key: KeyPath) -> Place:
        """A key in the header of a table, through the last item of each array on the way, if items are asked for."""
        path: Place = ()
        for name in key:
            path = (*path, name)
            if self._has_items and path in self._arrays:
                path = (*path, self._arrays[path])
        return path

    def _assignment(self, table: Place) -> None:
        """Read `key = value`, at the top of a table or inside an inline table."""
        start = self._tokens[self._next].start
        path = self._key_until("=")
        self._next += 1
        value = self._tokens[self._next]
        self._record(table, path, start, value.start)
        if value.text == "{":
            self._inline_table((*table, *path))
        elif value.text == "[" and self._has_items:
            self._array((*table, *path))
        else:
            self._skip_value()

    def _array(self, path: Place) -> None:
        """Read an array and note where its items stand; what is inside of arrays in it has no path."""
        self._next += 1
        number = 0
        while (mark := self._peek()) != "]":
            if mark in (",", "\n"):
                self._next += 1
                continue
            item = self._tokens[self._next]
            self._record(path, (number,), item.start, item.start)
            if mark == "{":
                self._inline_table((*path, number))
            else:
                self._skip_value()
            number += 1
        self._next += 1

    def _inline_table(self, table: Place) -> None:
        self._next += 1
        while (mark := self._peek()) != "}":
            if mark in (",", "\n"):
                self._next += 1
            else:
                self._assignment(table)
        self._next += 1

    def _skip_value(self) -> None:
        """Go past a scalar or a whole array, to the line end or the mark that follows it."""
        depth = 0
        while self._next < len(self._tokens):
            mark = self._peek()
            if depth == 0 and mark in (",", "}", "]", "\n"):
                return
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark, 0)
            self._next += 1

    def _key_until(self, mark: str) -> KeyPath:
        """The dotted key from here to `mark`, as `tomllib` reads it."""
        start = end = self._tokens[self._next].start
        while self._peek() != mark:
            end = self._tokens[self._next].end
            self._next += 1
        key = self.text[start:end]
        if key.isidentifier():  # a bare key: nothing to ask
            return (key,)
        tree = tomllib.loads(f"{key} = 0")
        path: list[str] = []
        while isinstance(tree, dict):
            [(key, tree)] = tree.items()
            path.append(key)
        return tuple(path)

    def _peek(self) -> str:
        """The mark or line end that comes next, or an empty text for anything else."""
        token = self._tokens[self._next]
        return token.text if token.kind in ("mark", "newline") else ""

    def _record(self, table: Place, key: Place, key_start: int, value_start: int) -> None:
        """Note the position of a key and of the tables that it opens, down to the first array of tables."""
        line = bisect_right(self._line_starts, key_start)
        line_start = self._line_starts[line - 1]
        position = Position(line, key_start - line_start + 1, value_start - line_start + 1)
        path = (*table, *key)
        self.last = path, position
        for length in range(1, len(path) + 1):
            self.positions.setdefault(path[:length], position)
            if path[:length] in self._arrays and not self._has_items:
                return
