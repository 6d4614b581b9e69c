"""A run in experiment trackers and in Orbax: what they get, and how a start that resumes finds it again.

Each function imports its own tool. `run_dir` is the directory of the run, as `run_directory()` returns it. Of many
ranks the first one calls these.

What says to which run something belongs is the fingerprint of the frozen configuration, and not `config.fingerprint`:
with `may_change` the latter moves from start to start, and a run could no longer read its own checkpoint.

MLflow and W&B report to their makers, W&B even when it is offline. `MLFLOW_DISABLE_TELEMETRY=true` and
`WANDB_ERROR_REPORTING=false` in the environment of the job say no.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

from acbo_settings import TrainingConfig, load_frozen_config, load_training_config


def fingerprint_of_run(config: TrainingConfig, run_dir: Path) -> str:
    """The fingerprint of the configuration that the run started with."""
    return load_frozen_config(run_dir, schema=type(config)).fingerprint


def log_to_tensorboard(config: TrainingConfig, directory: Path) -> Any:
    """Write the settings for TensorBoard's page HPARAMS, and return the writer, which takes the metrics as well.

    All have to be scalars: what is nested would be left out without a word. Of a run that resumes, TensorBoard shows
    the settings of its first start.
    """
    from tensorboardX import SummaryWriter
    from tensorboardX.summary import hparams

    # `add_hparams` would make them a run of its own, in a directory below, without the metrics. It would also write a
    # list of settings and metrics, and TensorBoard then shows no others of any run; without one it looks for itself.
    _, settings, _ = hparams(config.to_flat(), {})
    writer = SummaryWriter(str(directory))
    writer.file_writer.add_summary(settings)
    return writer


def log_to_mlflow(config: TrainingConfig, run_dir: Path) -> Any:
    """Start the run in MLflow, or go on with it, and return it for a `with`, in which metrics are logged.

    MLflow lets no parameter change. So the parameters are what the run started with, and a tag has what `may_change`
    lets this start do otherwise.
    """
    import mlflow

    frozen = load_frozen_config(run_dir, schema=type(config))
    parameters = frozen.to_flat()
    changed = {key: value for key, value in config.to_flat().items() if parameters.get(key) != value}
    note = Path(run_dir, "mlflow_run_id")
    run = mlflow.start_run(note.read_text() if note.exists() else None)
    note.write_text(run.info.run_id)
    mlflow.log_params(parameters)
    mlflow.set_tags({"fingerprint": frozen.fingerprint, "changed": json.dumps(changed)})
    mlflow.log_artifact(str(Path(run_dir, "acbo.frozen.toml")))
    return run


def load_from_mlflow(run_id: str, schema: type[TrainingConfig] = TrainingConfig) -> TrainingConfig:
    """The configuration that a run in MLflow started with; its notes come back as texts.

    MLflow cuts a text of more than 6,000 characters, so that the fingerprint has to agree.
    """
    import mlflow

    stored = mlflow.get_run(run_id).data
    texts = [f"{key}={value}" for key, value in stored.params.items()]
    config = load_training_config(os.devnull, environ={}, overrides=texts, schema=schema)
    if config.fingerprint != stored.tags["fingerprint"]:
        raise ValueError(f"the parameters of the MLflow run {run_id} are not those that it was started with")
    return config


def log_to_wandb(config: TrainingConfig, run_dir: Path) -> Any:
    """Start the run in W&B without a network, or go on with it, and return it; `wandb sync` uploads it later.

    W&B takes nested settings, and advises against keys with dots. Every start writes a directory of its own, and those
    of one id become one run when they are uploaded.
    """
    import wandb

    note = Path(run_dir, "wandb_run_id")
    if not note.exists():
        note.write_text(uuid.uuid4().hex)
    settings = config.to_dict() | {"fingerprint": fingerprint_of_run(config, run_dir)}
    return wandb.init(
        project="acbo", id=note.read_text(), resume="allow", mode="offline", dir=str(run_dir), config=settings
    )


def save_with_orbax(config: TrainingConfig, run_dir: Path, step: int, state: Any) -> None:
    """Save a tree of arrays as the checkpoint of a step."""
    from orbax.checkpoint import CheckpointManager, args

    run = {"fingerprint": fingerprint_of_run(config, run_dir)}
    with CheckpointManager(Path(run_dir, "orbax").absolute()) as manager:
        manager.save(step, args=args.Composite(state=args.StandardSave(state), run=args.JsonSave(run)))


def load_with_orbax(config: TrainingConfig, run_dir: Path) -> Any:
    """The tree of arrays of the last step, or a ValueError when it is of another run."""
    from orbax.checkpoint import CheckpointManager, args

    directory = Path(run_dir, "orbax").absolute()
    with CheckpointManager(directory) as manager:
        saved = manager.restore(
            manager.latest_step(), args=args.Composite(state=args.StandardRestore(), run=args.JsonRestore())
        )
    expected = fingerprint_of_run(config, run_dir)
    if saved.run["fingerprint"] != expected:
        raise ValueError(
            f"{directory} was saved with the configuration {saved.run['fingerprint']}, and the run has {expected}: "
            "move it away to start anew, or give the run back its configuration"
        )
    return saved.state
