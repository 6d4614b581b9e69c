"""A program that a script starts, and what it would get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .programs import Program, Role
from .state import ShellVariable
from .values import Place, Value


class Step(NamedTuple):
    """A program that the script starts: the variables that it would get, its directory, and what stands there."""

    program: Program
    words: tuple[Value, ...]
    place: Place
    places: tuple[Place, ...]
    role: Role
    environ: Mapping[str, ShellVariable]
    export_list: ShellVariable | None
    directory: ShellVariable
