"""How time and memory grow with what is given, up to the limits of the package, as a Markdown table.

    python -m tests.benchmarks.growth > table.md

Each case is measured at sizes of which each is twice the one before, every time in a new process. The exponent is the
slope of the costs over the larger half of the sizes, both as logarithms, the smallest size and its cost taken off: 1 is
linear, 2 is quadratic. The exit code is 1 when an exponent is above the limit.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from multiprocessing import TimeoutError as Late
from multiprocessing import get_context
from multiprocessing.pool import Pool
from statistics import linear_regression

from .growing import CASES, Case, Cost, measure

LIMIT = 1.2
SIZES = 6
SHORT, LITTLE = 0.3, 60e6
"""Seconds and bytes that a cost must grow by, if the exponent is to say anything."""

PATIENCE = 30.0
"""Seconds after which a size is given up, and with it those above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case of the table: its costs from the smallest size to the largest one."""

    what: str
    sizes: Sequence[int]
    costs: Sequence[Cost]
    failure: str = ""
    """Why a size could not be measured, and none above."""

    @property
    def exponents(self) -> tuple[float | None, float | None]:
        """Those of time and of memory; None where too little is spent at all."""
        seconds, memory = [cost.seconds for cost in self.costs], [cost.bytes for cost in self.costs]
        return exponent(self.sizes, seconds, SHORT), exponent(self.sizes, memory, LITTLE)

    @property
    def met(self) -> bool:
        """Whether time and memory are in proportion to the size."""
        return not self.failure and all(found is None or found <= LIMIT for found in self.exponents)

    def __str__(self) -> str:
        size, cost = self.sizes[len(self.costs) - 1], self.costs[-1]
        shown = ["little" if found is None else f"{found:.2f}" for found in self.exponents]
        met = "yes" if self.met else f"no{self.failure}"
        cells = (self.what, f"{size:,}", f"{cost.seconds:.2f}", shown[0], f"{cost.bytes / 1e6:.0f}", shown[1], met)
        return f"| {' | '.join(cells)} |"


HEAD = """\
| case | largest size | CPU s | exponent | peak memory, MB | exponent | both ≤ {}? |
| --- | --- | --- | --- | --- | --- | --- |"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code."""
    parsed = _parser().parse_args(arguments)
    chosen = {name: case for name, case in CASES.items() if any(text in name for text in parsed.cases or [""])}
    context = get_context("forkserver")
    context.set_forkserver_preload([measure.__module__])
    print(f"{platform.python_implementation()} {platform.python_version()}\n\n{HEAD.format(LIMIT)}", flush=True)
    rows = []
    for number, (name, case) in enumerate(chosen.items(), 1):
        print(f"{number} of {len(chosen)}: {name}", file=sys.stderr, flush=True)
        with context.Pool(1, maxtasksperchild=1) as pool:
            rows.append(measure_case(pool, name, case, parsed.rounds))
        print(rows[-1], flush=True)
    return int(not all(row.met for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Measure how time and memory grow with what is given, and print a Markdown table.",
        epilog=f"Exit code: 0, or 1 when an exponent is above {LIMIT}.",
    )
    parser.add_argument("cases", nargs="*", metavar="TEXT", help="only the cases whose names hold one of these texts")
    parser.add_argument(
        "--rounds",
        type=int,
        choices=range(1, 100),
        default=3,
        metavar="N",
        help="how often each size is timed, of which the quickest counts (default: %(default)s)",
    )
    return parser


def measure_case(pool: Pool, name: str, case: Case, rounds: int) -> Row:
    """The costs of one case at each size, up to one that takes too long."""
    sizes = [max(1, case.largest >> shift) for shift in reversed(range(SIZES))]
    costs: list[Cost] = []
    failure, size = "", 0
    try:
        for size in sizes:
            costs.append(measure_size(pool, name, size, rounds))
    except Late:
        failure = f": more than {PATIENCE:.0f} s for {size:,}"
    except Exception as error:
        failure = f": {type(error).__name__} for {size:,}"
    return Row(what=name, sizes=sizes, costs=costs or [Cost()], failure=failure)


def measure_size(pool: Pool, name: str, size: int, rounds: int) -> Cost:
    """The least time and the least memory of the rounds, each in a new process."""
    costs = [pool.apply_async(measure, (name, size)).get(PATIENCE) for _ in range(rounds)]
    return Cost(min(cost.seconds for cost in costs), min(cost.bytes for cost in costs))


def exponent(sizes: Sequence[int], costs: Sequence[float], least: float) -> float | None:
    """The power of the size with which a cost grows; None where it hardly does."""
    more = [(size - sizes[0], cost - costs[0]) for size, cost in zip(sizes, costs, strict=False)]
    if more[-1][1] < least:
        return None
    half = [(log(size), log(cost)) for size, cost in more if cost > 0][-(SIZES // 2) :]
    return linear_regression(*zip(*half, strict=True)).slope if len(half) > 1 else None


if __name__ == "__main__":
    raise SystemExit(main())
