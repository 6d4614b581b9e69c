"""A sweep, frozen: what its tasks train with, whatever is edited, cut off or frozen again meanwhile."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acbo_settings import (
    ConfigurationError,
    TrainingConfig,
    load_frozen_config,
    load_training_config,
    mark_done,
    resolve_training_config,
    run_directory,
    sweep_directories,
)
from acbo_settings.cli.main import main
from acbo_settings.cli.sweep.sweep_file import read_sweep_file
from acbo_settings.engine import frozen as frozen_module
from acbo_settings.engine.frozen_sweep import read_sweep
from acbo_settings.engine.runs import sweep_directory
from acbo_settings.engine.runs.sweep import SweepFreezing

from ...command_line import ENVIRON, told
from ...strategies import SCHEMA
from ...sweeps import ACBO, DIRECTORY, SWEEP, freeze, python, task, write_sweep

AssertReport = Callable[[str, str], None]
INDEX = DIRECTORY / "acbo.sweep.toml"


def refusal(load: Callable[[], object]) -> str:
    """The report of what must be refused."""
    with pytest.raises(ConfigurationError) as caught:
        load()
    return str(caught.value)


def outcome(index: int) -> TrainingConfig | str:
    """What a task trains with, or the report of its refusal."""
    try:
        return task(index)
    except ConfigurationError as error:
        return str(error)


def assert_own_or_refused(index: int, config: TrainingConfig, pattern: str) -> None:
    """A task trains with this configuration, or is refused with a report like that."""
    found = outcome(index)
    assert found == config or (isinstance(found, str) and re.search(pattern, found))


def swept() -> list[tuple[int, float, int]]:
    """Group size, learning rate and seed of each point, in the order of the numbers."""
    points = read_sweep(SCHEMA, str(DIRECTORY)).points
    keys = (("grpo", "group_size"), ("grpo", "learning_rate"), ("metadata", "seed"))
    return [tuple(point.swept[key] for key in keys) for point in points]


def test_each_point_is_the_frozen_file_of_a_run() -> None:
    """The files hold what lies below the points, and the values of each, with the places that they come from."""
    write_sweep()
    freeze()
    assert sorted(path.name for path in DIRECTORY.iterdir()) == [*(f"{n:04d}" for n in range(8)), "acbo.sweep.toml"]
    config = load_frozen_config(DIRECTORY / "0007")
    assert (config.log_frequency, config.grpo.group_size, config.grpo.learning_rate) == (20, 64, 3e-4)
    assert config.metadata["seed"] == 2
    text = (DIRECTORY / "0007/acbo.frozen.toml").read_text()
    assert 'grpo.learning_rate = "sweep.toml:10, point 7"' in text
    assert 'log_frequency = "acbo.toml:1"' in text


def test_no_later_edit_reaches_a_task() -> None:
    """A task reads neither file; its directory is the run, and the task starts without pydantic."""
    write_sweep()
    freeze()
    before = [task(index) for index in range(8)]
    write_sweep("[grid]\ntotal_steps = [7]\n", "total_steps = 9\n")
    assert [task(index) for index in range(8)] == before
    Path("acbo.toml").unlink()
    Path("sweep.toml").unlink()
    assert [task(index) for index in range(8)] == before
    assert [config.metadata["seed"] for config in before] == [1, 2] * 4
    program = (
        "import sys, acbo_settings as a; c = a.load_training_config(sweep='sweeps/lr');"
        "print(c.fingerprint, sorted({'pydantic', 'tomllib', 'hashlib', 'pyrsistent', 'typing'} & set(sys.modules)))"
    )
    ran = python(program, SLURM_ARRAY_TASK_ID="3")
    assert (ran.stdout, ran.stderr) == (f"{before[3].fingerprint} []\n", "")


def test_the_number_comes_from_the_nearest_place() -> None:
    """The argument, else the variable, else the array of SLURM, else the Indexed Job."""
    write_sweep()
    freeze()
    places = {"ACBO_SWEEP_INDEX": "5", "SLURM_ARRAY_TASK_ID": "3", "JOB_COMPLETION_INDEX": "1"}
    named = {"ACBO_SWEEP": str(DIRECTORY)}
    expected = {number: load_frozen_config(DIRECTORY / f"{number:04d}") for number in (7, 5, 3, 1)}
    assert load_training_config(sweep=DIRECTORY, index=7, environ=places) == expected[7]
    for name, number in (("ACBO_SWEEP_INDEX", 5), ("SLURM_ARRAY_TASK_ID", 3), ("JOB_COMPLETION_INDEX", 1)):
        assert load_training_config(environ=named | places) == expected[number]
        assert resolve_training_config(environ=named | places).config == expected[number]
        del places[name]


def test_what_a_task_is_refused_for(assert_report: AssertReport, isolated: Path) -> None:
    """Each report says what is wrong with the task, and which points there are."""
    write_sweep()
    freeze()
    write_sweep(SWEEP.replace("[32, 64]", "[32]"))
    freeze()
    sweep: dict[str, Any] = {"sweep": DIRECTORY, "environ": {}}
    cases: dict[str, dict[str, Any]] = {
        "no number": sweep,
        "beyond the end": {**sweep, "index": 8},
        "far beyond the end": {"sweep": DIRECTORY, "environ": {"SLURM_ARRAY_TASK_ID": "99999"}},
        "below the start": {**sweep, "index": -1},
        "retired": {"sweep": DIRECTORY, "environ": {"JOB_COMPLETION_INDEX": "3"}},
        "no number, but a text": {"sweep": DIRECTORY, "environ": {"ACBO_SWEEP_INDEX": "three"}},
        "no such directory": {**sweep, "sweep": "sweeps/no", "index": 1},
        "no sweep": {**sweep, "sweep": "sweeps", "index": 1},
        "the file": {**sweep, "sweep": INDEX, "index": 1},
        "empty": {**sweep, "sweep": "", "index": 1},
        "another run": {**sweep, "index": 1, "run_dir": "runs/17"},
        "the variable of another sweep": {"sweep": DIRECTORY, "environ": {"ACBO_SWEEP": "sweeps/no"}, "index": 1},
        "replace": {**sweep, "index": 1, "on_change": "replace"},
        "a retired run": {"run_dir": DIRECTORY / "0003", "environ": {}},
        "a run beyond the end": {"run_dir": DIRECTORY / "0008", "environ": {}},
    }
    parts = []
    for name, arguments in cases.items():
        with pytest.raises(ConfigurationError) as caught:
            load_training_config(**arguments)
        parts.append(f"### {name}\n{caught.value}")
    assert_report("sweep-task-refused", "\n\n".join(parts))


def test_an_argument_that_fits_no_sweep_is_a_type_error() -> None:
    """A number without a sweep, one that is none, and a path beside a sweep are mistakes of the program."""
    write_sweep()
    freeze()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"index": 3}, "index is for a point of a sweep"),
        ({"index": 3, "run_dir": "runs/17"}, "index is for a point of a sweep"),
        ({"index": "3", "sweep": DIRECTORY}, "index must be the number of a point, not str"),
        ({"index": True, "sweep": DIRECTORY}, "index must be the number of a point, not bool"),
        ({"index": 1, "sweep": DIRECTORY, "path": "acbo.toml"}, "path is for a run of its own"),
        ({"run_dir": DIRECTORY / "0001", "path": "acbo.toml"}, "path is for a run of its own"),
        ({"sweep": 7}, "sweep must be a str or os.PathLike, not int"),
    ]
    for arguments, message in cases:
        with pytest.raises((TypeError, ValueError), match=message):
            load_training_config(environ={}, **arguments)


def test_a_variable_of_the_task_is_held_to_the_sweep(assert_report: AssertReport) -> None:
    """One with another value is refused as by a run; one with the same value, or that was there before, is not."""
    write_sweep()
    freeze()
    assert task(3, ACBO_LOG_FREQUENCY="20") == task(3)
    refused = refusal(lambda: task(3, ACBO_LOG_FREQUENCY="50", ACBO_GRPO__GROUP_SIZE="32"))
    assert_report("sweep-task-variable", refused)
    with pytest.warns(match="the run keeps 20, as frozen, against today's 50"):
        kept = load_training_config(
            sweep=DIRECTORY, index=3, environ={"ACBO_LOG_FREQUENCY": "50"}, on_change="keep", overrides=[]
        )
    assert kept == task(3)
    changed = load_training_config(
        sweep=DIRECTORY, index=3, overrides={"log_frequency": 50}, environ={}, may_change=["log_frequency"]
    )
    assert (changed.log_frequency, changed.grpo) == (50, task(3).grpo)
    assert "log_frequency: frozen as 20 (from acbo.toml:1), today 50" in refusal(
        lambda: load_training_config(sweep=DIRECTORY, index=3, overrides=["log_frequency=50"], environ={})
    )


def test_variables_of_the_freezing_are_known_to_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """SLURM passes them on to the tasks, which start as quickly with them; without them nothing changes either."""
    monkeypatch.setenv("ACBO_TOTAL_STEPS", "9000")
    monkeypatch.setenv("ACBO_METADATA__NOTE", 'a "quoted" one')
    write_sweep()
    freeze()
    same = {"ACBO_TOTAL_STEPS": "9000", "ACBO_METADATA__NOTE": 'a "quoted" one'}
    assert task(3).total_steps == 9000
    assert task(3, **same) == task(3, ACBO_TOTAL_STEPS="9000") == task(3, ACBO_TOTAL_STEPS=" 9000 ") == task(3)
    assert task(3, **same).metadata["note"] == 'a "quoted" one'
    program = (
        "import sys, acbo_settings as a; a.load_training_config(sweep='sweeps/lr'); print('pydantic' in sys.modules)"
    )
    assert python(program, SLURM_ARRAY_TASK_ID="3", **same).stdout == "False\n"
    assert "total_steps: frozen as 9000 (from ACBO_TOTAL_STEPS), today 8000" in refusal(
        lambda: task(3, **same | {"ACBO_TOTAL_STEPS": "8000"})
    )


def test_a_directory_of_a_point_is_a_run_dir() -> None:
    """What starts tasks by their directories needs no number; no file of the working directory is read."""
    write_sweep()
    freeze()
    write_sweep("", "total_steps = 77\n")
    directories = sweep_directories(DIRECTORY)
    assert directories == [os.path.abspath(DIRECTORY / f"{number:04d}") for number in range(8)]
    assert [load_training_config(run_dir=each, environ={}) for each in directories] == [task(n) for n in range(8)]
    assert load_training_config(run_dir=DIRECTORY / "0003/", environ={}) == task(3)
    with pytest.raises(ConfigurationError, match="log_frequency: frozen as 20"):
        load_training_config(run_dir=directories[3], environ={"ACBO_LOG_FREQUENCY": "50"})
    mark_done(directories[3])
    assert sweep_directories(DIRECTORY) == [each for each in directories if each != directories[3]]


def test_origins_of_a_task_are_those_of_the_freezing() -> None:
    """`resolve_training_config` tells where the values had come from, and `show` of the environment does."""
    write_sweep()
    freeze()
    resolved = resolve_training_config(sweep=DIRECTORY, index=6, environ={})
    assert resolved.explain("grpo.group_size") == "64, from sweep.toml:2, point 6, as frozen, over the default 64"
    assert resolved.explain("log_frequency") == "20, from acbo.toml:1, as frozen, over the default 10"
    shown = told("show", "--changed", ACBO_SWEEP=str(DIRECTORY), SLURM_ARRAY_TASK_ID="6")
    assert "learning_rate = 0.0003" not in shown  # which is the default
    assert "num_iterations = 2  # from acbo.toml:3, as frozen, over the default 4" in shown
    assert (DIRECTORY / "0006/acbo.started.toml").exists()  # by `resolve_training_config`, as by any start


def test_new_values_get_new_numbers_and_old_points_keep_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    """Inserted, taken away and added again: a point has one number for ever, and the files of old ones stay."""
    write_sweep("[grid]\ngrpo.group_size = [32, 64]\ngrpo.learning_rate = [1e-4]\nmetadata.seed = [1]\n")
    freeze()
    before = {path: path.read_bytes() for path in DIRECTORY.glob("*/acbo.frozen.toml")}
    write_sweep("[grid]\nmetadata.seed = [1]\ngrpo.learning_rate = [1e-4]\ngrpo.group_size = [16, 32, 48, 64]\n")
    freeze()
    assert [values[0] for values in swept()] == [32, 64, 16, 48]
    assert {path: path.read_bytes() for path in before} == before
    write_sweep(
        "[grid]\ngrpo.group_size = [16, 64.0, 128]\ngrpo.learning_rate = [1e-4]\nmetadata.seed = [1]\n".replace(
            "64.0", "64"
        )
    )
    freeze()
    sweep = read_sweep(SCHEMA, str(DIRECTORY))
    assert [(point.number, point.is_retired) for point in sweep.points] == [
        (0, True), (1, False), (2, False), (3, True), (4, False)
    ]  # fmt: skip
    write_sweep("[grid]\ngrpo.group_size = [32]\ngrpo.learning_rate = [1e-4]\nmetadata.seed = [1]\n")
    freeze()
    assert [point.number for point in read_sweep(SCHEMA, str(DIRECTORY)).active] == [0]
    assert {path: path.read_bytes() for path in before} == before
    said = capsys.readouterr()
    assert said.out.split() == ["0-1", "0-3", "1-2,4", "0"]
    assert "holds 3 points: 1 new, 2 as before, 2 retired" in said.err


def test_a_setting_that_is_swept_later_keeps_the_points_that_it_had() -> None:
    """The value of all points until now is one of the new ones: its point has its number, and another setting none."""
    write_sweep("[grid]\ngrpo.group_size = [32, 64]\n", "log_frequency = 20\n")
    freeze()
    write_sweep("[grid]\nlog_frequency = [10, 20]\ngrpo.group_size = [32, 64]\n", "log_frequency = 20\n")
    freeze()
    sweep = read_sweep(SCHEMA, str(DIRECTORY))
    found = [(config.grpo.group_size, config.log_frequency) for config in map(task, range(4))]
    assert found == [(32, 20), (64, 20), (32, 10), (64, 10)]
    assert not any(point.is_retired for point in sweep.points)


def test_a_changed_base_is_refused_kept_or_replaced(assert_report: AssertReport) -> None:
    """As for a run: refused with the settings that differ; kept for new points too; or all are frozen anew."""
    write_sweep()
    freeze()
    mark_done(DIRECTORY / "0001")
    old = task(3)
    wider = SWEEP.replace("[32, 64]", "[32, 64, 128]")
    write_sweep(wider, "log_frequency = 50\ntotal_steps = 9000\n[grpo]\nnum_iterations = 2\n")
    assert_report("sweep-changed", told("sweep", "freeze", "--dir", str(DIRECTORY)))
    assert_report("sweep-kept", told("sweep", "freeze", "--dir", str(DIRECTORY), "--on-change", "keep"))
    assert (task(3), task(11).log_frequency) == (old, 20)
    assert_report("sweep-replaced", told("sweep", "freeze", "--dir", str(DIRECTORY), "--on-change", "replace"))
    assert (task(3).log_frequency, task(3).total_steps, task(11).log_frequency) == (50, 9000, 50)
    assert load_frozen_config(DIRECTORY / f"0003/acbo.frozen.{old.fingerprint}.toml") == old
    assert len(sweep_directories(DIRECTORY)) == 12  # what was done with the old configuration is not done with this


def test_changed_notes_are_kept_with_a_word(assert_report: AssertReport) -> None:
    """Metadata refuses nothing: old points keep theirs, and `replace` renews it."""
    write_sweep(SWEEP, ACBO + "[metadata]\nnote = 'first'\n")
    freeze()
    write_sweep(SWEEP, ACBO + "[metadata]\nnote = 'second'\n")
    assert_report("sweep-notes-kept", told("sweep", "freeze", "--dir", str(DIRECTORY)))
    assert task(3).metadata["note"] == "first"
    freeze("--on-change", "replace")
    assert task(3).metadata["note"] == "second"


def test_equal_files_freeze_to_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Frozen again without a change, no file of a point is written."""
    write_sweep()
    freeze()
    times = {path: path.stat().st_mtime_ns for path in DIRECTORY.glob("*/*")}
    freeze()
    assert {path: path.stat().st_mtime_ns for path in DIRECTORY.glob("*/*")} == times
    assert "holds 8 points: 8 as before" in capsys.readouterr().err


