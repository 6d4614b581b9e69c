"""One run, one configuration: what a start in a run's directory gets, and what is said when it is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acbo_settings import (
    ConfigurationError,
    ConfigurationWarning,
    File,
    TrainingConfig,
    load_frozen_config,
    load_training_config,
    resolve_training_config,
)
from acbo_settings.engine.canonical import KeyPath, flatten
from acbo_settings.engine.frozen import parse_frozen, read_frozen
from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.loading.layers import Layers
from acbo_settings.engine.loading.resolved import ResolvedConfig, judge
from acbo_settings.engine.runs.start import preview_start, resolve_start

from ...strategies import SCHEMA, layers, tree_of, variables_of

if TYPE_CHECKING:
    from acbo_settings.engine.inputs import OnChange

AssertReport = Callable[[str, str], None]

RUN = Path("runs/17")
FROZEN = RUN / "acbo.frozen.toml"
ADVICE_IS_FINE = pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")


def start(environ: dict[str, str] | None = None, **arguments: Any) -> TrainingConfig:
    """Start the run with some variables."""
    config: TrainingConfig = load_training_config(run_dir=RUN, environ=environ or {}, **arguments)
    return config


def refusal(environ: dict[str, str] | None = None, **arguments: Any) -> str:
    """The report of a start that must be refused."""
    with pytest.raises(ConfigurationError) as caught:
        start(environ, **arguments)
    return str(caught.value)


def test_the_first_start_freezes_and_later_ones_get_the_same() -> None:
    """Directory and file are made, and the second start has the same settings and metadata."""
    Path("acbo.toml").write_text("total_steps = 7000\n[metadata]\nnote = 'first'\n")
    first = start({"ACBO_LOG_FREQUENCY": "20"})
    content = FROZEN.read_bytes()
    second = start({"ACBO_LOG_FREQUENCY": "20"})
    assert first == second == load_frozen_config(RUN)
    assert first.metadata == second.metadata
    assert first.metadata["note"] == "first"
    assert (FROZEN.read_bytes(), os.listdir(RUN)) == (content, ["acbo.frozen.toml"])


def test_an_unchanged_start_needs_no_pydantic() -> None:
    """With the same inputs, neither pydantic nor `tomllib` nor OpenSSL is imported; with others, pydantic is."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    program = """
import sys
from acbo_settings import load_training_config
config = load_training_config(run_dir="runs/17", may_change=["log_frequency"])
heavy = ("pydantic", "pydantic_core", "tomllib", "json", "hashlib", "acbo_settings.engine.values")
print(config.total_steps, [name for name in heavy if name in sys.modules])
"""
    command = [sys.executable, "-c", program]
    starts = [subprocess.run(command, capture_output=True, text=True, check=True, env={}).stdout for _ in range(2)]
    assert starts[0].startswith("7000 ['pydantic', 'pydantic_core', 'tomllib'")
    assert starts[1] == "7000 []\n"
    Path("acbo.toml").write_text("total_steps = 7000  # as before\n")
    changed = subprocess.run(command, capture_output=True, text=True, check=True, env={}).stdout
    assert changed.startswith("7000 ['pydantic'")


@pytest.mark.heavy
def test_a_start_in_a_process_that_has_imported_jax() -> None:
    """After jax and what the tests bring, 900 modules and more, a start takes at most 15 ms; the best of 5."""
    load_training_config(run_dir="runs/resumed", environ={})
    benchmarks = str(Path(__file__).parent.parent.parent / "benchmarks")
    program = f"import sys; sys.path.insert(0, {benchmarks!r}); import late_start; late_start.measure()"
    outputs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env={}).stdout
        for _ in range(5)
    ]
    reports = [json.loads(output) for output in outputs]
    assert all("jax" in report["packages"] and report["modules"] > 900 for report in reports)
    assert min(report["milliseconds"] for report in reports) <= 15


def test_a_changed_configuration_is_refused(assert_report: Callable[[str, str], None]) -> None:
    """Each differing setting is told with both values and today's origin, and the two ways out."""
    Path("acbo.toml").write_text("total_steps = 7000\n[grpo]\ngroup_size = 32\n[rewards]\nparent_weight = 0.1\n")
    start()
    Path("acbo.toml").write_text("total_steps = 9000\n[grpo]\ngroup_size = 32\n")
    assert_report("run-changed", refusal({"ACBO_GRPO__LEARNING_RATE": "1e-4"}))


