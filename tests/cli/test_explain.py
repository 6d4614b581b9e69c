"""`explain`: whole outputs as text files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..command_line import run, told, write
from ..strategies import SCHEMA

AssertReport = Callable[[str, str], None]


def test_explain_tells_everything_about_a_setting(assert_report: AssertReport) -> None:
    """Doc, type, range, default, variable, value now, origin, and all that it shadows; by key or variable."""
    Path("acbo.toml").write_text("[grpo]\ngroup_size = 32\n")
    variables = {"ACBO_GRPO__GROUP_SIZE": "128", "ACBO_GRPO": '{"group_size": 16}'}
    assert_report("explain", told("explain", "grpo.group_size", "ACBO_REWARDS__REWARD_SCALING", **variables))


def test_explain_without_a_key_is_the_table_of_all(assert_report: AssertReport) -> None:
    """Each setting has its row, with its origin where it is no default."""
    Path("acbo.toml").write_text("[grpo]\ngroup_size = 32\n")
    assert_report("explain-all", told("explain", ACBO_LOG_FREQUENCY="20"))


def test_explain_of_a_component_is_its_part_of_the_table() -> None:
    """A component stands for its settings."""
    rows = run("explain", "rewards").stdout.decode().splitlines()[1:]
    assert [row.split()[0] for row in rows] == [s.key for s in SCHEMA.settings.values() if s.path[0] == "rewards"]


def test_explain_keeps_the_order_of_the_question(assert_report: AssertReport) -> None:
    """Settings and sections as they were asked for, each once; sections that follow one another are one table."""
    keys = "log_frequency rewards grpo ACBO_GRPO__GROUP_SIZE log_frequency evaluation rewards"
    assert_report("explain-order", told("explain", *keys.split()))


def test_explain_suggests_what_was_meant(assert_report: AssertReport) -> None:
    """A near miss is wrong usage, with a suggestion in the words of the question."""
    keys = ["grpo.gruop_size", "ACBO_GRPO_GROUP_SIZE", "lr", "zzz", "metadata.note", "ACBO_CONFIG_FILE"]
    assert_report("explain-near-miss", told("explain", *keys))


def test_explain_works_while_another_setting_is_broken(assert_report: AssertReport) -> None:
    """A value is explained although the configuration is not valid, and the report follows with exit code 1."""
    assert_report("explain-broken", told("explain", "log_frequency", ACBO_LOG_FREQUENCY="20", ACBO_TOTAL_STEPS="0"))


def test_explain_tells_the_values_of_today_from_those_of_the_run(assert_report: AssertReport) -> None:
    """Where a run refuses today's configuration, what is told is not called the value of the run."""
    write("acbo.toml", "total_steps = 7000\n")
    assert run("freeze", "--run-dir", "runs/1").returncode == 0
    write("acbo.toml", "total_steps = 8000\n")
    outputs = [told("explain", key, ACBO_RUN_DIR="runs/1") for key in ("total_steps", "evaluation")]
    assert_report("explain-refused-run", "\n\n".join(outputs))


def test_explain_does_not_guess_when_a_file_cannot_be_read() -> None:
    """With a file that cannot be read, no value is claimed to be in force."""
    Path("acbo.toml").write_text("total_steps 5\n")
    ran = run("explain", "total_steps")
    assert ran.returncode == 1
    assert b"value     not known" in ran.stdout
    assert run("explain").stdout.decode().splitlines()[1].split() == ["total_steps", "?", "5000"]


def test_an_old_name_in_the_metadata_is_explained() -> None:
    """As that of the setting which it has become."""
    write(
        "noted.py",
        "from dataclasses import dataclass\nfrom typing import Annotated\n"
        "from acbo_settings import TrainingConfig, Was\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\nclass Noted(TrainingConfig):\n"
        '    seed: Annotated[int, Was("metadata.seed", since="2.1")] = 0\n',
    )
    for name in ("metadata.seed", "ACBO_METADATA__SEED"):
        shown = run("explain", name, "--schema", "noted:Noted").stdout.decode()
        assert "was       metadata.seed, until 2.1" in shown
