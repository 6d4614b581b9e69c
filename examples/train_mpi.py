"""The first lines of a job with many ranks under MPI: stop all of them unless every one has the same configuration."""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys

from mpi4py import MPI

from acbo_settings import ConfigurationError, load_training_config


def main() -> None:
    """Start one rank."""
    ranks = MPI.COMM_WORLD
    try:
        config = load_training_config(allgather=ranks.allgather)
    except ConfigurationError as error:  # on all ranks alike
        sys.exit(str(error) if ranks.rank == 0 else 1)
    print(f"rank {ranks.rank} of {ranks.size}: training with {config.fingerprint}")


if __name__ == "__main__":
    main()
