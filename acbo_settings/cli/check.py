"""The command `check`: everything that is wrong with one or many files, for people and for machines."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ..engine.problems import ProblemSet
from .checked_file import FROZEN_NOTE, CheckedFile, check_file, has_variables
from .checked_job import check_files, is_unknown
from .output import NOT_VALID, SUCCESS, line, note, print_advice, print_problems, result
from .problem_facts import print_facts


def run(arguments: Namespace) -> int:
    """Check `paths` with or without `env` in a `format`; under `strict` advice fails too."""
    environ: dict[str, str] | None = None if arguments.env else {}
    paths = [path for path in arguments.paths if not (arguments.ignore_unknown and is_unknown(path))]
    if arguments.paths and not paths:
        return SUCCESS
    files = check_files(arguments.schema, paths, arguments.sbatch, environ, arguments.settings)
    files = files or [check_file(arguments.schema, None, environ, arguments.settings, needs_file=True)]
    broken = [file for file in files if file.problems or (arguments.strict and file.advice)]
    if arguments.format != "text":
        print_facts(
            arguments.format, [(file.path, not file.problems, (*file.problems, *file.advice)) for file in files]
        )
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
