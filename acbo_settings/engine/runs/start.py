"""One start: resolved, and held to its run: frozen first, kept, taken from today, replaced, or refused."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, count
from typing import Any

from ..canonical import KeyPath, custom_metadata, nested
from ..frozen import FrozenConfig, parse_frozen, read_frozen, render_frozen
from ..inputs import MAX_BYTES, Inputs, Start, read_if_there
from ..loading.layers import Layers, read_layers
from ..loading.resolved import ResolvedConfig, judge, warn
from ..origins import Difference, File, SourcedValue, merge
from ..printable import show_value
from ..problems import ConfigurationError, Problem, file_problem
from ..report import refusal, unusable
from ..toml_document import Document
from ..toml_writer import metadata_lines
from .durable import replace_file, write_once


def resolve_start(start: Start, name: str) -> ResolvedConfig[Any]:
    """The configuration that a start of the run with this frozen file has to use, with its origins.

    A value that is kept against today's has its origin in the frozen file.
    """
    frozen = read_frozen(start.inputs.schema, name)
    layers = read_layers(start.inputs)
    today = judge(layers)
    told = today.advice if frozen is None or start.on_change == "replace" else ()
    warn(told)  # before anything is written, in case that somebody makes an error of it
    if frozen is None:
        frozen, is_first = freeze_once(start.inputs, name, today)
        if is_first:
            return replace(today, config=frozen.config)
    resolved = _hold(start, frozen, layers, today)
    warn([advice for advice in resolved.advice if advice not in told])
    return resolved


def _hold(start: Start, frozen: FrozenConfig, layers: Layers, today: ResolvedConfig[Any]) -> ResolvedConfig[Any]:
    """Today's configuration where it may differ from the frozen one, and the frozen one elsewhere."""
    differences = _differences(start, frozen, today)
    is_note_new = metadata_lines(custom_metadata(today.config)) != metadata_lines(frozen.custom)
    if start.on_change == "replace" and (differences or is_note_new):
        return replace(today, config=freeze_anew(start.inputs, frozen, today).config)
    kept = [difference for difference in differences if difference.path not in start.changeable]
    if kept and start.on_change == "error":
        raise refusal(_change_problems(frozen, kept, today.file))
    taken = [difference for difference in differences if difference.path in start.changeable]
    resolved = judge(_lay_over(layers, kept)) if kept else today
    advice = [*map(_kept_problem, kept), *([_kept_note(frozen)] if is_note_new else []), *resolved.advice]
    config = _taken(start, frozen, taken) if taken else frozen.config
    return replace(resolved, config=config, custom=_custom_layer(frozen, layers), advice=tuple(advice))


def _differences(start: Start, frozen: FrozenConfig, today: ResolvedConfig[Any]) -> list[Difference]:
    """The settings that differ: the frozen value with its line, and today's as validation has made it."""
    today_values = start.inputs.schema.typed(today.config)
    document = Document(frozen.name, frozen.text)
    return [
        Difference(
            path,
            SourcedValue(value, File(document, path)),
            today.values[path].replace(value=today_values[path]),
        )
        for path, value in frozen.settings.items()
        if value != today_values[path]
    ]


def _custom_layer(frozen: FrozenConfig, layers: Layers) -> dict[KeyPath, SourcedValue]:
    """The custom keys of a frozen file: with today's origin where they have today's value."""
    document = Document(frozen.name, frozen.text)
    custom: dict[KeyPath, SourcedValue] = {}
    for key, value in frozen.custom.items():
        path = ("metadata", key)
        today = layers.custom.get(path)
        is_same = today is not None and today.value == value
        custom[path] = today if today and is_same else SourcedValue(value, File(document, path))
    return custom


def _taken(start: Start, frozen: FrozenConfig, taken: Sequence[Difference]) -> Any:
    """The frozen configuration with the settings that are taken from today, in its metadata too."""
    schema = start.inputs.schema
    changed = {difference.path: difference.second for difference in taken}
    settings = {**frozen.settings, **{path: sourced.value for path, sourced in changed.items()}}
    given = {path for path in frozen.given if path not in changed}
    given |= {path for path, sourced in changed.items() if not sourced.is_default}
    metadata = nested({path: value for path, value in settings.items() if path in given}) | dict(frozen.custom)
    return schema.build(settings, metadata)


def _lay_over(layers: Layers, kept: Sequence[Difference]) -> Layers:
    """Today's layers under the frozen values that are kept."""
    frozen = {difference.path: difference.first for difference in kept}
    return layers.replace(values=merge([layers.values, frozen]))


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
                path=difference.path,
                message=f"frozen as {show_value(difference.first.value)}, today {show_value(difference.second.value)}",
                values=((difference.path, difference.second),),
            )
            for difference in changed
        ),
    ]


def _kept_problem(kept: Difference) -> Problem:
    frozen, today = show_value(kept.first.value), show_value(kept.second.value)
    message = f"the run keeps {frozen}, as frozen, against today's {today}"
    return Problem(path=kept.path, message=message, values=((kept.path, kept.second),), severity="advice")


def _kept_note(frozen: FrozenConfig) -> Problem:
    message = "the run keeps its metadata, as frozen; today's is another"
    return replace(file_problem(frozen.name, message), severity="advice")


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
    """Freeze another configuration in the place of a run's own, whose file is now `kept_name(old)`."""
    frozen = _freeze(inputs, old.name, resolved)
    while not write_once(kept_name(old), old.text.encode()) and read_if_there(kept_name(old)) is None:
        pass  # another process has taken the name for another file: the next one is free
    replace_file(old.name, frozen.text.encode())
    return frozen


def _freeze(inputs: Inputs, name: str, resolved: ResolvedConfig[Any]) -> FrozenConfig:
    """What a later start will read: the first one gets the very same."""
    origins: Mapping[KeyPath, SourcedValue] = {**resolved.values, **resolved.custom}
    custom = custom_metadata(resolved.config)
    text = render_frozen(inputs, resolved.config, origins, custom, datetime.now(UTC))
    if len(text.encode()) > MAX_BYTES:
        raise unusable(name, "would be larger than 1 MiB: the metadata is too long to be frozen")
    try:
        return parse_frozen(inputs.schema, name, text)
    except ConfigurationError:
        raise unusable(name, "would not read back: the metadata has no form in TOML") from None


def kept_name(old: FrozenConfig) -> str:
    """Where the frozen file of a run is kept when it is replaced: under its fingerprint, in the same directory.

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
