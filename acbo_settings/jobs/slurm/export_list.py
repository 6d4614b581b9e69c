"""What SLURM makes of the value of `--export`: which variables pass, and which it sets.

Measured on SLURM 22.05, because the manual is silent in places: the heavy tests hold it against a real one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class ExportList(NamedTuple):
    """The value of `--export`, or of `SLURM_EXPORT_ENV`, taken apart.

    `assigned` are its `NAME=value` items, `named` the names alone, and `cut` the items that can be no name: what a
    comma has cut off from the value of the item before it.
    """

    text: str
    passes_all: bool = True
    assigned: tuple[tuple[str, str], ...] = ()
    named: tuple[str, ...] = ()
    cut: tuple[tuple[str, str], ...] = ()

    @property
    def passes_nothing(self) -> bool:
        """Whether `srun` takes the text for NONE, whatever follows that."""
        first = self.text.partition(",")[0].upper()
        return not self.text or first == "NONE" or self.text.upper() == "NIL"


def parse_export(text: str) -> ExportList:
    """Take the value of `--export` apart as SLURM does: at each comma that stands in no quotes, which stay.

    >>> parse_export("ALL,A=1,2").assigned, parse_export("ALL,A=1,2").cut
    ((('A', '1'),), (('A', '2'),))
    """
    passes_all, assigned, named, cut = False, [], [], []
    for item in _items(text):
        name, equals, value = item.partition("=")
        if item.upper() == "ALL":
            passes_all = True
        elif equals:
            assigned.append((name, value))
        elif item and assigned and not _IDENTIFIER.fullmatch(item):
            cut.append((assigned[-1][0], item))
        elif item:
            named.append(item)
    return ExportList(text, passes_all, tuple(assigned), tuple(named), tuple(cut))


def _items(text: str) -> list[str]:
    """The items of a list, between commas that stand in no quotes."""
    items, quote = [""], ""
    for character in text:
        if character == "," and not quote:
            items.append("")
            continue
        if character in "'\"":
            quote = "" if quote == character else quote or character
        items[-1] += character
    return items