def test_other_inputs_with_the_same_values_are_fine() -> None:
    """A comment, another spelling, a variable instead of the file: what counts is what it resolves to."""
    Path("acbo.toml").write_text("total_steps = 7000\n[grpo]\nlearning_rate = 0.0001\n")
    first = start()
    Path("acbo.toml").write_text("# total_steps\n[grpo]\nlearning_rate = 1e-4\n")
    again = start({"ACBO_TOTAL_STEPS": "7000"})
    assert again == first
    assert again.metadata == first.metadata


def test_invalid_inputs_are_refused_before_anything_is_written() -> None:
    """A start that cannot be valid leaves no directory, and one in a frozen run is refused all the same."""
    assert "ACBO_GRPO_GROUP_SIZE: no such setting" in refusal({"ACBO_GRPO_GROUP_SIZE": "16"})
    assert not Path("runs").exists()
    start()
    assert "ACBO_TOTAL_STEPS=0" in refusal({"ACBO_TOTAL_STEPS": "0"}, on_change="keep")


@pytest.mark.parametrize(
    ("environ", "arguments", "judgements"),
    [
        ({}, {}, 1),
        ({"ACBO_TOTAL_STEPS": "5000"}, {}, 1),
        ({"ACBO_METADATA__NOTE": "new"}, {}, 1),
        ({"ACBO_TOTAL_STEPS": "7000"}, {"may_change": ["total_steps"]}, 1),
        ({"ACBO_TOTAL_STEPS": "7000"}, {"on_change": "replace"}, 1),
        ({"ACBO_TOTAL_STEPS": "7000"}, {"on_change": "keep"}, 2),
    ],
)
@ADVICE_IS_FINE
def test_a_start_judges_its_layers_once(
    environ: dict[str, str], arguments: dict[str, Any], judgements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first start too, and whatever of today's is used; only a mixture of kept values and others is judged anew."""
    judged: list[Layers] = []

    def counted(layers: Layers) -> ResolvedConfig[Any]:
        judged.append(layers)
        return judge(layers)

    monkeypatch.setattr("acbo_settings.engine.runs.start.judge", counted)
    resolve_training_config(run_dir=RUN, environ={})
    assert len(judged) == 1
    resolve_training_config(run_dir=RUN, environ=environ, **arguments)
    assert len(judged) == 1 + judgements


def test_keep_goes_on_with_the_frozen_values(assert_report: Callable[[str, str], None]) -> None:
    """The frozen configuration is returned, today's values are warned of, and the file stays as it is."""
    Path("acbo.toml").write_text("total_steps = 7000\n[metadata]\nnote = 'first'\n")
    first = start()
    content = FROZEN.read_bytes()
    Path("acbo.toml").write_text("total_steps = 9000\nlog_frequency = 50\n[metadata]\nnote = 'second'\nmore = 1\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kept = resolve_training_config(run_dir=RUN, environ={}, on_change="keep")
    assert kept.config == first
    assert kept.config.metadata["note"] == "first"
    assert "more" not in kept.config.metadata
    assert FROZEN.read_bytes() == content
    shown = [str(warning.message) for warning in caught]
    assert [str(warning.filename) for warning in caught] == [__file__] * 4
    explained = [kept.explain(key) for key in ("total_steps", "log_frequency", "warmup_steps", "metadata.note")]
    assert_report("run-kept", "\n".join([*shown, *explained]))


def test_replace_freezes_anew_and_keeps_the_old_file() -> None:
    """Today's configuration is frozen, and the old file lies beside it under its fingerprint, to the byte."""
    first = start({"ACBO_TOTAL_STEPS": "7000"})
    content = FROZEN.read_bytes()
    second = start({"ACBO_TOTAL_STEPS": "9000"}, on_change="replace")
    assert (second.total_steps, load_frozen_config(RUN)) == (9000, second)
    old = RUN / f"acbo.frozen.{first.fingerprint}.toml"
    assert old.read_bytes() == content
    assert load_frozen_config(old) == first
    assert start({"ACBO_TOTAL_STEPS": "9000"}) == second


def test_metadata_follows_replace_and_is_told_otherwise() -> None:
    """A new note alone is no changed configuration: the run keeps its own with a warning, unless it is replaced."""
    start({"ACBO_METADATA__NOTE": "first"})
    second = {"ACBO_METADATA__NOTE": "second"}
    for on_change in ("error", "keep"):
        with pytest.warns(
            ConfigurationWarning, match=r'metadata\.note: the run keeps "first", as frozen, against today\'s "second"'
        ):
            assert start(second, on_change=on_change).metadata["note"] == "first"
    assert start(second, on_change="replace").metadata["note"] == "second"
    assert load_frozen_config(RUN).metadata["note"] == "second"


NOTES = "[metadata]\nnote = 'a'\npod = 1\n[metadata.wandb]\ngroup = 'g'\nrun = 'r1'\n"


@pytest.mark.parametrize(
    ("may_change", "kept"),
    [
        (["metadata"], []),
        (["metadata.note", "metadata.pod", "metadata.wandb", "metadata.new"], []),
        (["ACBO_METADATA__POD", "metadata.wandb.run"], ["metadata.note", "metadata.new"]),
        ([], ["metadata.note", "metadata.pod", "metadata.wandb.run", "metadata.new"]),
    ],
)
def test_metadata_may_change_as_a_whole_or_by_key(may_change: list[str], kept: list[str]) -> None:
    """Today's value of each key that is named is used, at any depth; each other one is kept, with advice."""
    Path("acbo.toml").write_text(NOTES)
    start()
    content = FROZEN.read_bytes()
    Path("acbo.toml").write_text(
        NOTES.replace("'a'", "'b'").replace("pod = 1", "pod = 2\nnew = [1]").replace("r1", "r2")
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        metadata = start(may_change=may_change).to_dict()["metadata"]
    assert [str(warning.message).partition(":")[0] for warning in caught] == kept
    today = {"note": "b", "pod": 2, "new": [1], "wandb": {"group": "g", "run": "r2"}}
    frozen = {"note": "a", "pod": 1, "wandb": {"group": "g", "run": "r1"}}
    assert metadata["wandb"]["run"] == (today if "metadata.wandb.run" not in kept else frozen)["wandb"]["run"]  # type: ignore[index]
    for key in ("note", "pod", "new"):
        assert metadata.get(key) == (frozen if f"metadata.{key}" in kept else today).get(key)
    assert FROZEN.read_bytes() == content


@pytest.mark.parametrize("first", [1, [1], {"c": 1}, {"b": {"d": 1}}])
@pytest.mark.parametrize("second", [2, {"b": 2}, {"b": {"d": 2}}, {"e": 2}])
def test_metadata_of_another_shape_may_change(first: Any, second: Any) -> None:
    """Where today has a table and the frozen file has a value, or the other way round, today's key is in force."""
    start(overrides={"metadata": {"a": first, "n": 0}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata = start(overrides={"metadata": {"a": second, "n": 0}}, may_change=["metadata.a.b"]).to_dict()[
            "metadata"
        ]
    if isinstance(second, dict) and "b" in second:
        assert metadata["a"]["b"] == second["b"]
    assert metadata["n"] == 0


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_preview_refuses_what_could_not_be_frozen() -> None:
    """Metadata that is too long for the file is told before the job starts."""
    given = read_start(SCHEMA, overrides={"metadata": {"note": "x" * 1_100_000}}, environ={}, run_dir=RUN)
    with pytest.raises(ConfigurationError, match="would be larger than 1 MiB"):
        preview_start(given, str(FROZEN))


def test_a_resumed_run_that_finds_no_file_says_where_one_is(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started in another directory, the way out is the file that was meant, and not to replace what is frozen."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    start()
    (isolated / "sub").mkdir()
    monkeypatch.chdir("sub")
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(run_dir=isolated / RUN, environ={})
    report = str(caught.value)
    assert "it read acbo.toml, and today no file is read" in report
    assert f"ACBO_CONFIG_FILE={isolated / 'acbo.toml'} takes that one" in report


def test_a_refusal_names_where_values_had_come_from_and_the_notes(assert_report: AssertReport) -> None:
    """Each setting with its origin of that day, what is not set today, and each note with both values."""
    Path("acbo.toml").write_text(NOTES)
    start({"ACBO_GRPO__GROUP_SIZE": "32", "ACBO_TOTAL_STEPS": "7000", "ACBO_LOG_FREQUENCY": "5"})
    Path("acbo.toml").write_text("log_frequency = 6\n[metadata]\nnote = 'b'\npod = 1\ntags = ['x', 'y']\n")
    text = refusal({"ACBO_TOTAL_STEPS": "8000", "SLURM_JOB_ID": "7"})
    step = {"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_EXPORT_ENV": "NONE"}
    assert_report("run-changed-origins", f"{text}\n\n{refusal({'ACBO_TOTAL_STEPS': '7000', **step})}")


@ADVICE_IS_FINE
@pytest.mark.parametrize("on_change", ["error", "keep", "replace"])
@pytest.mark.parametrize("total_steps", ["7000", "9000"])
def test_a_preview_is_what_a_start_returns_and_writes_nothing(on_change: OnChange, total_steps: str) -> None:
    """Before the first start, after it, and after a change, in each way to deal with one."""
    environ = {"ACBO_TOTAL_STEPS": total_steps, "ACBO_METADATA__NOTE": total_steps}
    for first in (None, {"ACBO_TOTAL_STEPS": "7000", "ACBO_METADATA__NOTE": "a"}):
        if first:
            shutil.rmtree(RUN)
            start(first)
        files = {name: Path(RUN, name).read_bytes() for name in os.listdir(RUN)} if RUN.exists() else None
        outcomes: list[object] = []
        for act in (preview_start, resolve_start):
            given = read_start(SCHEMA, environ=environ, run_dir=RUN, on_change=on_change)
            try:
                resolved = act(given, str(FROZEN))
                outcomes.append((resolved.config, resolved.config.metadata, resolved.custom, resolved.advice))
            except ConfigurationError as error:
                outcomes.append(str(error))
            if act is preview_start:
                now = {name: Path(RUN, name).read_bytes() for name in os.listdir(RUN)} if RUN.exists() else None
                assert now == files
        assert outcomes[0] == outcomes[1]


def test_replace_takes_in_what_may_change() -> None:
    """Who replaces wants today's configuration frozen, whatever else may change."""
    start({"ACBO_TOTAL_STEPS": "7000"})
    config = start({"ACBO_TOTAL_STEPS": "9000"}, on_change="replace", may_change=["total_steps"])
    assert config == load_frozen_config(RUN)


def test_a_lost_file_is_told() -> None:
    """A start in another directory, where there is no `acbo.toml`, says that the run had read one."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    start()
    Path("acbo.toml").unlink()
    assert "than today's: it read acbo.toml, and today no file is read;" in refusal()


def test_nothing_is_lost_when_a_run_is_replaced_again_and_again() -> None:
    """Back and forth four times: every file that was ever in force, with its own time and metadata, is kept."""
    contents = set()
    for number in range(4):
        note = {"ACBO_TOTAL_STEPS": str(7000 + number % 2), "ACBO_METADATA__NOTE": str(number)}
        start(note, on_change="replace")
        contents.add(FROZEN.read_bytes())
    assert {path.read_bytes() for path in RUN.iterdir()} == contents
    assert sorted(path.name.count(".") for path in RUN.iterdir()) == [2, 3, 3, 4, 4]


def test_what_may_change_takes_todays_value() -> None:
    """Named settings and whole components follow today's layers; the rest is held, and the file stays."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    start()
    content = FROZEN.read_bytes()
    Path("acbo.toml").write_text("total_steps = 9000\n[evaluation]\neval_frequency = 50\n")
    may_change = ("total_steps", "evaluation", "log_frequency")
    longer = start(may_change=may_change)
    assert (longer.total_steps, longer.evaluation.eval_frequency) == (9000, 50)
    assert FROZEN.read_bytes() == content
    report = refusal({"ACBO_GRPO__GROUP_SIZE": "16"}, may_change=may_change)
    assert "grpo.group_size: frozen as 64 (the default), today 16" in report
    assert "total_steps: " not in report
    assert start(may_change=["evaluation.eval_frequency", "total_steps"]) == longer


def test_a_mixture_that_breaks_a_rule_is_refused(assert_report: Callable[[str, str], None]) -> None:
    """Kept values together with today's are judged as a whole, and the report names the lines of both files."""
    Path("acbo.toml").write_text("total_steps = 7000\nwarmup_steps = 4000\n")
    start()
    Path("acbo.toml").write_text("total_steps = 3000\n")
    assert_report("run-mixture", refusal(may_change=["total_steps"], on_change="keep"))


def test_origins_in_a_run() -> None:
    """A kept value has its line of the frozen file as origin, over today's; all others have today's."""
    start({"ACBO_TOTAL_STEPS": "7000"})
    with pytest.warns(ConfigurationWarning):
        resolved = resolve_training_config(
            run_dir=RUN, environ={"ACBO_TOTAL_STEPS": "9000", "ACBO_LOG_FREQUENCY": "10"}, on_change="keep"
        )
    origin = resolved.values["total_steps",].origin
    assert isinstance(origin, File)
    assert (origin.source.name, origin.source.line(int(str(origin).rpartition(":")[2]))) == (
        str(FROZEN),
        "total_steps = 7000",
    )
    assert resolved.explain("log_frequency") == "10, from ACBO_LOG_FREQUENCY, over the default 10"


def test_a_damaged_file_is_never_replaced() -> None:
    """Whatever `on_change` says, a file that was edited stops the start and stays where it is."""
    start()
    FROZEN.write_text(FROZEN.read_text().replace("5000", "6000"))
    for on_change in ("error", "keep", "replace"):
        assert "was edited or damaged" in refusal({"ACBO_TOTAL_STEPS": "7"}, on_change=on_change)
    assert "6000" in FROZEN.read_text()


def test_an_integer_that_no_float_holds_is_one_configuration() -> None:
    """Given for a float, it is refused where it would be rounded; one that a float holds is the same in every start."""
    with pytest.raises(ConfigurationError, match="entropy_coeff: is an integer that no float is exactly"):
        start(overrides={"grpo": {"entropy_coeff": 2**53 + 1}})
    overrides = {"grpo": {"entropy_coeff": 2**53 + 2}}
    first = start(overrides=overrides)
    assert start(overrides=overrides) == first
    for on_change in ("error", "replace"):
        assert (
            resolve_training_config(run_dir=RUN, environ={}, overrides=overrides, on_change=on_change).config == first
        )
    assert os.listdir(RUN) == ["acbo.frozen.toml"]


def test_a_run_keeps_its_record_of_what_was_given() -> None:
    """The metadata of a kept configuration is the frozen one; with a value of today, only that one is added."""
    start(overrides={"log_frequency": 10, "total_steps": 6000})
    today = {"total_steps": 8000, "warmup_steps": 100}
    with pytest.warns(ConfigurationWarning):
        assert start(overrides=today, on_change="keep").metadata == {"log_frequency": 10, "total_steps": 6000}
    longer = start(overrides=today, may_change=["total_steps"])
    assert longer.metadata == {"log_frequency": 10, "total_steps": 8000}
    assert start(may_change=["total_steps"]).metadata == {"log_frequency": 10}


@pytest.mark.parametrize("directory", ["we\\ird", 'say "a"', "line\nend", "a\tb", "del\x7f", "ls\u2028", "\udcff"])
def test_odd_names_of_files_do_no_harm(directory: str) -> None:
    """Whatever the file is called, the record of what was given reads back, on every start."""
    Path(directory).mkdir()
    file = Path(directory, "a.toml")
    file.write_text("total_steps = 7000\n[grpo]\ngroup_size = 32\nlearning_rate = 1e-4\n")
    metadata = load_training_config(file, environ={}).metadata
    assert metadata["grpo"] == {"group_size": 32, "learning_rate": 1e-4}
    for _ in range(2):
        assert load_training_config(file, environ={}, run_dir=RUN).metadata == metadata
    assert load_frozen_config(RUN).metadata == metadata


def test_a_time_in_the_hour_that_comes_twice_is_no_change() -> None:
    """A date with a named zone is frozen with its offset, and is not told as another one afterwards."""
    when = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    for on_change in ("error", "replace"):
        start(overrides={"metadata": {"when": when}}, on_change=on_change)
    assert os.listdir(RUN) == ["acbo.frozen.toml"]


def test_another_type_of_metadata_is_another_metadata() -> None:
    """1 and true are equal in Python and differ in a file."""
    start(overrides={"metadata": {"flag": 1}})
    assert start(overrides={"metadata": {"flag": True}}, on_change="replace").metadata["flag"] is True


def test_a_damaged_file_of_the_past_is_left_alone() -> None:
    """What lies under the name that the old file would be kept under is not touched: the next number is taken."""
    first = start()
    damaged = RUN / f"acbo.frozen.{first.fingerprint}.toml"
    damaged.write_bytes(b"")
    start({"ACBO_TOTAL_STEPS": "7000"}, on_change="replace")
    assert damaged.read_bytes() == b""
    assert load_frozen_config(RUN / f"acbo.frozen.{first.fingerprint}.2.toml") == first


class Day(date):
    """A date that shows itself otherwise."""

    def isoformat(self) -> str:
        """Not what TOML has."""
        return "2 May"


def test_a_date_that_shows_itself_otherwise_is_frozen_as_a_date() -> None:
    """What a class made of a date does with its text has no part in the file."""
    assert start(overrides={"metadata": {"when": Day(2024, 5, 2)}}).metadata["when"] == date(2024, 5, 2)


def test_metadata_too_long_to_be_frozen_is_refused() -> None:
    """What could not be read back is not written."""
    report = refusal(overrides={"metadata": {"note": "x" * 1_100_000}})
    assert "would be larger than 1 MiB" in report
    assert not RUN.exists()


@pytest.mark.parametrize("on_change", ["error", "replace"])
def test_a_warning_that_is_an_error_comes_before_the_file(on_change: str) -> None:
    """Who stops at advice finds the run as it was, so that the next start is told the same."""
    suspicious = {"ACBO_EVALUATION__EARLY_STOPPING_PATIENCE": "5"}
    if on_change == "replace":
        start()
    before = FROZEN.read_bytes() if FROZEN.exists() else None
    for _ in range(2):
        with pytest.raises(ConfigurationWarning):
            start(suspicious, on_change=on_change)
        assert (FROZEN.read_bytes() if FROZEN.exists() else None) == before


def test_advice_is_given_once(recwarn: pytest.WarningsRecorder) -> None:
    """A first start warns once, one from the same inputs not at all, one from other inputs again."""
    warnings.simplefilter("always")
    suspicious = {"ACBO_EVALUATION__EARLY_STOPPING_PATIENCE": "5"}
    counts = []
    for environ in (suspicious, suspicious, {**suspicious, "ACBO_LOG_FREQUENCY": "10"}):
        start(environ)
        counts.append(len(recwarn))
    assert counts == [1, 1, 2]


def test_strictness_is_part_of_the_inputs() -> None:
    """A variable that was let through once is an error again in a strict start of the same run."""
    with pytest.warns(ConfigurationWarning):
        start({"ACBO_NO_SUCH": "1"}, strict=False)
    assert start({"ACBO_NO_SUCH": "1"}, strict=False) == load_frozen_config(RUN)
    assert "ACBO_NO_SUCH: no such setting" in refusal({"ACBO_NO_SUCH": "1"})


def test_overrides_that_are_no_plain_data_always_resolve() -> None:
    """A date in the overrides has no digest, and the run is held to its configuration all the same."""
    when = date(2026, 11, 25)
    overrides = {"metadata": {"when": when}}
    first = start(overrides=overrides)
    frozen = read_frozen(SCHEMA, str(FROZEN))
    assert frozen is not None
    assert frozen.digest is None
    assert start(overrides=overrides).metadata == first.metadata == {"when": when}


FEW_OR_MANY = pytest.mark.parametrize("examples", [20, pytest.param(200, marks=pytest.mark.heavy)])


@ADVICE_IS_FINE
@FEW_OR_MANY
def test_both_paths_give_the_same_answer(tmp_path: Path, examples: int) -> None:
    """Any file, variables and overrides: the start that reads equals the one that resolves.

    The start that finds its digest in the frozen file, the same start with that digest taken out of the way, and a
    load without a run have the same values, types and metadata.
    """
    import tomli_w

    @settings(max_examples=examples)
    @given(layers(), layers(), layers(), st.booleans())
    def give_the_same(
        file: dict[KeyPath, Any], variables: dict[KeyPath, Any], overrides: dict[KeyPath, Any], strict: bool
    ) -> None:
        Path("acbo.toml").write_text(tomli_w.dumps(tree_of(file)))
        arguments: dict[str, Any] = {
            "environ": variables_of(variables),
            "overrides": {**tree_of(overrides), "metadata": {"note": "x"}},
            "strict": strict,
        }
        run = tmp_path / "runs" / os.urandom(8).hex()
        configs = [load_training_config(run_dir=run, **arguments) for _ in range(2)]
        frozen = read_frozen(SCHEMA, str(run / "acbo.frozen.toml"))
        assert frozen is not None
        assert frozen.digest == read_start(SCHEMA, **arguments).inputs.digest
        configs.append(resolve_training_config(run_dir=run, **arguments).config)
        configs.append(load_training_config(**arguments))
        configs.append(parse_frozen(SCHEMA, frozen.name, frozen.text).config)
        for config in configs[1:]:
            assert config == configs[0]
            assert config.metadata == configs[0].metadata
            assert repr(flatten(config)) == repr(flatten(configs[0]))

    give_the_same()


@ADVICE_IS_FINE
@FEW_OR_MANY
def test_any_change_is_held_replaced_or_told(tmp_path: Path, examples: int) -> None:
    """Any two configurations: exactly the settings that differ and may not change are told, kept, replaced."""

    @settings(max_examples=examples)
    @given(layers(), layers(), st.sets(st.sampled_from(["total_steps", "grpo", "rewards.parent_weight", "evaluation"])))
    def is_held_replaced_or_told(first: dict[KeyPath, Any], second: dict[KeyPath, Any], may_change: set[str]) -> None:
        run = tmp_path / "runs" / os.urandom(8).hex()
        frozen = flatten(load_training_config(run_dir=run, environ={}, overrides=tree_of(first)))
        today = flatten(load_training_config(environ={}, overrides=tree_of(second)))
        allowed = {path for path in frozen if may_change & {path[0], ".".join(path)}}
        differing = [path for path in frozen if frozen[path] != today[path] and path not in allowed]
        arguments: dict[str, Any] = {
            "run_dir": run,
            "environ": {},
            "overrides": tree_of(second),
            "may_change": may_change,
        }
        if differing:
            with pytest.raises(ConfigurationError) as caught:
                load_training_config(**arguments)
            assert [problem.path for problem in caught.value.problems] == [(), *differing]
        else:
            assert flatten(load_training_config(**arguments)) == today
        kept = flatten(load_training_config(**arguments, on_change="keep"))
        assert kept == {path: today[path] if path in allowed else frozen[path] for path in frozen}
        assert flatten(load_training_config(**arguments, on_change="replace")) == today
        assert flatten(load_frozen_config(run)) == today

    is_held_replaced_or_told()


# Ranks of one start

SLURM = {"SLURM_JOB_ID": "7", "SLURM_PROCID": "0"}
MAY_CHANGE = {"ACBO_RUN_DIR": str(RUN), "ACBO_MAY_CHANGE": "total_steps,metadata.pod"}


def rank(**environ: str) -> TrainingConfig:
    """What a rank of a job loads, without a word of what it could not take."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_training_config(environ={**SLURM, **MAY_CHANGE, **environ})


def freeze(**environ: str) -> None:
    """The command before the ranks."""
    command = [sys.executable, "-m", "acbo_settings", "freeze"]
    subprocess.run(command, env={**SLURM, **MAY_CHANGE, **environ}, check=True, capture_output=True, timeout=60)


def test_an_edit_between_two_ranks_changes_nothing() -> None:
    """What may change is what `freeze` found, for every rank of the start, and the next start finds it anew."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    freeze()
    Path("acbo.toml").write_text("total_steps = 9000\n")
    freeze()
    assert rank().total_steps == 9000
    Path("acbo.toml").write_text("total_steps = 20000\n")
    assert [rank().total_steps, rank(ACBO_TOTAL_STEPS="30000").total_steps] == [9000, 9000]
    Path("acbo.toml").write_text("total_steps = 7000\n")  # as when the run was frozen
    assert rank().total_steps == 9000
    assert rank(SLURM_RESTART_COUNT="1").total_steps == 7000
    freeze(SLURM_RESTART_COUNT="1")
    Path("acbo.toml").write_text("total_steps = 8000\n")
    assert rank(SLURM_RESTART_COUNT="1").total_steps == 7000
    assert rank(SLURM_JOB_ID="8").total_steps == 8000


def test_a_rank_is_told_what_it_cannot_have() -> None:
    """A warning for what may change, a refusal for anything else; a note that may change is its own."""
    freeze(ACBO_TOTAL_STEPS="7000", ACBO_METADATA__POD="a")
    with pytest.warns(
        ConfigurationWarning, match="total_steps: this start of the job keeps 7000, as frozen, against today's 9000"
    ):
        config = load_training_config(
            environ={**SLURM, **MAY_CHANGE, "ACBO_TOTAL_STEPS": "9000", "ACBO_METADATA__POD": "b"}
        )
    assert (config.total_steps, config.metadata["pod"]) == (7000, "b")
    with pytest.raises(ConfigurationError, match="log_frequency: frozen as 10"):
        rank(ACBO_TOTAL_STEPS="7000", ACBO_LOG_FREQUENCY="5")
    assert rank(ACBO_TOTAL_STEPS="7000", ACBO_LOG_FREQUENCY="5", ACBO_ON_CHANGE="replace").log_frequency == 10


def test_a_rank_that_has_the_inputs_of_the_start_needs_no_pydantic() -> None:
    """It reads what the start has noted, and nothing else."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    freeze()
    Path("acbo.toml").write_text("total_steps = 9000\n")
    freeze()
    program = "import sys, acbo_settings as a; print(a.load_training_config().total_steps, 'pydantic' in sys.modules)"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, env={**SLURM, **MAY_CHANGE}, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "9000 False\n"


@ADVICE_IS_FINE
def test_a_rank_need_not_say_what_may_change_itself() -> None:
    """Nor does replace replace what `freeze` has found for all ranks of the start."""
    Path("acbo.toml").write_text("total_steps = 3000\n")
    freeze(ACBO_MAY_CHANGE="total_steps")
    Path("acbo.toml").write_text("total_steps = 4000\n")
    freeze(ACBO_MAY_CHANGE="total_steps")
    plain = {**SLURM, "ACBO_RUN_DIR": str(RUN)}
    assert load_training_config(environ=plain).total_steps == 4000
    content = FROZEN.read_bytes()
    Path("acbo.toml").write_text("total_steps = 5000\n")
    assert load_training_config(environ={**plain, "ACBO_ON_CHANGE": "replace"}).total_steps == 4000
    assert FROZEN.read_bytes() == content
    with pytest.raises(ConfigurationError, match="total_steps: frozen as 4000"):
        load_training_config(environ=plain)
