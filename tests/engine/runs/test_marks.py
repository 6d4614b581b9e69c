"""What is noted of a run: started, and done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from acbo_settings import (
    ConfigurationError,
    ConfigurationWarning,
    load_training_config,
    mark_done,
    resolve_training_config,
    run_directory,
)
from acbo_settings.engine.runs.marks import find_states

from ...strategies import SCHEMA
from ...sweeps import DIRECTORY, freeze, python, task, write_sweep

JOB = {"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7"}
STARTED = DIRECTORY / "0003/acbo.started.toml"


@pytest.fixture
def sweep() -> None:
    """A frozen sweep in the working directory."""
    write_sweep()
    freeze()


def names() -> list[str]:
    """The state of each point."""
    return [state.name for state in find_states(SCHEMA, str(DIRECTORY))]


@pytest.mark.usefixtures("sweep")
def test_the_first_load_of_a_start_notes_it() -> None:
    """Once for each start of a job; a requeue is another one, and so is each start outside of a job."""
    assert names() == ["waiting"] * 8
    task(3, **JOB)
    assert names()[3] == "started"
    (started,) = [state.started for state in find_states(SCHEMA, str(DIRECTORY)) if state.started]
    assert (started.host, started.job, started.restarts) == (os.uname().nodename, "7_3", 0)
    first = STARTED.stat().st_ino
    task(3, **JOB)
    resolve_training_config(sweep=DIRECTORY, index=3, environ=JOB | {"SLURM_ARRAY_TASK_ID": "3"})
    assert STARTED.stat().st_ino == first
    task(3, **JOB, SLURM_RESTART_COUNT="1")
    assert STARTED.stat().st_ino != first
    assert "restarts = 1\n" in STARTED.read_text()


@pytest.mark.usefixtures("sweep")
def test_only_the_first_rank_notes_it() -> None:
    """The others would do it a thousand times."""
    task(3, SLURM_PROCID="1")
    assert names()[3] == "waiting"
    task(3, SLURM_PROCID="0")
    assert names()[3] == "started"


@pytest.mark.usefixtures("sweep")
def test_a_start_that_cannot_note_it_goes_on() -> None:
    """A directory in which nothing can be written warns, and the task trains all the same."""
    STARTED.mkdir()
    with pytest.warns(ConfigurationWarning, match="acbo.started.toml: cannot be written: is a directory"):
        assert task(3).grpo.group_size == 64


@pytest.mark.usefixtures("sweep")
def test_a_load_of_a_point_alone_is_no_start() -> None:
    """Neither `load_frozen_config` nor a refused task notes anything."""
    with pytest.raises(ConfigurationError):
        task(3, ACBO_LOG_FREQUENCY="50")
    assert names() == ["waiting"] * 8


def test_a_job_says_that_its_run_is_done() -> None:
    """Without a directory it is what the process loaded last, whatever its working directory is by then."""
    program = (
        "import os, acbo_settings as a\n"
        "try: a.mark_done()\nexcept RuntimeError as error: print(error)\n"
        "a.load_training_config(run_dir='runs/1'); a.load_training_config(run_dir='runs/2')\n"
        "os.chdir('/'); a.mark_done(); print(a.run_directory())\n"
    )
    ran = python(program)
    assert ran.stdout.splitlines() == [
        "this process has loaded no run: load the configuration with run_dir, or as a sweep's point",
        str(Path("runs/2").absolute()),
    ]
    assert [path.name for path in sorted(Path("runs").glob("*/acbo.done.toml"))] == ["acbo.done.toml"]
    assert Path("runs/2/acbo.done.toml").exists()


@pytest.mark.usefixtures("sweep")
def test_a_point_is_done_as_long_as_it_is_frozen_so() -> None:
    """By its directory, or as what was loaded last; frozen anew it is waiting again."""
    task(3)
    assert run_directory() == (DIRECTORY / "0003").absolute()
    mark_done()
    mark_done(DIRECTORY / "0005")
    assert [name for name in names() if name == "done"] == ["done"] * 2
    write_sweep(acbo="log_frequency = 30\n")
    freeze("--on-change", "replace")
    assert names() == ["waiting"] * 8


def test_what_is_no_run_cannot_be_done() -> None:
    """A directory without a frozen file is refused, and what is no path is a TypeError."""
    with pytest.raises(ConfigurationError, match="no such file"):
        mark_done("runs/17")
    with pytest.raises(TypeError, match=r"run_dir must be a str or os\.PathLike, not int"):
        mark_done(7)  # type: ignore[arg-type]


def test_a_damaged_note_says_nothing() -> None:
    """Whatever stands in the files: a point is done only when its own mark is there."""
    write_sweep()
    freeze()
    for content in (b"", b"\xff\xfe", b"frozen = 3\n", b"[frozen]\n", b'frozen = "0"\nrestarts = x\n', b"= = =\n"):
        for name in ("acbo.done.toml", "acbo.started.toml"):
            (DIRECTORY / "0003" / name).write_bytes(content)
        assert names()[3] == "waiting"
    load_training_config(sweep=DIRECTORY, index=3, environ={})
    assert names()[3] == "started"
