"""What a sweep of 10,000 points costs, as a Markdown table.

    python -m tests.benchmarks.sweep > table.md

Judging is compared with as many warm loads of plain pydantic-settings, both without the start around them, in turns. A
task's start is compared with one from an unchanged run. The exit code is 1 when a limit is missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .measuring import PROGRAMS, Job, count_instructions, make_job
from .start import HEAD, Row

POINTS = 10_000
JUDGING_LIMIT = 1.5
FREEZING_SECONDS = 60.0
STATUS_SECONDS = 3.0
MEMORY_LIMIT = 500.0
TASK_LIMIT = 1.05
ROUNDS = 3

SWEEP = """\
[grid]
grpo.learning_rate = {0}
grpo.max_grad_norm = {0}
log_frequency = {1}
metadata.seed = {1}
"""
COMMAND = "from acbo_settings.cli.main import main; raise SystemExit(main({}))"
PLAIN = "from plain_settings import Settings; [Settings() for _ in range({})]"
TASK = "from acbo_settings import load_training_config; load_training_config(sweep='sweeps/task', index=3)"


@dataclass(frozen=True, slots=True)
class Spent:
    """What one run of a program took: CPU and wall seconds, and megabytes at its peak."""

    cpu: float
    wall: float
    memory: float


def main() -> int:
    """Measure, print the table, and return the exit code."""
    with tempfile.TemporaryDirectory() as directory:
        job = make_job(directory)
        few = [round(0.001 * number, 3) for number in range(1, 11)]
        Path(directory, "sweep.toml").write_text(SWEEP.format(few, list(range(1, 11))), encoding="utf-8")
        Path(directory, "one.toml").write_text(SWEEP.format([0.001], [1]), encoding="utf-8")
        rows = [judging_row(job), *freezing_rows(job), status_row(job), task_row(job)]
    print(HEAD, *rows, sep="\n")
    return int(any(row.met is False for row in rows))


def spend(job: Job, program: str) -> Spent:
    """Run a program in the job, which has to succeed."""
    begun = time.monotonic()
    with job.start(sys.executable, "-c", program) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output, errors = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, program, output, errors)
    return Spent(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss / 1024)


def judging_row(job: Job) -> Row:
    """The CPU time of `sweep check` beyond that of one point, and of plain loads beyond one of them."""
    ours, plain = [], []
    for _ in range(ROUNDS):
        check = [spend(job, COMMAND.format(["sweep", "check", name])).cpu for name in ("sweep.toml", "one.toml")]
        loads = [spend(job, PLAIN.format(count)).cpu for count in (POINTS, 1)]
        ours.append(check[0] - check[1])
        plain.append(loads[0] - loads[1])
    ratio = median(one / other for one, other in zip(ours, plain, strict=True))
    return Row(
        what=f"`sweep check` of {POINTS:,} points beyond the start, CPU s",
        load=f"{median(ours):.2f}",
        plain=f"{POINTS:,} warm loads {median(plain):.2f}",
        ratio=f"{ratio:.2f}",
        limit=f"≤ {JUDGING_LIMIT}",
        met=ratio <= JUDGING_LIMIT,
    )


def freezing_rows(job: Job) -> list[Row]:
    """The time and the memory that it takes to freeze all points, flushes to the disk included."""
    spent = spend(job, COMMAND.format(["sweep", "freeze", "--dir", "sweeps/large"]))
    return [
        Row(
            what=f"`sweep freeze` of {POINTS:,} points, s",
            load=f"{spent.wall:.1f}",
            limit=f"≤ {FREEZING_SECONDS:.0f} s",
            met=spent.wall <= FREEZING_SECONDS,
        ),
        Row(
            what=f"`sweep freeze` of {POINTS:,} points, MB at its peak",
            load=f"{spent.memory:.0f}",
            limit=f"≤ {MEMORY_LIMIT:.0f} MB",
            met=spent.memory <= MEMORY_LIMIT,
        ),
    ]


def status_row(job: Job) -> Row:
    """The time that it takes to see what became of all points."""
    wall = spend(job, COMMAND.format(["sweep", "status", "sweeps/large"])).wall
    return Row(
        what=f"`sweep status` of {POINTS:,} points, s",
        load=f"{wall:.2f}",
        limit=f"≤ {STATUS_SECONDS:.0f} s",
        met=wall <= STATUS_SECONDS,
    )


def task_row(job: Job) -> Row:
    """The instructions of a task's first start, which notes that it is started, beside those of an unchanged run."""
    job.run(sys.executable, "-c", PROGRAMS["resume"])
    few = SWEEP.format([0.001, 0.002], [1, 2])
    Path(job.directory, "few.toml").write_text(few, encoding="utf-8")
    job.run(sys.executable, "-c", COMMAND.format(["sweep", "freeze", "few.toml", "--dir", "sweeps/task"]))
    job.run(sys.executable, "-c", TASK.replace("index=3", "index=4"))  # so that all byte code is there
    what = "start of a task, million instructions"
    try:
        task, resume = (count_instructions(job, program) for program in (TASK, PROGRAMS["resume"]))
    except FileNotFoundError:
        return Row(what=what, load="no valgrind here")
    return Row(
        what=what,
        load=f"{task:.0f}",
        reference=f"start from an unchanged run {resume:.0f}",
        ratio=f"{task / resume:.3f}",
        limit=f"≤ {TASK_LIMIT}",
        met=task <= TASK_LIMIT * resume,
    )


if __name__ == "__main__":
    raise SystemExit(main())
