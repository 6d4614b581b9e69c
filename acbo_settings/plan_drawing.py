"""What every drawing of a plan shows, as text, as a picture and in a notebook: its title, numbers, curves and marks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .config import TrainingConfig
from .engine.printable import escape
from .schedules import exploration_temperature, learning_rate

if TYPE_CHECKING:
    from .plan import Recurring, TrainingPlan

STAGNATION = "can rise to here while the run stagnates"
STOPPING = "early stopping at the earliest"
TOO_OFTEN = "too often to be told apart here"
NEVER_TITLE = "Never in this run:"
HEADS = ("WHAT", "HOW OFTEN", "EVERY", "FIRST AT STEP", "LAST AT STEP")

# From here on a number is written as 1.50e+20: all of its digits would push everything else out of sight.
_LONG = 10**15
_MOST_OF_TITLE = 100


class Curve(NamedTuple):
    """A schedule over the steps from 0 to the last one: the value at each, and how high it can be there."""

    title: str
    value: Callable[[int], float]
    highest: Callable[[int], float]
    last: int
    corners: tuple[int, ...]

    @property
    def top(self) -> float:
        """The highest value."""
        return max(self.highest(0), self.highest(self.last))

    def steps(self, intervals: int) -> list[int]:
        """Steps at which it is looked at: evenly spread ones, and those at which it bends."""
        spread = {self.last * number // intervals for number in range(intervals + 1)}
        return sorted(spread | {step for step in self.corners if step <= self.last})


def curves_of(config: TrainingConfig | None) -> list[Curve]:
    """The exploration temperature over the whole run, and around a warmup the learning rate."""
    if config is None:
        return []
    return [_temperature(config), *([_learning_rate(config)] if config.warmup_steps else [])]


def _temperature(config: TrainingConfig) -> Curve:
    exploration = config.exploration
    is_adaptive = exploration.strategy_type == "adaptive"
    bends = (exploration.adaptation_steps, exploration.adaptation_steps // 2, exploration.stagnation_threshold // 2)
    return Curve(
        title="exploration temperature",
        value=lambda step: exploration_temperature(config, step),
        highest=lambda step: exploration_temperature(config, step, stagnation=step),
        last=config.total_steps - 1,
        corners=bends if is_adaptive else (),
    )


def _learning_rate(config: TrainingConfig) -> Curve:
    def value(step: int) -> float:
        """The rate, which nothing raises."""
        return learning_rate(config, step)

    end = config.warmup_steps
    return Curve("learning rate, up to twice the warmup", value, value, min(2 * end, config.total_steps - 1), (end,))


def has_band(curve: Curve) -> bool:
    """Whether stagnation can raise a curve by so much that it is seen."""
    return any(curve.highest(step) - curve.value(step) > curve.top / 100 for step in curve.steps(10))


def marks_of(event: Recurring, most: int) -> Sequence[int] | None:
    """The steps at which something happens, or None when there are more than can be told apart."""
    return range(0, event.last_step + 1, event.every) if event.count <= most else None


def rows_of(plan: TrainingPlan) -> list[list[str]]:
    """The rows below `HEADS`."""
    numbers = [(event.count, event.every, 0, event.last_step) for event in plan.recurring]
    return [[event.name, *map(show_count, row)] for event, row in zip(plan.recurring, numbers, strict=True)]


def title_of(config: TrainingConfig | None, otherwise: str = "", is_known: bool = True) -> str:
    """The experiment, by its note in the metadata or by another name, and the fingerprint of its configuration."""
    if config is None:
        return ""
    note = config.metadata.get("experiment")
    name = note if note and isinstance(note, str) else otherwise
    parts = [escape(name, _MOST_OF_TITLE), f"fingerprint {config.fingerprint if is_known else 'known only in the job'}"]
    return ", ".join(filter(None, parts))


def totals_of(plan: TrainingPlan) -> str:
    """How much there is to do."""
    amounts = [
        (plan.total_steps, "training step"),
        (plan.gradient_updates, "gradient update"),
        (plan.sampled_interventions, "sampled intervention"),
    ]
    return ", ".join(f"{show_count(number)} {noun}{'' if number == 1 else 's'}" for number, noun in amounts)


def show_count(number: int) -> str:
    """A number as people write it, however long it is.

    >>> show_count(20000), show_count(15 * 10**19)
    ('20,000', '1.50e+20')
    """
    if number < _LONG:
        return f"{number:,}"
    from decimal import Decimal  # floats end at 10**308

    return f"{Decimal(number):.2e}"
