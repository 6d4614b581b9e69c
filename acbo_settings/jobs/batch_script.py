"""A batch script of SLURM: what each of its steps is given, worked out without executing it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from ..engine.inputs import RawFile, read_if_there, read_raw_file
from ..engine.loading.environment import hint_for_variable
from ..engine.names import is_variable, meant_variable, variable_name
from ..engine.origins import JobLine, JobVariable
from ..engine.problems import Problem, ProblemSet
from ..engine.run_arguments import ON_CHANGE, split_names
from ..engine.schema import Schema
from ..engine.toml_document import Document, Position
from ..engine.values import SourcedValue
from .launchers import Changes
from .part import Job, Part, Unknown, unknown_file
from .shell_state import ShellState, ShellVariable
from .shell_syntax import Script
from .shell_values import MAX_CHOICES, Choice, Place, Value, unknown
from .shell_walk import DIRECTORY, ShellWalk, Step, Told
from .slurm_export import ExportList, parse_export
from .submission import Option, read_submission

_SHELLS = ("sh", "bash", "dash", "ksh", "zsh")
_COMMAND_LINE = "the command line of sbatch"
_MAX_NAMES = 50_000
_MAX_ALONE = 2_000
_MAX_TITLE = 60


def read_script(
    schema: Schema, document: Document, arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Job:
    """The steps of a batch script, and what is wrong with the script itself.

    `arguments` are those of sbatch, which win over the directives; UsageError for what sbatch would not take. `environ`
    is the environment of the shell that submits, None where that is not known.
    """
    return _Reading(schema, document, arguments, environ).job()


class _Given(NamedTuple):
    """What a step gets: variables; those of the script that do not reach it, by which `--export` and where that is."""

    variables: Mapping[str, ShellVariable]
    lost: Sequence[str] = ()
    text: str = ""
    place: Place | None = None
    loses_path: bool = False


class _Reading:
    """One reading of a script."""

    def __init__(
        self, schema: Schema, document: Document, arguments: Sequence[str], environ: Mapping[str, str] | None
    ) -> None:
        self._schema = schema
        self._document = document
        self._environ = environ
        self._submission = read_submission(document, arguments, environ or {})
        self._ours: dict[str, bool] = {}
        self._problems: list[Problem] = []

    def job(self) -> Job:
        """The job of the script."""
        if refusal := self._refusal():
            return Job((), (refusal,))
        state, walk = self._start()
        interpreter = self._interpreter()
        if interpreter in _SHELLS:
            state.exports_all = bool(re.match(r"#!.*\s-[a-z]*a", self._document.text.partition("\n")[0]))
            walk.walk(Script(self._document))
            steps = walk.steps
        else:
            steps = []
        chosen = [step for step in steps if step.role == "step"] or steps
        parts = [self._part(step, walk) for step in _first_few(chosen)]
        if len(parts) < len(chosen):
            message = "the steps from here on are not checked: there are too many"
            self._tell_line(self._document.name, message, chosen[len(parts)].place, is_advice=True)
        if not chosen:
            parts = [self._part_at_end(state, walk, interpreter)]
        self._tell_directives(walk)
        self._tell_walk(walk, bool(chosen))
        return Job((*_distinct(parts), *self._alone(chosen, walk)), tuple(_unique(self._problems)))

    def _refusal(self) -> Problem | None:
        """What makes sbatch refuse the script, or this package."""
        text = self._document.text
        line = Position(1, 1, 1)
        if "\r\n" in text:
            message = "sbatch refuses a script whose lines end as those of Windows do"
            return self._whole(message, line, "dos2unix rewrites them")
        if not text.startswith("#!"):
            message = "sbatch refuses a script whose first line does not start with #!"
            return self._whole(message, line, "write #!/bin/bash at its very beginning")
        if self._interpreter() not in _SHELLS and not self._interpreter().startswith("python"):
            message = f"is a script for {self._interpreter()}, and can only be read when it is one for bash or sh"
            return self._whole(message, line)
        return None

    def _interpreter(self) -> str:
        words = self._document.text.partition("\n")[0].removeprefix("#!").split()
        words = [word for word in words if not word.startswith("-")]
        names = [os.path.basename(word) for word in words]
        return (names[1] if names[:1] == ["env"] and len(names) > 1 else names[0]) if names else ""

    def _whole(self, message: str, position: Position, hint: str = "") -> Problem:
        origin = JobLine(self._document, exact=position)
        return Problem(path=(), message=message, values=(((), SourcedValue(None, origin)),), hint=hint)

    def _is_ours(self, name: str) -> bool:
        """Whether a variable starts with the prefix, or nearly so."""
        if name not in self._ours:
            prefix = self._schema.application.prefix
            is_ours = name.upper().startswith(prefix) or meant_variable(self._schema, name) is not None
            self._ours[name] = is_ours
        return self._ours[name]

    def _start(self) -> tuple[ShellState, ShellWalk]:
        """The shell as the script finds it, and the walk through the script."""
        environ = dict(self._environ or {})
        option = self._submission.options.get("export")
        variables = {name: ShellVariable(Value(text), True) for name, text in environ.items()}
        self._passes_all = option is None or parse_export(option.value).passes_all
        if option is not None and option.value.upper() != "ALL":
            variables = self._exported(option, variables)
        chdir = self._submission.options.get("chdir")
        variables[DIRECTORY] = self._first_directory(chdir)
        variables["SLURM_SUBMIT_DIR"] = ShellVariable(Value(os.getcwd()), True)
        if array := self._submission.options.get("array"):
            task = unknown("$SLURM_ARRAY_TASK_ID", map(Choice, _array_tasks(array.value)))
            variables["SLURM_ARRAY_TASK_ID"] = ShellVariable(task, True)
        state = ShellState(variables)
        return state, ShellWalk(state, self._is_ours, self._outside, self._sourced)

    def _first_directory(self, chdir: Option | None) -> ShellVariable:
        """Where the script starts: in the directory of sbatch, or where `--chdir` leads to, if that is there."""
        if chdir is None:
            return ShellVariable(Value(""), True)
        place, path = self._place_of(chdir), os.path.normpath(chdir.value)
        if os.path.isdir(path):
            return ShellVariable(Value("" if path == "." else path), True, place)
        message = f"{chdir.value} is no directory here; a job whose directory is not there runs in /tmp"
        is_literal = chdir.value.startswith("~") or "$" in chdir.value
        hint = "SLURM expands neither ~ nor $" if is_literal else ""
        self._tell_line("--chdir", message, place, hint, is_advice=not is_literal)
        return ShellVariable(unknown(chdir.value), True, place)

    def _outside(self, name: str) -> Value | None:
        """What a variable holds that the script does not set: nothing, when it is ours and the shell is known."""
        is_known = self._environ is not None and self._is_ours(name)
        return None if is_known else unknown(f"${name}")

    def _exported(self, option: Option, variables: Mapping[str, ShellVariable]) -> dict[str, ShellVariable]:
        """What `--export` of sbatch makes of the variables of the shell that submits."""
        listed = parse_export(option.value)
        passed = dict(variables) if listed.passes_all else {}
        passed |= {name: variables[name] for name in listed.named if name in variables}
        for name, text in listed.assigned:
            passed[name] = ShellVariable(Value(text), True, self._place_of(option, name))
        self._tell_cut(listed, self._place_of(option))
        if "SLURM_EXPORT_ENV" not in variables:
            passed["SLURM_EXPORT_ENV"] = ShellVariable(Value(option.value), True, self._place_of(option))
        else:
            passed["SLURM_EXPORT_ENV"] = variables["SLURM_EXPORT_ENV"]
        return passed

    def _place_of(self, option: Option, name: str = "") -> Place:
        """Where an option stands, or the item of a list that it holds."""
        if option.position is None:
            return Place(Document(_COMMAND_LINE, ""), None)
        return _item_place(Place(self._document, option.position), name)

    def _tell_cut(self, listed: ExportList, place: Place) -> None:
        """Say where a comma cuts off what belongs to a value."""
        settings = [name for name, _ in listed.assigned if self._is_ours(name)]
        cut = {name: [item for before, item in listed.cut if before == name] for name in settings}
        strays = [name for name in listed.named if name.islower() and name not in (self._environ or {})]
        if settings:
            cut[settings[-1]] += strays
        for name, items in cut.items():
            if items:
                message = f"its value ends at the comma, so that {', '.join(items)} is no part of it"
                hint = f"write export {name}=... in the script"
                self._tell(name, message, _item_place(place, name), hint, at_key=False)

    def _sourced(self, path: str) -> Script | None:
        """A script that this one reads with `source`, if it is here."""
        file = read_raw_file(path)
        if file.error or b"\0" in file.content:
            return None
        return Script(Document(path, file.content.decode(errors="replace")))

    def _part(self, step: Step, walk: ShellWalk) -> Part:
        """What a step is given."""
        given = self._given(step)
        self._tell_lost(step, given)
        title = f"line {step.place.position.line}: " if step.place.position else ""
        title += _short(" ".join(word.text for word in step.words))
        line = step.place.position.line if step.place.position else 0
        self._tell_freeze(step)
        return self._assembled(title, line, given.variables, _directory_of(step), walk, _run_of(step))

    def _tell_freeze(self, step: Step) -> None:
        """Say where `acbo-settings freeze` would not take its option."""
        for at, (word, following) in enumerate(pairwise(step.words)):
            name, equals, text = word.text.partition("=")
            value = Value(text, word.is_known) if equals else following
            is_wrong = name == "--on-change" and value.is_known and value.text not in ON_CHANGE
            if is_wrong and "freeze" in [each.text for each in step.words]:
                message = f"should be error, keep or replace, not {value.text}"
                self._tell_line(name, message, step.places[at])

    def _part_at_end(self, state: ShellState, walk: ShellWalk, interpreter: str) -> Part:
        """What a script gives that starts no step that could be told."""
        variables = {name: variable for name, variable in state.exported if self._is_ours(name)}
        directory = state.get(DIRECTORY) or ShellVariable(Value(""))
        title = "the script itself" if interpreter not in _SHELLS else "the end of the script"
        return self._assembled(title, 1, variables, directory, walk, _Run())

    def _assembled(
        self,
        title: str,
        line: int,
        variables: Mapping[str, ShellVariable],
        directory: ShellVariable,
        walk: ShellWalk,
        run: _Run,
    ) -> Part:
        named = {name: variable for name, variable in variables.items() if variable.value is not None}
        if walk.opened:
            named = {**self._open_variables(walk.opened, named), **named}
        origins = {name: _origin(name, variable) for name, variable in named.items() if variable.place}
        environ = {name: variable.value.text for name, variable in named.items() if variable.value is not None}
        unknown_texts = {origin.text for origin in origins.values() if not origin.is_known}
        surroundings = ScriptFiles(directory, walk, unknown_texts)
        self._tell_directory(surroundings, environ)
        environ.setdefault("SLURM_SUBMIT_DIR", os.getcwd())
        return Part(title, line, environ, origins, surroundings, run.run_dir, run.on_change, run.may_change)

    def _open_variables(self, place: Place, named: Mapping[str, ShellVariable]) -> dict[str, ShellVariable]:
        """Every setting, where a file that only the job knows may set any."""
        taken = {name.upper() for name in named}
        names = [variable_name(self._schema, path) for path in self._schema.defaults]
        return {name: ShellVariable(unknown("source"), True, place) for name in names if name not in taken}

    def _given(self, step: Step) -> _Given:
        """What a step gets of what the script exports: `srun` passes on what it is told to."""
        script = self._changed(dict(step.environ), step, step.program.outside)
        told = self._export_list(step)
        if told is None:
            return _Given(self._changed(script, step, step.program.inside))
        text, place = told
        listed = parse_export(text)
        passed = self._through_srun(script, listed, place, "export" in (step.program.options or ()))
        lost = [name for name, each in script.items() if each.place and not _is_same(passed.get(name), each)]
        loses_path = not listed.passes_all and "PATH" not in listed.named
        return _Given(self._changed(dict(passed), step, step.program.inside), lost, text, place, loses_path)

    def _export_list(self, step: Step) -> tuple[str, Place] | None:
        """What tells srun what to pass on, and where that stands; None where it passes on everything."""
        options = step.program.options
        if options is None:
            return None
        if "export" in options:
            at, text = options["export"]
            is_told = step.words[at].is_known or "," in text or text.upper() == "ALL"
            return (text, step.places[at]) if is_told else None
        if "?" in options:
            return None  # the option may stand in what only the job knows
        held, changes = step.export_list, step.program.outside
        for at, word in changes.assigned:
            if word.text.startswith("SLURM_EXPORT_ENV="):
                held = ShellVariable(Value(word.text.partition("=")[2]), True, step.places[at])
        if (
            changes.clears
            or "SLURM_EXPORT_ENV" in changes.removed
            or held is None
            or held.value is None
            or not held.value.is_known
        ):
            return None
        is_in_file = held.place is not None and held.place.position is not None
        return held.value.text, held.place if is_in_file and held.place else step.place

    def _through_srun(
        self, script: Mapping[str, ShellVariable], listed: ExportList, place: Place, is_option: bool
    ) -> dict[str, ShellVariable]:
        """What srun passes on under a list."""
        if listed.passes_nothing:
            return {}
        assigned = {}
        for name, text in listed.assigned:
            if self._is_ours(name):
                is_later = is_option and ("$" in text or "`" in text)
                assigned[name] = ShellVariable(
                    unknown(text) if is_later else Value(text), True, _item_place(place, name)
                )
        if is_option:
            self._tell_cut(listed, place)
        if listed.passes_all:
            for name, variable in assigned.items():
                if is_option and name in script and script[name].value != variable.value:
                    self._tell_kept(name, script[name], variable)
            return {**assigned, **script}
        return {name: script[name] for name in listed.named if name in script} | assigned

    def _tell_kept(self, name: str, kept: ShellVariable, listed: ShellVariable) -> None:
        """Say that srun keeps what the script exports, against its own option."""
        if kept.place is not None and kept.value is not None and listed.place is not None:
            shown = kept.value.text if kept.value.is_known else "what only the job knows"
            message = f"has no effect: with ALL in it, srun keeps the {shown} that the script exports"
            self._tell(name, message, listed.place, f"write {name}=... in front of srun", at_key=False)

    def _changed(self, variables: dict[str, ShellVariable], step: Step, changes: Changes) -> dict[str, ShellVariable]:
        """Variables under what `env` does to them."""
        if changes.clears:
            variables = {}
        for name in changes.removed:
            variables.pop(name, None)
        for at, word in changes.assigned:
            name, _, text = word.text.partition("=")
            if self._is_ours(name):
                value = Value(text) if word.is_known else unknown(text, _behind_sign(word, name))
                variables[name] = ShellVariable(value, True, _item_place(step.places[at], name))
        return variables

    def _tell_lost(self, step: Step, given: _Given) -> None:
        """Say which variables do not reach a step, and what else it lacks."""
        lacks_path = given.loses_path and _is_by_name(step)
        is_meant = any(self._is_ours(name) for name, _ in parse_export(given.text).assigned)
        if given.place is None or not (given.lost or (lacks_path and is_meant)):
            return
        program = step.program.name or "a program"
        message = f"under --export={given.text}, srun passes on "
        message += f"no {_listed(given.lost)}" if given.lost else "no PATH"
        message += ", and no PATH" if given.lost and lacks_path else ""
        message += f", without which it does not find {program}" if lacks_path else ""
        self._tell_line(given.lost[0] if given.lost else "PATH", message, given.place, "use srun --export=ALL")

    def _tell_line(self, name: str, message: str, place: Place, hint: str = "", is_advice: bool = False) -> None:
        """Say something of a line that sets no variable."""
        values = (((), SourcedValue(None, JobLine(place.document, exact=place.position))),)
        severity: Any = "advice" if is_advice else "error"
        problem = Problem(path=(name,), message=message, values=values, hint=hint, at_key=True, severity=severity)
        self._problems.append(problem)

    def _tell_directory(self, files: ScriptFiles, environ: Mapping[str, str]) -> None:
        """Advise where a step finds another configuration file than lies where the script is submitted."""
        application = self._schema.application
        if files.place is None or any(name.upper() == application.file_variable for name in environ):
            return
        if files.directory is None or not files.directory:
            return
        there, here = os.path.join(files.directory, application.file_name), application.file_name
        if os.path.isfile(there) and os.path.isfile(here) and not os.path.samefile(there, here):
            message = f"the step reads {os.path.relpath(there)}, not the one where the script is submitted"
            self._tell_line(here, message, files.place, is_advice=True)

    def _tell_directives(self, walk: ShellWalk) -> None:
        """Say which directives SLURM ignores, or takes for something else."""
        for option in self._submission.ignored:
            if option.position and option.position.line in walk.comments:
                message = "SLURM ignores a directive below the first command"
                place = Place(self._document, option.position)
                self._tell_line(f"#SBATCH --{option.name}", message, place, "move it up")
        for option in self._submission.refused:
            place = Place(self._document, option.position)
            word = option.value.partition("=")[0]
            if option.name:
                self._tell_line(word, f"sbatch takes it for its option {option.name}", place, f"write -{word}")
            elif self._is_ours(word):
                self._tell_line(word, "sbatch refuses a directive with it", place, "no blank may stand in --export")

    def _tell_walk(self, walk: ShellWalk, has_steps: bool) -> None:
        """Say what the walk found wrong with variables."""
        for told in walk.told:
            self._tell_syntax(told)
        for name, place in walk.unexported.items():
            if name in walk.handed_on or (name in walk.used and not is_variable(self._schema, name)):
                continue
            meant = None if is_variable(self._schema, name) else hint_for_variable(self._schema, name)
            hint = f"write export {name}=...{f'; {meant}' if meant else ''}"
            how = "loses its export here" if name in walk.taken_back else "is assigned, but not exported"
            self._tell(name, f"{how}, so that no step gets it", place, hint)
        for name, place in walk.unseen.items() if has_steps and not walk.runs_later else ():
            self._tell(name, "is exported behind the last step, which does not see it", place, "move it up")
        for place, text in walk.unread:
            names = re.findall(r"([^\W\d]\w*)=", text)
            for name in (name for name in names if self._is_ours(name)):
                message = "could not be read here, so that it is not checked; bash may well read the line"
                self._tell(name, message, place, at_key=True, is_advice=True)

    def _tell_syntax(self, told: Told) -> None:
        """Say what the walk found wrong with one statement."""
        name, text = told.name, told.text
        sentences = {
            "spaces": ("is not set: blanks stand around the equals sign", f"write export {name}=value"),
            "dollar": ("is not set: a dollar stands in front of its name", f"write export {name}=value"),
            "json": (f"the shell takes the JSON apart, so that it is {text}", f"use single quotes: {name}='{{...}}'"),
            "subshell": ("is exported where no step sees it: a subshell ends with its line", "export it by itself"),
            "sign": ("is not set: the shell sets a variable by NAME=value", f"write export {name}=value"),
            "name": ("is no name that the shell takes: only letters, digits and underscores are", "write __ for a dot"),
            "other": (f"is set for {text} alone, which is no step of the job", f"write export {name}=..."),
            "program": ("srun takes it for the name of a program", f"write it in front of srun, or env {name}=..."),
        }
        message, hint = sentences[told.what]
        self._tell(name, message, told.place, hint, at_key=told.what != "json")

    def _tell(
        self, name: str, message: str, place: Place, hint: str = "", at_key: bool = True, is_advice: bool = False
    ) -> None:
        origin = JobVariable(name, "", place.document, place.position)
        values = (((name,), SourcedValue("", origin)),)
        severity: Any = "advice" if is_advice else "error"
        problem = Problem(path=(name,), message=message, values=values, hint=hint, at_key=at_key, severity=severity)
        self._problems.append(problem)

    def _alone(self, steps: Sequence[Step], walk: ShellWalk) -> Iterator[Part]:
        """What may be given to a step, or may not: each text by itself."""
        choices: dict[tuple[str, Choice], None] = {}
        for step in _first_few(steps):
            for name, variable in self._given(step).variables.items():
                if variable.value is not None and not variable.value.is_known:
                    choices |= dict.fromkeys((name, _placed(choice, variable)) for choice in variable.value.choices)
        choices |= dict.fromkeys(walk.mentioned)
        for name, choice in list(choices)[:_MAX_ALONE]:
            if choice.place is None:
                continue
            origin = JobVariable(name, choice.text, choice.place.document, choice.place.position)
            part = Part("", 0, {name: choice.text}, {name: origin}, Unknown(), alone=True)
            if name.upper() == self._schema.application.file_variable and steps:
                yield self._file_alone(part, steps[0], choice.place, walk)
            else:
                yield part

    def _file_alone(self, part: Part, step: Step, place: Place, walk: ShellWalk) -> Part:
        """A configuration file that may be named: whether it can be read, under settings that only the job knows."""
        others = self._open_variables(place, {})
        environ = {name: variable.value.text for name, variable in others.items() if variable.value}
        origins = {name: _origin(name, variable) for name, variable in others.items()}
        files = ScriptFiles(_directory_of(step), walk, set())
        return part._replace(
            environ=environ | dict(part.environ), variables=origins | dict(part.variables), surroundings=files
        )


class _Run(NamedTuple):
    """What a command says of its run."""

    run_dir: str | None = None
    on_change: Any = None
    may_change: tuple[str, ...] | None = None


class ScriptFiles:
    """The files that a step finds in its working directory, some of which the script may make first."""

    def __init__(self, directory: ShellVariable, walk: ShellWalk, unknown_names: set[str]) -> None:
        held = directory.value or unknown("$PWD")
        self.directory = os.path.abspath(held.text) if held.is_known else None
        self.place = directory.place
        self.chosen_at = JobLine(directory.place.document, exact=directory.place.position) if directory.place else None
        self._name = held.text
        self._written = walk.written
        self._unpacks = walk.unpacks
        self._unknown = unknown_names

    def read(self, name: str, named_by: str = "", inside: str = "") -> RawFile:
        """Read a file as the step would, unless only the job will know it."""
        path = os.path.join(self._name, name)
        if self._is_unknown(name):
            return unknown_file(path, named_by)
        file = read_raw_file(path, named_by, inside)
        file.path = file.name[len(path) - len(name) :]
        return file

    def read_if_there(self, name: str) -> RawFile | None:
        """The same for a file that need not be there."""
        path = os.path.join(self._name, name)
        if self._is_unknown(name) or (self._name and not os.path.isdir(self._name)):
            return unknown_file(path)
        file = read_if_there(path)
        if file is not None:
            file.path = name
        return file

    def _is_unknown(self, name: str) -> bool:
        """Whether the script makes the file, or it lies where this machine has nothing."""
        base = os.path.basename(name)
        if name in self._unknown or any(
            fnmatch(base, written) for written in self._written if base[:1] == written[:1] or "*" in written
        ):
            return True
        if self._unpacks and self.place is not None and not os.path.lexists(os.path.join(self._name, name)):
            return True
        if not os.path.isabs(name):
            return self.directory is None
        return not os.path.isdir(os.sep + name.split(os.sep)[1])

    def local_path(self, name: str) -> str | None:
        """Where the run's directory of a step is here."""
        return None if self.directory is None and not os.path.isabs(name) else os.path.join(self._name, name)

    def __str__(self) -> str:
        return self.directory or "a directory that only the job knows"


