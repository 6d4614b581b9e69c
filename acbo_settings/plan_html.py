"""A plan as a notebook shows it: tables and sentences that take the notebook's own style, and a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

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
        _table([HEADS], rows_of(plan), "right"),
        _table([], schedules, "left"),
        plan_svg(plan),
        f"<p>{NEVER_TITLE}</p><ul>{never}</ul>" if never else "",
    ]
    return f"<div>{''.join(parts)}</div>"


def _table(heads: Iterable[Sequence[str]], rows: Iterable[Sequence[str]], side: str) -> str:
    """A table whose first column names what the others, at one side, tell about."""
    lines = [*(_row(cells, "th", side) for cells in heads), *(_row(cells, "td", side) for cells in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(cells: Sequence[str], tag: str, side: str) -> str:
    return f"<tr>{''.join(_cells(cells, tag, side))}</tr>"


def _cells(cells: Sequence[str], tag: str, side: str) -> Iterator[str]:
    for number, cell in enumerate(cells):
        yield f'<{tag} style="text-align:{side if number else "left"}">{escape(cell)}</{tag}>'