def test_a_point_that_is_not_valid_leaves_nothing_behind() -> None:
    """All points are judged before anything is written."""
    write_sweep(SWEEP.replace("[32, 64]", "[32, 4]"))
    assert "Group size should be at least 8" in told("sweep", "freeze", "--dir", str(DIRECTORY))
    assert not DIRECTORY.exists()


def test_a_run_of_somebody_else_is_never_overwritten() -> None:
    """A directory that is the run of its own stays as it is, and so does a file in the place of the directory."""
    write_sweep()
    load_training_config(run_dir=DIRECTORY / "0003", environ={})
    before = (DIRECTORY / "0003/acbo.frozen.toml").read_bytes()
    refused = told("sweep", "freeze", "--dir", str(DIRECTORY))
    assert "is the frozen file of a run of its own; choose another" in " ".join(refused.split())
    assert (DIRECTORY / "0003/acbo.frozen.toml").read_bytes() == before
    assert not (DIRECTORY / "0000").exists()
    Path("file").write_text("")
    assert "is not a directory, as that of a sweep must be" in told("sweep", "freeze", "--dir", "file")


@pytest.mark.parametrize("damage", ["copied", "edited", "missing", "another sweep"])
def test_a_frozen_file_that_is_not_the_points_own_is_refused_and_restored(damage: str) -> None:
    """Whatever happened to the file of a point, its task is refused, and freezing again restores it."""
    write_sweep()
    freeze()
    config, file = task(3), DIRECTORY / "0003/acbo.frozen.toml"
    if damage == "copied":
        shutil.copy(DIRECTORY / "0004/acbo.frozen.toml", file)
    elif damage == "edited":
        file.write_text(file.read_text().replace("20", "21"))
    elif damage == "missing":
        shutil.rmtree(DIRECTORY / "0003")
    else:
        assert told("sweep", "freeze", "--dir", "sweeps/other", "--set", "total_steps=8000")
        shutil.copy("sweeps/other/0003/acbo.frozen.toml", file)
    refused = refusal(lambda: task(3))
    assert "freeze the sweep again" in refused
    assert re.search("is not the file that the sweep was frozen with|checksum does not fit|no such file", refused)
    if damage == "edited":
        assert "0003/acbo.frozen.toml: was edited or damaged" in told("sweep", "freeze", "--dir", str(DIRECTORY))
        file.unlink()  # what somebody has written is not overwritten
    freeze()
    assert task(3) == config


