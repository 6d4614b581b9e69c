"""`sweep table`: the swept settings beside what was measured, in every form."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ...command_line import run, told
from ...sweeps import DIRECTORY, freeze, write_sweep

AssertReport = Callable[[str, str], None]


@pytest.fixture
def measured() -> None:
    """A frozen sweep, of whose eight points six have measured something."""
    write_sweep()
    freeze()
    for number in range(6):
        metrics = {"loss": 1 / (number + 1), "best": {"step": number * 100}, "note": "a|b", "curve": [1, 2], "ok": True}
        (DIRECTORY / f"{number:04d}/metrics.json").write_text(json.dumps(metrics))


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown"])
def test_settings_and_scalars_stand_side_by_side(form: str, assert_report: AssertReport) -> None:
    """In each form; scalars inside of objects have dotted names, and arrays are left out."""
    assert_report(f"sweep-table-{form}", told("sweep", "table", str(DIRECTORY), "--format", form))


@pytest.mark.usefixtures("measured")
def test_csv_is_read_back() -> None:
    """Whole keys in the head, and numbers to their last digit."""
    ran = run("sweep", "table", str(DIRECTORY), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ran.stdout.decode())))
    assert [float(row["loss"]) for row in rows[:6]] == [1 / (number + 1) for number in range(6)]
    assert {row["grpo.group_size"] for row in rows} == {"32", "64"}


@pytest.mark.heavy
@pytest.mark.usefixtures("measured")
def test_the_picture_is_drawn() -> None:
    """A PNG with a panel for each setting; the metric is the first number, or the one that is named."""
    for words in ([], ["--metric", "best.step"]):
        ran = run("sweep", "table", str(DIRECTORY), "--png", "table.png", *words)
        assert (ran.returncode, ran.stderr.splitlines()[-1]) == (0, b"wrote table.png")
        assert Path("table.png").read_bytes().startswith(b"\x89PNG")
        Path("table.png").unlink()
    refused = run("sweep", "table", str(DIRECTORY), "--png", "table.png", "--metric", "no")
    assert (refused.returncode, b"there are loss, best.step" in refused.stderr) == (1, True)
    refused = run("sweep", "table", str(DIRECTORY), "--png", "no/such/table.png")
    assert (refused.returncode, b"cannot write no/such/table.png" in refused.stderr) == (1, True)


@pytest.mark.usefixtures("measured")
def test_a_broken_file_is_named_and_the_others_are_shown(assert_report: AssertReport) -> None:
    """The exit code is 1, and numbers that JSON does not have are left out of it."""
    (DIRECTORY / "0001/metrics.json").write_text("{")
    (DIRECTORY / "0002/metrics.json").write_text('{"loss": NaN, "large": 1e400, "deep": ' + "[" * 9 + "]" * 9 + "}")
    (DIRECTORY / "0003/metrics.json").write_text("[1, 2]")
    (DIRECTORY / "0004/metrics.json").unlink()
    (DIRECTORY / "0004/metrics.json").mkdir()
    assert_report("sweep-table-broken", told("sweep", "table", str(DIRECTORY)))
    points = json.loads(run("sweep", "table", str(DIRECTORY), "--format", "json").stdout)
    assert points[2]["metrics"] == {"loss": None, "large": None}


def test_a_sweep_that_has_measured_nothing_is_told() -> None:
    """There is no table then, and the exit code is 1."""
    write_sweep()
    freeze()
    ran = run("sweep", "table", str(DIRECTORY), "--metrics", "eval.json")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"no point of sweeps/lr has a eval.json with a scalar" in ran.stderr


@pytest.mark.parametrize("picture", [[], pytest.param(["--png", "table.png"], marks=pytest.mark.heavy)])
def test_no_metric_is_a_reason_to_fail(picture: list[str]) -> None:
    """Huge numbers, lone surrogates, dates that are swept, formulas and a FIFO in the place of the file."""
    days = "metadata.day = [2026-01-01, 2026-01-02]\n"
    write_sweep(f"[grid]\n{days}metadata.x = ['$^{{', 'a$b$']\nmetadata.n = [1, true]\n")
    freeze()
    texts = ('{"m": 1' + "0" * 400 + "}", '{"s": "\\ud800", "m": 3}', "{}", '{"m": 1, "$x^$": 2}')
    for number, text in enumerate(texts):
        (DIRECTORY / f"{number:04d}/metrics.json").write_text(text)
    os.mkfifo(DIRECTORY / "0005/metrics.json")
    for form in ("table", "csv", "json", "markdown"):
        ran = run("sweep", "table", str(DIRECTORY), "--format", form, *picture)
        assert (ran.returncode, ran.stdout != b"") == (1, True)
        assert b"0005/metrics.json cannot be read as JSON: is a FIFO, not a file" in b" ".join(ran.stderr.split())
        assert (b"wrote table.png" in ran.stderr) == bool(picture), ran.stderr
    assert json.loads(run("sweep", "show", str(DIRECTORY), "--format", "json").stdout)[0]["settings"] == {
        "metadata.day": "2026-01-01",
        "metadata.n": 1,
        "metadata.x": "$^{",
    }
    assert run("sweep", "table", str(DIRECTORY), "--metric", "m").returncode == 2
