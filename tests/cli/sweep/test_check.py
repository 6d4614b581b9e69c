"""`sweep check`: whole outputs as text files."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ...command_line import run, told, write
from ...sweeps import SWEEP, write_sweep

AssertReport = Callable[[str, str], None]


def test_a_valid_sweep_is_ok(assert_report: AssertReport) -> None:
    """The result is on stdout, and how many points there are on stderr."""
    write_sweep()
    assert_report("sweep-check-ok", told("sweep", "check"))


def test_the_report_names_points_and_lines(assert_report: AssertReport) -> None:
    """What is wrong with some points has their numbers, what all have stands without, and they are counted."""
    write_sweep(SWEEP.replace("[32, 64]", "[32, 4]").replace("= 300", "= 30000"), "total_step = 20000\n")
    assert_report("sweep-check-broken", told("sweep", "check", ACBO_LOG_FREQUENCY="0"))


def test_a_wrong_key_leaves_no_points_to_count(assert_report: AssertReport) -> None:
    """Keys are told before any point is built."""
    write_sweep(SWEEP.replace("group_size", "group_sise"))
    assert_report("sweep-check-keys", told("sweep", "check", "sweep.toml"))


def test_variables_and_overrides_take_part_unless_they_are_left_aside() -> None:
    """A variable that is swept is an error; without the environment it is not; `--set` is one like it."""
    write_sweep()
    variable = {"ACBO_GRPO__GROUP_SIZE": "128"}
    assert "would make all points the same" in told("sweep", "check", **variable).replace("\n      ", " ")
    assert run("sweep", "check", "--no-env", **variable).stdout == b"ok\n"
    assert run("sweep", "check", "--set", "metadata.seed=3").returncode == 1
    assert run("sweep", "check", "--set", "log_frequency=30").returncode == 0


def test_the_run_of_the_environment_takes_no_part() -> None:
    """The points become runs of their own: the variables of one, and of a sweep, are left aside."""
    write_sweep()
    environ = {"ACBO_RUN_DIR": "runs/17", "ACBO_SWEEP": "no/such", "ACBO_SWEEP_INDEX": "3", "ACBO_MAY_CHANGE": "grpo"}
    assert (run("sweep", "check", **environ).stdout, run("sweep", "check", **environ).returncode) == (b"ok\n", 0)


def test_the_file_beside_the_sweep_is_the_base() -> None:
    """It lies in the directory of the sweep's file, for which that may stand; a variable names another one."""
    write("experiments/sweep.toml", "[grid]\nwarmup_steps = [100, 600]\n")
    write("experiments/acbo.toml", "total_steps = 500\n")
    write("large.toml", "total_steps = 9000\n")
    for path in ("experiments/sweep.toml", "experiments"):
        assert "total_steps from experiments/acbo.toml:1" in " ".join(told("sweep", "check", path).split())
    assert run("sweep", "check", "experiments", ACBO_CONFIG_FILE="large.toml").returncode == 0


@pytest.mark.parametrize("form", ["json", "github"])
def test_machines_get_the_points_too(form: str, assert_report: AssertReport) -> None:
    """Each problem as facts, with the points that have it as its scope."""
    write_sweep(SWEEP.replace("= 300", "= 30000"))
    text = told("sweep", "check", "--format", form)
    assert_report(f"sweep-check-{form}", text)
    if form == "json":
        (file,) = json.loads(run("sweep", "check", "--format", "json").stdout)
        assert file["problems"][0]["sources"][0]["point"] == 4


def test_advice_fails_when_it_must(assert_report: AssertReport) -> None:
    """Points that are equal are advice: `ok` by itself, and an error under `--strict`."""
    write_sweep(SWEEP.replace("[1, 2]", "[1, 2, 1]"))
    assert run("sweep", "check").returncode == 0
    assert_report("sweep-check-strict", told("sweep", "check", "--strict"))


def test_what_is_no_sweep_is_told_without_a_traceback(assert_report: AssertReport) -> None:
    """A file that is missing, a directory without one, and a frozen or plain configuration are reports."""
    write("plain.toml", "[grpo]\ngroup_size = 64\n")
    write("empty/acbo.toml", "")
    parts = [
        f"### {path}\n{told('sweep', 'check', path)}" for path in ("missing.toml", "empty", "plain.toml", "/dev/null")
    ]
    assert_report("sweep-check-no-sweep", "\n\n".join(parts))


def test_a_sweep_without_a_file_beside_it_is_advised(assert_report: AssertReport) -> None:
    """The file of the working directory is not taken for it."""
    write("experiments/sweep.toml", "[grid]\nwarmup_steps = [100, 600]\n")
    write("acbo.toml", "total_steps = 500\n")
    assert_report("sweep-check-no-file", told("sweep", "check", "experiments"))
