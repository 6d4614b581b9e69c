"""The plan of a run as a picture. The only importer of matplotlib, which is an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..config import TrainingConfig
from ..plan import TrainingPlan, exploration_temperature, learning_rate, plan_training

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 500
# From here on a number is written as 1.5e+20: its digits would push the panels out of the picture.
_LONG = 10**15


def save_picture(config: TrainingConfig, file: str) -> None:
    """Draw the exploration temperature and the learning rate over the run, as a PNG that replaces what is there.

    ImportError when matplotlib is not installed, OSError when the file cannot be written, OverflowError when a number
    of steps is too large to be drawn.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

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
    below.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    below.xaxis.set_major_formatter(lambda step, _: _short(int(step)))
    if last == 0:
        below.set_xlim(-1, 1)
    figure.savefig(file, format="png")


def _short(number: int) -> str:
    return f"{number:,}" if number < _LONG else f"{number:.3g}"


def _title(plan: TrainingPlan) -> str:
    counts = ", ".join(f"{_short(event.count)} {event.name}" for event in plan.recurring)
    updates, interventions = _short(plan.gradient_updates), _short(plan.sampled_interventions)
    work = f"{updates} gradient updates, {interventions} sampled interventions"
    return f"{_short(plan.total_steps)} training steps: {work}\n{counts}"


def _draw_temperature(panel: Axes, config: TrainingConfig, steps: list[int]) -> None:
    across = [float(step) for step in steps]
    lowest = [exploration_temperature(config, step) for step in steps]
    panel.plot(across, lowest, _style(steps), color="tab:blue", label="while the run improves")
    if config.exploration.strategy_type == "adaptive":
        stagnation = config.exploration.stagnation_threshold
        highest = [exploration_temperature(config, step, min(step, stagnation)) for step in steps]
        panel.fill_between(across, lowest, highest, color="tab:blue", alpha=0.2, label="when it stagnates, at the most")
    panel.set_ylabel("exploration temperature")


def _draw_learning_rate(panel: Axes, config: TrainingConfig, steps: list[int]) -> None:
    rates = [learning_rate(config, step) for step in steps]
    label = "with a linear warmup" if config.warmup_steps else "without a warmup"
    panel.plot([float(step) for step in steps], rates, _style(steps), color="tab:green", label=label)
    panel.set_ylabel("learning rate")


def _style(steps: list[int]) -> str:
    """A line, or a dot for a run of one step, of which a line shows nothing."""
    return "o" if len(steps) == 1 else "-"
