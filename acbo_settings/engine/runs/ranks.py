"""Whether all ranks of a job have the same configuration, before the first collective hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...config import TrainingConfig
from ..canonical import canonical_json, typed_settings
from ..errors import Problem
from ..values import Argument, SourcedValue


def assert_same_across_ranks(config: TrainingConfig, allgather: Callable[[Any], Sequence[Any]]) -> None:
    """Refuse to go on unless every rank has an equal configuration; metadata takes no part.

    Every rank has to call it. While they agree it gathers one text of 16 characters; the settings are gathered only
    when they do not.

    Args:
        config: The configuration of this rank, validated.
        allgather: Gathers one Python object (here a text) from every rank, and returns them all in the order of the
            ranks: `comm.allgather` of mpi4py, or a wrapper for `torch.distributed.all_gather_object` or
            `jax.experimental.multihost_utils.process_allgather`; see the README.

    Raises:
        ConfigurationError: On every rank the same, with each setting that differs, its values, and which ranks have
            them.
        TypeError: When `allgather` does not return a sequence that holds what it was given.

    >>> from acbo_settings import create_training_config
    >>> others = [create_training_config(log_frequency=number) for number in (10, 20, 10)]
    >>> def allgather(text):  # as if there were three other ranks
    ...     return [text, *(other.fingerprint if len(text) == 16 else settings_text(other) for other in others)]
    >>> assert_same_across_ranks(TrainingConfig(), allgather)
    Traceback (most recent call last):
    ...
    acbo_settings.engine.errors.ConfigurationError: Configuration validation failed: 2 problems
    <BLANKLINE>
      ranks: 4 ranks have 2 different configurations; start them from the same file and variables, or with one run_dir
      log_frequency: 20 on rank 2; 10 on ranks 0-1, 3
    """
    fingerprints = _gather(allgather, config.fingerprint)
    if len(set(fingerprints)) > 1:
        from ..report import refusal

        texts = _gather(allgather, settings_text(config))
        raise refusal([_summary(fingerprints), *_differences(texts)])


def _gather(allgather: Callable[[Any], Sequence[Any]], text: str) -> list[str]:
    gathered = allgather(text)
    if not isinstance(gathered, str) and isinstance(gathered, Iterable):
        found = list(gathered)
        if text in found and all(isinstance(each, str) for each in found):
            return found
    raise TypeError("allgather must return what every rank gave it, as a list; here that of this rank is not in it")


def settings_text(config: TrainingConfig) -> str:
    """What a rank tells of its configuration when the ranks differ.

    Args:
        config: The configuration of the rank.

    Returns:
        JSON: each setting by its key, as the canonical text of its value.

    >>> settings_text(TrainingConfig())[:24]
    '{"total_steps": "5000", '
    """
    import json

    return json.dumps({".".join(path): canonical_json(value) for path, value in typed_settings(config).items()})


def _summary(fingerprints: Sequence[str]) -> Problem:
    message = f"{len(fingerprints):,} ranks have {len(set(fingerprints)):,} different configurations"
    hint = "start them from the same file and variables, or with one run_dir"
    return Problem(path=(), message=message, hint=hint, values=(((), SourcedValue(None, Argument("ranks"))),))


def _differences(texts: Iterable[str]) -> list[Problem]:
    """Each setting that differs, the values of the fewest ranks first: those are the ones to look at."""
    import json

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
