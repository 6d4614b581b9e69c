"""The commands of the shell itself that set variables, or say where the script goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from tree_sitter import Node

from .assignments import DIRECTORY, Assignments, Told, Word
from .state import ShellState, ShellVariable
from .steps import Step
from .syntax import Script, text_of
from .values import Place, Value, joined, unknown

DECLARATIONS = ("export", "declare", "typeset", "readonly", "local")
"""The commands that declare variables."""

_HARMLESS_SOURCES = re.compile(
    r"activate|bashrc|profile|conda|mamba|modules?\b|module\.sh|lmod|spack|setvars|nvm|cuda|venv|init/|/etc/",
    re.IGNORECASE,
)
_OTHER_NAMES = {".": "source", "mapfile": "read", "readarray": "read", "getopts": "read"}


class ExitError(Exception):
    """The script ends here."""


class ReturnError(Exception):
    """The function ends here."""


class Builtins(Assignments):
    """The commands of the shell itself, run on what a script has set."""

    def __init__(
        self,
        state: ShellState,
        is_ours: Callable[[str], bool],
        outside: Callable[[str], Value | None],
        source: Callable[[str], Script | None],
    ) -> None:
        super().__init__(state, is_ours, outside)
        self.steps: list[Step] = []
        self.written: set[str] = set()
        """The names of files that the script makes."""
        self.runs_later = False
        """Whether a trap starts programs."""
        self._source = source
        self._local: dict[str, tuple[ShellVariable | None, bool]] | None = None
        self._entered = 0

    def _builtin(self, name: str) -> Callable[[Script, Sequence[Word]], None] | None:
        """What runs a command of the shell itself, if there is one of that name."""
        method: Callable[[Script, Sequence[Word]], None] | None = getattr(
            self, f"_run_{_OTHER_NAMES.get(name, name)}", None
        )
        return method

    def _run(self, script: Script, nodes: Iterable[Node]) -> None:
        """Run statements, which is for the walk to do."""
        raise NotImplementedError

    def _aside(self, script: Script, nodes: Sequence[Node]) -> None:
        """Run statements whose changes end with them, which is for the walk to do."""
        raise NotImplementedError

    def _declare(self, script: Script, keyword: str, children: Sequence[Node]) -> None:
        """Run `export`, `declare` and their like."""
        texts = [text_of(child) for child in children]
        flags = "".join(text[1:] for text in texts if re.fullmatch(r"-[A-Za-z]+", text))
        exported: bool | None = keyword == "export" or "x" in flags or None
        if (keyword == "export" and "n" in flags) or any(re.fullmatch(r"\+\w*x\w*", text) for text in texts):
            exported = False
        if self._local is not None and keyword in ("local", "declare", "typeset") and "g" not in flags:
            names = (text.partition("=")[0] for text in texts)
            may_be = self.state.branches > self._entered
            self._local = {name: (self.state.get(name), may_be) for name in names} | self._local
        self._has_arithmetic = "i" in flags and keyword != "export"
        # All words are expanded before the first one is assigned.
        values = [(node, node.child_by_field_name("value")) for node in children if node.type == "variable_assignment"]
        self._expanded = {node.id: self._value(script, value) for node, value in values if value is not None}
        last, taken = "", None
        for child, following in zip(children, (*children[1:], None), strict=False):
            if following is not None and child.type == "variable_name" and child.end_byte == following.start_byte:
                taken = following  # the two are one word, whose name is put together
                value = joined([Value(text_of(child)), self._value(script, following)])
                self._export_built(script, value, child, exported)
            elif child is not taken and child.type != "comment":
                last = self._declare_one(script, child, last, exported)
        self._has_arithmetic, self._expanded = False, {}

    def _declare_one(self, script: Script, node: Node, last: str, exported: bool | None) -> str:
        """Run one word of `export` or the like behind another one, and return what the next one stands behind."""
        text = text_of(node)
        if re.fullmatch(r"[-+]\w+", text):
            return last
        if node.type == "variable_assignment":
            self._assign(script, node, exported, is_declared=True)
        elif re.fullmatch(r"[^\W\d]\w*", text):
            self._export_name(text, exported, script.place(node))
        elif node.type != "ERROR":
            return "" if self._is_mistaken(script, node, last) else self._export_words(script, node, last, exported)
        return text

    def _export_built(self, script: Script, value: Value, node: Node, exported: bool | None) -> None:
        """Export an assignment whose name is put together."""
        for choice in value.possible:
            self._export_text(choice.text, exported, script.place(node))
        if not value.possible and exported:
            self._open(script.place(node))

    def _is_mistaken(self, script: Script, node: Node, last: str) -> bool:
        """Whether a word of `export` is a mistake, which is told; what the word before it sets is left aside then."""
        text, place, name = text_of(node), script.place(node), last.partition("=")[0]
        what, subject = self._find_mistake(text, last)
        held = self.state.get(name)
        if what:
            self.told.append(Told(what, subject, text, place))
            if what in ("sign", "spaces"):
                self._forget(subject)
        elif re.match(r"[{}\"']|.*[}\]\"',]$", text) and "{" in last and self._is_ours(name) and held and held.place:
            self._tell_torn(name, last.partition("=")[2], held)
        else:
            return False
        return True

    def _find_mistake(self, text: str, last: str) -> tuple[str, str]:
        """What kind of mistake a word behind another one is, and with which variable; empty where it is none."""
        name = last.partition("=")[0]
        if (text.startswith("=") or last == f"{name}=") and self._is_ours(name):
            return "spaces", name
        patterns = {"name": r"(\w+[^\w=+[:$][^=$]*)=", "sign": r"(\w+):", "dollar": r"\$(\w+)="}
        for what, pattern in patterns.items():
            if (found := re.match(pattern, text)) and self._is_ours(found[1]):
                return what, found[1]
        return ("sign", last) if "=" not in last and self._is_ours(last) else ("", "")

    def _export_words(self, script: Script, node: Node, last: str, exported: bool | None) -> str:
        """Export what a word stands for, which may be several assignments or names, or what only the job will know."""
        if found := re.fullmatch(r"\"?\$\{!(\w+)[@*]\}\"?", text_of(node)):
            for name in self.state.names_with(found[1]):
                self._export_name(name, exported, script.place(node))
            return last
        for value, place, _ in self._words(script, [node]):
            if value.is_known:
                self._export_text(value.text, exported, place)
            elif value.choices and exported is not None:
                for choice in value.choices:
                    self._export_text(choice.text, exported, place)
            elif exported:
                self._open(place)
        return last

    def _export_text(self, text: str, exported: bool | None, place: Place) -> None:
        """Export what a word stands for: an assignment, or a name."""
        name, equals, value = text.partition("=")
        if equals:
            self._put(name, Value(value), place, exported)
        else:
            self._export_name(name, exported, place)

    def _run_set(self, script: Script, words: Sequence[Word]) -> None:
        texts = [value.text for value, _, _ in words[1:]]
        for at, text in enumerate(texts):
            if text == "--":
                break
            if re.fullmatch(r"[-+][A-Za-z]+", text) and "a" in text:
                self.state.exports_all = text.startswith("-")
            if re.fullmatch(r"[-+]\w*o", text) and texts[at + 1 : at + 2] == ["allexport"]:
                self.state.exports_all = text.startswith("-")
        if "--" in texts and self._arguments is not None:
            self._arguments = tuple(value for value, _, _ in words[texts.index("--") + 2 :])

    def _run_shopt(self, script: Script, words: Sequence[Word]) -> None:
        texts = [value.text for value, _, _ in words]
        flags = "".join(text[1:] for text in texts if text.startswith("-"))
        if "allexport" in texts and "o" in flags:
            self.state.exports_all = "s" in flags

    def _run_cd(self, script: Script, words: Sequence[Word]) -> None:
        targets = [(value, place) for value, place, _ in words[1:] if not re.fullmatch(r"-[LPe@]+|--", value.text)]
        place = words[0][1]
        before = self.state.get(DIRECTORY)
        target = targets[0][0] if targets else self._lookup("HOME") or unknown("~")
        if target.text == "-":
            self.state.set(DIRECTORY, self.state.get("OLDPWD"))
        else:
            self.state.set(DIRECTORY, ShellVariable(self._below(before, target), True, place))
        self.state.set("OLDPWD", before)

    def _run_pushd(self, script: Script, words: Sequence[Word]) -> None:
        held = self.state.get(f"{DIRECTORY}+")
        self.state.set(f"{DIRECTORY}++", held)
        self.state.set(f"{DIRECTORY}+", self.state.get(DIRECTORY))
        self._run_cd(script, words)

    def _run_popd(self, script: Script, words: Sequence[Word]) -> None:
        self.state.set(DIRECTORY, self.state.get(f"{DIRECTORY}+") or ShellVariable(unknown("$PWD"), True))
        self.state.set(f"{DIRECTORY}+", self.state.get(f"{DIRECTORY}++"))

    def _run_let(self, script: Script, words: Sequence[Word]) -> None:
        for _, _, node in words[1:]:
            self._calculate(script, node)

    def _run_trap(self, script: Script, words: Sequence[Word]) -> None:
        if len(words) < 3 or not words[1][0].is_known:
            return
        steps, told, unseen = len(self.steps), len(self.told), dict(self.unseen)
        inner = Script(script.document, words[1][0].text, words[1][1])
        self._aside(inner, inner.root.named_children)
        self.runs_later = self.runs_later or len(self.steps) > steps
        self.unseen = unseen  # it runs later, if at all
        del self.told[told:]

    def _run_unset(self, script: Script, words: Sequence[Word]) -> None:
        for value, _, node in words[1:]:
            text = text_of(node)
            if value.is_known or re.search(r"\$\{!\w+[@*]\}", text):
                self._unset(value.text if value.is_known else text)
            else:
                self._forget_all()

    def _run_exit(self, script: Script, words: Sequence[Word]) -> None:
        raise ExitError

    def _run_return(self, script: Script, words: Sequence[Word]) -> None:
        raise ReturnError

    def _run_read(self, script: Script, words: Sequence[Word]) -> None:
        for value, place, _ in words[1:]:
            if re.fullmatch(r"[^\W\d]\w*", value.text):
                self._put(value.text, unknown(f"${value.text}"), place)

    def _run_printf(self, script: Script, words: Sequence[Word]) -> None:
        texts = [value.text for value, _, _ in words]
        if texts[1:2] == ["-v"] and len(texts) > 2:
            self._put(texts[2], unknown(f"${texts[2]}"), words[2][1])

    def _run_shift(self, script: Script, words: Sequence[Word]) -> None:
        count = int(words[1][0].text) if len(words) > 1 and words[1][0].text.isdecimal() else 1
        self._arguments = self._arguments and self._arguments[count:]

    def _run_eval(self, script: Script, words: Sequence[Word]) -> None:
        text = " ".join(value.text for value, _, _ in words[1:])
        if all(value.is_known for value, _, _ in words[1:]):
            inner = Script(script.document, text, words[0][1])
            self._run(inner, inner.root.named_children)
        elif self._is_suspicious(text):
            self._open(words[0][1])
        else:
            self.unseen.clear()  # it may start a program

    def _run_source(self, script: Script, words: Sequence[Word]) -> None:
        if len(words) < 2:
            return
        target, place, _ = words[1]
        directory = self.state.get(DIRECTORY)
        path = self._below(directory, target)
        found = self._source(path.text) if path.is_known and os.path.basename(path.text) not in self.written else None
        if found is not None:
            with suppress(ReturnError):
                self._run(found, found.root.named_children)
        elif not _HARMLESS_SOURCES.search(target.text):
            self._open(place)

    def _below(self, before: ShellVariable | None, target: Value) -> Value:
        """The directory that a path leads to from another one; below the directory of sbatch it is relative to that."""
        held = before.value if before and before.value else unknown("$PWD")
        if not target.is_known or not (held.is_known or os.path.isabs(target.text)):
            return unknown(target.text)
        path = os.path.normpath(os.path.join(held.text, target.text))
        here = os.getcwd()
        if os.path.isabs(path) and (path + os.sep).startswith(here + os.sep):
            path = os.path.relpath(path)
        return Value("" if path == "." else path)

    def _is_suspicious(self, text: str) -> bool:
        """Whether a text that is not known may set variables that count."""
        return any(self._is_ours(word) for word in re.findall(r"[^\W\d]\w*", text)) or ".env" in text
