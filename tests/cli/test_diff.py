"""`diff`: whole outputs as text files."""

from __future__ import annotations

from collections.abc import Callable

from ..command_line import run, told, write

AssertReport = Callable[[str, str], None]


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
