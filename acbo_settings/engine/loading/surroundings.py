"""What surrounds a start, and what is advised because of it: its place, its script, the launcher and the ranks."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

from ..inputs import Start, as_it_is
from ..origins import Argument, Variable
from ..problems import Problem, file_problem, whole_problem
from ..values import SourcedValue

REPLACING = ("every start of this job accepts any change, also one after a requeue", "replace once, in a shell")
"""What is said of a job that always replaces the configuration of its run, and the hint."""


def find_advice(start: Start) -> list[Problem]:
    """What is advised before anything is read."""
    found = [] if start.inputs.files else [no_file(start)]
    environ = as_it_is(start.environ)
    found += _find_unused(start, environ)
    found += _find_old_names(start)
    found += _find_unread(start)
    found += _find_replacing(start)
    if environ.get("SLURM_JOB_ID") and not environ.get("SLURM_STEP_ID"):
        found += _find_lost(start, environ)
    return found


def _find_lost(start: Start, environ: Mapping[str, str]) -> list[Problem]:
    """The advice for a batch script of SLURM from which srun would not pass on variables."""
    prefix = start.inputs.schema.application.prefix
    names = [name for name in environ if name.upper().startswith(prefix) and is_lost_in_steps(environ, name)]
    if not names:
        return []
    origin = Variable(names[0], str(environ[names[0]]))
    others = f", nor {len(names) - 1} other {prefix} variables" if len(names) > 1 else ""
    message = f"srun will not pass it on{others}, as SLURM_EXPORT_ENV={environ['SLURM_EXPORT_ENV']} has it"
    return [whole_problem(origin, origin.text, message, "use srun --export=ALL").replace(severity="advice")]


def _find_unused(start: Start, environ: Mapping[str, str]) -> list[Problem]:
    """The advice for the variables of a run, or of a sweep, where none is named."""
    application, known = start.inputs.schema.application, start.inputs.variables
    found, has_sweep = [], any(name.upper() == application.sweep_variable for name in environ)
    for name in (name for name in environ if name.upper() in application.run_variables):
        is_of_sweep = name.upper() == application.index_variable
        if has_sweep if is_of_sweep else start.has_run:
            continue
        what, missing = ("sweep", application.sweep_variable) if is_of_sweep else ("run", application.run_variable)
        origin = known.get(name) or Variable(name, str(environ[name]))
        message = f"has no effect, because no {what} is named: set {missing} too"
        found.append(whole_problem(origin, None, message).replace(severity="advice"))
    return found


def _find_unread(start: Start) -> list[Problem]:
    """The advice for a variable that names a configuration file, which a point of a sweep does not read."""
    inputs, variable = start.inputs, start.inputs.schema.application.file_variable
    names = [name for name in inputs.environ if name.upper() == variable] if start.point else []
    message = "has no effect: the points of a sweep are frozen, and read no file"
    origins = [inputs.variables.get(name) or Variable(name, inputs.environ[name]) for name in names]
    return [whole_problem(origin, origin.text, message).replace(severity="advice") for origin in origins]


def _find_replacing(start: Start) -> list[Problem]:
    """The advice for the file of a job that lets each of its starts replace the configuration of the run."""
    application, known = start.inputs.schema.application, start.inputs.variables
    names = [name for name in known if application.run_variables.get(name.upper()) == "on_change" and start.has_run]
    return [
        whole_problem(known[name], known[name].text, *REPLACING).replace(severity="advice")
        for name in names
        if known[name].position and known[name].text.strip() == "replace"
    ]


def _find_old_names(start: Start) -> list[Problem]:
    """The advice for settings that may change in the run, and are named as they were called once."""
    old_names = start.inputs.schema.old_names
    named = [path for path in old_names if path in start.changeable]
    told = [(path, f"is called {'.'.join(old_names[path][0])} since {old_names[path][1].since}") for path in named]
    value = SourcedValue(None, Argument("may_change"))
    return [
        Problem(path=path, message=message, values=((path, value),), at_key=True, severity="advice")
        for path, message in told
    ]


def no_file(start: Start) -> Problem:
    """The advice for a start that was given no file and found none."""
    name, variable = start.inputs.schema.application.file_name, start.inputs.schema.application.file_variable
    place = start.surroundings or _working_directory()
    message = f"no such file in {place}, so that defaults and variables alone are in force"
    meant = next(_find_elsewhere(name, start), None)
    hint = f"{variable}={meant} takes that one; " if meant else ""
    hint += f"{variable}={os.devnull} says that none is meant"
    problem = file_problem(name, message, hint).replace(severity="advice")
    chosen_at = start.surroundings.chosen_at if start.surroundings else None
    return problem.replace(values=(*problem.values, ((), SourcedValue(None, chosen_at)))) if chosen_at else problem


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "the working directory, which does not exist any more"


def _find_elsewhere(name: str, start: Start) -> Iterator[str]:
    """Where a file of this name lies that may have been meant."""
    directory = start.surroundings.directory if start.surroundings else _working_directory()
    if directory is None:
        return iter(())
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    places = [os.path.dirname(os.path.abspath(script))] if script else []
    submitted = start.environ.get("SLURM_SUBMIT_DIR")
    places += [submitted] if submitted else []
    while (above := os.path.dirname(directory)) != directory:
        places.append(directory := above)
    return (found for place in places if os.path.isfile(found := os.path.join(place, name)))


def is_lost_in_steps(environ: Mapping[str, str], name: str) -> bool:
    """Whether srun keeps a variable of a batch script from its steps: `SLURM_EXPORT_ENV` lists neither it nor ALL."""
    listed = [each.partition("=")[0].strip() for each in environ.get("SLURM_EXPORT_ENV", "ALL").split(",")]
    return "ALL" not in map(str.upper, listed) and name not in listed
