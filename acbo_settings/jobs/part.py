"""What one part of a job is given, such as a step of a batch script or a container: variables, files, its run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..engine.inputs import RawFile, unknown_file
from ..engine.origins import JobVariable, Origin
from ..engine.problems import Problem

if TYPE_CHECKING:
    from ..engine.inputs import OnChange, Surroundings


class Part(NamedTuple):
    """What one part of a job is given.

    `environ` has the variables as the part gets them, `variables` where those are set that the file sets itself.
    `run_dir` and the like are what the part says of its run beside variables. Of what is judged `alone`, because it is
    not certain which part gets it, only what is wrong by itself is told.
    """

    title: str
    line: int
    environ: Mapping[str, str]
    variables: Mapping[str, JobVariable]
    surroundings: Surroundings
    run_dir: str | None = None
    on_change: OnChange | None = None
    may_change: tuple[str, ...] | None = None
    alone: bool = False


class Job(NamedTuple):
    """A file of a job: its parts in its order, and what is wrong with the file itself."""

    parts: tuple[Part, ...]
    problems: tuple[Problem, ...] = ()


class Unknown:
    """The surroundings of which nothing is known."""

    directory: str | None = None
    chosen_at: Origin | None = None

    def read(self, name: str, named_by: str = "", inside: str = "") -> RawFile:
        """A file that only the job will know."""
        return unknown_file(name, named_by)

    def read_if_there(self, name: str) -> RawFile | None:
        """The same: it may be there."""
        return unknown_file(name)

    def local_path(self, name: str) -> str | None:
        """Nothing: it is not known where it will be."""
        return None

    def __str__(self) -> str:
        return "a directory that only the job knows"
