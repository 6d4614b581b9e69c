"""The files of a job on the command line: each part of it judged as a start, and what is wrong told once."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..engine.canonical import KeyPath
from ..engine.inputs import exists, is_directory, read_raw_file, read_start, where_looked
from ..engine.loading.file import decode_file
from ..engine.loading.resolved import ResolvedConfig
from ..engine.printable import LATER
from ..engine.problems import ConfigurationError, Problem, SharedProblems, place_marks, shared_marks
from ..engine.schema import Schema
from ..engine.toml_document import Document
from ..engine.values import SourcedValue
from ..jobs.job_file import SCRIPT, find_kind, read_jobs
from ..jobs.part import Job, Part
from ..jobs.slurm.submission import UsageError, parse_options
from .checked_file import DEFAULTS, FROZEN_NOTE, CheckedFile, check_file, check_start, has_variables, print_findings
from .output import note

NO_SCRIPT = "behind -- stand the options of sbatch, and this is no batch script"
"""What is said where there is nothing that sbatch would take."""


def read_job_file(path: str) -> Document | None:
    """A file of a job, told by its content; None for any other."""
    if path == DEFAULTS:
        return None
    file = read_raw_file(path)
    text = file.content.decode(errors="replace")
    kind = None if file.error else find_kind(text)
    if kind == SCRIPT:
        return Document(path, text)  # bash takes any bytes, in comments for example
    try:
        return Document(path, decode_file(file).text) if kind else None
    except ConfigurationError:
        return None


def is_unknown(path: str) -> bool:
    """Whether a file is neither TOML, by its name, nor a file of a job, by its content."""
    return not path.endswith(".toml") and not is_directory(path) and read_job_file(path) is None


def check_jobs(
    schema: Schema,
    documents: Sequence[Document],
    arguments: Sequence[str] = (),
    shell: Mapping[str, str] | None = None,
    settings: Sequence[str] = (),
) -> Iterator[CheckedFile]:
    """Judge the parts of each job; `shell` is the environment of the shell that submits, None where it is not known."""
    parse_options(arguments)
    jobs = read_jobs(schema, documents, arguments, shell)
    return (_check(schema, document, job, settings) for document, job in zip(documents, jobs, strict=True))


def _shell_environment() -> dict[str, str]:
    found = {name: os.environb.get(name) for name in list(os.environb)}
    return {_text(name): _text(value) for name, value in found.items() if value is not None}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _check(schema: Schema, document: Document, job: Job, settings: Sequence[str]) -> CheckedFile:
    checked = [(part, _check_part(schema, part, settings)) for part in job.parts]
    parts = tuple((part, each) for part, each in checked if not part.alone)
    found = _Told(len(parts))
    found.add(job.problems)
    for part, each in checked:
        if part.alone:
            found.add_alone(each.problems)
        else:
            found.add([*each.problems, *each.advice], part.title)
    problems = sorted(found.problems(), key=lambda problem: _line_of(document, problem))
    errors = tuple(problem for problem in problems if problem.severity == "error")
    advice = tuple(problem for problem in problems if problem.severity == "advice")
    return CheckedFile((document.name,), None, None, errors, parts=parts, job_advice=advice)


def _check_part(schema: Schema, part: Part, settings: Sequence[str]) -> CheckedFile:
    try:
        start = read_start(
            schema,
            overrides=[f"--set {text}" for text in settings] or None,
            environ=part.environ,
            run_dir=part.run_dir,
            on_change=part.on_change,
            may_change=part.may_change,
            variables=part.variables,
            surroundings=part.surroundings,
        )
    except ConfigurationError as error:
        return CheckedFile((), None, None, error.problems)
    checked = check_start(start)
    return checked._replace(files=tuple(file.name for file in start.inputs.files))


class _Told(SharedProblems[str]):
    """What is wrong with the parts of a job: what several have in common once, with its part where not all have it."""

    def __init__(self, parts: int) -> None:
        super().__init__()
        self._parts = parts
        self._judged: set[object] = set()

    def add(self, problems: Iterable[Problem], scope: str | None = None) -> None:
        """Add the problems of one part, or of the whole file."""
        added = list(problems)
        self._judged |= {place_marks(problem) for problem in added}
        super().add(added, scope)

    def add_alone(self, problems: Iterable[Problem]) -> None:
        """Add what is wrong with a text that some part may be given: of several at one place, the first."""
        for problem in problems:
            if place_marks(problem) not in self._judged:
                self.add([problem])

    def problems(self) -> list[Problem]:
        """All of them."""
        return [problem.replace(scope=self._scope(scopes)) for problem, scopes in self.told()]

    def _scope(self, scopes: Sequence[str]) -> str:
        if not scopes or len(scopes) >= self._parts:
            return ""
        return scopes[0] if len(scopes) == 1 else f"{scopes[0]}, and {len(scopes) - 1} more"


def _line_of(document: Document, problem: Problem) -> int:
    """The first line of the file that a problem is about; 0 where it is about none."""
    lines = [
        sourced.origin.position.line
        for _, sourced in problem.values
        if sourced.origin.position and str(sourced.origin).startswith(f"{document.name}:")
    ]
    return min(lines, default=0)


def _no_script(paths: Sequence[str]) -> UsageError:
    """Why options of sbatch mean nothing: a file is not there, or none is a batch script."""
    missing = next((path for path in paths if path != DEFAULTS and not exists(path)), None)
    if missing is None:
        return UsageError(NO_SCRIPT)
    hint = where_looked(missing)
    return UsageError(f"{missing}: no such file{f'; {hint}' if hint else ''}")


def check_files(
    schema: Schema,
    paths: Sequence[str],
    arguments: Sequence[str],
    environ: Mapping[str, str] | None,
    settings: Sequence[str],
) -> list[CheckedFile]:
    """Judge configuration files and files of jobs, in their order; UsageError for what sbatch would not take."""
    found = {path: read_job_file(path) for path in paths}
    documents = {path: document for path, document in found.items() if document is not None}
    if arguments and not any(find_kind(document.text) == SCRIPT for document in documents.values()):
        raise _no_script(paths)
    shell = _shell_environment() if environ is None else None
    jobs = check_jobs(schema, list(documents.values()), arguments, shell, settings)
    checked = (next(jobs) if path in documents else check_file(schema, path, environ, settings) for path in found)
    if len(found) > 1:
        from .terminal import with_progress  # which brings rich, and one file needs no bar

        by_path = dict(zip(found, with_progress(checked, len(found)), strict=True))
    else:
        by_path = dict(zip(found, checked, strict=True))
    _move_home(by_path, documents)
    return [by_path[path] for path in paths]


def _move_home(checked: dict[str, CheckedFile], documents: Mapping[str, Document]) -> None:
    """Move what is wrong with one file, but was found by way of another one, to the file that it stands in."""
    for path in documents:
        problems = checked[path].problems
        checked[path] = checked[path]._replace(problems=())
        for problem in problems:
            home = _home_of(problem)
            home = home if home in documents else path
            known = checked[home].problems
            if shared_marks(problem) not in map(shared_marks, known):
                checked[home] = checked[home]._replace(problems=(*known, problem))


def _home_of(problem: Problem) -> str:
    """The file of a job that a problem stands in, by the first of its places."""
    places = (sourced.origin.facts(problem.at_key) for _, sourced in problem.values)
    return next((str(place.get("file", place["name"])) for place in places if place.get("line")), "")


MAX_NOTES = 3
"""Settings known only in the job that are named one by one."""


class Configuration(NamedTuple):
    """A configuration that a command shows: that of a file, or of parts of a job, which `title` then names.

    `path` is the file that was read, as it was named or found, if there was one.
    """

    title: str
    resolved: ResolvedConfig[Any]
    path: str | None

    @property
    def later(self) -> dict[KeyPath, SourcedValue]:
        """The settings that only the job will know; the configuration has their defaults."""
        return {path: sourced for path, sourced in self.resolved.values.items() if sourced.value is LATER}


def resolve_and_report(arguments: Namespace, path: str | None) -> list[Configuration]:
    """The configuration of one file, of the run in a directory, or of the parts of a job, as far as they differ.

    What is wrong or advised is written to stderr; where anything is wrong, there is none.
    """
    checked = check_one(arguments, path)
    print_findings(checked)
    if checked.frozen and has_variables():
        note(FROZEN_NOTE)
    return [] if checked.problems else configurations_of(checked)


def check_one(arguments: Namespace, path: str | None) -> CheckedFile:
    """Judge what a command is asked about: a file, the run in a directory, a job, or what a job would find here."""
    schema, settings = arguments.schema, arguments.settings
    document = None if path is None else read_job_file(path)
    if arguments.sbatch and (document is None or find_kind(document.text) != SCRIPT):
        raise _no_script([path] if path else [])
    if document is None:
        return check_file(schema, path, None, settings, prefers_frozen=True)
    (checked,) = check_jobs(schema, [document], arguments.sbatch, _shell_environment(), settings)
    return checked


def configurations_of(checked: CheckedFile) -> list[Configuration]:
    """The configurations of a file that is valid: one, or those in which the parts of a job differ."""
    if checked.resolved:
        return [Configuration("", checked.resolved, checked.path)]
    found: list[Configuration] = []
    for part, each in checked.parts:
        if each.resolved and not any(_is_same(each.resolved, other.resolved) for other in found):
            found.append(Configuration(f"{checked.path}, {part.title}", each.resolved, each.path))
    return found


def _is_same(first: ResolvedConfig[Any], second: ResolvedConfig[Any]) -> bool:
    return first.values == second.values and first.custom == second.custom
