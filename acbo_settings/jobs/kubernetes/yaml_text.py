"""YAML as kubectl reads it, each piece with its place: which plain scalars are text, merge keys, keys that stand twice.

PyYAML only cuts the text into events. The tree is made here: PyYAML's own one forgets what was written, takes other
scalars for numbers, and makes nothing of `<<`.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from ...engine.toml_document import Document, Position

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"

MAX_VISITS = 1_000_000
"""How often the nodes of one file may be looked at. A file of 1 MiB has 500,000; one in which aliases lead to aliases
can stand for billions, and kubectl refuses it too."""

_WORDS = {
    "true or false": "y Y yes Yes YES true True TRUE on On ON n N no No NO false False FALSE off Off OFF",
    "nothing": " ~ null Null NULL",
    "a number": ".nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF",
}
_TAKEN_FOR = {word: kind for kind, words in _WORDS.items() for word in words.split(" ")}
_TAGGED = {"int": "a number", "float": "a number", "bool": "true or false", "null": "nothing"}
_INTEGER = re.compile(r"[-+]?0(?:[xX]([0-9a-fA-F]{1,16})|[oO]([0-7]{1,22})|[bB]([01]{1,64}))")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_UNPRINTABLE = r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"

NOTHING = "nothing"
"""What kubectl takes `null` and an empty value for."""


class YamlError(ValueError):
    """A text that is no YAML, or too much of it: why, and at which character."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Entry(NamedTuple):
    """A key of a mapping, and what stands there."""

    key: Node
    value: Node


class Node:
    """A scalar, a list or a mapping, from its first to its last character; an alias is the node that it names."""

    __slots__ = ("kind", "text", "tag", "style", "start", "end", "items", "entries", "is_open")

    def __init__(self, kind: str, start: int, end: int, tag: str | None = None) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.tag = tag
        self.style = ""
        self.text = ""
        self.is_open = False
        self.items: list[Node] = []
        """Those of a list; of a mapping keys and values in turn, as they are written."""
        self.entries: dict[str, Entry] = {}
        """Those of a mapping that count, those that it merges included."""

    @property
    def taken_for(self) -> str:
        """What kubectl takes the node for, where that is no text: `a number`, `a list` and the like; else empty."""
        if self.kind != "scalar":
            return f"a {self.kind}"
        if self.tag is not None:
            return _TAGGED.get(self.tag.removeprefix(_TAG), "") if self.tag.startswith(_TAG) else ""
        return "" if self.style else plain_kind(self.text)


class Double(NamedTuple):
    """A key that a mapping has twice: what is ignored, and what counts."""

    mapping: Node
    ignored: Entry
    last: Entry


def plain_kind(text: str) -> str:
    """What kubectl takes a plain scalar for, if not for text: its rules are neither those of YAML 1.1 nor of 1.2.

    >>> [plain_kind(text) for text in ("1e-4", "0o17", "no", "1:30", "2026-11-25", "")]
    ['a number', 'a number', 'true or false', '', '', 'nothing']
    """
    if kind := _TAKEN_FOR.get(text):
        return kind
    if text[0] == ".":
        return "a number" if _FRACTION.fullmatch(text) else ""
    if text[0] not in "0123456789+-":
        return ""
    text = text.replace("_", "")
    if digits := _INTEGER.fullmatch(text):
        bases = zip(digits.groups(), (16, 8, 2), strict=True)
        return "a number" if any(each and int(each, base) < 1 << 64 for each, base in bases) else ""
    return "a number" if _DECIMAL.fullmatch(text) and math.isfinite(float(text)) else ""


