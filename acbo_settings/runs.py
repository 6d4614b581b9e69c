"""One run, one configuration: a start gets what the run was frozen with, or freezes it, or is refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, get_args

from .canonical import KeyPath, custom_metadata, flatten
from .frozen import FrozenConfig, read_frozen
from .inputs import FROZEN_NAME, Inputs, digest_inputs, path_text
from .schema import TrainingConfig

if TYPE_CHECKING:
    from .differences import Difference
    from .errors import Problem
    from .merging import MergedLayers
    from .origins import SourcedValue
    from .resolving import ResolvedConfig

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

    >>> from acbo_settings.inputs import read_inputs
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

    >>> from acbo_settings.inputs import read_inputs
    >>> plan_start("runs/17", read_inputs(environ={})).name
    'runs/17/acbo.frozen.toml'
    """
    directory = path_text(run_dir, "run_dir")
    if not directory.strip() or directory.startswith("~"):
        from .report import refusal

        message = "~ is not expanded here" if directory.strip() else "is empty: name the directory of the run"
        raise refusal([_argument_problem("run_dir", directory, message)])
    if on_change not in get_args(OnChange):
        raise ValueError(f'on_change must be "error", "keep" or "replace", not {on_change!r}')
    changeable = _changeable(may_change) if may_change else frozenset()
    return Start(os.path.join(directory, FROZEN_NAME), inputs, strict, on_change, changeable)


def _changeable(may_change: Iterable[str]) -> frozenset[KeyPath]:
    """The settings that are named, and those of the components that are."""
    if isinstance(may_change, str):
        raise TypeError(f'may_change must be a list or tuple of names, such as ("{may_change}",), not a str')
    known = list(flatten(TrainingConfig()))
    named = {str(name): {path for path in known if name in (".".join(path), path[0])} for name in may_change}
    if unknown := [_unknown_name(name) for name, paths in named.items() if not paths]:
        from .report import refusal

        raise refusal(unknown)
    return frozenset(path for paths in named.values() for path in paths)


def _unknown_name(name: str) -> Problem:
    from .suggestions import closest_setting

    component, _, field = name.rpartition(".")
    meant = closest_setting(field, component)
    hint = f"did you mean {'.'.join(meant)}?" if meant else ""
    if name.startswith("metadata"):
        hint = "metadata is no setting: a run keeps its own"
    return _argument_problem("may_change", name, f"no such setting or component: {name}", hint)


def _argument_problem(argument: str, given: str, message: str, hint: str = "") -> Problem:
    from .errors import Problem
    from .origins import Argument, SourcedValue

    return Problem(path=(), message=message, hint=hint, values=(((), SourcedValue(given, Argument(argument))),))


def load_run(start: Start) -> TrainingConfig:
    """The configuration of a run; without pydantic when the run was frozen from the very same inputs.

    Args:
        start: This start.

    Returns:
        What this start has to use.

    Raises:
        ConfigurationError: See `load_training_config`.

    >>> from acbo_settings.inputs import read_inputs
    >>> load_run(plan_start("runs/17", read_inputs(environ={}))).total_steps
    5000
    """
    frozen = read_frozen(start.name)
    if frozen and frozen.inputs and frozen.inputs == digest_inputs(start.inputs, start.strict):
        return frozen.config
    return _resolve(start, frozen).config


def resolve_run(start: Start) -> ResolvedConfig:
    """The configuration of a run as `load_run` gives it, with the origin of each value.

    Args:
        start: This start.

    Returns:
        The configuration; a value that is kept against today's has its origin in the frozen file.

    Raises:
        ConfigurationError: See `load_training_config`.

    >>> from acbo_settings.inputs import read_inputs
    >>> resolve_run(plan_start("runs/17", read_inputs(environ={}))).explain("total_steps")
    '5000, the default'
    """
    return _resolve(start, read_frozen(start.name))


