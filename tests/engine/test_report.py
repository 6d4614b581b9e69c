from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import (
    ConfigurationError,
    GRPOTrainingConfig,
    TrainingConfig,
    create_training_config,
    load_training_config,
    resolve_training_config,
    validate_training_config,
)
from acbo_settings.engine.origins import File
from acbo_settings.engine.problems import MAX_PROBLEMS, Problem
from acbo_settings.engine.report import format_problem, format_report
from acbo_settings.engine.toml_document import Document
from acbo_settings.engine.values import SourcedValue

AssertReport = Callable[[str, str], None]


def report_of(call: Callable[[], object]) -> str:
    """The text of the error that a call raises."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    return str(caught.value)


BROKEN = """\
name = "scm20"
total_steps = 3000
warmup_steps = 4000

[grpo]
group_size = 4           # a comment = "stays"
learning_rate = "1e-3"
clip-ratio = 0.3
scale_rewards = 1

[gpro]
group_size = 128

[rewards]
reward_scaling = "tahn"
optimization_weight = inf

[exploration]
stagnation_threshold = 10.0
"""

MANY_SOURCES = {
    "ACBO_GRPO_GROUP_SIZE": "128",
    "ACBO_EVALUATION": '{"eval_frequency": 1, "eval_frequency": 2}',
    "ACBO_LOG_FREQUENCY": "1e2",
    "acbo_total_steps": "1",
    "ACBO_TOTAL_STEPS": "2",
    "ACBO_EVAL_FREQUENCY": "50",
    "ACBO_REWARDS__PARENT_WEIGHT": "",
    "ACBO_METADATA_NAME": "run",
    "ACBO_API_SERVICE_HOST": "10.0.0.1",
}

FILES: dict[str, str | bytes] = {
    "syntax-error": "[grpo]\ngroup_size 4\n",
    "line-separators-in-a-text": 'rewards.reward_scaling = "a\u2028b\x85c"\ntotal_steps = 0\n',
    "syntax-error-at-the-end": "total_steps = 1\ngroup_size =",
    "key-set-twice": "total_steps = 1\nwarmup_steps = 0\ntotal_steps = 2\n",
    "invalid-utf-8": b"total_steps = 7000\nname = 'gr\xf6\xdfe'\n",
    "utf-16": "total_steps = 1\n".encode("utf-16"),
    "nul-byte": "total_steps = 1\nname = 'a\0b'\n",
    "number-of-5000-digits": "total_steps = 7000\nlog_frequency = " + "9" * 5000 + "\n",
    "deep-nesting": "a = " + "[" * 5000,
    "long-dotted-key": "total_steps = 7000\n" + "a." * 5000 + "a = 1\n",
    "long-line": "grpo = { " + ", ".join(f"k{n} = {n}" for n in range(50)) + ", group_size = 4 }\n",
    "tabs-and-wide-characters": 'grpo = {\t"größe" = "日本語", group_size\t= 4 }\n',
    "control-characters": '[metadata]\n"\\u001b[31m" = nan\n"a\\nb\\u202e" = inf\n',
    "inline-tables": 'rewards = { reward_scaling = "clap", parent_weight = -1 }\ngrpo.group_size = 300\n',
    "tables-and-values-exchanged": "total_steps = { a = 1 }\ngrpo = 64\n[[rewards]]\nparent_weight = 1\n",
    "setting-below-metadata": '[metadata]\nname = "x"\ntotal_steps = 9000\n',
}


def write(name: str, content: str | bytes) -> str:
    """Write a file into the working directory and give its name."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


@pytest.mark.parametrize("name", FILES)
def test_reports_of_files(name: str, assert_report: AssertReport) -> None:
    """The whole report of a broken file is as written down."""
    write("acbo.toml", FILES[name])
    assert_report(name, report_of(lambda: load_training_config(environ={})))


def test_report_of_a_file_with_many_mistakes(assert_report: AssertReport) -> None:
    """Every mistake of one file stands in one report, with its line."""
    Path("experiments/scm20").mkdir(parents=True)
    path = write("experiments/scm20/acbo.toml", BROKEN)
    assert_report("broken-file", report_of(lambda: load_training_config(path, environ={})))


