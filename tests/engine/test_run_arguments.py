"""The arguments of a run and the variables that stand for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import ConfigurationError, load_frozen_config, load_training_config
from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.run_arguments import split_names

from ..strategies import SCHEMA

RUN = {"ACBO_RUN_DIR": "runs/17"}


def test_the_variables_stand_for_the_arguments() -> None:
    """Each gives what its argument would, where the call does not give it; none is part of the digest."""
    names = {"ACBO_ON_CHANGE": "keep", "acbo_may_change": "total_steps, ,evaluation.eval_frequency,metadata.pod"}
    start = read_start(SCHEMA, environ=RUN | names)
    arguments: dict[str, Any] = {"run_dir": "runs/17", "on_change": "keep"}
    given = read_start(
        SCHEMA, environ={}, may_change=["total_steps", "evaluation.eval_frequency", "metadata.pod"], **arguments
    )
    assert (start.frozen_file, start.on_change, start.changeable) == (given.frozen_file, "keep", given.changeable)
    assert start.inputs.digest == given.inputs.digest == read_start(SCHEMA, environ={}).inputs.digest


def test_an_argument_wins_over_its_variable() -> None:
    """What the call gives counts, an empty list of names too."""
    environ = RUN | {"ACBO_ON_CHANGE": "keep", "ACBO_MAY_CHANGE": "total_steps"}
    start = read_start(SCHEMA, environ=environ, run_dir=Path("runs/17"), on_change="replace", may_change=())
    assert (start.on_change, start.changeable) == ("replace", frozenset())


def test_another_directory_than_the_variable_is_refused(isolated: Path) -> None:
    """Two spellings of one directory are no contradiction, links included."""
    (isolated / "runs").mkdir()
    (isolated / "link").symlink_to("runs")
    read_start(SCHEMA, environ=RUN, run_dir=isolated / "link/17")
    with pytest.raises(ConfigurationError, match="the argument run_dir names another directory"):
        read_start(SCHEMA, environ=RUN, run_dir="runs/18")


def test_names_are_separated_by_commas() -> None:
    """White space and empty names do not count."""
    assert split_names(" a,b , ,c,") == ["a", "b", "c"]


def test_a_job_in_the_environment_of_a_run_is_held_to_it() -> None:
    """`load_training_config()` without arguments freezes, and starts again from the file without pydantic."""
    program = "import sys, acbo_settings as a; a.load_training_config(); print('pydantic' in sys.modules)"
    for expected in ("True\n", "False\n"):
        environ = RUN | {"ACBO_TOTAL_STEPS": "7000", "ACBO_MAY_CHANGE": "log_frequency"}
        ran = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
        assert (ran.stdout, ran.stderr) == (expected, "")
    assert load_frozen_config("runs/17").total_steps == 7000
    with pytest.raises(ConfigurationError, match=r"frozen as 7000 \(from ACBO_TOTAL_STEPS, which is not set today\)"):
        load_training_config(environ=RUN)
