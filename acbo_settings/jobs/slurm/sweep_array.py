"""The tasks of an array that train the points of a sweep: the one by which its steps are judged."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping

from ...engine.canonical import KeyPath
from ...engine.frozen_sweep import MAX_NUMBERS, FrozenSweep, read_sweep
from ...engine.inputs import is_directory
from ...engine.launcher import SLURM_TASK
from ...engine.loading.texts import parse_table, parse_value
from ...engine.names import find_path
from ...engine.origins import Variable
from ...engine.problems import ConfigurationError
from ...engine.runs.marks import has_own_file
from ...engine.schema import Schema
from ...engine.toml_document import Document
from ..shell.state import ShellVariable
from ..shell.values import Value, unknown
from .places import option_place
from .script_files import ScriptFiles
from .submission import Option


class SweepArray:
    """The array of a script, if it is one."""

    def __init__(
        self, schema: Schema, document: Document, option: Option | None, is_here: bool, frozen: Collection[str]
    ) -> None:
        self._schema = schema
        self._document = document
        self._option = option
        self._is_here = is_here
        self._frozen = frozen
        """The sweeps that the script freezes itself, and that are not there yet; an empty text for one of any name."""

    def with_task(self, variables: Mapping[str, ShellVariable], files: ScriptFiles) -> dict[str, ShellVariable]:
        """What a step gets, with the number of the task by which it is judged, where it trains a point of a sweep.

        It is the first one that would be refused, and else the first one. A sweep that the script freezes itself is not
        there yet. Where the script is not submitted from here, its sweep and its array may come from elsewhere.
        """
        variable = self._schema.application.sweep_variable
        name = next((name for name in variables if name.upper() == variable), None)
        value = variables[name].value if name else None
        if name is None or value is None or not value.is_known:
            return dict(variables)
        sweep = files.local_path(value.text)
        number = self._task(sweep, variables)
        is_elsewhere = not self._is_here and (number is None or sweep is None or not is_directory(sweep))
        is_frozen_first = "" in self._frozen or os.path.normpath(value.text) in self._frozen
        if is_elsewhere or is_frozen_first:
            return {**variables, name: variables[name]._replace(value=unknown(value.text))}
        if number is None or self._option is None:
            return dict(variables)
        place = option_place(self._document, self._option)
        return {**variables, SLURM_TASK: ShellVariable(Value(str(number)), True, place)}

    def _task(self, sweep: str | None, variables: Mapping[str, ShellVariable]) -> int | None:
        """The number of one task; None without an array, which an empty text makes none of either."""
        tasks = list(array_tasks(self._option.value)) if self._option else []
        if not tasks:
            return None
        try:
            frozen = read_sweep(self._schema, sweep) if sweep else None
        except ConfigurationError:  # which the step is told of
            frozen = None
        if sweep is None or frozen is None:
            return tasks[0]
        given = dict(self._given(variables))
        return next((task for task in tasks if self._is_refused(task, sweep, frozen, given)), tasks[0])

    def _given(self, variables: Mapping[str, ShellVariable]) -> Iterator[tuple[KeyPath, object]]:
        """The settings that variables give, as far as they are known; those of tables first, over which others win."""
        known = {name: each.value.text for name, each in variables.items() if each.value and each.value.is_known}
        paths = {name: self._schema.current(path) for name in known if (path := find_path(self._schema, name))}
        for name, path in paths.items():
            table = (
                parse_table(self._schema, path, known[name], Variable(name, known[name]))
                if path in self._schema.sections
                else {}
            )
            yield from (((*path, key), value) for key, value in table.items()) if isinstance(table, dict) else ()
        for name, path in paths.items():
            if path in self._schema.defaults:
                yield path, parse_value(known[name], self._schema.setting(path).kind)

    def _is_refused(self, task: int, sweep: str, frozen: FrozenSweep, given: Mapping[KeyPath, object]) -> bool:
        """Whether a task has no point, the point has no file of its own, or a variable has another value."""
        if task >= frozen.head.points or task in frozen.head.retired:
            return True
        point = frozen.points[task]
        if not has_own_file(self._schema, sweep, point):
            return True
        swept = point.swept if given else {}
        return any(path in swept and swept[path] != value for path, value in given.items())


def array_tasks(text: str) -> Iterator[int]:
    """The numbers of `--array=0-9:2,15%4`, as many as a sweep may have.

    >>> list(array_tasks("0-4:2,15%4"))
    [0, 2, 4, 15]
    """
    left = MAX_NUMBERS
    for part in text.partition("%")[0].split(","):
        if found := re.fullmatch(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", part.strip()):
            first, step = int(found[1]), int(found[3] or 1) or 1
            numbers = range(first, int(found[2] or first) + 1, step)[:left]
            left -= len(numbers)
            yield from numbers
