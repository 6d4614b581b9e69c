"""What is wrong with the manifests themselves: one problem for each place, however many containers come by there."""

from __future__ import annotations

from typing import Literal

from ..engine.origins import File, JobVariable
from ..engine.problems import Problem, whole_problem
from ..engine.toml_document import Document, Position
from ..engine.values import SourcedValue

Severity = Literal["error", "advice"]


class Findings:
    """The problems of all files of one call, each told once."""

    def __init__(self) -> None:
        self._found: dict[int, dict[tuple[int, int, str], Problem]] = {}

    def tell(
        self,
        document: Document,
        position: Position,
        message: str,
        hint: str = "",
        severity: Severity = "error",
    ) -> None:
        """Tell of a place in a file."""
        problem = whole_problem(File(document, exact=position), None, message, hint)
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
        self._add(variable.source, variable.exact or Position(1, 1, 1), problem)

    def _add(self, document: Document, position: Position, problem: Problem) -> None:
        found = self._found.setdefault(id(document), {})
        found.setdefault((position.line, position.value_column, problem.message), problem)

    def of(self, document: Document) -> tuple[Problem, ...]:
        """Those of one file, from its first line to its last."""
        found = self._found.get(id(document), {})
        return tuple(found[place] for place in sorted(found))
