"""A batch script of SLURM: what each of its steps is given, worked out without executing it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, NamedTuple

from ...engine.inputs import read_raw_file
from ...engine.names import meant_variable, variable_name
from ...engine.origins import JobVariable
from ...engine.run_arguments import ON_CHANGE, split_names
from ...engine.schema import Schema
from ...engine.toml_document import Document, Position
from ..part import Job, Part, Unknown
from ..shell.assignments import DIRECTORY
from ..shell.programs import inside_container
from ..shell.state import ShellState, ShellVariable
from ..shell.steps import Step
from ..shell.syntax import Script
from ..shell.values import MAX_CHOICES, Choice, Place, Value, unknown
from ..shell.walk import ShellWalk
from .export_list import parse_export
from .places import option_place
from .script_files import ScriptFiles, directory_of, is_in_container
from .script_findings import ScriptFindings
from .step_environment import StepEnvironments
from .submission import Option, read_submission
from .sweep_array import SweepArray, array_tasks

_OTHER_SHELLS = ("ksh", "zsh")
"""Shells that read what bash does not."""
_SHELLS = ("sh", "bash", "dash", *_OTHER_SHELLS)
_MAX_NAMES = 50_000
_MAX_ALONE = 2_000
_MAX_PARTS_OF_TEXTS = 200
_MAX_TITLE = 60


def read_script(
    schema: Schema, document: Document, arguments: Sequence[str] = (), environ: Mapping[str, str] | None = None
) -> Job:
    """The steps of a batch script, and what is wrong with the script itself.

    `arguments` are those of sbatch, which win over the directives; UsageError for what sbatch would not take. `environ`
    is the environment of the shell that submits, None where that is not known.
    """
    return _Reading(schema, document, arguments, environ).job()


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
        self._findings = ScriptFindings(schema, self._is_ours, environ or {})
        self._environments = StepEnvironments(self._is_ours, self._findings)
        application = schema.application
        self._concerns_us = application.prefix in document.text.upper() or os.path.lexists(application.file_name)

    def job(self) -> Job:
        """The job of the script."""
        if self._is_refused():
            return Job((), self._findings.all())
        state, walk = self._start()
        interpreter = self._interpreter()
        if interpreter in _SHELLS:
            state.exports_all = bool(re.match(r"#!.*\s-[a-z]*a", self._document.text.partition("\n")[0]))
            script = Script(self._document)
            if interpreter not in _OTHER_SHELLS:
                self._findings.tell_syntax(script)
            walk.walk(script)
        array = self._submission.options.get("array")
        frozen = {name for name in map(_frozen_sweep, walk.steps) if name is not None}
        self._sweep = SweepArray(self._schema, self._document, array, self._environ is not None, frozen)
        chosen = [step for step in walk.steps if step.role == "step"] or walk.steps
        parts = self._parts(chosen, walk) or [self._part_at_end(state, walk, interpreter)]
        self._findings.tell_directives(self._document, self._submission, walk)
        self._findings.tell_walk(walk, bool(chosen))
        return Job((*_distinct(parts), *self._alone(chosen, walk)), self._findings.all())

    def _is_refused(self) -> bool:
        """Whether sbatch refuses the script, or this package does; a script that is none of ours is passed over."""
        text, interpreter = self._document.text, self._interpreter()
        if "\r\n" in text:
            message, hint = "sbatch refuses a script whose lines end as those of Windows do", "dos2unix rewrites them"
        elif not text.startswith("#!"):
            message = "sbatch refuses a script whose first line does not start with #!"
            hint = "write #!/bin/bash at its very beginning"
        elif interpreter not in _SHELLS and not interpreter.startswith("python"):
            if not self._concerns_us:
                return True
            message, hint = f"is a script for {interpreter}, and is not checked: it is none for bash or sh", ""
        else:
            return False
        self._findings.tell(self._document, Position(1, 1, 1), message, hint)
        return True

    def _interpreter(self) -> str:
        words = self._document.text.partition("\n")[0].removeprefix("#!").split()
        words = [word for word in words if not word.startswith("-")]
        names = [os.path.basename(word) for word in words]
        return (names[1] if names[:1] == ["env"] and len(names) > 1 else names[0]) if names else ""

    def _is_ours(self, name: str) -> bool:
        """Whether a variable starts with the prefix, or nearly so."""
        if name not in self._ours:
            inside = inside_container(name)
            prefix = self._schema.application.prefix
            is_ours = inside.upper().startswith(prefix) or meant_variable(self._schema, inside) is not None
            self._ours[name] = is_ours
        return self._ours[name]

    def _start(self) -> tuple[ShellState, ShellWalk]:
        """The shell as the script finds it, and the walk through the script."""
        environ = dict(self._environ or {})
        option = self._submission.options.get("export")
        variables = {name: ShellVariable(Value(text), True) for name, text in environ.items()}
        if option is not None and option.value.upper() != "ALL":
            variables = self._exported(option, variables)
        chdir = self._submission.options.get("chdir")
        variables[DIRECTORY] = self._first_directory(chdir)
        variables["SLURM_SUBMIT_DIR"] = ShellVariable(Value(os.getcwd()), True)
        if array := self._submission.options.get("array"):
            tasks = islice(array_tasks(array.value), MAX_CHOICES)
            task = unknown("$SLURM_ARRAY_TASK_ID", (Choice(str(number)) for number in tasks))
            variables["SLURM_ARRAY_TASK_ID"] = ShellVariable(task, True)
        state = ShellState(variables)
        return state, ShellWalk(state, self._is_ours, self._outside, self._sourced)

    def _first_directory(self, chdir: Option | None) -> ShellVariable:
        """Where the script starts: in the directory of sbatch, or where `--chdir` leads to, if that is there."""
        if chdir is None:
            return ShellVariable(Value(""), True)
        place, path = option_place(self._document, chdir), os.path.normpath(chdir.value)
        if os.path.isdir(path):
            return ShellVariable(Value("" if path == "." else path), True, place)
        is_literal = chdir.value.startswith("~") or "$" in chdir.value or "%" in chdir.value
        is_elsewhere = os.path.isabs(path) and not os.path.isdir(os.sep + path.split(os.sep)[1])
        if self._concerns_us and (is_literal or not is_elsewhere):
            message = f"{chdir.value} is no directory here; a job whose directory is not there runs in /tmp"
            hint = "SLURM expands neither ~ nor $ nor % here" if is_literal else ""
            self._findings.line("--chdir", message, place, hint, is_advice=not is_literal)
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
            passed[name] = ShellVariable(Value(text), True, option_place(self._document, option, name))
        self._findings.tell_cut(listed, option_place(self._document, option))
        if "SLURM_EXPORT_ENV" not in variables:
            passed["SLURM_EXPORT_ENV"] = ShellVariable(Value(option.value), True, option_place(self._document, option))
        else:
            passed["SLURM_EXPORT_ENV"] = variables["SLURM_EXPORT_ENV"]
        return passed

    def _sourced(self, path: str) -> Script | None:
        """A script that this one reads with `source`, if it is here."""
        file = read_raw_file(path)
        if file.error or b"\0" in file.content:
            return None
        return Script(Document(path, file.content.decode(errors="replace")))

    def _parts(self, steps: Sequence[Step], walk: ShellWalk) -> list[Part]:
        """What the steps are given, as far as they can be judged in reasonable time."""
        parts = [self._part(step, walk) for step in _first_few(steps)]
        if len(parts) < len(steps):
            message = "the steps from here on are not checked: there are too many"
            self._findings.line(self._document.name, message, steps[len(parts)].place, is_advice=True)
        return parts

    def _part(self, step: Step, walk: ShellWalk) -> Part:
        """What a step is given."""
        given = self._environments.given(step)
        self._environments.tell_lost(step, given)
        title = f"line {step.place.position.line}: " if step.place.position else ""
        title += _short(" ".join(word.text for word in step.words))
        line = step.place.position.line if step.place.position else 0
        self._findings.tell_freeze(step)
        files = ScriptFiles(directory_of(step), walk, is_in_container(step))
        return self._assembled(title, line, given.variables, files, walk, _run_of(step))

    def _part_at_end(self, state: ShellState, walk: ShellWalk, interpreter: str) -> Part:
        """What a script gives that starts no step that could be told."""
        variables = {name: variable for name, variable in state.exported if self._is_ours(name)}
        directory = state.get(DIRECTORY) or ShellVariable(Value(""))
        title = "the script itself" if interpreter not in _SHELLS else "the end of the script"
        return self._assembled(title, 1, variables, ScriptFiles(directory, walk), walk, _Run())

    def _assembled(
        self,
        title: str,
        line: int,
        variables: Mapping[str, ShellVariable],
        files: ScriptFiles,
        walk: ShellWalk,
        run: _Run,
    ) -> Part:
        named = {name: variable for name, variable in variables.items() if variable.value is not None}
        named = self._sweep.with_task(named, files)
        if walk.opened:
            named = {**self._open_variables(walk.opened, named), **named}
        somewhere = Place(self._document, None)  # what came in, and is not certain any more
        named = {name: _placed_at(each, somewhere) for name, each in named.items()}
        origins = {name: _origin(name, variable) for name, variable in named.items() if variable.place}
        environ = {name: variable.value.text for name, variable in named.items() if variable.value is not None}
        self._findings.tell_directory(files, environ)
        run = self._run_in(run, environ, origins)
        environ.setdefault("SLURM_SUBMIT_DIR", os.getcwd())
        return Part(title, line, environ, origins, files, run.run_dir, run.on_change, run.may_change)

    def _run_in(self, run: _Run, environ: Mapping[str, str], origins: Mapping[str, JobVariable]) -> _Run:
        """What a command says of its run, as far as it is known which one that is."""
        application = self._schema.application
        places = (application.run_variable, application.sweep_variable)
        named = [name for name in environ if name.upper() in places]
        later = [name for name in named if name in origins and not origins[name].is_known]
        if run.place and not named and run.run_dir is None and not run.is_open:
            hint = f"write --run-dir, or set {application.run_variable}"
            self._findings.line("acbo-settings freeze", "no run is named", run.place, hint)
        return run if run.run_dir is not None or (named and not later) else _Run()

    def _open_variables(self, place: Place, named: Mapping[str, ShellVariable]) -> dict[str, ShellVariable]:
        """Every setting, where a file that only the job knows may set any."""
        taken = {name.upper() for name in named}
        names = [variable_name(self._schema, path) for path in self._schema.defaults]
        return {name: ShellVariable(unknown("source"), True, place) for name in names if name not in taken}

    def _alone(self, steps: Sequence[Step], walk: ShellWalk) -> Iterator[Part]:
        """What may be given to a step, or may not: each text by itself, or beside all else, if that is certain."""
        yield from _distinct(islice(self._with_each_text(steps, walk), _MAX_PARTS_OF_TEXTS))
        for name, choice in islice(self._possible(steps, walk), _MAX_ALONE):
            if choice.place is None:
                continue
            origin = JobVariable(name, choice.text, choice.place.document, choice.place.position)
            part = Part("", 0, {name: choice.text}, {name: origin}, Unknown(), alone=True)
            if name.upper() == self._schema.application.file_variable and steps:
                yield self._file_alone(part, steps[0], choice.place, walk)
            else:
                yield part

    def _with_each_text(self, steps: Sequence[Step], walk: ShellWalk) -> Iterator[Part]:
        """The steps of which one variable alone is not certain, with each text that it may have: rules apply then."""
        for step in () if walk.opened else _first_few(steps):
            variables = self._environments.given(step).variables
            if self._schema.application.sweep_variable in map(str.upper, variables):
                continue  # what is not certain may follow the number of the task
            uncertain = [name for name, each in variables.items() if each.value and not each.value.is_known]
            for choice in _texts_of(variables[uncertain[0]]) if len(uncertain) == 1 else ():
                known = variables[uncertain[0]]._replace(value=Value(choice.text), place=choice.place)
                files = ScriptFiles(directory_of(step), walk, is_in_container(step))
                part = self._assembled("", 0, {**variables, uncertain[0]: known}, files, walk, _Run())
                yield part._replace(alone=True)

    def _possible(self, steps: Sequence[Step], walk: ShellWalk) -> Iterator[tuple[str, Choice]]:
        """The texts that a step may be given, those that do not reach it, and those of a way that may be taken."""
        found: dict[tuple[str, Choice], None] = {}
        for step in _first_few(steps):
            given = self._environments.given(step)
            uncertain = [item for item in given.variables.items() if item[1].value and not item[1].value.is_known]
            missing = [name for name in given.lost if name in step.environ and name not in given.variables]
            for name, variable in [*((name, step.environ[name]) for name in missing), *uncertain]:
                found |= dict.fromkeys((name, choice) for choice in _texts_of(variable))
        return iter(found | dict.fromkeys(walk.mentioned))

    def _file_alone(self, part: Part, step: Step, place: Place, walk: ShellWalk) -> Part:
        """A configuration file that may be named: whether it can be read, under settings that only the job knows."""
        others = self._open_variables(place, {})
        environ = {name: variable.value.text for name, variable in others.items() if variable.value}
        origins = {name: _origin(name, variable) for name, variable in others.items()}
        files = ScriptFiles(directory_of(step), walk, is_in_container(step))
        return part._replace(
            environ=environ | dict(part.environ), variables=origins | dict(part.variables), surroundings=files
        )


class _Run(NamedTuple):
    """What a command says of its run."""

    run_dir: str | None = None
    on_change: Any = None
    may_change: tuple[str, ...] | None = None
    place: Place | None = None
    is_open: bool = False


def _first_few(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps, as far as they can be judged in reasonable time: a script can have ten thousand of them."""
    names = 0
    for step in steps:
        yield step
        names += len(step.environ) + 100
        if names > _MAX_NAMES:
            return


