"""A batch script whose tasks train the points of a sweep: its array against the points that there are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acbo_settings.engine.frozen_sweep import MAX_NUMBERS
from acbo_settings.jobs.slurm.sweep_array import array_tasks

from ...command_line import told, write
from ...sweeps import DIRECTORY, SWEEP, freeze, write_sweep

AssertReport = Callable[[str, str], None]

SCRIPT = """\
#!/bin/bash
#SBATCH --array=0-1,4-5,8-9%2
export ACBO_SWEEP=sweeps/lr
srun python train.py
"""
CASES = {
    "as it should be": (SCRIPT, []),
    "beyond the end": (SCRIPT.replace("8-9", "8-10"), []),
    "beyond the end on the command line": (SCRIPT, ["--array=1,17-19"]),
    "a retired point": (SCRIPT.replace("8-9", "8,3"), []),
    "no array": (SCRIPT.replace("#SBATCH --array=0-1,4-5,8-9%2\n", ""), []),
    "an empty array": (SCRIPT, ["--array="]),
    "an array on the command line": (SCRIPT.replace("#SBATCH --array=0-1,4-5,8-9%2\n", ""), ["--array", "1,4"]),
    "a number of its own": (
        SCRIPT.replace("sweeps/lr", "sweeps/lr ACBO_SWEEP_INDEX=1").replace("0-1,4-5,8-9%2", "20"),
        [],
    ),
    "a number that only the job knows": (SCRIPT.replace("sweeps/lr", "sweeps/lr ACBO_SWEEP_INDEX=$((I * 2))"), []),
    "a sweep that only the job knows": (SCRIPT.replace("sweeps/lr", "$HOME/lr"), []),
    "a sweep on another machine": (SCRIPT.replace("sweeps/lr", "/no-such-disk/lr"), []),
    "no such sweep": (SCRIPT.replace("sweeps/lr", "sweeps/rl"), []),
    "a sweep that the script freezes": (
        SCRIPT.replace("export", "acbo-settings sweep freeze --dir sweeps/new\nexport").replace("/lr", "/new"),
        [],
    ),
    "another sweep that the script freezes": (
        SCRIPT.replace("8-9", "8-10").replace("export", "acbo-settings sweep freeze --dir sweeps/new\nexport"),
        [],
    ),
    "a sweep that python freezes": (
        SCRIPT.replace("export", "python -m acbo_settings sweep freeze --dir=sweeps/new\nexport").replace(
            "/lr", "/new"
        ),
        [],
    ),
    "variables that follow the task": (
        SCRIPT.replace(
            "srun",
            "if [ $SLURM_ARRAY_TASK_ID -lt 4 ]; then export ACBO_WARMUP_STEPS=100; else"
            " export ACBO_WARMUP_STEPS=300; fi\nsrun",
        ),
        [],
    ),
    "a table of variables": (
        SCRIPT.replace("srun", "export ACBO_GRPO='{\"learning_rate\": 1e-4}'\nsrun"),
        [],
    ),
    "a setting of its own": (SCRIPT.replace("srun", "export ACBO_LOG_FREQUENCY=50 ACBO_METADATA__HOST=a\nsrun"), []),
    "a swept setting": (SCRIPT.replace("srun", "export ACBO_GRPO__GROUP_SIZE=64\nsrun"), []),
    "a swept setting that the first task has": (
        SCRIPT.replace("srun", "export ACBO_WARMUP_STEPS=100\nsrun"),
        [],
    ),
    "a comment about freezing": (SCRIPT.replace("8-9", "8-10").replace("export", "# sweep freeze --dir x\nexport"), []),
    "a text about freezing": (SCRIPT.replace("8-9", "8-10").replace("export", "echo sweep freeze\nexport"), []),
    "a value that only the job knows": (SCRIPT.replace("srun", "export ACBO_LOG_FREQUENCY=$FREQUENCY\nsrun"), []),
    "one step without the sweep": (SCRIPT.replace("srun", "srun env -u ACBO_SWEEP python eval.py\nsrun"), []),
    "frozen for the ranks": (SCRIPT.replace("srun", "acbo-settings freeze || exit 1\nsrun -n 4"), []),
    "a file beside it": (SCRIPT.replace("srun", "export ACBO_CONFIG_FILE=other.toml\nsrun"), []),
}


def test_each_array_is_told_what_its_tasks_will_be_told(assert_report: AssertReport) -> None:
    """Numbers that no point has, no number at all, and values that differ, each with its line; and no false alarm."""
    write_sweep()
    freeze()
    write_sweep(SWEEP.replace("[1, 2]", "[1, 2, 3]").replace("[32, 64]", "[32]"))
    freeze()
    parts = []
    for name, (script, options) in CASES.items():
        write("job.sbatch", script)
        parts.append(f"### {name}\n{told('check', 'job.sbatch', '--', *options)}")
    assert_report("sweep-scripts", "\n\n".join(parts))


def test_a_point_without_its_own_file_is_told() -> None:
    """Whichever task of the array it is."""
    write_sweep()
    freeze()
    (DIRECTORY / "0005/acbo.frozen.toml").unlink()
    write("job.sbatch", SCRIPT.replace("8-9", "6"))
    assert "sweeps/lr/0005/acbo.frozen.toml: no such file" in told("check", "job.sbatch")


def test_a_hook_knows_neither_the_sweep_nor_the_command_line() -> None:
    """With the variables of the shell left aside, a sweep that is not here is none that is missing."""
    write("job.sbatch", SCRIPT)
    assert "no such directory" in told("check", "job.sbatch")
    assert told("check", "--no-env", "job.sbatch") == "--- exit code 0\n--- stdout\nok"
    write_sweep()
    freeze()
    assert "has no point 8" in told("check", "--no-env", "job.sbatch")
    write("job.sbatch", SCRIPT.replace("#SBATCH --array=0-1,4-5,8-9%2\n", ""))
    assert told("check", "--no-env", "job.sbatch") == "--- exit code 0\n--- stdout\nok"


def test_show_answers_for_a_task() -> None:
    """The other commands that take a script know the sweep as well."""
    write_sweep()
    freeze()
    write("job.sbatch", SCRIPT.replace("8-9", "7"))
    shown = told("show", "--changed", "job.sbatch", COLUMNS="200")
    assert "# from sweep.toml:2, point 0, as frozen" in shown
    assert not (DIRECTORY / "0000/acbo.started.toml").exists()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0-3", [0, 1, 2, 3]),
        ("0-9:4,15%4", [0, 4, 8, 15]),
        (" 3 , 17-19 ", [3, 17, 18, 19]),
        ("5-3", []),
        ("", []),
        ("$N", []),
        ("0-999999999", list(range(MAX_NUMBERS))),
    ],
)
def test_an_array_has_these_tasks(text: str, numbers: list[int]) -> None:
    """As sbatch takes them, and no more of them than a sweep may have."""
    assert list(array_tasks(text)) == numbers
