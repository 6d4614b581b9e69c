"""`show`, `check` and `diff`, whole outputs as text files."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from acbo_settings import load_training_config

from ..command_line import run, told

AssertReport = Callable[[str, str], None]


def write(name: str, text: str) -> None:
    """Write a file below the working directory."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("form", ["toml", "json", "env"])
def test_show_changed_prints_what_differs(form: str, assert_report: AssertReport) -> None:
    """In each form only what differs from the defaults is printed, with the custom metadata."""
    write(
        "acbo.toml", "total_steps = 5000\nlog_frequency = 20\n[rewards]\nreward_scaling = 'clip'\n[metadata]\na = 1\n"
    )
    assert_report(f"show-changed-{form}", told("show", "--changed", "--format", form, ACBO_GRPO__GROUP_SIZE="128"))


@pytest.mark.parametrize(("form", "parse"), [("toml", tomllib.loads), ("json", json.loads)])
def test_show_prints_all_settings(form: str, parse: Callable[[str], object]) -> None:
    """TOML and JSON hold the whole configuration as `to_dict` has it."""
    write("acbo.toml", "total_steps = 7000\nnote = 'größe'\n")
    shown = run("show", "--format", form)
    assert parse(shown.stdout.decode()) == load_training_config(environ={}).to_dict()


def test_show_says_what_a_variable_cannot_hold() -> None:
    """A date, which JSON has no form for, becomes text in `--format env`, and that is said."""
    write("acbo.toml", "day = 1987-07-05\n")
    told_text = told("show", "--format", "env", "--changed")
    assert 'ACBO_METADATA=\'{"day": "1987-07-05"}\'' in told_text
    assert "note: dates in the metadata are text in a variable" in told_text


def test_show_of_the_defaults_changes_nothing() -> None:
    """Where nothing differs, `--changed` prints nothing in TOML and for the shell, and an empty object in JSON."""
    outputs = [run("show", "--changed", "--format", form).stdout for form in ("toml", "env", "json")]
    assert outputs == [b"", b"", b"{}\n"]


def test_check_of_many_files_tells_shared_problems_once(assert_report: AssertReport) -> None:
    """Each file has its line; a wrong variable, which all share, is spelled out for the first one alone."""
    write("a/acbo.toml", "total_steps = 7000\n")
    write("b/acbo.toml", "[grpo]\ngroup_size = 4\n")
    write("c.toml", "total_steps 7000\n")
    assert_report("check-many", told("check", "a", "b/acbo.toml", "c.toml", ACBO_GRPO_GROUP_SIZE="8"))


def test_check_can_leave_variables_aside() -> None:
    """`--no-env` judges the files alone."""
    write("acbo.toml", "total_steps = 7000\n")
    assert run("check", ".", ACBO_NO_SUCH="1").returncode == 1
    assert run("check", "--no-env", ".", ACBO_NO_SUCH="1", ACBO_CONFIG_FILE="no.toml").returncode == 0


def test_strict_makes_advice_fail(assert_report: AssertReport) -> None:
    """Advice alone is exit code 1 under `--strict`, and there is no `ok`."""
    write("acbo.toml", "[evaluation]\nearly_stopping_patience = 5\n")
    assert run("check").returncode == 0
    assert_report("check-strict", told("check", "--strict"))


@pytest.mark.parametrize("form", ["json", "github"])
def test_check_for_machines(form: str, assert_report: AssertReport) -> None:
    """Problems and advice go to stdout as data, with nothing on stderr."""
    write("a.toml", "total_steps = 50\n[grpo]\ngruop_size = 4\n")
    write("b.toml", "[evaluation]\nearly_stopping_patience = 5\n")
    assert_report(f"check-{form}", told("check", "--format", form, "a.toml", "b.toml"))


def test_diff_prints_both_values_and_origins(assert_report: AssertReport) -> None:
    """Settings that differ are a table, exit code 1; variables take no part, and that is said."""
    write("16/acbo.toml", "total_steps = 20000\n[grpo]\ngroup_size = 32\n")
    write("17/acbo.toml", "total_steps = 20000\n[grpo]\ngroup_size = 128\nlearning_rate = 1e-4\n")
    assert_report("diff", told("diff", "16", "17/acbo.toml", ACBO_LOG_FREQUENCY="20"))


def test_diff_of_the_same_is_silent() -> None:
    """Equal configurations print nothing, exit code 0, however they are written."""
    write("a.toml", "[grpo]\nlearning_rate = 3e-4\n")
    assert told("diff", "defaults", "a.toml") == "--- exit code 0"


def test_diff_of_a_broken_file_is_exit_code_2() -> None:
    """A side that is not valid is told, and is no difference."""
    write("a.toml", "total_steps = 0\n")
    ran = run("diff", "defaults", "a.toml")
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"a.toml:1" in ran.stderr


def test_frozen_runs_are_shown_and_compared(assert_report: AssertReport) -> None:
    """`show` prints what a run started with, and `diff` compares runs by their frozen files."""
    Path("acbo.toml").write_text("total_steps = 20000\n")
    assert run("freeze", "--run-dir", "runs/16").returncode == 0
    assert run("freeze", "--run-dir", "runs/17", ACBO_GRPO__GROUP_SIZE="128").returncode == 0
    Path("runs/17/acbo.toml").write_text("total_steps = 1\n")
    assert_report("diff-runs", told("diff", "runs/16", "runs/17"))
    assert_report("show-run", told("show", "--changed", "runs/16", ACBO_GRPO__GROUP_SIZE="32"))
    assert told("check", "runs/16") == "--- exit code 0\n--- stdout\nok"
