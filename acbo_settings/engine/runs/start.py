"""One start: resolved, and held to its run: frozen first, kept, taken from today, replaced, or refused."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from ..canonical import KeyPath, custom_metadata, leaves, nested
from ..frozen import (
    FrozenConfig,
    at_point,
    held_config,
    missing_advice,
    parse_frozen,
    read_frozen,
    render_frozen,
    shared_config,
    unusable,
)
from ..inputs import MAX_BYTES, Inputs, RawFile, Start, read_if_there
from ..loading.layers import Layers, read_layers
from ..loading.resolved import ResolvedConfig, judge, warn
from ..origins import Default, File
from ..printable import LATER, show_value
from ..problems import ConfigurationError, Problem, ProblemSet, file_problem
from ..schema import Schema
from ..toml_document import Document
from ..toml_writer import metadata_lines, show_note, value_text
from ..values import SourcedValue, merge
from .durable import mode_of, remove_file, replace_file, write_once

if TYPE_CHECKING:
    from ..differences import Difference


def resolve_start(start: Start, name: str) -> ResolvedConfig[Any]:
    """The configuration that a start of the run with this frozen file has to use, with its origins.

    A value that is kept against today's has its origin in the frozen file.
    """
    held = held_config(start, name)
    start = at_point(start, held)
    if shared := shared_config(start, held):
        layers = _read_layers(start, held)
        resolved = _hold(start, shared, layers, judge(layers), is_shared=True)
        warn(resolved.advice, start.environ)
        return resolved
    return _resolve_run(start, name, held)


def share_start(start: Start, name: str) -> ResolvedConfig[Any]:
    """Resolve a start once for all its ranks, which find in the run's directory what came of it."""
    held = held_config(start, name)
    start = at_point(start, held)
    resolved = _resolve_run(start, name, held)
    if start.shared_file:
        shared = _freeze(start.inputs, start.shared_file, resolved, start.job, held)
        replace_file(start.shared_file, shared.text.encode())
    return resolved


def _read_layers(start: Start, frozen: FrozenConfig | None) -> Layers:
    """The layers of a start; the lowest one of a point of a sweep is the point's own frozen file."""
    if start.point is None or frozen is None:
        return read_layers(start)
    file = RawFile(frozen.name, content=frozen.text.encode())
    return read_layers(start.with_inputs((file,), start.inputs.environ))


def _resolve_run(start: Start, name: str, frozen: FrozenConfig | None) -> ResolvedConfig[Any]:
    """The same without what its ranks were given: by the run's frozen file, which is written if it is not there."""
    frozen = frozen or read_frozen(start.inputs.schema, name)
    layers = _read_layers(start, frozen)
    today = judge(layers)
    told = today.advice if frozen is None or start.on_change == "replace" else ()
    warn(told, start.environ)  # before anything is written, in case that somebody makes an error of it
    if frozen is None:
        frozen, is_first = freeze_once(start.inputs, name, today)
        if is_first:
            return replace(today, config=frozen.config)
    resolved = _hold(start, frozen, layers, today)
    if start.on_change == "replace" and resolved is today:
        resolved = replace(today, config=freeze_anew(start.inputs, frozen, today).config)
    given = ProblemSet(told)
    warn([advice for advice in resolved.advice if advice not in given], start.environ)
    return resolved


def preview_start(start: Start, name: str) -> ResolvedConfig[Any]:
    """What `resolve_start` would return, without a warning, and without writing anything."""
    held = held_config(start, name)
    start = at_point(start, held)
    shared = shared_config(start, held)
    frozen = shared or held
    layers = _read_layers(start, held)
    today = judge(layers)
    resolved = _hold(start, frozen, layers, today, shared is not None) if frozen else today
    if resolved is today:
        return replace(today, config=_freeze(start.inputs, name, today).config)
    return resolved