def _resolve(start: Start, frozen: FrozenConfig | None) -> ResolvedConfig:
    """Resolve today's layers, freeze them if nothing is frozen yet, and hold them to what is."""
    from .merging import read_layers
    from .resolving import judge_layers, warn

    layers = read_layers(start.inputs)
    today = judge_layers(layers, start.strict)
    told = today.advice if frozen is None or start.on_change == "replace" else ()
    warn(told)  # before anything is written, in case that somebody makes an error of it
    if frozen is None:
        from .freezing import freeze_once

        frozen = freeze_once(start.name, today, digest_inputs(start.inputs, start.strict))
    resolved = _hold(start, frozen, layers, today)
    warn([advice for advice in resolved.advice if advice not in told])
    return resolved


def _hold(start: Start, frozen: FrozenConfig, layers: MergedLayers, today: ResolvedConfig) -> ResolvedConfig:
    """Today's configuration where it may differ from the frozen one, and the frozen one elsewhere."""
    from dataclasses import replace

    from .differences import find_differences
    from .resolving import judge_layers

    differences = find_differences(_settings_layer(frozen), today.values)
    is_note_new = custom_metadata(today.config) != dict(frozen.custom)
    if start.on_change == "replace" and (differences or is_note_new):
        from .freezing import freeze_anew

        anew = freeze_anew(frozen, today, digest_inputs(start.inputs, start.strict))
        return replace(today, config=anew.config)
    kept = [difference for difference in differences if difference.path not in start.changeable]
    if kept and start.on_change == "error":
        from .report import refusal

        raise refusal(_change_problems(frozen, kept, today.file))
    resolved = judge_layers(_lay_over(layers, frozen, kept), start.strict)
    config = resolved.config if differences else frozen.config
    advice = [*map(_kept_problem, kept), *([_kept_note(frozen)] if is_note_new else [])]
    return replace(resolved, config=config, advice=(*advice, *resolved.advice))


def _settings_layer(frozen: FrozenConfig) -> dict[KeyPath, SourcedValue]:
    """The settings of a frozen file as a layer, each with its line as origin."""
    return _layer(frozen, flatten(frozen.config))


def _layer(frozen: FrozenConfig, values: Mapping[KeyPath, object]) -> dict[KeyPath, SourcedValue]:
    from .origins import File, SourcedValue, SourceFile

    source = SourceFile(frozen.name, frozen.text)
    return {path: SourcedValue(value, File(source, path)) for path, value in values.items()}


def _lay_over(layers: MergedLayers, frozen: FrozenConfig, kept: Sequence[Difference]) -> MergedLayers:
    """Today's layers under the frozen values that are kept; the custom metadata is the run's."""
    from .origins import merge

    custom = _layer(frozen, {("metadata", key): value for key, value in frozen.custom.items()})
    same = {
        path: value for path, value in layers.custom.items() if path in custom and value.value == custom[path].value
    }
    return layers._replace(
        values=merge([layers.values, {difference.path: difference.first for difference in kept}]),
        custom=custom | same,
        metadata=dict(frozen.custom),
    )


def _change_problems(frozen: FrozenConfig, changed: Sequence[Difference], file: str | None) -> list[Problem]:
    """What is told of a run whose configuration has changed, and of each setting."""
    from .errors import Problem
    from .files import file_problem
    from .report import show_value

    message = "this run started with another configuration than today's"
    if frozen.file and not file:
        message += f": it read {frozen.file}, and today no file is read"
    ways = (
        'on_change="keep" goes on with the frozen one, on_change="replace" freezes today\'s and keeps the old file'
        " (in a shell: --on-change)"
    )
    return [
        file_problem(frozen.name, message, ways),
        *(
            Problem(
                path=path,
                message=f"frozen as {show_value(first.value)}, today {show_value(second.value)}",
                values=((path, second),),
            )
            for path, first, second in changed
        ),
    ]


def _kept_problem(difference: Difference) -> Problem:
    from .errors import Problem
    from .report import show_value

    path, first, second = difference
    message = f"the run keeps {show_value(first.value)}, as frozen, against today's {show_value(second.value)}"
    return Problem(path=path, message=message, values=((path, second),))


def _kept_note(frozen: FrozenConfig) -> Problem:
    from .files import file_problem

    return file_problem(frozen.name, "the run keeps its metadata, as frozen; today's is another")
