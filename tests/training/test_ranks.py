"""The training of `examples/acbo` in several processes that jax connects."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import load_training_config

from ..test_readme import shell_environment
from .example import EXAMPLE, SMALL, example_module, run_example, texts

pytestmark = pytest.mark.heavy


def train_in_ranks(
    directory: Path, settings: list[dict[str, Any]], **environ: str
) -> list[subprocess.CompletedProcess[str]]:
    """Start a rank with each of the settings, and wait for all."""
    example_module("train")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    (directory / "acbo.toml").touch()
    environment = shell_environment(directory) | {"JAX_PLATFORMS": "cpu"} | environ
    command = [sys.executable, str(EXAMPLE / "train_ranks.py"), address, str(len(settings))]
    processes = [
        subprocess.Popen(
            [*command, str(rank), *texts(given)],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, given in enumerate(settings)
    ]
    ended = [(process, *process.communicate(timeout=120)) for process in processes]
    return [subprocess.CompletedProcess(process.args, process.returncode, *said) for process, *said in ended]


def test_two_ranks_train_as_one_process(tmp_path: Path) -> None:
    """Each with its half of the group, they end with the policy of one process, but for how jax adds up."""
    import numpy

    ranks = train_in_ranks(tmp_path, [SMALL, SMALL])
    assert [rank.returncode for rank in ranks] == [0, 0], ranks
    said = [rank.stdout.splitlines()[-1].partition(" of 2: ") for rank in ranks]  # behind what gloo says
    assert [rank for rank, _, _ in said] == ["rank 0", "rank 1"]
    assert said[0][2] == said[1][2]
    assert said[0][2].endswith(", 48 updates")
    assert run_example(tmp_path, SMALL).returncode == 0
    start = initial_policy()
    with numpy.load(tmp_path / "policy.npz") as many, numpy.load(tmp_path / "run" / "policy.npz") as one:
        assert set(many) == set(one) == set(start)
        apart, moved = (
            sum(float(((one[name] - other[name]) ** 2).sum()) for name in start) ** 0.5 for other in (many, start)
        )
    assert 0 <= apart < moved / 50  # Adam makes a whole step of a gradient that is 0 but for rounding


def initial_policy() -> dict[str, Any]:
    """The parameters before the first step."""
    schema = example_module("configuration").ExperimentConfig
    config = load_training_config(os.devnull, overrides=texts(SMALL), environ={}, schema=schema)
    reference: dict[str, Any] = example_module("train").Trainer(config).reference
    return reference


def test_a_rank_with_another_configuration_stops_all(tmp_path: Path) -> None:
    """The ranks compare before they train: all of them stop, and say which rank has what."""
    ranks = train_in_ranks(tmp_path, [SMALL, SMALL | {"grpo.clip_ratio": 0.1}])
    assert [rank.returncode for rank in ranks] == [1, 1]
    for rank in ranks:
        assert "grpo.clip_ratio: 0.2 on rank 0; 0.1 on rank 1" in rank.stderr
    assert not (tmp_path / "policy.npz").exists()
