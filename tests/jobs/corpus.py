"""The corpus of job files: what is to be said of each, by its line and in words, written without a look at the code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from acbo_settings.cli.checked_file import CheckedFile
from acbo_settings.engine.problems import Problem
from acbo_settings.engine.report import format_problem, format_report, subject_of

HERE = Path(__file__).parent
SCRIPTS, MANIFESTS = HERE / "scripts", HERE / "manifests"


class Case(NamedTuple):
    """A job file, and what is to be found in it."""

    name: str
    finds: tuple[Mapping[str, Any], ...]
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        return self.name


def read_cases(folder: Path) -> list[Case]:
    """The cases of a folder."""
    tables = tomllib.loads((folder / "cases.toml").read_text(encoding="utf-8"))
    return [Case(name, tuple(table["finds"]), table) for name, table in tables.items()]


def write_files(files: Mapping[str, str]) -> None:
    """Write files below the working directory."""
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def find_mismatches(case: Case, file: str, checked: list[CheckedFile]) -> list[str]:
    """What was found and is not to be, and what is to be found and was not; each in a sentence."""
    problems = [problem for each in checked for problem in (*each.problems, *each.advice)]
    told = []
    for find in case.finds:
        match = next((problem for problem in problems if _fits(problem, find, file)), None)
        if match is None:
            told.append(f"not found: {dict(find)}")
        else:
            problems.remove(match)
    return told + [f"found: {_shown(problem)}" for problem in problems]


def report_of(checked: list[CheckedFile]) -> str:
    """All that is said, as it is printed."""
    problems = [problem for each in checked for problem in each.problems]
    advice = [problem for each in checked for problem in each.advice]
    report = [format_report(problems, 80)] if problems else []
    return "\n".join([*report, *(f"advice: {format_problem(problem, 72)}" for problem in advice)])


def _fits(problem: Problem, find: Mapping[str, Any], file: str) -> bool:
    text = f"{subject_of(problem)} {problem.message} {problem.hint}"
    lines = set(_lines(problem, find.get("file", file)))
    is_there = find["line"] in lines if find["line"] else not lines
    return is_there and problem.severity == find["severity"] and find["says"] in text


def _lines(problem: Problem, file: str) -> Iterator[int]:
    for _, sourced in problem.values:
        facts = sourced.origin.facts(problem.at_key)
        if facts.get("line") and facts.get("file", facts.get("name")) == file:
            yield facts["line"]


def _shown(problem: Problem) -> str:
    places = ", ".join(str(sourced.origin) for _, sourced in problem.values)
    return f"{problem.severity} {subject_of(problem)}: {problem.message}; {problem.hint} ({places})"
