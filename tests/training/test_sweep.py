"""Six points of a sweep, trained as an array in a real SLURM."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ..test_examples import run
from .example import EXAMPLE, SMALL, example_module, texts

SWEEP = "sweeps/seeds"


@pytest.fixture(autouse=True)
def copied(isolated: Path) -> None:
    """Copy the example into the working directory."""
    shutil.copytree(EXAMPLE, isolated, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "run"))


def freeze(directory: Path) -> None:
    """Freeze the sweep with points that are trained in a moment."""
    settings = [f"--set={each}" for each in texts(SMALL)]
    frozen = run(["acbo-settings", "sweep", "freeze", "--dir", SWEEP, *settings], directory)
    assert frozen.stdout == "0-5\n", frozen.stderr


def test_the_files_of_the_example_are_valid(isolated: Path) -> None:
    """The configuration, the sweep and the job of its tasks have nothing to advise."""
    assert run(["acbo-settings", "check", "--strict"], isolated).stdout == "ok\n"
    freeze(isolated)
    checked = run(["acbo-settings", "check", "--strict", "sweep.sbatch", "--", "--array=0-5"], isolated)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "ok\n", "")


@pytest.mark.heavy
@pytest.mark.debian
def test_six_points_as_an_array(isolated: Path, slurm: dict[str, str]) -> None:
    """Each task trains its point into the point's directory, and the table shows what came of it."""
    example_module("train")
    freeze(isolated)
    compiled = {"JAX_COMPILATION_CACHE_DIR": str(isolated / "compiled")}
    submitted = run(["sbatch", "--wait", "--array=0-5%2", "sweep.sbatch"], isolated, **slurm, **compiled)
    outputs = {path.name: path.read_text() for path in isolated.glob("acbo-*.out")}
    assert submitted.returncode == 0, outputs
    status = run(["acbo-settings", "sweep", "status", SWEEP], isolated).stdout
    assert status == "6 points: 6 done, 0 started, 0 waiting\n"
    table = run(["acbo-settings", "sweep", "table", SWEEP, "--metrics", "metrics.json", "--format", "json"], isolated)
    rows = json.loads(table.stdout)
    assert len({row["metrics"]["target"] for row in rows}) == 6
    policies = {(isolated / SWEEP / f"{index:04d}" / "policy.npz").read_bytes() for index in range(6)}
    assert len(policies) == 6
