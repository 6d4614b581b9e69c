"""A shell script as a tree of statements, and what its words stand for. The only importer of tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from ...engine.toml_document import Document, Position
from .syntax_error import find_syntax_mistake
from .values import MAX_CHOICES, Choice, Place, Value, joined, unknown

Lookup = Callable[[str], Value | None]
"""What a variable or parameter holds; None for one that is certainly not set."""

_LANGUAGE = Language(tree_sitter_bash.language())
BARE = ("simple_expansion", "expansion", "command_substitution")
"""What stands for a text that the shell splits at blanks, when it stands in no quotes."""

_GLOB = re.compile(r"[*?]|\[.+\]")
_HIGHEST = re.compile(rb"[\xf1-\xf7][\x80-\xbf]{3}")
_MAX_ROWS = 40
_MAX_PARSED = 1_000_000  # bytes, in looking for lines
_PARSING = 20_000  # bytes that could be read while a parse begins
_ESCAPE = r"\\(?: x([0-9a-fA-F]{1,2}) | u([0-9a-fA-F]{1,4}) | U([0-9a-fA-F]{1,8}) | ([0-7]{1,3}) | (.) )"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "e": "\x1b", "a": "\a", "b": "\b"}
_ESCAPES |= {"\\": "\\", "'": "'", '"': '"', "?": "?"}


class Script:
    """A script that has been parsed; what is only a text within one has the place of that text."""

    def __init__(self, document: Document, text: str | None = None, place: Place | None = None) -> None:
        self.document = document
        self._place = place
        content = (document.text if text is None else text).encode("utf-8", "surrogateescape")
        self._whole = content
        self._bytes = re.sub(rb"\\(\s*)\Z", rb" \1", content)  # the last line, which goes on in none
        self.root = _parse(self._bytes)
        self._stumble = _first_stumble(self.root)
        self.unread: list[tuple[int, str]] = []
        if _unreadable_bytes(self.root):
            self._leave_out_unreadable()

    def find_mistake(self) -> tuple[Place, str, str] | None:
        """Where bash stops reading the script, what it says, and a hint; what is not closed is told where it begins."""
        mistake = find_syntax_mistake(self._whole)
        if mistake is None:
            return None
        if mistake.line <= len(self._whole.rstrip(b"\n").split(b"\n")):
            return self.line_place(mistake.line), mistake.message, ""
        if self._stumble is None or self._stumble.is_error:
            return Place(self.document, None), mistake.message, "an if, a loop, a case or a brace is not closed"
        return self.place(self._stumble), mistake.message, "what begins here is not closed"

    def _leave_out_unreadable(self) -> None:
        """Leave out the few lines that the parser stumbles over, which bash may well take; the rest is read then."""
        budget = _MAX_PARSED
        while _unreadable_bytes(self.root) and budget > 0:
            found, budget = _best_without(self._bytes, self.root, budget)
            if found is None:
                return
            number, self._bytes, self.root = found
            self.unread.append((number, self.document.line(number)))

    def line_place(self, number: int) -> Place:
        """A line of the script."""
        return self._place or Place(self.document, Position(number, 1, 1))

    def place(self, node: Node, value: Node | None = None) -> Place:
        """Where something stands, and the value that belongs to it."""
        if self._place:
            return self._place
        first, line = self._column(node), node.start_point.row + 1
        is_beside = value is not None and value.start_point.row + 1 == line
        column = self._column(value) if value is not None and is_beside else first
        return Place(self.document, Position(line, first, column))

    def _column(self, node: Node) -> int:
        start = node.start_byte - node.start_point.column
        return len(self._bytes[start : node.start_byte].decode(errors="replace")) + 1

    def gap(self, before: Node, after: Node) -> str:
        """What stands between two nodes."""
        return self._bytes[before.end_byte : after.start_byte].decode(errors="replace")


def _parse(content: bytes) -> Node:
    # The scanner of tree-sitter-bash looks characters up in a table that ends before those above U+3FFFF, and crashes.
    return Parser(_LANGUAGE).parse(_HIGHEST.sub(b"\xc3\xbf\xc3\xbf", content)).root_node


def _first_stumble(root: Node) -> Node | None:
    """The first statement or word that is not closed, or of which the parser makes nothing."""
    node = root if root.has_error else None
    while node is not None and not node.is_error:
        following = next((child for child in node.children if child.has_error or child.is_missing), None)
        if following is None or following.is_missing:
            return node
        node = following
    return node


def _best_without(content: bytes, root: Node, budget: int) -> tuple[tuple[int, bytes, Node] | None, int]:
    """The line without which a script is read best, if it is read better, the script without it; what is left to spend.

    It is looked for where the parser stumbles, and just before.
    """
    lines, best, least = content.split(b"\n"), None, _unreadable_bytes(root)
    for number in _suspicious_rows(root, len(lines)):
        if not lines[number].strip() or lines[number].lstrip().startswith(b"#"):
            continue
        budget -= len(content) + _PARSING
        without = b"\n".join([*lines[:number], b" " * len(lines[number]), *lines[number + 1 :]])
        tree = _parse(without)
        unreadable = _unreadable_bytes(tree)
        if unreadable < least:
            best, least = (number + 1, without, tree), unreadable
        if not unreadable or budget < 0:
            break
    return best, budget


def _suspicious_rows(root: Node, count: int) -> Iterator[int]:
    """The rows in which the parser makes nothing of what it reads, with a few above and below, each once."""
    seen: set[int] = set()
    for node in _unreadable(root):
        rows = range(max(node.start_point.row - 3, 0), min(node.end_point.row + 3, count))
        for row in (*rows[:_MAX_ROWS], *rows[-_MAX_ROWS:]):
            if row not in seen:
                seen.add(row)
                yield row


def _unreadable_bytes(root: Node) -> int:
    """How much of a script the parser makes nothing of."""
    return sum(node.end_byte - node.start_byte + 1 for node in _unreadable(root))


def _unreadable(root: Node) -> Iterator[Node]:
    """What the parser makes nothing of; what is wrong within an assignment harms nothing else."""
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.type not in ("variable_assignment", "declaration_command"):
            waiting += [child for child in reversed(node.children) if child.has_error or child.is_missing]


def text_of(node: Node) -> str:
    """The text of a node."""
    return (node.text or b"").decode("utf-8", "surrogateescape")


def evaluate(node: Node, lookup: Lookup) -> Value:
    """What a word stands for."""
    text = text_of(node)
    match node.type:
        case "word" | "variable_name" | "number" | "special_character" | "extglob_pattern" | "test_operator":
            return Value(_unescaped(text)) if not node.named_children else unknown(text)
        case "command_name":
            return evaluate(node.named_children[0], lookup) if node.named_children else Value(text)
        case "raw_string":
            return Value(text[1:-1])
        case "ansi_c_string":
            return _ansi_c(text)
        case "string" | "concatenation" | "translated_string":
            return _nested(node, lookup)
        case "simple_expansion":
            return _of_variable(text[1:], text, lookup)
        case "expansion":
            return _expansion(node, text, lookup)
        case "array":
            return _array(node, text, lookup)
        case "brace_expression":
            return unknown(text, map(Choice, _braced(text)))
        case "command_substitution":
            return _substitution(node, text, lookup)
    return unknown(text)


def _array(node: Node, text: str, lookup: Lookup) -> Value:
    """An array, with its items where these are certain: neither named, nor as many as only the job will know."""
    items: list[Value] = []
    for child in (child for child in node.named_children if child.type != "comment"):
        value = evaluate(child, lookup)
        words = value.items if value.items is not None else words_of(child, value)
        is_certain = child.type not in BARE and not _GLOB.search(text_of(child))
        if text_of(child).startswith("[") or not (is_certain or all(word.is_known for word in words)):
            return unknown(text)
        items += words
    return unknown(text)._replace(items=tuple(items), choices=possible(tuple(items)))


def words_of(node: Node, value: Value) -> tuple[Value, ...]:
    """The words that the shell makes of one: it splits what stands in no quotes, and looks for files."""
    text = text_of(node)
    if node.type in BARE:
        return tuple(map(Value, value.text.split())) if value.is_known else (value,)
    is_plain = node.type in ("word", "concatenation", "brace_expression", "extglob_pattern")
    if not is_plain or re.search(r"[\"'\\$`]", text):
        return (value,)
    braced = _braced(text)
    if braced == [text] and not _GLOB.search(text):
        return (value,)
    return tuple(unknown(each) if _GLOB.search(each) else Value(each) for each in braced)


def _braced(text: str) -> list[str]:
    """What `{a,b}` and `{1..4}` in a word stand for."""
    found = re.search(r"\{([^{},\s]*(?:,[^{},\s]*)+)\}|\{(-?\d{1,6})\.\.(-?\d{1,6})(?:\.\.(\d{1,6}))?\}", text)
    if found is None:
        return [text]
    if found[1] is not None:
        parts = found[1].split(",")
    else:
        first, last, step = int(found[2]), int(found[3]), int(found[4] or 1) or 1
        numbers = range(first, last + 1, step) if last >= first else range(first, last - 1, -step)
        parts = list(map(str, numbers[:MAX_CHOICES]))
    rest = _braced(text[found.end() :])
    return [f"{text[: found.start()]}{part}{end}" for part in parts for end in rest][:MAX_CHOICES]


def possible(values: tuple[Value, ...]) -> tuple[Choice, ...]:
    """The texts that one of several values may have."""
    return tuple(dict.fromkeys(choice for value in values for choice in value.possible))[:MAX_CHOICES]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(\n?)(.?)", lambda found: found[2], text, flags=re.DOTALL) if "\\" in text else text


def _nested(node: Node, lookup: Lookup) -> Value:
    """A text in double quotes, or words without a blank between them."""
    is_quoted = node.type != "concatenation"
    raw = node.text or b""
    parts, end = [], node.start_byte + (text_of(node).find('"') + 1 if is_quoted else 0)
    last = node.end_byte - (1 if is_quoted and raw.endswith(b'"') else 0)
    for child in node.named_children:
        # What stands between the parts belongs to the text, such as a blank between two variables.
        parts += [_piece(raw[end - node.start_byte : child.start_byte - node.start_byte], is_quoted)]
        if child.type == "string_content":
            parts.append(_piece(child.text or b"", is_quoted))
        else:
            parts.append(evaluate(child, lookup))
        end = max(end, child.end_byte)
    parts.append(_piece(raw[end - node.start_byte : last - node.start_byte], is_quoted))
    value = joined(parts)
    return value if value.is_known else value._replace(text=text_of(node))


def _piece(content: bytes, is_quoted: bool) -> Value:
    text = content.decode("utf-8", "surrogateescape")
    return Value(re.sub(r"\\(?:\n|([\"\\$`]))", lambda found: found[1] or "", text) if is_quoted else _unescaped(text))


def _ansi_c(text: str) -> Value:
    """What stands in `$'...'`."""
    return Value(re.sub(_ESCAPE, _escaped, text[2:-1], flags=re.VERBOSE | re.DOTALL))


def _escaped(found: re.Match[str]) -> str:
    code, octal, letter = found[1] or found[2] or found[3], found[4], found[5]
    if code:
        return chr(min(int(code, 16), 0x10FFFF))
    return chr(int(octal, 8)) if octal else _ESCAPES.get(letter, f"\\{letter}")


def _of_variable(name: str, text: str, lookup: Lookup) -> Value:
    """What `$NAME` stands for."""
    value = lookup(name)
    if value is None:
        return Value("")
    if value.items is not None:
        return value.items[0] if value.items else Value("")
    return value if value.is_known else unknown(text, value.choices)


def _expansion(node: Node, text: str, lookup: Lookup) -> Value:
    """What `${...}` stands for; of what goes beyond defaults and single items nothing is known."""
    inside = text[2:-1]
    if re.fullmatch(r"\w+|[@*#?$!-]", inside):
        return _of_variable(inside, text, lookup)
    if found := re.match(r"(\w+)(:?[-=+])", inside):
        default = [child for child in node.named_children if child.start_byte >= node.start_byte + 2 + found.end()]
        return _default(found[1], found[2], joined(evaluate(child, lookup) for child in default), text, lookup)
    if found := re.match(r"(\w+):?\?", inside):
        return _of_variable(found[1], text, lookup)
    if found := re.fullmatch(r"(\w+)\[(.+)\]", inside):
        return _item(node, found[1], found[2], text, lookup)
    return unknown(text)


def _default(name: str, operator: str, default: Value, text: str, lookup: Lookup) -> Value:
    """What `${NAME:-default}` and its like stand for."""
    value = lookup(name)
    is_empty = value is not None and value.is_known and not value.text
    is_set = value is not None and not (is_empty and operator.startswith(":"))
    if operator.endswith("+"):
        if not is_set:
            return Value("")
        return default if value is not None and value.is_known else unknown(text, default.possible)
    if not is_set:
        return default
    assert value is not None
    return value if value.is_known else unknown(text, (*value.choices, *default.possible))


def _item(node: Node, name: str, index: str, text: str, lookup: Lookup) -> Value:
    """What `${NAME[index]}` stands for: one of the items of an array that the script has."""
    array = lookup(name)
    if array is None or array.items is None:
        return unknown(text)
    if index in ("@", "*"):
        return unknown(text)._replace(items=array.items, choices=possible(array.items))
    held = Value(index) if index.isdecimal() else lookup(index.strip("${}"))
    if held is not None and held.is_known and held.text.isdecimal():
        return array.items[int(held.text)] if int(held.text) < len(array.items) else Value("")
    indices = [choice.text for choice in held.choices] if held is not None else []
    numbers = [int(each) for each in indices if each.isdecimal()]
    return unknown(text, possible(tuple(array.items[number] for number in numbers if number < len(array.items))))


def _substitution(node: Node, text: str, lookup: Lookup) -> Value:
    """What `$(...)` stands for, where it is the working directory."""
    return _of_variable("PWD", text, lookup) if re.fullmatch(r"\$\(\s*pwd\s*\)|`\s*pwd\s*`", text) else unknown(text)


def has_break(script: Script, before: Node, after: Node) -> bool:
    """Whether a line ends between two nodes, so that they are two statements, whatever the parser makes of them."""
    gap = script.gap(before, after)
    return any(second == "\n" and first != "\\" for first, second in pairwise(f" {gap}"))


def descendants(node: Node, kind: str) -> Iterator[Node]:
    """The nodes of one kind in a node, itself included."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type == kind:
            yield each
        waiting += reversed(each.named_children)
