"""What a run will do, worked out from its settings: how often, until when, and what never happens."""

from __future__ import annotations

from dataclasses import dataclass, field

from .config import TrainingConfig
from .engine import Displayed, PickledByName, public
from .rules import NEVER, find_idle_stopping, find_unwatched_stopping, reaches_final_temperature
from .schedules import exploration_temperature


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
class TrainingPlan(Displayed, PickledByName):
    """What a run will do; `plan_training` makes it.

    `print(plan)` tells all of it as `acbo-settings plan` does, with its curves. A notebook shows a plan as tables with
    a picture. Two plans are equal when the same happens; the configuration takes no part in that.

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

    config: TrainingConfig | None = field(default=None, repr=False, compare=False)
    """The configuration, from which the curves are drawn; None in a plan that was pickled by an older version."""

    def __str__(self) -> str:
        from .engine.printable import terminal_width
        from .plan_text import plan_lines

        return "\n".join(line.text for line in plan_lines(self, terminal_width()))

    def _repr_html_(self) -> str:
        """The plan as a notebook shows it."""
        from .plan_html import plan_html

        return plan_html(self)


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
    return TrainingPlan(
        total_steps=config.total_steps,
        recurring=tuple(_recurring(name, every, config.total_steps) for name, every in frequencies.items()),
        gradient_updates=config.total_steps * config.grpo.num_iterations,
        sampled_interventions=config.total_steps * config.grpo.group_size,
        schedules=(_warmup(config), _exploration(config), _early_stopping(config)),
        never=tuple(f"{sentence}." for rule in NEVER if (sentence := rule.check(config))),
        config=config,
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
    if find_unwatched_stopping(config) or find_idle_stopping(config):
        return Schedule(name="early stopping", end=None, summary="never: it cannot fire within the run")
    steps = evaluation.early_stopping_patience * evaluation.eval_frequency
    return Schedule(name="early stopping", end=steps, summary=f"at step {steps:,} at the earliest")
