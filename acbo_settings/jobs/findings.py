"""What is wrong with the files of jobs themselves: one problem for each place, however many parts come by there."""

from __future__ import annotations

from typing import Literal

from ..engine.origins import JobLine, JobVariable
from ..engine.problems import Problem, whole_problem
from ..engine.toml_document import Document, Position
from ..engine.values import SourcedValue

Severity = Literal["error", "advice"]


class Findings:
    """The problems of all files of one call, each told once."""

    def __init__(self) -> None:
        self._found: dict[str, dict[tuple[int, int, str], Problem]] = {}

    def tell(
        self,
        document: Document,
        position: Position | None,
        message: str,
        hint: str = "",
        severity: Severity = "error",
        subject: str = "",
    ) -> None:
        """Tell of a place in a file; without a subject it is the file that the sentence is about."""
        problem = whole_problem(JobLine(document, exact=position), None, message, hint)
        if subject:
            problem = problem.replace(path=(subject,), at_key=True)
        self._add(document, position, problem.replace(severity=severity))

    def tell_of(
        self,
        variable: JobVariable,
        message: str,
        hint: str = "",
        severity: Severity = "error",
        at_key: bool = False,
    ) -> None:
        """Tell of a variable."""
        path = (variable.name,)
        values = ((path, SourcedValue(variable.text, variable)),)
        problem = Problem(path=path, message=message, values=values, hint=hint, at_key=at_key, severity=severity)
        self._add(variable.source, variable.exact, problem)

    def _add(self, document: Document, position: Position | None, problem: Problem) -> None:
        line, column = (position.line, position.value_column) if position else (0, 0)
        self._found.setdefault(document.name, {}).setdefault((line, column, problem.message), problem)

    def of(self, document: Document) -> tuple[Problem, ...]:
        """Those of one file, from its first line to its last."""
        found = self._found.get(document.name, {})
        return tuple(found[place] for place in sorted(found))

    def all(self) -> tuple[Problem, ...]:
        """Those of all files."""
        return tuple(found[place] for found in self._found.values() for place in sorted(found))