def test_a_damaged_sweep_is_refused() -> None:
    """Whatever byte of the file is changed, tasks that read it, and commands, say so; a task may not need it."""
    write_sweep()
    freeze()
    whole = INDEX.read_bytes()
    config = task(3)
    for place in range(0, len(whole), 7):
        INDEX.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ConfigurationError, match=r"damaged|no frozen sweep|has format|is no point"):
            sweep_directories(DIRECTORY)
        assert_own_or_refused(3, config, "damaged|is no frozen sweep|has format|is not the file that")
    for length in range(0, len(whole), 7):
        INDEX.write_bytes(whole[:length])
        with pytest.raises(ConfigurationError):
            sweep_directories(DIRECTORY)


def values_now() -> set[int | str]:
    """What the tasks train with: how often they log, or that they are refused."""
    found = (outcome(index) for index in range(8))
    return {each.log_frequency if isinstance(each, TrainingConfig) else "refused" for each in found}


def test_what_was_cut_off_or_lost_is_completed_with_the_frozen_values_alone() -> None:
    """Files that are missing, or another freezing's, are written anew as they were; with other values it is refused."""
    write_sweep()
    freeze()
    before = INDEX.read_bytes()
    write_sweep(acbo=ACBO.replace("20", "30"))
    freeze("--on-change", "replace")
    INDEX.write_bytes(before)  # as if it had been killed before its last step
    assert values_now() == {"refused"}
    for on_change in ("error", "keep"):
        refused = told("sweep", "freeze", "--dir", str(DIRECTORY), "--on-change", on_change)
        assert "held another configuration" in " ".join(refused.split())
    write_sweep()
    freeze()
    assert values_now() == {20}
    for file in DIRECTORY.glob("*/acbo.frozen.toml"):
        file.unlink()
    write_sweep(acbo=ACBO.replace("20", "30"))
    assert told("sweep", "freeze", "--dir", str(DIRECTORY)).startswith("--- exit code 1\n")
    write_sweep()
    freeze()
    assert values_now() == {20}


