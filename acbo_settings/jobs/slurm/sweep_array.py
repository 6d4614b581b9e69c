"""The tasks of an array that train the points of a sweep: the one by which its steps are judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...engine.frozen_sweep import read_head
from ...engine.inputs import is_directory
from ...engine.launcher import INDICES
from ...engine.problems import ConfigurationError
from ...engine.schema import Schema
from ...engine.toml_document import Document
from ..shell.state import ShellVariable
from ..shell.values import Value, unknown
from .places import option_place
from .script_files import ScriptFiles
from .submission import Option

_TASK = INDICES[0]
_MOST = 200_000


class SweepArray:
    """The array of a script, if it is one."""

    def __init__(self, schema: Schema, document: Document, option: Option | None, is_here: bool) -> None:
        self._schema = schema
        self._document = document
        self._option = option
        self._is_here = is_here

    def with_task(self, variables: Mapping[str, ShellVariable], files: ScriptFiles) -> dict[str, ShellVariable]:
        """What a step gets, with the number of its task where it trains a point of a sweep.

        It is the first number that no point has, and else the first one. A sweep that the script freezes itself is not
        there yet. Where the script is not submitted from here, its sweep and its array may come from elsewhere.
        """
        variable = self._schema.application.sweep_variable
        name = next((name for name in variables if name.upper() == variable), None)
        value = variables[name].value if name else None
        if name is None or value is None or not value.is_known:
            return dict(variables)
        sweep = files.local_path(value.text)
        number = self._task(sweep)
        is_elsewhere = not self._is_here and (number is None or sweep is None or not is_directory(sweep))
        if is_elsewhere or "sweep freeze" in self._document.text:
            return {**variables, name: variables[name]._replace(value=unknown(value.text))}
        if number is None or self._option is None:
            return dict(variables)
        place = option_place(self._document, self._option)
        return {**variables, _TASK: ShellVariable(Value(str(number)), True, place)}

    def _task(self, sweep: str | None) -> int | None:
        """The number of one task; None without an array, which an empty text makes none of either."""
        tasks = array_tasks(self._option.value) if self._option else iter(())
        first = next(tasks, None)
        if first is None:
            return None
        try:
            head = read_head(self._schema, sweep) if sweep else None
        except ConfigurationError:  # which the step is told of
            head = None
        if head is None:
            return first
        numbers = (first, *tasks)
        return next((number for number in numbers if number >= head.points or number in head.retired), first)


def array_tasks(text: str) -> Iterator[int]:
    """The numbers of `--array=0-9:2,15%4`, as many as any array may have.

    >>> list(array_tasks("0-4:2,15%4"))
    [0, 2, 4, 15]
    """
    left = _MOST
    for part in text.partition("%")[0].split(","):
        if found := re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", part.strip()):
            first, step = int(found[1]), int(found[3] or 1) or 1
            numbers = range(first, int(found[2] or first) + 1, step)[:left]
            left -= len(numbers)
            yield from numbers
