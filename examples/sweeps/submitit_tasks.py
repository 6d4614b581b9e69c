"""The points of a sweep as an array of submitit: `python submitit_tasks.py sweeps/lr slurm`, or `local`.

Points that are done are left out, so that the same command again runs what is missing.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys
from pathlib import Path

import submitit
from point import train
from submitit.core.utils import UncompletedJobError

from acbo_settings import load_training_config, mark_done, sweep_directories


def run_point(directory: str) -> float:
    """Train one point, in a task of its own."""
    config = load_training_config(run_dir=directory)
    loss = train(config, Path(directory))
    mark_done()
    return loss


def main(sweep: str, cluster: str) -> None:
    """Start a task for each point that is not done, and print what came of it."""
    directories = sweep_directories(sweep)
    if not directories:
        sys.exit(f"every point of {sweep} is done")
    executor = submitit.AutoExecutor(folder="submitit", cluster=cluster)
    executor.update_parameters(timeout_min=10)
    jobs = executor.map_array(run_point, directories)
    failed = 0
    for directory, job in zip(directories, jobs, strict=True):
        try:
            print(f"{Path(directory).name}: {job.result()}")
        except UncompletedJobError as error:
            failed += 1
            print(f"{Path(directory).name}: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
