"""What `jax.jit` compiles again, when a configuration is its static argument."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import TrainingConfig, create_training_config

from ..test_readme import ROOT
from .example import EXAMPLE, example_module, train_here

pytestmark = pytest.mark.heavy


def test_only_what_the_update_reads_is_compiled_again(tmp_path: Path) -> None:
    """Of two trainings in one process the second one compiles the update anew when `[grpo]` differs, and else not."""
    update = example_module("grpo")._update
    update.clear_cache()
    compiled = []
    changes: list[dict[str, Any]] = [{}, {"log_frequency": 5}, {"seed": 3}, {"grpo.clip_ratio": 0.1}, {}]
    for number, settings in enumerate(changes):
        train_here(tmp_path / str(number), settings)
        compiled.append(update._cache_size())
    assert compiled == [1, 1, 1, 2, 2]


def test_the_example_is_typed() -> None:
    """With jax there, mypy has nothing to say of the example."""
    options = ["--strict", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", *options, "."]
    ran = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout


def test_the_whole_configuration_is_compiled_again_for_a_log_line() -> None:
    """A function that takes all of it is compiled for each `log_frequency`; one that takes `config.grpo` is not."""
    jax = pytest.importorskip("jax")
    configs = [create_training_config(log_frequency=every) for every in (10, 20, 30)]
    whole, section = Counted(lambda config: config.grpo.clip_ratio), Counted(lambda grpo: grpo.clip_ratio)
    for config in configs:
        jax.jit(whole, static_argnums=0)(config)
        jax.jit(section, static_argnums=0)(config.grpo)
    assert (whole.times, section.times) == (3, 1)


class Counted:
    """A function that counts how often it is traced."""

    def __init__(self, function: Any) -> None:
        self.function, self.times = function, 0

    def __call__(self, settings: Any) -> Any:
        """Count, and call it."""
        self.times += 1
        return self.function(settings)


def test_metadata_in_a_compiled_function_is_stale() -> None:
    """Two configurations that differ in metadata alone are equal, so that the second gets what the first one had."""
    jax = pytest.importorskip("jax")

    def scale_of(config: TrainingConfig) -> Any:
        """Read metadata where it should not be read."""
        return config.metadata["scale"]

    compiled = jax.jit(scale_of, static_argnums=0)
    found = [float(compiled(create_training_config(scale=scale))) for scale in (1.0, 2.0)]
    assert found == [1.0, 1.0]
