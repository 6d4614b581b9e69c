"""The commands of `acbo-settings` with their arguments and help texts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

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
    " ACBO_CONFIG_FILE, else ./acbo.toml, held to the run that ACBO_RUN_DIR names; /dev/null for no file;"
    " `defaults` for neither file nor variables (a file of that name is ./defaults)"
)


class _Command(NamedTuple):
    """One command: what it does, an example, its arguments, or its own commands. The module of its name holds it."""

    summary: str
    example: str
    arguments: tuple[tuple[str, dict[str, Any]], ...] = ()
    commands: Mapping[str, _Command] = MappingProxyType({})


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

_ENV = ("--no-env", {"dest": "env", "action": "store_false", "help": "leave ACBO_* variables aside"})
_STRICT = ("--strict", {"action": "store_true", "help": "exit with 1 on advice too"})
_SWEEP_FILE = ("path", {"nargs": "?", "default": "sweep.toml", "metavar": "PATH", "help": "default: sweep.toml"})
_SWEEP = ("sweep", {"metavar": "DIR", "help": "the directory of a frozen sweep"})
_DONE = (
    "--done",
    {"metavar": "PATTERN", "help": "a point is also done when its directory has such a file, as 'final*.npz'"},
)

_PICTURES = ("png", "svg", "pdf")


def _picture(file: str) -> tuple[str, str]:
    """The file of a picture, and its form by the suffix."""
    form = os.path.splitext(file)[1][1:].lower()
    if form not in _PICTURES:
        from ..engine.printable import safe_lines, show_value

        raise argparse.ArgumentTypeError(f"{safe_lines(show_value(file))} ends in none of .png, .svg and .pdf")
    return file, form


def _png(file: str) -> tuple[str, str]:
    """The file of a picture in the only form that there once was."""
    return file, "png"


_SWEEP_COMMANDS = {
    "check": _Command(
        "judge every point of a sweep's file, over the acbo.toml beside it",
        "acbo-settings sweep check sweep.toml",
        (_SWEEP_FILE, _ENV, _STRICT, ("--format", _choice("text", "json", "github")), _SETTINGS),
    ),
    "freeze": _Command(
        "write what the tasks will train with, each point as the frozen file of a run; print the points' numbers",
        "acbo-settings sweep freeze sweep.toml --dir sweeps/lr\n"
        "  points=$(acbo-settings sweep status sweeps/lr --array) && sbatch --array=$points job.sbatch",
        (
            _SWEEP_FILE,
            ("--dir", {"metavar": "DIR", "required": True, "help": "the directory of the sweep"}),
            ("--on-change", {"choices": ON_CHANGE, "default": "error", "help": "default: error"}),
            _ENV,
            _SETTINGS,
        ),
    ),
    "show": _Command(
        "print the points of a frozen sweep: number, swept settings, fingerprint, state",
        "acbo-settings sweep show sweeps/lr",
        (_SWEEP, _DONE, ("--format", _choice("table", "json"))),
    ),
    "status": _Command(
        "print how many points are done, and which were started and are not",
        "acbo-settings sweep status sweeps/lr\n"
        "  points=$(acbo-settings sweep status sweeps/lr --array) && sbatch --array=$points job.sbatch",
        (
            _SWEEP,
            _DONE,
            (
                "--array",
                {
                    "action": "store_true",
                    "help": "print all that are not done, for sbatch; exit with 1 if none is left",
                },
            ),
        ),
    ),
    "done": _Command(
        "say that points are done",
        "acbo-settings sweep done sweeps/lr 3 17-19",
        (_SWEEP, ("indices", {"nargs": "+", "metavar": "INDEX", "help": "a number, or a range such as 17-19"})),
    ),
    "table": _Command(
        "print the swept settings of each point beside what its run has measured",
        "acbo-settings sweep table sweeps/lr --metrics metrics.json --png lr.png",
        (
            _SWEEP,
            (
                "--metrics",
                {"metavar": "FILE", "default": "metrics.json", "help": "a JSON file in the directory of each point"},
            ),
            ("--format", _choice("table", "csv", "json", "markdown")),
            ("--metric", {"metavar": "NAME", "help": "what the picture shows; default: the first one"}),
            ("--png", {"metavar": "FILE", "help": "draw a panel for each swept setting; needs the extra `plot`"}),
        ),
    ),
}

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
            _ENV,
            _STRICT,
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
            (
                "first",
                {
                    "metavar": "A",
                    "help": "an acbo.toml or frozen file, the directory of one, or `defaults` (a file of that name is"
                    " ./defaults)",
                },
            ),
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
    "sweep": _Command(
        "judge, freeze and follow the points of a sweep",
        "acbo-settings sweep check sweep.toml\n  acbo-settings sweep freeze sweep.toml --dir sweeps/lr",
        commands=_SWEEP_COMMANDS,
    ),
    "plan": _Command(
        "print what a run will do: totals, schedules, and what never happens",
        "acbo-settings plan --picture plan.svg\n  acbo-settings plan defaults --set total_steps=20000",
        (
            _OPTIONAL_PATH,
            (
                "--picture",
                {
                    "metavar": "FILE",
                    "type": _picture,
                    "help": "draw it too, as a .png, .svg or .pdf; needs the extra `plot`",
                },
            ),
            ("--png", {"metavar": "FILE", "type": _png, "dest": "picture", "help": argparse.SUPPRESS}),
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
    parser.takes_jobs = words[:1] != [] and words[0] in _TAKES_JOBS
    parsed = parser.parse_args(words[:end])
    parsed.sbatch = words[end + 1 :]
    return parsed


class _Parser(argparse.ArgumentParser):
    """The parser of argparse, which says where options of sbatch belong, if the command takes files of jobs."""

    takes_jobs = False

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end the process with 2."""
        if message.startswith("unrecognized arguments: -") and self.takes_jobs:
            message += " (options of sbatch stand behind --)"
        super().error(message)


def _parser() -> _Parser:
    parser = _Parser(
        prog="acbo-settings",
        description="See, check and explain the configuration of an ACBO training job.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_commands(parser, _COMMANDS, "")
    return parser


def _add_commands(parser: argparse.ArgumentParser, commands: Mapping[str, _Command], above: str) -> None:
    """Add commands to a parser, whose own is called `above`; the module of each is `command` of what is parsed."""
    added = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in commands.items():
        below = added.add_parser(
            name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            epilog=f"examples:\n  {command.example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if command.commands:
            _add_commands(below, command.commands, f"{name}.")
            continue
        below.set_defaults(command=f"{above}{name}")
        for argument, options in (*command.arguments, _SCHEMA):
            completed = below.add_argument(argument, **options)
            if argument == "keys":
                completed.completer = _complete_keys  # type: ignore[attr-defined]  # argcomplete looks for it


def _complete_keys(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    from ..api import SCHEMA
    from ..engine.names import variable_name
    from .own_schema import SchemaError, find_schema

    try:
        schema = find_schema(parsed_args.schema)
    except SchemaError:
        schema = SCHEMA
    return [name for path in schema.defaults for name in (".".join(path), variable_name(schema, path))]