def _hold(
    start: Start, frozen: FrozenConfig, layers: Layers, today: ResolvedConfig[Any], is_shared: bool = False
) -> ResolvedConfig[Any]:
    """Today's configuration where it may differ from the frozen one, and the frozen one elsewhere.

    It is `today` itself, when the run is to be frozen anew from that. What all ranks of a start share is kept by each.
    """
    replaces = start.on_change == "replace" and not is_shared
    if frozen.refusal and replaces:
        return today
    differences = find_changes(start.inputs.schema, frozen, today)
    notes = custom_metadata(today.config)
    if replaces and (differences or metadata_lines(notes) != metadata_lines(frozen.custom)):
        return today
    held = [difference for difference in differences if difference.path not in start.changeable]
    custom = _notes_in_force(start, frozen, notes)
    kept_notes = list(find_changed_notes(custom, notes, layers))
    if held and start.on_change == "error":
        from ..report import refusal

        raise refusal([*_change_problems(start, frozen, held, today.file), *map(_changed_note, kept_notes)])
    kept = differences if is_shared else held
    taken = [difference for difference in differences if difference not in kept]
    resolved = judge(lay_over(layers, kept)) if kept else today
    keeper = "this start of the job" if is_shared else "the run"
    told = [*(kept_setting(keeper, each) for each in kept), *(kept_note("the run", each) for each in kept_notes)]
    advice = [*missing_advice(frozen), *told, *resolved.advice]
    is_frozen = not taken and metadata_lines(custom) == metadata_lines(frozen.custom)
    config = frozen.config if is_frozen else _taken(start, frozen, taken, custom)
    return replace(resolved, config=config, custom=_custom_layer(frozen, layers, custom), advice=tuple(advice))


def find_changes(schema: Schema, frozen: FrozenConfig, today: ResolvedConfig[Any]) -> list[Difference]:
    """The settings that differ: the frozen value with its line, and today's as validation has made it."""
    from ..differences import Difference  # which a first start does not need

    today_values = schema.typed(today.config)
    document, missing = Document(frozen.name, frozen.text), frozen.missing
    return [
        Difference(
            path,
            SourcedValue(value, Default() if path in missing else _place_in(document, frozen, path)),
            today.values[path].replace(value=today_values[path]),
        )
        for path, value in frozen.settings.items()
        if value != today_values[path] and today.values[path].value is not LATER
    ]


def _place_in(document: Document, frozen: FrozenConfig, path: KeyPath) -> File:
    """Where a setting stands in a frozen file; what is not set stands nowhere in it."""
    return File(document) if frozen.settings[path] is None else File(document, frozen.place(path))


def _notes_in_force(start: Start, frozen: FrozenConfig, today: Mapping[str, Any]) -> dict[str, Any]:
    """The frozen metadata, with today's value of each key that may change."""
    notes, noted = leaves(frozen.custom), leaves(today)
    named = {path for path in start.changeable if path[0] == "metadata"}
    above = {path[:length] for path in named for length in range(1, len(path))}
    kept = {path: value for path, value in notes.items() if path not in above and not _is_below(path, named)}
    kept |= {path: value for path, value in noted.items() if _is_below(path, named)}
    return nested({path[1:]: value for path, value in kept.items()})


def _is_below(path: KeyPath, named: Container[KeyPath]) -> bool:
    """Whether one of these names a key, or a table around it."""
    return any(path[:length] in named for length in range(1, len(path) + 1))


def find_changed_notes(
    kept: Mapping[str, Any], today: Mapping[str, Any], layers: Layers
) -> Iterator[tuple[KeyPath, str, str, Any]]:
    """Each key of the metadata that a run keeps against today's, both values as they are shown, and today's origin."""
    first, second = leaves(kept), leaves(today)
    for path in dict.fromkeys([*first, *second]):
        shown = [show_note(side[path]) if path in side else "" for side in (first, second)]
        if [path in first, path in second] != [True, True] or value_text(first[path]) != value_text(second[path]):
            yield path, shown[0], shown[1], layers.custom.get(path)


def _custom_layer(frozen: FrozenConfig, layers: Layers, custom: Mapping[str, Any]) -> dict[KeyPath, SourcedValue]:
    """The custom keys of a start: with today's origin where they have today's value."""
    document, known = Document(frozen.name, frozen.text), leaves(frozen.custom)
    found: dict[KeyPath, SourcedValue] = {}
    for path, value in leaves(custom).items():
        today = layers.custom.get(path)
        is_same = today is not None and (path not in known or today.value == value)
        found[path] = today if today and is_same else SourcedValue(value, File(document, path))
    return found


