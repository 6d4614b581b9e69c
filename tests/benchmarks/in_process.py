"""What `start.py` measures inside one process: warm loads and attribute reads, printed as JSON.

The process stands in a directory that holds the job's `acbo.toml`, with the job's variables set.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from timeit import Timer

from acbo_settings import load_training_config

BATCHES = 7
LOADS = 200

REPEATS = 300
LOOPS = 1000
READS = 100


@dataclass(frozen=True, slots=True)
class SlottedComponent:
    """A record as fast to read as a frozen one can be."""

    group_size: int = 64
    num_iterations: int = 4


@dataclass(frozen=True, slots=True)
class Slotted:
    """The tree whose attribute reads are the reference."""

    total_steps: int = 5000
    grpo: SlottedComponent = field(default_factory=SlottedComponent)


def warm_microseconds(loaders: Mapping[str, Callable[[], object]]) -> dict[str, list[float]]:
    """CPU time of one load in each batch, the loaders taking turns, with garbage collection as in any program."""
    timers = {
        name: Timer("load()", "import gc; gc.enable()", timer=time.process_time, globals={"load": loader})
        for name, loader in loaders.items()
    }
    figures: dict[str, list[float]] = {name: [] for name in timers}
    for timer in timers.values():
        timer.timeit(LOADS)
    for _ in range(BATCHES):
        for name, timer in timers.items():
            figures[name].append(timer.timeit(LOADS) / LOADS * 1e6)
    return figures


def read_nanoseconds(records: Mapping[str, object]) -> dict[str, list[float]]:
    """Time of one `record.grpo.group_size` in each repeat, the records taking turns.

    The reads stand in one long line, so that the loop around them does not count. Each repeat compiles that line
    again: how fast code runs depends a little on where it lies in memory.
    """
    statement = "; ".join(["record.grpo.group_size"] * READS)
    figures: dict[str, list[float]] = {name: [] for name in records}
    for _ in range(REPEATS):
        for name, record in records.items():
            timer = Timer(statement, "record = given", globals={"given": record})
            figures[name].append(timer.timeit(LOOPS) / (LOOPS * READS) * 1e9)
    return figures


def measure(plain: Callable[[], object]) -> None:
    """Measure both against the plain program's way to load, and print the figures."""
    warm = warm_microseconds({"load": load_training_config, "plain": plain})
    files = {name: partial(load_training_config, f"{name}.toml") for name in ("third", "one")}
    extending = warm_microseconds(files)
    read = read_nanoseconds({"load": load_training_config(), "plain": plain(), "slotted": Slotted()})
    print(json.dumps({"warm": warm, "extending": extending, "read": read}))
