"""Ranks that agree go on, and ranks that do not all stop with the same report: with real processes."""

from __future__ import annotations

import json
import multiprocessing
import shutil
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import (
    ConfigurationError,
    TrainingConfig,
    assert_same_across_ranks,
    create_training_config,
    load_training_config,
    rule,
)
from acbo_settings.engine.canonical import KeyPath, canonical_json, flatten
from acbo_settings.engine.runs.ranks import settings_text

from ...ranks import be_a_rank, load_a_rank
from ...strategies import SCHEMA, layers, tree_of
from ...test_examples import EXAMPLES
from ...test_readme import BLOCKS, commands_of, shell_environment

# Each process is a fork of one that has imported this: to import it in each would take most of the time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["acbo_settings.api", "acbo_settings.engine.loading.validation"])


def gather(target: Callable[..., None], given: Sequence[Sequence[Any]]) -> tuple[list[list[Any]], list[str]]:
    """Start one process for each that is given; what was gathered, round by round, and the report of each rank.

    The texts come back in another order than they were sent.
    """
    pairs = [FORKS.Pipe() for _ in given]
    processes = [
        FORKS.Process(target=target, args=(*arguments, there))
        for arguments, (_, there) in zip(given, pairs, strict=True)
    ]
    for process in processes:
        process.start()
    rounds = []
    while True:
        sent = [here.recv() for here, _ in pairs]
        if all(isinstance(each, tuple) for each in sent):
            break
        rounds.append(sent)
        for here, _ in pairs:
            here.send(sent[::-1] if target is load_a_rank else sent)
    for process in processes:
        process.join()
    return rounds, [report for _, report in sent]


def run_ranks(configs: Sequence[TrainingConfig]) -> tuple[list[list[Any]], list[str]]:
    """Let ranks compare their configurations."""
    return gather(be_a_rank, [[config] for config in configs])


def test_ranks_that_agree_gather_one_short_text() -> None:
    """Four processes with equal configurations, spelled differently: one round of 16 characters each."""
    configs = [
        create_training_config(grpo={"max_grad_norm": 1}, note="rank 0"),
        create_training_config(),
        TrainingConfig(),
        create_training_config(log_frequency=10),
    ]
    rounds, reports = run_ranks(configs)
    assert reports == [""] * 4
    assert rounds == [[TrainingConfig().fingerprint] * 4]


def test_ranks_that_differ_all_stop_with_the_same_report(assert_report: Callable[[str, str], None]) -> None:
    """Six processes, of which two differ from the others: all six raise one report, naming settings, values, ranks."""
    common: dict[str, Any] = {"grpo": {"learning_rate": 1e-4}}
    configs = [create_training_config(common) for _ in range(6)]
    configs[1] = create_training_config(grpo={"learning_rate": 1e-3}, rewards={"reward_scaling": "clip"})
    configs[4] = create_training_config(common, total_steps=7000)
    rounds, reports = run_ranks(configs)
    assert len(rounds) == 2
    assert len(set(reports)) == 1
    assert_report("ranks", reports[0])


@given(st.lists(layers([("total_steps",), ("grpo", "group_size"), ("rewards", "parent_weight")]), min_size=1))
def test_exactly_the_settings_that_differ_are_told(given_layers: list[dict[KeyPath, Any]]) -> None:
    """Whatever the ranks have, they stop when any two differ, and each setting that does is named, with every rank."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        configs = [create_training_config(tree_of(layer)) for layer in given_layers]

    def allgather(text: str) -> list[str]:
        return [config.fingerprint if len(text) == 16 else settings_text(SCHEMA.typed(config)) for config in configs]

    flat = [flatten(config) for config in configs]
    differing = [path for path in flat[0] if len({each[path] for each in flat}) > 1]
    if not differing:
        assert_same_across_ranks(configs[0], allgather)
        return
    with pytest.raises(ConfigurationError) as caught:
        assert_same_across_ranks(configs[0], allgather)
    assert [problem.path for problem in caught.value.problems] == [(), *differing]


@pytest.mark.parametrize(
    "gather",
    [lambda text: [], lambda text: [text.ljust(20)], lambda text: text, lambda text: None, lambda text: [text, 1]],
)
def test_a_function_that_does_not_gather_is_a_mistake(gather: Callable[[Any], Any]) -> None:
    """What does not return this rank's own text among those of the others is no allgather."""
    with pytest.raises(TypeError, match="allgather must return what every rank gave it, as a list"):
        assert_same_across_ranks(TrainingConfig(), gather)


