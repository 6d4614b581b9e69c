"""What is passed in a call: dicts, taken as they are whatever is in them, and texts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import ConfigurationError, create_training_config, load_training_config
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.loading.arguments import read_arguments, read_overrides
from acbo_settings.engine.loading.layers import merge_sources
from acbo_settings.engine.origins import Argument
from acbo_settings.engine.report import explain_value

from ...strategies import SCHEMA, layers, text_of, tree_of

pytestmark = pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")


@given(
    st.dictionaries(
        st.text().filter(lambda key: "." not in key),
        st.integers() | st.dictionaries(st.text().filter(lambda key: "." not in key), st.booleans()),
    )
)
def test_a_dict_is_taken_as_it_is(tree: dict[str, Any]) -> None:
    """Every key without a dot, and value, of a call's dict arrives, whatever its spelling, from that argument."""
    before = json.dumps(tree)
    (source,), problems = read_arguments(SCHEMA, {"overrides": tree})
    assert problems == []
    assert source.tree == tree
    assert json.dumps(tree) == before
    assert source.origin_of(("a",)) == Argument("overrides")


def values(overrides: object) -> dict[str, str]:
    """The values that overrides give, with all that each shadows among them."""
    sources, problems = read_overrides(SCHEMA, overrides)
    layers = merge_sources(SCHEMA, sources, problems)
    assert layers.problems == []
    found = {path: value for path, value in layers.values.items() if not value.is_default} | dict(layers.custom)
    return {".".join(path): explain_value(value) for path, value in found.items()}


def test_of_two_texts_with_one_key_the_later_one_wins() -> None:
    """It shadows the earlier one, tables and single keys in the order in which they stand."""
    assert values(["grpo.group_size=16", '--set grpo={"group_size": 32}', " grpo.group_size = 64 "]) == {
        "grpo.group_size": '64, from  grpo.group_size = 64 , over 32 from --set grpo={"group_size": 32},'
        " over 16 from grpo.group_size=16, over the default 64"
    }


def test_texts_of_metadata_keep_their_key() -> None:
    """A note is text under its key as it is typed, at any depth; an equals sign may stand in it."""
    assert values(["metadata.Run__Name=a=b", "metadata.wandb.group= x "]) == {
        "metadata.Run__Name": '"a=b", from metadata.Run__Name=a=b',
        "metadata.wandb.group": '"x", from metadata.wandb.group= x ',
    }


def test_a_text_may_name_a_variable() -> None:
    """A key is what it is everywhere: a dotted path, or the name of a variable."""
    assert values(("ACBO_LOG_FREQUENCY=5",)) == {"log_frequency": "5, from ACBO_LOG_FREQUENCY=5, over the default 10"}


@given(layers())
def test_texts_and_dotted_keys_give_what_a_nested_dict_gives(layer: dict[KeyPath, Any]) -> None:
    """Whatever is overridden, its three forms are one configuration."""
    nested_dict = load_training_config(os.devnull, overrides=tree_of(layer), environ={}, strict=False)
    dotted = {".".join(path): value for path, value in layer.items()}
    texts = [f"{key}={text_of(value)}" for key, value in dotted.items()]
    for overrides in (dotted, texts, tuple(texts)):
        assert load_training_config(os.devnull, overrides=overrides, environ={}) == nested_dict


def test_dotted_keys_go_into_the_table_that_is_there() -> None:
    """Beside other keys of the same section, and without a change of what was passed."""
    overrides = {"grpo.group_size": 16, "grpo": {"clip_ratio": 0.3}, "metadata.a.b": 1}
    before = json.dumps(overrides)
    config = create_training_config(overrides)
    assert (config.grpo.group_size, config.grpo.clip_ratio, config.metadata["a"]["b"]) == (16, 0.3, 1)
    assert json.dumps(overrides) == before


def test_scalars_of_numpy_are_what_their_item_is() -> None:
    """In a dict at any depth; an array is none, and is refused."""
    given_values: dict[str, Any] = {
        "total_steps": numpy.int64(7000),
        "save_trajectory_data": numpy.bool_(False),
        "grpo": {"learning_rate": numpy.float32(0.001), "group_size": numpy.uint8(16)},
        "rewards.reward_scaling": numpy.str_("clip"),
        "metadata": {"seeds": [numpy.int32(1), (numpy.float64(0.5),)], "when": numpy.datetime64("2026-11-25")},
    }
    config = load_training_config(overrides=given_values, environ={})
    assert (config.total_steps, config.save_trajectory_data, config.rewards.reward_scaling) == (7000, False, "clip")
    assert (type(config.total_steps), type(config.save_trajectory_data)) == (int, bool)
    assert config.grpo.learning_rate == numpy.float32(0.001).item()
    assert config.to_dict()["metadata"] == {"seeds": [1, [0.5]], "when": "2026-11-25"}
    assert create_training_config(total_steps=numpy.int64(7000)).total_steps == 7000
    for kind in (OrderedDict, MappingProxyType):
        section: Any = kind({"group_size": numpy.int64(16)})
        assert load_training_config(overrides={"grpo": section}, environ={}).grpo.group_size == 16
    with pytest.raises(ConfigurationError, match="Input should be a valid integer"):
        load_training_config(overrides={"total_steps": numpy.array([7000])}, environ={})


def test_numpy_is_not_imported() -> None:
    """A program that has no numpy pays nothing for it."""
    program = (
        "import sys, acbo_settings as a; a.create_training_config(total_steps=7000); print('numpy' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={})
    assert ran.stdout == "False\n"


def test_what_is_no_dict_is_a_problem() -> None:
    """Another type is told with the argument, one that can become a dict with the way, and nothing else is lost."""
    sources, problems = read_arguments(SCHEMA, {"config_dict": [7], "overrides": None, "keyword arguments": {"a": 1}})
    assert [source.tree for source in sources] == [{"a": 1}]
    assert [(str(problem.values[0][1].origin), problem.message) for problem in problems] == [
        ("config_dict", "Input should be a dict, not list")
    ]


@pytest.mark.parametrize("beside", [None, 3, "a"])
def test_a_dotted_key_beside_what_is_no_table_is_told(beside: Any) -> None:
    """The key is then set inside and instead of a table."""
    with pytest.raises(ConfigurationError, match=r"is set twice: by the key grpo\.group_size, and inside grpo"):
        load_training_config("/dev/null", environ={}, overrides={"grpo.group_size": 32, "grpo": beside})
