"""Suggestions: which known name was meant by one with a few typing errors, and which names are the user's own."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acbo_settings.engine import spelling
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.spelling import closest, normalized, typing_errors

from ..strategies import SCHEMA

SETTINGS = list(SCHEMA.defaults)


def meant_setting(name: str, *section: str) -> KeyPath | None:
    """The setting that may have been meant by a name in a section."""
    return spelling.meant_setting(SCHEMA, name, tuple(filter(None, section)))


def near_miss(name: str) -> KeyPath | None:
    """The setting that a top-level name misses narrowly."""
    return spelling.near_miss(SCHEMA, name)


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


@st.composite
def mistyped_settings(draw: st.DrawFn) -> tuple[str, KeyPath]:
    """The last part of a setting's key with one typing error, and the key."""
    path = draw(st.sampled_from(SETTINGS))
    name = path[-1]
    place = draw(st.integers(0, len(name) - 2))
    before, one, two, after = name[:place], name[place], name[place + 1], name[place + 2 :]
    other = draw(st.sampled_from(string.ascii_letters + string.digits + "_-"))
    edits = (two + one, one, two, other + one + two, one + two + other, other + two, one + other)
    mistyped = before + draw(st.sampled_from(edits)) + after
    assume(all(normalized(mistyped) != normalized(known[-1]) or known == path for known in SETTINGS))
    return mistyped, path


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


@settings(deadline=None, max_examples=300)
@given(mistyped_settings())
def test_one_error_in_a_setting_is_found(drawn: tuple[str, KeyPath]) -> None:
    """Any single typing error in the name of any setting leads to that setting."""
    mistyped, path = drawn
    assert meant_setting(mistyped) == path
    assert meant_setting(mistyped, path[0] if len(path) == 2 else "") == path


@pytest.mark.parametrize("path", [*SETTINGS, *(path for path in SCHEMA.sections if path), ("metadata",)])
def test_each_way_to_name_a_setting(path: KeyPath) -> None:
    """Every setting and table is found by its last part and by its whole key, in any case and separators."""
    for name in (path[-1], "_".join(path), "-".join(path).upper(), ".".join(path).title(), "__".join(path)):
        assert meant_setting(name) == path


@pytest.mark.parametrize(
    ("name", "component", "expected"),
    [
        ("clip_ration", "grpo", ("grpo", "clip_ratio")),
        ("group_size", "rewards", ("grpo", "group_size")),
        ("total_step", "grpo", ("total_steps",)),
        ("grpo_group_sise", "", ("grpo", "group_size")),
        ("explorations", "", ("exploration",)),
        ("meta-data", "", ("metadata",)),
        ("eog_frequency", "", ("log_frequency",)),
        ("eog_frequency", "grpo", ("log_frequency",)),
        ("eog_frequency", "evaluation", ("evaluation", "eval_frequency")),
        ("optimizer", "", None),
        ("optimizer", "grpo", None),
        ("", "", None),
    ],
)
def test_closest_setting(name: str, component: str, expected: KeyPath | None) -> None:
    """The component in which a name stands is looked at first, then all the others."""
    assert meant_setting(name, component) == expected


@settings(deadline=None)
@given(mistyped_settings())
def test_one_error_in_a_setting_is_a_near_miss(drawn: tuple[str, KeyPath]) -> None:
    """A setting with one typing error is never taken for a key of the user's own."""
    mistyped, path = drawn
    assert near_miss(mistyped) == path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpro", ("grpo",)),
        ("GRPO", ("grpo",)),
        ("reward", ("rewards",)),
        ("evalutaion", ("evaluation",)),
        ("total-steps", ("total_steps",)),
        ("explratoin", ("exploration",)),
        ("lg_frequnecy", ("log_frequency",)),
        ("g_r_p_o_x", ("grpo",)),
        ("eval_frequency", ("evaluation", "eval_frequency")),
        ("grpo.group_size", ("grpo", "group_size")),
        ("explratio", None),
        ("lg_frequnecyx", None),
        ("totl_step", None),
        ("ttl_stepss", None),
        ("gorp", None),
        ("group", None),
    ],
)
def test_near_miss(name: str, expected: KeyPath | None) -> None:
    """One typing error is near, and two in a name of ten characters or more."""
    assert near_miss(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "author", "comment", "commit", "cluster", "dataset", "date", "description", "environment", "experiment",
        "experiment_name", "group", "job_id", "machine", "model", "name", "note", "notes", "output_dir", "owner",
        "project", "resume", "run", "run_id", "run_name", "scm", "seed", "seeds", "slurm", "steps", "tag", "tags",
        "target", "team", "title", "user", "version", "wandb", "wandb_project",
    ],
)  # fmt: skip
def test_plausible_custom_keys_are_no_near_miss(name: str) -> None:
    """Names that people give to keys of their own are left alone."""
    assert near_miss(name) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("num_generations", "grpo.group_size"),
        ("epsilon", "grpo.clip_ratio"),
        ("beta", "grpo.kl_penalty_coeff"),
        ("entropy_coef", "grpo.entropy_coeff"),
        ("max_steps", "total_steps"),
        ("logging_steps", "log_frequency"),
        ("eval_steps", "evaluation.eval_frequency"),
        ("save_steps", "evaluation.checkpoint_frequency"),
        ("lr", "grpo.learning_rate"),
    ],
)
def test_names_of_other_libraries_are_known(name: str, key: str) -> None:
    """What TRL calls a setting leads to it, and a top-level key of that name is still the user's own."""
    assert meant_setting(name) == meant_setting(name, "grpo") == tuple(key.split("."))
    assert near_miss(name) is None or name == "entropy_coef"
    assert meant_setting(name) in SCHEMA.defaults