@pytest.mark.heavy
@pytest.mark.debian
def test_ranks_under_mpi(tmp_path: Path) -> None:
    """The README's commands: four real ranks of OpenMPI agree; when one has another variable, all are aborted."""
    for name in ("acbo.toml", "train_mpi.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    (block,) = [block for block in BLOCKS if block.note == "mpi"]
    machine = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    machine |= {"OMPI_MCA_rmaps_base_oversubscribe": "1"}  # four ranks on however few processors
    for command, expected in commands_of(block):
        environ = shell_environment(tmp_path) | machine
        shell = ["bash", "-c", command]
        ran = subprocess.run(shell, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
        assert ran.stdout == expected, ran.stderr


@pytest.mark.heavy
def test_ranks_in_jax(tmp_path: Path) -> None:
    """Two real processes of `jax.distributed` agree; with another variable in one, both stop with the same report."""
    for odd, code in (({}, 0), ({"ACBO_LOG_FREQUENCY": "20"}, 1)):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            address = f"localhost:{free.getsockname()[1]}"
        processes = [
            subprocess.Popen(
                [sys.executable, str(EXAMPLES / "train_jax.py"), address, "2", str(rank)],
                env={**shell_environment(tmp_path), "JAX_PLATFORMS": "cpu", **(odd if rank else {})},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in range(2)
        ]
        for rank, process in enumerate(processes):
            output, errors = process.communicate(timeout=120)
            assert process.returncode == code, errors
            assert (f"rank {rank} of 2: training with" in output) == (not code)
            assert ("log_frequency: 10 on rank 0; 20 on rank 1" in errors) == bool(code)


# Loading and comparing in one call


def load_on_ranks(environs: Sequence[dict[str, str]], resolves: bool = False) -> tuple[list[list[Any]], list[str]]:
    """Let ranks load with these environments."""
    return gather(load_a_rank, [[environ, resolves] for environ in environs])


@pytest.mark.parametrize("resolves", [False, True])
def test_a_rank_that_cannot_load_hangs_no_other(resolves: bool, assert_report: Callable[[str, str], None]) -> None:
    """Five processes, of which two fail: one round, and all raise one report that names them."""
    environs = [{"SLURM_PROCID": str(number), "ACBO_LOG_FREQUENCY": "20"} for number in range(5)]
    environs[3]["ACBO_TOTAL_STEPS"] = "no"
    environs[1]["ACBO_TOTAL_STEP"] = "7000"
    rounds, reports = load_on_ranks(environs, resolves)
    assert len(rounds) == 1
    assert len(set(reports)) == 1
    assert_report("ranks-failed", reports[0])


def test_ranks_are_named_by_their_own_numbers() -> None:
    """In whatever order their texts come back."""
    environs = [{"SLURM_PROCID": str(number), "ACBO_LOG_FREQUENCY": "20"} for number in range(4)]
    environs[3]["ACBO_LOG_FREQUENCY"] = "30"
    rounds, reports = load_on_ranks(environs)
    assert len(rounds) == 2
    assert set(reports) == {reports[0]}
    assert "log_frequency: 30 on rank 3; 20 on ranks 0-2" in reports[0]


def test_ranks_that_agree_load_in_one_round() -> None:
    """Of 16 characters each."""
    rounds, reports = load_on_ranks([{"SLURM_PROCID": str(number)} for number in range(3)])
    assert (rounds, reports) == ([[TrainingConfig().fingerprint] * 3], [""] * 3)


def test_what_is_no_report_is_told_by_all_ranks_too() -> None:
    """An error of the program on one rank is one on all: here, one that this rank alone has."""
    with pytest.raises(ConfigurationError, match="1 of 2 ranks could not load their configuration: rank 0") as caught:
        load_training_config(3, environ={}, allgather=lambda text: [text, "0123456789abcdef"])  # type: ignore[arg-type]
    assert "TypeError: path must be" in str(caught.value)


def test_ranks_of_an_older_version_take_part() -> None:
    """They tell their settings alone, and their place is their number."""
    settings = SCHEMA.typed(TrainingConfig())
    old = json.dumps({".".join(path): canonical_json(value) for path, value in settings.items()})
    old = old.replace('"log_frequency": "10"', '"log_frequency": "20"')
    with pytest.raises(ConfigurationError, match="log_frequency: 10 on rank 0; 20 on rank 1"):
        assert_same_across_ranks(TrainingConfig(), lambda text: [text, text[::-1] if len(text) == 16 else old])


def test_a_rule_that_ends_the_program_hangs_no_other() -> None:
    """`SystemExit` is a failure of this rank as any."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Ending(TrainingConfig):
        @rule("total_steps")
        def ends(self) -> str | None:
            raise SystemExit(3)

    with pytest.raises(ConfigurationError, match="1 of 2 ranks could not load"):
        load_training_config("/dev/null", environ={}, schema=Ending, allgather=lambda text: [text, "0123456789abcdef"])
