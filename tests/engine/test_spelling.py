"""Suggestions: which known name was meant by one with a few typing errors."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acbo_settings.engine.spelling import closest, meant_files, normalized, typing_errors


def textbook_distance(given: str, known: str) -> int:
    """The optimal string alignment distance, by the full table of the textbooks."""
    table = [[i + j for j in range(len(known) + 1)] for i in range(len(given) + 1)]
    for i in range(1, len(given) + 1):
        for j in range(1, len(known) + 1):
            replaced = table[i - 1][j - 1] + (given[i - 1] != known[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, replaced)
            if i > 1 and j > 1 and given[i - 1] == known[j - 2] and given[i - 2] == known[j - 1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("group_size", "groupsize"),
        ("Group-Size", "groupsize"),
        ("GRPO__GROUP_SIZE", "grpogroupsize"),
        ("grpo.group size", "grpogroupsize"),
        ("__", ""),
        ("μ_1", "μ1"),
    ],
)
def test_normalized(name: str, expected: str) -> None:
    """Case and separators do not count, everything else does."""
    assert normalized(name) == expected


@pytest.mark.parametrize(
    ("given", "known", "most", "expected"),
    [
        ("grpo", "grpo", 0, 0),
        ("gpro", "grpo", 1, 1),
        ("gro", "grpo", 1, 1),
        ("grrpo", "grpo", 1, 1),
        ("grbo", "grpo", 1, 1),
        ("rgop", "grpo", 2, 2),
        ("ca", "abc", 3, 3),
        ("", "abc", 3, 3),
        ("abc", "", 3, 3),
        ("", "", 0, 0),
        ("gpro", "grpo", 0, None),
        ("rgop", "grpo", 1, None),
        ("abc", "xyz", 2, None),
        ("abcabc", "cbacba", 2, None),
        ("abcd", "abcdef", 1, None),
    ],
)
def test_typing_errors(given: str, known: str, most: int, expected: int | None) -> None:
    """One error is a character added, left out or replaced, or two neighbours swapped; too many are None."""
    assert typing_errors(given, known, most) == expected


WORDS = st.text("abc", max_size=7) | st.text("abcdefgh", max_size=7)


@settings(max_examples=500)
@given(WORDS, WORDS, st.integers(0, 7))
def test_typing_errors_are_those_of_the_textbook(given: str, known: str, most: int) -> None:
    """Up to the most of interest, the number is the optimal string alignment distance; above it, None."""
    distance = textbook_distance(given, known)
    assert typing_errors(given, known, most) == (distance if distance <= most else None)


@pytest.mark.parametrize(
    ("given", "known", "expected"),
    [
        ("gruop_size", ["clip_ratio", "group_size"], "group_size"),
        ("GROUP-SIZE", ["clip_ratio", "group_size"], "group_size"),
        ("Tanh", ["tanh", "clip", "none"], "tanh"),
        ("tahn", ["tanh", "clip", "none"], "tanh"),
        ("abcdefgh", ["abcdefxx", "abcdefgx"], "abcdefgx"),
        ("abcdefgh", ["abcdefgx", "abcdefxx"], "abcdefgx"),
        ("ab-c", ["abd", "abc"], "abc"),
        ("tangent", ["tanh", "clip", "none"], None),
        ("", ["tanh"], None),
        ("tanh", [], None),
    ],
)
def test_closest(given: str, known: list[str], expected: str | None) -> None:
    """The nearest name is found wherever it stands in the list, and none when none is near."""
    assert closest(given, known) == expected


@pytest.mark.parametrize(("length", "most"), [(4, 1), (5, 2), (9, 2), (10, 3), (15, 3), (40, 3)])
def test_longer_names_may_hold_more_errors(length: int, most: int) -> None:
    """One error is allowed, one more from five characters on and from ten on, and never more than three."""
    name = string.ascii_lowercase[:length].ljust(length, "z")
    assert closest("-" + "1" * most + name[most:], [name]) == name
    assert closest("-" + "1" * (most + 1) + name[most + 1 :], [name]) is None


@pytest.mark.parametrize(("most", "expected"), [(0, None), (1, None), (2, "grpo")])
def test_most_errors_can_be_given(most: int, expected: str | None) -> None:
    """A limit that the caller sets replaces the usual one."""
    assert closest("rgop", ["grpo"], most) == expected


def test_the_file_that_was_meant_is_found() -> None:
    """By its name, but for typing errors, or in a folder below; a number is no typing error."""
    for path in ("runs/17/acbo.frozen.toml", "experiments/b/acbo.toml", "experiments/a/acbo.toml", "c.2.toml"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    assert meant_files("acbo.tml") == ["acbo.toml"]
    assert meant_files("experimets") == ["experiments"]
    assert meant_files("experiments/acbo.toml") == ["experiments/a/acbo.toml", "experiments/b/acbo.toml"]
    assert meant_files(f"{Path.cwd()}/ACBO.toml") == [f"{Path.cwd()}/acbo.toml"]
    for path in ("runs/18", "c.3.toml", "no/such/acbo.toml", "", "quite.different", "\0", "\ud800"):
        assert meant_files(path) == []
