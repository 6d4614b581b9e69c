"""One walk through a shell script: what each statement does to variables, and which programs it starts with them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tree_sitter import Node

from .launchers import Program, find_program, role_of
from .shell_state import Changes, ShellState, ShellVariable
from .shell_syntax import BARE, Script, evaluate, has_break, split_at_blanks, text_of
from .shell_values import Choice, Place, Value, joined, unknown

DIRECTORY = "PWD"
_MAX_DEPTH = 100
_MAX_STATEMENTS = 60_000
_MAX_STEPS = 1_000
_MAX_WORDS = 10_000
_DECLARATIONS = ("export", "declare", "typeset", "readonly", "local")
_TESTS = ("[", "[[", "test", "grep", "command", "which", "type")
_WRITERS = ("cp", "mv", "ln", "tee", "rsync", "install", "sed", "envsubst", "touch", "wget", "curl", "sbcast")
_UNPACKERS = ("tar", "unzip", "git", "rsync", "scp")
_HARMLESS_SOURCES = re.compile(
    r"activate|bashrc|profile|conda|mamba|modules?\b|module\.sh|lmod|spack|setvars|nvm|cuda|venv|init/|/etc/",
    re.IGNORECASE,
)


class Step(NamedTuple):
    """A program that the script starts: the variables that it would get, its directory, and what stands there."""

    program: Program
    words: tuple[Value, ...]
    place: Place
    places: tuple[Place, ...]
    role: str
    environ: Mapping[str, ShellVariable]
    export_list: ShellVariable | None
    directory: ShellVariable
    is_branch: bool


class Told(NamedTuple):
    """Something that the walk found wrong with a variable: by a word of its own, and where."""

    what: str
    name: str
    text: str
    place: Place


class _ExitError(Exception):
    """The script ends here."""


class _ReturnError(Exception):
    """The function ends here."""


class ShellWalk:
    """A walk through a script: `steps` and `told` hold what it found, `written` the files that the script may make.

    `is_ours` tells which variables count. `unexported` are those that are assigned and reach no program, `unseen` those
    that are exported behind the last step, and `mentioned` those that are set on a way that may be taken.
    """

    def __init__(
        self,
        state: ShellState,
        is_ours: Callable[[str], bool],
        outside: Callable[[str], Value | None],
        source: Callable[[str], Script | None],
    ) -> None:
        self.state = state
        self.steps: list[Step] = []
        self.told: list[Told] = []
        self.written: set[str] = set()
        self.unpacks = False
        self.used: set[str] = set()
        self.unexported: dict[str, Place] = {}
        self.unseen: dict[str, Place] = {}
        self.mentioned: list[tuple[str, Choice]] = []
        self.handed_on: set[str] = set()
        self.taken_back: set[str] = set()
        self.runs_later = False
        self.comments: set[int] = set()
        self.unread: list[tuple[Place, str]] = []
        self.opened: Place | None = None
        self._is_ours = is_ours
        self._outside = outside
        self._source = source
        self._functions: dict[str, tuple[Script, Node]] = {}
        self._called: set[str] = set()
        self._arguments: tuple[Value, ...] | None = None
        self._local: Changes | None = None
        self._depth = 0
        self._left = _MAX_STATEMENTS
        self._has_arithmetic = False

    def walk(self, script: Script) -> None:
        """Go through the whole script, and at last through functions that nothing calls."""
        with suppress(_ExitError, _ReturnError):
            self._run(script, script.root.named_children)
        for name, (home, body) in list(self._functions.items()):
            if name not in self._called:
                self._look_into(home, body)
        self.unread += [(script.line_place(number), text) for number, text in script.unread]
        self.comments = {node.start_point.row + 1 for node in _descendants(script.root, "comment")}

    def _look_into(self, script: Script, body: Node) -> None:
        """Go through a function of which it is not known when it is called, if it is at all."""
        steps, unseen, unexported = list(self.steps), dict(self.unseen), dict(self.unexported)
        with self.state.apart(is_branch=True):
            self._until_end(script, [body])
        self.steps, self.unseen, self.unexported = steps, unseen, unexported

    def _until_end(self, script: Script, nodes: Sequence[Node]) -> bool:
        """Run statements; whether the script goes on behind them."""
        try:
            self._run(script, nodes)
        except _ReturnError:
            return True
        except _ExitError:
            return False
        return True

    def _run(self, script: Script, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self._statement(script, node)

    def _statement(self, script: Script, node: Node) -> None:
        """Run a statement, unless it stands too deep in others, or is the same one again and again."""
        self._left -= 1
        if self._left < 0:
            raise _ExitError
        following = node.next_sibling
        is_aside = following is not None and following.type == "&"
        self._depth += 1
        try:
            if self._depth > _MAX_DEPTH:
                self.unread.append((script.place(node), text_of(node)))
            elif is_aside and node.type not in ("command", "redirected_statement"):
                self._subshell(script, [node], self._do)
            else:
                self._do(script, node)
        finally:
            self._depth -= 1

    def _do(self, script: Script, node: Node) -> None:
        """Run a statement in this shell."""
        method = getattr(self, f"_do_{node.type}", None)
        if method:
            method(script, node)

    def _do_command(self, script: Script, node: Node, input_text: str = "") -> None:
        assignments = [child for child in node.named_children if child.type == "variable_assignment"]
        name = node.child_by_field_name("name")
        arguments = [*([name] if name else []), *node.children_by_field_name("argument")]
        if name is None or (assignments and has_break(script, assignments[-1], name)):
            for assignment in assignments:
                self._assign(script, assignment)
            assignments = []
        if name is not None:
            self._assign_defaults(script, arguments)
            self._substitutions(script, arguments)
            steps = len(self.steps)
            self._command(script, node, assignments, self._words(script, arguments), input_text)
            if len(self.steps) > steps:
                self.handed_on |= _handed_on(arguments)

    def _do_variable_assignment(self, script: Script, node: Node) -> None:
        self._assign(script, node)

    def _do_variable_assignments(self, script: Script, node: Node) -> None:
        for child in node.named_children:
            self._assign(script, child)

    def _do_declaration_command(self, script: Script, node: Node) -> None:
        keyword = text_of(node.children[0])
        self._declare(script, node, keyword, node.named_children)

    def _do_unset_command(self, script: Script, node: Node) -> None:
        self._run_unset(script, self._words(script, node.children))

    def _do_redirected_statement(self, script: Script, node: Node) -> None:
        body = node.child_by_field_name("body")
        texts = [
            text_of(child)
            for each in node.named_children
            for child in each.named_children
            if child.type == "heredoc_body"
        ]
        for redirect in node.children_by_field_name("redirect"):
            self._redirect(script, redirect)
        if body is not None and body.type == "command":
            self._do_command(script, body, "".join(texts))
        elif body is not None:
            self._statement(script, body)

    def _redirect(self, script: Script, node: Node) -> None:
        """Note a file that is written, and go through what stands behind the mark of a heredoc."""
        for child in node.named_children:
            if child.type == "file_redirect":
                self._redirect(script, child)
            elif child.type in ("command", "pipeline", "list"):
                self._subshell(script, [child])
        if node.type == "file_redirect" and "<" not in [child.type for child in node.children]:
            for target in node.children_by_field_name("destination"):
                self.written.add(os.path.basename(self._value(script, target).text))

    def _do_pipeline(self, script: Script, node: Node) -> None:
        for child in node.named_children:
            self._subshell(script, [child])

    def _do_list(self, script: Script, node: Node) -> None:
        lists = [node]
        while (left := lists[-1].named_children[0]).type == "list":
            lists.append(left)
        self._statement(script, left)
        for each in reversed(lists):
            before, right = each.named_children[0], each.named_children[-1]
            if any(child.type == "||" for child in each.children) or _is_test(before):
                self._branch(script, [[right]], is_complete=False)
            else:
                self._statement(script, right)

    def _do_negated_command(self, script: Script, node: Node) -> None:
        self._run(script, node.named_children)

    def _do_compound_statement(self, script: Script, node: Node) -> None:
        if node.children and node.children[0].type == "((":
            self._calculate(script, node)
        self._run(script, node.named_children)

    def _calculate(self, script: Script, node: Node) -> None:
        """Take what arithmetic changes for what only the job will know."""
        for found in re.finditer(r"(\w+)\s*(?:[-+*/%]?=(?!=)|\+\+|--)|(?:\+\+|--)(\w+)", text_of(node)):
            name = found[1] or found[2]
            self._put(name, unknown(f"${name}"), script.place(node))

    _do_do_group = _do_compound_statement
    _do_program = _do_compound_statement

    def _do_ERROR(self, script: Script, node: Node) -> None:  # noqa: N802  # as tree-sitter calls it
        for number, text in enumerate(text_of(node).split("\n"), node.start_point.row + 1):
            self.unread.append((script.line_place(number), text))
        self._run(script, node.named_children)

    def _do_subshell(self, script: Script, node: Node) -> None:
        self._subshell(script, node.named_children)

    def _subshell(
        self, script: Script, nodes: Sequence[Node], run: Callable[[Script, Node], None] | None = None
    ) -> None:
        """Run statements whose changes end with them."""
        unexported, unseen = dict(self.unexported), dict(self.unseen)
        with self.state.apart(), suppress(_ExitError, _ReturnError):
            for node in nodes:
                (run or self._statement)(script, node)
        self.unexported = unexported
        for name, place in self.unseen.items():
            if unseen.get(name) != place:
                self.told.append(Told("subshell", name, "", place))
        self.unseen = {name: place for name, place in unseen.items() if name in self.unseen}

    def _do_if_statement(self, script: Script, node: Node) -> None:
        ways: list[list[Node]] = [[]]
        is_complete = False
        for child in node.named_children:
            if child.type == "elif_clause":
                ways.append(list(child.named_children))
            elif child.type == "else_clause":
                ways.append(list(child.named_children))
                is_complete = True
            else:
                ways[0].append(child)
        self._branch(script, ways, is_complete)

    def _do_case_statement(self, script: Script, node: Node) -> None:
        items = [child for child in node.named_children if child.type == "case_item"]
        ways, is_complete = [], False
        for item in items:
            patterns = item.children_by_field_name("value")
            is_complete = is_complete or any(text_of(pattern) == "*" for pattern in patterns)
            ways.append([child for child in item.named_children if child not in patterns])
        self._branch(script, ways, is_complete)

    def _branch(self, script: Script, ways: Sequence[Sequence[Node]], is_complete: bool) -> None:
        """Run statements of which one list is run, or none, if they are not complete."""
        taken: list[Changes] = [] if is_complete else [{}]
        for nodes in ways:
            with self.state.apart(is_branch=True) as changes:
                if self._until_end(script, nodes):
                    taken.append(changes)
        if not taken:
            raise _ExitError
        self.state.lay_together(taken)

    def _do_for_statement(self, script: Script, node: Node) -> None:
        variable = node.child_by_field_name("variable")
        values = [self._value(script, each) for each in node.children_by_field_name("value")]
        if not values:
            values = list(self._arguments or ())
        texts = [choice for value in values for choice in value.possible]
        loop_value = unknown(f"${text_of(variable)}" if variable else "", texts)
        if variable is not None:
            self._put(text_of(variable), loop_value, script.place(variable))
        self._loop(script, node)

    def _do_c_style_for_statement(self, script: Script, node: Node) -> None:
        self._loop(script, node)

    def _do_while_statement(self, script: Script, node: Node) -> None:
        steps = len(self.steps)
        condition = node.child_by_field_name("condition")
        if condition is not None:
            self._statement(script, condition)
        self._loop(script, node)
        if len(self.steps) > steps:
            self.unseen.clear()

    def _loop(self, script: Script, node: Node) -> None:
        """Run the body of a loop, which may have run before, or may not run at all."""
        body = node.child_by_field_name("body")
        if body is None:
            return
        for name in _assigned_in(body):
            if (before := self.state.get(name)) is not None and before.value is not None:
                again = unknown(f"${name}", before.value.possible)
                self.state.set(name, before._replace(value=again))
        steps = len(self.steps)
        with self.state.apart(is_branch=True) as changes:
            self._until_end(script, [body])
        if len(self.steps) > steps:
            self.unseen.clear()  # the next turn has what this one exports behind its last step
        self.state.lay_together([{}, changes])

    def _do_function_definition(self, script: Script, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self._functions[text_of(name)] = (script, body)

    def _value(self, script: Script, node: Node) -> Value:
        """What a word stands for, a tilde in front of it expanded."""
        text = text_of(node)
        try:
            value = evaluate(node, self._lookup)
        except RecursionError:
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
        if name == DIRECTORY:
            directory = self.state.get(DIRECTORY)
            held = directory.value if directory and directory.value else unknown("$PWD")
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

    def _words(self, script: Script, nodes: Sequence[Node]) -> list[tuple[Value, Place, Node]]:
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
            split = split_at_blanks(value) if node.type in BARE else (value,)
            words += [(item, place, node) for item in (value.items if value.items is not None else split)]
        return words

    def _assign(self, script: Script, node: Node, exported: bool | None = None) -> None:
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
        value = self._value(script, value_node) if value_node is not None else _unparsed(node)
        if any(child.type == "+=" for child in node.children):
            value = joined([self._lookup(name) or Value(""), value])
        if self._has_arithmetic and not re.fullmatch(r"-?\d+", value.text):
            value = unknown(value.text)
        place = script.place(node, value_node)
        if not self._is_ours(name) and value_node is not None:
            self.handed_on |= _handed_on([value_node])
        if self._is_ours(name) and value_node is not None and _is_torn_json(text_of(value_node), value):
            self.told.append(Told("json", name, value.text, place))
            value = unknown(text_of(value_node))
        self._put(name, value, place, exported)

    def _put(self, name: str, value: Value, place: Place, exported: bool | None = None) -> None:
        """Give a variable a value."""
        before = self.state.get(name)
        is_exported = bool(before and before.is_exported) or self.state.exports_all if exported is None else exported
        self.state.set(name, ShellVariable(value, is_exported, place))
        if not self._is_ours(name):
            return
        if is_exported:
            self._note_export(name, value, place)
        else:
            self.unexported[name] = place

    def _note_export(self, name: str, value: Value | None, place: Place) -> None:
        self.unexported.pop(name, None)
        self.unseen[name] = place
        if self.state.is_branch and value is not None:
            self.mentioned += [(name, Choice(choice.text, choice.place or place)) for choice in value.possible]

    def _declare(self, script: Script, node: Node, keyword: str, children: Sequence[Node]) -> None:
        """Run `export`, `declare` and their like."""
        texts = [text_of(child) for child in children]
        flags = "".join(text[1:] for text in texts if re.fullmatch(r"-[A-Za-z]+", text))
        exported: bool | None = keyword == "export" or "x" in flags or None
        self._has_arithmetic = "i" in flags and keyword != "export"
        if (keyword == "export" and "n" in flags) or any(re.fullmatch(r"\+\w*x\w*", text) for text in texts):
            exported = False
        last = ""
        if self._local is not None and keyword in ("local", "declare", "typeset") and "g" not in flags:
            names = (text.partition("=")[0] for text in texts)
            self._local = {name: self.state.get(name) for name in names} | self._local
        for child, text in zip(children, texts, strict=True):
            if child.type == "variable_assignment":
                self._assign(script, child, exported)
                last = text
            elif child.type == "ERROR":
                last = text
            elif re.fullmatch(r"[-+]\w+", text) or child.type == "comment":
                continue
            elif re.fullmatch(r"[^\W\d]\w*", text):
                self._export_name(text, exported, script.place(child))
                last = text
            else:
                told = len(self.told)
                self._declare_word(script, child, text, last, exported)
                last = last if len(self.told) == told else ""
        self._has_arithmetic = False

    def _export_name(self, name: str, exported: bool | None, place: Place) -> None:
        """Export a variable that was assigned before, or will be, or take that back."""
        before = self.state.get(name)
        if exported is None:
            return
        held = before or ShellVariable(self._outside(name) if exported else None)
        self.state.set(name, held._replace(is_exported=exported))
        if not self._is_ours(name) or held.value is None:
            return
        if exported:
            self._note_export(name, held.value, held.place or place)
        else:
            self.unexported[name] = place if held.is_exported else held.place or place
            self.taken_back |= {name} if held.is_exported else set()
            self.unseen.pop(name, None)

    def _declare_word(self, script: Script, node: Node, text: str, last: str, exported: bool | None) -> None:
        """A word of `export` that is no assignment: a mistake, or what only the job will know."""
        name = last.partition("=")[0]
        is_unsigned = "=" not in last and self._is_ours(last)
        if (found := re.match(r"(\w+[^\w=+[:][^=]*)=", text)) and self._is_ours(found[1]):
            self.told.append(Told("name", found[1], text, script.place(node)))
            return
        if ((found := re.match(r"(\w+):", text)) and self._is_ours(found[1])) or (is_unsigned and text != "="):
            self.told.append(Told("sign", found[1] if found else last, text, script.place(node)))
            self._forget(found[1] if found else last)
            return
        if (found := re.match(r"\$(\w+)=", text)) and self._is_ours(found[1]):
            self.told.append(Told("dollar", found[1], text, script.place(node)))
            return
        if text.startswith("=") and self._is_ours(name):
            self.told.append(Told("spaces", name, text, script.place(node)))
            self._forget(name)
            return
        if re.match(r"[{}\"']|.*[}\]\"',]$", text) and "{" in last and self._is_ours(name):
            held = self.state.get(name)
            if held and held.place:
                self._tell_torn(name, last.partition("=")[2], held)
            return
        for value, place, _ in self._words(script, [node]):
            if value.is_known:
                self._export_text(value.text, exported, place)
            elif value.choices and exported is not None:
                for choice in value.choices:
                    self._export_name(choice.text, exported, place)
            elif exported:
                self._open(place)

    def _export_text(self, text: str, exported: bool | None, place: Place) -> None:
        """Export what a word stands for: an assignment, or a name."""
        name, equals, value = text.partition("=")
        if equals:
            self._put(name, Value(value), place, exported)
        else:
            self._export_name(name, exported, place)

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
            if b":=" not in (node.text or b"") and b"=" not in (node.text or b""):
                continue
            for expansion in _descendants(node, "expansion"):
                found = re.match(r"\$\{(\w+):?=", text_of(expansion))
                if found and (value := evaluate(expansion, self._lookup)) != self._lookup(found[1]):
                    self._put(found[1], value, script.place(expansion))

    def _substitutions(self, script: Script, nodes: Iterable[Node]) -> None:
        """Run what stands in `$(...)`."""
        for node in nodes:
            if b"$(" in (node.text or b"") or b"`" in (node.text or b""):
                for substitution in _descendants(node, "command_substitution"):
                    self._aside(script, substitution.named_children)

    def _aside(self, script: Script, nodes: Sequence[Node]) -> None:
        """Run statements beside the script; a program that they start is a step where there is no other."""
        first = len(self.steps)
        self._subshell(script, nodes)
        self.steps[first:] = [step._replace(role="perhaps") for step in self.steps[first:]]

    def _command(
        self,
        script: Script,
        node: Node,
        assignments: Sequence[Node],
        words: list[tuple[Value, Place, Node]],
        input_text: str,
    ) -> None:
        """Run one command, which `assignments` stand in front of."""
        while len(words) > 1 and words[0][0].text in ("command", "builtin") and not words[1][0].text.startswith("-"):
            words = words[1:]
        values = [value for value, _, _ in words]
        name = values[0].text if values else ""
        for child in node.named_children:
            if child.type == "subshell":  # that of `time ( ... )`
                self._subshell(script, child.named_children)
        if self._is_spaced(script, assignments, words):
            return
        if name in self._functions:
            self._call(script, name, assignments, values[1:])
        elif name in _DECLARATIONS:
            self._declare(script, node, name, [each for _, _, each in words[1:]])
        elif builtin := getattr(self, f"_run_{_BUILTINS.get(name, name)}", None) if name in _BUILTINS else None:
            builtin(script, words)
        else:
            self._start(script, node, assignments, words, input_text)

    def _is_spaced(
        self, script: Script, assignments: Sequence[Node], words: Sequence[tuple[Value, Place, Node]]
    ) -> bool:
        """Whether a command is an assignment with blanks around its sign, of a variable that counts."""
        texts = [value.text for value, _, _ in words]
        if (found := re.match(r"\$(\w+)=", text_of(words[0][2]) if words else "")) and self._is_ours(found[1]):
            self.told.append(Told("dollar", found[1], texts[0], words[0][1]))
            return True
        if (found := re.match(r"(\w+[^\w=+[][^=]*)=", texts[0] if texts else "")) and self._is_ours(found[1]):
            self.told.append(Told("name", found[1], texts[0], words[0][1]))
            return True
        if len(texts) > 1 and texts[0] in ("set", "setenv") and self._is_ours(texts[1].partition("=")[0]):
            self.told.append(Told("sign", texts[1].partition("=")[0], texts[0], words[0][1]))
            return True
        if len(texts) > 1 and texts[1].startswith("=") and self._is_ours(texts[0]):
            self.told.append(Told("spaces", texts[0], texts[1], words[0][1]))
            return True
        if assignments and re.fullmatch(r"[-+.\d][\w.+-]*|true|false|[\"'].*", texts[0]):
            last = assignments[-1]
            name = text_of(last).partition("=")[0]
            if last.child_by_field_name("value") is None and self._is_ours(name):
                self.told.append(Told("spaces", name, texts[0], script.place(last)))
                return True
        return False

    def _call(self, script: Script, name: str, assignments: Sequence[Node], arguments: Sequence[Value]) -> None:
        """Call a function of the script with what it is given."""
        self._called.add(name)
        home, body = self._functions[name]
        if self._depth > _MAX_DEPTH // 2:
            return
        with self._prefixed(script, assignments):
            before, self._arguments = self._arguments, tuple(arguments)
            outside, self._local = self._local, {}
            try:
                self._run(home, [body])
            except _ReturnError:
                pass
            finally:
                for each, variable in self._local.items():
                    self.state.set(each, variable)
                self._arguments, self._local = before, outside

    @contextmanager
    def _prefixed(self, script: Script, assignments: Sequence[Node]) -> Iterator[None]:
        """Let assignments hold for one command: they are exported for it, and are gone behind it."""
        names = [text_of(each).partition("=")[0].removesuffix("+") for each in assignments]
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

    def _run_set(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        texts = [value.text for value, _, _ in words[1:]]
        for at, text in enumerate(texts):
            if text == "--":
                break
            if re.fullmatch(r"[-+][A-Za-z]+", text) and "a" in text:
                self.state.exports_all = text.startswith("-")
            if text in ("-o", "+o") and texts[at + 1 : at + 2] == ["allexport"]:
                self.state.exports_all = text == "-o"
        if "--" in texts and self._arguments is not None:
            self._arguments = tuple(value for value, _, _ in words[texts.index("--") + 2 :])

    def _run_cd(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        targets = [(value, place) for value, place, _ in words[1:] if not re.fullmatch(r"-[LPe@]+|--", value.text)]
        place = words[0][1]
        before = self.state.get(DIRECTORY)
        target = targets[0][0] if targets else self._lookup("HOME") or unknown("~")
        if target.text == "-":
            self.state.set(DIRECTORY, self.state.get("OLDPWD"))
        else:
            self.state.set(DIRECTORY, ShellVariable(self._below(before, target), True, place))
        self.state.set("OLDPWD", before)

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

    def _run_pushd(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        held = self.state.get(f"{DIRECTORY}+")
        self.state.set(f"{DIRECTORY}++", held)
        self.state.set(f"{DIRECTORY}+", self.state.get(DIRECTORY))
        self._run_cd(script, words)

    def _run_popd(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        self.state.set(DIRECTORY, self.state.get(f"{DIRECTORY}+") or ShellVariable(unknown("$PWD"), True))
        self.state.set(f"{DIRECTORY}+", self.state.get(f"{DIRECTORY}++"))

    def _run_let(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        for _, _, node in words[1:]:
            self._calculate(script, node)

    def _run_trap(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        if len(words) < 3 or not words[1][0].is_known:
            return
        steps, told, unseen = len(self.steps), len(self.told), dict(self.unseen)
        inner = Script(script.document, words[1][0].text, words[1][1])
        self._aside(inner, inner.root.named_children)
        self.runs_later = self.runs_later or len(self.steps) > steps
        self.unseen = unseen  # it runs later, if at all
        del self.told[told:]

    def _run_unset(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        for value, _, node in words[1:]:
            text = text_of(node)
            if value.is_known or re.search(r"\$\{!\w+[@*]\}", text):
                self._unset(value.text if value.is_known else text)
            else:
                self._forget_all()

    def _run_exit(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        raise _ExitError

    def _run_return(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        raise _ReturnError

    def _run_read(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        for value, place, _ in words[1:]:
            if re.fullmatch(r"[^\W\d]\w*", value.text):
                self._put(value.text, unknown(f"${value.text}"), place)

    def _run_printf(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        texts = [value.text for value, _, _ in words]
        if texts[1:2] == ["-v"] and len(texts) > 2:
            self._put(texts[2], unknown(f"${texts[2]}"), words[2][1])

    def _run_shift(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        count = int(words[1][0].text) if len(words) > 1 and words[1][0].text.isdecimal() else 1
        self._arguments = self._arguments and self._arguments[count:]

    def _run_eval(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        text = " ".join(value.text for value, _, _ in words[1:])
        if all(value.is_known for value, _, _ in words[1:]):
            inner = Script(script.document, text, words[0][1])
            self._run(inner, inner.root.named_children)
        elif self._is_suspicious(text):
            self._open(words[0][1])

    def _run_source(self, script: Script, words: Sequence[tuple[Value, Place, Node]]) -> None:
        if len(words) < 2:
            return
        target, place, _ = words[1]
        directory = self.state.get(DIRECTORY)
        path = self._below(directory, target)
        found = self._source(path.text) if path.is_known and os.path.basename(path.text) not in self.written else None
        if found is not None:
            with suppress(_ReturnError):
                self._run(found, found.root.named_children)
        elif not _HARMLESS_SOURCES.search(target.text):
            self._open(place)

    def _is_suspicious(self, text: str) -> bool:
        """Whether a text that is not known may set variables that count."""
        return any(self._is_ours(word) for word in re.findall(r"[^\W\d]\w*", text)) or ".env" in text

    def _start(
        self,
        script: Script,
        node: Node,
        assignments: Sequence[Node],
        words: list[tuple[Value, Place, Node]],
        input_text: str,
    ) -> None:
        """Start a program, and note what it would get."""
        values = [value for value, _, _ in words]
        program = find_program(values)
        if program.name in self._functions and program.launcher == "":
            self._call(script, program.name, assignments, program.words[1:])
            return
        self._note_files(values)
        role = role_of(program, input_text)
        if not program.words and not program.launcher and values[0].text == "env":
            names = [word.text.partition("=")[0] for _, word in program.outside.assigned]
            self.told += [Told("other", name, "no command", words[0][1]) for name in names if self._is_ours(name)]
            return
        if self._is_inner_shell(program) and self._passes_all(program):
            with self._prefixed(script, assignments):
                inner = Script(script.document, program.words[2].text, words[-len(program.words) + 2][1])
                self._subshell(inner, inner.root.named_children)
            return
        found = re.match(r"(\w+)=", program.words[0].text if program.launcher == "srun" and program.words else "")
        if found and self._is_ours(found[1]):
            self.told.append(Told("program", found[1], "", words[len(words) - len(program.words)][1]))
            return
        if program.name == "sbatch":
            self.unseen.clear()  # the job that this one submits may be given it
        if role == "no step":
            self._tell_wasted(script, assignments, program.name)
        else:
            with self._prefixed(script, assignments):
                self._note_step(script, node, program, words, role)
        if values and values[0].text == "exec" and program.words:
            raise _ExitError

    def _is_inner_shell(self, program: Program) -> bool:
        """Whether a program is a shell with a script in its arguments that is known, and starts Python."""
        is_shell = program.name in ("bash", "sh", "dash", "zsh") and not program.outside.assigned
        if not is_shell or len(program.words) < 3 or not re.fullmatch(r"-\w*c", program.words[1].text):
            return False
        text = program.words[2]
        calls = any(word in self._functions for word in text.text.split())
        return text.is_known and (calls or re.search(r"python|torchrun|accelerate|\.py\b", text.text) is not None)

    def _passes_all(self, program: Program) -> bool:
        """Whether srun passes on all that the script exports."""
        held = [self.state.get(name) for name in ("SRUN_EXPORT_ENV", "SLURM_EXPORT_ENV")]
        lists = [variable.value.text for variable in held if variable and variable.value and variable.is_exported]
        if program.launcher != "srun" or program.options is None:
            return not program.launcher
        text = program.options["export"][1] if "export" in program.options else lists[0] if lists else "ALL"
        is_elsewhere = any("container" in name or name == "chdir" for name in program.options)
        return text.upper() == "ALL" and not is_elsewhere

    def _tell_wasted(self, script: Script, assignments: Sequence[Node], program: str) -> None:
        """Say that a variable is set for a program alone that has no use for it."""
        for assignment in assignments if program not in ("sbatch", "acbo-settings") else ():
            name = text_of(assignment).partition("=")[0]
            if self._is_ours(name):
                self.told.append(Told("other", name, program, script.place(assignment)))

    def _note_step(
        self, script: Script, node: Node, program: Program, words: list[tuple[Value, Place, Node]], role: str
    ) -> None:
        environ = {name: variable for name, variable in self.state.exported if self._is_ours(name)}
        held = [self.state.get(name) for name in ("SRUN_EXPORT_ENV", "SLURM_EXPORT_ENV")]
        lists = [variable for variable in held if variable and variable.is_exported and variable.value]
        directory = self.state.get(DIRECTORY) or ShellVariable(Value(""))
        step = Step(
            program=program,
            words=tuple(value for value, _, _ in words),
            place=script.place(node),
            places=tuple(place for _, place, _ in words),
            role=role,
            environ=environ,
            export_list=lists[0] if lists else None,
            directory=directory,
            is_branch=self.state.is_branch,
        )
        if len(self.steps) < _MAX_STEPS:
            self.steps.append(step)
        self.unseen.clear()

    def _note_files(self, values: Sequence[Value]) -> None:
        """Note the files that a command may write."""
        name = os.path.basename(values[0].text if values else "")
        if name in _WRITERS:
            self.written |= {os.path.basename(value.text.rstrip("/")) for value in values[1:]}
        self.unpacks = self.unpacks or name in _UNPACKERS


_BUILTINS = {
    name: name
    for name in (
        "set",
        "cd",
        "pushd",
        "popd",
        "unset",
        "exit",
        "return",
        "read",
        "printf",
        "shift",
        "eval",
        "let",
        "trap",
    )
}
_BUILTINS |= {"source": "source", ".": "source", "mapfile": "read", "readarray": "read", "getopts": "read"}


def _unparsed(node: Node) -> Value:
    """What stands behind the sign of an assignment, where the parser makes nothing of it."""
    text = text_of(node).partition("=")[2]
    return unknown(text) if re.search(r"[$`\"']", text) else Value(text)


def _handed_on(words: Iterable[Node]) -> set[str]:
    """The variables that the words of a command give on, as in `--export=NAME=$NAME`, `key=$NAME` and `--key $NAME`."""
    names: set[str] = set()
    for text in map(text_of, words):
        if text.startswith("--export="):
            names |= set(re.findall(r"\$\{?(\w+)", text))
        elif found := re.fullmatch(r"(?:[\w.-]+=)?\"?\$\{?(\w+)\}?\"?", text):
            names.add(found[1])
    return names


def _is_test(node: Node) -> bool:
    """Whether a statement only asks something, so that what follows it may not run."""
    if node.type in ("test_command", "negated_command"):
        return True
    if node.type == "redirected_statement" and (body := node.child_by_field_name("body")) is not None:
        return _is_test(body)
    if node.type in ("list", "pipeline"):
        return _is_test(node.named_children[-1])
    name = node.child_by_field_name("name") if node.type == "command" else None
    return name is not None and text_of(name) in _TESTS


def _assigned_in(body: Node) -> list[str]:
    """The variables that statements may assign, as far as that is written."""
    names = [
        text_of(name)
        for each in _descendants(body, "variable_assignment")
        if (name := each.child_by_field_name("name"))
    ]
    moves = any(text_of(name) in ("cd", "pushd", "popd") for name in _descendants(body, "command_name"))
    return list(dict.fromkeys([*names, *([DIRECTORY] if moves else [])]))


def _descendants(node: Node, kind: str) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.type == kind:
            yield each
        waiting += reversed(each.named_children)


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
