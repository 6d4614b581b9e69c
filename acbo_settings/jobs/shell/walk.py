"""One walk through a shell script: what each statement does to variables, and which programs it starts with them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

from tree_sitter import Node

from .assignments import DIRECTORY, Told, Word, handed_on
from .builtins import DECLARATIONS, Builtins, ExitError, ReturnError
from .programs import Program, Role, find_program, role_of
from .state import Changes, ShellState, ShellVariable
from .steps import Step
from .syntax import Script, descendants, has_break, text_of
from .values import Place, Value, unknown

_MAX_DEPTH = 100
_MAX_STATEMENTS = 60_000
_MAX_STEPS = 1_000
_TESTS = ("[", "[[", "test", "grep", "command", "which", "type")
_WRITERS = ("cp", "mv", "ln", "tee", "rsync", "install", "sed", "envsubst", "touch", "wget", "curl", "sbcast")
_READERS = ("cat", "echo", "printf", "grep", "diff", "head", "tail", "ls", "test", "[")
_UNPACKERS = ("tar", "unzip", "git", "rsync", "scp")


class ShellWalk(Builtins):
    """A walk through a script: its `steps`, and beside them what it makes of variables and files.

    `is_ours` tells which variables count, `outside` what a variable holds that the script does not set, and `source`
    reads another script that it reads.
    """

    def __init__(
        self,
        state: ShellState,
        is_ours: Callable[[str], bool],
        outside: Callable[[str], Value | None],
        source: Callable[[str], Script | None],
    ) -> None:
        super().__init__(state, is_ours, outside, source)
        self.texts: dict[str, tuple[str, Place]] = {}
        """The files that it makes of texts of its own, by their paths, and where these stand."""
        self.named: set[str] = set()
        """The names of files that commands are given, which may make them."""
        self.unpacks = False
        """Whether the script unpacks or fetches files of which it does not say the names."""
        self.comments: set[int] = set()
        """The lines of its comments."""
        self.unread: list[tuple[Place, str]] = []
        """Lines that could not be read, with their texts."""
        self._functions: dict[str, tuple[Script, Node]] = {}
        self._called: set[str] = set()
        self._running: set[int] = set()
        self._depth = 0
        self._left = _MAX_STATEMENTS

    def walk(self, script: Script) -> None:
        """Go through the whole script, and at last through functions that nothing calls."""
        with suppress(ExitError, ReturnError):
            self._run(script, script.root.named_children)
        for name, (home, body) in list(self._functions.items()):
            if name not in self._called:
                self._look_into(home, body)
        self.unread += [(script.line_place(number), text) for number, text in script.unread]
        self.comments = {node.start_point.row + 1 for node in descendants(script.root, "comment")}

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
        except ReturnError:
            return True
        except ExitError:
            return False
        return True

    def _run(self, script: Script, nodes: Iterable[Node]) -> None:
        for node in nodes:
            self._statement(script, node)

    def _statement(self, script: Script, node: Node) -> None:
        """Run a statement, unless it stands too deep in others, or is the same one again and again."""
        self._left -= 1
        if self._left < 0:
            raise ExitError
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
            if len(self.steps) > steps or text_of(arguments[0]) == "sbatch":
                self.handed_on |= handed_on(arguments)

    def _do_variable_assignment(self, script: Script, node: Node) -> None:
        self._assign(script, node)

    def _do_variable_assignments(self, script: Script, node: Node) -> None:
        for child in node.named_children:
            self._assign(script, child)

    def _do_declaration_command(self, script: Script, node: Node) -> None:
        keyword = text_of(node.children[0])
        self._declare(script, keyword, node.named_children)

    def _do_unset_command(self, script: Script, node: Node) -> None:
        self._run_unset(script, self._words(script, node.children))

    def _do_redirected_statement(self, script: Script, node: Node) -> None:
        body = node.child_by_field_name("body")
        redirects = node.children_by_field_name("redirect")
        texts = [child for each in redirects for child in each.named_children if child.type == "heredoc_body"]
        for redirect in redirects:
            self._redirect(script, redirect)
            self.handed_on |= set(re.findall(r"\$\{?(\w+)", text_of(redirect))) if texts else set()
        if texts and body is not None and text_of(body) == "cat":
            self._note_text(script, node, texts[0])
        if body is not None and body.type == "command":
            self._do_command(script, body, "".join(map(text_of, texts)))
        elif body is not None:
            self._statement(script, body)

    def _note_text(self, script: Script, node: Node, text: Node) -> None:
        """Note the file that `cat` makes of a heredoc, if all of it is known."""
        quotes = [text_of(start)[:1] for start in descendants(node, "heredoc_start")]
        is_plain = quotes[0] in "'\"" or not re.search(r"[$`\\]", text_of(text))
        signs = [child.type for each in descendants(node, "file_redirect") for child in each.children]
        signs += [child.type for each in descendants(node, "heredoc_redirect") for child in each.children]
        targets = [text_node for each in descendants(node, "file_redirect") for text_node in each.named_children[-1:]]
        if self.state.branches or not is_plain or {">>", "<<-"} & set(signs) or len(targets) != 1:
            return
        path = self._below(self.state.get(DIRECTORY), self._value(script, targets[0]))
        if path.is_known and script.place(text).position:
            self.texts[path.text] = (text_of(text), script.place(text))

    def _redirect(self, script: Script, node: Node) -> None:
        """Note a file that is written, and go through what stands behind the mark of a heredoc."""
        for child in node.named_children:
            if child.type == "file_redirect":
                self._redirect(script, child)
            elif child.type in ("command", "pipeline", "list"):
                self._subshell(script, [child])
        if node.type == "file_redirect" and "<" not in [child.type for child in node.children]:
            for target in node.children_by_field_name("destination"):
                self._note_written(os.path.basename(self._value(script, target).text))

    def _note_written(self, name: str) -> None:
        """Note that the script makes a file, or changes it."""
        self.written.add(name)
        self.texts = {path: text for path, text in self.texts.items() if os.path.basename(path) != name}

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

    def _do_test_command(self, script: Script, node: Node) -> None:
        """Note the files that are asked for: what follows may be done only if they are there."""
        for found in re.finditer(r"-[efrs]\s+(\S+)", text_of(node)):
            self.named.add(os.path.basename(found[1].strip("\"'")))

    def _do_negated_command(self, script: Script, node: Node) -> None:
        self._run(script, node.named_children)

    def _do_compound_statement(self, script: Script, node: Node) -> None:
        if node.children and node.children[0].type == "((":
            self._calculate(script, node)
        self._run(script, node.named_children)

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
        with self.state.apart(), suppress(ExitError, ReturnError):
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
            raise ExitError
        self.state.lay_together(taken)

    def _do_for_statement(self, script: Script, node: Node) -> None:
        variable = node.child_by_field_name("variable")
        values = [value for value, _, _ in self._words(script, node.children_by_field_name("value"))]
        if not values:
            values = list(self._arguments or ())
        texts = [choice for value in values for choice in value.possible]
        loop_value = unknown(f"${text_of(variable)}" if variable else "", texts)

        def begin() -> None:
            """Give the variable of the loop what it may hold."""
            if variable is not None:
                self._put(text_of(variable), loop_value, script.place(variable))

        self._loop(script, node, begin)

    def _do_c_style_for_statement(self, script: Script, node: Node) -> None:
        for each in node.named_children:
            if each.type != "do_group":
                self._calculate(script, each)
        self._loop(script, node)

    def _do_while_statement(self, script: Script, node: Node) -> None:
        steps = len(self.steps)
        condition = node.child_by_field_name("condition")
        if condition is not None:
            self._statement(script, condition)
        self._loop(script, node)
        if len(self.steps) > steps:
            self.unseen.clear()

    def _loop(self, script: Script, node: Node, begin: Callable[[], None] = lambda: None) -> None:
        """Run the body of a loop, which may have run before, or may not run at all; `begin` begins each turn."""
        body = node.child_by_field_name("body")
        if body is None:
            return
        for is_first in (True, False):
            steps, told, mentioned = len(self.steps), len(self.told), len(self.mentioned)
            begin()
            with self.state.apart(is_branch=True) as changes:
                self._until_end(script, [body])
            if len(self.steps) > steps:
                self.unseen.clear()  # the next turn has what this one exports behind its last step
            if is_first:  # it only shows what a later turn finds
                del self.steps[steps:], self.told[told:], self.mentioned[mentioned:]
            self.state.lay_together([{}, changes])

    def _do_function_definition(self, script: Script, node: Node) -> None:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            self._functions[text_of(name)] = (script, body)

    def _substitutions(self, script: Script, nodes: Iterable[Node]) -> None:
        """Run what stands in `$(...)`."""
        for node in nodes:
            if b"$(" in (node.text or b"") or b"`" in (node.text or b""):
                for substitution in descendants(node, "command_substitution"):
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
        words: list[Word],
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
        elif name in DECLARATIONS:
            self._declare(script, name, [each for _, _, each in words[1:]])
        elif builtin := self._builtin(name):
            if name not in ("eval", "source", "."):
                self._tell_wasted(script, assignments, name)
            with self._prefixed(script, assignments if name in ("eval", "source", ".") else ()):
                builtin(script, words)
        else:
            self._start(script, node, assignments, words, input_text)

    def _is_spaced(self, script: Script, assignments: Sequence[Node], words: Sequence[Word]) -> bool:
        """Whether a command is an assignment with blanks around its sign, of a variable that counts."""
        texts = [value.text for value, _, _ in words]
        if (found := re.match(r"\$(\w+)=", text_of(words[0][2]) if words else "")) and self._is_ours(found[1]):
            self.told.append(Told("dollar", found[1], texts[0], words[0][1]))
            return True
        if (found := re.match(r"(\w+[^\w=+[$][^=$]*)=", texts[0] if texts else "")) and self._is_ours(found[1]):
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

    def _end_locals(self, local: Mapping[str, tuple[ShellVariable | None, bool]]) -> None:
        """Give variables back what they held outside of a function."""
        for name, (before, is_branch) in local.items():
            if is_branch:
                self.state.lay_together([{name: before}, {name: self.state.get(name)}])
            else:
                self.state.set(name, before)

    def _call(self, script: Script, name: str, assignments: Sequence[Node], arguments: Sequence[Value]) -> None:
        """Call a function of the script with what it is given."""
        self._called.add(name)
        home, body = self._functions[name]
        if body.id in self._running or self._depth > _MAX_DEPTH // 2:
            return
        with self._prefixed(script, assignments):
            before, self._arguments = self._arguments, tuple(arguments)
            outside, self._local = self._local, {}
            entered, self._entered = self._entered, self.state.branches
            self._running.add(body.id)
            try:
                self._run(home, [body])
            except ReturnError:
                pass
            finally:
                self._end_locals(self._local)
                self._arguments, self._local, self._entered = before, outside, entered
                self._running.discard(body.id)

    def _start(
        self,
        script: Script,
        node: Node,
        assignments: Sequence[Node],
        words: list[Word],
        input_text: str,
    ) -> None:
        """Start a program, and note what it would get."""
        values = [value for value, _, _ in words]
        program = find_program(values)
        if program.name in self._functions and program.launcher == "":
            self._call(script, program.name, assignments, program.words[1:])
            return
        self._note_files(values)
        if self._is_misplaced(program, words):
            return
        if self._is_inner_shell(program) and self._passes_all(program):
            with self._prefixed(script, assignments):
                inner = Script(script.document, program.words[2].text, words[-len(program.words) + 2][1])
                self._subshell(inner, inner.root.named_children)
            return
        role = role_of(program, input_text)
        if program.name == "sbatch":
            self.unseen.clear()  # the job that this one submits may be given it
        if role == "no step":
            self._tell_wasted(script, assignments, program.name)
        else:
            with self._prefixed(script, assignments):
                self._note_step(script, node, program, words, role)
        if values and values[0].text == "exec" and program.words:
            raise ExitError

    def _is_misplaced(self, program: Program, words: Sequence[Word]) -> bool:
        """Whether an assignment stands where it has no effect: behind srun, or behind an `env` without a command."""
        if not program.words and not program.launcher and words[0][0].text == "env":
            names = [word.text.partition("=")[0] for _, word in program.outside.assigned]
            self.told += [Told("other", name, "no command", words[0][1]) for name in names if self._is_ours(name)]
            return True
        text = program.words[0].text if program.launcher == "srun" and program.words else ""
        if (found := re.match(r"(\w+)=", text)) and self._is_ours(found[1]):
            self.told.append(Told("program", found[1], "", words[len(words) - len(program.words)][1]))
            return True
        return False

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
        if program.launcher != "srun" or program.options is None:
            return not program.launcher
        held = self._export_list()
        usual = held.value.text if held and held.value else "ALL"
        text = program.options["export"][1] if "export" in program.options else usual
        is_elsewhere = any("container" in name or name == "chdir" for name in program.options)
        return text.upper() == "ALL" and not is_elsewhere

    def _export_list(self) -> ShellVariable | None:
        """The variable that stands for an option `--export` of srun, if the script exports one."""
        held = (self.state.get(name) for name in ("SRUN_EXPORT_ENV", "SLURM_EXPORT_ENV"))
        return next((variable for variable in held if variable and variable.is_exported and variable.value), None)

    def _tell_wasted(self, script: Script, assignments: Sequence[Node], program: str) -> None:
        """Say that a variable is set for a program alone that has no use for it."""
        for assignment in assignments if program not in ("sbatch", "acbo-settings") else ():
            name = text_of(assignment).partition("=")[0]
            if self._is_ours(name):
                self.told.append(Told("other", name, program, script.place(assignment)))

    def _note_step(self, script: Script, node: Node, program: Program, words: list[Word], role: Role) -> None:
        environ = {name: variable for name, variable in self.state.exported if self._is_ours(name)}
        directory = self.state.get(DIRECTORY) or ShellVariable(Value(""))
        step = Step(
            program=program,
            words=tuple(value for value, _, _ in words),
            place=script.place(node),
            places=tuple(place for _, place, _ in words),
            role=role,
            environ=environ,
            export_list=self._export_list(),
            directory=directory,
        )
        if len(self.steps) < _MAX_STEPS:
            self.steps.append(step)
        self.unseen.clear()

    def _note_files(self, values: Sequence[Value]) -> None:
        """Note the files that a command may write."""
        name = os.path.basename(values[0].text if values else "")
        if name in _WRITERS:
            for value in values[1:]:
                self._note_written(os.path.basename(value.text.rstrip("/")))
        elif name not in _READERS:
            self.named |= {os.path.basename(value.text) for value in values[1:] if value.text.endswith(".toml")}
        self.unpacks = self.unpacks or name in _UNPACKERS


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
