"""A start in the directory of a run: what is asked for, and the digest that tells whether its inputs are as before."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, get_args

from ... import __version__
from ...config import TrainingConfig
from ..canonical import KeyPath, flatten, sha256
from ..inputs import FROZEN_NAME, Inputs, is_frozen, path_text

if TYPE_CHECKING:
    from ..errors import Problem

MAX_VALUES = 100_000
"""Values that overrides may hold to have a digest, each use of a shared list counted."""

OnChange = Literal["error", "keep", "replace"]
"""What to do when today's inputs resolve to another configuration than the frozen one."""


class Start:
    """One start of a run; `plan_start` makes it.

    Attributes:
        name: The path of the run's frozen file, whether it is there or not.
        inputs: What the start is given.
        strict: Whether an unknown `ACBO_*` variable is an error.
        on_change: What to do when the configuration has changed.
        changeable: The settings of which today's value is used.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> plan_start("runs/17", read_inputs(environ={}), may_change=("log_frequency",)).changeable
    frozenset({('log_frequency',)})
    """

    def __init__(
        self, name: str, inputs: Inputs, strict: bool, on_change: OnChange, changeable: frozenset[KeyPath]
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.strict = strict
        self.on_change = on_change
        self.changeable = changeable


def plan_start(
    run_dir: str | os.PathLike[str],
    inputs: Inputs,
    strict: bool = True,
    on_change: OnChange = "error",
    may_change: Iterable[str] = (),
) -> Start:
    """Check the arguments of a start; nothing of the run is read or written yet.

    Args:
        run_dir: The run's directory.
        inputs: What the start is given.
        strict: Whether an unknown `ACBO_*` variable is an error.
        on_change: What to do when the configuration has changed.
        may_change: Settings and components of which today's value is used.

    Returns:
        The start.

    Raises:
        ConfigurationError: When `run_dir` is empty, or `may_change` names what there is not.
        TypeError: When `run_dir` is no path, or `may_change` a single text.
        ValueError: When `on_change` is none of its three values.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> plan_start("runs/17", read_inputs(environ={})).name
    'runs/17/acbo.frozen.toml'
    """
    directory = path_text(run_dir, "run_dir")
    if not directory.strip() or directory.startswith("~"):
        from ..report import refusal

        message = "~ is not expanded here" if directory.strip() else "is empty: name the directory of the run"
        raise refusal([_argument_problem("run_dir", directory, message)])
    if on_change not in get_args(OnChange):
        raise ValueError(f'on_change must be "error", "keep" or "replace", not {on_change!r}')
    changeable = frozenset() if may_change == () else _changeable(may_change)
    return Start(os.path.join(directory, FROZEN_NAME), inputs, strict, on_change, changeable)


def _changeable(may_change: Iterable[str]) -> frozenset[KeyPath]:
    """The settings that are named, and those of the components that are."""
    if isinstance(may_change, str):
        raise TypeError(f'may_change must be a list or tuple of names, such as ("{may_change}",), not a str')
    known = list(flatten(TrainingConfig()))
    named = {str(name): {path for path in known if name in (".".join(path), path[0])} for name in may_change}
    if unknown := [_unknown_name(name) for name, paths in named.items() if not paths]:
        from ..report import refusal

        raise refusal(unknown)
    return frozenset(path for paths in named.values() for path in paths)


def _unknown_name(name: str) -> Problem:
    from ..spelling import closest_setting

    component, _, field = name.rpartition(".")
    meant = closest_setting(field, component)
    hint = f"did you mean {'.'.join(meant)}?" if meant else ""
    if name.startswith("metadata"):
        hint = "metadata is no setting: a run keeps its own"
    return _argument_problem("may_change", name, f"no such setting or component: {name}", hint)


def _argument_problem(argument: str, given: str, message: str, hint: str = "") -> Problem:
    from ..errors import Problem
    from ..values import Argument, SourcedValue

    return Problem(path=(), message=message, hint=hint, values=(((), SourcedValue(given, Argument(argument))),))


def digest_inputs(inputs: Inputs, strict: bool) -> str | None:
    """A digest that two starts share only when they resolve to the same configuration.

    Args:
        inputs: What the start is given.
        strict: Whether an unknown `ACBO_*` variable is an error.

    Returns:
        64 hexadecimal digits over file, variables, overrides and the version of this package; or None, when the file
        cannot be read or the overrides hold more than plain data.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> one, other = (read_inputs(environ={"ACBO_TOTAL_STEPS": text}) for text in ("7", "8"))
    >>> digest_inputs(one, True) == digest_inputs(other, True)
    False
    """
    file = inputs.file
    if (file and file.error) or not _is_plain([inputs.overrides, dict(inputs.environ)]):
        return None
    content = (sha256(file.content), is_frozen(file.name, "")) if file else None
    facts = [__version__, bool(strict), content, sorted(inputs.environ.items()), inputs.overrides]
    try:
        return sha256(repr(facts).encode("ascii", "backslashreplace"))
    except (ValueError, RecursionError):  # an integer without end, or lists within lists: resolving says so
        return None


def _is_plain(tree: Any) -> bool:
    """Whether `repr` tells a tree from every other: it does for these types, but not for classes made from them."""
    waiting = [tree]
    for _ in range(MAX_VALUES):
        if not waiting:
            return True
        value = waiting.pop()
        if type(value) is dict and all(type(key) is str for key in value):
            waiting += value.values()
        elif type(value) in (list, tuple):
            waiting += value
        elif value is not None and type(value) not in (str, int, float, bool):
            return False
    return False
