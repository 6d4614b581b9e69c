"""How a start may change its run: the arguments for it, and the variables that stand for them.

What a report needs is imported when there is one: a start from a frozen file comes by here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .canonical import KeyPath
from .launcher import array_index, is_index
from .schema import Application, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .inputs import OnChange
    from .origins import Variable
    from .problems import ConfigurationError, Problem

    Given = tuple[str, str, Variable | None]

ON_CHANGE = ("error", "keep", "replace")
"""What may be done when today's inputs resolve to another configuration than the frozen one; the first is usual."""


class Point:
    """Which point of a sweep a start is, by its number, if anybody says it; and who does.

    >>> Point("sweeps/lr", 7).run_dir
    'sweeps/lr/0007'
    """

    def __init__(
        self, sweep: str, index: int | None, given_by: Given | None = None, named_by: Given | None = None
    ) -> None:
        self.sweep = sweep
        self.index = index
        self.seal = ""
        """The seal of its frozen file, once that was found to be the right one."""
        self.given_by = given_by
        """The variable that says so, its text, and where it is set; without a name it is the argument."""
        self.named_by = named_by
        """The same of the variable that names the sweep, if one does."""

    @property
    def run_dir(self) -> str:
        """The directory of the point; that of the sweep, where nobody says which one it is."""
        return self.sweep if self.index is None else point_directory(self.sweep, self.index)

    def moved_to(self, sweep: str) -> Point:
        """The same point where the directory of the sweep is another one."""
        return Point(sweep, self.index, self.given_by, self.named_by)


def point_directory(sweep: str, index: int) -> str:
    """The directory of a point of a sweep."""
    return os.path.join(sweep, f"{index:04d}")


def find_point(
    schema: Schema, given: Mapping[str, Any], environ: Mapping[str, str], variables: Mapping[str, Variable]
) -> Point:
    """The point of a sweep that a start is, by its arguments, or by what launchers tell it in the environment.

    `variables` tells where variables are set, if that is in a file of a job.
    """
    sweep, index, run_dir = given["sweep"], given["index"], given["run_dir"]
    if sweep is None and index is not None:
        raise TypeError("index is for a point of a sweep: it needs sweep")
    if sweep is None:
        sweep, name = os.path.split(run_dir.rstrip(os.sep))
        by = _given_by(schema.application.run_variable, run_dir, environ, variables)
        return Point(sweep, int(name), None, by)
    by = _given_by(schema.application.sweep_variable, sweep, environ, variables)
    number = array_index(environ)
    if isinstance(index, str):
        point = Point(sweep, int(index), _given_by(schema.application.index_variable, index, environ, variables), by)
    elif index is not None:
        point = Point(sweep, index, ("", str(index), None), by)
    elif run_dir is not None and _is_point_in(run_dir, sweep):
        point = Point(sweep, int(os.path.basename(run_dir.rstrip(os.sep))), None, by)
    else:
        told = number and (*number, variables.get(number[0]))
        point = Point(sweep, int(number[1]) if number and is_index(number[1]) else None, told, by)
    if run_dir is not None and point.index is not None and not _is_same_directory(run_dir, point.run_dir):
        raise _two_directories(schema, run_dir, point, environ, variables)
    return point


def _two_directories(
    schema: Schema, run_dir: str, point: Point, environ: Mapping[str, str], variables: Mapping[str, Variable]
) -> ConfigurationError:
    """The exception for a task of a sweep that is told to have another directory than its point has."""
    from .origins import Argument, Variable
    from .problems import whole_problem
    from .report import refusal

    given = _given_by(schema.application.run_variable, run_dir, environ, variables)
    origin = (given[2] or Variable(*given[:2])) if given else Argument("run_dir")
    message = f"is {run_dir}, and the run of a sweep's task is the directory of its point, {point.run_dir}"
    return refusal([whole_problem(origin, run_dir, message, "leave one of the two out")])


def _is_point_in(run_dir: str, sweep: str) -> bool:
    """Whether the directory of a run is that of some point of a sweep, which then needs no other number."""
    above, name = os.path.split(run_dir.rstrip(os.sep))
    return is_index(name) and _is_same_directory(above or ".", sweep)


def _given_by(variable: str, text: str, environ: Mapping[str, str], variables: Mapping[str, Variable]) -> Given | None:
    """The variable of a name, in any case, that has given a text; None where that was passed in a call."""
    found = next((name for name in list(environ) if name.upper() == variable), None)
    if found is None or str(environ.get(found) or "").strip() != text:
        return None
    return found, text, variables.get(found)


def number_of(index: Any) -> int:
    """The number of a point as it was passed in a call."""
    if isinstance(index, bool) or not hasattr(index, "__index__"):
        raise TypeError(f"index must be the number of a point, not {type(index).__name__}")
    number: int = index.__index__()
    return max(-1, min(number, 10**9))  # what is beyond all points need not be shown to its last digit


def refuse_path(point: Point, is_argument: bool) -> None:
    """Refuse a path beside a point of a sweep: TypeError when both were passed, else ConfigurationError."""
    message = "path is for a run of its own: the points of a sweep are frozen, and read no file"
    if is_argument:
        raise TypeError(message)
    from .origins import Argument, Variable
    from .problems import whole_problem
    from .report import refusal

    name, text, variable = point.named_by or ("", point.run_dir, None)
    origin = variable or (Variable(name, text) if name else Argument("run_dir"))
    hint = "unset the variable, or leave path out"
    raise refusal([whole_problem(origin, text, "names a point of a sweep, which reads no file", hint)])


