"""The commands of `acbo-settings` with their arguments and help texts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import __version__
from ..engine.inputs import as_utf8
from ..engine.run_arguments import ON_CHANGE

_EPILOG = """environment variables that start with ACBO_ count as they do in a job.
exit codes: 0 success, 1 not valid (diff: different), 2 wrong usage, or output
  that cannot be written
completion: eval "$(register-python-argcomplete acbo-settings)\""""

_PATH_HELP = (
    "an acbo.toml, a frozen file, a directory with one, a batch script, or a manifest; behind -- the options of sbatch;"
    " without it what load_training_config() finds here:"
    " ACBO_CONFIG_FILE, else ./acbo.toml, held to the run that ACBO_RUN_DIR names; /dev/null for no file"
)


class _Command(NamedTuple):
    """One command: what it does, an example, its arguments. The module of its name holds it."""

    summary: str
    example: str
    arguments: tuple[tuple[str, dict[str, Any]], ...]


def _choice(*names: str) -> dict[str, Any]:
    return {"choices": names, "default": names[0], "help": f"default: {names[0]}"}


_OPTIONAL_PATH = ("path", {"nargs": "?", "metavar": "PATH", "help": _PATH_HELP})
_SETTINGS = (
    "--set",
    {
        "action": "append",
        "default": [],
        "dest": "settings",
        "metavar": "KEY=VALUE",
        "help": "a setting that wins over file and variables, such as grpo.group_size=128; can be repeated",
    },
)

_SCHEMA: tuple[str, dict[str, Any]] = (
    "--schema",
    {
        "metavar": "MODULE:CLASS",
        "help": "a class with settings of your own; default: `schema` in [tool.acbo-settings] of the pyproject.toml"
        " at or above the working directory",
    },
)

_TAKES_JOBS = ("check", "show", "plan", "explain")
"""The commands that take files of jobs; behind two dashes stands the command line of sbatch."""

_COMMANDS = {
    "show": _Command(
        "print the resolved configuration, with origins as comments",
        "acbo-settings show --changed\n  acbo-settings show --format env > job.env && source job.env",
        (
            _OPTIONAL_PATH,
            ("--format", _choice("toml", "json", "env")),
            ("--changed", {"action": "store_true", "help": "only what differs from the defaults"}),
            _SETTINGS,
        ),
    ),
    "check": _Command(
        "print everything that is wrong with one or many files, or ok",
        "acbo-settings check job.sbatch && sbatch job.sbatch\n"
        "  acbo-settings check job.sbatch -- --export=ALL,ACBO_LOG_FREQUENCY=50\n"
        "  acbo-settings check --no-env --strict experiments/*/acbo.toml",
        (
            ("paths", {"nargs": "*", "metavar": "PATH", "help": _PATH_HELP}),
            ("--no-env", {"dest": "env", "action": "store_false", "help": "leave ACBO_* variables aside"}),
            ("--strict", {"action": "store_true", "help": "exit with 1 on advice too"}),
            (
                "--ignore-unknown",
                {"action": "store_true", "help": "leave aside what is neither TOML nor a file of a job, as hooks want"},
            ),
            ("--format", _choice("text", "json", "github")),
            _SETTINGS,
        ),
    ),
    "explain": _Command(
        "print what a setting means, its value now, and where that came from",
        "acbo-settings explain grpo.group_size\n  acbo-settings explain --in job.sbatch ACBO_LOG_FREQUENCY evaluation",
        (
            ("--in", {"dest": "file", "metavar": "PATH", "help": _PATH_HELP}),
            (
                "keys",
                {"nargs": "*", "metavar": "KEY", "help": "a setting, section or variable; without it, all settings"},
            ),
            _SETTINGS,
        ),
    ),
    "diff": _Command(
        "print in what configurations differ; exit with 1 if they do",
        "acbo-settings diff runs/16 runs/17\n  acbo-settings diff defaults acbo.toml",
        (
            ("first", {"metavar": "A", "help": "an acbo.toml or frozen file, the directory of one, or `defaults`"}),
            ("others", {"nargs": "+", "metavar": "B", "help": "the same, once or more; variables are left aside"}),
        ),
    ),
    "init": _Command(
        "write a commented acbo.toml; never overwrites",
        "acbo-settings init --json-schema experiments/scm20/acbo.toml",
        (
            ("path", {"nargs": "?", "default": "acbo.toml", "metavar": "PATH", "help": "default: acbo.toml"}),
            ("--json-schema", {"action": "store_true", "help": "with its JSON Schema beside it, for editors"}),
        ),
    ),
    "freeze": _Command(
        "freeze the configuration of a run, or hold today's to it; print its fingerprint",
        "export ACBO_RUN_DIR=runs/17\n  acbo-settings freeze && srun python train.py",
        (
            ("--run-dir", {"metavar": "DIR", "help": "the directory of the run; default: ACBO_RUN_DIR"}),
            (
                "--on-change",
                {"choices": ON_CHANGE, "help": "default: ACBO_ON_CHANGE, else error"},
            ),
            (
                "--may-change",
                {
                    "action": "append",
                    "default": [],
                    "metavar": "KEY",
                    "help": "settings and sections, separated by commas; can be repeated; default: ACBO_MAY_CHANGE",
                },
            ),
            _SETTINGS,
        ),
    ),
    "schema": _Command(
        "print the JSON Schema of an acbo.toml, for editors",
        "acbo-settings schema > acbo.schema.json",
        (),
    ),
    "env": _Command(
        "print every environment variable with type, range, default and meaning",
        "acbo-settings env --format markdown > VARIABLES.md",
        (("--format", _choice("table", "markdown", "json")),),
    ),
    "migrate": _Command(
        "rewrite old names of settings in files; nothing else of a file changes",
        "acbo-settings migrate --check experiments/*/acbo.toml",
        (
            ("paths", {"nargs": "*", "metavar": "PATH", "help": "an acbo.toml, or its directory; default: acbo.toml"}),
            ("--check", {"action": "store_true", "help": "write nothing; exit with 1 when there is something to do"}),
        ),
    ),
    "plan": _Command(
        "print what a run will do: totals, schedules, and what never happens",
        "acbo-settings plan --png plan.png",
        (
            _OPTIONAL_PATH,
            ("--png", {"metavar": "FILE", "help": "draw it as a picture too; needs the extra `plot`"}),
            _SETTINGS,
        ),
    ),
}


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command and its arguments; SystemExit with 0 after `--help`, with 2 for wrong usage."""
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what could be typed next
        import argcomplete

        argcomplete.autocomplete(parser)
    words = list(map(as_utf8, sys.argv[1:] if arguments is None else arguments))
    end = words.index("--") if "--" in words and words[:1] and words[0] in _TAKES_JOBS else len(words)
    parsed = parser.parse_args(words[:end])
    parsed.sbatch = words[end + 1 :]
    return parsed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="acbo-settings",
        description="See, check and explain the configuration of an ACBO training job.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in _COMMANDS.items():
        added = commands.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=f"examples:\n  {command.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for argument, options in (*command.arguments, _SCHEMA):
            completed = added.add_argument(argument, **options)
            if argument == "keys":
                completed.completer = _complete_keys  # type: ignore[attr-defined]  # argcomplete looks for it
    return parser


def _complete_keys(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    from ..api import SCHEMA
    from ..engine.names import variable_name
    from .own_schema import SchemaError, find_schema

    try:
        schema = find_schema(parsed_args.schema)
    except SchemaError:
        schema = SCHEMA
    return [name for path in schema.defaults for name in (".".join(path), variable_name(schema, path))]