def _taken(start: Start, frozen: FrozenConfig, taken: Sequence[Difference], custom: Mapping[str, Any]) -> Any:
    """The frozen configuration with what is taken from today, in its metadata too."""
    schema = start.inputs.schema
    changed = {difference.path: difference.second for difference in taken}
    settings = {**frozen.settings, **{path: sourced.value for path, sourced in changed.items()}}
    given = {path for path in frozen.origins if path in settings and path not in changed}
    given |= {path for path, sourced in changed.items() if not sourced.is_default}
    metadata = nested({path: value for path, value in settings.items() if path in given}) | dict(custom)
    return schema.build(settings, metadata)


def lay_over(layers: Layers, kept: Sequence[Difference]) -> Layers:
    """Today's layers under the frozen values that are kept."""
    frozen = {difference.path: difference.first for difference in kept}
    return layers.replace(values=merge([layers.values, frozen]))


def _change_problems(
    start: Start, frozen: FrozenConfig, changed: Sequence[Difference], file: str | None
) -> list[Problem]:
    """What is told of a run whose configuration has changed, and of each setting."""
    from ..loading.surroundings import no_file  # which a start that is not refused need not import

    message = "this run started with another configuration than today's"
    is_lost = frozen.file and not file and not start.point
    lost = [no_file(start).replace(severity="error")] if is_lost else []
    if lost:
        message += f": it read {frozen.file}, and today no file is read"
    on_change = f"{start.inputs.schema.application.prefix}ON_CHANGE"
    ways = (
        'undo the change, or take another run directory; on_change="keep" goes on with the frozen one,'
        ' on_change="replace" freezes today\'s and keeps the old file'
        f" (in a shell: --on-change or {on_change})"
    )
    if start.point:
        message = "this point of a sweep was frozen with another configuration than this task is given"
        ways = "take away here what gives another value, or freeze the sweep with it"
    return [
        file_problem(frozen.name, message, ways),
        *lost,
        *(changed_setting(start, frozen, difference) for difference in changed),
    ]


def changed_setting(start: Start, frozen: FrozenConfig, difference: Difference) -> Problem:
    """The problem with a setting that was frozen with another value."""
    first, second = show_value(difference.first.value), show_value(difference.second.value)
    message = f"frozen as {first} ({_frozen_from(start, frozen, difference)}), today {second}"
    return Problem(path=difference.path, message=message, values=((difference.path, difference.second),))


def _frozen_from(start: Start, frozen: FrozenConfig, difference: Difference) -> str:
    """Where a frozen value had come from, and why it does not come from there today, where that is known."""
    origin = frozen.origins.get(difference.path)
    if origin is None:
        return "the default"
    is_variable = origin.upper().startswith(start.inputs.schema.application.prefix)
    if not is_variable or origin in start.inputs.environ:
        return f"from {origin}"
    from ..loading.surroundings import is_lost_in_steps

    told = f"from {origin}, which is not set today"
    if start.environ.get("SLURM_JOB_ID") and is_lost_in_steps(start.environ, origin):
        told += f": srun did not pass it on, as SLURM_EXPORT_ENV={start.environ.get('SLURM_EXPORT_ENV')} has it"
    return told


def kept_setting(keeper: str, kept: Difference) -> Problem:
    """The advice for a setting that keeps its frozen value."""
    frozen, today = show_value(kept.first.value), show_value(kept.second.value)
    message = f"{keeper} keeps {frozen}, as frozen, against today's {today}"
    return Problem(path=kept.path, message=message, values=((kept.path, kept.second),), severity="advice")


def _changed_note(note: tuple[KeyPath, str, str, Any]) -> Problem:
    path, frozen, today, sourced = note
    message = f"{f'frozen as {frozen}' if frozen else 'not frozen'}, {f'today {today}' if today else 'not given today'}"
    return Problem(path=path, message=message, values=((path, sourced),) if sourced else ())


