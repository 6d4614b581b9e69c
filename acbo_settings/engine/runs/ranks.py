"""Whether all ranks of a job have the same configuration, before the first collective hangs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..canonical import KeyPath, canonical_json, fingerprint, plain_setting
from ..origins import Argument
from ..problems import Problem, whole_problem
from ..report import refusal
from ..schema import Schema


def require_same(config: Any, allgather: Callable[[Any], Sequence[Any]]) -> None:
    """Refuse to go on unless every rank has an equal configuration; the settings are gathered only if they differ."""
    settings = Schema.of(type(config)).typed(config)
    fingerprints = _gather(allgather, fingerprint(settings))
    if len(set(fingerprints)) > 1:
        texts = _gather(allgather, settings_text(settings))
        raise refusal([_summary(fingerprints), *_differences(texts)])


def _gather(allgather: Callable[[Any], Sequence[Any]], text: str) -> list[str]:
    gathered = allgather(text)
    if not isinstance(gathered, str) and isinstance(gathered, Iterable):
        found = list(gathered)
        if text in found and all(isinstance(each, str) for each in found):
            return found
    raise TypeError("allgather must return what every rank gave it, as a list; here that of this rank is not in it")


def settings_text(settings: Mapping[KeyPath, Any]) -> str:
    """What a rank tells when the ranks differ: JSON with the canonical text of each value by its key."""
    return json.dumps({".".join(path): canonical_json(plain_setting(value)) for path, value in settings.items()})


def _summary(fingerprints: Sequence[str]) -> Problem:
    message = f"{len(fingerprints):,} ranks have {len(set(fingerprints)):,} different configurations"
    return whole_problem(
        Argument("ranks"), None, message, "start them from the same file and variables, or with one run_dir"
    )


def _differences(texts: Iterable[str]) -> list[Problem]:
    """Each setting that differs, the values of the fewest ranks first: those are the ones to look at."""
    trees: list[Mapping[str, str]] = [json.loads(text) for text in texts]
    problems = []
    for key in dict.fromkeys(key for tree in trees for key in tree):
        ranks: dict[str, list[int]] = {}
        for rank, tree in enumerate(trees):
            ranks.setdefault(tree.get(key, "no such setting"), []).append(rank)
        if len(ranks) > 1:
            told = [f"{value} on {_named(numbers)}" for value, numbers in sorted(ranks.items(), key=_how_many)]
            problems.append(Problem(path=tuple(key.split(".")), message="; ".join(told)))
    return problems


def _how_many(item: tuple[str, list[int]]) -> int:
    return len(item[1])


def _named(ranks: Sequence[int]) -> str:
    """Ranks in ascending order as people write them: `ranks 0-3, 7`."""
    runs: list[list[int]] = []
    for rank in ranks:
        if runs and rank == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], rank]
        else:
            runs.append([rank])
    return f"rank{'s' if len(ranks) > 1 else ''} " + ", ".join("-".join(map(str, run)) for run in runs)
