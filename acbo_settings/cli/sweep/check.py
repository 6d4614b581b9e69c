"""The command `sweep check`: every point of a sweep resolved and judged, in one report."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ...engine.loading.sweep import JudgedSweep
from ...engine.printable import counted
from ...engine.problems import ConfigurationError, Problem
from ..output import NOT_VALID, SUCCESS, note, print_advice, print_problems, result
from ..problem_facts import print_facts
from ..terminal import go_through
from .sweep_file import read_sweep_file


def run(arguments: Namespace) -> int:
    """Judge the points of `path` in a `format`; under `strict` advice fails too."""
    try:
        file = read_sweep_file(arguments)
        judged = JudgedSweep(file.layers, file.points, file.name)
        if not file.errors:
            go_through(judged.judge(), len(file.points))
        problems = [*file.problems, *judged.problems]
    except ConfigurationError as error:
        return _report(arguments, error.problems, "")
    return _report(arguments, problems, "" if file.errors else _counted(judged))


def _counted(judged: JudgedSweep) -> str:
    """How many points there are, and how many of them are not valid."""
    points, broken = counted(judged.count, "point"), judged.count - judged.valid
    return f"{points}, {broken:,} not valid" if broken else points


def _report(arguments: Namespace, problems: Sequence[Problem], counted: str) -> int:
    """Tell what is wrong and advised, and how many points there are."""
    errors = [problem for problem in problems if problem.severity == "error"]
    advice = [problem for problem in problems if problem.severity == "advice"]
    is_broken = bool(errors or (arguments.strict and advice))
    if arguments.format != "text":
        print_facts(arguments.format, [(arguments.path, not errors, problems)])
        return NOT_VALID if is_broken else SUCCESS
    if errors:
        print_problems(errors)
    print_advice(advice, is_asked_for=True)
    if is_broken and not errors:
        note("not valid: under --strict, advice is an error")
    if counted:
        note(counted)
    if not is_broken:
        result("ok")
    return NOT_VALID if is_broken else SUCCESS
