"""What one rank does in a process of its own, in a module that takes no time to import."""

from __future__ import annotations

from multiprocessing.connection import Connection

from acbo_settings import (
    ConfigurationError,
    TrainingConfig,
    assert_same_across_ranks,
    load_training_config,
    resolve_training_config,
)


def be_a_rank(config: TrainingConfig, pipe: Connection) -> None:
    """Take part in the gathering, and send what came of it."""

    def allgather(text: object) -> list[object]:
        pipe.send(text)
        gathered: list[object] = pipe.recv()
        return gathered

    try:
        assert_same_across_ranks(config, allgather)
        pipe.send(("done", ""))
    except ConfigurationError as error:
        pipe.send(("done", str(error)))


def load_a_rank(environ: dict[str, str], resolves: bool, pipe: Connection) -> None:
    """Load with all others, and send what came of it."""

    def allgather(text: object) -> list[object]:
        pipe.send(text)
        gathered: list[object] = pipe.recv()
        return gathered

    load = resolve_training_config if resolves else load_training_config
    try:
        load("/dev/null", environ=environ, allgather=allgather)
        pipe.send(("done", ""))
    except ConfigurationError as error:
        pipe.send(("done", str(error)))
