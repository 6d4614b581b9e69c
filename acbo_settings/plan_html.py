"""A plan as a notebook shows it: tables in the notebook's own style, and curves as inline SVG."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import count
from typing import TYPE_CHECKING

from .engine.html import Cell, table
from .plan_drawing import (
    HEADS,
    NEVER_TITLE,
    STAGNATION,
    STOPPING,
    TOO_OFTEN,
    Curve,
    curves_of,
    has_band,
    marks_of,
    rows_of,
    show_count,
    title_of,
    totals_of,
)

if TYPE_CHECKING:
    from .plan import Recurring, TrainingPlan

_WIDTH, _MARGIN, _ACROSS = 760, 130, 590
_ROW = 16
_INTERVALS = 120
_MOST_TICKS = 5
_MOST_MARKS = 150  # four units apart from one another


def plan_html(plan: TrainingPlan) -> str:
    """The title, all numbers and schedules, the curves, and what never happens."""
    schedules = [(schedule.name, schedule.summary) for schedule in plan.schedules]
    heads = filter(None, (title_of(plan.config), totals_of(plan)))
    never = "".join(f"<li>{escape(sentence)}</li>" for sentence in plan.never)
    parts = [
        f"<p><strong>{'<br>'.join(map(escape, heads))}</strong></p>",
        table(HEADS, _plain(rows_of(plan)), "right"),
        table([], _plain(schedules)),
        _picture(plan),
        f"<p>{NEVER_TITLE}</p><ul>{never}</ul>" if never else "",
    ]
    return f"<div>{''.join(parts)}</div>"


def _plain(rows: Iterable[Sequence[str]]) -> list[list[Cell]]:
    """The cells of rows, without anything to say where the pointer rests on one."""
    return [[(cell, "") for cell in row] for row in rows]


def _picture(plan: TrainingPlan) -> str:
    """The exploration temperature with its band, marks for what happens again and again, and the warmup; or nothing."""
    parts: list[str] = []
    y = 0
    for number, curve in enumerate(curves_of(plan.config)):
        height = 70 if number else 130
        parts += [_text(0, y + 16, curve.title, "start"), *_panel(curve, y + 26, height)]
        y += 26 + height
        if number == 0:
            stop = plan.schedules[-1].end
            parts += [] if stop is None else _stop(stop, curve.last, y - height, height)
            parts += _rug(plan.recurring, curve.last, y + 6)
            y += 6 + _ROW * len(plan.recurring)
        parts += _axis(curve.last, y + 4)
        y += 40
        for sign, meaning in _legend(curve, () if number else plan.recurring):
            parts += [sign.format(y=y - 4), _text(_MARGIN + 30, y, meaning, "start")]
            y += _ROW
    if not parts:
        return ""
    style = f"width:100%;max-width:{_WIDTH}px;height:auto"
    head = f'<svg viewBox="0 0 {_WIDTH} {y}" style="{style}" role="img" aria-label="the curves of the plan"'
    return f'{head} font-size="12" fill="currentColor" stroke="none">{"".join(parts)}</svg>'


def _text(x: float, y: float, text: str, anchor: str = "end") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _across(step: int, last: int) -> float:
    """How far from the left a step stands."""
    return round(_MARGIN + (_ACROSS * (step / last) if last else 0), 1)


def _panel(curve: Curve, y: int, height: int) -> Iterator[str]:
    """A curve between 0 and its highest value, and lightly above it how high it can be."""
    bottom, top = y + height, curve.top or 1
    steps = curve.steps(_INTERVALS)
    low = [(_across(step, curve.last), round(bottom - height * curve.value(step) / top, 1)) for step in steps]
    high = [(_across(step, curve.last), round(bottom - height * curve.highest(step) / top, 1)) for step in steps]
    if has_band(curve):
        yield f'<polygon points="{_points([*low, *reversed(high)])}" opacity="0.2"/>'
    if not curve.last:
        yield f'<circle cx="{low[0][0]}" cy="{low[0][1]}" r="3"/>'
    yield f'<polyline points="{_points(low)}" fill="none" stroke="currentColor" stroke-width="2"/>'
    yield _line(f"M{_MARGIN} {y}V{bottom}H{_MARGIN + _ACROSS}", 0.5)
    yield _text(_MARGIN - 8, y + 10, f"{curve.top:.4g}")
    yield _text(_MARGIN - 8, bottom, "0")


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _line(path: str, opacity: float = 1, more: str = "") -> str:
    return f'<path d="{path}" fill="none" stroke="currentColor" opacity="{opacity:g}"{more}/>'


def _stop(step: int, last: int, y: int, height: int) -> list[str]:
    """The first step at which early stopping can end the run."""
    x = _across(step, last)
    side, anchor = (-6, "end") if x > _MARGIN + _ACROSS / 2 else (6, "start")
    label = _text(x + side, y + 10, STOPPING, anchor)
    return [_line(f"M{x:g} {y}v{height}", 1, ' stroke-dasharray="4 3"'), label]


def _rug(events: Sequence[Recurring], last: int, y: int) -> Iterator[str]:
    """A row of marks for each thing that happens again and again; where they would touch, a line."""
    for number, event in enumerate(events):
        top = y + _ROW * number
        yield _text(_MARGIN - 8, top + 11, event.name)
        marks = marks_of(event, _MOST_MARKS)
        if marks is None:
            yield _line(f"M{_MARGIN} {top + 7}H{_across(event.last_step, last):g}")
        else:
            yield _line("".join(f"M{_across(step, last):g} {top + 2}v10" for step in marks))


def _axis(last: int, y: int) -> Iterator[str]:
    """The steps below everything that shares them."""
    steps = _round_steps(last)
    yield _line("".join(f"M{_across(step, last):g} {y}v4" for step in (*steps, last)), 0.5)
    for step in steps:
        yield _text(_across(step, last), y + 16, show_count(step), "middle")
    end = (_WIDTH, "end") if last else (_MARGIN, "middle")
    yield _text(end[0], y + 16, f"step {show_count(last)}", end[1])


def _round_steps(last: int) -> list[int]:
    """Some round numbers of steps, the last of which is not too near to the end.

    >>> _round_steps(4999), _round_steps(2)
    ([0, 1000, 2000, 3000, 4000], [0, 1])
    """
    sizes = (digit * 10**zeros for zeros in count() for digit in (1, 2, 5))
    size = next(size for size in sizes if last // size <= _MOST_TICKS)
    return [step for step in range(0, last, size) if 2 * (last - step) > size]


def _legend(curve: Curve, events: Sequence[Recurring]) -> Iterator[tuple[str, str]]:
    """The signs that do not speak for themselves, and what they mean."""
    if has_band(curve):
        yield f'<path d="M{_MARGIN} {{y}}m0 -4h20v8h-20z" opacity="0.2"/>', STAGNATION
    if any(marks_of(event, _MOST_MARKS) is None for event in events):
        yield _line(f"M{_MARGIN} {{y}}h20"), TOO_OFTEN
