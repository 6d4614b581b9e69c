"""What `examples/acbo/trl_arguments.py` hands to TRL, which itself is too large for CI."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import TrainingConfig, create_training_config, plan_training

EXAMPLE = Path(__file__).parent.parent / "examples/acbo/trl_arguments.py"
CHANGED: dict[str, Any] = {
    "total_steps": 70,
    "warmup_steps": 7,
    "log_frequency": 1,
    "grpo": {
        "group_size": 8,
        "num_iterations": 3,
        "learning_rate": 1e-4,
        "max_grad_norm": 0.5,
        "clip_ratio": 0.1,
        "entropy_coeff": 0.0,
        "kl_penalty_coeff": 0.04,
        "scale_rewards": False,
    },
    "exploration": {"adaptation_steps": 50},
    "evaluation": {"eval_frequency": 20, "checkpoint_frequency": 30},
}


def load_example() -> Callable[[TrainingConfig], dict[str, Any]]:
    """The function of the example, loaded by its path, so that no folder has to be searched for modules."""
    spec = importlib.util.spec_from_file_location("trl_arguments", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[TrainingConfig], dict[str, Any]] = module.to_trl_arguments
    return function


to_trl_arguments = load_example()


def test_the_defaults_are_multiplied_where_trl_counts_updates() -> None:
    """Of 5000 steps with 4 updates each TRL makes 20,000, and all other counts of steps are four times ours."""
    assert to_trl_arguments(TrainingConfig()) == {
        "max_steps": 20000,
        "lr_scheduler_type": "constant_with_warmup",
        "warmup_steps": 400,
        "logging_strategy": "steps",
        "logging_steps": 40,
        "eval_strategy": "steps",
        "eval_steps": 400,
        "save_strategy": "steps",
        "save_steps": 2000,
        "num_iterations": 4,
        "learning_rate": 3e-4,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "epsilon": 0.2,
        "entropy_coef": 0.01,
        "beta": 0.0,
        "use_bias_correction_kl": False,
        "scale_rewards": "group",
        "loss_type": "grpo",
        "reward_weights": [1.0],
        "num_generations": 64,
        "generation_batch_size": 64,
        "per_device_train_batch_size": 64,
        "per_device_eval_batch_size": 64,
        "gradient_accumulation_steps": 1,
    }


def test_every_changed_setting_arrives() -> None:
    """Each setting that TRL has takes its new value along, and everything else stays as it was."""
    arguments = to_trl_arguments(create_training_config(CHANGED))
    assert arguments == to_trl_arguments(TrainingConfig()) | {
        "max_steps": 210,
        "warmup_steps": 21,
        "logging_steps": 3,
        "eval_steps": 60,
        "save_steps": 90,
        "num_iterations": 3,
        "learning_rate": 1e-4,
        "max_grad_norm": 0.5,
        "epsilon": 0.1,
        "entropy_coef": 0.0,
        "beta": 0.04,
        "scale_rewards": "none",
        "num_generations": 8,
        "generation_batch_size": 8,
        "per_device_train_batch_size": 8,
        "per_device_eval_batch_size": 8,
    }


def test_trl_makes_as_many_updates_as_the_plan_says() -> None:
    """The number of optimizer updates is the one that `acbo-settings plan` prints."""
    config = create_training_config(CHANGED)
    assert to_trl_arguments(config)["max_steps"] == plan_training(config).gradient_updates == 210


def change(config: Any, key: str) -> TrainingConfig:
    """The configuration with another value of one setting, whether it is valid or not."""
    section, _, name = key.rpartition(".")
    settings: Any = getattr(config, section) if section else config
    value = getattr(settings, name)
    settings = replace(settings, **{name: not value if isinstance(value, bool) else value * 2 or 1.0})
    changed: TrainingConfig = replace(config, **{section: settings}) if section else settings
    return changed


@pytest.mark.parametrize("key", TrainingConfig().to_flat())
def test_every_setting_is_handed_over_or_named_as_left_out(key: str) -> None:
    """No setting is lost in silence: either the arguments depend on it, or the docstring says that it is left out."""
    left_out = re.search(r"These have no counterpart.*?\n\n", to_trl_arguments.__doc__ or "", re.DOTALL)
    assert left_out
    is_named = not {*key.split(".")}.isdisjoint(re.findall(r"`(\w+)`", left_out[0]))
    config = TrainingConfig()
    arrives = to_trl_arguments(change(config, key)) != to_trl_arguments(config)
    assert arrives != is_named


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::FutureWarning")  # TRL 1.16 sets what transformers 5.24 has renamed
@pytest.mark.parametrize("settings", [{}, CHANGED, {"warmup_steps": 0, "grpo": {"num_iterations": 1}}])
def test_trl_takes_the_arguments(settings: dict[str, Any], tmp_path: Path) -> None:
    """The real `GRPOConfig` has each argument and keeps its value, and one batch of generations is one group."""
    trl = pytest.importorskip("trl", reason="needs TRL (with torch 1.4 GB), which no extra installs")
    config = create_training_config(settings)
    arguments = to_trl_arguments(config)
    taken = trl.GRPOConfig(**arguments, output_dir=str(tmp_path), use_cpu=True, bf16=False, report_to="none")
    assert {name: getattr(taken, name) for name in arguments} == arguments
    assert (taken.steps_per_generation, taken.world_size) == (1, 1)
    assert taken.get_warmup_steps(taken.max_steps) == config.warmup_steps * config.grpo.num_iterations
