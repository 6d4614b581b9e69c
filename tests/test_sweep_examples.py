"""The examples of sweeps run: as an array of SLURM, an Indexed Job, with submitit, with Optuna and with Ray."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from acbo_settings import ConfigurationError, load_frozen_config, load_training_config

from .sweeps import DIRECTORY
from .test_examples import EXAMPLES, run, wait_until
from .test_readme import BLOCKS, commands_of, run_console, shell_environment

POINTS = range(8)
(BLOCK,) = [block for block in BLOCKS if (block.note, block.name) == ("slurm", "sweep")]
ALL_DONE = "8 points: 8 done, 0 started, 0 waiting\n"


@pytest.fixture(autouse=True)
def frozen_sweep(isolated: Path) -> None:
    """Copy the examples into the working directory, and freeze the sweep there."""
    shutil.copytree(EXAMPLES / "sweeps", isolated, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    assert run(["acbo-settings", "sweep", "freeze", "--dir", str(DIRECTORY)], isolated).stdout == "0-7\n"


def point(index: int) -> Path:
    """The directory of a point."""
    return DIRECTORY / f"{index:04d}"


def trained(index: int, word: str = "starting") -> str:
    """What a task prints when it is starting to train its point, or resuming."""
    return f"{index:04d}: {word} with {load_frozen_config(point(index)).fingerprint}"


def measured(*indices: int) -> list[str]:
    """What an example prints of points, when their tasks have measured it."""
    return [f"{index:04d}: {json.loads((point(index) / 'metrics.json').read_text())['loss']}" for index in indices]


def printed(ran: subprocess.CompletedProcess[str]) -> list[str]:
    """What an example has printed of points, without what its engine says."""
    return re.findall(r"(?m)^\d{4}: .*$", ran.stdout)


def break_task(index: int) -> None:
    """Let the task of a point fail at its end: where it would write what it has measured, there is a directory."""
    (point(index) / "metrics.json").mkdir()


def mend_task(index: int) -> None:
    """Let the task of a point pass again."""
    (point(index) / "metrics.json").rmdir()


def status(directory: Path, *arguments: str) -> str:
    """What `acbo-settings sweep status` prints."""
    return run(["acbo-settings", "sweep", "status", str(DIRECTORY), *arguments], directory).stdout


@pytest.mark.parametrize(
    "command", [["indexed-job.yaml"], ["job.sbatch", "--", "--array=0-7"]], ids=lambda each: each[0]
)
def test_the_job_files_of_the_sweep_are_valid(command: list[str], tmp_path: Path) -> None:
    """What they give their tasks is valid, and there is nothing to advise."""
    ran = run(["acbo-settings", "check", "--strict", *command], tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok\n", "")


@pytest.mark.heavy
@pytest.mark.debian
def test_the_readme_starts_the_sweep_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """The three commands print what the README shows, but for the number of the job."""
    shown = run_console(BLOCK, tmp_path, shell_environment(tmp_path) | slurm)
    assert re.sub(r"batch job \d+", "batch job 1", shown) == BLOCK.text


@pytest.mark.heavy
@pytest.mark.debian
def test_the_same_lines_later_start_what_is_missing_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """One task is killed and requeued, and resumes; two fail, and the README's lines start those two alone."""
    start = "\n".join(command for command, _ in commands_of(BLOCK)[:2])
    for index in (3, 5):
        break_task(index)
    environ = shell_environment(tmp_path) | slurm | {"PAUSE": "0.1"}
    with subprocess.Popen(["bash", "-c", start], env=environ, stdout=subprocess.PIPE, text=True) as process:
        wait_until((point(0) / "checkpoint").exists)
        array = run(["squeue", "-h", "-o", "%F"], tmp_path, **slurm).stdout.split()[0]
        requeue(f"{array}_0", tmp_path, slurm)
        output, _ = process.communicate(timeout=120)
    assert (process.returncode, output) == (1, f"ok\nSubmitted batch job {array}\n")
    assert "restarts = 1\n" in (point(0) / "acbo.started.toml").read_text()
    told, _, _, *started = status(tmp_path).splitlines()
    assert told == "8 points: 6 done, 2 started, 0 waiting"
    assert [line.split()[2] for line in started] == [f"{array}_3", f"{array}_5"]
    assert status(tmp_path, "--array") == "3,5\n"

    for index in (3, 5):
        mend_task(index)
    again = run(["bash", "-c", start], tmp_path, **slurm)
    assert again.returncode == 0
    assert re.fullmatch(r"ok\nSubmitted batch job \d+\n", again.stdout)
    for index in POINTS:
        lines = Path(f"lr-{index}.out").read_text().splitlines()
        resumed = [trained(index, "resuming")] if index in (0, 3, 5) else []
        assert [line for line in lines if line.startswith("00")] == [trained(index), *resumed]

    assert status(tmp_path) == ALL_DONE
    nothing = run(["bash", "-c", start], tmp_path, **slurm)
    assert nothing.returncode != 0
    assert "Submitted" not in nothing.stdout
    assert "every point of sweeps/lr is done" in nothing.stderr


