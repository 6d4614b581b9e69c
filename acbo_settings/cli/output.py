"""The commands `show`, `check` and `diff`, and what all commands share: ask the library, print, return the exit code.

Results go to stdout; reports, advice and notes to stderr.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from ..engine.errors import Problem
from ..engine.inputs import FILE_NAME, FROZEN_NAME, process_environment
from ..engine.report import fit
from .checked_file import CheckedFile, check_file, file_in

if TYPE_CHECKING:
    from ..engine.canonical import KeyPath
    from ..engine.differences import Difference
    from ..engine.values import SourcedValue

_FROZEN_NOTE = "note: the ACBO_* variables of this shell take no part in a frozen configuration"

SUCCESS, NOT_VALID, WRONG_USAGE = 0, 1, 2


def note(message: str) -> None:
    """Write one sentence for the person at the terminal to stderr, fitted to it.

    Args:
        message: The line without its end.

    >>> note("")
    """
    print(fit(message, get_terminal_size().columns), file=sys.stderr)


def print_problems(problems: Sequence[Problem]) -> None:
    """Write the report of an invalid configuration to stderr, fitted to the terminal.

    Args:
        problems: Everything that is wrong.

    >>> print_problems([Problem(path=("grpo", "group_sise"), message="no such setting")])
    """
    from ..engine.report import format_report
    from .terminal import Terminal, print_report

    print_report(format_report(problems, Terminal(stderr=True).width))


def print_advice(advice: Sequence[Problem]) -> None:
    """Write advice to stderr, fitted to the terminal.

    Args:
        advice: What is legal but will hardly do what was meant.

    >>> print_advice([])
    """
    if not advice:
        return
    from ..engine.report import format_problem
    from .terminal import Terminal, print_report

    prefix = "advice: "
    width = Terminal(stderr=True).width - len(prefix)
    for problem in advice:
        print_report(prefix + format_problem(problem, width))


def resolve_and_report(path: str | None, environ: Mapping[str, str] | None = None) -> CheckedFile:
    """Check one file, and write its report or its advice to stderr.

    Args:
        path: As for `check_file`, like the other.
        environ: The environment to read.

    Returns:
        What came of it.

    >>> resolve_and_report(None, {}).resolved.config.total_steps
    5000
    """
    checked = check_file(path, environ)
    if checked.problems:
        print_problems(checked.problems)
    print_advice(checked.advice)
    if checked.frozen and environ is None and process_environment():
        note(_FROZEN_NOTE)
    return checked


def show(arguments: Namespace) -> int:
    """Print the resolved configuration as TOML with origins, as JSON, or as lines for a shell.

    Args:
        arguments: `path`, `format` and `changed`.

    Returns:
        The exit code.

    >>> show(Namespace(path=None, format="json", changed=True))
    {}
    0
    """
    resolved = resolve_and_report(arguments.path).resolved
    if resolved is None:
        return NOT_VALID
    from ..engine.canonical import custom_metadata, to_dict
    from ..engine.differences import changed_settings
    from .exports import export_lines, plain_tree

    paths = set(changed_settings(resolved.config)) if arguments.changed else None
    if arguments.format == "json":
        print(json.dumps(plain_tree(resolved.config, paths), indent=2, ensure_ascii=False))
    elif arguments.format == "env":
        for line in export_lines(resolved.config, paths):
            print(line)
        if custom_metadata(resolved.config) != to_dict(resolved.config).get("metadata", {}):
            note("note: dates in the metadata are text in a variable")
    else:
        _show_toml(resolved.config, {**resolved.values, **resolved.custom}, paths)
    return SUCCESS


def _show_toml(config: object, values: Mapping[KeyPath, SourcedValue], paths: set[KeyPath] | None) -> None:
    """TOML whose comments say where values come from: behind them, or above where the line would be too long."""
    from ..engine.canonical import toml_lines
    from ..engine.report import explain_origin
    from .terminal import Terminal

    terminal = Terminal()
    lines = list(toml_lines(config, paths))
    for path, line in lines[1:] if lines and not lines[0][1] else lines:
        sourced = values.get(path) if path else None
        comment = "" if sourced is None or sourced.is_default else f"# {explain_origin(sourced)}"
        if len(line) + len(comment) + 2 > terminal.width:
            terminal.out(fit(comment, terminal.width, "# "), style="dim")
            comment = ""
        terminal.out(line, end="  " if comment else "\n")
        if comment:
            terminal.out(comment, style="dim")


def check(arguments: Namespace) -> int:
    """Print everything that is wrong with one or many files.

    Args:
        arguments: `paths`, `env`, `strict` and `format`.

    Returns:
        The exit code: 1 when anything is wrong, or, if strict, advised.

    >>> check(Namespace(paths=[], env=False, strict=False, format="json"))
    [
      {
        "file": null,
        "valid": true,
        "problems": []
      }
    ]
    0
    """
    environ: dict[str, str] | None = None if arguments.env else {}
    files = [check_file(path, environ) for path in arguments.paths or [None]]
    broken = [file for file in files if file.problems or (arguments.strict and file.advice)]
    if arguments.format == "json":
        _print_json(files)
    elif arguments.format == "github":
        _print_annotations(files)
    else:
        _print_checked(files, broken, arguments.env and bool(process_environment()))
    return NOT_VALID if broken else SUCCESS


def _print_checked(files: Sequence[CheckedFile], broken: Sequence[CheckedFile], has_variables: bool) -> None:
    """Reports and advice; what several files share, such as a wrong variable, is told once."""
    told: list[Problem] = []
    for file in files:
        if len(files) > 1:
            print(f"{file.path}: {'not valid' if file in broken else 'ok'}", flush=True)
        if problems := [problem for problem in file.problems if problem not in told]:
            print_problems(problems)
        if len(problems) < len(file.problems):
            note(f"  {len(file.problems) - len(problems)} more, as above")
        print_advice([problem for problem in file.advice if problem not in told])
        told += [*file.problems, *file.advice]
        if file.resolved and file.path is None:
            note("note: no acbo.toml in the working directory: defaults and variables alone")
    if has_variables and any(file.frozen for file in files):
        note(_FROZEN_NOTE)
    if broken and not any(file.problems for file in broken):
        note("not valid: under --strict, advice is an error")
    if len(files) > 1:
        note(f"{len(files):,} files checked, {len(broken):,} not valid")
    elif not broken:
        print("ok")


def _print_json(files: Sequence[CheckedFile]) -> None:
    from .exports import problem_facts

    facts = [
        {
            "file": file.path,
            "valid": not file.problems,
            "problems": [
                *(problem_facts(problem, "error") for problem in file.problems),
                *(problem_facts(problem, "advice") for problem in file.advice),
            ],
        }
        for file in files
    ]
    print(json.dumps(facts, indent=2))


def _print_annotations(files: Sequence[CheckedFile]) -> None:
    from .exports import github_annotation

    for file in files:
        for problem in file.problems:
            print(github_annotation(problem, "error"))
        for problem in file.advice:
            print(github_annotation(problem, "advice"))


def diff(arguments: Namespace) -> int:
    """Print the settings in which two configurations differ.

    Args:
        arguments: `first` and `second`: files, directories, or `defaults`.

    Returns:
        The exit code: 0 when they are the same, 1 when they differ, 2 when one is not valid.

    >>> diff(Namespace(first="defaults", second="defaults"))
    0
    """
    from ..engine.differences import find_differences
    from ..engine.loading.layers import default_layer

    sides, names = [], []
    for name in (arguments.first, arguments.second):
        if name == "defaults":
            sides.append(default_layer())
            names.append(name)
            continue
        checked = resolve_and_report(file_in(name, (FROZEN_NAME, FILE_NAME)), {})
        if checked.resolved is None:
            return WRONG_USAGE
        sides.append(dict(checked.resolved.values))
        names.append(checked.path or name)
    if process_environment():
        note("note: the ACBO_* variables of this shell take no part: files are compared as they are")
    if not (differences := find_differences(*sides)):
        return SUCCESS
    _print_differences(names, differences)
    return NOT_VALID


def _print_differences(names: Sequence[str], differences: Sequence[Difference]) -> None:
    """What is compared, as `diff -u` tells it, and both values of each setting with their lines."""
    from ..engine.report import escape, show_value
    from .terminal import Terminal

    terminal = Terminal()
    for sign, name in zip(("---", "+++"), names, strict=True):
        terminal.out(f"{sign} {escape(name, 1000)}")
    cells = [
        [".".join(path), show_value(first.value), _line_of(first), show_value(second.value), _line_of(second)]
        for path, first, second in differences
    ]
    terminal.table(["SETTING", "---", "FROM", "+++", "FROM"], cells)


def _line_of(sourced: SourcedValue) -> str:
    from ..engine.values import File

    origin = sourced.origin
    return f"line {origin.position.line}" if isinstance(origin, File) and origin.position else str(origin)
