"""The command `plan`: what a run will do, in tables, sentences and two small plots."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from functools import partial

from ..config import TrainingConfig
from ..engine.printable import fit, show_value
from ..plan import exploration_temperature, learning_rate, plan_training
from .checked_job import MAX_NOTES, Configuration, resolve_and_report
from .output import NOT_VALID, SUCCESS, note, picture_result
from .plan_picture import save_picture
from .terminal import Terminal, plot

_WIDEST = 100


def run(arguments: Namespace) -> int:
    """Print what the run of `path` will do, and draw it as `png` if asked for."""
    found = resolve_and_report(arguments, arguments.path)
    if not found:
        return NOT_VALID
    if len(found) > 1 and arguments.png:
        note("acbo-settings plan: --png draws one plan, and the parts of the job differ")
        return NOT_VALID
    for number, each in enumerate(found):
        if len(found) > 1:
            Terminal().heading(each.title, is_first=number == 0)
        _note_later(each)
        print_plan(each.resolved.config)
    if arguments.png is None:
        return SUCCESS
    return picture_result("plan", arguments.png, partial(save_picture, found[0].resolved.config))


def _note_later(planned: Configuration) -> None:
    """Say with which values the plan is made where only the job will know them; of many only how many."""
    if len(planned.later) > MAX_NOTES:
        note(f"note: {len(planned.later)} settings are known only in the job: planned with their defaults")
        return
    for path, sourced in planned.later.items():
        default = show_value(planned.resolved.values[path].shadowed[-1].value)
        note(f"note: {'.'.join(path)} is known only in the job, from {sourced.origin}: planned with {default}")


def print_plan(config: TrainingConfig) -> None:
    """Print what a run will do."""
    terminal, planned = Terminal(), plan_training(config)
    counts = f"{planned.total_steps:,} training steps, {planned.gradient_updates:,} gradient updates"
    terminal.out(
        fit(f"{counts}, {planned.sampled_interventions:,} sampled interventions", terminal.width), style="bold"
    )
    terminal.out("")
    heads = ["WHAT", "HOW OFTEN", "EVERY", "FIRST AT STEP", "LAST AT STEP"]
    rows = [
        [event.name, f"{event.count:,}", f"{event.every:,}", "0", f"{event.last_step:,}"] for event in planned.recurring
    ]
    terminal.table(heads, rows, right=heads[1:])
    terminal.out("")
    for schedule in planned.schedules:
        terminal.out(fit(f"{schedule.name:16}{schedule.summary}", terminal.width, " " * 16))
    last = planned.total_steps - 1
    _print_plot(terminal, "exploration temperature", lambda step: exploration_temperature(config, step), last, 5)
    if config.warmup_steps:
        end = min(2 * config.warmup_steps, last)
        _print_plot(terminal, "learning rate around a linear warmup", lambda step: learning_rate(config, step), end, 3)
    if planned.never:
        terminal.out("\nNever in this run:", style="bold")
    for sentence in planned.never:
        terminal.out(fit(f"- {sentence}", terminal.width, "  "))


def _print_plot(terminal: Terminal, title: str, of: Callable[[int], float], last: int, height: int) -> None:
    """A titled plot from step 0 to the last one, with its highest value and 0 beside it."""
    top = f"{max(of(0), of(last)):.4g}"
    width = min(terminal.width, _WIDEST) - len(top) - 2
    labels = [top, *[""] * (height - 2), "0"]
    terminal.out(f"\n{title}", style="bold")
    for label, row in zip(labels, plot(of, last, width, height), strict=True):
        terminal.out(f"{label:>{len(top)}} {row}".rstrip())
    end = f"step {last:,}"
    terminal.out(f"{'':{len(top)}} 0{end:>{max(width - 1, 1)}}")
