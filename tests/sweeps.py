"""A small sweep for the tests, and how its tasks are started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from acbo_settings import TrainingConfig, load_training_config
from acbo_settings.cli.main import main

from .command_line import ENVIRON, write

ACBO = "log_frequency = 20\n[grpo]\nnum_iterations = 2\n"
SWEEP = """\
[grid]
grpo.group_size = [32, 64]
metadata.seed = [1, 2]

[[paired]]
grpo.learning_rate = 1e-4
warmup_steps = 100

[[paired]]
grpo.learning_rate = 3e-4
warmup_steps = 300
"""
"""Eight points."""

DIRECTORY = Path("sweeps/lr")


def write_sweep(sweep: str = SWEEP, acbo: str = ACBO) -> None:
    """Write the file of a sweep, and what lies below its points."""
    write("sweep.toml", sweep)
    write("acbo.toml", acbo)


def freeze(*arguments: str) -> None:
    """Freeze the sweep of the working directory, which must be possible."""
    assert main(["sweep", "freeze", "--dir", str(DIRECTORY), *arguments]) == 0


def task(index: int, **environ: str) -> TrainingConfig:
    """What a task of the array trains with."""
    return load_training_config(sweep=DIRECTORY, environ={"SLURM_ARRAY_TASK_ID": str(index), **environ})


def python(program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the working directory with a clean environment."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=ENVIRON | environ, capture_output=True, text=True, check=False, timeout=60)
