"""What the example of trackers writes is there when it is read back: TensorBoard, MLflow, W&B, checkpoints."""

from __future__ import annotations

import importlib
import json
import re
import signal
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy
import pytest

from acbo_settings import create_training_config, load_frozen_config, load_training_config

from .command_line import write
from .experiment import ExperimentConfig
from .test_examples import EXAMPLES, run
from .test_readme import ROOT

pytestmark = [
    pytest.mark.heavy,
    # MLflow maps its tables in a way that SQLAlchemy 2.1 deprecates.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
]

FILE = """\
total_steps = 3000
seed = 9007199254740993
data = "data/scm20"

[grpo]
learning_rate = 1e-4

[policy]
layers = [32, 16]

[metadata]
note = 'a = "ü", 2'
started = 2026-01-02
graphs = ["er", "sf"]
cluster = {name = "a", nodes = 4}
"""
"""Settings of every kind; the seed is the first integer that no float is, and the list of graphs is no scalar."""

SCALARS = {
    "total_steps": 3000,
    "seed": 9007199254740993,
    "data": "data/scm20",
    "grpo.learning_rate": 1e-4,
    "grpo.scale_rewards": True,
    "rewards.reward_scaling": "tanh",
    "policy.layers": "[32, 16]",
    "policy.encoder.heads": 8,
    "metadata.note": 'a = "ü", 2',
    "metadata.started": "2026-01-02",
    "metadata.cluster.nodes": 4,
}
"""Some of what trackers get of it."""

RUN = Path("runs/17")

JOB = """\
import os, signal, sys
from pathlib import Path

import trackers
from acbo_settings import load_training_config
from tests.experiment import ExperimentConfig

run_dir, (step, *overrides) = Path("runs/17"), sys.argv[1:]
config = load_training_config(
    run_dir=run_dir, may_change=["total_steps"], overrides=overrides, schema=ExperimentConfig
)
"""
"""The first lines of a job that takes one step of the run, and measures half its number."""

MLFLOW_JOB = f"""\
{JOB}
import mlflow
with trackers.log_to_mlflow(config, run_dir):
    mlflow.log_metric("reward", int(step) / 2, int(step))
    if step != "3":
        os.kill(os.getpid(), signal.SIGKILL)
"""

WANDB_JOB = f"""\
{JOB}
with trackers.log_to_wandb(config, run_dir) as run:
    run.log({{"reward": int(step) / 2}}, int(step))
"""