def _texts_of(variable: ShellVariable) -> Iterator[Choice]:
    """The texts that a variable may have, as far as they are known, each with its place."""
    for choice in variable.value.possible if variable.value else ():
        if choice.text.strip():
            yield choice if choice.place else choice._replace(place=variable.place)


def _origin(name: str, variable: ShellVariable) -> JobVariable:
    """The origin of a variable that the script sets."""
    assert variable.place is not None
    assert variable.value is not None
    value = variable.value
    return JobVariable(name, value.text, variable.place.document, variable.place.position, value.is_known)


def _own_words(step: Step) -> list[str]:
    """What stands behind `acbo-settings` in a step; nothing in any other."""
    words = [word.text for word in step.program.words]
    own = (at for at, word in enumerate(words, 1) if word.endswith(("acbo-settings", "acbo_settings")))
    return words[next(own, len(words)) :]


def _frozen_sweep(step: Step) -> str | None:
    """The directory that `acbo-settings sweep freeze` in a step writes, or an empty text; None for any other step."""
    words = _own_words(step)
    if words[:2] != ["sweep", "freeze"]:
        return None
    named = [
        following if word == "--dir" else word.partition("--dir=")[2] for word, following in pairwise([*words, ""])
    ]
    is_known = all(word.is_known for word in step.program.words)
    return os.path.normpath(next(filter(None, named), ".")) if is_known and any(named) else ""


