"""Whether all ranks of a job have the same configuration, before the first collective hangs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..canonical import KeyPath, canonical_json, fingerprint, plain_setting
from ..launcher import rank_number
from ..origins import Argument
from ..printable import number_list
from ..problems import ConfigurationError, Problem, whole_problem
from ..report import refusal
from ..schema import Schema

AllGather = Callable[[Any], Sequence[Any]]

_LONGEST_REPORT = 2000


def load_same(load: Callable[[], Any], config_of: Callable[[Any], Any], allgather: AllGather, environ: Any) -> Any:
    """What a rank loads, if every rank loads it; else the same report on all of them. A rank that fails gathers too.

    `config_of` is the configuration in what `load` returns.
    """
    number = rank_number(environ)
    try:
        loaded = load()
        config = config_of(loaded)
        settings = Schema.of(type(config)).typed(config)
        fingerprint(settings)
    except (Exception, SystemExit) as error:
        report = str(error) if isinstance(error, ConfigurationError) else f"{type(error).__name__}: {error}"
        failed = json.dumps({"rank": number, "report": report[:_LONGEST_REPORT]})
        raise _refuse_failures(_gather(allgather, failed)) from error
    _compare(settings, allgather, number)
    return loaded


def require_same(config: Any, allgather: AllGather, environ: Mapping[str, str]) -> None:
    """Refuse to go on unless every rank has an equal configuration; the settings are gathered only if they differ."""
    _compare(Schema.of(type(config)).typed(config), allgather, rank_number(environ))


def _compare(settings: Mapping[KeyPath, Any], allgather: AllGather, number: int | None) -> None:
    fingerprints = _gather(allgather, fingerprint(settings))
    if any(text.startswith("{") for text in fingerprints):
        raise _refuse_failures(fingerprints)
    if len(set(fingerprints)) > 1:
        texts = _gather(allgather, settings_text(settings, number))
        raise refusal([_summary(fingerprints), *_differences(texts)])


def _gather(allgather: AllGather, text: str) -> list[str]:
    gathered = allgather(text)
    if not isinstance(gathered, str) and isinstance(gathered, Iterable):
        found = list(gathered)
        if text in found and all(isinstance(each, str) for each in found):
            return found
    raise TypeError("allgather must return what every rank gave it, as a list; here that of this rank is not in it")


def _refuse_failures(texts: Sequence[str]) -> ConfigurationError:
    """The exception for all ranks of which some could not load: which, and what the first of them says."""
    trees = [json.loads(text) if text.startswith("{") else None for text in texts]
    failed = [(place, tree) for place, tree in enumerate(trees) if tree]
    numbers = _numbers([tree["rank"] for _, tree in failed]) or [place for place, _ in failed]
    first = min(zip(numbers, (tree for _, tree in failed), strict=True), key=lambda each: each[0])
    message = f"{len(failed):,} of {len(texts):,} ranks could not load their configuration: {_named(sorted(numbers))}"
    problem = whole_problem(Argument("ranks"), None, message, f"rank {first[0]} says what is wrong")
    summary = refusal([problem])
    return ConfigurationError(f"{summary}\n\n{first[1]['report']}", summary.problems)


def settings_text(settings: Mapping[KeyPath, Any], number: int | None = None) -> str:
    """What a rank tells when the ranks differ: its number, and the canonical text of each value by its key, as JSON."""
    texts = {".".join(path): canonical_json(plain_setting(value)) for path, value in settings.items()}
    return json.dumps({"rank": number, "settings": texts})


def _summary(fingerprints: Sequence[str]) -> Problem:
    message = f"{len(fingerprints):,} ranks have {len(set(fingerprints)):,} different configurations"
    return whole_problem(
        Argument("ranks"), None, message, "start them from the same file and variables, or with one run_dir"
    )


def _differences(texts: Sequence[str]) -> list[Problem]:
    """Each setting that differs, the values of the fewest ranks first: those are the ones to look at."""
    told = [json.loads(text) for text in texts]
    trees: list[Mapping[str, str]] = [each.get("settings", each) for each in told]  # 0.1 sent the settings alone
    numbers = _numbers([each.get("rank") if "settings" in each else None for each in told]) or range(len(trees))
    problems = []
    for key in dict.fromkeys(key for tree in trees for key in tree):
        ranks: dict[str, list[int]] = {}
        for rank, tree in sorted(zip(numbers, trees, strict=True), key=lambda each: each[0]):
            ranks.setdefault(tree.get(key, "no such setting"), []).append(rank)
        if len(ranks) > 1:
            values = [f"{value} on {_named(found)}" for value, found in sorted(ranks.items(), key=_how_many)]
            problems.append(Problem(path=tuple(key.split(".")), message="; ".join(values)))
    return problems


def _numbers(given: Sequence[int | None]) -> list[int]:
    """The ranks' own numbers, if each has one that no other has; else none, and their places stand for them."""
    known = [number for number in given if number is not None]
    return known if len(set(known)) == len(given) else []


def _how_many(item: tuple[str, list[int]]) -> int:
    return len(item[1])


def _named(ranks: Sequence[int]) -> str:
    """Ranks in ascending order as people write them: `ranks 0-3, 7`."""
    return f"rank{'s' if len(ranks) > 1 else ''} {number_list(ranks)}"
