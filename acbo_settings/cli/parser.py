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
from ..engine.printable import fit
from ..engine.run_arguments import ON_CHANGE

_EPILOG = """environment variables that start with ACBO_ count as they do in a job.
exit codes: 0 success, 1 not valid (diff: different), 2 wrong usage, or output that cannot be written
completion:
  eval "$(register-python-argcomplete acbo-settings)\""""

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
        "judge every point of a sweep's file",
        "acbo-settings sweep check sweep.toml",
        (_SWEEP_FILE, _ENV, _STRICT, ("--format", _choice("text", "json", "github")), _SETTINGS),
    ),
    "freeze": _Command(
        "freeze each point as a run; print the points' numbers",
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
        "print the points of a frozen sweep, with their states",
        "acbo-settings sweep show sweeps/lr",
        (_SWEEP, _DONE, ("--format", _choice("table", "json"))),
    ),
    "status": _Command(
        "print how many points are done, and which are not",
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
        "print the settings of each point beside what it measured",
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

_COMMANDS: Mapping[str, _Command] = {
    "init": _Command(
        "write a commented acbo.toml to edit; never overwrites",
        "acbo-settings init\n  acbo-settings init --json-schema experiments/scm20/",
        (
            (
                "path",
                {
                    "nargs": "?",
                    "default": "acbo.toml",
                    "metavar": "PATH",
                    "help": "the file, or a directory for it; default: acbo.toml",
                },
            ),
            ("--json-schema", {"action": "store_true", "help": "with its JSON Schema beside it, for editors"}),
        ),
    ),
    "check": _Command(
        "print everything that is wrong with files or jobs, or ok",
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
    "show": _Command(
        "print the configuration of a job, with origins as comments",
        "acbo-settings show --changed\n  acbo-settings show --format env > job.env && source job.env",
        (
            _OPTIONAL_PATH,
            ("--format", _choice("toml", "json", "env")),
            ("--changed", {"action": "store_true", "help": "only what differs from the defaults"}),
            _SETTINGS,
        ),
    ),
    "explain": _Command(
        "print what a setting means, its value, and where that came from",
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
            ("--format", _choice("table", "json", "markdown")),
        ),
    ),
    "freeze": _Command(
        "freeze the configuration of a run, or hold today's to it",
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
    "sweep": _Command(
        "judge, freeze and follow the points of a sweep",
        "acbo-settings sweep check sweep.toml\n  acbo-settings sweep freeze sweep.toml --dir sweeps/lr",
        commands=_SWEEP_COMMANDS,
    ),
    "env": _Command(
        "print every environment variable, with what it can be",
        "acbo-settings env --format markdown > VARIABLES.md",
        (("--format", _choice("table", "markdown", "json")),),
    ),
    "schema": _Command(
        "print the JSON Schema of an acbo.toml, for editors",
        "acbo-settings schema > acbo.schema.json",
    ),
    "migrate": _Command(
        "rewrite old names of settings in files, and nothing else",
        "acbo-settings migrate --check experiments/*/acbo.toml",
        (
            ("paths", {"nargs": "*", "metavar": "PATH", "help": "an acbo.toml, or its directory; default: acbo.toml"}),
            ("--check", {"action": "store_true", "help": "write nothing; exit with 1 when there is something to do"}),
        ),
    ),
}

_ALL = _Command("see, check and explain the configuration of an ACBO training job", "", commands=_COMMANDS)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command and its arguments; SystemExit with 0 after `--help`, with 2 for wrong usage."""
    words = list(map(as_utf8, sys.argv[1:] if arguments is None else arguments))
    parser = _Parser("acbo-settings", _ALL, words)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what could be typed next
        import argcomplete

        argcomplete.autocomplete(parser)
    end = words.index("--") if "--" in words and words[:1] and words[0] in _TAKES_JOBS else len(words)
    parsed, unexpected = parser.parse_known_args(words[:end])
    if unexpected:
        parsed.parser.refuse(unexpected)
    parsed.sbatch = words[end + 1 :]
    return parsed


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that fits the terminal, and breaks no word, and an example only as a shell would take it."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._max_help_position = min(self._max_help_position, max(14, self._width // 4))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines = text.splitlines()
        return "\n".join(_fit_line(line, width, "  " if len(lines) > 1 else "") for line in lines)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return fit(text, width, "").splitlines()

    def _format_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None) -> str:
        return fit(f"usage: {usage}", self._width) + "\n\n"

    def _format_action(self, action: argparse.Action) -> str:
        if isinstance(action, argparse._SubParsersAction):  # the commands alone, without a heading among them
            return "".join(self._format_action(each) for each in action._choices_actions)
        return super()._format_action(action)


def _fit_line(line: str, width: int, indent: str) -> str:
    """A line of a description; an example, which has white space in front, goes on behind a backslash."""
    if not line.startswith(" ") or len(line) <= width:
        return fit(line, width, indent)
    return fit(line, width - 2, "      ").replace("\n", " \\\n")


class _Parser(argparse.ArgumentParser):
    """The parser of a command, which says of wrong usage what was probably meant; `words` are all that was typed."""

    def __init__(self, prog: str, command: _Command, words: Sequence[str]) -> None:
        sentence = f"{command.summary[0].upper()}{command.summary[1:]}."
        super().__init__(
            prog=prog,
            usage=_usage(prog, command),
            description=sentence,
            epilog=f"examples:\n  {command.example}" if command.example else _EPILOG,
            formatter_class=_Help,
            allow_abbrev=False,  # what is short for one option today may be short for two tomorrow
        )
        self.command, self.words = command, words
        self.name = prog.partition(" ")[2]
        self._positionals.title = "commands" if command.commands else "arguments"
        if command.commands:
            self._add_commands(command.commands)
        else:
            self._add_arguments()

    def _add_commands(self, commands: Mapping[str, _Command]) -> None:
        added = self.add_subparsers(required=True, metavar="COMMAND", prog=self.prog)
        for name, command in commands.items():
            known: Any = {"command": command, "words": self.words}
            added.add_parser(name, prog=f"{self.prog} {name}", help=command.summary, **known)

    def _add_arguments(self) -> None:
        self.set_defaults(command=self.name.replace(" ", "."), parser=self)
        for argument, options in (*self.command.arguments, _SCHEMA):
            completed = self.add_argument(argument, **options)
            if argument == "keys":
                completed.completer = _complete_keys  # type: ignore[attr-defined]  # argcomplete looks for it

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        from .usage import no_such_choice, no_such_command

        if isinstance(action, argparse._SubParsersAction):
            self.error(no_such_command(value, list(action.choices)))
        self.error(no_such_choice(action.option_strings[0], value, list(action.choices)))

    def refuse(self, unexpected: Sequence[str]) -> NoReturn:
        """Say of words that the command does not take what was meant."""
        from .usage import no_such_argument

        takes_jobs = self.name in _TAKES_JOBS
        self.error(no_such_argument(self.name, dict(self.command.arguments), self.words, unexpected, takes_jobs))

    def error(self, message: str) -> NoReturn:
        """Say what is wrong below the usage of the command, and end the process with 2."""
        from .output import WRONG_USAGE, note
        from .usage import is_lacking, what_is_lacking

        known = dict(self.command.arguments)
        if is_lacking(message) and self.command.commands:
            message, shown = "", self.format_help()  # who asks for nothing sees what there is
        else:
            message, shown = what_is_lacking(message, self.name, known, self.words), self.format_usage()
        if sys.stderr is not None:  # the shell has closed it
            print(shown.rstrip("\n"), file=sys.stderr)
        if message:
            note(f"{self.prog}: error: {message}")
        self.exit(WRONG_USAGE)


def _usage(prog: str, command: _Command) -> str:
    """How a command is called, in one line: its options stand below, but for those that it needs."""
    if command.commands:
        return f"{prog} COMMAND ..."
    needed = [f"{name} {options['metavar']}" for name, options in command.arguments if options.get("required")]
    forms = {"?": "[{0}]", "*": "[{0} ...]", "+": "{0} [{0} ...]"}
    positional = [options for name, options in command.arguments if not name.startswith("-")]
    places = [forms.get(options.get("nargs", ""), "{0}").format(options["metavar"]) for options in positional]
    return " ".join([prog, "[OPTIONS]", *needed, *places])


def _complete_keys(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    from ..api import SCHEMA
    from ..engine.names import variable_name
    from .own_schema import SchemaError, find_schema

    try:
        schema = find_schema(parsed_args.schema)
    except SchemaError:
        schema = SCHEMA
    return [name for path in schema.defaults for name in (".".join(path), variable_name(schema, path))]