def test_a_task_is_done_with_what_it_was_trained_with() -> None:
    """Frozen anew while it trains, its point is not done, whatever the task says at its end."""
    write_sweep()
    freeze()
    task(3)
    write_sweep(acbo=ACBO.replace("20", "30"))
    freeze("--on-change", "replace")
    mark_done()
    mark_done(run_directory())
    assert len(sweep_directories(DIRECTORY)) == 8
    task(3)
    mark_done()
    assert len(sweep_directories(DIRECTORY)) == 7


def test_the_ranks_of_a_start_note_what_they_were_given() -> None:
    """What `freeze` has found for a job is what its ranks train with; frozen anew since, no rank starts."""
    write_sweep()
    freeze()
    job = {"SLURM_JOB_ID": "9", "SLURM_ARRAY_TASK_ID": "3"}
    assert "exit code 0" in told("freeze", ACBO_SWEEP=str(DIRECTORY), **job)
    assert load_training_config(sweep=DIRECTORY, environ=job).log_frequency == 20
    write_sweep(acbo=ACBO.replace("20", "30"))
    freeze("--on-change", "replace")
    mark_done()
    assert len(sweep_directories(DIRECTORY)) == 8
    variables: dict[str, str]
    for variables in ({}, {"ACBO_LOG_FREQUENCY": "30"}):
        with pytest.raises(ConfigurationError) as caught:
            load_training_config(sweep=DIRECTORY, environ=job | variables)
        told_of = str(caught.value)
        assert "was written for the ranks of this start, and the sweep was frozen anew since; run acbo" in told_of
    assert "exit code 0" in told("freeze", ACBO_SWEEP=str(DIRECTORY), **job)
    assert load_training_config(sweep=DIRECTORY, environ=job).log_frequency == 30