def _first_few(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, as far as they can be judged in reasonable time: a script can have ten thousand of them."""
    names = 0
    for step in steps:
        yield step
        names += len(step.environ) + 100
        if names > _MAX_NAMES:
            return


def _is_same(passed: ShellVariable | None, variable: ShellVariable) -> bool:
    """Whether a step gets what the script exports."""
    return passed is not None and (passed is variable or passed.value == variable.value)


def _item_place(place: Place, name: str) -> Place:
    """Where in a line an item of a list stands, or an assignment; the place itself where it is not found."""
    if place.position is None:
        return place
    number = place.position.line
    start, end = _columns(place.document.line(number), place.position.key_column).get(name, (0, 0))
    return Place(place.document, Position(number, start, end)) if start else place


@lru_cache(maxsize=64)
def _columns(line: str, first: int) -> dict[str, tuple[int, int]]:
    """The columns of each name in a line, from a column on, and of the text behind its equals sign."""
    found: dict[str, tuple[int, int]] = {}
    for match in re.finditer(r"(?<!\w)(\w+)=", line):
        if match.start() + 1 >= first:
            found.setdefault(match[1], (match.start() + 1, match.end() + 1))
    return found


def _behind_sign(word: Value, name: str) -> Iterator[Choice]:
    """The texts that may stand behind the equals sign of a word."""
    return (Choice(choice.text[len(name) + 1 :], choice.place) for choice in word.choices)


def _placed(choice: Choice, variable: ShellVariable) -> Choice:
    """A text that a variable may have, with its place."""
    return choice if choice.place else choice._replace(place=variable.place)


def _origin(name: str, variable: ShellVariable) -> JobVariable:
    """The origin of a variable that the script sets."""
    assert variable.place is not None
    assert variable.value is not None
    value = variable.value
    return JobVariable(name, value.text, variable.place.document, variable.place.position, value.is_known)


def _array_tasks(text: str) -> Iterator[str]:
    """The numbers of `--array=0-9:2,15%4`, a few of them."""
    for part in text.partition("%")[0].split(","):
        if found := re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", part.strip()):
            first, step = int(found[1]), int(found[3] or 1) or 1
            yield from map(str, range(first, int(found[2] or first) + 1, step)[:MAX_CHOICES])


def _directory_of(step: Step) -> ShellVariable:
    """The directory in which a step starts: srun and containers may choose another one than the script's."""
    options = step.program.options or {}
    for name in ("container-workdir", "chdir", "container-image"):
        if name not in options:
            continue
        at, text = options[name]
        place = step.places[min(at, len(step.places) - 1)]
        held = step.directory.value
        if name == "chdir" and held is not None and held.is_known and step.words[at].is_known:
            path = os.path.normpath(os.path.join(held.text, text))
            return ShellVariable(Value("" if path == "." else path), True, place)
        return ShellVariable(unknown(text), True, place)
    return step.directory


def _is_by_name(step: Step) -> bool:
    """Whether a step names its program without saying where that lies."""
    return not step.program.words or "/" not in step.program.words[0].text


def _run_of(step: Step) -> _Run:
    """What `acbo-settings freeze` says of its run by its options."""
    words = [word.text for word in step.program.words]
    if "freeze" not in words or not any(word.endswith(("acbo-settings", "acbo_settings")) for word in words):
        return _Run()
    given: dict[str, list[str]] = {}
    for word, following in pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        given.setdefault(name, []).append(value if equals else following)
    run_dir, on_change = (given.get(name, [None])[-1] for name in ("--run-dir", "--on-change"))
    may_change = tuple(name for text in given.get("--may-change", ()) for name in split_names(text))
    is_known = all(word.is_known for word in step.program.words)
    is_known = is_known and on_change in (None, *ON_CHANGE)
    return _Run(run_dir, on_change, may_change or None) if is_known else _Run()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_TITLE else f"{text[: _MAX_TITLE - 3]}..."


def _listed(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _distinct(parts: Iterable[Part]) -> list[Part]:
    """The parts without those that are given the same as another one."""
    found: dict[object, Part] = {}
    for part in parts:
        marks = (
            tuple(sorted(part.environ.items())),
            tuple((name, origin.exact) for name, origin in sorted(part.variables.items())),
            part.surroundings.directory,
            str(part.surroundings),
            part[5:],
        )
        found.setdefault(marks, part)
    return list(found.values())


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, each once."""
    seen = ProblemSet()
    kept = []
    for problem in problems:
        if problem not in seen:
            kept.append(problem)
            seen.add([problem])
    return kept
