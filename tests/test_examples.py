"""The examples run: by themselves, in a pod-like directory, and in a real SLURM."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acbo_settings import load_frozen_config, load_training_config

from .test_readme import BLOCKS, ROOT, commands_of, shell_environment

EXAMPLES = ROOT / "examples"
RUN = {"ACBO_RUN_DIR": "runs/17", "ACBO_MAY_CHANGE": "total_steps,log_frequency"}


def run(command: list[str], directory: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a directory with a clean environment and the tests' Python."""
    environment = shell_environment(directory) | environ
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_job_script_prints_every_value_with_its_origin(assert_report: Callable[[str, str], None]) -> None:
    """Run in the examples' directory, the job says what it trains with, and why."""
    ran = run([sys.executable, "train.py"], EXAMPLES, ACBO_GRPO__GROUP_SIZE="128")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert_report("example-train", ran.stdout.rstrip("\n"))


def test_the_job_script_stops_with_the_report() -> None:
    """A broken environment ends the job with exit code 1 and the report, without a traceback."""
    ran = run([sys.executable, "train.py"], EXAMPLES, ACBO_GRPO_GROUP_SIZE="128")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("Configuration validation failed: 1 problem")
    assert "Traceback" not in ran.stderr


def copy_examples(directory: Path) -> list[Path]:
    """Copy the examples to a directory; the files that are there now."""
    shutil.copytree(EXAMPLES, directory / "examples", ignore=shutil.ignore_patterns("__pycache__", "run", "sweeps"))
    return sorted(directory.rglob("*"))


@pytest.mark.parametrize("own", [{}, {"NO_COLOR": "1", "ACBO_TOTAL_STEPS": "many", "acbo_config_file": "none.toml"}])
def test_the_tour_shows_what_the_package_does(
    own: dict[str, str], assert_report: Callable[[str, str], None], tmp_path: Path
) -> None:
    """Origins, a refusal and a plan, whatever variables the visitor has; it writes nothing into its folder."""
    files = copy_examples(tmp_path)
    toured = run([sys.executable, "examples/tour.py"], tmp_path, **own)
    assert (toured.returncode, toured.stderr) == (0, "")
    assert_report("example-tour", toured.stdout.rstrip("\n"))
    assert max(map(len, toured.stdout.splitlines())) <= 80
    assert sorted(tmp_path.rglob("*")) == files


def test_a_tour_whose_command_ends_otherwise_fails(tmp_path: Path) -> None:
    """When the mistakes are none, the tour says where it ends, and its exit code is 1."""
    copy_examples(tmp_path)
    shutil.copy(EXAMPLES / "acbo.toml", tmp_path / "examples/mistakes.toml")
    (tmp_path / "examples/tour.py").write_text(
        (EXAMPLES / "tour.py").read_text().replace("ACBO_GRPO_CLIP_RATIO=0.1 ", "")
    )
    toured = run([sys.executable, "examples/tour.py"], tmp_path)
    assert toured.returncode == 1
    assert toured.stdout.endswith("$ acbo-settings check examples/mistakes.toml\nok\n\n")
    assert toured.stderr == "The tour ends here: this command should have ended with exit code 1, not 0.\n"


def start_and_kill(directory: Path, **environ: str) -> str:
    """Start the job that can resume, and kill it once it has saved; what it printed."""
    command = [sys.executable, str(EXAMPLES / "resume.py")]
    environment = shell_environment(directory) | RUN | environ
    with subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True) as process:
        before = checkpoint_in(directory)
        while checkpoint_in(directory) == before:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        return process.communicate(timeout=60)[0]


def checkpoint_in(directory: Path) -> str:
    """The step that the job has saved last."""
    checkpoint = directory / "runs/17/checkpoint"
    return checkpoint.read_text() if checkpoint.exists() else ""


def test_the_job_that_can_resume_does(tmp_path: Path) -> None:
    """Killed twice with SIGKILL, it goes on with the same configuration; edited in between, it is refused."""
    shutil.copy(EXAMPLES / "acbo.toml", tmp_path)
    fingerprint = load_training_config(tmp_path / "acbo.toml", environ={}).fingerprint
    assert start_and_kill(tmp_path) == f"starting with {fingerprint}\n"
    assert start_and_kill(tmp_path) == f"resuming with {fingerprint}\n"
    (tmp_path / "acbo.toml").write_text("total_steps = 20000\n")
    refused = run([sys.executable, str(EXAMPLES / "resume.py")], tmp_path, **RUN)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "grpo.group_size: frozen as 32 (from acbo.toml:6), today 64" in refused.stderr
    shutil.copy(EXAMPLES / "acbo.toml", tmp_path)
    shorter = {"ACBO_TOTAL_STEPS": str(int(checkpoint_in(tmp_path)) + 1500)}
    ended = run([sys.executable, str(EXAMPLES / "resume.py")], tmp_path, **RUN, **shorter)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1] == f"done after {shorter['ACBO_TOTAL_STEPS']} steps"
    assert checkpoint_in(tmp_path) == shorter["ACBO_TOTAL_STEPS"]


