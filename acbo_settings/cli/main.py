"""The command `acbo-settings`: runs one command, and turns closed pipes and full disks into exit codes."""

from __future__ import annotations

import io
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module
from typing import TextIO

from .parser import parse


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, without arguments that of the process, and return the exit code.

    SystemExit with 0 after `--help`, with 2 for wrong usage.

    >>> main(["check", "no-such-file.toml"])
    1
    """
    try:
        parsed = _parse(arguments)
        # TOML and JSON are UTF-8 whatever the locale, and no character of a table can then fail to be written.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        code = _run(parsed)
        if sys.stdout is not None:  # it is None when the shell closed it
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has gone, as in `| head -1`: nothing is left to be written, at exit neither. The code is what a
        # shell has for a program that SIGPIPE ended: whether all is well is not known.
        _discard(sys.stdout, sys.stderr)
        return 141
    except OSError as error:
        from .output import NOT_WRITTEN, note

        _discard(sys.stdout)
        try:
            note(f"acbo-settings: cannot write: {error.strerror}")
        except OSError:  # it is stderr that cannot be written
            _discard(sys.stderr)
        return NOT_WRITTEN
    except KeyboardInterrupt:
        return 130


def _parse(arguments: Sequence[str] | None) -> Namespace:
    """The arguments; what `--help` prints is written before the program ends."""
    try:
        return parse(arguments)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _run(parsed: Namespace) -> int:
    """Run the command with the settings of the class that is meant."""
    from ..jobs.slurm.submission import UsageError
    from .output import WRONG_USAGE, note
    from .own_schema import SchemaError, find_schema

    try:
        parsed.schema_name = parsed.schema
        parsed.schema = find_schema(parsed.schema)
        code: int = import_module(f".{parsed.command}", __package__).run(parsed)
    except (SchemaError, UsageError) as error:
        note(f"acbo-settings {parsed.command.replace('.', ' ')}: {error}")
        return WRONG_USAGE
    return code


def _discard(*streams: TextIO | None) -> None:
    """Let what is still to be written to these streams, at exit too, go nowhere."""
    for stream in streams:
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
