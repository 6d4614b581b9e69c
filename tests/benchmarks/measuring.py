"""The job that `start.py` measures, the programs that do it, and how one run of a program is measured."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = {
    "pass": "pass",
    "plain": "from plain_settings import Settings; Settings()",
    "load": "from acbo_settings import load_training_config; load_training_config()",
    "import": "import acbo_settings",
    "check": "from acbo_settings.cli.main import main; main(['check'])",
    "help": "from acbo_settings.cli.main import main; main(['--help'])",
    "first": "from acbo_settings import load_training_config; load_training_config(run_dir='runs/first')",
    "resume": "from acbo_settings import load_training_config; load_training_config(run_dir='runs/resumed')",
    "msgspec": "from msgspec_settings import load; load()",
}

# How a load is counted without the start around it: that of many loads, less that of a few.
FEW, MANY = 10, 60
LOADS = "from acbo_settings import load_training_config; [load_training_config('{}.toml') for _ in range({})]"
EXTENDING = {f"{name} {count}": LOADS.format(name, count) for name in ("third", "one") for count in (FEW, MANY)}
"""The loads of a file that extends two others, and of one file of the same size."""

OWN = {
    "resume 36": "import own_settings, acbo_settings as a; a.load_training_config(run_dir='runs/resumed')",
    "resume 60": "import own_settings as o, acbo_settings as a;"
    " a.load_training_config(run_dir='runs/own', schema=o.SixtySettings)",
    "check 36": "import own_settings; from acbo_settings.cli.main import main; main(['check'])",
    "check 60": "from acbo_settings.cli.main import main; main(['check', '--schema', 'own_settings:SixtySettings'])",
}
"""The same with the reference's settings and with 24 of one's own beside them; all import the module of the class."""

# Imported from the working directory, so that their byte code is cached as that of an installed package is.
HELPERS = ("plain_settings.py", "msgspec_settings.py", "own_settings.py", "in_process.py", "late_start.py")

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
final_temperature = 0.2
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
        """Start a program in the job, its output kept; `runs/first` is frozen by none yet, `runs/resumed` is."""
        if any("runs/first" in word for word in command):
            shutil.rmtree(Path(self.directory, "runs", "first"), ignore_errors=True)
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.directory, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *command: str) -> tuple[str, str]:
        """What a program prints to stdout and to stderr; CalledProcessError when it fails."""
        with self.start(*command) as process:
            output, errors = process.communicate()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, output, errors)
        return output, errors


def make_job(directory: str) -> Job:
    """Write the job's files into a directory, and put its environment together.

    `PYTHONPATH` is the caller's, so that a checkout that is not installed can be measured too; nothing else is.
    """
    Path(directory, "acbo.toml").write_text(FILE, encoding="utf-8")
    write_extending(directory)
    for name in HELPERS:
        shutil.copy(Path(__file__).with_name(name), directory)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return Job(directory, kept | VARIABLES)


def write_extending(directory: str) -> None:
    """Write the job's file as three, `third.toml` over `second.toml` over `first.toml`, and as one of the same size."""
    second, third = FILE.index("[rewards]"), FILE.index("[grpo]")
    texts = {
        "first.toml": FILE[second:],
        "second.toml": f'extends = "first.toml"\n{FILE[third:second]}',
        "third.toml": f'extends = "second.toml"\n{FILE[:third]}',
    }
    missing = sum(map(len, texts.values())) - len(FILE)
    texts["one.toml"] = "#" * (missing - 1) + "\n" + FILE
    for name, text in texts.items():
        Path(directory, name).write_text(text, encoding="utf-8")


def verify(job: Job) -> None:
    """Fail unless all programs give the same values, of the same types, without a word on stderr.

    The run directory is frozen by this, and that a start from it takes the short way is verified too.
    """
    plain = "import json; from plain_settings import Settings; print(json.dumps(Settings().model_dump()))"
    msgspec = "import json, msgspec_settings as m; print(json.dumps(m.to_tree(m.load())))"
    load = "import json, acbo_settings as a; print(json.dumps(a.load_training_config({}).to_dict()))"
    resume = load.format("run_dir='runs/resumed'")
    outputs = [
        job.run(sys.executable, "-c", program)[0] for program in (plain, msgspec, load.format(""), resume, resume)
    ]
    outputs += [job.run(sys.executable, "-c", load.format(f"'{name}.toml'"))[0] for name in ("third", "one")]
    assert all(output == outputs[0] for output in outputs), f"the programs differ: {outputs}"
    job.run(sys.executable, "-c", OWN["resume 60"])
    for program in (PROGRAMS["resume"], OWN["resume 60"]):
        short = f"{program}; import sys; print('pydantic' in sys.modules)"
        assert job.run(sys.executable, "-c", short)[0] == "False\n"
    tree = json.loads(outputs[0])
    values = [value for item in tree.values() for value in (item.values() if isinstance(item, dict) else [item])]
    assert len(values) > 30, f"{len(values)} values"
    layered = tree["log_frequency"], tree["grpo"]["clip_ratio"], tree["grpo"]["group_size"]
    assert layered == (10, 0.1, 128), f"default, file and variable are {layered}"


def cpu_milliseconds(job: Job, name: str) -> float:
    """User and system time of one run of a program, as the kernel counted it."""
    with job.start(sys.executable, "-c", PROGRAMS[name]) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        _, errors = process.communicate()
    assert process.returncode == 0, f"{PROGRAMS[name]} ended with {process.returncode}: {errors}"
    return (usage.ru_utime + usage.ru_stime) * 1e3


def count_instructions(job: Job, program: str) -> float:
    """Millions of instructions that one run of a program takes."""
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    _, errors = job.run(*valgrind, sys.executable, "-c", program)
    found = re.search(r"Collected : (\d+)", errors)
    assert found, f"valgrind did not count: {errors}"
    return int(found[1]) / 1e6


def count_file_calls(job: Job, program: str) -> float:
    """System calls with a path among their arguments, in one run of a program."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace") as trace:
        job.run("strace", "-f", "-e", "trace=file", "-o", trace.name, sys.executable, "-c", program)
        return len(re.findall(r"^\d+ +\w+\(", trace.read(), re.MULTILINE))