def test_the_experiment_with_settings_of_its_own_is_checked_frozen_and_resumed(tmp_path: Path) -> None:
    """The command line knows its class, a mistake is told in its words, and a run is held to its settings."""
    shutil.copytree(EXAMPLES / "experiment", tmp_path / "e")
    environ = {"ACBO_RUN_DIR": "runs/1"}
    assert run(["acbo-settings", "check"], tmp_path / "e").stdout == "ok\n"
    refused = run(["acbo-settings", "check", "--set", "policy.hidden_size=4096"], tmp_path / "e")
    assert "policy.hidden_size: The policy does not fit the card (131072 is above 65536)" in refused.stderr
    assert run(["acbo-settings", "freeze"], tmp_path / "e", **environ).returncode == 0
    started = [run([sys.executable, "experiment.py"], tmp_path / "e", **environ) for _ in range(2)]
    assert started[0].stdout == started[1].stdout
    assert "seed 7, PolicyConfig(hidden_size=256" in started[0].stdout
    changed = run([sys.executable, "experiment.py"], tmp_path / "e", **environ, ACBO_SEED="8")
    assert "seed: frozen as 7 (from acbo.toml:2), today 8" in changed.stderr


def mount(config_map: dict[str, str], directory: Path) -> None:
    """Lay a ConfigMap out as Kubernetes mounts one: files are links through a link to a dated directory."""
    dated = directory / "..2026_01_01_00_00_00.1"
    dated.mkdir(parents=True)
    (directory / "..data").symlink_to(dated.name)
    for name, text in config_map.items():
        (dated / name).write_text(text, encoding="utf-8")
        (directory / name).symlink_to(f"..data/{name}")


def manifest() -> tuple[dict[str, Any], dict[str, Any]]:
    """The ConfigMap and the Job of the Kubernetes example."""
    config_map, job = yaml.safe_load_all((EXAMPLES / "kubernetes-job.yaml").read_text(encoding="utf-8"))
    return config_map, job


def test_the_kubernetes_job_gets_its_configuration(tmp_path: Path) -> None:
    """With the ConfigMap mounted as Kubernetes does, and the variables of a Service, the container's command runs."""
    config_map, job = manifest()
    mount(config_map["data"], tmp_path / "etc/acbo")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    environ = {entry["name"]: entry["value"].replace("/etc/", f"{tmp_path}/etc/") for entry in container["env"]}
    pod = {"ACBO_SERVICE_HOST": "10.0.0.1", "ACBO_SERVICE_PORT_HTTP": "80", "ACBO_PORT": "tcp://10.0.0.1:80"}
    ran = run([sys.executable, str(EXAMPLES / "train.py")], tmp_path, **environ, **pod)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "grpo.group_size = 128, from ACBO_GRPO__GROUP_SIZE, over 32 from" in ran.stdout
    assert container["command"] == ["python", "train.py"]


@pytest.mark.heavy
def test_kubernetes_takes_the_manifest() -> None:
    """Both documents are valid by Kubernetes' own schemas."""
    kubernetes_validate: Any = importlib.import_module("kubernetes_validate")  # it has no types

    for document in manifest():
        kubernetes_validate.validate(document, "1.31", strict=True)


@pytest.mark.parametrize("name", ["job.sbatch", "requeue.sbatch", "kubernetes-job.yaml"])
def test_the_examples_of_jobs_are_valid(name: str, tmp_path: Path) -> None:
    """What the examples' job files give their jobs is valid, and there is nothing to advise."""
    for file in ("acbo.toml", name):
        shutil.copy(EXAMPLES / file, tmp_path)
    ran = run([sys.executable, "-m", "acbo_settings", "check", "--strict", name], tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok\n", "")


def test_the_example_file_of_the_experiment_is_valid() -> None:
    """The examples' `acbo.toml` loads without advice."""
    assert load_training_config(EXAMPLES / "acbo.toml", environ={}).metadata["experiment"] == "scm20"


@pytest.mark.heavy
@pytest.mark.debian
def test_the_batch_script_runs_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """Submitted as the README says, the job's output has every value with its origin."""
    for name in ("acbo.toml", "train.py", "job.sbatch"):
        shutil.copy(EXAMPLES / name, tmp_path)
    (block,) = [block for block in BLOCKS if (block.note, block.name) == ("slurm", "submit")]
    (_, nothing), (submit, submitted), (show, shown) = commands_of(block)
    assert nothing == ""
    exported = {"ACBO_LOG_FREQUENCY": "50"}
    ran = run(["bash", "-c", submit], tmp_path, **slurm, **exported)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, submitted, "")
    assert run(["bash", "-c", show], tmp_path).stdout == shown