def test_report_of_many_sources(assert_report: AssertReport) -> None:
    """Mistakes of file, variables and overrides stand in one report."""
    write("acbo.toml", "[exploration]\nfinal_temperature = 3.0\n")
    overrides = {"exploration": {"count_weight": -0.5}, "evaluation": {"track_optimisation": True}}
    assert_report("many-sources", report_of(lambda: load_training_config(overrides=overrides, environ=MANY_SOURCES)))


@pytest.mark.parametrize(
    ("name", "path", "environ"),
    [
        ("missing-file", "runs/17/acbo.toml", {}),
        ("missing-file-from-variable", None, {"ACBO_CONFIG_FILE": "runs/17/acbo.toml"}),
        ("directory", "experiments", {}),
        ("empty-path", "", {}),
        ("empty-path-from-variable", None, {"ACBO_CONFIG_FILE": " "}),
        ("device", "/dev/zero", {}),
    ],
)
def test_reports_of_unusable_paths(
    name: str, path: str | None, environ: Mapping[str, str], assert_report: AssertReport
) -> None:
    """A file that can not be used is named, with who named it."""
    Path("experiments").mkdir()
    assert_report(name, report_of(lambda: load_training_config(path, environ=environ)))


def test_report_of_a_call(assert_report: AssertReport) -> None:
    """Mistakes in dict and keyword arguments name the argument and the value."""
    given: dict[Any, Any] = {"grpo": {"group_size": "64", "xyz": 1}, "note": object, 7: 8}
    call = lambda: create_training_config(given, warmup_steps=6000, evaluation=[1])  # noqa: E731
    assert_report("call", report_of(call))


def test_report_of_a_hand_built_configuration(assert_report: AssertReport) -> None:
    """Validation names the values of the object."""
    config = TrainingConfig(total_steps=40, warmup_steps=50, grpo=GRPOTrainingConfig(num_iterations=11))
    assert_report("hand-built", report_of(lambda: validate_training_config(config)))


def test_report_of_no_configuration(assert_report: AssertReport) -> None:
    """What is no configuration at all is said to be none."""
    assert_report("no-configuration", report_of(lambda: validate_training_config({"total_steps": 1})))  # type: ignore[arg-type]


def test_report_of_5000_unknown_variables(assert_report: AssertReport) -> None:
    """Twenty are spelled out and the rest is counted."""
    environ = {f"ACBO_UNKNOWN_{number}": "1" for number in range(5000)}
    assert_report("5000-unknown-variables", report_of(lambda: load_training_config(environ=environ)))


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_text_of_all_advice(assert_report: AssertReport) -> None:
    """Each piece of advice says what will happen, and where its values come from."""
    write("acbo.toml", "log_frequency = 900\n[evaluation]\nearly_stopping_enabled = true\ncheckpoint_frequency = 150\n")
    environ = {
        "ACBO_TOTAL_STEPS": "120",
        "ACBO_SURROGATE_UPDATE_FREQUENCY": "121",
        "ACBO_EVALUATION__EVAL_FREQUENCY": "130",
        "ACBO_GRPO": '{"num_iterations": 1, "clip_ratio": 0.1}',
        "ACBO_REWARDS__REWARD_SCALING": "none",
        "ACBO_REWARDS__REWARD_CLIP_VALUE": "5",
        "ACBO_EXPLORATION__FINAL_TEMPERATURE": "1",
    }
    advice = list(resolve_training_config(environ=environ).advice)
    advice += resolve_training_config(
        environ={},
        overrides={
            "exploration": {"strategy_type": "uncertainty_guided", "adaptation_steps": 1000},
            "evaluation": {"early_stopping_enabled": False, "early_stopping_patience": 10},
            "log_frequency": 10,
        },
    ).advice
    assert_report("advice", "\n".join(format_problem(problem) for problem in advice))


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4), st.text(), st.text(), st.integers(1, 60))
def test_a_report_never_grows_beyond_bounds(path: list[str], message: str, line: str, count: int) -> None:
    """With any texts, a report has at most 20,000 characters, all printable but the line ends."""
    text = f"{line}\n".replace("\r", "")
    place = File(Document("acbo.toml", text), exact=None)
    problem = Problem(path=tuple(path), message=message, values=((tuple(path), SourcedValue(text, place)),), hint=line)
    report = format_report([problem] * count)
    assert len(report) <= 20_000
    assert all(shown.isprintable() for shown in report.split("\n"))
    assert report.endswith("more") == (count > MAX_PROBLEMS)
