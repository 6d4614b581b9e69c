"""A task of a sweep: it trains the point of its number, goes on where it was stopped, and says when it is done.

The trainer itself stands here as a loop that sleeps a little, and as a number that it measures at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from acbo_settings import ConfigurationError, TrainingConfig, load_training_config, mark_done, run_directory


def main() -> None:
    """Train the point that `ACBO_SWEEP` and the number of the task name."""
    try:
        config = load_training_config()
    except ConfigurationError as error:
        sys.exit(str(error))
    train(config, run_directory())
    mark_done()


def train(config: TrainingConfig, directory: Path) -> float:
    """Take the steps that are left, and write what was measured into the directory of the run."""
    checkpoint = directory / "checkpoint"
    step = int(checkpoint.read_text()) if checkpoint.exists() else 0
    print(f"{directory.name}: {'resuming' if step else 'starting'} with {config.fingerprint}", flush=True)
    pause = float(os.environ.get("PAUSE", "0"))
    while step < config.total_steps:
        step += 100
        time.sleep(pause)
        beside = checkpoint.with_suffix(".new")
        beside.write_text(str(step))
        beside.replace(checkpoint)
    loss = measured(config)
    (directory / "metrics.json").write_text(json.dumps({"loss": loss, "steps": step}))
    return loss


def measured(config: TrainingConfig) -> float:
    """A number as a trainer might measure it: best at a learning rate of 2e-4, and with large groups."""
    distance = abs(config.grpo.learning_rate - 2e-4) / 2e-4
    return round(float(distance) + 8 / config.grpo.group_size + int(config.metadata.get("seed", 0)) / 100, 4)


if __name__ == "__main__":
    main()
