"""The training of `examples/acbo` runs, as a user runs it."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import pytest

from ..test_readme import BLOCKS, run_console, shell_environment
from .example import EXAMPLE, SMALL, example_module, run_example


@pytest.mark.heavy
def test_the_training_of_the_readme(tmp_path: Path) -> None:
    """In the example's directory the command prints what the README shows, and needs less than a minute."""
    example_module("train")
    (block,) = [block for block in BLOCKS if block.note == "training"]
    shutil.copytree(EXAMPLE, tmp_path / "acbo", ignore=shutil.ignore_patterns("__pycache__", "run"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run_console(block, tmp_path / "acbo", shell_environment(tmp_path)) == block.text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 60  # whatever else the machine does


def test_a_short_training_does_what_its_plan_says(tmp_path: Path) -> None:
    """Twenty steps print the plan, then what happened, which is the same, and leave policy, log and picture."""
    example_module("train")  # which says aloud when jax is missing
    ran = run_example(tmp_path, SMALL | {"total_steps": 20, "models.variables": 3}, JAX_DISABLE_MOST_OPTIMIZATIONS="1")
    assert ran.returncode == 0, ran.stderr
    happened = ran.stdout.partition("planned and happened:\n")[2].splitlines()
    counts = {line[:24].strip(): line[24:].split() for line in happened}
    assert {name: both[0] == both[1] for name, both in counts.items()} == dict.fromkeys(counts, True)
    assert counts["gradient updates"] == ["80", "80"]
    assert "training ━" in ran.stderr
    made = {path.name for path in (tmp_path / "run").iterdir()}
    assert made >= {"acbo.frozen.toml", "acbo.done.toml", "policy.npz", "log.jsonl", "trajectories.bin", "curve.png"}
