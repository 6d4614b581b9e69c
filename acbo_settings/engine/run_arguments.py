"""How a start may change its run: the arguments for it, and the variables that stand for them.

What a report needs is imported when there is one: a start from a frozen file comes by here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .canonical import KeyPath
from .names import did_you_mean, find_path, meant_by
from .schema import Application, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .inputs import Inputs
    from .problems import ConfigurationError, Problem

ON_CHANGE = ("error", "keep", "replace")
"""What may be done when today's inputs resolve to another configuration than the frozen one; the first is usual."""


def add_variables(
    inputs: Inputs,
    environ: Mapping[str, str],
    run_dir: str | None,
    on_change: Any,
    may_change: Iterable[str] | None,
) -> tuple[str | None, Any, Iterable[str] | None]:
    """The three arguments, each where it is not given that of its variable; ConfigurationError for what is wrong."""
    schema = inputs.schema
    named: dict[str, list[str]] = {}
    for name in environ:
        named.setdefault(schema.application.run_variables[name.upper()], []).append(name)
    _refuse(_find_unusable(inputs, {name: environ[name] for name in names}) for names in named.values())
    given = {"run_dir": run_dir, "on_change": on_change, "may_change": may_change}
    texts = {argument: environ[names[0]].strip() for argument, names in named.items()}
    told = _find_wrong(schema, texts, given)
    _refuse(_of_variable(inputs, named[argument][0], environ, message, hint) for argument, message, hint in told)
    names_of_settings = split_names(texts["may_change"]) if "may_change" in texts else None
    return (
        texts.get("run_dir") if run_dir is None else run_dir,
        texts.get("on_change") if on_change is None else on_change,
        names_of_settings if may_change is None else may_change,
    )


def _refuse(problems: Iterable[Problem | None]) -> None:
    if wrong := [problem for problem in problems if problem]:
        from .report import refusal

        raise refusal(wrong)


def _find_unusable(inputs: Inputs, environ: Mapping[str, str]) -> Problem | None:
    """What makes the variables of one name unusable, whatever they set."""
    if len(environ) == 1 and all(isinstance(text, str) and text.strip() for text in environ.values()):
        return None
    from .origins import Variable
    from .problems import variable_problem

    found = [inputs.variables.get(name) or Variable(name, text) for name, text in environ.items()]
    return variable_problem((found[0].name,), found)


def _of_variable(inputs: Inputs, name: str, environ: Mapping[str, str], message: str, hint: str) -> Problem:
    from .origins import Variable
    from .problems import whole_problem

    origin = inputs.variables.get(name) or Variable(name, environ[name])
    return whole_problem(origin, environ[name], message, hint)


def _find_wrong(schema: Schema, texts: Mapping[str, str], given: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the variables of a run, seen beside the arguments: argument, sentence and hint."""
    run, change = texts.get("run_dir"), texts.get("on_change")
    if run is not None and (message := directory_objection(schema.application, run)):
        yield "run_dir", message, ""
    elif run and given["run_dir"] is not None and not _is_same_directory(run, given["run_dir"]):
        message = f'is "{run}", and the argument run_dir names another directory'
        yield "run_dir", message, "unset the variable, or leave the argument out"
    if change and given["on_change"] is None and change not in ON_CHANGE:
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


def directory_objection(application: Application, directory: str) -> str:
    """Why a text can name no directory of a run; empty when it can."""
    if not directory.strip():
        return "is empty: name the directory of the run"
    if directory.startswith(("~", "$")):
        return f"{directory[0]} is not expanded here"
    is_file = os.path.basename(directory) == application.frozen_name
    return f"names the file: name the directory that holds it, {os.path.dirname(directory) or '.'}" if is_file else ""


def split_names(text: str) -> list[str]:
    """The names in a text, separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def changeable_paths(schema: Schema, may_change: Iterable[str]) -> frozenset[KeyPath]:
    """The settings that are named, those of the sections that are, and the keys of the metadata; old names stay too."""
    if isinstance(may_change, str):
        raise TypeError(f'may_change must be a list or tuple of names, such as ("{may_change}",), not a str')
    names = [str(name) for name in may_change]
    if unknown := list(_find_unknown(schema, names)):
        raise refusal_of("may_change", unknown)
    return frozenset(path for name in names for path in _below(schema, find_path(schema, name)))


def _below(schema: Schema, path: KeyPath | None) -> list[KeyPath]:
    if path and path in schema.old_names:
        return [schema.old_names[path][0], path]
    return [path] if path and path[0] == "metadata" else schema.below(path) if path else []


def _find_unknown(schema: Schema, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if not _below(schema, find_path(schema, name)):
            yield f"no such setting or section: {name}", did_you_mean(meant_by(schema, name))


def refusal_of(argument: str, told: Sequence[tuple[str, str]]) -> ConfigurationError:
    """The exception for one argument: all that is wrong with it, each a sentence without its subject, and a hint."""
    from .origins import Argument
    from .problems import whole_problem
    from .report import refusal

    return refusal([whole_problem(Argument(argument), None, message, hint) for message, hint in told])
