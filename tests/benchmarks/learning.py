"""What the policy of `examples/acbo` has learnt, against random choice and the greedy choice on its surrogate.

`python -m tests.benchmarks.learning` trains once with each seed, and plays models that no training has seen, the same
ones with each way to choose. It needs the extra `example`, and takes about three minutes. Arguments are
settings, such as `total_steps=10000`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from tests.training.example import EXAMPLE, example_module

SEEDS = (1, 2, 3, 4, 5)
MODELS = 2000
MEASURES = {"target": "mean target", "best": "best of 20 interventions"}


def train(seed: int, directory: Path, settings: list[str]) -> Path:
    """The parameters that one training ends with, in a process of its own, as a user trains."""
    run = directory / f"seed-{seed}"
    command = [sys.executable, "train.py", f"seed={seed}", *settings]
    environment = {"ACBO_RUN_DIR": str(run), "PATH": "/usr/bin:/bin", "HOME": str(directory)}
    subprocess.run(command, cwd=EXAMPLE, env=environment, check=True, stdout=sys.stderr, timeout=600)
    return run / "policy.npz"


def play_unseen_models(policies: dict[int, Path]) -> dict[str, dict[str, list[float]]]:
    """For each way to choose and each measure: one mean over the unseen models for each seed."""
    jax, train = import_module("jax"), example_module("train")
    choosers: dict[str, Callable[..., Any]] = {
        "trained policy": train.choose_by_policy,
        "greedy on the surrogate": choose_greedily,
        "random": choose_at_random,
    }
    found: dict[str, dict[str, list[float]]] = {name: {measure: [] for measure in MEASURES} for name in choosers}
    for seed, policy in policies.items():
        for name, choose in choosers.items():
            measured = train.play_models(jax.random.key(1000 + seed), dict(np.load(policy)), choose, MODELS, 5, 20, 1)
            for measure in MEASURES:
                found[name][measure].append(float(measured[measure].mean()))
    return found


def choose_at_random(key: Any, parameters: Any, state: Any) -> Any:
    """Any variable, and any value."""
    causal, jax = example_module("causal"), import_module("jax")
    of_variable, of_value = jax.random.split(key)
    variable = jax.random.randint(of_variable, (), 0, len(state.counts))
    return causal.Intervention(variable, jax.random.uniform(of_value, minval=-causal.LIMIT, maxval=causal.LIMIT))


def choose_greedily(key: Any, parameters: Any, state: Any) -> Any:
    """The variable with the largest expected effect, at the limit that raises the target; ties by chance."""
    causal, jax, jnp = example_module("causal"), import_module("jax"), import_module("jax.numpy")
    effects = causal.direct_effects(state) + 1e-6 * jax.random.normal(key, state.counts.shape)
    variable = jnp.argmax(jnp.abs(effects))
    return causal.Intervention(variable, causal.LIMIT * jnp.sign(effects[variable]))


def summarize(values: list[float]) -> tuple[float, float]:
    """The mean over the seeds, and its standard error."""
    return mean(values), stdev(values) / len(values) ** 0.5


def main() -> None:
    """Print the table of the README; fail when the policy is not better by more than two standard errors."""
    with tempfile.TemporaryDirectory() as directory:
        found = play_unseen_models({seed: train(seed, Path(directory), sys.argv[1:]) for seed in SEEDS})
    print("| choice | " + " | ".join(MEASURES.values()) + " |\n| --- |" + " --- |" * len(MEASURES))
    for name, measures in found.items():
        cells = ["{:.2f} ± {:.2f}".format(*summarize(measures[measure])) for measure in MEASURES]
        print(f"| {name} | {' | '.join(cells)} |")
    policy, failed = found["trained policy"], []
    for name in list(found)[1:]:
        for measure, title in MEASURES.items():
            mean, error = summarize([a - b for a, b in zip(policy[measure], found[name][measure], strict=True)])
            print(f"trained policy less {name}, {title}: {mean:.3f} ± {error:.3f}")
            failed += [title] if mean < 2 * error else []
    sys.exit(f"not better by two standard errors: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
