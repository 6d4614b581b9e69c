"""What a start costs: `load_training_config()` against plain pydantic-settings, as a Markdown table.

    python tests/benchmarks/start.py > table.md

Everything is measured in one run and the programs take turns, so that a machine that changes its speed hits all of
them alike. A ratio is the median of the ratios of the rounds, which moves less than that of two medians. Instructions
need valgrind and file system calls strace; without them the table says so. The exit code is 1 when a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

COLD_LIMIT = 1.15
IMPORT_LIMIT = 5.0
READ_LIMIT = 1.1
CHECK_LIMIT = 1.3
HELP_LIMIT = 6.0
WARM_LIMIT = 500.0

PROGRAMS = {
    "pass": "pass",
    "plain": "from plain_settings import Settings; Settings()",
    "load": "from acbo_settings import load_training_config; load_training_config()",
    "import": "import acbo_settings",
    "check": "from acbo_settings.cli import main; main(['check'])",
    "help": "from acbo_settings.cli import main; main(['--help'])",
}

# Imported from the working directory, so that their byte code is cached as that of an installed package is.
HELPERS = ("plain_settings.py", "in_process.py")

FORBIDDEN_MODULES = ("pydantic", "pydantic_core", "tomllib", "hashlib", "_hashlib", "ssl")

VARIABLES = {"ACBO_TOTAL_STEPS": "30000", "ACBO_GRPO__GROUP_SIZE": "128", "ACBO_REWARDS__PARENT_WEIGHT": "0.4"}

FILE = """\
total_steps = 20000
warmup_steps = 500

[grpo]
group_size = 32
num_iterations = 2
learning_rate = 1e-4
clip_ratio = 0.1

[rewards]
structure_weight = 0.8
reward_scaling = "clip"

[exploration]
initial_temperature = 3.0
adaptation_steps = 8000