def _run_of(step: Step) -> _Run:
    """What `acbo-settings freeze` says of its run by its options."""
    words = _own_words(step)
    if words[:1] != ["freeze"]:
        return _Run()
    given: dict[str, list[str]] = {}
    for word, following in pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        given.setdefault(name, []).append(value if equals else following)
    run_dir, on_change = (given.get(name, [None])[-1] for name in ("--run-dir", "--on-change"))
    may_change = tuple(name for text in given.get("--may-change", ()) for name in split_names(text))
    is_known = all(word.is_known for word in step.program.words) and on_change in (None, *ON_CHANGE)
    if not is_known:
        return _Run(place=step.place, is_open=True)
    return _Run(run_dir, on_change, may_change or None, step.place)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MAX_TITLE else f"{text[: _MAX_TITLE - 3]}..."


def _distinct(parts: Iterable[Part]) -> list[Part]:
    """The parts without those that are given the same as another one."""
    found: dict[object, Part] = {}
    for part in parts:
        marks = (
            tuple(sorted(part.environ.items())),
            tuple((name, origin.exact, origin.is_known) for name, origin in sorted(part.variables.items())),
            part.surroundings.directory,
            str(part.surroundings),
            part[5:],
        )
        found.setdefault(marks, part)
    return list(found.values())


def _placed_at(variable: ShellVariable, place: Place) -> ShellVariable:
    """A variable that has a place, if only the job will know what it holds."""
    is_known = variable.value is not None and variable.value.is_known
    return variable if variable.place or is_known else variable._replace(place=place)
