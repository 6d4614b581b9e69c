"""The ConfigMaps among the manifests: their texts for variables, and their keys as files with their own lines."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from ...engine.credentials import is_secret
from ...engine.inputs import RawFile
from ...engine.origins import JobVariable
from ...engine.toml_document import Excerpt, Position
from ..findings import Findings, Severity
from .yaml_text import NOTHING, Entry, Node, Tree

_MAX_SHOWN = 100
_TEMPLATE_IN_TOML = r"(?m)(?:^|=)[ \t]*\{\{"


def is_template(text: str) -> bool:
    """Whether a text is still to be rendered, by Helm or something like it."""
    return "}}" in text.partition("{{")[2]


def quotes_wanted(node: Node, source: str, name: str) -> tuple[str, str]:
    """What to say of a value that is no text: what it is taken for, and what to write; both empty for a text."""
    kind = node.taken_for
    if kind in ("", NOTHING):
        return "", ""
    if is_secret(name):
        return f"kubectl takes it for {kind}, and it must be text", "put quotes around it"
    if node.kind == "scalar":
        return f"kubectl takes {source} for {kind}, and it must be text", f'write "{node.text}"'
    is_short = len(source) <= _MAX_SHOWN and "\n" not in source and "'" not in source
    hint = f"put quotes around it: '{source}'" if is_short else "write it as a text in quotes"
    return f"is {kind}, and must be text", hint


class ConfigFile:
    """A key of a ConfigMap as the file that it is in a container."""

    def __init__(self, tree: Tree, entry: Entry, is_binary: bool, findings: Findings) -> None:
        self.tree = tree
        self.entry = entry
        self._is_binary = is_binary
        self._findings = findings
        self._is_known: bool | None = None

    @property
    def place(self) -> tuple[int, int]:
        """What tells it from every other."""
        return self.tree.number, self.entry.value.start

    @property
    def is_known(self) -> bool:
        """Whether what is written is what the job reads; why it is not is told as soon as somebody asks."""
        if self._is_known is None:
            self._is_known = self._is_text() and self._has_lines() and not self._is_template()
        return self._is_known

    def read(self, path: str, named_by: str = "") -> RawFile:
        """The file, as it is read at a path in a container."""
        node, tree = self.entry.value, self.tree
        content = self._decoded()
        file = RawFile(tree.document.name, named_by, content or b"", place=(*self.place, len(path), hash(path)))
        file.path = path
        file.is_known = self.is_known and content is not None
        is_block = node.style == "|" and not self._is_binary
        line, column = self._first_character() if is_block else tree.place(node.start)
        file.excerpt = Excerpt(tree.document, line, column, is_block)
        return file

    def _decoded(self) -> bytes | None:
        """The bytes of the file; None where the ConfigMap cannot be made, or they come from elsewhere."""
        node = self.entry.value
        text = "" if node.taken_for == NOTHING else node.text
        if not self._is_binary:
            return text.encode("utf-8", "surrogatepass")
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            return None

    def _first_character(self) -> tuple[int, int]:
        """Where the text of a literal block starts: below its sign, behind what it is indented by."""
        node, document = self.entry.value, self.tree.document
        line = self.tree.place(document.text.index("|", node.start))[0] + 1
        for number, text in enumerate(node.text.split("\n"), line):
            if text.strip():
                return line, len(document.line(number)) - len(text) + 1
        return line, 1

    def _is_text(self) -> bool:
        message, hint = quotes_wanted(self.entry.value, self.tree.source(self.entry.value), self.entry.key.text)
        if message:
            self._tell(f"{self.entry.key.text} {message}" if message.startswith("is") else message, hint)
        return not message

    def _has_lines(self) -> bool:
        """Whether the lines of the file are left: a folded block joins them."""
        node = self.entry.value
        if node.style != ">":
            return True
        written = [line.strip() for line in self.tree.source(node).split("\n")[1:]]
        is_same = list(filter(None, written)) == [line.strip() for line in node.text.split("\n") if line.strip()]
        message = f"{self.entry.key.text} stands in a folded block (>), which joins its lines"
        self._tell(message, "write | in place of >", "advice" if is_same else "error")
        return is_same

    def _is_template(self) -> bool:
        is_template = not self._is_binary and re.search(_TEMPLATE_IN_TOML, self.entry.value.text) is not None
        if is_template:
            self._tell(f"{self.entry.key.text} holds a template, so that nothing in it is judged", "", "advice")
        return is_template

    def _tell(self, message: str, hint: str, severity: Severity = "error") -> None:
        position = self.tree.entry_position(self.entry, at_key=True)
        self._findings.tell(self.tree.document, position, message, hint, severity)


class ConfigMap:
    """A ConfigMap of the given files."""

    def __init__(self, tree: Tree, node: Node, findings: Findings) -> None:
        self.tree = tree
        self._findings = findings
        self.name = tree.text(node, "metadata", "name")
        self.namespace = tree.text(node, "metadata", "namespace")
        self.is_used = False
        """Whether a container of the given files refers to it."""
        self.data = tree.entries(tree.value(node, "data"))
        binary = tree.entries(tree.value(node, "binaryData"))
        self.files = {key: ConfigFile(tree, entry, False, findings) for key, entry in self.data.items()}
        self.files |= {key: ConfigFile(tree, entry, True, findings) for key, entry in binary.items()}

    def tell_of_value(self, name: str, entry: Entry) -> None:
        """Tell of the value of a variable that is no text."""
        source = self.tree.source(entry.value)
        message, hint = quotes_wanted(entry.value, source, name)
        if message:
            variable = JobVariable(name, source, self.tree.document, self.position(entry), False)
            self._findings.tell_of(variable, message, hint)

    def position(self, entry: Entry) -> Position:
        """The line of a key."""
        return self.tree.entry_position(entry, at_key=True)


class ConfigMaps:
    """The ConfigMaps of all files of one call."""

    def __init__(self) -> None:
        self._all: list[ConfigMap] = []
        self._named: dict[tuple[str, str], list[ConfigMap]] = {}

    def add(self, found: ConfigMap) -> None:
        """Add one. Without a name nobody can refer to it."""
        self._all.append(found)
        if found.name:
            self._named.setdefault((found.namespace, found.name), []).append(found)

    def find(self, tree: Tree, namespace: str, name: str) -> ConfigMap | None:
        """The one that a pod of a file means: that of its own file if several have the name, else the last."""
        found: Sequence[ConfigMap] = self._named.get((namespace, name), ())
        if not found:  # kubectl -n gives a namespace to those that name none
            others = [each for each in self._all if each.name == name]
            found = [each for each in others if not (each.namespace and namespace)]
        meant = next((each for each in reversed(found) if each.tree is tree), found[-1] if found else None)
        if meant:
            meant.is_used = True
        return meant

    def __iter__(self) -> Iterator[ConfigMap]:
        return iter(self._all)
