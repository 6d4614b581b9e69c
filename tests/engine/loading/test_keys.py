from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from pyrsistent import pmap

from acbo_settings import GRPOTrainingConfig
from acbo_settings.engine.canonical import nested
from acbo_settings.engine.loading.keys import SortedKeys, find_unwritable_notes
from acbo_settings.engine.loading.source import Source
from acbo_settings.engine.origins import Argument
from acbo_settings.engine.problems import Problem

from ...strategies import SCHEMA

WAY_OUT = " (a custom key of such a name can go into metadata)"
OWN = 'a note of your own belongs under the key "metadata", a setting of your own in a schema of your own'


def custom(found: SortedKeys) -> dict[str, Any]:
    """The custom keys with their values."""
    tree: dict[str, Any] = nested({path[1:]: sourced.value for path, sourced in found.custom.items()})
    return tree


def sort(tree: Any, is_call: bool = False) -> SortedKeys:
    """Sort the keys of a dict that was passed in a call."""
    return SortedKeys(SCHEMA, Source(tree, lambda path: Argument("overrides"), is_call))


def advice(found: SortedKeys) -> list[Problem]:
    """What is advised of the keys, when nothing is wrong with them."""
    assert {problem.severity for problem in found.problems} == {"advice"}
    return found.problems


def only_problem(tree: Any) -> tuple[str, str, str]:
    """The one problem of a dict: path, message, hint."""
    found = sort(tree)
    (problem,) = [*found.problems, *find_unwritable_notes(found.custom, [found])]
    return ".".join(problem.path), problem.message, problem.hint


def test_settings_are_told_from_custom_keys() -> None:
    """Known paths are settings with an origin; other top-level keys of a call, and the metadata, are custom."""
    tree = {"total_steps": 1, "grpo": {"group_size": 2}, "note": "a", "metadata": {"seed": 3}}
    found = sort(tree, is_call=True)
    assert {path: value.value for path, value in found.settings.items()} == {
        ("total_steps",): 1,
        ("grpo", "group_size"): 2,
    }
    assert custom(found) == {"note": "a", "seed": 3}
    assert found.problems == []


@pytest.mark.parametrize(
    ("tree", "path", "message", "hint"),
    [
        ({"grpo": {"group_sise": 1}}, "grpo.group_sise", "no such setting", "did you mean grpo.group_size?"),
        ({"grpo": {"group-size": 1}}, "grpo.group-size", "no such setting", "did you mean grpo.group_size?"),
        ({"rewards": {"clip_ratio": 1}}, "rewards.clip_ratio", "no such setting", "did you mean grpo.clip_ratio?"),
        ({"grpo": {"xyz": 1}}, "grpo.xyz", "no such setting", ""),
        ({"grpo": {"x": {"y": 1}}}, "grpo.x", "no such setting", ""),
        ({"gpro": {"group_size": 1}}, "gpro", "no such setting", "did you mean grpo?"),
        ({"total-steps": 1}, "total-steps", "no such setting", "did you mean total_steps?"),
        ({"note": 1}, "note", "no such setting", OWN),
        ({"search": [{"lr": 1}]}, "search", "no such setting", OWN),
        (
            {"sweep": [{"lr": 1}]},
            "sweep",
            "no such setting",
            "what is swept stands in a file of its own: see acbo-settings sweep --help",
        ),
        (
            {"grid": {"lr": [1]}},
            "grid",
            "no such setting",
            "it belongs to the file of a sweep, which acbo-settings sweep check judges",
        ),
        ({"index": 3}, "index", "no such setting", "it is no part of a configuration: ACBO_SWEEP_INDEX sets it"),
        ({"extends": "base.toml"}, "extends", "no such setting", "extends belongs at the top of a file"),
        ({"trainer": {"x": 1, "lr": 2}}, "trainer", "no such setting", "did you mean grpo.learning_rate?"),
        ({"params": {"grpo": {}}}, "params", "no such setting", "grpo belongs at the top level, outside of params"),
        ({"eval_frequency": 1}, "eval_frequency", "no such setting", "did you mean evaluation.eval_frequency?"),
        ({"grpo": 3}, "grpo", "Input should be a table", ""),
        ({"metadata": "x"}, "metadata", "Input should be a table", ""),
        ({"grpo": None}, "grpo", "Input should be a table", ""),
        ({1: 2}, "1", "keys must be text", ""),
        ({"grpo": {1: 2}}, "grpo.1", "keys must be text", ""),
        ({"metadata": {b"g": 2}}, "metadata.<bytes>", "keys must be text", ""),
        ({10**5000: 1}, "<int>", "keys must be text", ""),
        (
            {"metadata": {"grpo": {}}},
            "metadata.grpo",
            "grpo is a setting, and has no effect inside metadata",
            "put it beside metadata, not into it",
        ),
        ({"grpo": {"extends": "a"}}, "grpo.extends", "no such setting", "extends belongs at the top of a file"),
        (
            {"run_dir": "runs/17"},
            "run_dir",
            "no such setting",
            "it is no part of a configuration: ACBO_RUN_DIR sets it",
        ),
        ({"ACBO_TOTAL_STEPS": 7}, "ACBO_TOTAL_STEPS", "no such setting", "did you mean total_steps?"),
        ({"metadata": {"note": None}}, "metadata.note", "None (null) has no form in TOML: leave the key out", ""),
        ({"metadata": {"note": float("nan")}}, "metadata.note", "should be a finite number", ""),
    ],
)
def test_mistakes_are_named(tree: Any, path: str, message: str, hint: str) -> None:
    """Each kind of wrong key is one problem with its path, and a suggestion where something is near."""
    assert only_problem(tree) == (path, message, hint)