def test_a_file_of_an_earlier_configuration_does_not_say_done() -> None:
    """A pattern matches what was made since the point was frozen, and no file of this package."""
    write_sweep()
    freeze()
    final = DIRECTORY / "0003/final.npz"
    final.touch()
    array = ["sweep", "status", str(DIRECTORY), "--array", "--done"]
    assert "0-2,4-7" in told(*array, "final*")
    for pattern in ("acbo*", "*.toml", "./acbo*", "**/*.toml"):
        assert "0-7" in told(*array, pattern)
    for pattern in ("/etc/passwd", "../*", "x/../../*", ".", "./"):
        assert told(*array, pattern).startswith("--- exit code 2\n")
    assert "0-2,4-7" in told(*array, "./final*")
    deep = DIRECTORY / "0005/models/last/final.npz"
    deep.parent.mkdir(parents=True)
    deep.touch()
    assert "0-2,4,6-7" in told(*array, "**/final.npz")
    deep.unlink()
    final.parent.joinpath("acbo.frozen.toml").unlink()  # which does not make an old result a new one
    write_sweep(acbo=ACBO.replace("20", "30"))
    freeze("--on-change", "replace")
    assert "0-7" in told(*array, "final*")
    now = time.time_ns() + 10**9
    os.utime(final, ns=(now, now))
    assert "0-2,4-7" in told(*array, "final*")


def test_a_variable_that_was_overruled_at_the_freezing_is_held_to_the_frozen_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By another variable, by `--set`, or by what is kept: the same text in the task is another value."""
    monkeypatch.setenv("ACBO_REWARDS", '{"parent_weight": 0.1, "structure_weight": 0.2}')
    monkeypatch.setenv("ACBO_REWARDS__PARENT_WEIGHT", "0.4")
    write_sweep()
    freeze()
    both = {"ACBO_REWARDS": os.environ["ACBO_REWARDS"], "ACBO_REWARDS__PARENT_WEIGHT": "0.4"}
    assert task(3, **both).rewards.parent_weight == 0.4
    assert "frozen as 0.4" in refusal(lambda: task(3, ACBO_REWARDS=both["ACBO_REWARDS"]))
    monkeypatch.delenv("ACBO_REWARDS")
    monkeypatch.setenv("ACBO_TOTAL_STEPS", "9000")
    write_sweep(SWEEP.replace("[1, 2]", "[1, 2, 3]"))
    freeze("--on-change", "keep")
    assert "total_steps: frozen as 5000" in refusal(lambda: task(8, ACBO_TOTAL_STEPS="9000"))
    shutil.rmtree(DIRECTORY)
    freeze("--set", "total_steps=7000")
    assert "total_steps: frozen as 7000" in refusal(lambda: task(3, ACBO_TOTAL_STEPS="9000"))


def test_new_points_have_the_notes_that_old_ones_keep() -> None:
    """One sweep has one base, in its metadata too."""
    write_sweep(SWEEP, ACBO + "[metadata]\nnote = 'first'\n")
    freeze()
    write_sweep(SWEEP.replace("[1, 2]", "[1, 2, 3]"), ACBO + "[metadata]\nnote = 'second'\nother = 1\n")
    freeze()
    assert {task(index).metadata["note"] for index in range(12)} == {"first"}
    assert not any("other" in task(index).metadata for index in range(12))


def test_another_way_to_a_point_is_no_run(isolated: Path) -> None:
    """A link to its directory, and a copy of that outside of the sweep, are refused, and so is the sweep's own."""
    write_sweep()
    freeze()
    (isolated / "link").symlink_to(DIRECTORY / "0003")
    shutil.copytree(DIRECTORY / "0003", "copy")
    for directory in ("link", "copy", "sweeps/lr/0003/."):
        message = refusal(lambda directory=directory: load_training_config(run_dir=directory, environ={}))  # type: ignore[misc]
        assert "is the frozen file of point 3 of a sweep, and not of a run" in message
    assert load_frozen_config("copy") == task(3)
    message = refusal(lambda: load_training_config(run_dir=DIRECTORY, environ={}))
    assert "sweeps/lr: is the directory of a sweep, and not of a run; set ACBO_SWEEP to it" in message


def test_a_point_is_known_again_in_whatever_spelling(capsys: pytest.CaptureFixture[str]) -> None:
    """1 for 1.0, a setting that was swept later, and a note that moved from the file to the sweep."""
    write_sweep("[grid]\ngrpo.max_grad_norm = [1, 2]\n", "[metadata]\nseed = 1\n")
    freeze()
    write_sweep("[grid]\ngrpo.max_grad_norm = [1.0, 2.0]\nlog_frequency = [10, 20]\nmetadata.seed = [1]\n", "")
    freeze()
    write_sweep(
        "[grid]\ngrpo.max_grad_norm = [1, 2]\nlog_frequency = [10, 20]\nmetadata.seed = [1]\n", "warmup_steps = 50\n"
    )
    freeze("--on-change", "replace")
    said = capsys.readouterr()
    assert said.out.split() == ["0-1", "0-3", "0-3"]
    assert "4 points: 4 replaced" in said.err
    assert all(("log_frequency",) in point.swept for point in read_sweep(SCHEMA, str(DIRECTORY)).points)


