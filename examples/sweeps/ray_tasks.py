"""The points of a sweep as tasks of Ray: `python ray_tasks.py sweeps/lr`.

Ray may start a task in another working directory, on another machine; a point's directory is all that it needs.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import ray
from point import train
from ray.exceptions import RayError

from acbo_settings import ConfigurationError, load_training_config, mark_done, sweep_directories


def run_point(directory: str, overrides: dict[str, Any] | None = None) -> float:
    """Train one point, in a task of its own."""
    config = load_training_config(run_dir=directory, overrides=overrides)
    loss = train(config, Path(directory))
    mark_done()
    return loss


def main(sweep: str) -> None:
    """Start a task for each point that is not done, and print what came of it."""
    ray.init()
    task = ray.remote(run_point)
    waiting = {directory: task.remote(directory) for directory in sweep_directories(sweep)}
    failed = 0
    for directory, result in waiting.items():
        try:
            print(f"{Path(directory).name}: {ray.get(result)}")
        except ConfigurationError as error:
            failed += 1
            print(error.report, file=sys.stderr)
        except RayError as error:
            failed += 1
            print(f"{Path(directory).name}: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
