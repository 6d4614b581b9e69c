"""A training job that goes on where it was stopped: `ACBO_RUN_DIR=runs/17 python resume.py`.

The trainer itself stands here as a loop that sleeps a little and counts its steps in a checkpoint.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from acbo_settings import ConfigurationError, TrainingConfig, load_training_config


def main(run_dir: str) -> None:
    """Start or resume the run that the environment names, with the configuration that it started with."""
    try:
        config = load_training_config()
    except ConfigurationError as error:
        sys.exit(str(error))
    checkpoint = Path(run_dir, "checkpoint")
    step = int(checkpoint.read_text()) if checkpoint.exists() else 0
    is_first = os.environ.get("SLURM_PROCID", "0") == "0"
    if is_first:
        print(f"{'resuming' if step else 'starting'} with {config.fingerprint}", flush=True)
    train(config, step, checkpoint if is_first else None)
    if is_first:
        print(f"done after {config.total_steps} steps")


def train(config: TrainingConfig, first_step: int, checkpoint: Path | None) -> None:
    """Take all steps from the first one on; the first rank saves now and then."""
    for step in range(first_step + 1, config.total_steps + 1):
        time.sleep(0.0005)
        if checkpoint and step % config.evaluation.checkpoint_frequency == 0:
            beside = checkpoint.with_suffix(".new")
            beside.write_text(str(step))
            beside.replace(checkpoint)


if __name__ == "__main__":
    if "ACBO_RUN_DIR" not in os.environ:
        sys.exit("resume.py: set ACBO_RUN_DIR to the directory of the run")
    main(os.environ["ACBO_RUN_DIR"])
