"""A training that is killed ends as if it had not been killed, byte for byte."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..test_examples import wait_until
from ..test_readme import shell_environment
from .example import EXAMPLE, SMALL, example_module, run_example, texts

pytestmark = pytest.mark.heavy

SETTINGS = SMALL | {
    "total_steps": 40,
    "grpo.kl_penalty_coeff": 0.1,  # the reference policy has to be that of the first start
    "evaluation.checkpoint_frequency": 7,
    "evaluation.eval_frequency": 6,
}
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
    (directory / "run" / "said").write_text(ran.stdout)
    return directory / "run"


def kill(
    directory: Path, moment: str, number: int, environ: dict[str, str], settings: dict[str, Any] = SETTINGS
) -> None:
    """Start the training, or go on with it, and let it be killed."""
    environment = shell_environment(directory) | {"PYTHONPATH": str(EXAMPLE), "JAX_PLATFORMS": "cpu"} | environ
    command = [sys.executable, "-c", KILLED, moment, str(number), *texts(settings)]
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
    assert ran.stdout.replace("going on at step 36\n", "") == (undisturbed / "said").read_text()  # all counts too
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
    message = r"run/checkpoint\.npz is of the configuration [0-9a-f]{16}, and the run of [0-9a-f]{16}: take another"
    assert re.search(message, ran.stderr)
    assert "Traceback" not in ran.stderr
    assert not os.path.exists(tmp_path / "run" / "policy.npz")


def test_a_run_that_stopped_early_stays_stopped(tmp_path: Path, compiled: dict[str, str]) -> None:
    """Killed after the checkpoint of its last step, or started once more when it is over, it takes no further step."""
    stopping: dict[str, Any] = {"evaluation.early_stopping_enabled": True, "evaluation.early_stopping_patience": 1}
    stopping |= {"evaluation.early_stopping_threshold": 1e9, "evaluation.checkpoint_frequency": 6}
    # Between this checkpoint and the evaluation that stops the run, the best evaluation before must not be forgotten.
    late = stopping | {"evaluation.checkpoint_frequency": 5, "evaluation.early_stopping_patience": 3}
    for name in ("killed", "undisturbed", "late"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "acbo.toml").touch()
    kill(tmp_path / "late", "after the checkpoint", 15, compiled, SETTINGS | late)
    assert "after 19 steps" in run_example(tmp_path / "late", SETTINGS | late, **compiled).stdout
    kill(tmp_path / "killed", "after the checkpoint", 6, compiled, SETTINGS | stopping)
    for name in ("killed", "undisturbed", "undisturbed"):
        ran = run_example(tmp_path / name, SETTINGS | stopping, **compiled)
        assert "stopped early: 1 evaluations in a row were no improvement\nafter 7 steps" in ran.stdout, ran.stderr
    assert_same_results(tmp_path / "killed" / "run", tmp_path / "undisturbed" / "run")


def spoil(run: Path, how: str) -> None:
    """Do something to the files of a run that is over."""
    path = run / ("log.jsonl" if "log" in how else "checkpoint.npz")
    if how.endswith("gone"):
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: 100 if how.endswith("cut") else 0])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("log gone", "log.jsonl is shorter than at the checkpoint: "),
        ("log empty", "log.jsonl is shorter than at the checkpoint: "),
        ("gone", "checkpoint.npz is gone, and the run was over: "),
        ("cut", "checkpoint.npz cannot be read (File is not a zip file): "),
        ("empty", "checkpoint.npz cannot be read (No data left in file): "),
    ],
)
def test_lost_files_are_told(how: str, said: str, tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """What was lost of a run is told, and nothing else of it is touched."""
    shutil.copytree(undisturbed, tmp_path / "run")
    spoil(tmp_path / "run", how)
    left = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    ran = run_example(tmp_path, SETTINGS, **compiled)
    assert ran.returncode == 1
    assert ran.stderr.endswith(f"{tmp_path}/run/{said}to train anew, take another ACBO_RUN_DIR\n")
    assert "Traceback" not in ran.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == left


def test_fewer_steps_than_were_taken_are_refused(tmp_path: Path, undisturbed: Path, compiled: dict[str, str]) -> None:
    """A run cannot become shorter than its checkpoint, and its policy stays."""
    shutil.copytree(undisturbed, tmp_path / "run")
    ran = run_example(tmp_path, SETTINGS | {"total_steps": 20}, ACBO_MAY_CHANGE="total_steps", **compiled)
    assert ran.returncode == 1
    assert ran.stderr.endswith("checkpoint.npz is after 36 steps, and total_steps is 20\n")
    assert_same_results(tmp_path / "run", undisturbed)


TAKE_CTRL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)  # what a shell starts in the background ignores it
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def test_an_interrupted_training_says_one_line(tmp_path: Path, compiled: dict[str, str]) -> None:
    """Ctrl-C ends with exit code 130, and the last line is no traceback."""
    environment = shell_environment(tmp_path) | {"JAX_PLATFORMS": "cpu"} | compiled
    training = [str(EXAMPLE / "train.py"), *texts(SETTINGS | {"total_steps": 100_000})]
    with subprocess.Popen(
        [sys.executable, "-c", TAKE_CTRL_C, *training],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_until((tmp_path / "run" / "checkpoint.npz").exists)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.endswith("stopped; started again, it goes on from the last checkpoint\n")