def test_lost_files_are_not_written_anew_with_other_notes() -> None:
    """What the sweep's file stands for is settings and metadata; of a base that nobody knows, no point is new."""
    write_sweep(SWEEP, ACBO + "[metadata]\nnote = 'first'\n")
    freeze()
    for file in DIRECTORY.glob("*/acbo.frozen.toml"):
        file.unlink()
    write_sweep(SWEEP, ACBO + "[metadata]\nnote = 'second'\n")
    for on_change in ("error", "keep"):
        assert "or other metadata" in " ".join(told(*FREEZING, "--on-change", on_change).split())
    write_sweep("[grid]\ntotal_steps = [6000]\n", ACBO)
    assert "nobody knows what they had in common" in " ".join(told(*FREEZING).split())
    write_sweep(SWEEP, ACBO + "[metadata]\nnote = 'first'\n")
    freeze()
    assert task(3).metadata["note"] == "first"


def test_a_run_in_the_place_of_a_lost_point_is_neither_made_nor_overwritten(isolated: Path) -> None:
    """By a link, or another spelling, no run starts in the directory of a point; one that is there stays."""
    write_sweep()
    freeze()
    frozen = DIRECTORY / "0003/acbo.frozen.toml"
    frozen.unlink()
    (isolated / "link").symlink_to(DIRECTORY / "0003")
    for directory in ("link", "sweeps/lr/0003/.", "sweeps/lr/3"):
        with pytest.raises(ConfigurationError, match="lies in the directory of a sweep, and is no run of its own"):
            load_training_config(run_dir=directory, environ={})
    load_training_config(run_dir="runs/1", environ={})
    shutil.copy("runs/1/acbo.frozen.toml", frozen)
    assert "is the frozen file of a run of its own" in " ".join(told(*FREEZING).split())
    assert "is the directory of a run" in told("sweep", "freeze", "--dir", "runs/1")


def test_a_plain_run_beside_the_points_stays_what_it_is() -> None:
    """Only the names of points are points: `17` is no way to write `0017`."""
    write_sweep(f"[grid]\ngrpo.group_size = {list(range(8, 28))}\n")
    config = load_training_config(run_dir="runs/17", environ={})
    assert told("sweep", "freeze", "--dir", "runs").startswith("--- exit code 0\n")
    assert load_training_config(run_dir="runs/17", environ={}) == config
    assert load_training_config(run_dir="runs/0017", environ={}).grpo.group_size == 25


def test_an_active_point_keeps_its_number_before_a_retired_one() -> None:
    """Two points of one meaning can come about by a replacement: the one that is run is the one that is meant."""
    grid, with_steps = "[grid]\ngrpo.group_size = [32, 64]\n", "total_steps = [6000]\n"
    for sweep, acbo, on_change in (
        (grid, "total_steps = 5000\n", "error"),
        (grid + with_steps, "total_steps = 5000\n", "error"),
        (grid, "total_steps = 5000\n", "error"),
        (grid, "total_steps = 6000\n", "replace"),
        (grid + with_steps, "total_steps = 6000\n", "error"),
    ):
        write_sweep(sweep, acbo)
        freeze("--on-change", on_change)
    assert [point.number for point in read_sweep(SCHEMA, str(DIRECTORY)).active] == [0, 1]


def test_a_task_that_reads_while_values_are_added_is_not_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the head of the sweep's file and the seal of the point, the file may be replaced by a longer one."""
    write_sweep()
    freeze()
    expected, read, seeds = task(3), frozen_module.read_frozen, iter(["[1, 2, 3]", "[1, 2]"])

    def read_and_freeze(schema: Any, name: str) -> Any:
        found = read(schema, name)
        if text := next(seeds, ""):
            monkeypatch.setattr(frozen_module, "read_frozen", read)
            write_sweep(SWEEP.replace("[1, 2]", text))
            freeze()
            monkeypatch.setattr(frozen_module, "read_frozen", read_and_freeze)
        return found

    monkeypatch.setattr(frozen_module, "read_frozen", read_and_freeze)
    assert [task(3), task(3)] == [expected, expected]


def test_a_file_or_a_variable_beside_a_sweep_is_told(assert_report: AssertReport) -> None:
    """A path and two directories name the variables; a number that is passed wins over a wrong one."""
    write_sweep()
    freeze()
    cases: list[tuple[str, dict[str, Any], dict[str, str]]] = [
        ("a path", {"path": "acbo.toml"}, {"ACBO_SWEEP": "sweeps/lr", "ACBO_SWEEP_INDEX": "3"}),
        ("a path beside a point", {"path": "acbo.toml"}, {"ACBO_RUN_DIR": "sweeps/lr/0003"}),
        ("two directories", {}, {"ACBO_SWEEP": "sweeps/lr", "ACBO_SWEEP_INDEX": "3", "ACBO_RUN_DIR": "runs/1"}),
        ("a point as the sweep", {}, {"ACBO_SWEEP": "sweeps/lr/0003", "SLURM_ARRAY_TASK_ID": "3"}),
        ("no number of a task", {}, {"ACBO_SWEEP": "sweeps/lr", "SLURM_ARRAY_TASK_ID": "abc"}),
        ("a huge number", {"index": 10**5000}, {"ACBO_SWEEP": "sweeps/lr"}),
    ]
    parts = []
    for name, arguments, environ in cases:
        with pytest.raises(ConfigurationError) as caught:
            load_training_config(environ=environ, **arguments)
        parts.append(f"### {name}\n{caught.value}")
    assert_report("sweep-variables-refused", "\n\n".join(parts))
    wrong = {"ACBO_SWEEP": "sweeps/lr", "ACBO_SWEEP_INDEX": "abc"}
    assert load_training_config(index=3, environ=wrong) == task(3)
    for command in (["show", "acbo.toml"], ["check", "sweeps/lr/0003"], ["plan", "acbo.toml"]):
        assert told(*command, **wrong).startswith("--- exit code 0\n"), command


