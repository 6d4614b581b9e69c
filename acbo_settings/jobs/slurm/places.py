"""Where in a line of a script an option stands, or an item of a list that it holds."""

from __future__ import annotations

import re
from functools import lru_cache

from ...engine.toml_document import Document, Position
from ..shell.values import Place
from .submission import Option

_COMMAND_LINE = "the command line of sbatch"


def option_place(document: Document, option: Option, name: str = "") -> Place:
    """Where an option of sbatch stands, or the item of a list that it holds."""
    if option.position is None:
        return Place(Document(_COMMAND_LINE, ""), None)
    return item_place(Place(document, option.position), name)


def item_place(place: Place, name: str) -> Place:
    """Where in a line an item of a list stands, or an assignment; the place itself where it is not found."""
    if place.position is None:
        return place
    number = place.position.line
    start, end = _columns(place.document.line(number), place.position.key_column).get(name, (0, 0))
    return Place(place.document, Position(number, start, end)) if start else place


@lru_cache(maxsize=64)
def _columns(line: str, first: int) -> dict[str, tuple[int, int]]:
    """The columns of each name in a line, from a column on, and of the text behind its equals sign."""
    found: dict[str, tuple[int, int]] = {}
    for match in re.finditer(r"(?<!\w)(\w+)=", line):
        if match.start() + 1 >= first:
            found.setdefault(match[1], (match.start() + 1, match.end() + 1))
    return found
