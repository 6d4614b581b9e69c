"""Train an ACBO policy: in this directory, `python train.py`, or `python train.py grpo.group_size=32 seed=2`.

The policy learns to choose interventions on causal models that it has never seen. The run's directory is that of
`ACBO_RUN_DIR`, or of a point of the sweep in `ACBO_SWEEP`, else `run`. A run that was killed goes on from its last
checkpoint when it is started again, and ends as if it had not been killed.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import causal
import grpo
import jax
import jax.numpy as jnp
import numpy as np
from causal import LIMIT, Intervention, State
from configuration import ExperimentConfig
from grpo import Group, Parameters, policy_network
from jax import Array
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track

import acbo_settings
from acbo_settings import EvaluationConfig, exploration_temperature, learning_rate

TEST_MODELS, TEST_SEED = 256, 2**31
"""How many models an evaluation plays, and their seed: the same models in each run, and unseen in all of them."""

COUNTED: tuple[str, ...] = (
    "evaluations",
    "checkpoints",
    "log lines",
    "surrogate updates",
    "gradient updates",
    "sampled interventions",
)

Chooser = Callable[[Array, Any, State], Intervention]


class Progress(NamedTuple):
    """How far a training is; a checkpoint holds all of it."""

    next_step: int
    parameters: Parameters
    optimizer_state: Any
    model: Array
    state: State
    best_target: float
    stale_evaluations: int
    counts: dict[str, int]

    def counted(self, name: str, times: int = 1) -> Progress:
        """The same, after something has happened so many times more."""
        return self._replace(counts=self.counts | {name: self.counts[name] + times})


def choose_by_policy(key: Array, parameters: Any, state: State) -> Intervention:
    """What the policy chooses when it no longer explores."""
    choice = policy_network(parameters, state)
    return grpo.sample_intervention(key, choice, jnp.zeros_like(choice.logits))


@partial(jax.jit, static_argnames=("choose", "number", "variables", "interventions", "surrogate_update_frequency"))
def play_models(
    key: Array,
    parameters: Any,
    choose: Chooser,
    number: int,
    variables: int,
    interventions: int,
    surrogate_update_frequency: int,
) -> dict[str, Array]:
    """Intervene on models, and measure each of them.

    `target` is the mean of the target and `best` its largest value, `structure` how certain the true parents are in the
    end, and `diversity` the entropy of the chosen variables in bits. Reads `models.variables`, `models.interventions`
    and `surrogate_update_frequency`, which counts the interventions on a model here.
    """

    def step(model: Array, state: State, numbered: tuple[Array, Array]) -> tuple[State, Array]:
        of_choice, of_outcome = jax.random.split(numbered[1])
        is_due = numbered[0] % surrogate_update_frequency == 0
        state = jax.lax.cond(is_due, causal.update_surrogate, lambda state: state, state)
        chosen = choose(of_choice, parameters, state)
        chosen = chosen._replace(value=jnp.clip(chosen.value, -LIMIT, LIMIT))
        outcome = causal.draw_outcome(of_outcome, model, chosen)
        return causal.observe(state, chosen, outcome), outcome[-1]

    def play(key: Array) -> dict[str, Array]:
        model = causal.draw_model(key, variables)
        numbered = (jnp.arange(interventions), jax.random.split(jax.random.fold_in(key, 1), interventions))
        state, targets = jax.lax.scan(partial(step, model), causal.initial_state(variables), numbered)
        wrong = jnp.abs(causal.parent_probabilities(state) - (model[-1, :-1] != 0))
        shares = state.counts / interventions
        diversity = -jnp.sum(jax.scipy.special.xlogy(shares, shares)) / jnp.log(2)
        return {"target": targets.mean(), "best": targets.max(), "structure": 1 - wrong.mean(), "diversity": diversity}

    return jax.vmap(play)(jax.random.split(key, number))


class Trainer:
    """What takes the training of one configuration from step to step."""

    def __init__(self, config: ExperimentConfig) -> None:
        """Make the first policy, which is the reference of the KL penalty. Reads `seed` and `policy.width`."""
        self.config = config
        self.update_step, self.optimizer_init = grpo.create_grpo_trainer(policy_network, config.grpo.to_grpo_config())
        self.reference = grpo.init_policy(self.key(0), config.policy.width)

    def key(self, *numbers: int) -> Array:
        """The key of the random numbers for one purpose in one step. Reads `seed`."""
        return jax.tree.reduce(jax.random.fold_in, numbers, jax.random.key(self.config.seed))

    def start(self) -> Progress:
        """How far a training is before its first step. Reads `models.variables`."""
        variables, parameters = self.config.models.variables, self.reference
        optimizer_state, model = self.optimizer_init(parameters), causal.draw_model(self.key(1, 0), variables)
        state, counts = causal.initial_state(variables), dict.fromkeys(COUNTED, 0)
        return Progress(0, parameters, optimizer_state, model, state, -np.inf, 0, counts)

    def prepare(self, progress: Progress) -> Progress:
        """Draw the next model, and update the surrogate, if they are due.

        Reads `models` and `surrogate_update_frequency`.
        """
        step, models = progress.next_step, self.config.models
        if step % models.interventions == 0:
            model = causal.draw_model(self.key(1, step), models.variables)
            progress = progress._replace(model=model, state=causal.initial_state(models.variables))
        if step % self.config.surrogate_update_frequency == 0:
            progress = progress._replace(state=causal.update_surrogate(progress.state)).counted("surrogate updates")
        return progress

    def step(
        self, progress: Progress, share: Callable[[Group], Group] = lambda group: group
    ) -> tuple[Progress, Group, dict[str, float]]:
        """Sample a group, update the policy with it, and tell what was measured.

        The schedules are those of the plan: `learning_rate` and `exploration_temperature`. Reads `warmup_steps`,
        `grpo`, `rewards`, `exploration`, and what `prepare` reads. `share` gives the group to processes that train
        together.
        """
        config, step, progress = self.config, progress.next_step, self.prepare(progress)
        state, parameters = progress.state, progress.parameters
        stagnation, rate = int(state.stagnation), learning_rate(config, step)
        temperature = exploration_temperature(config, step, stagnation)
        bonus = grpo.exploration_bonus(state, config.exploration, temperature)
        group, next_state = grpo.sample_group(
            self.key(2, step), parameters, progress.model, state, bonus, config.grpo.group_size, config.rewards
        )
        parameters, optimizer_state, found = self.update_step(
            parameters, progress.optimizer_state, self.reference, state, bonus, share(group), rate
        )
        counts = progress.counts | {"gradient updates": int(optimizer_state[1].count)}
        progress = progress._replace(next_step=step + 1, parameters=parameters, state=next_state, counts=counts)
        progress = progress._replace(optimizer_state=optimizer_state).counted(
            "sampled interventions", len(group.rewards)
        )
        found |= {"reward": group.rewards.mean(), "bonus": bonus.max()}
        measured = {"learning_rate": rate, "temperature": temperature, "stagnation": stagnation}
        return progress, group, measured | {name: float(value) for name, value in found.items()}

    def evaluate(self, progress: Progress) -> tuple[Progress, dict[str, float]]:
        """Play the test models, and tell what is tracked. Reads `evaluation` and what `play_models` reads."""
        config, evaluation = self.config, self.config.evaluation
        found = play_models(
            jax.random.key(TEST_SEED),
            progress.parameters,
            choose_by_policy,
            TEST_MODELS,
            config.models.variables,
            config.models.interventions,
            config.surrogate_update_frequency,
        )
        is_tracked = {
            "target": evaluation.track_optimization,
            "best": evaluation.track_optimization,
            "structure": evaluation.track_structure_learning,
            "diversity": evaluation.track_intervention_diversity,
        }
        tracked = {name: float(found[name].mean()) for name in is_tracked if is_tracked[name]}
        return compare_with_best(progress.counted("evaluations"), tracked, evaluation), tracked


def compare_with_best(progress: Progress, tracked: dict[str, float], evaluation: EvaluationConfig) -> Progress:
    """Count the evaluations without improvement. Reads `evaluation.early_stopping_threshold`."""
    if "target" not in tracked:
        return progress
    if tracked["target"] - progress.best_target >= evaluation.early_stopping_threshold:
        return progress._replace(best_target=tracked["target"], stale_evaluations=0)
    return progress._replace(stale_evaluations=progress.stale_evaluations + 1)


class Record:
    """The files in which a run tells what happened. A checkpoint says how long they were."""

    def __init__(self, directory: Path, sizes: dict[str, int]) -> None:
        self.files = {}
        for name in ("log.jsonl", "trajectories.bin"):
            path, size = directory / name, sizes.get(name, 0)
            if size and (not path.exists() or path.stat().st_size < size):
                sys.exit(f"{path} is shorter than at the checkpoint: to train anew, take another ACBO_RUN_DIR")
            path.touch()
            self.files[name] = path.open("r+b")
            self.files[name].truncate(size)
            self.files[name].seek(size)

    def log_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """Write one line of JSON."""
        self.files["log.jsonl"].write(json.dumps({"step": step} | metrics).encode() + b"\n")

    def keep(self, step: int, group: Group) -> None:
        """Write step, variable, value, target and reward of each intervention, as little-endian floats of 4 bytes."""
        variables, values = group.interventions
        carried_out = np.clip(values, -LIMIT, LIMIT)
        columns = (np.full(len(group.rewards), step), variables, carried_out, group.targets, group.rewards)
        self.files["trajectories.bin"].write(np.stack([np.asarray(column, "<f4") for column in columns], 1).tobytes())

    def flush(self) -> dict[str, int]:
        """Bring everything to the disk, and tell how long the files are."""
        for file in self.files.values():
            file.flush()
            os.fsync(file.fileno())
        return {name: file.tell() for name, file in self.files.items()}

    def close(self) -> None:
        """Write what is left, and close the files."""
        for file in self.files.values():
            file.close()


def save_checkpoint(path: Path, progress: Progress, sizes: dict[str, int], fingerprint: str) -> None:
    """Save everything in one file, which replaces the one before as a whole."""
    leaves = {jax.tree_util.keystr(place): leaf for place, leaf in jax.tree_util.tree_leaves_with_path(progress)}
    beside = path.with_suffix(".new.npz")
    with beside.open("wb") as file:
        np.savez(file, fingerprint=fingerprint, sizes=json.dumps(sizes), **leaves)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def load_checkpoint(path: Path, start: Progress, fingerprint: str) -> tuple[Progress, dict[str, int]]:
    """How far the run is, and how long its files were then; the start when there is no checkpoint."""
    if not path.exists():
        if path.with_name("policy.npz").exists():
            sys.exit(f"{path} is gone, and the run was over: to train anew, take another ACBO_RUN_DIR")
        return start, {}
    try:
        file = np.load(path)
    except (BadZipFile, EOFError, ValueError) as error:
        sys.exit(f"{path} cannot be read ({error}): to train anew, take another ACBO_RUN_DIR")
    with file as saved:
        if saved["fingerprint"] != fingerprint:
            both = f"is of the configuration {saved['fingerprint']}, and the run of {fingerprint}"
            sys.exit(f"{path} {both}: take another ACBO_RUN_DIR")

        def restore(place: Any, leaf: Any) -> Any:
            """The saved value, as an array or as a number of Python."""
            value = saved[jax.tree_util.keystr(place)]
            return jnp.asarray(value) if isinstance(leaf, Array) else value.item()

        return jax.tree_util.tree_map_with_path(restore, start), json.loads(str(saved["sizes"]))


def train(config: ExperimentConfig, directory: Path) -> Progress:
    """Train to the end, or until early stopping; go on from the checkpoint of the run, if there is one.

    Reads `total_steps`, `log_frequency`, `save_trajectory_data` and `evaluation`.
    """
    trainer, evaluation = Trainer(config), config.evaluation
    checkpoint = directory / "checkpoint.npz"
    fingerprint = acbo_settings.load_frozen_config(directory, schema=ExperimentConfig).fingerprint
    progress, sizes = load_checkpoint(checkpoint, trainer.start(), fingerprint)
    if progress.next_step > config.total_steps:
        sys.exit(f"{checkpoint} is after {progress.next_step:,} steps, and total_steps is {config.total_steps:,}")
    if progress.next_step:
        print(f"going on at step {progress.next_step:,}", flush=True)
    steps = range(progress.next_step, config.total_steps)
    with closing(Record(directory, sizes)) as record:
        for step in track(steps, "training", console=Console(stderr=True)):
            if evaluation.early_stopping_enabled and progress.stale_evaluations >= evaluation.early_stopping_patience:
                break
            progress, group, metrics = trainer.step(progress)
            if config.save_trajectory_data:
                record.keep(step, group)
            if step % config.log_frequency == 0:
                progress = progress.counted("log lines")
                record.log_metrics(step, metrics)
            if step % evaluation.eval_frequency == 0:
                progress, tracked = trainer.evaluate(progress)
                record.log_metrics(step, tracked)
            if step % evaluation.checkpoint_frequency == 0:
                progress = progress.counted("checkpoints")
                save_checkpoint(checkpoint, progress, record.flush(), fingerprint)
    parameters: dict[str, Any] = progress.parameters
    np.savez(directory / "policy.npz", **parameters)
    return progress


def summarize(directory: Path) -> None:
    """Write what the last evaluation tracked, and draw the evaluations, or the rewards where nothing is tracked."""
    lines = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    evaluations = [line for line in lines if "reward" not in line]
    (directory / "metrics.json").write_text(json.dumps(evaluations[-1]))
    labels = {"target": "mean target on unseen models", "best": "best target on unseen models"}
    if not any("target" in line for line in lines):
        labels = {"reward": "reward of a group"}
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, label in labels.items():
        points = [(line["step"], line[name]) for line in lines if name in line]
        axes.plot(*zip(*points, strict=True), label=label)
    axes.set_xlabel("training step")
    axes.legend()
    figure.savefig(directory / "curve.png")


def main() -> None:
    """Load the configuration, show the plan, train, and show what happened."""
    named = {"ACBO_RUN_DIR", "ACBO_SWEEP"} & os.environ.keys()
    try:
        config = acbo_settings.load_training_config(
            overrides=sys.argv[1:], schema=ExperimentConfig, run_dir=None if named else "run"
        )
    except acbo_settings.ConfigurationError as error:
        sys.exit(str(error))
    plan, directory = acbo_settings.plan_training(config), acbo_settings.run_directory()
    planned = {event.name: event.count for event in plan.recurring}
    planned |= {"gradient updates": plan.gradient_updates, "sampled interventions": plan.sampled_interventions}
    print(f"{os.path.relpath(directory)}: configuration {config.fingerprint}, {plan.total_steps:,} steps, planned:")
    print(*(f"{name:<24}{planned[name]:>10,}" for name in COUNTED), *plan.never, sep="\n", flush=True)
    progress = train(config, directory)
    summarize(directory)
    acbo_settings.mark_done()
    if progress.next_step < config.total_steps:
        print(f"stopped early: {progress.stale_evaluations} evaluations in a row were no improvement")
    print(f"after {progress.next_step:,} steps, planned and happened:")
    print(*(f"{name:<24}{planned[name]:>10,}{progress.counts[name]:>10,}" for name in COUNTED), sep="\n")


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        print("`acbo-settings explain` tells of all settings.")
        sys.exit()
    try:
        main()
    except KeyboardInterrupt:
        print("stopped; started again, it goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        sys.exit(f"train.py: {error}")
