"""Which known name, or file, was meant by another one: by spelling, within a few typing errors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeVar

Answer = TypeVar("Answer")

_MOST_FILES = 1000
_DROPPED = {ord(character): None for character in "_-. "}


def normalized(name: str) -> str:
    """A name without what people mix up: case, and `_`, `-`, `.`, spaces between its parts.

    >>> normalized("GRPO__Group-Size")
    'grpogroupsize'
    """
    return name.translate(_DROPPED).lower()


def typing_errors(given: str, known: str, most: int) -> int | None:
    """The optimal string alignment distance of two texts, or None when it is above `most`.

    It counts the characters added, left out or replaced, and the neighbours swapped.

    >>> typing_errors("gpro", "grpo", 2)
    1
    """
    if abs(len(given) - len(known)) > most or len(set(given) ^ set(known)) > 2 * most:
        return None
    before, row = [0] * (len(known) + 1), list(range(len(known) + 1))
    for i, a in enumerate(given, 1):
        last, before, row = before, row, [i]
        for j, b in enumerate(known, 1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == known[j - 2] and given[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def closest(given: str, known: Iterable[str], most: int | None = None) -> str | None:
    """The known name nearest to a given one, or None when none is near.

    Without `most` it allows one typing error, and one more for every five characters up to three.

    >>> closest("gruop_size", ["group_size", "clip_ratio"])
    'group_size'
    """
    return closest_of(given, {normalized(name): name for name in known}, most)


def closest_of(given: str, known: Mapping[str, Answer], most: int | None = None) -> Answer | None:
    """Of the answers, the one whose normalized name is nearest to the given name."""
    wanted = normalized(given)
    if wanted in known:
        return known[wanted]
    best: Answer | None = None
    limit = min(3, 1 + len(wanted) // 5) if most is None else most
    for name, answer in known.items():
        if abs(len(name) - len(wanted)) > limit:
            continue
        errors = typing_errors(wanted, name, limit)
        if errors is not None and (errors < limit or best is None):
            best, limit = answer, errors
    return best


def _digits(name: str) -> list[str]:
    """What no typing error changes: runs/17 and runs/18 are two."""
    return [each for each in name if each.isdigit()]


def meant_files(path: str) -> list[str]:
    """The paths that may have been meant by one at which nothing is: one like it, or what lies in folders below it."""
    directory, name = os.path.split(path)
    try:
        with os.scandir(directory or os.curdir) as found:
            entries = {entry.name: entry.is_dir() for entry in islice(found, _MOST_FILES) if entry.name != name}
        near = closest(name, [each for each in entries if _digits(each) == _digits(name)])
        below = [os.path.join(each, name) for each in sorted(entries) if entries[each]]
        there = [near] if near else [each for each in below if name and os.path.isfile(os.path.join(directory, each))]
    except (OSError, ValueError):
        return []
    return [os.path.join(directory, each) for each in there]
