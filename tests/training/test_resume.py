"""A training that is killed ends as if it had not been killed, byte for byte."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..test_readme import shell_environment
from .example import EXAMPLE, SMALL, example_module, run_example, texts

pytestmark = pytest.mark.heavy

SETTINGS = SMALL | {"total_steps": 40, "evaluation.checkpoint_frequency": 7, "evaluation.eval_frequency": 6}
RESULTS = ("policy.npz", "log.jsonl", "trajectories.bin")

KILLED = """
import os, signal, sys
import train

moment, number = sys.argv.pop(1), int(sys.argv.pop(1))
step, save = train.Trainer.step, train.save_checkpoint

def killed_in_step(self, progress, *arguments):
    if moment == "before" and progress.next_step == number:
        os.kill(os.getpid(), signal.SIGKILL)
    found = step(self, progress, *arguments)
    if moment == "after" and progress.next_step == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return found

def killed_at_checkpoint(path, progress, *arguments):
    if moment == "before the checkpoint" and progress.next_step > number:
        os.kill(os.getpid(), signal.SIGKILL)
    save(path, progress, *arguments)
    if moment == "after the checkpoint" and progress.next_step > number:
        os.kill(os.getpid(), signal.SIGKILL)

train.Trainer.step, train.save_checkpoint = killed_in_step, killed_at_checkpoint
train.main()
"""
"""The training, which a real SIGKILL ends in a certain moment, with nothing flushed or closed."""

KILLS = [
    ("before", 0),
    ("before the checkpoint", 0),
    ("after the checkpoint", 0),
    ("after", 3),
    ("before", 9),
    ("before the checkpoint", 14),
    ("after the checkpoint", 14),
    ("after the checkpoint", 21),
    ("before", 22),
    ("after", 34),
    ("after", 39),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables that let one process take what another one has compiled."""
    example_module("train")
    directory = str(tmp_path_factory.mktemp("compiled"))
    return {"JAX_COMPILATION_CACHE_DIR": directory, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, compiled: dict[str, str]) -> Path:
    """The run of a training that nothing disturbs."""
    directory = tmp_path_factory.mktemp("undisturbed")
    (directory / "acbo.toml").touch()
    ran = run_example(directory, SETTINGS, **compiled)
    assert ran.returncode == 0, ran.stderr
    return directory / "run"


def kill(directory: Path, moment: str, number: int, environ: dict[str, str]) -> None:
    """Start the training, or go on with it, and let it be killed."""
    environment = shell_environment(directory) | {"PYTHONPATH": str(EXAMPLE), "JAX_PLATFORMS": "cpu"} | environ
    command = [sys.executable, "-c", KILLED, moment, str(number), *texts(SETTINGS)]
    ran = subprocess.run(command, cwd=directory, env=environment, capture_output=True, check=False, timeout=120)
    assert ran.returncode == -signal.SIGKILL, ran.stderr


def assert_same_results(run: Path, other: Path) -> None:
    """The same parameters, log and trajectories."""
    assert {name: (run / name).read_bytes() == (other / name).read_bytes() for name in RESULTS} == dict.fromkeys(
        RESULTS, True
    )


def test_killed_again_and_again(tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """Killed before, in and after steps and checkpoints, the run goes on each time, and ends as the undisturbed one."""
    for moment, number in KILLS:
        kill(tmp_path, moment, number, compiled)
    ran = run_example(tmp_path, SETTINGS, **compiled)
    assert ran.returncode == 0, ran.stderr
    assert "going on at step 36\n" in ran.stdout
    assert_same_results(tmp_path / "run", undisturbed)


@pytest.mark.parametrize(("moment", "number"), [("before", 0), ("after the checkpoint", 28), ("after", 25)])
def test_killed_once(moment: str, number: int, tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """Killed once, and started once more, it ends as the undisturbed one."""
    kill(tmp_path, moment, number, compiled)
    assert run_example(tmp_path, SETTINGS, **compiled).returncode == 0
    assert_same_results(tmp_path / "run", undisturbed)


def test_a_changed_file_is_refused_in_between(tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """Edited after a kill, `acbo.toml` is refused with the report; put back, the run goes on."""
    kill(tmp_path, "after", 20, compiled)
    (tmp_path / "acbo.toml").write_text("[grpo]\nlearning_rate = 1e-3\n")
    refused = run_example(tmp_path, SETTINGS, **compiled)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "grpo.learning_rate: frozen as 0.0003 (the default), today 0.001\n    --> acbo.toml:2" in refused.stderr
    assert "Traceback" not in refused.stderr
    (tmp_path / "acbo.toml").write_text("")
    assert run_example(tmp_path, SETTINGS, **compiled).returncode == 0
    assert_same_results(tmp_path / "run", undisturbed)


def test_an_extended_run_equals_a_longer_one(tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """With `total_steps` in `may_change` a run that is over goes on, and ends as a fresh longer one."""
    longer = SETTINGS | {"total_steps": 55}
    shutil.copytree(undisturbed, tmp_path / "run")
    extended = run_example(tmp_path, longer, ACBO_MAY_CHANGE="total_steps", **compiled)
    assert extended.returncode == 0, extended.stderr
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "acbo.toml").touch()
    assert run_example(fresh, longer, **compiled).returncode == 0
    assert_same_results(tmp_path / "run", fresh / "run")


def test_the_checkpoint_of_another_configuration_is_refused(
    tmp_path: Path, undisturbed: Path, compiled: dict[str, str]
) -> None:
    """A checkpoint carries the fingerprint of its run, and a run with another one does not take it."""
    (tmp_path / "run").mkdir()
    shutil.copy(undisturbed / "checkpoint.npz", tmp_path / "run")
    ran = run_example(tmp_path, SETTINGS | {"seed": 5}, **compiled)
    assert ran.returncode == 1
    message = r"run/checkpoint\.npz is of the configuration [0-9a-f]{16}, and the run of [0-9a-f]{16}: take another "
    assert re.search(message, ran.stderr)
    assert "Traceback" not in ran.stderr
    assert not os.path.exists(tmp_path / "run" / "policy.npz")


def test_a_lost_log_is_told(tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """A log that is shorter than at the checkpoint is not filled up with nothing."""
    shutil.copytree(undisturbed, tmp_path / "run")
    (tmp_path / "run" / "log.jsonl").write_text("")
    ran = run_example(tmp_path, SETTINGS, **compiled)
    assert ran.returncode == 1
    assert ran.stderr.endswith(
        "run/log.jsonl is shorter than at the checkpoint: to start anew, move the checkpoint away\n"
    )
    assert "Traceback" not in ran.stderr
