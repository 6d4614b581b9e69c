"""`sweep show`: a row for each point."""

from __future__ import annotations

import json
from collections.abc import Callable

from ...command_line import run, told
from ...sweeps import DIRECTORY, SWEEP, freeze, task, write_sweep

AssertReport = Callable[[str, str], None]


def test_each_point_has_a_row(assert_report: AssertReport) -> None:
    """Its number, the swept settings, its fingerprint and its state; retired points are among them."""
    write_sweep()
    freeze()
    write_sweep(SWEEP.replace("[1, 2]", "[2, 3]"))
    freeze()
    task(1)
    assert run("sweep", "done", str(DIRECTORY), "3").returncode == 0
    assert_report("sweep-show", told("sweep", "show", str(DIRECTORY)))
    assert_report("sweep-show-narrow", told("sweep", "show", str(DIRECTORY), COLUMNS="50"))


def test_machines_get_plain_data() -> None:
    """As JSON, with the whole key of each setting."""
    write_sweep()
    freeze()
    points = json.loads(run("sweep", "show", str(DIRECTORY), "--format", "json").stdout)
    assert [point["index"] for point in points] == list(range(8))
    assert points[5] | {"fingerprint": ""} == {
        "index": 5,
        "directory": "sweeps/lr/0005",
        "settings": {
            "grpo.group_size": 32,
            "grpo.learning_rate": 0.0003,
            "metadata.seed": 2,
            "warmup_steps": 300,
        },
        "fingerprint": "",
        "state": "waiting",
    }


def test_what_is_no_sweep_is_told() -> None:
    """Every command that reads a frozen sweep says so with exit code 1, and without a traceback."""
    for command in ("show", "status", "table"):
        ran = run("sweep", command, "no/such")
        assert (ran.returncode, ran.stdout) == (1, b"")
        assert b"no/such: no such directory" in ran.stderr