def kept_note(keeper: str, note: tuple[KeyPath, str, str, Any]) -> Problem:
    """The advice for a key of the metadata that keeps its frozen value."""
    path, frozen, today, sourced = note
    message = f"{keeper} keeps {frozen or 'its metadata without it'}, as frozen"
    message += f", against today's {today}" if today else "; today it is not given"
    return Problem(path=path, message=message, values=((path, sourced),) if sourced else (), severity="advice")


def freeze_once(inputs: Inputs, name: str, resolved: ResolvedConfig[Any]) -> tuple[FrozenConfig, bool]:
    """Freeze a configuration, unless the run has one already; the frozen file of the run, and whether it is this one.

    Of several processes that do this at the same moment one writes it, and all get what that one wrote.
    """
    frozen = _freeze(inputs, name, resolved)
    if write_once(name, frozen.text.encode()):
        return frozen, True
    winner = read_frozen(inputs.schema, name)
    if winner is None:
        raise unusable(name, "was there and is gone again: another process has moved it away")
    return winner, False


def freeze_anew(inputs: Inputs, old: FrozenConfig, resolved: ResolvedConfig[Any]) -> FrozenConfig:
    """Freeze another configuration in the place of a run's own; both stay under their kept names too."""
    frozen = _freeze(inputs, old.name, resolved)
    for file in (old, frozen):  # the new one too, because another process may replace it at once
        while not write_once(kept_name(file), file.text.encode(), mode_of(old.name)) and _is_free(kept_name(file)):
            pass  # another process has taken the name for another file: the next one is free
    try:
        replace_file(old.name, frozen.text.encode())
    except ConfigurationError:
        remove_file(kept_name(frozen))  # no start will have had it
        raise
    return frozen


def _is_free(name: str) -> bool:
    return read_if_there(name) is None


def _freeze(
    inputs: Inputs,
    name: str,
    resolved: ResolvedConfig[Any],
    job: str | None = None,
    held: FrozenConfig | None = None,
) -> FrozenConfig:
    """What a later start will read: the first one gets the very same. `held` is the run's own file, for its ranks."""
    facts: dict[str, Any] = {"file": inputs.file and inputs.file.name, "inputs": inputs.digest, "job": job}
    if held is None:
        return freeze_config(inputs.schema, name, resolved, facts)
    facts |= {"point": held.point, "held": held.seal}
    return freeze_config(inputs.schema, name, resolved, facts, held.variables)


def freeze_config(
    schema: Schema,
    name: str,
    resolved: ResolvedConfig[Any],
    facts: Mapping[str, Any],
    variables: Mapping[str, str] | None = None,
) -> FrozenConfig:
    """A resolved configuration as its frozen file, read back; the facts and variables as `render_frozen` takes them."""
    origins: Mapping[KeyPath, SourcedValue] = {**resolved.values, **resolved.custom}
    custom = custom_metadata(resolved.config)
    text = render_frozen(schema, resolved.config, origins, custom, datetime.now(UTC), facts, variables)
    if len(text.encode()) > MAX_BYTES:
        raise unusable(name, "would be larger than 1 MiB: the metadata is too long to be frozen")
    try:
        return parse_frozen(schema, name, text)
    except ConfigurationError:
        raise unusable(name, "would not read back: the metadata has no form in TOML") from None


def kept_name(old: FrozenConfig) -> str:
    """Where a frozen file is kept that is replaced, or replaces another: under its fingerprint, in the same directory.

    The name has a number, if another file has it. It exists when that very file is kept already.
    """
    directory, base = os.path.split(old.name)
    stem = os.path.join(directory, f"{base.removesuffix('.toml')}.{old.fingerprint}")
    suffixes = chain([""], (f".{number}" for number in count(2)))
    return next(name for suffix in suffixes if _may_hold(name := f"{stem}{suffix}.toml", old.text.encode()))


def _may_hold(name: str, content: bytes) -> bool:
    """Whether a file is not there, or has this content."""
    file = read_if_there(name)
    return file is None or (file.error is None and file.content == content)
