"""The plan of a run as a picture. The only importer of matplotlib, which is an optional extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..plan import TrainingPlan
from ..plan_drawing import STAGNATION, STOPPING, TOO_OFTEN, Curve, curves_of, has_band, marks_of, show_count, totals_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INTERVALS = 500
_MOST_MARKS = 150


def save_picture(plan: TrainingPlan, title: str, form: str, file: str) -> None:
    """Draw the exploration temperature, what happens when, and the warmup, as a file that replaces what is there.

    ImportError when matplotlib is not installed, OSError when the file cannot be written, OverflowError when a number
    of steps is too large to be drawn.
    """
    from matplotlib.figure import Figure

    curves = curves_of(plan.config)
    heights = [4, 1.6, 2.4][: len(curves) + 1]
    figure = Figure(figsize=(8, 1 + sum(heights) * 0.75), dpi=120, layout="constrained")
    above, rug, *below = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False).flat
    above.sharex(rug)
    figure.suptitle(_literal("\n".join(filter(None, (title, totals_of(plan))))), fontsize=11)
    _draw_curve(above, curves[0], "tab:blue")
    above.tick_params(labelbottom=False)
    _draw_stop(above, plan)
    _draw_rug(rug, plan)
    _label_steps(rug, curves[0].last)
    for panel, curve in zip(below, curves[1:], strict=True):
        _draw_curve(panel, curve, "tab:green")
        _label_steps(panel, curve.last)
    _save(figure, file, form)


def _save(figure: Figure, file: str, form: str) -> None:
    """Write the picture; the fonts may lack a character of the title, which is no news to anybody."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(file, format=form)


def _draw_curve(panel: Axes, curve: Curve, color: str) -> None:
    steps = curve.steps(_INTERVALS)
    across = [float(step) for step in steps]
    values = [curve.value(step) for step in steps]
    panel.plot(across, values, "-" if curve.last else "o", color=color)
    if has_band(curve):
        highest = [curve.highest(step) for step in steps]
        panel.fill_between(across, values, highest, color=color, alpha=0.2, linewidth=0, label=STAGNATION)
        panel.legend(loc="upper right", frameon=False)
    panel.set_title(curve.title, fontsize=10, loc="left")
    panel.set_ylim(0, 1.05 * curve.top)
    panel.grid(alpha=0.3)


def _draw_stop(panel: Axes, plan: TrainingPlan) -> None:
    """The first step at which early stopping can end the run."""
    stop = plan.schedules[-1].end
    if stop is not None:
        panel.axvline(float(stop), color="tab:red", linestyle="--", label=STOPPING)
        panel.legend(loc="upper right", frameon=False)


def _draw_rug(panel: Axes, plan: TrainingPlan) -> None:
    """A row of marks for each thing that happens again and again; where they would touch, a line."""
    is_dense = False
    for row, event in enumerate(plan.recurring):
        marks = marks_of(event, _MOST_MARKS)
        is_dense = is_dense or marks is None
        if marks is None:
            panel.hlines(row, 0, float(event.last_step), color="black", linewidth=1)
        else:
            panel.vlines([float(step) for step in marks], row - 0.35, row + 0.35, color="black", linewidth=1)
    panel.set_yticks(range(len(plan.recurring)), [event.name for event in plan.recurring])
    panel.set_ylim(len(plan.recurring) - 0.5, -0.5)
    panel.tick_params(left=False)
    for side in ("top", "left", "right"):
        panel.spines[side].set_visible(False)
    panel.set_xlabel(f"training step (a line: {TOO_OFTEN})" if is_dense else "training step")


def _label_steps(panel: Axes, last: int) -> None:
    from matplotlib.ticker import MaxNLocator

    panel.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    panel.xaxis.set_major_formatter(lambda step, _: show_count(int(step)))
    if last == 0:
        panel.set_xticks([0])


def _literal(text: str) -> str:
    """A text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
