"""The first lines of a job with many ranks in jax: `python train_jax.py ADDRESS RANKS RANK`, once for each rank.

jax gathers arrays of one shape, so a text travels as bytes, filled up with spaces.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys

import jax
import numpy
from jax.experimental import multihost_utils

from acbo_settings import ConfigurationError, load_training_config


def allgather(text: str) -> list[str]:
    """Gather one text from every rank."""
    content = text.encode()
    longest = int(multihost_utils.process_allgather(numpy.array(len(content))).max())
    rows = multihost_utils.process_allgather(numpy.frombuffer(content.ljust(longest), numpy.uint8))
    return [bytes(row).decode().rstrip() for row in rows]


def main(address: str, ranks: str, rank: str) -> None:
    """Start one rank."""
    jax.distributed.initialize(address, int(ranks), int(rank))
    try:
        config = load_training_config(allgather=allgather)
    except ConfigurationError as error:
        sys.exit(f"rank {rank}: {error}")
    print(f"rank {rank} of {ranks}: training with {config.fingerprint}")


if __name__ == "__main__":
    main(*sys.argv[1:])
