"""Names: what a name stands for, which setting was meant by a wrong one, and which names are the user's own."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acbo_settings.engine import names
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.names import find_path
from acbo_settings.engine.spelling import normalized

from ..laboratory import LABORATORY, WATTS
from ..strategies import SCHEMA

SETTINGS = list(SCHEMA.defaults)


def meant_setting(name: str, *section: str) -> KeyPath | None:
    """The setting that may have been meant by a name in a section."""
    return names.meant_setting(SCHEMA, name, tuple(filter(None, section)))


def near_miss(name: str) -> KeyPath | None:
    """The setting that a top-level name misses narrowly."""
    return names.near_miss(SCHEMA, name)


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


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("microscope.lamp.watts", WATTS),
        ("LAB_MICROSCOPE__LAMP__WATTS", WATTS),
        ("lab_Microscope__lamp__Watts", WATTS),
        (("microscope", "lamp"), ("microscope", "lamp")),
        ("microscope", ("microscope",)),
        ("metadata.note", ("metadata", "note")),
        ("LAB_METADATA__RUN__ID", ("metadata", "run", "id")),
        ("watts", None),
        ("microscope.watts", None),
        ("ACBO_TOTAL_STEPS", None),
        ("LAB_", None),
        ("", None),
        ((), None),
    ],
)
def test_one_function_from_a_name_to_what_it_stands_for(name: str | KeyPath, path: KeyPath | None) -> None:
    """A key path, a dotted key and a variable are names; what is none of them stands for nothing."""
    assert find_path(LABORATORY, name) == path
