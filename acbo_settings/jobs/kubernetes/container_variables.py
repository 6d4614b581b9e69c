"""The variables of a container: `envFrom` below `env`, references to earlier ones, and where each of them stands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from ...engine.names import is_variable, meant_variable
from ...engine.origins import JobVariable
from ...engine.schema import Schema
from ...engine.toml_document import Document, Position
from ..findings import Findings, Severity
from .config_maps import ConfigMap, is_template, quotes_wanted
from .yaml_text import NOTHING, Entry, Node, Tree

MAX_TEXT = 1 << 17
"""The longest text that Linux gives a process in a variable, in bytes."""

_VISITS = 10
"""What a variable costs, in visits of nodes."""

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_OF_SERVICES = re.compile(r"_SERVICE_(?:HOST|PORT)|_PORT(?:_|$)")


class _Value(NamedTuple):
    """What a container gets under a name: a text, or what is known of it, and where name and text are written."""

    text: str
    is_known: bool
    name_place: tuple[Document, Position]
    place: tuple[Document, Position]


class VariableNames:
    """Which names are those of variables of the application, or miss its prefix by a letter."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._known: dict[str, bool] = {}

    def has(self, name: str) -> bool:
        """Whether a name is among them; manifests repeat the same few names again and again."""
        if name not in self._known:
            is_ours = name.upper().startswith(self.schema.application.prefix)
            self._known[name] = is_ours or meant_variable(self.schema, name) is not None
        return self._known[name]


