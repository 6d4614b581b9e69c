"""The schedules of a run: the exploration temperature and the learning rate at each step."""

from __future__ import annotations

from .config import TrainingConfig
from .engine import public


@public
def exploration_temperature(config: TrainingConfig, step: int, stagnation: int = 0) -> float:
    """The exploration temperature at one step.

    A training loop that calls it explores as `acbo-settings plan` draws it. Under "adaptive" it is
    initial · (1 - p) + final · p, with p = min(step / adaptation_steps, 1) less
    min(stagnation / stagnation_threshold, 0.5), floored at 0. So stagnation has its full effect at half the threshold.
    The formula is that of ACBO's adaptive exploration. Under "uncertainty_guided" the temperature is constant.

    Args:
        config: A validated configuration.
        step: The training step, at least 0, a number and not an array.
        stagnation: Training steps since the last improvement, at least 0.

    Returns:
        The temperature: under "adaptive" between the final and the initial one, else `exploration.temperature`.

    Raises:
        ValueError: `step` or `stagnation` is negative.

    >>> exploration_temperature(TrainingConfig(), 0), exploration_temperature(TrainingConfig(), 1000)
    (2.0, 0.1)
    >>> exploration_temperature(TrainingConfig(), 1000, stagnation=50)
    1.05
    """
    _require_not_negative(step=step, stagnation=stagnation)
    exploration = config.exploration
    if exploration.strategy_type != "adaptive":
        return exploration.temperature
    progress = min(step, exploration.adaptation_steps) / exploration.adaptation_steps
    threshold = exploration.stagnation_threshold
    progress = max(progress - min(min(stagnation, threshold) / threshold, 0.5), 0.0)
    return exploration.initial_temperature * (1 - progress) + exploration.final_temperature * progress


@public
def learning_rate(config: TrainingConfig, step: int) -> float:
    """The learning rate at one step, with a linear warmup.

    A training loop that calls it trains at the rates that `acbo-settings plan` draws. The rate is
    `grpo.learning_rate` · min(step / warmup_steps, 1). The warmup counts training steps; one training step makes
    `grpo.num_iterations` optimizer updates, all at the same rate. With a warmup the first step, which is step 0, has
    the rate 0, as in `transformers.get_constant_schedule_with_warmup`.

    Args:
        config: A validated configuration.
        step: The training step, at least 0, a number and not an array.

    Returns:
        The rate, from 0 to `grpo.learning_rate`.

    Raises:
        ValueError: `step` is negative.

    >>> learning_rate(TrainingConfig(), 50), learning_rate(TrainingConfig(), 100)
    (0.00015, 0.0003)
    """
    _require_not_negative(step=step)
    if step >= config.warmup_steps:
        return config.grpo.learning_rate
    return config.grpo.learning_rate * (step / config.warmup_steps)


def _require_not_negative(**counts: int) -> None:
    """Refuse a count of steps that is below 0, which would give a rate or a temperature outside of its range."""
    for name, count in counts.items():
        if count < 0:
            raise ValueError(f"{name} must be at least 0, and is {count}")
