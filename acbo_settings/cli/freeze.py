"""The command `freeze`: the first start of a run as a command, or a later one that is held to it."""

from __future__ import annotations

from argparse import Namespace
from warnings import catch_warnings, simplefilter

from ..config import TrainingConfig
from ..engine.canonical import flatten
from ..engine.frozen import FrozenConfig, read_frozen
from ..engine.inputs import process_environment, read_start
from ..engine.problems import ConfigurationError, ConfigurationWarning
from ..engine.run_arguments import split_names
from ..engine.runs.start import kept_name, share_start
from ..engine.schema import Schema
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note, print_advice, print_problems, result


def run(arguments: Namespace) -> int:
    """Freeze the configuration of `run_dir`, or hold today's to it as `on_change` and `may_change` say."""
    may_change = [name for text in arguments.may_change for name in split_names(text)] or None
    overrides = [f"--set {text}" for text in arguments.settings] or None
    schema: Schema = arguments.schema
    variable = schema.application.run_variable
    places = (variable, schema.application.sweep_variable)
    is_named = arguments.run_dir is not None or any(name.upper() in places for name in process_environment(schema))
    if not is_named:
        note(f"acbo-settings freeze: no run is named: give --run-dir DIR, or set {variable}")
        return WRONG_USAGE
    try:
        start = read_start(schema, None, overrides, None, True, arguments.run_dir, arguments.on_change, may_change)
        name = str(start.frozen_file)
        before = read_frozen(schema, name)
        with catch_warnings():
            simplefilter("ignore", ConfigurationWarning)
            resolved = share_start(start, name)
    except ConfigurationError as error:
        print_problems(error.problems)
        return NOT_VALID
    print_advice(resolved.advice)
    result(resolved.config.fingerprint)
    try:
        note(_what_was_frozen(schema, name, before, resolved.config))
        if start.shared_file:
            note(f"the ranks of this start, {start.job}, take what they have from {start.shared_file}")
    except ConfigurationError as error:  # the run is frozen all the same
        print_problems(error.problems)
    return SUCCESS


def _what_was_frozen(schema: Schema, name: str, before: FrozenConfig | None, config: TrainingConfig) -> str:
    """One sentence on the frozen file, and on what the run takes from today instead."""
    now = read_frozen(schema, name)
    if before is None or now is None:
        return f"froze {name}"
    if before.text != now.text:
        return f"froze {name} anew; the old one is {kept_name(before)}"
    frozen = flatten(now.config)
    today = [".".join(path) for path, value in flatten(config).items() if value != frozen[path]]
    return f"{name} holds, as it was frozen" + (f"; today's value is used for {', '.join(today)}" if today else "")
