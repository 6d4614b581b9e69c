"""The command `freeze`: the first start of a run as a command, or a later one that is held to it."""

from __future__ import annotations

import os
from argparse import Namespace
from warnings import catch_warnings, simplefilter

from ..api import SCHEMA, resolve_training_config
from ..config import TrainingConfig
from ..engine.canonical import flatten
from ..engine.frozen import FrozenConfig, read_frozen
from ..engine.problems import ConfigurationError, ConfigurationWarning
from ..engine.runs.start import kept_name
from .checked_file import FROZEN_NAME
from .output import NOT_VALID, SUCCESS, note, print_advice, print_problems


def run(arguments: Namespace) -> int:
    """Freeze the configuration of `run_dir`, or hold today's to it as `on_change` and `may_change` say."""
    name = os.path.join(arguments.run_dir, FROZEN_NAME)
    try:
        before = read_frozen(SCHEMA, name)
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
    now = read_frozen(SCHEMA, name)
    if before is None or now is None:
        return f"froze {name}"
    if before.text != now.text:
        return f"froze {name} anew; the old one is {kept_name(before)}"
    frozen = flatten(now.config)
    today = [".".join(path) for path, value in flatten(config).items() if value != frozen[path]]
    return f"{name} holds, as it was frozen" + (f"; today's value is used for {', '.join(today)}" if today else "")
