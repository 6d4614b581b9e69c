"""`diff`: whole outputs as text files."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..command_line import run, told, write

AssertReport = Callable[[str, str], None]


def test_diff_prints_both_values_and_origins(assert_report: AssertReport) -> None:
    """Settings that differ are a table, exit code 1; variables take no part, and that is said."""
    write("16/acbo.toml", "total_steps = 20000\n[grpo]\ngroup_size = 32\n")
    write("17/acbo.toml", "total_steps = 20000\n[grpo]\ngroup_size = 128\nlearning_rate = 1e-4\n")
    assert_report("diff", told("diff", "16", "17/acbo.toml", ACBO_LOG_FREQUENCY="20"))


def test_diff_compares_metadata_below_the_settings(assert_report: AssertReport) -> None:
    """Keys of the metadata, those inside tables too, count for the exit code; a key of one side alone is told."""
    write("16.toml", "total_steps = 20000\n[metadata]\nnote = 'a'\ntags = ['x']\nwandb = {group = 'g', run = 1}\n")
    write("17.toml", "total_steps = 20_000\n[metadata]\nnote = 'b'\ntags = ['x']\nwandb = {group = 'g', run = 2}\n")
    assert_report("diff-metadata", told("diff", "16.toml", "17.toml") + "\n" + told("diff", "16.toml", "/dev/null"))


def test_diff_sees_the_end_of_long_notes_and_the_tables_of_bases() -> None:
    """What is cut when it is shown is compared whole, and a table is what all files hold of it."""
    for name, end in (("a", "A"), ("b", "B")):
        write(f"{name}.toml", f"[metadata]\nnote = '{'x' * 70}{end}'\n")
        write(f"base-{name}.toml", f"[metadata.wandb]\ngroup = '{name}'\n")
        write(f"upper-{name}.toml", f"extends = 'base-{name}.toml'\n[metadata.wandb]\nname = 'x'\n")
    assert run("diff", "a.toml", "b.toml").returncode == 1
    shown = told("diff", "upper-a.toml", "upper-b.toml")
    assert 'metadata.wandb.group  "a"' in shown
    assert run("freeze", "--run-dir", "run", ACBO_CONFIG_FILE="upper-a.toml").returncode == 0
    assert told("diff", "run", "upper-a.toml") == "--- exit code 0"


def test_diff_takes_many_sides(assert_report: AssertReport) -> None:
    """Each has a column for its values, and below them their origins; what all have alike is left out."""
    write("a.toml", "total_steps = 20000\nlog_frequency = 5\n")
    write("b.toml", "extends = 'a.toml'\n[grpo]\ngroup_size = 128\n[metadata]\nnote = 'b'\n")
    write("c.toml", "total_steps = 20000\nlog_frequency = 5\n[metadata]\nnote = 'c'\n")
    assert_report("diff-many", told("diff", "defaults", "a.toml", "b.toml", "c.toml"))
    assert "the default  5      a.toml:2" in told("diff", "defaults", "b.toml")
    assert told("diff", "a.toml", "a.toml", "a.toml") == "--- exit code 0"


def write_sides() -> list[str]:
    """Three files with values of every type, of which one extends another."""
    write("a.toml", "log_frequency = 5\nsave_trajectory_data = false\n[metadata]\nnote = 'a|b'\nday = 2026-01-02\n")
    write("b.toml", "extends = 'a.toml'\n[grpo]\nlearning_rate = 1e-4\n[rewards]\nreward_scaling = 'clip'\n")
    write("c.toml", "[metadata]\nseeds = [1, 2]\nwandb = {group = 'x', run.name = 'y'}\n")
    return ["a.toml", "b.toml", "c.toml"]


def test_diff_for_machines(assert_report: AssertReport) -> None:
    """JSON has the sides, and for each setting the values of them all, of their own types, with their origins."""
    sides = write_sides()
    assert_report("diff-json", told("diff", "--format", "json", *sides))
    same = run("diff", "--format", "json", "a.toml", "a.toml")
    assert (same.returncode, json.loads(same.stdout)) == (0, {"sides": ["a.toml", "a.toml"], "differences": []})


def test_diff_for_a_pull_request(assert_report: AssertReport) -> None:
    """Markdown has a column for each side; a bar inside of a text ends no cell, and what is alike is no table."""
    sides = write_sides()
    assert_report("diff-markdown", told("diff", "--format", "markdown", *sides))
    assert told("diff", "--format", "markdown", "a.toml", "a.toml") == "--- exit code 0"


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