def test_a_misplaced_field_of_a_call_is_kept_with_advice() -> None:
    """Passed to `create_training_config`, a component's field at the top level is metadata and advice."""
    found = sort({"eval_frequency": 50}, is_call=True)
    assert custom(found) == {"eval_frequency": 50}
    assert advice(found)[0].message == "is kept as metadata and has no effect: eval_frequency belongs to evaluation"


def test_a_misspelt_field_of_a_call_is_refused() -> None:
    """A typing error on top of the wrong place is an error there too."""
    assert (
        sort({"eval_frequenzy": 50}, is_call=True).problems[0].hint
        == "did you mean evaluation.eval_frequency?" + WAY_OUT
    )


def test_the_record_in_frozen_metadata_is_not_taken_for_settings() -> None:
    """A configuration's own metadata, handed back with its settings, gives its custom keys alone."""
    recorded = pmap({"total_steps": 7, "grpo": pmap({"group_size": 8}), "note": "a"})
    found = sort({"total_steps": 9, "grpo": {}, "metadata": recorded})
    assert custom(found) == {"note": "a"}
    assert list(found.settings) == [("total_steps",)]
    assert found.problems == []


def test_frozen_metadata_alone_sets_nothing_in_silence() -> None:
    """A setting that stands only in metadata is refused, frozen or not."""
    assert only_problem({"metadata": pmap({"total_steps": 7})})[0] == "metadata.total_steps"


@pytest.mark.parametrize("key", ["lr", "num_generations", "max_steps", "beta"])
def test_names_of_other_libraries_at_the_top_level_get_advice(key: str) -> None:
    """What TRL calls a setting may be a key of the user's own in a call, so it is kept, with advice."""
    found = sort({key: 1}, is_call=True)
    assert custom(found) == {key: 1}
    assert advice(found)[0].hint.startswith("did you mean ")


def test_both_orders_of_a_custom_key_set_twice_are_refused() -> None:
    """A key at the top level and in metadata is one problem, whichever the source gives first."""
    for tree in ({"x": 1, "metadata": {"x": 2}}, {"metadata": {"x": 2}, "x": 1}):
        assert sort(tree, is_call=True).problems[0].message == "is set both at the top level and in metadata"


def test_the_place_of_an_unwritable_value_is_named() -> None:
    """Deep in a custom table, the key that can not be kept is the one that is named."""
    assert only_problem({"metadata": {"wandb": {"config": {"x": float("inf")}}}})[:2] == (
        "metadata.wandb.config.x",
        "should be a finite number",
    )


def test_settings_in_a_table_of_the_users_own_are_pointed_out() -> None:
    """A table that is no component is kept, with advice when a setting stands in it."""
    found = sort({"training": {"total_steps": 9}, "sweep": {"name": "a"}}, is_call=True)
    assert custom(found) == {"training": {"total_steps": 9}, "sweep": {"name": "a"}}
    (told,) = advice(found)
    assert told.message == "is kept as metadata, so that total_steps in it has no effect"


def test_shared_lists_end_in_a_problem() -> None:
    """A list that holds itself many times over is refused, not walked for ever."""
    shared: list[Any] = []
    for _ in range(40):
        shared = [shared, shared]
    assert only_problem({"metadata": {"x": shared}})[1] == "holds more than 100,000 values"


def test_text_keys_of_other_classes_are_text() -> None:
    """A key that is a text enum names the setting that it equals."""

    class Field(StrEnum):
        size = "group_size"

    assert list(sort({"grpo": {Field.size: 9}}).settings) == [("grpo", "group_size")]


def test_a_dotted_key_is_told_to_be_nested() -> None:
    """A key of a source that spells the path with a dot gets the way to write it."""
    assert only_problem({"grpo.group_size": 128})[2] == "nest it: group_size inside grpo"


def test_a_record_in_place_of_a_table_is_told_how_to_become_one() -> None:
    """A dataclass where a dict is wanted is refused with the function that makes one of it."""
    assert only_problem({"grpo": GRPOTrainingConfig()})[1:] == (
        "Input should be a table",
        "dataclasses.asdict gives one",
    )


@pytest.mark.parametrize(
    ("key", "hint"),
    [("group_size", "did you mean grpo.group_size?"), ("extends", "extends belongs at the top of a file")],
)
def test_a_note_named_as_a_setting_is_kept_with_advice(key: str, hint: str) -> None:
    """What is appended to a file stands in its last table, which is the metadata more often than not."""
    found = sort({"metadata": {key: 3, "note": {key: 3}}})
    assert list(found.names) == [("metadata", key), ("metadata", "note")]
    (told,) = advice(found)
    assert (told.path, told.message, told.hint) == (("metadata", key), "is a note, and has no effect", hint)


def test_a_secret_in_an_unknown_table_is_told_at_once() -> None:
    """So that nobody moves it below the metadata, where it would be refused next."""
    assert [problem.message[:11] for problem in sort({"wandb": {"api_key": "x"}}).problems] == [
        "no such set",
        "is a secret",
    ]
