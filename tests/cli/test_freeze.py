"""`freeze`: whole outputs as text files, and jobs that start after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acbo_settings import load_training_config
from acbo_settings.cli import freeze as freeze_command
from acbo_settings.cli.main import main
from acbo_settings.engine.inputs import reason
from acbo_settings.engine.report import unusable
from acbo_settings.engine.schema import Schema

from ..command_line import run, told


def test_freeze_prints_the_fingerprint_and_is_repeatable(assert_report: Callable[[str, str], None]) -> None:
    """The first call freezes, the second finds it frozen, and a job then starts with exactly that."""
    told_twice = [told("freeze", "--run-dir", "runs/17", ACBO_TOTAL_STEPS="7000") for _ in range(2)]
    assert_report("freeze", "\n".join(told_twice))
    config = load_training_config(run_dir="runs/17", environ={"ACBO_TOTAL_STEPS": "7000"})
    assert run("freeze", "--run-dir", "runs/17", ACBO_TOTAL_STEPS="7000").stdout.decode().strip() == config.fingerprint


def test_a_job_after_freeze_needs_no_pydantic() -> None:
    """The digest that the command writes is the one that a rank computes: it takes the frozen file as it is."""
    assert run("freeze", "--run-dir", "runs/17", ACBO_TOTAL_STEPS="7000").returncode == 0
    program = (
        "import sys, acbo_settings as a; a.load_training_config(run_dir='runs/17'); print('pydantic' in sys.modules)"
    )
    environ = {"ACBO_TOTAL_STEPS": "7000"}
    assert subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True).stdout == b"False\n"


def test_freeze_refuses_a_changed_configuration(assert_report: Callable[[str, str], None]) -> None:
    """Exit code 1, and the report with the ways out; `--may-change` and `--on-change` are those ways."""
    assert run("freeze", "--run-dir", "runs/17").returncode == 0
    change = {"ACBO_TOTAL_STEPS": "7000", "ACBO_EVALUATION__EVAL_FREQUENCY": "50"}
    assert_report("freeze-changed", told("freeze", "--run-dir", "runs/17", **change))
    allowed = ["--may-change", "total_steps,log_frequency", "--may-change", "evaluation"]
    assert_report("freeze-allowed", told("freeze", "--run-dir", "runs/17", *allowed, **change))
    assert_report("freeze-kept", told("freeze", "--run-dir", "runs/17", "--on-change", "keep", **change))
    assert_report("freeze-replaced", told("freeze", "--run-dir", "runs/17", "--on-change", "replace", **change))


def test_freeze_takes_the_run_of_the_environment(isolated: Path, assert_report: Callable[[str, str], None]) -> None:
    """Without `--run-dir` it is the directory that the variable names, and without either nothing is written."""
    assert run("freeze", ACBO_RUN_DIR="runs/17").returncode == 0
    assert (isolated / "runs/17/acbo.frozen.toml").exists()
    assert_report("freeze-without-a-run", told("freeze"))
    assert not (isolated / "acbo.frozen.toml").exists()


def test_freeze_says_why_it_cannot_write(isolated: Path, assert_report: Callable[[str, str], None]) -> None:
    """A file where the directory should be is told without a traceback."""
    (isolated / "runs").write_text("")
    assert_report("freeze-no-directory", told("freeze", "--run-dir", "runs/17"))
    assert_report("freeze-empty", told("freeze", "--run-dir", ""))
    assert_report("freeze-unknown-key", told("freeze", "--run-dir", "run", "--may-change", "total_step"))


def test_a_file_that_cannot_be_read_again_is_told_behind_the_fingerprint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run is frozen, and the reason follows on stderr."""
    Path("acbo.toml").touch()
    answers = [None, OSError(5, "cannot be read any more")]

    def read_twice(schema: Schema, name: str) -> None:
        if error := answers.pop(0):
            raise unusable(name, reason(name, error))

    monkeypatch.setattr(freeze_command, "read_frozen", read_twice)
    assert main(["freeze", "--run-dir", "run"]) == 0
    assert Path("run/acbo.frozen.toml").exists()
    assert "cannot be read any more" in capsys.readouterr().err
