"""The first lines of a job with many ranks under MPI: stop all of them unless every one has the same configuration."""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys

from mpi4py import MPI

from acbo_settings import ConfigurationError, assert_same_across_ranks, load_training_config


def main() -> None:
    """Start one rank."""
    ranks = MPI.COMM_WORLD
    try:
        config = load_training_config()
        assert_same_across_ranks(config, ranks.allgather)
    except ConfigurationError as error:
        print(f"rank {ranks.rank}: {error}", file=sys.stderr, flush=True)
        ranks.Abort(1)
    else:
        print(f"rank {ranks.rank} of {ranks.size}: training with {config.fingerprint}")


if __name__ == "__main__":
    main()