def requeue(task: str, directory: Path, slurm: dict[str, str]) -> None:
    """Kill a running task, and let it start again now; by itself it would wait two minutes."""
    run(["scontrol", "requeue", task], directory, **slurm)
    wait_until(lambda: run(["squeue", "-h", "-j", task, "-o", "%T"], directory, **slurm).stdout == "PENDING\n")
    # SLURM refuses a start within the second of the requeue.
    run(["scontrol", "update", f"JobId={task}", "StartTime=now+2"], directory, **slurm)


def indexed_job() -> tuple[dict[str, Any], dict[str, Any]]:
    """The volume and the Job of the Kubernetes example."""
    volume, job = yaml.safe_load_all(Path("indexed-job.yaml").read_text(encoding="utf-8"))
    return volume, job


@pytest.mark.heavy
def test_kubernetes_takes_the_indexed_job() -> None:
    """Both documents are valid by Kubernetes' own schemas."""
    kubernetes_validate: Any = importlib.import_module("kubernetes_validate")  # it has no types
    for document in indexed_job():
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_each_pod_of_the_indexed_job_trains_its_point(tmp_path: Path) -> None:
    """With the number that Kubernetes gives each pod, every point trains once, without any `acbo.toml`, and is done."""
    _, job = indexed_job()
    (container,) = job["spec"]["template"]["spec"]["containers"]
    environ = {entry["name"]: entry["value"].replace("/runs/", f"{tmp_path}/") for entry in container["env"]}
    image = tmp_path / "image"
    image.mkdir()
    shutil.copy("point.py", image)

    def start_pod(index: int) -> subprocess.CompletedProcess[str]:
        """Run the container's command as the pod of this number does."""
        return run(container["command"], image, **environ, JOB_COMPLETION_INDEX=str(index))

    with ThreadPoolExecutor(job["spec"]["parallelism"]) as pool:
        pods = list(pool.map(start_pod, range(job["spec"]["completions"])))
    assert [(pod.returncode, pod.stdout, pod.stderr) for pod in pods] == [
        (0, f"{trained(index)}\n", "") for index in POINTS
    ]
    assert status(tmp_path) == ALL_DONE


def check_submitit(cluster: str, directory: Path, **environ: str) -> None:
    """Run the example of submitit while a task of it fails, and again when that is mended."""
    command = [sys.executable, "submitit_tasks.py", str(DIRECTORY), cluster]
    break_task(5)
    first = run(command, directory, **environ)
    assert (first.returncode, printed(first)) == (1, measured(0, 1, 2, 3, 4, 6, 7))
    assert "0005: Job (task=0) failed during processing" in first.stderr
    assert "IsADirectoryError" in first.stderr
    mend_task(5)
    again = run(command, directory, **environ)
    assert (again.returncode, printed(again)) == (0, measured(5))
    assert status(directory) == ALL_DONE
    nothing = run(command, directory, **environ)
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (1, "", "every point of sweeps/lr is done\n")


@pytest.mark.heavy
def test_submitit_runs_the_points_in_processes(tmp_path: Path) -> None:
    """A task fails, and the same command again runs exactly that one."""
    check_submitit("local", tmp_path)


@pytest.mark.heavy
@pytest.mark.debian
def test_submitit_runs_the_points_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """The same holds in SLURM, where a task's number is its place in the list, and not that of its point."""
    check_submitit("slurm", tmp_path, **slurm)


