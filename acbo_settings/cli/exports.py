"""A configuration, and its problems, in the forms that shells and machines take."""

from __future__ import annotations

import json
import shlex
from collections.abc import Container
from typing import Any

from ..config import TrainingConfig
from ..engine.canonical import KeyPath, flatten, nested, to_dict
from ..engine.errors import Problem
from ..engine.loading.environment import variable_name
from ..engine.report import escape, show_value, subject_of
from ..engine.values import Argument, File, SourcedValue, Variable


def plain_tree(config: TrainingConfig, paths: Container[KeyPath] | None = None) -> dict[str, Any]:
    """A configuration as plain data for JSON, whole or in part.

    Args:
        config: The configuration.
        paths: The settings to keep; without it all. Custom metadata is always kept.

    Returns:
        A new dict of dicts, without empty tables.

    >>> plain_tree(TrainingConfig(total_steps=7000), {("total_steps",)})
    {'total_steps': 7000}
    """
    tree = nested({path: value for path, value in flatten(config).items() if paths is None or path in paths})
    custom = to_dict(config).get("metadata")
    return {**tree, "metadata": custom} if custom else tree


def export_lines(config: TrainingConfig, paths: Container[KeyPath] | None = None) -> list[str]:
    """A configuration as lines for a POSIX shell that set the variables which reproduce it.

    Args:
        config: The configuration.
        paths: The settings to export; without it all. Custom metadata is always exported, as one table in JSON, in
            which dates are text.

    Returns:
        One `export` a line, quoted where the shell needs it.

    >>> export_lines(TrainingConfig(total_steps=7000), {("total_steps",)})
    ['export ACBO_TOTAL_STEPS=7000']
    """
    settings = {path: value for path, value in flatten(config).items() if paths is None or path in paths}
    texts = {path: str(value).lower() if isinstance(value, bool) else str(value) for path, value in settings.items()}
    if custom := to_dict(config).get("metadata"):
        texts["metadata",] = json.dumps(custom)
    return [f"export {variable_name(path)}={shlex.quote(text)}" for path, text in texts.items()]


def problem_facts(problem: Problem, severity: str) -> dict[str, Any]:
    """One problem, or one piece of advice, as plain data for JSON.

    Args:
        problem: The facts.
        severity: `error` or `advice`.

    Returns:
        `severity`, `key`, `message`, `hint`, and for each value concerned a `source` with what it is called.

    >>> facts = problem_facts(Problem(path=("grpo", "group_sise"), message="no such setting"), "error")
    >>> facts["key"], facts["sources"]
    ('grpo.group_sise', [])
    """
    return {
        "severity": severity,
        "key": subject_of(problem),
        "message": problem.message,
        "hint": problem.hint,
        "sources": [_source_facts(path, sourced, problem.at_key) for path, sourced in problem.values],
    }


def _source_facts(path: KeyPath, sourced: SourcedValue, at_key: bool) -> dict[str, Any]:
    """Where one value came from; a value is shown as a report shows it, because it can be anything."""
    facts: dict[str, Any] = {"key": ".".join(path), "value": show_value(sourced.value)}
    origin = sourced.origin
    if isinstance(origin, Variable):
        return {"kind": "variable", "name": origin.name} | facts
    if isinstance(origin, File):
        line, column = _line_and_column(origin, at_key)
        return {"kind": "file", "name": origin.source.name, "line": line, "column": column} | facts
    if isinstance(origin, Argument):
        return {"kind": "argument", "name": origin.name} | facts
    return {"kind": "default"} | facts


def _line_and_column(origin: File, at_key: bool) -> tuple[int | None, int | None]:
    if origin.position is None:
        return None, None
    line, key_column, value_column = origin.position
    return line, key_column if at_key else value_column


def github_annotation(problem: Problem, severity: str) -> str:
    """One problem, or one piece of advice, as the workflow command that GitHub shows beside the line.

    Args:
        problem: The facts.
        severity: `error` or `advice`, which becomes a warning.

    Returns:
        One line.

    >>> github_annotation(Problem(path=("grpo", "group_sise"), message="no such setting"), "error")
    '::error title=grpo.group_sise::no such setting'
    """
    properties: dict[str, object] = {}
    for origin in (sourced.origin for _, sourced in problem.values):
        if isinstance(origin, File):
            line, column = _line_and_column(origin, problem.at_key)
            properties = {"file": origin.source.name, "line": line, "col": column}
            break
    properties["title"] = subject_of(problem)
    listed = ",".join(f"{name}={_escape_property(text)}" for name, text in properties.items() if text is not None)
    message = "; ".join(filter(None, (problem.message, problem.hint, _other_sources(problem))))
    command = "error" if severity == "error" else "warning"
    return f"::{command} {listed}::{escape(message, 1000).replace('%', '%25')}"


def _other_sources(problem: Problem) -> str:
    """The variables and arguments among the origins, which an annotation has no place for."""
    origins = [sourced.origin for _, sourced in problem.values]
    names = [str(origin) for origin in origins if isinstance(origin, Variable | Argument)]
    return f"from {', '.join(names)}" if names and names != [subject_of(problem)] else ""


def _escape_property(text: object) -> str:
    return escape(str(text), 1000).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
