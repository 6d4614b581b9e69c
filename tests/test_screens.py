"""What the commands look like in a terminal: whole screens of 50, 80 and 120 columns, as text files."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from .command_line import run, screen, write

WIDTHS = (50, 80, 120)

COMMANDS = {
    "help": "--help",
    "init-help": "init --help",
    "check-help": "check --help",
    "explain-help": "explain --help",
    "diff-help": "diff --help",
    "freeze-help": "freeze --help",
    "show-help": "show --help",
    "plan-help": "plan --help",
    "env-help": "env --help",
    "schema-help": "schema --help",
    "migrate-help": "migrate --help",
    "sweep-help": "sweep --help",
    "sweep-check-help": "sweep check --help",
    "sweep-freeze-help": "sweep freeze --help",
    "sweep-show-help": "sweep show --help",
    "sweep-status-help": "sweep status --help",
    "sweep-done-help": "sweep done --help",
    "sweep-table-help": "sweep table --help",
    "init": "init new/",
    "init-again": "init acbo.toml",
    "check": "check acbo.toml",
    "check-job": "check broken.sbatch",
    "check-schema": "check --schema nowhere",
    "check-set": "check --set gruop_size=128 --set grpo.clip_ratio=2",
    "check-broken": "check broken.toml",
    "check-many": "check acbo.toml broken.toml job.sbatch",
    "check-advice": "check advised.toml",
    "explain": "explain grpo.group_size",
    "explain-section": "explain log_frequency exploration",
    "explain-all": "explain",
    "explain-job": "explain --in job.sbatch log_frequency",
    "explain-unknown": "explain gruop_size",
    "diff": "diff acbo.toml other.toml",
    "diff-three": "diff defaults acbo.toml other.toml",
    "diff-seven": "diff defaults acbo.toml other.toml acbo.toml other.toml acbo.toml defaults",
    "show": "show",
    "show-changed": "show --changed --set grpo.group_size=64 other.toml",
    "plan": "plan",
    "plan-defaults": "plan defaults --set evaluation.early_stopping_enabled=true",
    "freeze": "freeze --run-dir runs/17",
    "freeze-changed": "freeze --run-dir runs/16",
    "freeze-nowhere": "freeze",
    "migrate": "migrate --check acbo.toml",
    "env": "env",
    "sweep-check": "sweep check sweep.toml",
    "sweep-check-broken": "sweep check broken-sweep.toml",
    "sweep-freeze": "sweep freeze sweep.toml --dir sweeps/new",
    "sweep-show": "sweep show sweeps/lr",
    "sweep-status": "sweep status sweeps/lr",
    "sweep-done": "sweep done sweeps/lr 1-2",
    "sweep-table": "sweep table sweeps/lr",
    "unknown-command": "chek",
    "unknown-option": "check --sets grpo.group_size=8",
    "unknown-word": "freeze runs/18",
    "lacking": "diff acbo.toml",
}
"""Each name is that of a file in tests/reports/screens."""

COLOURED = [
    "check-broken",
    "check-advice",
    "show",
    "plan",
    "explain",
    "explain-all",
    "explain-job",
    "diff-three",
    "env",
    "sweep-show",
]

FILES = {
    "acbo.toml": "[grpo]\ngroup_size = 32\nlearning_rate = 1e-4\n",
    "other.toml": "extends = 'acbo.toml'\ntotal_steps = 20000\n[metadata]\nnote = 'a longer run of the same'\n",
    "broken.toml": "total_stepps = 20000\n\n[grpo]\ngroup_size = 4\nlearning_rate = '3e-4'\n",
    "advised.toml": "[evaluation]\nearly_stopping_patience = 5\n",
    "job.sbatch": "#!/bin/bash\n#SBATCH --array=0-1\n\nexport ACBO_LOG_FREQUENCY=$((5 * SLURM_ARRAY_TASK_ID))\n"
    "srun python train.py\n",
    "broken.sbatch": "#!/bin/bash\n\nexport ACBO_LOG_FREQUENCY=0\nexport ACBO_GRPO_GROUP_SIZE=128\n"
    "srun python train.py\n",
    "broken-sweep.toml": "[grid]\nwarmup_steps = [0, 7000]\ngrpo.clip_ratio = [0.1, 0.2]\n",
    "sweep.toml": "[grid]\ngrpo.learning_rate = [1e-4, 3e-4]\ngrpo.clip_ratio = [0.1, 0.2]\nwarmup_steps = [0, 200]\n",
}

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory as somebody has it after a week."""
    directory = tmp_path_factory.mktemp("laboratory")
    with contextlib.chdir(directory):
        for name, text in FILES.items():
            write(name, text)
        assert run("freeze", "--run-dir", "runs/16", "--set", "grpo.group_size=64").returncode == 0
        assert run("sweep", "freeze", "sweep.toml", "--dir", "sweeps/lr").returncode == 0
        for point in range(3):
            write(f"sweeps/lr/{point:04}/metrics.json", f'{{"loss": {1 / (point + 1):.6f}}}')
    return directory


@pytest.fixture(autouse=True)
def copied(laboratory: Path, isolated: Path) -> None:
    """Copy it to where the test runs."""
    shutil.copytree(laboratory, isolated, dirs_exist_ok=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_screens(name: str, assert_report: Callable[[str, str], None]) -> None:
    """Each screen is asserted whole, no line is wider than the terminal, and `NO_COLOR` takes nothing but colours."""
    screens = []
    for width in WIDTHS:
        text = ESCAPES.sub("", screen_of(name, width))
        assert "\x1b" not in text
        assert max(map(len, text.split("\n"))) <= width
        screens.append(f"=== {width} columns: acbo-settings {COMMANDS[name]}\n{text}")
    assert screens[-1].endswith(f"\n{screen_of(name, WIDTHS[-1], NO_COLOR='1')}")
    assert_report(f"screens/{name}", "\n".join(screens).rstrip("\n"))


def screen_of(name: str, width: int, **environ: str) -> str:
    """The screen of a command, before which nothing has been written."""
    text = screen(width, *COMMANDS[name].split(), **environ)
    for made in ("new", "runs/17", "sweeps/new"):
        shutil.rmtree(made, ignore_errors=True)
    return text


def coloured_by_line(text: str) -> str:
    """A screen in which no colour goes on behind the end of a line, as it does with older versions of rich."""
    lines, active = [], ""
    for line in text.split("\n"):
        begun = active
        for code in ESCAPES.findall(line):
            active = "" if code == "\x1b[0m" else active + code
        whole = f"{begun}{line}" + ("\x1b[0m" if active else "")
        lines.append(re.sub(r"(?:\x1b\[[1-9][0-9;]*m)+\x1b\[0m", "", whole))
    return "\n".join(lines)


@pytest.mark.parametrize("name", COLOURED)
def test_colours(name: str, assert_report: Callable[[str, str], None]) -> None:
    """Bold and dim, and red, go with dark and light backgrounds; their escape sequences are shown as they are."""
    shown = coloured_by_line(screen_of(name, 80))
    assert_report(f"screens/{name}-colours", shown.replace("\x1b", "␛").rstrip("\n"))
