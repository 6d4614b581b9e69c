"""`check`: whole outputs as text files, and problems as facts for machines."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from acbo_settings import ConfigurationError, load_training_config
from acbo_settings.cli.problem_facts import github_annotation, problem_facts
from acbo_settings.engine.origins import Variable
from acbo_settings.engine.problems import Problem
from acbo_settings.engine.values import SourcedValue

from ..command_line import run, told, write

AssertReport = Callable[[str, str], None]


def test_a_file_whose_name_is_no_utf_8_hides_no_other() -> None:
    """Its bytes are shown escaped, and the file behind it is checked."""
    checked = run("check", "\udcff.toml", "acbo.toml")
    assert checked.stdout == b"\\udcff.toml: not valid\nacbo.toml: ok\n"
    assert b"Traceback" not in checked.stderr


def test_check_of_many_files_tells_shared_problems_once(assert_report: AssertReport) -> None:
    """Each file has its line; a wrong variable, which all share, is spelled out for the first one alone."""
    write("a/acbo.toml", "total_steps = 7000\n")
    write("b/acbo.toml", "[grpo]\ngroup_size = 4\n")
    write("c.toml", "total_steps 7000\n")
    assert_report("check-many", told("check", "a", "b/acbo.toml", "c.toml", ACBO_GRPO_GROUP_SIZE="8"))


def test_check_can_leave_variables_aside() -> None:
    """`--no-env` judges the files alone."""
    write("acbo.toml", "total_steps = 7000\n")
    assert run("check", ".", ACBO_NO_SUCH="1").returncode == 1
    assert run("check", "--no-env", ".", ACBO_NO_SUCH="1", ACBO_CONFIG_FILE="no.toml").returncode == 0


def test_strict_makes_advice_fail(assert_report: AssertReport) -> None:
    """Advice alone is exit code 1 under `--strict`, and there is no `ok`."""
    write("acbo.toml", "[evaluation]\nearly_stopping_patience = 5\n")
    assert run("check").returncode == 0
    assert_report("check-strict", told("check", "--strict"))


@pytest.mark.parametrize("form", ["json", "github"])
def test_check_for_machines(form: str, assert_report: AssertReport) -> None:
    """Problems and advice go to stdout as data, with nothing on stderr."""
    write("a.toml", "total_steps = 50\n[grpo]\ngruop_size = 4\n")
    write("b.toml", "[evaluation]\nearly_stopping_patience = 5\n")
    assert_report(f"check-{form}", told("check", "--format", form, "a.toml", "b.toml"))


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
    facts = [problem_facts(problem) for problem in problems]
    by_key = {fact["key"]: fact["sources"] for fact in json.loads(json.dumps(facts))}
    file = {"kind": "file", "name": "acbo.toml", "line": 2, "column": 14, "key": "grpo.group_size", "value": "4"}
    assert by_key["grpo.group_size"] == [file]
    assert by_key["log_frequency"][0]["name"] == "ACBO_LOG_FREQUENCY"


def test_annotations_stand_at_the_line() -> None:
    """A value's annotation stands at the value, a key's at the key, that of two sources names the variable."""
    problems = problems_of("total_steps = 50\n[grpo]\ngruop_size = 4\n", ACBO_WARMUP_STEPS="60")
    lines = [github_annotation(problem) for problem in problems]
    assert lines == [
        "::error file=acbo.toml,line=1,col=15,title=warmup_steps::Warmup steps must be less than total steps"
        " (60 is not less than 50); from ACBO_WARMUP_STEPS",
        "::error file=acbo.toml,line=3,col=1,title=grpo.gruop_size::no such setting; did you mean grpo.group_size?",
    ]


def test_annotations_cannot_be_broken_by_a_name() -> None:
    """Line ends, colons, commas and percent signs of a name do not end the command."""
    sourced = SourcedValue("1", Variable("ACBO_A,B::\n%", "1"))
    problem = Problem(path=("a,b::\n%",), message="no\nsuch 100%", values=((("a",), sourced),), severity="advice")
    assert github_annotation(problem) == ("::warning title=a%2Cb%3A%3A\\n%25::no\\nsuch 100%25; from ACBO_A,B::\\n%25")
