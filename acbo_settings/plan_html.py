"""A plan as a notebook shows it: tables and sentences that take the notebook's own style, and a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from .engine.html import Cell, table
from .plan_drawing import HEADS, NEVER_TITLE, rows_of, title_of, totals_of
from .plan_svg import plan_svg

if TYPE_CHECKING:
    from .plan import TrainingPlan


def plan_html(plan: TrainingPlan) -> str:
    """The title, all numbers and schedules, the curves, and what never happens."""
    schedules = [(schedule.name, schedule.summary) for schedule in plan.schedules]
    heads = filter(None, (title_of(plan.config), totals_of(plan)))
    never = "".join(f"<li>{escape(sentence)}</li>" for sentence in plan.never)
    parts = [
        f"<p><strong>{'<br>'.join(map(escape, heads))}</strong></p>",
        table(HEADS, _plain(rows_of(plan)), "right"),
        table([], _plain(schedules)),
        plan_svg(plan),
        f"<p>{NEVER_TITLE}</p><ul>{never}</ul>" if never else "",
    ]
    return f"<div>{''.join(parts)}</div>"


def _plain(rows: Iterable[Sequence[str]]) -> list[list[Cell]]:
    """The cells of rows, without anything to say where the pointer rests on one."""
    return [[(cell, "") for cell in row] for row in rows]
