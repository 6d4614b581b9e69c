from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from hypothesis import given, settings

from acbo_settings import ConfigurationError, create_training_config, load_training_config
from acbo_settings.cli.exports import export_lines, github_annotation, plain_tree, problem_facts
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.errors import Problem
from acbo_settings.engine.values import SourcedValue, Variable

from ..strategies import layers, tree_of

pytestmark = pytest.mark.filterwarnings("ignore::acbo_settings.engine.errors.ConfigurationWarning")


def environment_after(lines: list[str]) -> dict[str, str]:
    """The variables that a real shell has after these lines."""
    script = "\n".join([*lines, "env -0"])
    ran = subprocess.run(["sh", "-c", script], env={"PATH": os.defpath}, capture_output=True, check=True, timeout=60)
    entries = ran.stdout.decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry.startswith("ACBO_"))


@settings(max_examples=25)
@given(layers())
def test_export_lines_reproduce_the_configuration(layer: dict[KeyPath, Any]) -> None:
    """What a shell exports after reading the lines loads back equal."""
    config = create_training_config(tree_of(layer))
    assert load_training_config(environ=environment_after(export_lines(config))) == config


def test_export_lines_keep_metadata_and_quote() -> None:
    """Custom metadata keeps its types, and no text escapes from its quotes."""
    metadata = {"seed": 1, "tags": ["a", "it's $HOME `x`"], "größe": {"line": "a\nb"}}
    config = create_training_config(metadata=metadata)
    again = load_training_config(environ=environment_after(export_lines(config, ())))
    assert again.to_dict()["metadata"] == config.to_dict()["metadata"] == metadata


def test_a_part_of_the_tree_has_no_empty_tables() -> None:
    """Only the settings asked for are kept, and the custom metadata."""
    config = create_training_config(grpo={"group_size": 32}, note="scm20")
    assert plain_tree(config, {("grpo", "group_size")}) == {"grpo": {"group_size": 32}, "metadata": {"note": "scm20"}}
    assert plain_tree(config) == config.to_dict()


def problems_of(text: str, **environ: str) -> tuple[Problem, ...]:
    """The problems of a file and variables."""
    with open("acbo.toml", "w", encoding="utf-8") as file:
        file.write(text)
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(environ=environ)
    return caught.value.problems


def test_facts_name_file_line_and_variable() -> None:
    """Each source of a problem is told by kind, with line and column for a file."""
    problems = problems_of("[grpo]\ngroup_size = 4\n", ACBO_LOG_FREQUENCY="x\x1b")
    facts = [problem_facts(problem, "error") for problem in problems]
    by_key = {fact["key"]: fact["sources"] for fact in json.loads(json.dumps(facts))}
    file = {"kind": "file", "name": "acbo.toml", "line": 2, "column": 14, "key": "grpo.group_size", "value": "4"}
    assert by_key["grpo.group_size"] == [file]
    assert by_key["log_frequency"][0]["name"] == "ACBO_LOG_FREQUENCY"


def test_annotations_stand_at_the_line() -> None:
    """A value's annotation stands at the value, a key's at the key, that of two sources names the variable."""
    problems = problems_of("total_steps = 50\n[grpo]\ngruop_size = 4\n", ACBO_WARMUP_STEPS="60")
    lines = [github_annotation(problem, "error") for problem in problems]
    assert lines == [
        "::error file=acbo.toml,line=1,col=15,title=warmup_steps::Warmup steps must be less than total steps"
        " (60 is not less than 50); from ACBO_WARMUP_STEPS",
        "::error file=acbo.toml,line=3,col=1,title=grpo.gruop_size::no such setting; did you mean grpo.group_size?",
    ]


def test_annotations_cannot_be_broken_by_a_name() -> None:
    """Line ends, colons, commas and percent signs of a name do not end the command."""
    sourced = SourcedValue("1", Variable("ACBO_A,B::\n%", "1"))
    problem = Problem(path=("a,b::\n%",), message="no\nsuch 100%", values=((("a",), sourced),))
    assert github_annotation(problem, "advice") == (
        "::warning title=a%2Cb%3A%3A\\n%25::no\\nsuch 100%25; from ACBO_A,B::\\n%25"
    )
