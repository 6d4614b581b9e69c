"""What a script sets, on its way: what its words stand for, assignments and exports, and what is wrong with them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tree_sitter import Node

from .state import ShellState, ShellVariable
from .syntax import BARE, Script, descendants, evaluate, text_of, words_of
from .values import Choice, Place, Value, joined, unknown

DIRECTORY = "PWD"
"""The variable that holds the working directory, here as a path from that of sbatch."""

Word = tuple[Value, Place, Node]
"""What a word stands for, where it is written, and as what."""

_MAX_WORDS = 10_000


class Told(NamedTuple):
    """Something that the walk found wrong with a variable: by a word of its own, and where."""

    what: str
    name: str
    text: str
    place: Place


class Assignments:
    """What a script sets, and what is wrong with how it does that.

    `is_ours` tells which variables count, and `outside` what a variable holds that the script does not set.
    """

    def __init__(
        self, state: ShellState, is_ours: Callable[[str], bool], outside: Callable[[str], Value | None]
    ) -> None:
        self.state = state
        self.told: list[Told] = []
        self.unexported: dict[str, Place] = {}
        """Where variables are set that reach no program, because they are not exported."""
        self.unseen: dict[str, Place] = {}
        """Where variables are exported that no program has seen yet."""
        self.mentioned: list[tuple[str, Choice]] = []
        """What is exported on a way that may be taken, or may not."""
        self.handed_on: set[str] = set()
        """Variables that a command gives on by hand, as in `--export=NAME=$NAME`."""
        self.taken_back: set[str] = set()
        """Variables whose export is taken back."""
        self.used: set[str] = set()
        """All variables that the script reads."""
        self.opened: Place | None = None
        """Where the script reads what only the job will know, so that any variable may be set."""
        self._is_ours = is_ours
        self._outside = outside
        self._arguments: tuple[Value, ...] | None = None
        self._has_arithmetic = False
        self._expanded: dict[int, Value] = {}

    def _value(self, script: Script, node: Node) -> Value:
        """What a word stands for, a tilde in front of it expanded."""
        text = text_of(node)
        try:
            value = evaluate(node, self._lookup)
        except RecursionError:
            return unknown(text)
        if re.match(r"~[\w-]|\w+=~", text):
            return unknown(text)
        if text == "~" or text.startswith("~/"):
            home = self._lookup("HOME") or unknown("~")
            return joined([home, Value(value.text[1:], value.is_known)])
        return value

    def _lookup(self, name: str) -> Value | None:
        """What a variable holds, or a parameter of the function that runs."""
        self.used.add(name)
        if name.isdecimal() or name in "@*":
            return self._argument(name)
        if name in (DIRECTORY, "OLDPWD"):
            directory = self.state.get(name)
            held = directory.value if directory and directory.value else unknown(f"${name}")
            return Value(os.path.abspath(held.text)) if held.is_known else held
        variable = self.state.get(name)
        if variable is not None:
            return variable.value
        return self._outside(name)

    def _argument(self, name: str) -> Value | None:
        if self._arguments is None or name == "0":
            return unknown(f"${name}")
        if name in "@*":
            choices = tuple(choice for value in self._arguments for choice in value.possible)
            return unknown(f"${name}", choices)._replace(items=self._arguments)
        index = int(name) - 1
        return self._arguments[index] if index < len(self._arguments) else None

    def _words(self, script: Script, nodes: Sequence[Node]) -> list[Word]:
        """The words of a command; an array or `$@` is as many words as it has items."""
        words = []
        for node in nodes[:_MAX_WORDS]:
            value = self._value(script, node)
            inner = (
                node.named_children[0]
                if node.type in ("string", "command_name") and len(node.named_children) == 1
                else node
            )
            if inner.type in ("simple_expansion", "expansion") and re.search(r"[@*]\]?\}?\"?$", text_of(inner)):
                spread = evaluate(inner, self._lookup)
                value = spread if spread.items is not None else value
            place = script.place(node)
            items = words_of(node, value) if value.items is None else value.items
            words += [(item, place, node) for item in items]
        return words

    def _assign(self, script: Script, node: Node, exported: bool | None = None, is_declared: bool = False) -> None:
        """Run one `NAME=value`."""
        name_node, value_node = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name_node is None:
            return
        name = text_of(name_node)
        if name_node.type == "subscript":
            name = name.partition("[")[0]
            held = self.state.get(name)
            self.state.set(name, ShellVariable(unknown(f"${name}"), bool(held and held.is_exported)))
            return
        if value_node is not None:
            self._assign_defaults(script, [value_node])
            self._substitutions(script, [value_node])
        value = self._expanded.get(node.id) or (self._value(script, value_node) if value_node else _unparsed(node))
        if any(child.type == "+=" for child in node.children):
            value = joined([self._lookup(name) or Value(""), value])
        if self._has_arithmetic and not re.fullmatch(r"-?\d+", value.text):
            value = unknown(value.text)
        if self.state.branches and value.is_known and not value.text and value_node is not None:
            value = unknown(text_of(value_node))  # it may be asked first whether there is anything
        if is_declared and value_node is not None and value_node.type not in BARE and "{" in text_of(value_node):
            value = (words_of(value_node, value) or (value,))[-1]  # braces make several words, of which the last wins
        place = script.place(node, value_node)
        if not self._is_ours(name) and value_node is not None:
            self.handed_on |= handed_on([value_node])
        if self._is_ours(name) and value_node is not None and _is_torn_json(text_of(value_node), value):
            self.told.append(Told("json", name, value.text, place))
            value = unknown(text_of(value_node))
        self._put(name, value, place, exported)

    def _put(self, name: str, value: Value, place: Place, exported: bool | None = None) -> None:
        """Give a variable a value."""
        before = self.state.get(name)
        is_exported = bool(before and before.is_exported) or self.state.exports_all if exported is None else exported
        if self.state.may_export_all and exported is None and not is_exported:
            is_exported, value = True, unknown(value.text, value.possible)
        is_certain = before.is_certain if before and exported is None and not self.state.exports_all else True
        self.state.set(name, ShellVariable(value, is_exported, place, is_certain))
        if not self._is_ours(name):
            return
        if is_exported:
            self._note_export(name, value, place)
        else:
            self.unexported[name] = place

    def _note_export(self, name: str, value: Value | None, place: Place) -> None:
        self.unexported.pop(name, None)
        self.unseen[name] = place
        if self.state.branches and value is not None:
            given = (choice for choice in value.possible if choice.text.strip())
            self.mentioned += [(name, Choice(choice.text, choice.place or place)) for choice in given]

    def _export_name(self, name: str, exported: bool | None, place: Place) -> None:
        """Export a variable that was assigned before, or will be, or take that back."""
        before = self.state.get(name)
        if exported is None:
            return
        held = before or ShellVariable(self._outside(name) if exported else None)
        self.state.set(name, held._replace(is_exported=exported, is_certain=True))
        if not self._is_ours(name) or held.value is None:
            return
        if exported:
            self._note_export(name, held.value, held.place or place)
        else:
            self.unexported[name] = place if held.is_exported else held.place or place
            self.taken_back |= {name} if held.is_exported else set()
            self.unseen.pop(name, None)

    def _tell_torn(self, name: str, raw: str, held: ShellVariable) -> None:
        """Say once that the shell takes a JSON text apart; what the variable holds then is not judged."""
        assert held.place is not None
        if not any(told.what == "json" and told.place == held.place for told in self.told):
            self.told.append(Told("json", name, held.value.text if held.value else raw, held.place))
        self.state.set(name, held._replace(value=unknown(raw)))

    def _forget(self, name: str) -> None:
        """Leave out a variable about which everything is said."""
        self.unexported.pop(name, None)
        self.unseen.pop(name, None)
        self.state.set(name, None)

    def _forget_all(self) -> None:
        """Any of the variables that count may be unset from here on."""
        for name, variable in list(self.state.exported):
            if self._is_ours(name):
                self.state.set(name, variable._replace(value=unknown(f"${name}")))

    def _open(self, place: Place) -> None:
        """From here on any variable may be set by what only the job will know."""
        self.opened = self.opened or place
        self.unseen.clear()  # it may start programs, too
        self.unexported.clear()

    def _unset(self, name: str) -> None:
        if found := re.fullmatch(r"\"?\$\{!(\w+)[@*]\}\"?", name):
            for each, _ in list(self.state.exported):
                if each.startswith(found[1]):
                    self._unset(each)
        self.state.set(name, None)
        self.unexported.pop(name, None)
        self.unseen.pop(name, None)

    def _assign_defaults(self, script: Script, nodes: Iterable[Node]) -> None:
        """Run what `${NAME:=value}` does beside standing for a value."""
        for node in nodes:
            if b"=" not in (node.text or b"") and b"++" not in (node.text or b""):
                continue
            for arithmetic in descendants(node, "arithmetic_expansion"):
                self._calculate(script, arithmetic)
            for expansion in descendants(node, "expansion"):
                found = re.match(r"\$\{(\w+):?=", text_of(expansion))
                if found and (value := evaluate(expansion, self._lookup)) != self._lookup(found[1]):
                    self._put(found[1], value, script.place(expansion))

    def _calculate(self, script: Script, node: Node) -> None:
        """Take what arithmetic changes for what only the job will know."""
        for found in re.finditer(r"(\w+)\s*(?:[-+*/%]?=(?!=)|\+\+|--)|(?:\+\+|--)(\w+)", text_of(node)):
            name = found[1] or found[2]
            self._put(name, unknown(f"${name}"), script.place(node))

    @contextmanager
    def _prefixed(self, script: Script, assignments: Sequence[Node]) -> Iterator[None]:
        """Let assignments hold for one command: they are exported for it, and are gone behind it."""
        names = [text_of(each).partition("=")[0].removesuffix("+") for each in assignments]
        self.handed_on |= {name for name in names if name in self.unexported}
        before = {name: self.state.get(name) for name in names}
        unseen, unexported = dict(self.unseen), dict(self.unexported)
        for assignment in assignments:
            self._assign(script, assignment, exported=True)
        try:
            yield
        finally:
            for name, variable in before.items():
                self.state.set(name, variable)
            if names:
                self.unseen = {name: place for name, place in unseen.items() if name in self.unseen}
                self.unexported = unexported

    def _substitutions(self, script: Script, nodes: Iterable[Node]) -> None:
        """Run what stands in `$(...)`, which is for the walk to do."""
        raise NotImplementedError


def _unparsed(node: Node) -> Value:
    """What stands behind the sign of an assignment, where the parser makes nothing of it."""
    text = text_of(node).partition("=")[2]
    return unknown(text) if re.search(r"[$`\"']", text) else Value(text)


def handed_on(words: Iterable[Node]) -> set[str]:
    """The variables that the words of a command give on, as in `--export=NAME=$NAME`, and not in a path."""
    texts = (text for text in map(text_of, words) if text.startswith("--export=") or "/" not in text)
    return {name for text in texts for name in re.findall(r"\$\{?(\w+)", text)}


def _is_torn_json(raw: str, value: Value) -> bool:
    """Whether the shell takes the quotes out of what is written as a JSON object."""
    inside = raw.strip("\"'")
    return (
        value.is_known
        and inside.lstrip().startswith("{")
        and '"' in raw[1:-1]
        and raw[:1] != "'"
        and '"' not in value.text
        and "\\" not in raw
    )