[evaluation]
eval_frequency = 200
checkpoint_frequency = 1000
"""

Figures = Mapping[str, Sequence[float]]
"""What was measured of each program, one figure a round."""


@dataclass(frozen=True, slots=True)
class Job:
    """The directory and the environment that every program starts in; `make_job` makes it."""

    directory: str
    environment: Mapping[str, str]

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a program in the job, its output kept."""
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.directory, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *command: str) -> tuple[str, str]:
        """What a program prints to stdout and to stderr; CalledProcessError when it fails."""
        with self.start(*command) as process:
            output, errors = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output, errors)
        return output, errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure of the table."""

    what: str
    load: str
    plain: str = "–"
    reference: str = "–"
    ratio: str = "–"
    limit: str = "–"
    met: bool | None = None
    decides: bool = True
    """Whether the exit code is 1 when the limit is missed."""

    def __str__(self) -> str:
        met = {True: "yes", False: "no", None: "–"}[self.met]
        return f"| {' | '.join((self.what, self.load, self.plain, self.reference, self.ratio, self.limit, met))} |"


HEAD = """\
| what | acbo-settings | plain pydantic-settings | `python -c pass`, or the reference named | ratio | limit | met? |
| --- | --- | --- | --- | --- | --- | --- |"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code."""
    parsed = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        job = make_job(directory)
        verify(job)
        rows = [*cpu_rows(job, parsed.rounds)]
        rows += instruction_rows(job) if parsed.instructions else []
        rows += [*file_call_rows(job), module_row(job), *in_process_rows(job)]
    rows.sort(key=lambda row: row.what.startswith("`") + row.what.startswith("`import"))
    packages = ", ".join(f"{name} {version(name)}" for name in ("pydantic", "pydantic-settings"))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{python}, {packages}, {platform.machine()}, {os.cpu_count()} CPUs\n\n{HEAD}")
    print(*rows, sep="\n")
    return int(any(row.met is False and row.decides for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Measure what a start costs, and print a Markdown table.",
        epilog="A ratio is the median of the rounds' ratios. Exit code: 0, or 1 when a limit is missed that is not"
        " called informative.",
    )
    parser.add_argument(
        "--rounds",
        type=_positive,
        default=15,
        metavar="N",
        help="how often each program is timed (default: %(default)s)",
    )
    parser.add_argument(
        "--no-instructions", dest="instructions", action="store_false", help="do not count instructions with valgrind"
    )
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def make_job(directory: str) -> Job:
    """Write the job's files into a directory, and put its environment together.

    `PYTHONPATH` is the caller's, so that a checkout that is not installed can be measured too; nothing else is.
    """
    Path(directory, "acbo.toml").write_text(FILE, encoding="utf-8")
    for name in HELPERS:
        shutil.copy(Path(__file__).with_name(name), directory)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return Job(directory, kept | VARIABLES)


def verify(job: Job) -> None:
    """Fail unless both programs give the same 36 values, of the same types, without a word on stderr."""
    plain = "import json; from plain_settings import Settings; print(json.dumps(Settings().model_dump()))"
    load = "import json, acbo_settings; print(json.dumps(acbo_settings.load_training_config().to_dict()))"
    outputs = [job.run(sys.executable, "-c", program) for program in (plain, load)]
    assert outputs[0] == outputs[1], f"the programs differ: {outputs}"
    tree = json.loads(outputs[0][0])
    values = [value for item in tree.values() for value in (item.values() if isinstance(item, dict) else [item])]
    assert len(values) == 36, f"{len(values)} values"
    layered = tree["log_frequency"], tree["grpo"]["clip_ratio"], tree["grpo"]["group_size"]
    assert layered == (10, 0.1, 128), f"default, file and variable are {layered}"


def cpu_rows(job: Job, rounds: int) -> list[Row]:
    """CPU time of cold starts: the median of the rounds, and the minimum in parentheses."""
    figures: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for name in PROGRAMS:
        cpu_milliseconds(job, name)
    for number in range(1, rounds + 1):
        _progress(f"CPU time: round {number} of {rounds}")
        for name in PROGRAMS:
            figures[name].append(cpu_milliseconds(job, name))
    return [
        _compare_to_plain("cold start, CPU ms: median (minimum)", figures, COLD_LIMIT),
        _compare_check("`acbo-settings check`, CPU ms: median (minimum)", figures),
        _compare_to_pass("help", "`acbo-settings --help`, CPU ms: median (minimum)", figures, HELP_LIMIT),
        _compare_to_pass("import", "`import acbo_settings`, CPU ms: median (minimum)", figures),
    ]


def cpu_milliseconds(job: Job, name: str) -> float:
    """User and system time of one run of a program, as the kernel counted it."""
    with job.start(sys.executable, "-c", PROGRAMS[name]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        _, errors = process.communicate()
    assert process.returncode == 0, f"{PROGRAMS[name]} ended with {process.returncode}: {errors}"
    return (usage.ru_utime + usage.ru_stime) * 1e3


def instruction_rows(job: Job) -> list[Row]:
    """Instructions of cold starts, which hardly change from run to run."""
    figures = _counts("valgrind", job, count_instructions)
    if isinstance(figures, str):
        return [Row(what="million instructions", load=figures)]
    return [
        _compare_to_plain("cold start, million instructions", figures, COLD_LIMIT, decides=False),
        _compare_check("`acbo-settings check`, million instructions", figures),
        _compare_to_pass("help", "`acbo-settings --help`, million instructions", figures, HELP_LIMIT),
        _compare_to_pass("import", "`import acbo_settings`, million instructions", figures, IMPORT_LIMIT),
    ]


def count_instructions(job: Job, name: str) -> float:
    """Millions of instructions that one run of a program takes."""
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    _, errors = job.run(*valgrind, sys.executable, "-c", PROGRAMS[name])
    found = re.search(r"Collected : (\d+)", errors)
    assert found, f"valgrind did not count: {errors}"
    return int(found[1]) / 1e6


def file_call_rows(job: Job) -> list[Row]:
    """File system calls of cold starts, beyond those that the interpreter makes by itself."""
    what = (
        "cold start, file system calls beyond `python -c pass`",
        "`import acbo_settings`, file system calls beyond `python -c pass`",
    )
    figures = _counts("strace", job, count_file_calls)
    if isinstance(figures, str):
        return [Row(what=text, load=figures) for text in what]
    beyond = {name: [count - figures["pass"][0] for count in counts] for name, counts in figures.items()}
    return [_compare_to_plain(what[0], beyond), Row(what=what[1], load=_show(beyond["import"]), reference="0")]


def count_file_calls(job: Job, name: str) -> float:
    """System calls with a path among their arguments, in one run of a program."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as trace:
        job.run("strace", "-f", "-e", "trace=file", "-o", trace.name, sys.executable, "-c", PROGRAMS[name])
        return len(re.findall(r"^\d+ +\w+\(", trace.read(), re.MULTILINE))


def _counts(tool: str, job: Job, count: Callable[[Job, str], float]) -> Figures | str:
    """One count of each program; or, in words, why there is none."""
    if shutil.which(tool) is None:
        return f"no {tool} here"
    figures: dict[str, list[float]] = {}
    for name, program in PROGRAMS.items():
        _progress(f"{tool}: {program}")
        try:
            figures[name] = [count(job, name)]
        except subprocess.CalledProcessError as error:
            _progress(error.stderr)
            return f"{tool} does not work here"
    return figures


def module_row(job: Job) -> Row:
    """Which of the modules that cost much `import acbo_settings` brings."""
    program = "import sys; before = set(sys.modules); import acbo_settings; print(*set(sys.modules) - before)"
    output, _ = job.run(sys.executable, "-c", program)
    found = sorted(set(FORBIDDEN_MODULES) & set(output.split()))
    what = f"`import acbo_settings`, modules out of {', '.join(FORBIDDEN_MODULES)}"
    return Row(what=what, load=", ".join(found) or "none", limit="none", met=not found)


def in_process_rows(job: Job) -> list[Row]:
    """Warm loads and attribute reads, which a process of their own measures."""
    _progress("warm loads and attribute reads")
    output, _ = job.run(
        sys.executable, "-c", "import in_process; from plain_settings import Settings; in_process.measure(Settings)"
    )
    figures: dict[str, dict[str, list[float]]] = json.loads(output)
    return [_warm_row(figures["warm"]), _read_row(figures["read"])]


def _warm_row(figures: Figures) -> Row:
    load, plain = median(figures["load"]), median(figures["plain"])
    return Row(
        what="warm load, µs: median (minimum)",
        load=_show(figures["load"]),
        plain=_show(figures["plain"]),
        ratio=f"{_ratio(figures['load'], figures['plain']):.2f}",
        limit=f"≤ {WARM_LIMIT:.0f} µs, or plain if that is more",
        met=load <= max(WARM_LIMIT, plain),
    )


def _read_row(figures: Figures) -> Row:
    load, plain, slotted = (min(figures[name]) for name in ("load", "plain", "slotted"))
    return Row(
        what="attribute read, ns: minimum",
        load=f"{load:.2f}",
        plain=f"{plain:.2f}",
        reference=f"slotted dataclass {slotted:.2f}",
        ratio=f"{load / slotted:.2f}",
        limit=f"≤ {READ_LIMIT}",
        met=load <= READ_LIMIT * slotted,
    )


def _compare_to_plain(what: str, figures: Figures, limit: float | None = None, decides: bool = True) -> Row:
    ratio = _ratio(figures["load"], figures["plain"])
    return Row(
        what=what,
        load=_show(figures["load"]),
        plain=_show(figures["plain"]),
        reference=_show(figures["pass"]),
        ratio=f"{ratio:.3f}",
        limit="–" if limit is None else f"≤ {limit}{'' if decides else ' (informative)'}",
        met=None if limit is None else ratio <= limit,
        decides=decides,
    )


def _compare_check(what: str, figures: Figures) -> Row:
    """The command on a good file, compared with what a job pays for the same."""
    ratio = _ratio(figures["check"], figures["load"])
    reference = f"load_training_config() {_show(figures['load'])}"
    limit = f"≤ {CHECK_LIMIT}"
    return Row(
        what=what,
        load=_show(figures["check"]),
        reference=reference,
        ratio=f"{ratio:.3f}",
        limit=limit,
        met=ratio <= CHECK_LIMIT,
    )


def _compare_to_pass(name: str, what: str, figures: Figures, limit: float | None = None) -> Row:
    ratio = _ratio(figures[name], figures["pass"])
    return Row(
        what=what,
        load=_show(figures[name]),
        reference=_show(figures["pass"]),
        ratio=f"{ratio:.2f}",
        limit="–" if limit is None else f"≤ {limit}",
        met=None if limit is None else ratio <= limit,
    )


def _ratio(figures: Sequence[float], reference: Sequence[float]) -> float:
    """The median of the ratios, each of two figures of the same round."""
    return median(figure / other for figure, other in zip(figures, reference, strict=True))


def _show(figures: Sequence[float]) -> str:
    """The median, and the minimum in parentheses where there are several."""
    middle, least = f"{median(figures):,.0f}", f"{min(figures):,.0f}"
    return middle if len(figures) == 1 else f"{middle} ({least})"


if __name__ == "__main__":
    raise SystemExit(main())
