"""The same training in several processes: `python train_ranks.py ADDRESS RANKS RANK`, once for each rank.

Every rank loads its own configuration, all compare them before they train, and each updates the policy with its share
of the group; jax adds up what the shares give. Settings can follow as arguments, the same for all ranks. The size of a
group has to be a multiple of the number of ranks.

The first rank saves the policy in the working directory, as `policy.npz`. There is no log, no evaluation, no checkpoint
and no early stopping: `train.py` shows these.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import jax
import numpy as np
from configuration import ExperimentConfig
from grpo import Group
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from train import Trainer

from acbo_settings import ConfigurationError, load_training_config


def allgather(text: str) -> list[str]:
    """Gather one text from every rank: as bytes, filled up with spaces, since jax gathers arrays of one shape."""
    content = text.encode()
    longest = int(multihost_utils.process_allgather(np.array(len(content))).max())
    rows = multihost_utils.process_allgather(np.frombuffer(content.ljust(longest), np.uint8))
    return [bytes(row).decode().rstrip() for row in rows]


def share(ranks: Mesh, group: Group) -> Group:
    """Give each rank an equal share of the interventions of a group. Reads `grpo.group_size` by its length."""
    shares = NamedSharding(ranks, PartitionSpec("ranks"))  # type: ignore[no-untyped-call, unused-ignore]

    def spread(values: Any) -> Any:
        """One array of the group, of which each rank holds its share."""
        whole = np.asarray(values)
        return jax.make_array_from_callback(whole.shape, shares, lambda place: whole[place])

    return Group(*jax.tree.map(spread, group))


def main(address: str, ranks: str, rank: str, *settings: str) -> None:
    """Train one rank's share. Reads `total_steps`, and what `Trainer` reads."""
    jax.distributed.initialize(address, int(ranks), int(rank))
    try:
        config = load_training_config(overrides=settings, schema=ExperimentConfig, allgather=allgather)
    except ConfigurationError as error:  # on all ranks alike
        sys.exit(f"rank {rank}: {error}")
    if config.grpo.group_size % int(ranks):
        sys.exit(f"rank {rank}: grpo.group_size is {config.grpo.group_size}, which {ranks} ranks cannot share equally")
    trainer, mesh = Trainer(config), Mesh(np.array(jax.devices()), ("ranks",))
    progress = trainer.start()
    for _ in range(config.total_steps):
        progress, _, _ = trainer.step(progress, partial(share, mesh))
    print(f"rank {rank} of {ranks}: {config.fingerprint}, {progress.counts['gradient updates']} updates")
    if rank == "0":
        parameters: dict[str, Any] = {name: np.asarray(value) for name, value in progress.parameters.items()}
        np.savez("policy.npz", **parameters)


if __name__ == "__main__":
    if len(sys.argv) < 4 or not (sys.argv[2] + sys.argv[3]).isdigit():
        sys.exit("usage: python train_ranks.py ADDRESS RANKS RANK [KEY=VALUE ...]")
    main(*sys.argv[1:])
