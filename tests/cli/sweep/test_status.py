"""`sweep status`: how far a sweep is, and what is still to be run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from acbo_settings import mark_done

from ...command_line import run, told
from ...sweeps import DIRECTORY, freeze, task, write_sweep

AssertReport = Callable[[str, str], None]
SLURM = {"SLURM_JOB_ID": "912", "SLURM_ARRAY_JOB_ID": "911", "SLURM_RESTART_COUNT": "2"}


def test_what_was_started_is_told_with_its_job(assert_report: AssertReport) -> None:
    """A point that was started and is not done has the host, the job and how often that was requeued."""
    write_sweep()
    freeze()
    task(3, **SLURM)
    task(4)
    task(5, **SLURM)
    mark_done(DIRECTORY / "0005")
    text = told("sweep", "status", str(DIRECTORY)).replace(os.uname().nodename, "node17")
    assert_report("sweep-status", re.sub(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "2026-01-01T00:00:00+00:00", text))


def test_the_array_is_what_is_not_done() -> None:
    """As sbatch takes it; when nothing is left, nothing is printed, and the exit code is 1."""
    write_sweep()
    freeze()
    assert run("sweep", "status", str(DIRECTORY), "--array").stdout == b"0-7\n"
    assert run("sweep", "done", str(DIRECTORY), "0-2", "4").returncode == 0
    assert run("sweep", "status", str(DIRECTORY), "--array").stdout == b"3,5-7\n"
    assert run("sweep", "done", str(DIRECTORY), "3", "5-7").returncode == 0
    ran = run("sweep", "status", str(DIRECTORY), "--array")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"every point of sweeps/lr is done" in ran.stderr


def test_a_file_may_say_that_a_point_is_done() -> None:
    """A pattern is matched in the directory of each point, also below it."""
    write_sweep()
    freeze()
    Path(DIRECTORY / "0001/final-5000.npz").touch()
    Path(DIRECTORY / "0002/models").mkdir()
    Path(DIRECTORY / "0002/models/last.npz").touch()
    for pattern, left in (("final*.npz", b"0,2-7\n"), ("models/*", b"0-1,3-7\n"), ("no*", b"0-7\n")):
        assert run("sweep", "status", str(DIRECTORY), "--array", "--done", pattern).stdout == left


def test_done_takes_numbers_of_points_alone(assert_report: AssertReport) -> None:
    """A number that is none is wrong usage; one that no point has is a report, and then nothing is done."""
    write_sweep()
    freeze()
    parts = [told("sweep", "done", str(DIRECTORY), *words) for words in (["x"], ["3-"], ["1", "7-9"], ["-1"])]
    assert_report("sweep-done-wrong", "\n\n".join(parts))
    assert run("sweep", "status", str(DIRECTORY), "--array").stdout == b"0-7\n"


def test_done_takes_what_status_prints() -> None:
    """Numbers and ranges with commas between them, as an array has them."""
    write_sweep()
    freeze()
    ran = run("sweep", "done", str(DIRECTORY), "0,2-3", "7")
    assert (ran.returncode, ran.stderr) == (0, b"4 points of sweeps/lr done: 0, 2-3, 7\n")
    assert run("sweep", "status", str(DIRECTORY), "--array").stdout == b"1,4-6\n"
    assert run("sweep", "done", str(DIRECTORY), "3-2").returncode == 2
    (DIRECTORY / "0005/acbo.frozen.toml").write_bytes((DIRECTORY / "0001/acbo.frozen.toml").read_bytes())
    assert run("sweep", "done", str(DIRECTORY), "4-6").returncode == 1
    assert run("sweep", "status", str(DIRECTORY), "--array").stdout == b"1,4-6\n"


def test_the_other_commands_answer_for_a_point() -> None:
    """`check` of a task needs no file, and the directory of a sweep is no configuration."""
    write_sweep()
    freeze()
    Path("acbo.toml").unlink()
    task_variables = {"ACBO_SWEEP": str(DIRECTORY), "ACBO_SWEEP_INDEX": "3"}
    assert told("check", **task_variables) == "--- exit code 0\n--- stdout\nok"
    assert "frozen as 20" in told("check", **task_variables, ACBO_LOG_FREQUENCY="50")
    assert "sweeps/lr: is the directory of a sweep; acbo-settings sweep show" in told("check", str(DIRECTORY))
    assert run("show", str(DIRECTORY / "0003")).returncode == 0


def test_points_that_no_task_can_start_are_told() -> None:
    """Their frozen files are missing, edited, or those of other points."""
    write_sweep()
    freeze()
    (DIRECTORY / "0002/acbo.frozen.toml").unlink()
    edited = DIRECTORY / "0004/acbo.frozen.toml"
    edited.write_text(edited.read_text().replace("20", "21"))
    (DIRECTORY / "0005/acbo.frozen.toml").write_bytes((DIRECTORY / "0006/acbo.frozen.toml").read_bytes())
    said = " ".join(told("sweep", "status", str(DIRECTORY)).split())
    assert "note: of points 2, 4-5 the frozen file is missing, edited or another's: freeze the sweep again" in said
