"""The command `acbo-settings`: parsing, printing, exit codes. Results go to stdout, messages to stderr."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import __version__

if TYPE_CHECKING:
    from .loading import ResolvedConfig

_EPILOG = """examples:
  acbo-settings show > resolved.toml      what a job would get, with origins
  acbo-settings check runs/17/acbo.toml   all that is wrong, before the queue

Environment variables that start with ACBO_ count as they do in a job.
exit codes: 0 success, 1 the configuration is not valid, 2 wrong usage"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: What follows the program's name; without it, that of the process.

    Returns:
        The exit code: 0, or 1 when the configuration is not valid.

    Raises:
        SystemExit: With 0 after `--help`, with 2 for wrong usage.

    >>> main(["check", "no-such-file.toml"])
    1
    """
    parsed = _parser().parse_args(arguments)
    command = {"show": _show, "check": _check}[parsed.command]
    try:
        code = command(parsed.path)
        if sys.stdout is not None:  # it is None when the shell closed it
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has gone, as in `| head -1`: nothing is left to be written, at exit neither.
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        print(f"acbo-settings: cannot write: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _discard_output() -> None:
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="acbo-settings",
        description="See and check the configuration of an ACBO training job.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in (
        ("show", "print the resolved configuration as TOML, with origins as comments"),
        ("check", "print everything that is wrong with the configuration, or ok"),
    ):
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        command.add_argument(
            "path", nargs="?", metavar="PATH", help="the TOML file; without it ACBO_CONFIG_FILE, else ./acbo.toml"
        )
    return parser


def _show(path: str | None) -> int:
    resolved = _resolve(path)
    if resolved is None:
        return 1
    from .canonical import toml_lines
    from .report import explain_origin

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # TOML is UTF-8, whatever the locale says
    values = {**resolved.values, **resolved.custom}
    for key_path, line in toml_lines(resolved.config):
        sourced = values.get(key_path) if key_path else None
        print(line if sourced is None or sourced.is_default else f"{line}  # {explain_origin(sourced)}")
    return 0


def _check(path: str | None) -> int:
    resolved = _resolve(path)
    if resolved is None:
        return 1
    if resolved.file is None:
        print("note: no acbo.toml in the working directory: defaults and variables alone", file=sys.stderr)
    print("ok")
    return 0


def _resolve(path: str | None) -> ResolvedConfig | None:
    """The resolved configuration, its advice printed; or None, the report printed."""
    from .errors import ConfigurationError
    from .loading import resolve_training_config
    from .report import format_problem

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            resolved = resolve_training_config(path)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return None
    for problem in resolved.advice:
        print(f"advice: {format_problem(problem)}", file=sys.stderr)
    return resolved
