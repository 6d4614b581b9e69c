"""Which known name may have been meant: by spelling, within a few typing errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TypeVar

from .canonical import KeyPath
from .schema import component_types, default_values

Answer = TypeVar("Answer")

# What the settings are called elsewhere, in TRL above all; normalized.
_OTHER_NAMES: dict[str, KeyPath] = {
    "lr": ("grpo", "learning_rate"),
    "numgenerations": ("grpo", "group_size"),
    "epsilon": ("grpo", "clip_ratio"),
    "beta": ("grpo", "kl_penalty_coeff"),
    "maxsteps": ("total_steps",),
    "loggingsteps": ("log_frequency",),
    "evalsteps": ("evaluation", "eval_frequency"),
    "savesteps": ("evaluation", "checkpoint_frequency"),
}

_DROPPED = {ord(character): None for character in "_-. "}


def normalized(name: str) -> str:
    """A name without what people mix up: case, and `_`, `-`, `.`, spaces between its parts.

    Args:
        name: Any text.

    Returns:
        Its other characters in lower case.

    >>> normalized("GRPO__Group-Size")
    'grpogroupsize'
    """
    return name.translate(_DROPPED).lower()


def typing_errors(given: str, known: str, most: int) -> int | None:
    """How many typing errors lie between two texts: characters added, left out, replaced, or two neighbours swapped.

    Args:
        given: What was typed.
        known: What may have been meant.
        most: The most errors that are of interest, at least 0.

    Returns:
        The number (optimal string alignment distance), or None when it is above `most`.

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
    """The known name nearest to a given one.

    Args:
        given: What was typed.
        known: The names that exist.
        most: The most typing errors allowed; without it one, and one more for every five characters up to three.

    Returns:
        The name, or None when none is near. Names that differ only in case or separators count as the same.

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
def _settings(component: str = "") -> dict[str, KeyPath]:
    """Each way to name a setting or table, normalized: by its last part alone and in full."""
    paths = [*default_values(), *((name,) for name in component_types()), ("metadata",)]
    if component:
        return {normalized(path[-1]): path for path in paths if len(path) > 1 and path[0] == component}
    by_last_part = {normalized(path[-1]): path for path in paths}
    return by_last_part | {normalized("".join(path)): path for path in paths}


def closest_setting(name: str, component: str = "") -> KeyPath | None:
    """The setting or table that may have been meant by a name that does not exist, such as TRL's name for it.

    Args:
        name: The name, with or without its component, in any separators.
        component: The component in which it stands, whose settings are looked at first; empty at the top level.

    Returns:
        The key path of an existing setting, or of a component or `metadata`, or None.

    >>> closest_setting("group-size"), closest_setting("clip_ration", "grpo")
    (('grpo', 'group_size'), ('grpo', 'clip_ratio'))
    """
    if found := setting_called_elsewhere(name):
        return found
    return (_closest(name, _settings(component)) if component else None) or _closest(name, _settings())


def setting_called_elsewhere(name: str) -> KeyPath | None:
    """The setting that TRL, or everybody, calls by another name.

    Args:
        name: The other name, in any separators.

    Returns:
        Its key path, or None.

    >>> setting_called_elsewhere("num_generations")
    ('grpo', 'group_size')
    """
    return _OTHER_NAMES.get(normalized(name))


def near_miss(name: str) -> KeyPath | None:
    """The setting or table that a top-level name misses so narrowly that it is hardly a key of the user's own.

    Args:
        name: A name at the top level of a file, or of a dict.

    Returns:
        Its key path, or None. One typing error is near, two in a name of ten characters or more.

    >>> near_miss("total_step"), near_miss("gpro"), near_miss("experiment")
    (('total_steps',), ('grpo',), None)
    """
    return _closest(name, _settings(), 1 if len(normalized(name)) < 10 else 2)
