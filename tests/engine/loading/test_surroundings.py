"""What is advised because of what surrounds a start, and which rank says it."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from acbo_settings import ConfigurationWarning, create_training_config, load_training_config
from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.launcher import RANKS, is_first_rank
from acbo_settings.engine.loading.surroundings import find_advice, is_lost_in_steps

from ...strategies import SCHEMA


@pytest.mark.parametrize("name", RANKS)
def test_only_the_first_rank_warns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rank other than 0 is silent, whoever launched it, and the advice is part of the result all the same."""
    environ = {"ACBO_LOG_FREQUENCY": "6000"}
    assert [is_first_rank(each) for each in ({}, {name: "0"}, {name: "12"})] == [True, True, False]
    with pytest.warns(ConfigurationWarning, match="Log frequency"):
        load_training_config(environ=environ | {name: "0"})
    monkeypatch.setenv(name, "3")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_training_config(environ=environ | {name: "3"})
        create_training_config(log_frequency=6000)


@pytest.mark.parametrize(
    ("exported", "lost"),
    [
        *((None, False), ("ALL", False), ("all", False), ("ALL,X=1", False), ("PATH,ACBO_X", False)),
        *(("PATH,ACBO_X=3", False), ("NONE", True), ("NIL", True), ("PATH", True), ("", True)),
    ],
)
def test_what_srun_passes_on(exported: str | None, lost: bool) -> None:
    """All of the environment, or what `SLURM_EXPORT_ENV` lists, as a real SLURM does it."""
    environ = {} if exported is None else {"SLURM_EXPORT_ENV": exported}
    assert is_lost_in_steps(environ, "ACBO_X") == lost


def test_the_variable_of_the_run_is_lost_as_any() -> None:
    """Without it the steps would train outside of the run."""
    environ = {"SLURM_JOB_ID": "7", "SLURM_EXPORT_ENV": "NONE", "ACBO_RUN_DIR": "runs/17"}
    (advice,) = find_advice(read_start(SCHEMA, environ=environ))
    assert str(advice.values[0][1].origin) == "ACBO_RUN_DIR"


@pytest.mark.usefixtures("no_file")
def test_a_parent_directory_is_looked_in(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest file above is the one that is named."""
    (isolated / "a/b/c").mkdir(parents=True)
    (isolated / "acbo.toml").touch()
    (isolated / "a/acbo.toml").touch()
    monkeypatch.chdir("a/b/c")
    (advice,) = find_advice(read_start(SCHEMA, environ={}))
    assert f"ACBO_CONFIG_FILE={isolated / 'a/acbo.toml'} takes that one" in advice.hint


@pytest.mark.usefixtures("no_file")
def test_a_directory_that_is_gone_is_no_traceback(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory that was removed is told as such."""
    (isolated / "gone").mkdir()
    monkeypatch.chdir("gone")
    (isolated / "gone").rmdir()
    with pytest.warns(ConfigurationWarning, match="the working directory, which does not exist any more"):
        load_training_config(environ={})
