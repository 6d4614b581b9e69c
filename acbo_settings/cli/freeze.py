"""The commands `init` and `freeze`: what is written before a job starts."""

from __future__ import annotations

import os
from argparse import Namespace
from warnings import catch_warnings, simplefilter

from ..api import resolve_training_config
from ..config import TrainingConfig
from ..engine.canonical import flatten
from ..engine.errors import ConfigurationError, ConfigurationWarning
from ..engine.frozen import FrozenConfig, read_frozen
from ..engine.inputs import FILE_NAME, FROZEN_NAME
from ..engine.runs.durable import kept_name
from ..reference import example_toml
from .checked_file import file_in
from .explain import schema_text
from .output import NOT_VALID, SUCCESS, note, print_advice, print_problems

SCHEMA_NAME = "acbo.schema.json"
"""The file of the JSON Schema, beside an `acbo.toml`."""


def init(arguments: Namespace) -> int:
    """Write a commented `acbo.toml`, and if asked for, its JSON Schema beside it.

    Args:
        arguments: `path`: the file, or a directory for it; and `schema`.

    Returns:
        The exit code: 1 when a file is there already, or cannot be written.

    >>> init(Namespace(path="no/such/directory/acbo.toml", schema=False))
    1
    """
    path = file_in(arguments.path, [FILE_NAME])
    texts = {}
    if arguments.schema:
        beside = os.path.join(os.path.dirname(path), SCHEMA_NAME)
        if not _holds(beside, schema_text()):  # an experiment beside this one may have written it
            texts[beside] = schema_text()
    first = f"#:schema ./{SCHEMA_NAME}\n\n" if arguments.schema else ""
    texts[path] = first + example_toml()  # last, so that its first line names a file that is there
    if taken := [name for name in texts if os.path.lexists(name)]:
        note(f"acbo-settings init: {taken[0]} is there already, and is not overwritten")
        return NOT_VALID
    return SUCCESS if all(_write(name, text) for name, text in texts.items()) else NOT_VALID


def _holds(name: str, text: str) -> bool:
    try:
        with open(name, encoding="utf-8") as file:
            return file.read() == text
    except (OSError, ValueError):
        return False


def _write(name: str, text: str) -> bool:
    """Write a file that must not be there yet; nothing of it is left when that fails."""
    created = False
    try:
        with open(name, "x", encoding="utf-8") as file:
            created = True
            file.write(text)
    except (OSError, ValueError) as error:
        note(f"acbo-settings init: cannot write {name}: {getattr(error, 'strerror', None) or error}")
        if created:
            os.unlink(name)
        return False
    note(f"wrote {name}")
    return True


def freeze(arguments: Namespace) -> int:
    """Freeze the configuration of a run as its first start would, or hold today's to it.

    Args:
        arguments: `run_dir`, `on_change` and `may_change`.

    Returns:
        The exit code: 1 when the configuration is not valid, not that of the run, or cannot be written.

    >>> freeze(Namespace(run_dir="runs/17", on_change="error", may_change=[]))
    b6b94ba25f97c991
    0
    """
    name = os.path.join(arguments.run_dir, FROZEN_NAME)
    try:
        before = read_frozen(name)
        with catch_warnings():
            simplefilter("ignore", ConfigurationWarning)
            resolved = resolve_training_config(
                run_dir=arguments.run_dir, on_change=arguments.on_change, may_change=arguments.may_change
            )
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    print_advice(resolved.advice)
    print(resolved.config.fingerprint, flush=True)
    note(_what_was_frozen(name, before, resolved.config))
    return SUCCESS


def _what_was_frozen(name: str, before: FrozenConfig | None, config: TrainingConfig) -> str:
    """One sentence on the frozen file, and on what the run takes from today instead."""
    now = read_frozen(name)
    if before is None or now is None:
        return f"froze {name}"
    if before.text != now.text:
        return f"froze {name} anew; the old one is {kept_name(before)}"
    frozen = flatten(now.config)
    today = [".".join(path) for path, value in flatten(config).items() if value != frozen[path]]
    return f"{name} holds, as it was frozen" + (f"; today's value is used for {', '.join(today)}" if today else "")