def known_change(schema: Schema, on_change: Any, point: Point | None) -> OnChange:
    """What to do when today's values are not the frozen ones; ValueError for anything else."""
    if on_change not in (None, *ON_CHANGE):
        raise ValueError(f'on_change must be "error", "keep" or "replace", not {on_change!r}')
    if point and on_change == "replace":
        message = '"replace" is for a run of its own: a point of a sweep is frozen together with the others'
        hint = f"{schema.application.name} sweep freeze --on-change replace does that"
        raise refusal_of("on_change", [(message, hint)])
    known: OnChange = on_change or "error"
    return known


def add_variables(
    schema: Schema, variables: Mapping[str, Variable], environ: Mapping[str, str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments, each where it is not given that of its variable; ConfigurationError for what is wrong.

    `variables` tells where some of the variables are set, if that is in a file of a job.
    """
    named: dict[str, list[str]] = {}
    for name in environ:
        named.setdefault(schema.application.run_variables[name.upper()], []).append(name)
    _refuse(_find_unusable(variables, {name: environ[name] for name in names}) for names in named.values())
    texts: dict[str, Any] = {argument: environ[names[0]].strip() for argument, names in named.items()}
    told = _find_wrong(schema, texts, given)
    _refuse(_of_variable(variables, named[argument][0], environ, message, hint) for argument, message, hint in told)
    if "may_change" in texts:
        texts["may_change"] = split_names(texts["may_change"])
    if given["sweep"] is None and "sweep" not in texts:
        texts.pop("index", None)  # it has no effect, which is advised
    return {argument: texts.get(argument) if value is None else value for argument, value in given.items()}


def _refuse(problems: Iterable[Problem | None]) -> None:
    if wrong := [problem for problem in problems if problem]:
        from .report import refusal

        raise refusal(wrong)


def _find_unusable(variables: Mapping[str, Variable], environ: Mapping[str, str]) -> Problem | None:
    """What makes the variables of one name unusable, whatever they set."""
    if len(environ) == 1 and all(isinstance(text, str) and text.strip() for text in environ.values()):
        return None
    from .origins import Variable
    from .problems import variable_problem

    found = [variables.get(name) or Variable(name, text) for name, text in environ.items()]
    return variable_problem((found[0].name,), found)


def _of_variable(
    variables: Mapping[str, Variable], name: str, environ: Mapping[str, str], message: str, hint: str
) -> Problem:
    from .origins import Variable
    from .problems import whole_problem

    origin = variables.get(name) or Variable(name, environ[name])
    return whole_problem(origin, environ[name], message, hint)


def _find_wrong(schema: Schema, texts: Mapping[str, str], given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the variables of a run, seen beside the arguments: argument, sentence and hint."""
    for argument in ("run_dir", "sweep"):
        named = texts.get(argument)
        if named is not None and (message := directory_objection(schema.application, argument, named)):
            yield argument, message, ""
        elif named and given[argument] is not None and not _is_same_directory(named, given[argument]):
            message = f'is "{named}", and the argument {argument} names another directory'
            yield argument, message, "unset the variable, or leave the argument out"
    index, change = texts.get("index", "0"), texts.get("on_change")
    if given["index"] is None and not is_index(index):
        yield "index", f'should be the number of a point, counted from 0, not "{index}"', ""
    if change and given["on_change"] is None and change not in ON_CHANGE:
        from .names import did_you_mean
        from .spelling import closest

        message = f'should be "error", "keep" or "replace", not "{change}"'
        yield "on_change", message, did_you_mean(closest(change, ON_CHANGE))
    if "may_change" in texts and given["may_change"] is None:
        names = split_names(texts["may_change"])
        if not names:
            yield "may_change", "names no setting", ""
        for message, hint in _find_unknown(schema, names):
            yield "may_change", message, hint


def _is_same_directory(first: str, second: str) -> bool:
    return "\0" in second or os.path.realpath(first) == os.path.realpath(second)  # who reads it refuses a NUL


def directory_objection(application: Application, argument: str, directory: str) -> str:
    """Why a text can name no directory of a run, or of a sweep; empty when it can."""
    if not directory.strip():
        return f"is empty: name the directory of the {argument.removesuffix('_dir')}"
    if directory.startswith(("~", "$")):
        return f"{directory[0]} is not expanded here"
    is_file = os.path.basename(directory) in (application.frozen_name, application.sweep_name)
    return f"names the file: name the directory that holds it, {os.path.dirname(directory) or '.'}" if is_file else ""


def split_names(text: str) -> list[str]:
    """The names in a text, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def changeable_paths(schema: Schema, may_change: Iterable[str]) -> frozenset[KeyPath]:
    """The settings that are named, those of the sections that are, and the keys of the metadata; old names stay too."""
    if isinstance(may_change, str):
        raise TypeError(f'may_change must be a list or tuple of names, such as ("{may_change}",), not a str')
    from .names import find_path

    names = [str(name) for name in may_change]
    if unknown := list(_find_unknown(schema, names)):
        raise refusal_of("may_change", unknown)
    return frozenset(path for name in names for path in _below(schema, find_path(schema, name)))


def _below(schema: Schema, path: KeyPath | None) -> list[KeyPath]:
    if path and path in schema.old_names:
        return [schema.old_names[path][0], path]
    return [path] if path and path[0] == "metadata" else schema.below(path) if path else []


def _find_unknown(schema: Schema, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    from .names import did_you_mean, find_path, meant_by

    for name in names:
        if not _below(schema, find_path(schema, name)):
            yield f"no such setting or section: {name}", did_you_mean(meant_by(schema, name))


def refusal_of(argument: str, told: Sequence[tuple[str, str]]) -> ConfigurationError:
    """The exception for one argument: all that is wrong with it, each a sentence without its subject, and a hint."""
    from .origins import Argument
    from .problems import whole_problem
    from .report import refusal

    return refusal([whole_problem(Argument(argument), None, message, hint) for message, hint in told])