def test_what_could_not_be_read_back_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep's file has a size, and numbers a length; both are known before the first point is written."""
    write_sweep()
    for limit, value, message in (("MAX_BYTES", 2000, "larger than 64 MiB"), ("MAX_NUMBERS", 7, "more than 7 points")):
        with monkeypatch.context() as patched:
            patched.setattr(sweep_directory, limit, value)
            file = read_sweep_file(Namespace(schema=SCHEMA, path="sweep.toml", env=True, settings=[]))
            freezing = SweepFreezing(file.start, file.layers, file.points, str(DIRECTORY), file.name, "error")
            list(freezing.judge())
            with pytest.raises(ConfigurationError, match=message):
                list(freezing.write())
        assert not DIRECTORY.exists()


def test_a_frozen_file_keeps_its_mode_when_it_is_replaced() -> None:
    """As that of a run does."""
    write_sweep()
    freeze()
    (DIRECTORY / "0003/acbo.frozen.toml").chmod(0o440)
    write_sweep(acbo=ACBO.replace("20", "30"))
    freeze("--on-change", "replace")
    assert (DIRECTORY / "0003/acbo.frozen.toml").stat().st_mode & 0o777 == 0o440


def test_a_file_that_another_system_has_converted_is_whole() -> None:
    """Ends of lines and a byte-order mark do not count, for the task, for the status and for the next freezing."""
    write_sweep()
    freeze()
    config, file = task(3), DIRECTORY / "0003/acbo.frozen.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert task(3) == config
    assert "note" not in told("sweep", "status", str(DIRECTORY))
    freeze()


def test_a_point_of_a_newer_format_is_not_called_damaged() -> None:
    """The way out is another version of the package, and no restoring."""
    write_sweep()
    freeze()
    file = DIRECTORY / "0003/acbo.frozen.toml"
    file.write_text(file.read_text().replace("format 1", "format 2"))
    assert "install the version of acbo-settings that wrote it" in refusal(lambda: task(3))


FREEZING = ["sweep", "freeze", "--dir", str(DIRECTORY)]
FREEZE = [sys.executable, "-m", "acbo_settings", "sweep", "freeze", "--dir", str(DIRECTORY)]


def killed_after(files: int, *arguments: str) -> bool:
    """Freeze the sweep in a process that is killed once so many files are there; whether it was still at it."""
    environ = ENVIRON | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [*FREEZE, *arguments], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and sum(1 for _ in DIRECTORY.glob("*/*frozen*.toml")) < files:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


@pytest.mark.heavy
def test_a_freezing_that_is_killed_is_refused_or_completed() -> None:
    """Killed at any moment, it leaves no sweep, the old one, or the new one; never a point with another's values."""
    seeds = ", ".join(map(str, range(600)))
    kills = 0
    for files in (0, 1, 201, 450, 600):
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        write_sweep(f"[grid]\nmetadata.seed = [{seeds}]\n")
        kills += killed_after(files)
        for index in (0, 350, 599):
            found = outcome(index)
            if isinstance(found, TrainingConfig):
                assert found.metadata["seed"] == index
            else:
                assert re.search("no such directory|is no frozen sweep", found)
        write_sweep(f"[grid]\nmetadata.seed = [{seeds}, 600]\n", ACBO.replace("20", "30"))
        freeze("--on-change", "replace")  # what the killed one has left is nothing that holds another base
        assert [task(index).metadata["seed"] for index in (0, 350, 599, 600)] == [0, 350, 599, 600]
        assert {task(index).log_frequency for index in (0, 350, 599, 600)} == {30}
    assert kills >= 2


@pytest.mark.heavy
def test_a_replacement_that_is_killed_is_refused_or_completed() -> None:
    """While all points are frozen anew, a task gets the configuration that the sweep's file stands for, or none."""
    seeds = ", ".join(map(str, range(600)))
    kills = 0
    for files in (601, 900, 1199):
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        write_sweep(f"[grid]\nmetadata.seed = [{seeds}]\n")
        freeze()
        write_sweep(f"[grid]\nmetadata.seed = [{seeds}]\n", ACBO.replace("20", "30"))
        kills += killed_after(files, "--on-change", "replace")
        outcomes = [outcome(index) for index in range(0, 600, 25)]
        assert len({found.log_frequency for found in outcomes if isinstance(found, TrainingConfig)}) <= 1
        assert all("is not the file that the" in found for found in outcomes if isinstance(found, str))
        freeze("--on-change", "replace")
        assert {task(index).log_frequency for index in range(0, 600, 25)} == {30}
    assert kills >= 2


