from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..command_line import run, told


def test_the_plan_is_drawn(assert_report: Callable[[str, str], None]) -> None:
    """Totals, schedules, both plots, and what never happens."""
    Path("acbo.toml").write_text("total_steps = 900\n[evaluation]\nearly_stopping_enabled = true\n")
    assert_report("plan", told("plan"))


@pytest.mark.parametrize("steps", ["1", "2", "9" * 300])
def test_any_length_of_run_is_drawn(steps: str) -> None:
    """Runs of one step, and of a number of 300 digits, are drawn as any other."""
    assert run("plan", ACBO_TOTAL_STEPS=steps, ACBO_WARMUP_STEPS="0").returncode == 0


def test_a_picture_without_matplotlib_is_a_clear_message() -> None:
    """Where the extra is missing, the plan is printed, and one sentence says how to get it."""
    Path("matplotlib").mkdir()
    Path("matplotlib/__init__.py").write_text("raise ImportError")
    ran = run("plan", "--png", "plan.png", PYTHONPATH=".")
    assert ran.returncode == 1
    assert b"pip install 'acbo-settings[plot]'" in b" ".join(ran.stderr.split())
    assert ran.stdout.startswith(b"5,000 training steps")


@pytest.mark.heavy
def test_a_picture_is_written_or_the_reason_told() -> None:
    """`--png` writes the file; a directory that does not exist is one sentence and exit code 1."""
    assert run("plan", "--png", "plan.png").stderr.endswith(b"wrote plan.png\n")
    assert Path("plan.png").read_bytes().startswith(b"\x89PNG")
    ran = run("plan", "--png", "no/such/plan.png")
    assert ran.returncode == 1
    assert b"cannot write no/such/plan.png: No such file or directory" in b" ".join(ran.stderr.split())