@pytest.mark.heavy
def test_a_search_with_optuna_prunes_what_is_not_valid(tmp_path: Path) -> None:
    """Of 30 trials in 4 processes, those that break a rule are pruned with the report, the others are runs."""
    optuna: Any = importlib.import_module("optuna")
    journal: Any = importlib.import_module("optuna.storages.journal")
    searches = Path("searches/lr")
    searches.mkdir(parents=True)
    storage = optuna.storages.JournalStorage(journal.JournalFileBackend(str(searches / "journal.log")))
    study = optuna.create_study(study_name="lr", storage=storage)
    # The others are drawn; this one is sure to break a rule.
    study.enqueue_trial({"grpo.learning_rate": 1e-4, "grpo.group_size": 64, "warmup_steps": 2500})
    ran = run([sys.executable, "optuna_search.py", str(searches), "30", "4"], tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")

    pruned = study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    complete = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
    assert sorted(trial.number for trial in [*pruned, *complete]) == list(range(30))
    assert ran.stdout.splitlines()[-2:] == [
        f"30 trials, {len(pruned)} of them not valid",
        f"best: {study.best_value} in {study.best_trial.number:04d}",
    ]
    assert pruned
    for trial in pruned:
        with pytest.raises(ConfigurationError) as refused:
            load_training_config(overrides=trial.params)
        assert trial.user_attrs["reason"] == str(refused.value)
        assert "Warmup steps must be less than total steps" in trial.user_attrs["reason"]
        assert not (searches / f"{trial.number:04d}").exists()
    for trial in complete:
        run_dir = searches / f"{trial.number:04d}"
        assert load_frozen_config(run_dir) == load_training_config(overrides=trial.params)
        assert json.loads((run_dir / "metrics.json").read_text())["loss"] == trial.value
        with pytest.raises(ConfigurationError, match=r"warmup_steps: frozen as \d+ \(from overrides\), today 99"):
            load_training_config(overrides={**trial.params, "warmup_steps": 99}, run_dir=run_dir)


CLUSTER = """\
set -e
ip link set lo up
(cd / && ray start --head --node-ip-address=127.0.0.1 --port=6379 --temp-dir="$RAY" --num-cpus=2 \\
  --object-store-memory=80000000 --include-dashboard=false --disable-usage-stats >&2)
export RAY_ADDRESS=127.0.0.1:6379
"""
"""A cluster of Ray on the loopback address alone, whose tasks start in a working directory that is not the driver's."""

CALLER = """\
import json, os, ray
from acbo_settings import ConfigurationError
from ray_tasks import run_point

ray.init(log_to_driver=False)
task = ray.remote(run_point)
where = ray.remote(lambda: os.getcwd())
try:
    ray.get(task.remote(os.path.abspath("sweeps/lr/0000"), overrides={"total_steps": 9000}))
except ConfigurationError as error:
    problems = [[problem.message, problem.hint] for problem in error.problems]
    print(json.dumps({"report": error.report, "problems": problems, "where": ray.get(where.remote())}))
"""
"""Gives a task another value than the frozen one, and prints the exception that arrives."""


@pytest.fixture
def ray_directory() -> Iterator[str]:
    """A directory for Ray, of which the name must be short because it holds sockets."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as directory:
        yield directory


def run_with_ray(script: str, directory: Path, ray_directory: str) -> subprocess.CompletedProcess[str]:
    """Run a script beside a cluster of Ray, in a network of their own; no process is left over when it ends."""
    apart = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return run([*apart, "bash", "-c", CLUSTER + script], directory, RAY=ray_directory)


@pytest.mark.heavy
@pytest.mark.debian
def test_ray_runs_the_points_and_brings_errors_whole(tmp_path: Path, ray_directory: str) -> None:
    """Two of the tasks fail, and the same command runs those two; a task that is given another value is refused."""
    break_task(3)
    damaged = point(5) / "acbo.frozen.toml"
    whole = damaged.read_text()
    damaged.write_text(whole.replace("total_steps = 2000", "total_steps = 3000"))
    Path("whole").write_text(whole)
    Path("caller.py").write_text(CALLER)
    ran = run_with_ray(
        "python ray_tasks.py sweeps/lr && exit 2\n"
        "acbo-settings sweep status sweeps/lr --array\n"
        "rmdir sweeps/lr/0003/metrics.json\n"
        "mv whole sweeps/lr/0005/acbo.frozen.toml\n"
        "python ray_tasks.py sweeps/lr\n"
        "python caller.py\n",
        tmp_path,
        ray_directory,
    )
    assert ran.returncode == 0, ran.stderr
    assert printed(ran) == measured(0, 1, 2, 4, 6, 7, 3, 5)
    assert "\n3,5\n" in ran.stdout
    assert "0003: \x1b[36mray::run_point()" in ran.stderr
    assert "IsADirectoryError" in ran.stderr
    assert f"{damaged.absolute()}: was edited or damaged" in ran.stderr
    assert status(tmp_path) == ALL_DONE

    arrived = json.loads(ran.stdout.splitlines()[-1])
    with pytest.raises(ConfigurationError) as refused:
        load_training_config(run_dir=point(0).absolute(), overrides={"total_steps": 9000})
    assert arrived == {
        "report": refused.value.report,
        "problems": [[problem.message, problem.hint] for problem in refused.value.problems],
        "where": "/",
    }
    assert "frozen as 2000 (from acbo.toml:2), today 9000" in arrived["report"]
    assert any(hint for _, hint in arrived["problems"])