@pytest.mark.heavy
def test_freezings_at_the_same_time_make_one_sweep() -> None:
    """Of processes that freeze different sweeps into one directory one succeeds at most, and no task gets a mixture."""
    for trial in range(10):
        shutil.rmtree(DIRECTORY, ignore_errors=True)
        write_sweep()
        environ = ENVIRON | {"PYTHONPATH": os.pathsep.join(sys.path)}
        processes = [
            subprocess.Popen(
                [*FREEZE, "--set", f"total_steps={9000 + number}"],
                env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )
            for number in range(4)
        ]  # fmt: skip
        said = [process.communicate(timeout=60)[1] for process in processes]
        assert INDEX.exists(), (trial, said)
        outcomes = [outcome(index) for index in range(8)]
        assert len({found.total_steps for found in outcomes if isinstance(found, TrainingConfig)}) <= 1
        assert all("is not the file that the" in found for found in outcomes if isinstance(found, str))
        assert [process.returncode for process in processes].count(0) <= 1
        freeze("--set", "total_steps=9002", "--on-change", "replace")
        assert {task(index).total_steps for index in range(8)} == {9002}


LAB = """\
from dataclasses import dataclass
from pathlib import Path
from acbo_settings import TrainingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab(TrainingConfig):
"""
"""The start of a module with a class of one's own, whose settings come next."""


def test_a_sweep_of_settings_of_ones_own(tmp_path: Path) -> None:
    """A seed of the class is swept as any setting, in tuples and paths too; the task has the class."""
    Path("lab.py").write_text(LAB + "    seed: int = 0\n    layers: tuple[int, ...] = (8,)\n    data: Path\n")
    write_sweep("[grid]\nseed = [1, 2]\nlayers = [[8, 8], [16]]\ndata = ['a', 'b']\n", "")
    assert told("sweep", "freeze", "--dir", str(DIRECTORY), "--schema", "lab:Lab").startswith("--- exit code 0\n")
    program = (
        "import lab, acbo_settings as a; c = a.load_training_config(sweep='sweeps/lr', schema=lab.Lab);"
        "print(type(c).__name__, c.seed, c.layers, c.data)"
    )
    environ = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]), "SLURM_ARRAY_TASK_ID": "6"}
    assert python(program, **environ).stdout == "Lab 2 (16,) a\n"


def test_a_setting_that_was_not_set_can_be_kept() -> None:
    """What has no line in the frozen file has no line in the advice either."""
    Path("lab.py").write_text(LAB + "    limit: int | None = None\n")
    write_sweep("[grid]\nlog_frequency = [1, 2]\n", "")
    freezing = ["sweep", "freeze", "--dir", str(DIRECTORY), "--schema", "lab:Lab"]
    assert "2 new" in told(*freezing)
    write_sweep("[grid]\nlog_frequency = [1, 2, 3]\n", "limit = 4\n")
    assert "limit: the sweep keeps not set, as frozen, against today's 4" in told(*freezing, "--on-change", "keep")


def test_a_sweep_outlives_a_new_setting_of_the_class() -> None:
    """Frozen again by a class with one more setting, no point is new, and none is refused."""
    lab = LAB + "    seed: int = 0\n"
    Path("lab.py").write_text(lab)
    write_sweep("[grid]\nseed = [1, 2]\n", "")
    freezing = ["sweep", "freeze", "--dir", str(DIRECTORY), "--schema", "lab:Lab"]
    assert "2 new" in told(*freezing)
    Path("lab.py").write_text(lab + "    width: int = 64\n")
    assert "holds 2 points: 2 as before" in told(*freezing)
    Path("lab.py").write_text(lab + "    width: int = 65\n")
    assert "holds 2 points: 2 as before" in told(*freezing)


def test_a_frozen_point_is_a_configuration(isolated: Path) -> None:
    """Two loads give one and the same configuration, and the fingerprint is that of the sweep's file."""
    write_sweep()
    freeze()
    configs: list[TrainingConfig] = [task(index) for index in range(8)]
    points = read_sweep(SCHEMA, str(DIRECTORY)).points
    assert [config.fingerprint for config in configs] == [point.fingerprint for point in points]


FREEZINGS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([16, 32, 64]), min_size=1, max_size=3, unique=True),
        st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=3, unique=True),
        st.sampled_from([20, 20, 30]),
        st.sampled_from(["error", "keep", "replace"]),
    ),
    min_size=2,
    max_size=6,
)
"""Some freezings of one sweep: group sizes, seeds, what lies below the points, and what to do when that changes."""


@given(FREEZINGS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_point_keeps_its_number_whatever_is_frozen_after_it(
    freezings: list[tuple[list[int], list[int], int, str]],
) -> None:
    """After each of any freezings, every number is the point that a plain model of the rules says it is."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    active: dict[tuple[int, int], int] = {}
    frozen: dict[int, tuple[tuple[int, int], int]] = {}
    for sizes, seeds, below, on_change in freezings:
        write_sweep(f"[grid]\ngrpo.group_size = {sizes}\nmetadata.seed = {seeds}\n", f"log_frequency = {below}\n")
        code = main(["sweep", "freeze", "--dir", str(DIRECTORY), "--on-change", on_change])
        before = next((frozen[number][1] for number in active.values()), below)
        assert code == (1 if before != below and on_change == "error" else 0)
        if code == 0:
            below = before if on_change == "keep" else below
            known = {point: number for number, point in frozen.items() if number not in active.values()}
            found = {}
            for point in product(sizes, seeds):
                number = active.get(point, known.get((point, below), len(frozen)))
                found[point] = number
                frozen[number] = point, below
            active = found
        for number, (point, noted) in frozen.items():
            outcome_now = outcome(number)
            if number in active.values():
                assert isinstance(outcome_now, TrainingConfig)
                given_now = outcome_now.grpo.group_size, outcome_now.metadata["seed"]
                assert (given_now, outcome_now.log_frequency) == (point, noted)
            else:
                assert f"point {number} is retired" in str(outcome_now)
        assert "has no point" in str(outcome(len(frozen)))
