"""What surrounds a start, and what is advised because of it: its place, its script, the launcher and the ranks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence

from ..inputs import Start
from ..origins import Variable
from ..problems import Problem, file_problem, whole_problem

RANKS = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "RANK")
"""The variables in which launchers tell a process its number among the ranks of a job."""


def is_first_rank(environ: Mapping[str, str]) -> bool:
    """Whether this process is the one that speaks for all ranks: no launcher gave it a number other than 0.

    >>> is_first_rank({"SLURM_PROCID": "0"}), is_first_rank({"RANK": "3"})
    (True, False)
    """
    return all(str(environ.get(name) or "0").strip() == "0" for name in RANKS)


def find_advice(start: Start) -> list[Problem]:
    """What is advised before anything is read."""
    found = [] if start.inputs.files else [no_file(start)]
    if lost := find_lost_in_steps(start.environ, list(start.inputs.environ)):
        message = f"srun will not pass on {lost[0]}" + (f" and {len(lost) - 1} more" if len(lost) > 1 else "")
        hint = f"use srun --export=ALL, or freeze the run here; SLURM_EXPORT_ENV is {start.environ['SLURM_EXPORT_ENV']}"
        origin = Variable(lost[0], start.inputs.environ[lost[0]])
        found.append(whole_problem(origin, origin.text, message, hint).replace(severity="advice"))
    return found


def no_file(start: Start) -> Problem:
    """The advice for a start that was given no file and found none."""
    name, variable = start.inputs.schema.application.file_name, start.inputs.schema.application.file_variable
    message = f"no such file in {_working_directory()}, so that defaults and variables alone are in force"
    meant = next(_find_elsewhere(name, start.environ), None)
    hint = f"{variable}={meant} takes that one; " if meant else ""
    hint += f"{variable}={os.devnull} says that none is meant"
    return file_problem(name, message, hint).replace(severity="advice")


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "the working directory, which does not exist any more"


def _find_elsewhere(name: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Where a file of this name lies that may have been meant."""
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    places = [os.path.dirname(os.path.abspath(script))] if script else []
    places += [environ["SLURM_SUBMIT_DIR"]] if environ.get("SLURM_SUBMIT_DIR") else []
    directory = _working_directory()
    while (above := os.path.dirname(directory)) != directory:
        places.append(directory := above)
    return (found for place in places if os.path.isfile(found := os.path.join(place, name)))


def find_lost_in_steps(environ: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Of the variables of a batch script, those that srun does not pass on to its steps; none in any other process."""
    is_script = environ.get("SLURM_JOB_ID") and not environ.get("SLURM_STEP_ID")
    return [name for name in names if is_script and is_lost_in_steps(environ, name)]


def is_lost_in_steps(environ: Mapping[str, str], name: str) -> bool:
    """Whether srun keeps a variable of a batch script from its steps: `SLURM_EXPORT_ENV` lists neither it nor ALL."""
    listed = [each.partition("=")[0].strip() for each in environ.get("SLURM_EXPORT_ENV", "ALL").split(",")]
    return "ALL" not in map(str.upper, listed) and name not in listed
