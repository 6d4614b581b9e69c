"""The plan of a run as a picture. The only importer of matplotlib, which is an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plan import TrainingPlan, exploration_temperature, learning_rate, plan_training
from .schema import TrainingConfig

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 500


def save_picture(config: TrainingConfig, file: str) -> None:
    """Draw the exploration temperature and the learning rate over the run, as a PNG.

    Args:
        config: A validated configuration.
        file: The path to write; a file that is there is replaced.

    Raises:
        ImportError: When matplotlib is not installed.
        OSError: When the file cannot be written.
        OverflowError: When a number of steps is too large to be drawn.

    >>> _title(plan_training(TrainingConfig())).splitlines()[0]
    '5,000 training steps: 20,000 gradient updates, 320,000 sampled interventions'
    """
    from matplotlib.figure import Figure

    plan = plan_training(config)
    figure = Figure(figsize=(8, 6), dpi=120, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    figure.suptitle(_title(plan), fontsize=11)
    last = plan.total_steps - 1
    corners = (config.warmup_steps, config.exploration.adaptation_steps)
    steps = sorted({*(last * n // _POINTS for n in range(_POINTS + 1)), *(step for step in corners if step <= last)})
    _draw_temperature(above, config, steps)
    _draw_learning_rate(below, config, steps)
    stop = plan.schedules[-1].end
    for panel in (above, below):
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
        if stop is not None:
            panel.axvline(float(stop), color="tab:red", linestyle="--", label="early stopping at the earliest")
        panel.legend(loc="best", frameon=False)
    below.set_xlabel("training step")
    below.xaxis.set_major_formatter("{x:,.0f}")
    figure.savefig(file, format="png")


def _title(plan: TrainingPlan) -> str:
    counts = ", ".join(f"{event.count:,} {event.name}" for event in plan.recurring)
    work = f"{plan.gradient_updates:,} gradient updates, {plan.sampled_interventions:,} sampled interventions"
    return f"{plan.total_steps:,} training steps: {work}\n{counts}"


def _draw_temperature(panel: Axes, config: TrainingConfig, steps: list[int]) -> None:
    across = [float(step) for step in steps]
    lowest = [exploration_temperature(config, step) for step in steps]
    panel.plot(across, lowest, color="tab:blue", label="while the run improves")
    if config.exploration.strategy_type == "adaptive":
        stagnation = config.exploration.stagnation_threshold
        highest = [exploration_temperature(config, step, min(step, stagnation)) for step in steps]
        panel.fill_between(across, lowest, highest, color="tab:blue", alpha=0.2, label="when it stagnates, at the most")
    panel.set_ylabel("exploration temperature")


def _draw_learning_rate(panel: Axes, config: TrainingConfig, steps: list[int]) -> None:
    rates = [learning_rate(config, step) for step in steps]
    panel.plot([float(step) for step in steps], rates, color="tab:green", label="with a linear warmup")
    panel.set_ylabel("learning rate")
