"""The training of `examples/acbo`, run in a process of its own or in this one, and what could be seen of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import TrainingConfig, load_training_config

from ..test_readme import ROOT, shell_environment

EXAMPLE = ROOT / "examples" / "acbo"

SMALL: dict[str, Any] = {
    "total_steps": 12,
    "warmup_steps": 0,
    "surrogate_update_frequency": 1,
    "log_frequency": 1,
    "grpo.group_size": 8,
    "exploration.adaptation_steps": 10,
    "evaluation.eval_frequency": 4,
    "evaluation.checkpoint_frequency": 5,
    "policy.width": 4,
    "models.variables": 4,
    "models.interventions": 6,
}
"""Settings of a training that is over in a moment."""


def example_module(name: str) -> Any:
    """A module of the example; without jax the test is skipped."""
    pytest.importorskip("jax", reason="the training of examples/acbo needs the extra example")
    pytest.importorskip("optax", reason="the training of examples/acbo needs the extra example")
    if str(EXAMPLE) not in sys.path:
        sys.path.append(str(EXAMPLE))
    return import_module(name)


def texts(settings: dict[str, Any]) -> list[str]:
    """Settings as arguments of the command line."""
    return [f"{key}={json.dumps(value) if isinstance(value, bool) else value}" for key, value in settings.items()]


def run_example(directory: Path, settings: dict[str, Any], **environ: str) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own, in a directory that may have an `acbo.toml`, into its folder `run`."""
    environment = shell_environment(directory) | {"JAX_PLATFORMS": "cpu"} | environ
    command = [sys.executable, str(EXAMPLE / "train.py"), *texts(settings)]
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@dataclass(frozen=True)
class Training:
    """What could be seen of a training."""

    config: TrainingConfig
    progress: Any
    lines: list[dict[str, float]]
    evaluations: list[dict[str, float]]
    interventions: Any
    """A row for each: step, variable, value, target, reward."""
    steps: list[dict[str, float]]
    """What was measured in each step, whether it was logged or not."""
    rates: list[float]
    """The learning rate that each update got."""
    checkpoint: Any

    def of_step(self, step: int) -> Any:
        """The interventions of one step."""
        return self.interventions[self.interventions[:, 0] == step]

    @property
    def parameters(self) -> Any:
        """All parameters of the policy in one array."""
        import numpy

        return numpy.concatenate([numpy.ravel(value) for _, value in sorted(self.progress.parameters.items())])


def train_here(directory: Path, settings: dict[str, Any]) -> Training:
    """Train in this process, with the code that a process of its own runs."""
    train, configuration = example_module("train"), example_module("configuration")
    import numpy

    given: dict[str, Any] = SMALL | settings
    steps: list[dict[str, float]] = []
    rates: list[float] = []
    config = load_training_config(
        os.devnull, overrides=texts(given), environ={}, run_dir=directory, schema=configuration.ExperimentConfig
    )

    step, create = train.Trainer.step, train.grpo.create_grpo_trainer

    def observed_step(*arguments: Any) -> Any:
        """One step, whose measurements are kept."""
        found = step(*arguments)
        steps.append(found[2])
        return found

    def observed_trainer(*arguments: Any) -> Any:
        """The update, whose rates are kept."""
        update, init = create(*arguments)

        def observed_update(*given: Any) -> Any:
            """The update of one step."""
            rates.append(given[-1])
            return update(*given)

        return observed_update, init

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train.Trainer, "step", observed_step)
        patch.setattr(train.grpo, "create_grpo_trainer", observed_trainer)
        progress = train.train(config, directory)
    with numpy.load(directory / "checkpoint.npz") as saved:
        checkpoint = dict(saved)
    logged = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    return Training(
        config,
        progress,
        [line for line in logged if "reward" in line],
        [line for line in logged if "reward" not in line],
        numpy.fromfile(directory / "trajectories.bin", "<f4").reshape(-1, 5),
        steps,
        rates,
        checkpoint,
    )
