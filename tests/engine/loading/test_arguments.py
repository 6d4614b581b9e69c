from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.loading.arguments import (
    read_argument_layer,
    read_file_layer,
    read_table_layer,
    read_variable_layer,
)
from acbo_settings.engine.loading.environment import variable_name
from acbo_settings.engine.loading.file import UnreadableFile
from acbo_settings.engine.schema import component_types
from acbo_settings.engine.values import Argument, File, SourceFile, Variable

from ...strategies import layers, text_of, tree_of


def variables(texts: dict[KeyPath, str]) -> dict[KeyPath, Variable]:
    """Recognized variables by key path."""
    return {path: Variable(variable_name(path), text) for path, text in texts.items()}


def test_a_file_keeps_its_types_and_its_lines() -> None:
    """TOML values come as tomllib has them, each with the file and line it stands in."""
    file = SourceFile("acbo.toml", "[grpo]\ngroup_size = 64.0\n")
    layer = read_file_layer(file)
    assert layer.tree == {"grpo": {"group_size": 64.0}}
    assert layer.origin_of(("grpo", "group_size")) == File(file, ("grpo", "group_size"))


@pytest.mark.parametrize("key", ["Total_Steps", "TOTAL_STEPS"])
def test_keys_of_a_file_keep_their_spelling(key: str) -> None:
    """Another spelling of a known key is passed on as it is, and none of two is lost."""
    layer = read_file_layer(SourceFile("acbo.toml", f"{key} = 1\ntotal_steps = 2\n"))
    assert layer.tree == {key: 1, "total_steps": 2}


def test_a_file_that_is_no_toml_is_refused() -> None:
    """A syntax error is one problem with its position."""
    with pytest.raises(UnreadableFile) as caught:
        read_file_layer(SourceFile("acbo.toml", "a = 1\nb 2\n"))
    assert str(caught.value.problem.values[0][1].origin) == "acbo.toml:2:3"


@given(layers())
def test_single_variables_give_back_what_was_written(layer: dict[KeyPath, Any]) -> None:
    """Each value written as text is read as the same value of the same type, with its variable as origin."""
    found = read_variable_layer(variables({path: text_of(value) for path, value in layer.items()}))
    assert repr(found.tree) == repr(
        dict(sorted(tree_of(layer).items(), key=lambda item: list_of_keys().index(item[0])))
    )
    assert all(str(found.origin_of(path)) == variable_name(path) for path in layer)


def list_of_keys() -> list[str]:
    """The top-level keys in the order in which the schema has them."""
    from acbo_settings import TrainingConfig
    from acbo_settings.engine.canonical import fields_of

    return list(fields_of(TrainingConfig()))


def test_metadata_variables_may_be_nested() -> None:
    """Parts of a metadata variable's name are tables; their text stays text, in lower-case keys."""
    layer = read_variable_layer(variables({("metadata", "run", "id"): "17", ("metadata", "name"): " x "}))
    assert layer.tree == {"metadata": {"run": {"id": "17"}, "name": "x"}}
    assert str(layer.origin_of(("metadata", "run"))) == "ACBO_METADATA__RUN__ID"


@pytest.mark.parametrize("name", [*component_types(), "metadata"])
def test_a_table_may_come_as_json(name: str) -> None:
    """A variable with a component's name holds its table, typed as JSON is."""
    layer, problems = read_table_layer(variables({(name,): '{"a": 1, "b": "1", "c": {"d": 1.0}}'}))
    assert layer.tree == {name: {"a": 1, "b": "1", "c": {"d": 1.0}}}
    assert problems == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting property name enclosed in double quotes"),
        ("[1]", "[1] is not an object"),
        ("null", "null is not an object"),
        ("64", "64 is not an object"),
        ('{"a": 1, "a": 2}', "the key 'a' stands in it twice"),
        ('{"a": {"b": 1, "b": 2}}', "the key 'b' stands in it twice"),
        ('{"a": NaN}', "NaN is not a finite number"),
        ('{"a": -Infinity}', "-Infinity is not a finite number"),
        ('{"a": ' * 100_000, "is nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "a number has too many digits"),
    ],
)
def test_json_that_does_not_decode_hides_nothing_else(text: str, message: str) -> None:
    """One undecodable table is one problem, and the others are read."""
    layer, (problem,) = read_table_layer(variables({("grpo",): text, ("rewards",): '{"parent_weight": 1}'}))
    assert problem.path == ("grpo",)
    assert message in problem.message
    assert layer.tree["rewards"] == {"parent_weight": 1}


@given(st.dictionaries(st.text(), st.integers() | st.dictionaries(st.text(), st.booleans())))
def test_a_dict_is_taken_as_it_is(tree: dict[str, Any]) -> None:
    """Every key and value of a call's dict arrives, whatever its spelling, from that argument."""
    before = json.dumps(tree)
    layer = read_argument_layer(tree, "overrides")
    assert layer.tree == tree
    assert json.dumps(tree) == before
    assert layer.origin_of(("a",)) == Argument("overrides")
