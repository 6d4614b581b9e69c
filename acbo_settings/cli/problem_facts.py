"""Problems for machines: as plain data for JSON, and as the annotations of GitHub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..engine.printable import escape, show_value
from ..engine.problems import Problem
from ..engine.report import subject_of
from .output import json_result, result


def print_facts(language: str, files: Iterable[tuple[str | None, bool, Sequence[Problem]]]) -> None:
    """Print what is wrong with files, or advised, for machines; a file is its path, whether it is valid, and that."""
    if language == "json":
        json_result(
            [
                {"file": path, "valid": is_valid, "problems": [problem_facts(problem) for problem in problems]}
                for path, is_valid, problems in files
            ]
        )
        return
    for _, _, problems in files:
        for problem in problems:
            result(github_annotation(problem))


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
