from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acbo_settings import json_schema, load_training_config
from acbo_settings.reference import example_toml

from ..command_line import run, told


def test_init_writes_the_example_and_never_overwrites() -> None:
    """The first call writes a file that changes nothing; the second refuses, and the file stays."""
    assert told("init") == "--- exit code 0\n--- stderr\nwrote acbo.toml"
    assert Path("acbo.toml").read_text(encoding="utf-8") == example_toml()
    Path("acbo.toml").write_text("total_steps = 7000\n")
    refused = "--- exit code 1\n--- stderr\nacbo-settings init: acbo.toml is there already, and is not overwritten"
    assert told("init") == refused
    assert Path("acbo.toml").read_text() == "total_steps = 7000\n"


def test_init_with_a_schema_puts_it_beside() -> None:
    """The first line names the schema, which lies beside; a second experiment there shares it."""
    Path("run").mkdir()
    assert run("init", "--schema", "run").returncode == 0
    assert Path("run/acbo.toml").read_text(encoding="utf-8").startswith("#:schema ./acbo.schema.json\n")
    assert json.loads(Path("run/acbo.schema.json").read_text(encoding="utf-8")) == json_schema()
    assert load_training_config("run/acbo.toml", environ={}).to_dict() == load_training_config(environ={}).to_dict()
    assert run("init", "--schema", "run/other.toml").returncode == 0


def test_init_does_not_overwrite_another_schema() -> None:
    """A schema that is another one is kept, and no file is written."""
    Path("acbo.schema.json").write_text("{}")
    assert run("init", "--schema").returncode == 1
    assert Path("acbo.schema.json").read_text() == "{}"
    assert not Path("acbo.toml").exists()


@pytest.mark.parametrize("path", ["no/such/acbo.toml", "\ud800.toml", "x" * 300, ""])
def test_init_says_why_it_cannot_write(path: str) -> None:
    """A path that cannot be written is one line and exit code 1, without a traceback."""
    from argparse import Namespace

    from acbo_settings.cli.freeze import init

    assert init(Namespace(path=path, schema=False)) == 1


def test_init_leaves_a_dangling_link_alone() -> None:
    """A symbolic link is something that is there, wherever it leads."""
    Path("acbo.toml").symlink_to("elsewhere.toml")
    assert run("init").returncode == 1
    assert not Path("elsewhere.toml").exists()


# freeze


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
    allowed = ["--may-change", "total_steps", "--may-change", "evaluation"]
    assert_report("freeze-allowed", told("freeze", "--run-dir", "runs/17", *allowed, **change))
    assert_report("freeze-kept", told("freeze", "--run-dir", "runs/17", "--on-change", "keep", **change))
    assert_report("freeze-replaced", told("freeze", "--run-dir", "runs/17", "--on-change", "replace", **change))


def test_freeze_takes_the_working_directory(isolated: Path) -> None:
    """Without `--run-dir` the run lies where the command is called."""
    assert run("freeze").returncode == 0
    assert (isolated / "acbo.frozen.toml").exists()


def test_freeze_says_why_it_cannot_write(isolated: Path, assert_report: Callable[[str, str], None]) -> None:
    """A file where the directory should be is told without a traceback."""
    (isolated / "runs").write_text("")
    assert_report("freeze-no-directory", told("freeze", "--run-dir", "runs/17"))
    assert_report("freeze-empty", told("freeze", "--run-dir", ""))
    assert_report("freeze-unknown-key", told("freeze", "--may-change", "total_step"))
