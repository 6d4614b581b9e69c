"""The command `check`: everything that is wrong with one or many files, for people and for machines."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from ..engine.printable import escape, show_value
from ..engine.problems import Problem, ProblemSet
from ..engine.report import subject_of
from .checked_file import FROZEN_NOTE, CheckedFile, check_file, has_variables
from .checked_job import check_files, is_unknown
from .output import NOT_VALID, SUCCESS, json_result, line, note, print_advice, print_problems, result


def run(arguments: Namespace) -> int:
    """Check `paths` with or without `env` in a `format`; under `strict` advice fails too."""
    environ: dict[str, str] | None = None if arguments.env else {}
    paths = [path for path in arguments.paths if not (arguments.ignore_unknown and is_unknown(path))]
    if arguments.paths and not paths:
        return SUCCESS
    files = check_files(arguments.schema, paths, arguments.sbatch, environ, arguments.settings)
    files = files or [check_file(arguments.schema, None, environ, arguments.settings, needs_file=True)]
    broken = [file for file in files if file.problems or (arguments.strict and file.advice)]
    if arguments.format == "json":
        json_result([_file_facts(file) for file in files])
    elif arguments.format == "github":
        for problem in (problem for file in files for problem in (*file.problems, *file.advice)):
            result(github_annotation(problem))
    else:
        _print_checked(files, broken, arguments.env and has_variables())
    return NOT_VALID if broken else SUCCESS


def _print_checked(files: Sequence[CheckedFile], broken: Sequence[CheckedFile], has_variables: bool) -> None:
    """Reports and advice; what several files share, such as a wrong variable, is told once."""
    told = ProblemSet()
    for file in files:
        if len(files) > 1:
            line(f"{file.path}: {'not valid' if file in broken else 'ok'}")
        if problems := [problem for problem in file.problems if problem not in told]:
            print_problems(problems)
        if len(problems) < len(file.problems):
            note(f"  {len(file.problems) - len(problems)} more, as above")
        print_advice([problem for problem in file.advice if problem not in told], is_asked_for=True)
        told.add([*file.problems, *file.advice])
    if has_variables and any(file.frozen for file in files):
        note(FROZEN_NOTE)
    if broken and not any(file.problems for file in broken):
        note("not valid: under --strict, advice is an error")
    if len(files) > 1:
        note(f"{len(files):,} files checked, {len(broken):,} not valid")
    elif not broken:
        result("ok")


def _file_facts(file: CheckedFile) -> dict[str, Any]:
    problems = [problem_facts(problem) for problem in (*file.problems, *file.advice)]
    return {"file": file.path, "valid": not file.problems, "problems": problems}


def problem_facts(problem: Problem) -> dict[str, Any]:
    """One problem as plain data for JSON; a value is shown as a report shows it, because it can be anything."""
    return {
        "severity": problem.severity,
        "key": subject_of(problem),
        "message": problem.message,
        "hint": problem.hint,
        "scope": problem.scope,
        "sources": [
            sourced.origin.facts(problem.at_key) | {"key": ".".join(path), "value": show_value(sourced.value)}
            for path, sourced in problem.values
        ],
    }


def github_annotation(problem: Problem) -> str:
    """One problem as the workflow command that GitHub shows beside the line; advice is a warning."""
    facts = [sourced.origin.facts(problem.at_key) for _, sourced in problem.values]
    properties: dict[str, object] = {}
    for place in (place for place in facts if "line" in place):
        properties = {"file": place.get("file", place["name"]), "line": place["line"], "col": place["column"]}
        break
    properties["title"] = subject_of(problem)
    listed = ",".join(f"{name}={_escape_property(text)}" for name, text in properties.items() if text is not None)
    # Variables, arguments and the like, which an annotation has no place for.
    others = [place["name"] for place in facts if "line" not in place and place["kind"] != "default"]
    source = f"from {', '.join(others)}" if others and others != [subject_of(problem)] else ""
    scope = f"in {problem.scope}" if problem.scope else ""
    message = "; ".join(filter(None, (problem.message, problem.hint, source, scope)))
    command = "error" if problem.severity == "error" else "warning"
    return f"::{command} {listed}::{escape(message, 1000).replace('%', '%25')}"


def _escape_property(text: object) -> str:
    return escape(str(text), 1000).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
