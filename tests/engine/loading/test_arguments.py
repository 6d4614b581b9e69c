"""Dicts that are passed in a call: taken as they are, whatever is in them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.loading.arguments import read_arguments
from acbo_settings.engine.origins import Argument

from ...strategies import SCHEMA


@given(st.dictionaries(st.text(), st.integers() | st.dictionaries(st.text(), st.booleans())))
def test_a_dict_is_taken_as_it_is(tree: dict[str, Any]) -> None:
    """Every key and value of a call's dict arrives, whatever its spelling, from that argument."""
    before = json.dumps(tree)
    (source,), problems = read_arguments(SCHEMA, {"overrides": tree})
    assert problems == []
    assert source.tree == tree
    assert json.dumps(tree) == before
    assert source.origin_of(("a",)) == Argument("overrides")


def test_what_is_no_dict_is_a_problem() -> None:
    """Another type is told with the argument, one that can become a dict with the way, and nothing else is lost."""
    sources, problems = read_arguments(SCHEMA, {"config_dict": [7], "overrides": None, "keyword arguments": {"a": 1}})
    assert [source.tree for source in sources] == [{"a": 1}]
    assert [(str(problem.values[0][1].origin), problem.message) for problem in problems] == [
        ("config_dict", "Input should be a dict, not list")
    ]