class ContainerVariables:
    """The variables of one container; `tell_rest` tells what matters only if one of them is of the application."""

    def __init__(
        self,
        names: VariableNames,
        tree: Tree,
        container: Node,
        find: Callable[[str], ConfigMap | None],
        findings: Findings,
    ) -> None:
        self._names = names
        self._tree = tree
        self._find = find
        self._findings = findings
        self._values: dict[str, _Value] = {}
        self._listed: set[str] = set()
        self._rest: list[tuple[Node, str, str, Severity]] = []
        self._is_open = False
        """Whether it may get variables from what is not given."""
        for item in tree.items(tree.value(container, "envFrom")):
            self._take_all(item)
        self._take_env(container)

    @property
    def environ(self) -> dict[str, str]:
        """What the container gets, by name; of what only the job knows, where it comes from."""
        return {name: value.text for name, value in self._values.items()}

    @property
    def known(self) -> dict[str, str]:
        """The same without what only the job knows."""
        return {name: value.text for name, value in self._values.items() if value.is_known}

    def of_application(self) -> dict[str, JobVariable]:
        """The variables of the application, each with its place."""
        ours = {name: value for name, value in self._values.items() if self._names.has(name)}
        alike = Counter(name.upper() for name in ours)
        return {name: self._variable(name, value, alike[name.upper()] > 1) for name, value in ours.items()}

    def tell_rest(self) -> None:
        """Tell what is wrong with the container's variables as a whole: it has one of the application."""
        for node, message, hint, severity in self._rest:
            self._findings.tell(self._tree.document, self._tree.position(node), message, hint, severity)

    def _variable(self, name: str, value: _Value, is_doubtful: bool) -> JobVariable:
        """A variable with its place: that of its name, where the name is what is wrong, else that of its text."""
        at_name = is_doubtful or not is_variable(self._names.schema, name)
        document, position = value.name_place if at_name else value.place
        return JobVariable(name, value.text, document, position, value.is_known)

    def _take_all(self, item: Node) -> None:
        """Take what an item of `envFrom` gives: all keys of a ConfigMap, under its prefix."""
        tree, reference = self._tree, self._tree.value(item, "configMapRef")
        if reference is None:
            self._is_open = True
            return
        found = self._find(tree.text(reference, "name"))
        if found is None:
            self._is_open = True
            self._miss(reference)
            return
        prefix = tree.text(item, "prefix")
        tree.spend(_VISITS * len(found.data), item)
        for key, entry in found.data.items():
            self._values[prefix + key] = self._of_config_map(prefix + key, found, entry)

    def _miss(self, reference: Node) -> None:
        """Note that a ConfigMap is not among the files, where it must be there at all."""
        name = self._tree.value(reference, "name")
        if name and not self._tree.is_true(reference, "optional"):
            self._rest.append((name, *not_given(name.text)))

    def _take_env(self, container: Node) -> None:
        entry = self._tree.entries(container).get("env")
        if entry is None:
            return
        if entry.value.kind == "mapping" and any(map(self._names.has, self._tree.entries(entry.value))):
            position = self._tree.entry_position(entry, at_key=True)
            hint = "write - name: ... and value: ... for each"
            self._findings.tell(self._tree.document, position, "env must be a list, and is a mapping", hint)
        for item in self._tree.items(entry.value):
            self._tree.spend(_VISITS, item)
            self._take_one(item)

    def _take_one(self, item: Node) -> None:
        """Take a variable of `env`."""
        entries = self._tree.entries(item)
        named = entries.get("name")
        name = named.value.text if named and named.value.kind == "scalar" else ""
        if named is None or not name:
            if item.kind == "mapping" and "{{" not in self._tree.source(item):
                self._rest.append((named.value if named else item, "a variable has no name", "", "error"))
            return
        found = self._value_of(name, named, entries.get("value"), entries.get("valueFrom"))
        if found is None or is_template(name):
            return
        if "=" in name and self._names.has(name.partition("=")[0]):
            told = self._variable(name, found, True)
            hint = "write what stands behind it as value"
            self._findings.tell_of(told, "no name of a variable can hold a =", hint, at_key=True)
            return
        if f"$({name})" not in self._tree.source(item):  # what adds to the one above does not replace it
            self._tell_double(name, found)
        self._listed.add(name)
        self._values[name] = found

    def _tell_double(self, name: str, last: _Value) -> None:
        """Tell of a variable that `env` has already, and that is replaced."""
        if name not in self._listed or not self._names.has(name):
            return
        ignored = self._values[name]
        is_same = ignored.is_known and last.is_known and ignored.text == last.text
        document, position = ignored.name_place
        told = JobVariable(name, ignored.text, document, position, ignored.is_known)
        message = f"is set again in line {last.name_place[1].line}"
        message += ", to the same" if is_same else ", which wins: this one is ignored"
        self._findings.tell_of(told, message, "leave one of them out", "advice" if is_same else "error", at_key=True)

    def _value_of(self, name: str, named: Entry, value: Entry | None, source: Entry | None) -> _Value | None:
        """What a variable of `env` is; None where there is none because its key is optional and lacking."""
        name_place = self._name_place(named, value)
        if source is None or source.value.kind != "mapping":
            if value is None:
                return _Value("", True, name_place, name_place)
            return self._literal(name, name_place, named, value)
        if value and (value.value.kind != "scalar" or self._tree.text(value.value)):
            if self._names.has(name):
                position = self._tree.entry_position(source, at_key=True)
                message = f"{name} has a value and valueFrom, and can have one of them"
                self._findings.tell(self._tree.document, position, message)
            return _Value("value and valueFrom", False, name_place, name_place)
        return self._from(name, name_place, source.value)

    def _name_place(self, named: Entry, value: Entry | None) -> tuple[Document, Position]:
        line, column = self._tree.place(named.value.start)
        end = column + named.value.end - named.value.start
        if value and self._tree.line(value.value) == line:
            end = self._tree.place(value.value.start)[1]
        return self._tree.document, Position(line, column, end)

    def _literal(self, name: str, name_place: tuple[Document, Position], named: Entry, value: Entry) -> _Value:
        """What stands below `value`, with what its references stand for."""
        tree, node = self._tree, value.value
        position = tree.entry_position(value)
        if tree.line(named.value) == position.line:
            position = position.replace(key_column=tree.place(named.value.start)[1])
        place = tree.document, position
        message, hint = quotes_wanted(node, tree.source(node), name)
        if message:
            if self._names.has(name):
                self._findings.tell_of(JobVariable(name, tree.source(node), *place, False), message, hint)
            return _Value(tree.source(node), False, name_place, place)
        text = "" if node.taken_for == NOTHING else node.text
        text, is_known = (text, False) if is_template(text) else self._expanded(text)
        return _Value(text, is_known, name_place, place)

    def _expanded(self, text: str) -> tuple[str, bool]:
        """A text with what its references stand for; as it is written where only the job knows one of them."""
        if "$" not in text:
            return text, True
        last = text.rfind(")") + 1  # so that no reference is looked for that never ends
        pieces, end, length = [], 0, 0
        for match in _REFERENCE.finditer(text, 0, last):
            found = self._referred(match)
            if found is None or length > MAX_TEXT:
                return text, False
            pieces += [text[end : match.start()], found]
            length += len(found)
            end = match.end()
        return "".join([*pieces, text[end:last], text[last:].replace("$$", "$")]), True

    def _referred(self, match: re.Match[str]) -> str | None:
        """What a reference stands for: for itself, where no earlier variable has that name."""
        name = match[1]
        if name is None:
            return "$"
        if value := self._values.get(name):
            self._tree.spend(len(value.text) // 64 + 1, self._tree.roots[0])
            return value.text if value.is_known else None
        return None if self._is_open or _OF_SERVICES.search(name) else match[0]

    def _from(self, name: str, name_place: tuple[Document, Position], source: Node) -> _Value | None:
        """What stands below `valueFrom`: the key of a ConfigMap, or what only the job knows."""
        tree, reference = self._tree, self._tree.value(source, "configMapKeyRef")
        if reference is None:
            return _Value(_described(tree, source), False, name_place, name_place)
        later = _Value(f"the ConfigMap {tree.text(reference, 'name')}", False, name_place, name_place)
        found = self._find(tree.text(reference, "name"))
        if found is None:
            if self._names.has(name):
                self._miss(reference)
            return later
        key = tree.value(reference, "key")
        if key is None or key.kind != "scalar":
            return later
        if entry := found.data.get(key.text):
            return self._of_config_map(name, found, entry)._replace(name_place=name_place)
        if tree.is_true(reference, "optional"):
            return None
        if self._names.has(name):
            self._findings.tell(tree.document, tree.position(key), *lacking_key(found.name, key.text))
        return later

    def _of_config_map(self, name: str, found: ConfigMap, entry: Entry) -> _Value:
        """A variable whose text is that of a key of a ConfigMap."""
        node, place = entry.value, (found.tree.document, found.position(entry))
        if quotes_wanted(node, "", name)[0]:
            if self._names.has(name):
                found.tell_of_value(name, entry)
            return _Value(found.tree.source(node), False, place, place)
        text = "" if node.taken_for == NOTHING else node.text
        return _Value(text, not is_template(text), place, place)


def not_given(name: str) -> tuple[str, str, Severity]:
    """What to say of a ConfigMap that is not among the files."""
    message = f"the ConfigMap {name} is in none of the files given, so that only the job knows what it holds"
    return message, "let acbo-settings check have its file, too", "advice"


def lacking_key(name: str, key: str) -> tuple[str, str]:
    """What to say of a key that a ConfigMap does not have."""
    return f"the ConfigMap {name} has no key {key}, so that the container does not start", ""


def _described(tree: Tree, source: Node) -> str:
    """What a value comes from that only the job knows."""
    for kind, key, words in _SOURCES:
        if text := tree.text(source, kind, key):
            return f"{words} {text}"
    return "what only the job knows"


_SOURCES = (
    ("secretKeyRef", "name", "the Secret"),
    ("fieldRef", "fieldPath", "the field"),
    ("resourceFieldRef", "resource", "the resource"),
)
