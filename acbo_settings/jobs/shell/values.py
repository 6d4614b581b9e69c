"""What a word of a shell script stands for: a text that is known, or one that only the job will know."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import NamedTuple

from ...engine.toml_document import Document, Position

MAX_CHOICES = 64
"""Texts that are kept of those that a value may have."""


MAX_TEXT = 128 * 1024
"""Characters of a text that is known: more no variable can hold."""


class Place(NamedTuple):
    """Where something is written: in a script, or on the command line of sbatch, which has no positions."""

    document: Document
    position: Position | None


class Choice(NamedTuple):
    """A text that a value may have, and where it is written, if not where the value is."""

    text: str
    place: Place | None = None


class Value(NamedTuple):
    """A text as the job will have it; or as the script has it, with the texts that are known to be possible.

    `items` are those of an array.
    """

    text: str
    is_known: bool = True
    choices: tuple[Choice, ...] = ()
    items: tuple[Value, ...] | None = None

    @property
    def possible(self) -> tuple[Choice, ...]:
        """The texts that it may have, as far as they are known."""
        return (Choice(self.text),) if self.is_known else self.choices


def unknown(text: str, choices: Iterable[Choice] = ()) -> Value:
    """A value that only the job will know."""
    return Value(text, False, tuple(dict.fromkeys(choices))[:MAX_CHOICES])


def joined(parts: Iterable[Value]) -> Value:
    """Values one behind the other, as in one word."""
    values = list(parts)
    if len(values) == 1:
        return values[0]
    if sum(len(value.text) for value in values) > MAX_TEXT:
        return unknown("a text of more than 128 KiB")
    text = "".join(value.text for value in values)
    if all(value.is_known for value in values):
        return Value(text)
    choices: list[Choice] = []
    if all(value.possible for value in values):
        count = 1
        for value in values:
            count *= len(value.possible)
        if count <= MAX_CHOICES:
            texts = product(*([choice.text for choice in value.possible] for value in values))
            choices = [Choice("".join(each)) for each in texts]
    return unknown(text, choices)