REPORT_NOTHING = {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_ERROR_REPORTING": "false"}
"""Variables by which the tools report nothing to their makers."""


@pytest.fixture(autouse=True)
def start_of_a_run(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is before the first start."""
    write("acbo.toml", FILE)
    for name, value in REPORT_NOTHING.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def trackers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The example."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("trackers")


def start(**arguments: Any) -> ExperimentConfig:
    """Start the run, or resume it."""
    return load_training_config(run_dir=RUN, may_change=["total_steps"], schema=ExperimentConfig, **arguments)


def start_job(job: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start the run, or resume it, in a process of its own."""
    environ |= REPORT_NOTHING | {"PYTHONPATH": f"{EXAMPLES}:{ROOT}"}
    return run([sys.executable, "-c", job, *arguments], Path.cwd(), **environ)


@contextmanager
def tensorboard() -> Iterator[HTTPConnection]:
    """A real TensorBoard, on the loopback address alone, which shows what is in the working directory."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir=.", "--port=0", "--load_fast=false"]
    command += ["--reload_task=blocking", "--reload_interval=0"]  # it answers when it has read everything
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        address = next(found[1] for line in process.stderr if (found := re.search(r"http://([^/]+)/", line)))
        try:
            with closing(HTTPConnection(address, timeout=60)) as connection:
                yield connection
        finally:
            process.terminate()


def shown_by_tensorboard() -> dict[str, dict[str, Any]]:
    """What the page HPARAMS shows of each run: settings and metrics by name."""
    body = json.dumps({"allowedStatuses": ["STATUS_UNKNOWN"], "colParams": [], "startIndex": 0, "sliceSize": 100})
    with tensorboard() as connection:
        connection.request("POST", "/data/plugin/hparams/session_groups", body)
        groups = json.load(connection.getresponse())["sessionGroups"]
    return {
        group["name"]: group["hparams"] | {each["name"]["tag"]: each["value"] for each in group["metricValues"]}
        for group in groups
    }


def test_tensorboard_shows_every_setting_beside_the_metrics(trackers: Any) -> None:
    """Of each run it shows its own settings and metrics; numbers are floats there, so that a large seed is rounded."""
    configs = {"runs/17": start(), "runs/18": create_training_config(total_steps=7000, of_this_run="yes")}
    for reward, (name, config) in enumerate(configs.items()):
        with trackers.log_to_tensorboard(config, Path(name)) as writer:
            writer.add_scalar("reward", reward, 1)
    assert configs["runs/17"].to_flat().items() >= SCALARS.items()
    assert shown_by_tensorboard() == {
        "runs/17": configs["runs/17"].to_flat() | {"reward": 0, "seed": 9007199254740992},
        "runs/18": configs["runs/18"].to_flat() | {"reward": 1},
    }


def test_tensorboard_keeps_the_settings_of_the_first_start(trackers: Any) -> None:
    """A start that resumes adds its metrics, and shows no other settings."""
    for number, steps in enumerate((3000, 4000)):
        with trackers.log_to_tensorboard(start(overrides={"total_steps": steps}), RUN) as writer:
            writer.add_scalar("reward", number, number)
        (file,) = RUN.glob("events.out.tfevents.*")  # the next one of this second would have the same name
        file.rename(RUN / f"{number}.tfevents")
    (shown,) = shown_by_tensorboard().values()
    assert (shown["total_steps"], shown["reward"]) == (3000, 1)


def test_tensorboard_gets_nothing_that_is_nested(trackers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `to_flat`, whole sections are left out without a word, and so is the metadata."""
    config = start()
    monkeypatch.setattr(ExperimentConfig, "to_flat", ExperimentConfig.to_dict)
    trackers.log_to_tensorboard(config, RUN).close()
    (shown,) = shown_by_tensorboard().values()
    top_level = {key: value for key, value in config.to_dict().items() if isinstance(value, bool | int | float | str)}
    assert shown == top_level | {"seed": 9007199254740992}
    assert "grpo" in config.to_dict()


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """MLflow, with a store of its own in SQLite."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    return importlib.import_module("mlflow")


def test_mlflow_continues_a_run_that_was_killed(mlflow: Any) -> None:
    """Three starts are one run with the parameters of the first one, and what the last one may change is a tag."""
    store = {"MLFLOW_TRACKING_URI": mlflow.get_tracking_uri()}
    for step, steps in enumerate((3000, 3000, 4000), start=1):
        job = start_job(MLFLOW_JOB, str(step), f"total_steps={steps}", **store)
        assert job.returncode == (0 if step == 3 else -signal.SIGKILL), job.stderr
    frozen = load_frozen_config(RUN, schema=ExperimentConfig)
    (stored,) = mlflow.MlflowClient().search_runs(["0"])
    assert stored.info.status == "FINISHED"
    assert stored.data.params == {key: str(value) for key, value in frozen.to_flat().items()}
    assert stored.data.params.items() >= {key: str(value) for key, value in SCALARS.items()}.items()
    assert stored.data.tags["fingerprint"] == frozen.fingerprint
    assert json.loads(stored.data.tags["changed"]) == {"total_steps": 4000}
    measured = mlflow.MlflowClient().get_metric_history(stored.info.run_id, "reward")
    assert [(each.step, each.value) for each in measured] == [(1, 0.5), (2, 1.0), (3, 1.5)]
    artifact = mlflow.artifacts.download_artifacts(run_id=stored.info.run_id, artifact_path="acbo.frozen.toml")
    assert load_frozen_config(artifact, schema=ExperimentConfig) == frozen


def log_to_mlflow(trackers: Any, config: ExperimentConfig) -> str:
    """Start the run in MLflow, or go on with it, and return its number there."""
    run = trackers.log_to_mlflow(config, RUN)
    with run:
        return str(run.info.run_id)


def test_mlflow_takes_no_other_configuration_into_a_run(mlflow: Any, trackers: Any) -> None:
    """Parameters that were replaced in between are refused, and the run keeps those that it has."""
    first = log_to_mlflow(trackers, start())
    replaced = start(overrides={"grpo.group_size": 128}, on_change="replace")
    with pytest.raises(mlflow.MlflowException, match=r"Changing param values is not allowed.*grpo\.group_size"):
        trackers.log_to_mlflow(replaced, RUN)
    mlflow.end_run()
    (stored,) = mlflow.MlflowClient().search_runs(["0"])
    assert stored.info.run_id == first
    assert stored.data.params["grpo.group_size"] == "64"


def test_what_mlflow_has_loads_back_equal(mlflow: Any, trackers: Any) -> None:
    """A run's configuration comes back from its parameters alone, whatever files and variables say now."""
    config = start()
    run_id = log_to_mlflow(trackers, config)
    write("acbo.toml", "total_steps = 1")
    loaded = trackers.load_from_mlflow(run_id, ExperimentConfig)
    assert loaded == config
    assert loaded.to_dict()["metadata"] == {
        "note": config.metadata["note"],
        "started": "2026-01-02",
        "cluster": {"name": "a", "nodes": "4"},
    }


def test_a_text_that_mlflow_cuts_does_not_load_back(mlflow: Any, trackers: Any) -> None:
    """MLflow cuts texts of more than 6,000 characters with a note in its log; the fingerprint tells."""
    config = start(overrides={"tag": "a" * 7000})
    run_id = log_to_mlflow(trackers, config)
    assert log_to_mlflow(trackers, config) == run_id
    assert len(mlflow.get_run(run_id).data.params["tag"]) == 6000
    with pytest.raises(ValueError, match="are not those that it was started with"):
        trackers.load_from_mlflow(run_id, ExperimentConfig)


def records_of_wandb(path: Path) -> Iterator[Any]:
    """The records in a file of W&B: parts in blocks of 32 KiB, of which a record may need several."""
    protocol: Any = importlib.import_module("wandb.proto.wandb_internal_pb2")
    content, position, record = path.read_bytes(), 7, b""
    while position < len(content):
        if 0 < (left := -position % 32768) < 7:  # no room for the head of a part
            position += left
            continue
        _, size, kind = struct.unpack_from("<IHB", content, position)
        position += 7 + size
        record += content[position - size : position]
        if kind in (1, 4):  # whole, or the last part
            yield protocol.Record.FromString(record)
            record = b""


def from_wandb(items: Iterable[Any]) -> dict[str, Any]:
    """The values of items in a record."""
    return {item.key or item.nested_key[0]: json.loads(item.value_json) for item in items}


def test_wandb_gets_each_start_of_one_run() -> None:
    """Each start writes its settings and metrics, without a network, under one id; what is stored loads back equal."""
    for step in (1, 2):
        job = start_job(WANDB_JOB, str(step), f"total_steps={step + 2}000")
        assert job.returncode == 0, job.stderr
    frozen = load_frozen_config(RUN, schema=ExperimentConfig)
    files = sorted(RUN.glob("wandb/offline-run-*/*.wandb"))
    for step, file in zip((1, 2), files, strict=True):
        records = list(records_of_wandb(file))
        (run_record,) = [record.run for record in records if record.HasField("run")]
        assert (run_record.run_id, run_record.resume) == ((RUN / "wandb_run_id").read_text(), True)
        stored = from_wandb(run_record.config.update)
        config = replace(frozen, total_steps=(step + 2) * 1000)
        assert stored == config.to_dict() | {"fingerprint": frozen.fingerprint, "_wandb": {}}
        assert create_training_config(stored, schema=ExperimentConfig) == config
        (measured,) = [from_wandb(record.history.item) for record in records if record.HasField("history")]
        assert measured.items() >= {"reward": step / 2, "_step": step}.items()


def save(trackers: Any, config: ExperimentConfig, step: int) -> None:
    """Save a checkpoint of the run as a start does."""
    trackers.save_with_orbax(config, RUN, step, {"weights": numpy.arange(6.0).reshape(2, 3), "step": numpy.array(step)})


def load(trackers: Any, config: ExperimentConfig) -> dict[str, Any]:
    """What the last checkpoint of the run holds."""
    return {name: array.tolist() for name, array in trackers.load_with_orbax(config, RUN).items()}


def test_a_checkpoint_belongs_to_the_frozen_configuration(trackers: Any) -> None:
    """A start in which something may change reads it, though its own fingerprint moves; after a replace none does."""
    first = start()
    save(trackers, first, 100)
    later = start(overrides={"total_steps": 4000})
    assert later.fingerprint != first.fingerprint
    assert load(trackers, later) == {"weights": [[0, 1, 2], [3, 4, 5]], "step": 100}
    save(trackers, later, 200)
    assert load(trackers, first)["step"] == 200
    replaced = start(overrides={"grpo.group_size": 128}, on_change="replace")
    message = f"was saved with the configuration {first.fingerprint}, and the run has {replaced.fingerprint}"
    with pytest.raises(ValueError, match=message):
        load(trackers, replaced)
