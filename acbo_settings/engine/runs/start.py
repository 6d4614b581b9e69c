"""Holding a start to the configuration of its run: frozen first, kept, taken from today, replaced, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pyrsistent import PMap

from ..canonical import KeyPath, custom_metadata, flatten, nested
from ..differences import Difference, find_differences
from ..errors import Problem
from ..frozen import FrozenConfig
from ..loading.file import file_problem
from ..loading.layers import MergedLayers, read_layers
from ..loading.metadata import freeze_metadata
from ..loading.resolved import ResolvedConfig, judge_layers, warn
from ..report import refusal, show_value
from ..values import File, SourcedValue, SourceFile, merge
from .arguments import Start, digest_inputs
from .durable import freeze_anew, freeze_once, metadata_lines


def resolve_run(start: Start, frozen: FrozenConfig | None) -> ResolvedConfig:
    """Resolve today's layers, freeze them if nothing is frozen yet, and hold them to what is.

    Args:
        start: This start.
        frozen: The frozen file of the run, if there is one.

    Returns:
        The configuration that this start has to use; a value that is kept against today's has its origin in the frozen
        file.

    Raises:
        ConfigurationError: See `load_training_config`.

    Warns:
        ConfigurationWarning: For what is advised, and for each value that is kept.

    >>> from acbo_settings.engine.inputs import read_inputs
    >>> from acbo_settings.engine.runs.arguments import plan_start
    >>> resolve_run(plan_start("runs/17", read_inputs(environ={})), None).explain("total_steps")
    '5000, the default'
    """
    layers = read_layers(start.inputs)
    today = judge_layers(layers, start.strict)
    told = today.advice if frozen is None or start.on_change == "replace" else ()
    warn(told)  # before anything is written, in case that somebody makes an error of it
    if frozen is None:
        frozen = freeze_once(start.name, today, digest_inputs(start.inputs, start.strict))
    resolved = _hold(start, frozen, layers, today)
    warn([advice for advice in resolved.advice if advice not in told])
    return resolved


def _hold(start: Start, frozen: FrozenConfig, layers: MergedLayers, today: ResolvedConfig) -> ResolvedConfig:
    """Today's configuration where it may differ from the frozen one, and the frozen one elsewhere."""
    differences = find_differences(_layer(frozen, flatten(frozen.config)), _validated(today))
    is_note_new = metadata_lines(custom_metadata(today.config)) != metadata_lines(frozen.custom)
    if start.on_change == "replace" and (differences or is_note_new):
        anew = freeze_anew(frozen, today, digest_inputs(start.inputs, start.strict))
        return replace(today, config=anew.config)
    kept = [difference for difference in differences if difference.path not in start.changeable]
    if kept and start.on_change == "error":
        raise refusal(_change_problems(frozen, kept, today.file))
    resolved = judge_layers(_lay_over(layers, frozen, kept), start.strict)
    taken = [difference for difference in differences if difference.path in start.changeable]
    config = replace(resolved.config, metadata=_metadata(frozen, taken)) if taken else frozen.config
    advice = [*map(_kept_problem, kept), *([_kept_note(frozen)] if is_note_new else [])]
    return replace(resolved, config=config, advice=(*advice, *resolved.advice))


def _validated(resolved: ResolvedConfig) -> dict[KeyPath, SourcedValue]:
    """The values with their origins, each as validation has made it: a float where an integer was given for one."""
    settings = flatten(resolved.config)
    return {path: sourced._replace(value=settings[path]) for path, sourced in resolved.values.items()}


def _metadata(frozen: FrozenConfig, taken: Sequence[Difference]) -> PMap[str, object]:
    """The metadata of a run, with the settings that are taken from today."""
    changed = {path: second.value for path, _, second in taken}
    given = {path for path in frozen.given if path not in changed}
    given |= {path for path, _, second in taken if not second.is_default}
    settings = flatten(frozen.config) | changed
    return freeze_metadata(nested({path: settings[path] for path in settings if path in given}) | dict(frozen.custom))


def _layer(frozen: FrozenConfig, values: Mapping[KeyPath, object]) -> dict[KeyPath, SourcedValue]:
    """Values that stand in a frozen file as a layer, each with its line as origin."""
    source = SourceFile(frozen.name, frozen.text)
    return {path: SourcedValue(value, File(source, path)) for path, value in values.items()}


def _lay_over(layers: MergedLayers, frozen: FrozenConfig, kept: Sequence[Difference]) -> MergedLayers:
    """Today's layers under the frozen values that are kept; the custom metadata is the run's."""
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
    path, first, second = difference
    message = f"the run keeps {show_value(first.value)}, as frozen, against today's {show_value(second.value)}"
    return Problem(path=path, message=message, values=((path, second),))


def _kept_note(frozen: FrozenConfig) -> Problem:
    return file_problem(frozen.name, "the run keeps its metadata, as frozen; today's is another")
