"""Where in a TOML document each key stands: TOML text → key path → line and columns.

`tomllib` judges documents and gives no positions. Here a document that it has accepted is cut into tokens, just enough
to tell statements, keys and values apart; what a key means, `tomllib` is asked. One pass, so the time is linear.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from .canonical import KeyPath

# A string that is never closed reaches to the end of its line or document, so that no character is read twice.
# It is a text, because most starts need no positions: `re` compiles and keeps it when it is first used.
_TOKEN = r"""
      (?P<string> \"{3} (?: [^\\] | \\ (?: . | \Z ) )*? (?: \"{3,5} | \Z )
                | '{3} .*? (?: '{3,5} | \Z )
                | " (?: [^"\\\n] | \\[^\n] )*+ "?
                | ' [^'\n]*+ '? )
    | (?P<comment> \# [^\n]*+ )
    | (?P<newline> \n )
    | (?P<mark> [][{}=,] )
    | (?P<bare> [^][{}=,\s"'\#]++ )
    """

MAX_KEY_PARTS = 16
"""Parts that a dotted key may have. `tomllib` takes time with the square of them: half a minute for 50,000."""


class Position(NamedTuple):
    """Where a key and its value start, counted from 1; for a table's header both columns are the key's.

    >>> find_positions("group_size = 4")["group_size",]
    Position(line=1, key_column=1, value_column=14)
    """

    line: int
    key_column: int
    value_column: int


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def find_positions(text: str) -> dict[KeyPath, Position]:
    """The position of every key and table of a TOML document.

    Args:
        text: A document that `tomllib` accepts, without a byte-order mark.

    Returns:
        Key path → position of its first mention, in the order of the document. Tables inside arrays have no path of
        their own: the array is the value.

    >>> find_positions("[grpo]\\ngroup_size = 4")["grpo", "group_size"].line
    2
    """
    return _Finder(text).positions


def find_long_key(text: str) -> int | None:
    """The line of the first dotted key that is too long for `tomllib` to read in reasonable time.

    Args:
        text: Any text, TOML or not.

    Returns:
        Its line, counted from 1, or None. Only a line with very many dots is looked at closely.

    >>> find_long_key("a = 1\\n" + "a." * 1000 + "a = 1")
    2
    """
    if all(line.count(".") < MAX_KEY_PARTS for line in text.split("\n")):
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
    """The first number with more digits than Python reads.

    Args:
        text: Any text, TOML or not.

    Returns:
        Where it stands, or None.

    >>> find_long_number("a = 1\\nb = " + "9" * 5000)
    Position(line=2, key_column=5, value_column=5)
    """
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
    for match in re.finditer(_TOKEN, text, re.VERBOSE | re.DOTALL):
        if match.lastgroup != "comment":
            yield _Token(match.lastgroup or "", match.group(), match.start(), match.end())


class _Finder:
    """One walk over the tokens of a document; `positions` holds what it found."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.positions: dict[KeyPath, Position] = {}
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tokens = list(_tokens(text))
        self._next = 0
        self._arrays: set[KeyPath] = set()
        self._walk()

    def _walk(self) -> None:
        table: KeyPath = ()
        while self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token.kind == "newline":
                self._next += 1
            elif token.text == "[" and token.kind == "mark":
                table = self._header()
            else:
                self._assignment(table)

    def _header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]` and return the path that the statements below it belong to."""
        self._next += 1
        if is_array := self._peek() == "[":
            self._next += 1
        start = self._tokens[self._next].start
        path = self._key_until("]")
        self._next += 2 if is_array else 1
        if is_array:
            self._arrays.add(path)
        self._record((), path, start, start)
        return path

    def _assignment(self, table: KeyPath) -> None:
        """Read `key = value`, at the top of a table or inside an inline table."""
        start = self._tokens[self._next].start
        path = self._key_until("=")
        self._next += 1
        value = self._tokens[self._next]
        self._record(table, path, start, value.start)
        if value.text == "{":
            self._inline_table((*table, *path))
        else:
            self._skip_value()

    def _inline_table(self, table: KeyPath) -> None:
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
            if depth == 0 and mark in (",", "}", "\n"):
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

    def _record(self, table: KeyPath, key: KeyPath, key_start: int, value_start: int) -> None:
        """Note the position of a key and of the tables that it opens, down to the first array of tables."""
        line = bisect_right(self._line_starts, key_start)
        line_start = self._line_starts[line - 1]
        position = Position(line, key_start - line_start + 1, value_start - line_start + 1)
        path = (*table, *key)
        for length in range(1, len(path) + 1):
            self.positions.setdefault(path[:length], position)
            if path[:length] in self._arrays:
                return
