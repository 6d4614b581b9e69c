"""Which known name was meant: by spelling, within a few typing errors, or by what others call a setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from .canonical import KeyPath
from .schema import Schema

Answer = TypeVar("Answer")

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
    return _closest(given, {normalized(name): name for name in known}, most)


def _closest(given: str, known: Mapping[str, Answer], most: int | None = None) -> Answer | None:
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


@cache
def _names(schema: Schema, section: KeyPath = ()) -> dict[str, KeyPath]:
    """Each way to name a setting or table, normalized: by its last part alone and in full."""
    paths = [*schema.defaults, *(path for path in schema.sections if path), ("metadata",)]
    if section:
        return {normalized(path[-1]): path for path in paths if path[:-1] == section}
    names: dict[str, KeyPath] = {}
    for path in paths:
        names.setdefault(normalized(path[-1]), path)
    return names | {normalized("".join(path)): path for path in paths}


def meant_setting(schema: Schema, name: str, section: KeyPath = ()) -> KeyPath | None:
    """The setting, section or `metadata` that may have been meant by a name that does not exist.

    The settings of the section in which the name stands are looked at first.
    """
    if found := called_elsewhere(schema, name):
        return found
    return (_closest(name, _names(schema, section)) if section else None) or _closest(name, _names(schema))


def called_elsewhere(schema: Schema, name: str) -> KeyPath | None:
    """The setting that other programs call by this name."""
    return schema.rules.other_names.get(normalized(name))


def near_miss(schema: Schema, name: str) -> KeyPath | None:
    """The setting or table that a top-level name misses so narrowly that it is hardly a key of the user's own.

    One typing error is near, two in a name of ten characters or more.
    """
    return _closest(name, _names(schema), 1 if len(normalized(name)) < 10 else 2)