@pytest.mark.heavy
@pytest.mark.debian
def test_a_broken_job_fails_in_slurm_with_the_report(slurm: dict[str, str], tmp_path: Path) -> None:
    """A mistake in the submitting shell ends the job with its exit code, and the output file holds the report."""
    for name in ("acbo.toml", "train.py", "job.sbatch"):
        shutil.copy(EXAMPLES / name, tmp_path)
    ran = run(["sbatch", "--wait", "job.sbatch"], tmp_path, **slurm, ACBO_GRPO_LEARNING_RATE="1e-3")
    output = (tmp_path / "scm20.out").read_text()
    assert ran.returncode == 1
    assert "ACBO_GRPO_LEARNING_RATE: no such setting; did you mean ACBO_GRPO__LEARNING_RATE?" in output


@pytest.mark.heavy
@pytest.mark.debian
def test_a_requeued_job_resumes_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """Requeued by SLURM in the middle, the job with two ranks goes on with the frozen configuration, and ends."""
    for name in ("acbo.toml", "resume.py", "requeue.sbatch"):
        shutil.copy(EXAMPLES / name, tmp_path)
    checkpoint, output = tmp_path / "runs/scm20/checkpoint", tmp_path / "scm20.out"
    job = run(["sbatch", "--parsable", "requeue.sbatch"], tmp_path, **slurm, ACBO_TOTAL_STEPS="6000").stdout.strip()
    wait_until(checkpoint.exists)
    run(["scontrol", "requeue", job], tmp_path, **slurm)

    wait_until(lambda: run(["squeue", "-h", "-o", "%T"], tmp_path, **slurm).stdout == "PENDING\n")
    # By itself it would wait two minutes; SLURM refuses a start within the second of the requeue.
    run(["scontrol", "update", f"JobId={job}", "StartTime=now+2"], tmp_path, **slurm)
    wait_until(lambda: "done" in output.read_text())
    frozen = load_frozen_config(tmp_path / "runs/scm20")
    lines = output.read_text().splitlines()
    told = [line for line in lines if line.startswith(("starting", "resuming", "done"))]
    assert told == [
        f"starting with {frozen.fingerprint}",
        f"resuming with {frozen.fingerprint}",
        "done after 6000 steps",
    ]
    assert [line for line in lines if "acbo.frozen.toml" in line] == [
        "froze runs/scm20/acbo.frozen.toml",
        "runs/scm20/acbo.frozen.toml holds, as it was frozen",
    ]


@pytest.mark.heavy
@pytest.mark.debian
def test_what_srun_does_not_pass_on_is_told_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """Under `--export=NONE` the batch script is warned, and a step is refused with the reason."""
    shutil.copy(EXAMPLES / "acbo.toml", tmp_path)
    python = Path(sys.executable)
    (tmp_path / "job.sbatch").write_text(
        "#!/bin/bash\n#SBATCH --output=out\nexport ACBO_LOG_FREQUENCY=50\n"
        f"{python} -m acbo_settings freeze --run-dir run\n"
        f"srun {python} -c \"import acbo_settings; acbo_settings.load_training_config(run_dir='run')\"\n"
    )
    ran = run(["sbatch", "--wait", "--export=NONE", "job.sbatch"], tmp_path, **slurm)
    output = " ".join((tmp_path / "out").read_text().split())
    assert ran.returncode == 1, output
    assert "advice: ACBO_LOG_FREQUENCY: srun will not pass it on, as SLURM_EXPORT_ENV=NONE has it" in output
    assert "log_frequency: frozen as 50 (from ACBO_LOG_FREQUENCY, which is not set today: srun did not" in output


@pytest.mark.heavy
@pytest.mark.debian
def test_an_edit_between_two_steps_reaches_no_rank_in_slurm(slurm: dict[str, str], tmp_path: Path) -> None:
    """All ranks of a start train with what `freeze` found, in a setting that may change too."""
    python = Path(sys.executable)
    program = "import acbo_settings; print('steps', acbo_settings.load_training_config().total_steps)"
    (tmp_path / "acbo.toml").write_text("total_steps = 7000\n")
    (tmp_path / "job.sbatch").write_text(
        "#!/bin/bash\n#SBATCH --output=out\n#SBATCH --ntasks=2\n"
        "export ACBO_RUN_DIR=run ACBO_MAY_CHANGE=total_steps\n"
        f"{python} -m acbo_settings freeze || exit 1\n"
        f'srun {python} -c "{program}"\n'
        "sed -i s/000/999/ acbo.toml\n"
        f'srun {python} -c "{program}"\n'
    )
    for steps in (7000, 7999):
        ran = run(["sbatch", "--wait", "job.sbatch"], tmp_path, **slurm)
        output = (tmp_path / "out").read_text()
        assert ran.returncode == 0, output
        assert [line for line in output.splitlines() if line.startswith("steps")] == [f"steps {steps}"] * 4


def wait_until(happened: Callable[[], bool]) -> None:
    """Look five times a second whether something has happened, for a minute."""
    for _ in range(300):
        if happened():
            return
        time.sleep(0.2)
    raise AssertionError("nothing happened within a minute")
