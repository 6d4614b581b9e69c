"""What a notebook shows: a configuration, one with origins, and differences, as tables without a style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from .canonical import KeyPath, flatten
from .listing import UNWRITABLE, changed_settings, constructor_call, headline, metadata_keys
from .printable import dotted, show_value
from .report import explain_origin
from .values import SourcedValue

if TYPE_CHECKING:
    from .differences import Difference
    from .loading.resolved import ResolvedConfig

Cell = tuple[str, str]
"""A text, and what is shown where the pointer rests on it."""


def config_table(record: Any) -> str:
    """A configuration or a section of one: what differs from the defaults, and all settings to be unfolded."""
    try:
        return _settings(record, {})
    except UNWRITABLE:
        return f"<code>{escape(constructor_call(record))}</code>"


def resolved_table(resolved: ResolvedConfig[Any]) -> str:
    """The same of a configuration with origins: each value tells where it came from, and what it shadows."""
    origins = {path: explain_origin(sourced) for path, sourced in resolved.values.items()}
    return _settings(resolved.config, origins)


def _settings(record: Any, origins: Mapping[KeyPath, str]) -> str:
    keys = metadata_keys(record)
    parts = [f"<div><b>{escape(headline(record))}</b></div>", _listed(changed_settings(record), origins)]
    parts += [f"<div>metadata: {escape(keys)}</div>"] if keys else []
    parts += [f"<details><summary>all settings</summary>{_listed(flatten(record), origins)}</details>"]
    return "".join(parts)


def _listed(settings: Mapping[KeyPath, Any], origins: Mapping[KeyPath, str]) -> str:
    rows = [[(dotted(path), ""), (show_value(value), origins.get(path, ""))] for path, value in settings.items()]
    return table(["setting", "value"], rows) if rows else ""


def differences_table(differences: Sequence[Difference]) -> str:
    """The settings in which two configurations differ; each value tells where it came from."""
    if not differences:
        return "<div>no setting differs</div>"
    rows = [[(dotted(each.path), ""), _told(each.first), _told(each.second)] for each in differences]
    return table(["setting", "first", "second"], rows)


def _told(sourced: SourcedValue) -> Cell:
    return show_value(sourced.value), explain_origin(sourced)


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], side: str = "left") -> str:
    """A table, whose columns but for the first stand at one side; a cell with a title shows it to the pointer."""
    head = _row("th", [(each, "") for each in heads], side)
    body = "".join(_row("td", row, side) for row in rows)
    return f"<table>{f'<thead>{head}</thead>' if heads else ''}<tbody>{body}</tbody></table>"


def _row(tag: str, cells: Sequence[Cell], side: str) -> str:
    return f"<tr>{''.join(_cell(tag, cell, side if number else 'left') for number, cell in enumerate(cells))}</tr>"


def _cell(tag: str, cell: Cell, side: str) -> str:
    shown, title = cell
    told = f' title="{escape(title)}"' if title else ""
    return f'<{tag} style="text-align:{side}"{told}>{escape(shown)}</{tag}>'
