"""What a run will do, worked out from its settings: how often, until when, and what never happens."""

from __future__ import annotations

from dataclasses import dataclass

from .config import TrainingConfig
from .engine import PickledByName, public
from .rules import (
    find_idle_stopping,
    find_no_bonus,
    find_unwatched_stopping,
    is_due_again,
    reaches_final_temperature,
)


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring(PickledByName):
    """Something that happens at step 0 and then again and again; `plan_training` makes it.

    >>> plan_training(TrainingConfig()).recurring[0].count
    50
    """

    name: str
    """What happens, such as `evaluations`."""

    every: int
    """Training steps from one to the next."""

    count: int
    """How often in the whole run, step 0 included."""

    last_step: int
    """The step at which it happens for the last time."""


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(PickledByName):
    """Something that goes on until a certain step; `plan_training` makes it.

    >>> plan_training(TrainingConfig()).schedules[0].end
    100
    """

    name: str
    """`warmup`, `exploration` or `early stopping`."""

    end: int | None
    """The step at which it ends, or None when it does not end within the run."""

    summary: str
    """The same in words, with what happens there."""


@public
@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPlan(PickledByName):
    """What a run will do; `plan_training` makes it.

    >>> plan_training(TrainingConfig()).sampled_interventions
    320000
    """

    total_steps: int
    """Training steps of the run."""

    recurring: tuple[Recurring, ...]
    """Evaluations, checkpoints, log lines and surrogate updates."""

    gradient_updates: int
    """Steps of the optimiser: each training step uses its batch `num_iterations` times."""

    sampled_interventions: int
    """Interventions sampled: `group_size` in each training step."""

    schedules: tuple[Schedule, ...]
    """Warmup, exploration and early stopping."""

    never: tuple[str, ...]
    """What never happens in this run, one sentence each."""


@public
def plan_training(config: TrainingConfig) -> TrainingPlan:
    """Work out what a run will do, if it is not stopped early.

    The loop is `for step in range(total_steps)`, in which something recurring is due when `step % frequency == 0`. One
    group of interventions is sampled in each step.

    Args:
        config: A validated configuration.

    Returns:
        All counts and ends.

    >>> plan = plan_training(TrainingConfig(total_steps=1000))
    >>> [(event.name, event.count, event.last_step) for event in plan.recurring][1]
    ('checkpoints', 2, 500)
    """
    evaluation = config.evaluation
    frequencies = {
        "evaluations": evaluation.eval_frequency,
        "checkpoints": evaluation.checkpoint_frequency,
        "log lines": config.log_frequency,
        "surrogate updates": config.surrogate_update_frequency,
    }
    recurring = tuple(_recurring(name, every, config.total_steps) for name, every in frequencies.items())
    return TrainingPlan(
        total_steps=config.total_steps,
        recurring=recurring,
        gradient_updates=config.total_steps * config.grpo.num_iterations,
        sampled_interventions=config.total_steps * config.grpo.group_size,
        schedules=(_warmup(config), _exploration(config), _early_stopping(config)),
        never=tuple(_find_never(config, recurring)),
    )


def _recurring(name: str, every: int, total_steps: int) -> Recurring:
    last = (total_steps - 1) // every
    return Recurring(name=name, every=every, count=last + 1, last_step=last * every)


def _warmup(config: TrainingConfig) -> Schedule:
    end = config.warmup_steps
    rate = config.grpo.learning_rate
    summary = f"from a learning rate of 0 at step 0 to {rate} at step {end:,}" if end else "none: warmup_steps is 0"
    return Schedule(name="warmup", end=end, summary=summary)


def _exploration(config: TrainingConfig) -> Schedule:
    exploration, last = config.exploration, config.total_steps - 1
    if exploration.strategy_type != "adaptive":
        summary = f"never cools: the temperature stays {exploration.temperature}"
        return Schedule(name="exploration", end=None, summary=summary)
    end = exploration.adaptation_steps
    if reaches_final_temperature(config):
        share = exploration.final_temperature / exploration.initial_temperature
        summary = (
            f"at {exploration.final_temperature} from step {end:,} on, with {share:.3g} of the first bonus,"
            " unless the run stagnates"
        )
        return Schedule(name="exploration", end=end, summary=summary)
    reached = exploration_temperature(config, last)
    return Schedule(
        name="exploration", end=None, summary=f"never cooled down: still at {reached:.4g} in step {last:,}, the last"
    )


def _early_stopping(config: TrainingConfig) -> Schedule:
    evaluation = config.evaluation
    if not evaluation.early_stopping_enabled:
        return Schedule(name="early stopping", end=None, summary="off")
    if _stopping_obstacles(config):
        return Schedule(name="early stopping", end=None, summary="never: it cannot fire within the run")
    steps = evaluation.early_stopping_patience * evaluation.eval_frequency
    return Schedule(name="early stopping", end=steps, summary=f"at step {steps:,} at the earliest")


def _stopping_obstacles(config: TrainingConfig) -> list[str]:
    """Why early stopping, which is on, can never end the run; nothing when it can."""
    return [sentence for find in (find_unwatched_stopping, find_idle_stopping) if (sentence := find(config))]


def _find_never(config: TrainingConfig, recurring: tuple[Recurring, ...]) -> list[str]:
    """Sentences about what the settings seem to promise and the run will not do."""
    exploration, total = config.exploration, config.total_steps
    found = [f"{sentence}." for sentence in (*_stopping_obstacles(config), find_no_bonus(config)) if sentence]
    if exploration.strategy_type == "adaptive" and not reaches_final_temperature(config):
        found.append(
            f"The final temperature {exploration.final_temperature} is never reached: it is due at step"
            f" {exploration.adaptation_steps:,}, and the last step is {total - 1:,}."
        )
    found += [
        f"No {event.name} after step 0." for event in recurring if not is_due_again(config, event.every) and total > 1
    ]
    checkpoint = recurring[1].last_step
    if checkpoint < total - 1:
        steps = (
            f"Step {total - 1:,} is" if checkpoint == total - 2 else f"Steps {checkpoint + 1:,} to {total - 1:,} are"
        )
        found.append(f"{steps} saved by no checkpoint of the loop: the last one is at step {checkpoint:,}.")
    if config.grpo.num_iterations == 1:
        found.append("clip_ratio never acts: with num_iterations = 1 the probability ratio stays 1.")
    if config.rewards.reward_scaling == "none":
        found.append('reward_clip_value never acts: reward_scaling is "none".')
    return found


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
