"""What the command line draws in a terminal: tables, colours, reports. The only importer of rich.

Colour is never the only carrier of a meaning, and goes with dark and light backgrounds alike. `NO_COLOR`, a pipe and
`TERM=dumb` give plain text.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from time import monotonic
from typing import Any, Literal, TypeVar

from rich.console import Console
from rich.highlighter import RegexHighlighter
from rich.text import Text
from rich.theme import Theme

from ..engine.canonical import KeyPath
from ..engine.columns import Cell, lay_out
from ..engine.printable import dotted, escape, escape_characters, fit, safe_lines

Item = TypeVar("Item")

_THEME = Theme(
    {"problem.title": "bold red", "problem.key": "bold", "problem.place": "dim", "problem.caret": "bold red"}
)
_PATIENCE = 1.0
_ENDLESS = 1 << 30


def _colours() -> Literal["auto"] | None:
    """What rich may use: without it, not even bold, which `NO_COLOR` would leave to rich."""
    return None if os.environ.get("NO_COLOR") else "auto"


class Terminal(Console):
    """A console of rich that leaves text as it is, and lets a closed pipe be seen by the command."""

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(
            stderr=stderr, theme=_THEME, color_system=_colours(), highlight=False, markup=False, emoji=False
        )
        self.width = max(self.width or 80, 20)  # some terminals say that they have no columns at all

    def out(self, *objects: Any, **options: Any) -> None:
        """Write text as it is, but for what a terminal or a CI service would take for a command."""
        super().out(*(safe_lines(str(each)) for each in objects), **options)

    def heading(self, title: str, is_first: bool) -> None:
        """Write to which part of a job the lines below belong, as a comment; all but the first follow a blank line."""
        self.out(f"{'' if is_first else chr(10)}# {escape(title)}", style="bold")

    def toml(self, line: str, end: str) -> None:
        """Write a line of TOML, which has no such characters, to the letter."""
        super().out(line, end=end)

    def on_broken_pipe(self) -> None:
        """Raise the BrokenPipeError that is being handled: rich would end the process instead."""
        raise  # rich calls this while it handles the exception

    def table(
        self,
        heads: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        right: Sequence[str] = (),
        whole: Sequence[str] = (),
        below: Sequence[str] = (),
    ) -> None:
        """Write a table without lines, as kubectl prints them, and without white space at the ends of its lines.

        The columns that `right` names stand at the right. A cell is broken where the terminal is too narrow, but for
        those of the columns that `whole` names. A sentence for each row may stand `below` it. In a pipe each row is one
        line, so that what takes lines, such as grep, gets whole rows.
        """
        cells = [heads, *([_escaped(cell) for cell in row] for row in rows)]
        numbers = [[heads.index(name) for name in names] for names in (right, whole)]
        first, *others = lay_out(cells, self.width if self.is_fitted else _ENDLESS, *numbers)
        if first:
            self.out("\n".join(first), style="bold")
        for lines, sentence in zip_longest(others, below):
            self.out("\n".join(lines))
            if sentence:
                self.out(fit(f"    {sentence}", self.width, "    "), style="dim")

    @property
    def is_fitted(self) -> bool:
        """Whether somebody sees the lines, or has said how wide they are to be."""
        return self.is_terminal or bool(os.environ.get("COLUMNS"))


def _escaped(cell: Cell) -> Cell:
    return escape_characters(cell) if isinstance(cell, str) else [*map(escape_characters, cell)]


def short_names(paths: Sequence[KeyPath]) -> list[str]:
    """What columns of settings are called: the last part of each key, where no other has the same.

    >>> short_names([("grpo", "group_size"), ("metadata", "seed"), ("seed",)])
    ['group_size', 'metadata.seed', 'seed']
    """
    last = [path[-1] for path in paths]
    return [dotted(path[-1:] if last.count(path[-1]) == 1 else path) for path in paths]


class _Report(RegexHighlighter):
    base_style = "problem."
    highlights = (
        r"(?P<title>^Configuration validation failed: .*)",
        r"^(?:advice: | *)(?P<key>[\w.\-]+)(?=: )",
        r"^ *(?P<place>-->.*)",
        r"^ *\d* \| *(?P<caret>\^)$",
    )


def print_report(text: str) -> None:
    """Write a report or advice to stderr."""
    terminal, place = Terminal(stderr=True), None
    for line in safe_lines(text).split("\n"):
        shown, begins = _Report()(Text(line)), line.lstrip()
        if begins.startswith("-->"):
            place = line.index(begins)
        elif place is not None and line.startswith(" " * (place + 2)) and begins[:1] != "|":  # it goes on
            shown.stylize("problem.place")
        else:
            place = None
        terminal.print(shown, soft_wrap=True)


def with_progress(items: Iterable[Item], total: int, what: str = "checking") -> Iterator[Item]:
    """The items, with a bar on stderr once they take longer than a second, if that is a terminal."""
    console, begun, bar = Terminal(stderr=True), monotonic(), None
    try:
        for number, item in enumerate(items, 1):
            if bar is None and console.is_terminal and monotonic() - begun > _PATIENCE:
                from rich.progress import Progress  # which takes longer to import than most commands take

                bar = Progress(*Progress.get_default_columns(), console=console, transient=True)
                bar.start()
                bar.add_task(what, total=total)
            if bar is not None:
                bar.update(bar.task_ids[0], completed=number)
            yield item
    finally:
        if bar is not None:
            bar.stop()


def go_through(steps: Iterable[object], total: int, what: str = "checking") -> None:
    """Take steps one after the other, with a bar if that takes time."""
    for _ in with_progress(steps, total, what):
        pass