class Tree:
    """The documents of one YAML file, and where everything in it stands."""

    def __init__(self, document: Document, number: int = 0) -> None:
        """Read it; YamlError when it cannot be read. The number tells it from the other files of a call."""
        self.document = document
        self.number = number
        self.doubles: list[Double] = []
        self.roots: list[Node] = []
        self._visits = 0
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", document.text))]
        self._anchors: dict[str, Node] = {}
        self._open: list[Node] = []
        for event in _events(document.text):
            self._take(event)

    def spend(self, visits: int, node: Node) -> None:
        """Count what is looked at; YamlError at a node when it has become too much."""
        self._visits += visits
        if self._visits > MAX_VISITS:
            raise YamlError("its aliases repeat too much", node.start)

    def items(self, node: Node | None) -> Sequence[Node]:
        """The items of a list; none for anything else."""
        if node is None or node.kind != "list":
            return ()
        self.spend(len(node.items) + 1, node)
        return node.items

    def entries(self, node: Node | None) -> Mapping[str, Entry]:
        """The entries of a mapping; none for anything else."""
        if node is None:
            return {}
        self.spend(len(node.entries) + 1, node)
        return node.entries

    def value(self, node: Node | None, *names: str) -> Node | None:
        """What stands below a row of keys, or None."""
        for name in names:
            entry = node.entries.get(name) if node else None
            node = entry.value if entry else None
        return node

    def text(self, node: Node | None, *names: str) -> str:
        """The text below a row of keys; empty where there is none."""
        found = self.value(node, *names)
        return found.text if found and found.kind == "scalar" and found.taken_for != NOTHING else ""

    def is_true(self, node: Node | None, *names: str) -> bool:
        """Whether `true` stands below a row of keys."""
        return self.text(node, *names).lower() in ("true", "yes", "on", "y")

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, counted from 1."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def line(self, node: Node) -> int:
        """The line on which a node starts."""
        return self.place(node.start)[0]

    def position(self, node: Node) -> Position:
        """Where a node starts."""
        line, column = self.place(node.start)
        return Position(line, column, column)

    def entry_position(self, entry: Entry, at_key: bool = False) -> Position:
        """The line of an entry's value, or of its key, with both columns on it."""
        key_line, key_column = self.place(entry.key.start)
        line, column = self.place(entry.value.start)
        if line == key_line or at_key:
            return Position(key_line, key_column, column if line == key_line else key_column)
        return Position(line, column, column)

    def source(self, node: Node) -> str:
        """A node as it is written."""
        return self.document.text[node.start : node.end]

    def _take(self, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.ScalarEvent):
            self._add(_scalar(event, start, end), event.anchor)
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._aliased(event.anchor, start))
        elif isinstance(event, yaml.CollectionStartEvent):
            kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
            node = Node(kind, start, end, event.tag)
            self._add(node, event.anchor)
            node.is_open = True
            self._open.append(node)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(self._open.pop(), end)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}

    def _add(self, node: Node, anchor: str | None = None) -> None:
        if anchor:
            self._anchors[anchor] = node
        (self._open[-1].items if self._open else self.roots).append(node)

    def _aliased(self, name: str | None, offset: int) -> Node:
        node = self._anchors.get(name or "")
        if node is None:
            raise YamlError(f"the alias *{name} has no anchor &{name} above it in its document", offset)
        if node.is_open:
            raise YamlError(f"the alias *{name} stands inside of what it names", offset)
        return node

    def _close(self, node: Node, end: int) -> None:
        """End a list or mapping; its entries come out of what is closed already, so that nothing is recursive."""
        node.end, node.is_open = end, False
        if node.kind == "list":
            return
        merged: list[Node] = []
        for key, value in zip(node.items[::2], node.items[1::2], strict=True):
            if key.kind == "scalar" and key.text == "<<" and key.tag is None and not key.style:
                merged += [value] if value.kind == "mapping" else value.items
            elif key.kind == "scalar":
                entry = Entry(key, value)
                if key.text in node.entries:
                    self.doubles.append(Double(node, node.entries[key.text], entry))
                node.entries[key.text] = entry
        for each in merged:
            self.spend(len(each.entries) + 1, node)
            for name, entry in each.entries.items():
                node.entries.setdefault(name, entry)


def _scalar(event: Any, start: int, end: int) -> Node:
    node = Node("scalar", start, end, None if event.tag == "!" else event.tag)
    node.text = event.value
    node.style = event.style or ("!" if event.tag == "!" else "")  # a single mark of exclamation says: text
    return node


def _events(text: str) -> Iterator[Any]:
    """The events of a text, as PyYAML has them; YamlError with words of ours where it stops."""
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset = min(mark.index, len(text)) if mark else 0
        problem = str(error.problem or error.context or "it ends too early")
        raise YamlError(_plain_words(text, problem, offset), offset) from None
    except yaml.reader.ReaderError as error:
        found = re.search(_UNPRINTABLE, text)
        raise YamlError(str(error.reason), found.start() if found else 0) from None
    except UnicodeEncodeError as error:
        raise YamlError("it holds what is no character", error.start) from None


def _plain_words(text: str, problem: str, offset: int) -> str:
    """What PyYAML found, as one would say it to somebody who wrote the file."""
    if text[offset : offset + 1] == "\t":
        return "a tab cannot stand in front of anything: use spaces"
    if problem.startswith("mapping values are not allowed"):
        return "no key can stand here: a text with a colon needs quotes, and keys of one mapping the same indentation"
    if problem.startswith("did not find expected"):
        return f"{problem}: the indentation or a bracket does not fit"
    return problem
