"""A plan as text: tables, sentences, and curves of block characters, which need no colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .engine.columns import lay_out
from .engine.printable import fit
from .plan_drawing import (
    HEADS,
    NEVER_TITLE,
    STAGNATION,
    TOO_OFTEN,
    Curve,
    curves_of,
    marks_of,
    rows_of,
    show_count,
    title_of,
    totals_of,
)

if TYPE_CHECKING:
    from .plan import Recurring, TrainingPlan

_BLOCKS = " ▁▂▃▄▅▆▇█"
_BAND = "░"
_LEFT, _RIGHT = "▌▐"
_SOLID = "─"
_MARGIN = 18
_WIDEST = 100


class Line(NamedTuple):
    """A line, or some that belong together, and whether they are a heading."""

    text: str
    is_heading: bool = False


def plan_lines(plan: TrainingPlan, width: int = 80, title: str | None = None) -> Iterator[Line]:
    """What a run will do, fitted to a width; without a title that of its configuration."""
    title = title_of(plan.config) if title is None else title
    if title:
        yield Line(fit(title, width), is_heading=True)
    yield Line(fit(totals_of(plan), width, ""), is_heading=True)
    yield Line("")
    yield from _table(HEADS, rows_of(plan), width)
    yield Line("")
    for schedule in plan.schedules:
        yield Line(fit(f"{schedule.name:{_MARGIN}}{schedule.summary}", width, " " * _MARGIN))
    for number, curve in enumerate(curves_of(plan.config)):
        yield from _plot_lines(curve, width, () if number else plan.recurring)
    if plan.never:
        yield Line(f"\n{NEVER_TITLE}", is_heading=True)
    for sentence in plan.never:
        yield Line(fit(f"- {sentence}", width, "  "))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[Line]:
    """A table whose numbers stand at the right."""
    for number, lines in enumerate(lay_out([heads, *rows], width, right=range(1, len(heads)))):
        yield from (Line(line, is_heading=number == 0) for line in lines)


def _plot_lines(curve: Curve, width: int, events: Sequence[Recurring]) -> Iterator[Line]:
    """A titled curve, its highest value and 0 beside it, with marks for events below it."""
    across = max(min(width, _WIDEST) - _MARGIN, 2)
    rows, rug = plot(curve, across, 5 if events else 3), _rug(events, curve.last, across)
    labels = [f"{curve.top:.4g}", *[""] * (len(rows) - 2), "0"]
    yield Line(f"\n{curve.title}", is_heading=True)
    for label, row in zip(labels, rows, strict=True):
        yield Line(f"{label:>{_MARGIN - 1}} {row}".rstrip())
    yield from (Line(f"{event.name:{_MARGIN}}{row}") for event, row in zip(events, rug, strict=True))
    end = f"step {show_count(curve.last)}"
    yield Line(f"{'':{_MARGIN}}0{end:>{across - 1}}")
    for sign, meaning in {_BAND: STAGNATION, _SOLID: TOO_OFTEN}.items():
        if any(sign in row for row in (*rows, *rug)):
            yield Line(fit(f"{sign} {meaning}", width, "  "))


def plot(curve: Curve, width: int, height: int) -> list[str]:
    """A curve as rows of block characters, the highest first, with light ones where it can be higher; it starts at 0.

    >>> plot(Curve("steps", lambda step: step, lambda step: step + 1, 3, ()), 4, 2)
    ['  ░▄', ' ▄██']
    """
    steps = [curve.last * column // (width - 1) for column in range(width)]
    top = curve.top or 1
    eighths = [round(curve.value(step) / top * 8 * height) for step in steps]
    limits = [round(curve.highest(step) / top * height) for step in steps]
    return [
        "".join(_cell(filled - 8 * row, limit > row) for filled, limit in zip(eighths, limits, strict=True)).rstrip()
        for row in reversed(range(height))
    ]


def _cell(eighths: int, is_in_band: bool) -> str:
    """One place of a plot: how much of it is filled, or what it can be filled with."""
    return _BLOCKS[min(eighths, 8)] if eighths > 0 else _BAND if is_in_band else " "


def _rug(events: Sequence[Recurring], last: int, width: int) -> list[str]:
    """A row of marks for each thing that happens again and again, in places of half a character."""
    rows = []
    for event in events:
        marks = marks_of(event, width - 1)  # with which no two are in one character
        if marks is None:
            rows.append(_SOLID * (_place(event.last_step, last, width) // 2 + 1))
            continue
        cells = [" "] * width
        for place in (_place(step, last, width) for step in marks):
            cells[place // 2] = _RIGHT if place % 2 else _LEFT
        rows.append("".join(cells).rstrip())
    return rows


def _place(step: int, last: int, width: int) -> int:
    """The half of a character, counted from the left, at which a plot comes to a step."""
    return -(-2 * (width - 1) * step // last) if last else 0
