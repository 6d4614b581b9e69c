"""Each setting does what its doc says: changed in the training of `examples/acbo`, it changes what is seen there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from acbo_settings.engine.schema import Schema

from .conftest import Trainings
from .example import EXAMPLE, SMALL, Training

ONE_STEP = {"total_steps": 1, "grpo.num_iterations": 1, "grpo.entropy_coeff": 0.0}
WEIGHTS = {"optimization": 1.0, "structure": 0.5, "parent": 0.3, "exploration": 0.1}
ONE_REWARD = {f"rewards.{name}_weight": 0.0 for name in WEIGHTS} | {"rewards.reward_scaling": "none"}
ONE_BONUS = {
    f"exploration.{name}": 0.0 for name in ("uncertainty_weight", "count_weight", "variable_uncertainty_weight")
}
COOLED = {"exploration.adaptation_steps": 1}
STOPPING = {
    "evaluation.early_stopping_enabled": True,
    "evaluation.early_stopping_patience": 1,
    "evaluation.early_stopping_threshold": 1e9,
}

Proof = Callable[[Trainings], None]
PROOFS: dict[str, Proof] = {}


def proof(key: str) -> Callable[[Proof], Proof]:
    """Name the setting that a function proves."""

    def enter(function: Proof) -> Proof:
        """Enter it into the table."""
        PROOFS[key] = function
        return function

    return enter


def settings_of_the_example() -> list[str]:
    """The keys of all settings, those of the example included; its schema needs no jax."""
    if str(EXAMPLE) not in sys.path:
        sys.path.append(str(EXAMPLE))
    schema = Schema.of(import_module("configuration").ExperimentConfig)
    return [".".join(path) for path in schema.defaults]


def test_every_setting_has_a_proof() -> None:
    """A new setting without an entry in the table fails here, and so does an entry for none."""
    assert sorted(PROOFS) == sorted(settings_of_the_example())


@pytest.mark.heavy
@pytest.mark.parametrize("key", settings_of_the_example())
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_setting(key: str, train: Trainings) -> None:
    """The setting changes what it says, in the direction or by the number that it says."""
    PROOFS[key](train)


def same(first: Any, second: Any) -> bool:
    """Whether two arrays are equal, byte for byte."""
    return bool(first.shape == second.shape and first.tobytes() == second.tobytes())


def close(first: Any, second: Any) -> bool:
    """Whether numbers of four bytes are equal."""
    import numpy

    return bool(numpy.allclose(first, second, rtol=2e-5, atol=1e-6))


def first_rewards(training: Training) -> Any:
    """The rewards of the first group, whose interventions no reward has influenced."""
    return training.of_step(0)[:, 4]


# The training


@proof("total_steps")
def _(train: Trainings) -> None:
    """So many steps are trained, and a longer run begins as the shorter one."""
    shorter, longer = train({}), train({"total_steps": 15})
    assert (shorter.progress.next_step, longer.progress.next_step) == (12, 15)
    assert same(longer.interventions[: 12 * 8], shorter.interventions)


@proof("warmup_steps")
def _(train: Trainings) -> None:
    """The rate grows over so many training steps, however many updates each makes; the first step changes nothing."""
    warm = train({"warmup_steps": 4})
    assert [step["learning_rate"] / 3e-4 for step in warm.steps[:6]] == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])
    assert warm.progress.counts["gradient updates"] == 4 * 12
    assert warm.rates == [step["learning_rate"] for step in warm.steps]
    first_saved = {"total_steps": 2, "evaluation.checkpoint_frequency": 2}
    unchanged, changed = (train({**first_saved, "warmup_steps": steps}) for steps in (1, 0))
    assert same(saved_parameters(unchanged), initial_parameters(unchanged))
    assert not same(saved_parameters(changed), initial_parameters(changed))


def saved_parameters(training: Training) -> Any:
    """What the checkpoint holds of one layer of the policy."""
    return training.checkpoint[".parameters['out']"]


def initial_parameters(training: Training) -> Any:
    """The same layer before the training."""
    import numpy

    return numpy.asarray(import_module("train").Trainer(training.config).reference["out"])


@proof("surrogate_update_frequency")
def _(train: Trainings) -> None:
    """The surrogate is updated at every so many steps, and what the policy sees is older."""
    often, rarely = train({}), train({"surrogate_update_frequency": 5})
    assert [each.progress.counts["surrogate updates"] for each in (often, rarely)] == [12, 3]
    assert same(often.of_step(0), rarely.of_step(0))
    assert not same(often.of_step(2), rarely.of_step(2))


@proof("log_frequency")
def _(train: Trainings) -> None:
    """Every so many steps there is a log line, and the training is the same."""
    often, rarely = train({}), train({"log_frequency": 5})
    assert [line["step"] for line in rarely.lines] == [0, 5, 10]
    assert len(often.lines) == 12
    assert same(often.parameters, rarely.parameters)


@proof("save_trajectory_data")
def _(train: Trainings) -> None:
    """Without it no intervention is kept, and the training is the same."""
    kept, lost = train({}), train({"save_trajectory_data": False})
    assert (len(kept.interventions), len(lost.interventions)) == (12 * 8, 0)
    assert same(kept.parameters, lost.parameters)


# GRPO


@proof("grpo.group_size")
def _(train: Trainings) -> None:
    """So many interventions are sampled in each step."""
    for size in (8, 16):
        training = train({"grpo.group_size": size})
        assert [len(training.of_step(step)) for step in range(12)] == [size] * 12


@proof("grpo.num_iterations")
def _(train: Trainings) -> None:
    """Each group is used so often; once keeps the ratio at 1, and clip_ratio has no effect then."""
    once, often = train({"grpo.num_iterations": 1}), train({"grpo.num_iterations": 4})
    assert [each.progress.counts["gradient updates"] for each in (once, often)] == [12, 48]
    assert (
        max(step["ratio_deviation"] for step in once.steps)
        < 1e-6
        < min(step["ratio_deviation"] for step in often.steps)
    )
    assert same(train({"grpo.num_iterations": 1, "grpo.clip_ratio": 0.01}).parameters, once.parameters)


@proof("grpo.learning_rate")
def _(train: Trainings) -> None:
    """The first step of Adam is as long as the rate says."""
    moved = [moved_by(train({**ONE_STEP, "grpo.learning_rate": rate})) for rate in (1e-4, 1e-3)]
    assert close(10 * moved[0], moved[1])


def moved_by(training: Training) -> Any:
    """How far one layer is from where it began."""
    return training.progress.parameters["out"] - initial_parameters(training)


@proof("grpo.max_grad_norm")
def _(train: Trainings) -> None:
    """Adam sees a gradient of at most this norm, and a value above the largest norm has no effect."""
    small = train({**ONE_STEP, "grpo.max_grad_norm": 0.01})
    assert small.steps[0]["gradient_norm"] > 0.01
    assert close(norm_of(small.progress.optimizer_state[1].mu), 0.1 * 0.01)  # Adam's mean begins with a tenth
    largest = max(step["gradient_norm"] for step in train({"grpo.max_grad_norm": 10.0}).steps)
    assert largest < 9.0
    assert same(train({"grpo.max_grad_norm": 9.0}).parameters, train({"grpo.max_grad_norm": 10.0}).parameters)


def norm_of(tree: Any) -> float:
    """The norm over all parameters."""
    return float(sum((leaf**2).sum() for leaf in tree.values()) ** 0.5)


@proof("grpo.clip_ratio")
def _(train: Trainings) -> None:
    """The smaller it is, the less the ratio leaves 1 before its gradient is cut."""
    rate = {"grpo.learning_rate": 0.01, "grpo.num_iterations": 10, "grpo.entropy_coeff": 0.0}
    tight, wide = (train({**rate, "grpo.clip_ratio": ratio}).steps[0]["ratio_deviation"] for ratio in (0.01, 1.0))
    assert 0.01 < tight < wide


@proof("grpo.entropy_coeff")
def _(train: Trainings) -> None:
    """The larger it is, the more the policy's choice stays spread."""
    rate = {"grpo.learning_rate": 0.01}
    little, much = (train({**rate, "grpo.entropy_coeff": weight}).steps[-1]["entropy"] for weight in (0.0, 10.0))
    assert little < much


@proof("grpo.kl_penalty_coeff")
def _(train: Trainings) -> None:
    """At 0 the penalty is left out; the larger it is, the nearer the policy stays to the one at the start."""
    rate = {"grpo.learning_rate": 0.01}
    none, little, much = (train({**rate, "grpo.kl_penalty_coeff": weight}).steps for weight in (0.0, 1e-3, 100.0))
    assert {step["kl"] for step in none} == {0.0}
    assert 0 < much[-1]["kl"] < little[-1]["kl"]
    once = train({**rate, "grpo.kl_penalty_coeff": 1e-3, "grpo.num_iterations": 1}).steps
    assert once[0]["kl"] < 1e-6 < once[2]["kl"]  # as far as the policy is from the start of the run, not of the step


@proof("grpo.scale_rewards")
def _(train: Trainings) -> None:
    """Advantages, and with them the gradient, are divided by the deviation of the group."""
    scaled, unscaled = (train({**ONE_STEP, "grpo.scale_rewards": each}) for each in (True, False))
    deviation = first_rewards(scaled).std()
    assert close(unscaled.steps[0]["gradient_norm"] / scaled.steps[0]["gradient_norm"], deviation + 1e-8)


# Rewards


@proof("rewards.optimization_weight")
def _(train: Trainings) -> None:
    """It weighs by how much the target is above the best value before."""
    for weight in (1.0, 2.0):
        training = train({**ONE_REWARD, "rewards.optimization_weight": weight})
        first, second = training.of_step(0), training.of_step(1)
        assert close(first[:, 4], weight * first[:, 3])  # nothing was seen before
        assert close(second[:, 4], weight * (second[:, 3] - first[0, 3]))  # the first one was carried out


@proof("rewards.structure_weight")
def _(train: Trainings) -> None:
    """It weighs what an outcome reveals: bits by which the posterior over the sets of parents is narrower."""
    one, two = (first_rewards(train({**ONE_REWARD, "rewards.structure_weight": weight})) for weight in (1.0, 2.0))
    assert close(2 * one, two)
    assert 0 < one.max() < 3  # bits, of which eight sets have three


@proof("rewards.parent_weight")
def _(train: Trainings) -> None:
    """It weighs the probability that the variable is a parent, which is a half before anything was seen."""
    for weight in (1.0, 3.0):
        training = train({**ONE_REWARD, "rewards.parent_weight": weight})
        assert close(first_rewards(training), weight / 2)
        assert 0 <= training.interventions[:, 4].min() < training.interventions[:, 4].max() <= weight


@proof("rewards.exploration_weight")
def _(train: Trainings) -> None:
    """It weighs novelty: 1 - the share of the earlier interventions that were on the variable."""
    for weight in (1.0, 3.0):
        training = train({**ONE_REWARD, "rewards.exploration_weight": weight})
        assert close(first_rewards(training), weight)
        carried_out, second = training.of_step(0)[0, 1], training.of_step(1)
        assert close(second[:, 4], weight * (second[:, 1] != carried_out))


@proof("rewards.reward_scaling")
def _(train: Trainings) -> None:
    """A reward is squashed, cut off, or left as it is; then, with scaled advantages, only the ratio of weights acts."""
    import numpy

    scaled = {
        scaling: first_rewards(train({"rewards.reward_scaling": scaling, "rewards.reward_clip_value": 0.5}))
        for scaling in ("none", "tanh", "clip")
    }
    assert abs(scaled["none"]).max() > 0.5
    assert close(scaled["tanh"], 0.5 * numpy.tanh(scaled["none"] / 0.5))
    assert close(scaled["clip"], numpy.clip(scaled["none"], -0.5, 0.5))
    doubled = {f"rewards.{name}_weight": 2 * weight for name, weight in WEIGHTS.items()}
    one, two = (train({"rewards.reward_scaling": "none"} | weights) for weights in ({}, doubled))
    assert close(2 * first_rewards(one), first_rewards(two))
    assert numpy.allclose(one.parameters, two.parameters, atol=1e-5)


@proof("rewards.reward_clip_value")
def _(train: Trainings) -> None:
    """No scaled reward is larger, and without scaling it has no effect."""
    for value in (0.25, 0.5):
        clipped = train({"rewards.reward_scaling": "clip", "rewards.reward_clip_value": value})
        assert abs(clipped.interventions[:, 4]).max() == value
    unscaled = [train({"rewards.reward_scaling": "none", "rewards.reward_clip_value": value}) for value in (0.25, 0.5)]
    assert same(unscaled[0].parameters, unscaled[1].parameters)


# Exploration: before anything was seen of a model with three variables, there are three bits, each variable is as
# uncertain as it can be, and none was tried. So the bonus is (3 u + c + v) / temperature, with the three weights.


@proof("exploration.strategy_type")
def _(train: Trainings) -> None:
    """One strategy keeps the bonus as it is, the other one cools it down; a new model begins at step 6."""
    guided, adaptive = (train({"exploration.strategy_type": name}) for name in ("uncertainty_guided", "adaptive"))
    assert [guided.steps[step]["bonus"] for step in (0, 6)] == pytest.approx([3.6, 3.6], rel=1e-5)
    assert adaptive.steps[0]["bonus"] == pytest.approx(3.6, rel=1e-5)
    assert adaptive.steps[6]["bonus"] < 3.5
    assert {step["temperature"] for step in guided.steps} == {1.0}


def prove_bonus(train: Trainings, key: str, factor: float) -> None:
    """One weight alone gives a bonus of so many times the weight, under both strategies."""
    for strategy in ("uncertainty_guided", "adaptive"):
        for weight in (1.0, 2.5):
            training = train({**ONE_BONUS, f"exploration.{key}": weight, "exploration.strategy_type": strategy})
            assert training.steps[0]["bonus"] == pytest.approx(factor * weight, rel=1e-5)


@proof("exploration.uncertainty_weight")
def _(train: Trainings) -> None:
    """It weighs the bits of uncertainty about the structure."""
    prove_bonus(train, "uncertainty_weight", 3)


@proof("exploration.count_weight")
def _(train: Trainings) -> None:
    """It weighs how rarely a variable was intervened on."""
    prove_bonus(train, "count_weight", 1)


@proof("exploration.variable_uncertainty_weight")
def _(train: Trainings) -> None:
    """It weighs the uncertainty about the single variable."""
    prove_bonus(train, "variable_uncertainty_weight", 1)


@proof("exploration.temperature")
def _(train: Trainings) -> None:
    """The bonus is divided by it, under both strategies."""
    for strategy in ("uncertainty_guided", "adaptive"):
        halved = train({"exploration.temperature": 2.0, "exploration.strategy_type": strategy})
        assert halved.steps[0]["bonus"] == pytest.approx(1.8, rel=1e-5)


@proof("exploration.initial_temperature")
def _(train: Trainings) -> None:
    """It is the temperature at the start, and with the same final one a larger one explores less in the end."""
    low, high = (train({"exploration.initial_temperature": value, **COOLED}) for value in (2.0, 4.0))
    assert [each.steps[0]["temperature"] for each in (low, high)] == [2.0, 4.0]
    assert [each.steps[0]["bonus"] for each in (low, high)] == pytest.approx([3.6, 3.6], rel=1e-5)
    assert [each.steps[6]["bonus"] for each in (low, high)] == pytest.approx([3.6 * 0.05, 3.6 * 0.025], rel=1e-5)


@proof("exploration.final_temperature")
def _(train: Trainings) -> None:
    """It is the temperature once the run has cooled down; the bonus is then final / initial of the first."""
    for value in (0.1, 0.5):
        cooled = train({"exploration.final_temperature": value, **COOLED}).steps[6]
        assert (cooled["stagnation"], cooled["temperature"]) == (0, value)
        assert cooled["bonus"] == pytest.approx(3.6 * value / 2, rel=1e-5)


@proof("exploration.adaptation_steps")
def _(train: Trainings) -> None:
    """So many steps lie between the initial and the final temperature, on a line."""
    for steps in (6, 12):
        at_new_model = train({"exploration.adaptation_steps": steps}).steps[6]
        assert at_new_model["temperature"] == pytest.approx(2 - 1.9 * 6 / steps)


@proof("exploration.stagnation_threshold")
def _(train: Trainings) -> None:
    """The longer nothing improves, the higher the temperature, until there is half of the threshold."""
    for threshold in (2, 8):
        long = {"models.interventions": 12, **COOLED}
        steps = train({**long, "exploration.stagnation_threshold": threshold}).steps[1:]
        assert {step["stagnation"] for step in steps} >= {0, 1, 2}
        for step in steps:
            share = min(step["stagnation"] / threshold, 0.5)
            assert step["temperature"] == pytest.approx(0.1 + share * 1.9)


# Evaluation


@proof("evaluation.eval_frequency")
def _(train: Trainings) -> None:
    """Every so many steps there is an evaluation, after the update, and the training is the same."""
    often, rarely = train({}), train({"evaluation.eval_frequency": 7})
    assert [[line["step"] for line in each.evaluations] for each in (often, rarely)] == [[0, 4, 8], [0, 7]]
    assert same(often.parameters, rarely.parameters)
    slow, quick = (train({"grpo.learning_rate": rate}).evaluations[0] for rate in (1e-4, 0.01))
    assert slow != quick  # the evaluation of step 0 has seen its update


@proof("evaluation.checkpoint_frequency")
def _(train: Trainings) -> None:
    """Every so many steps there is a checkpoint, after the update."""
    for every, last in ((5, 10), (12, 0)):
        training = train({"evaluation.checkpoint_frequency": every})
        assert training.progress.counts["checkpoints"] == last / every + 1
        assert int(training.checkpoint[".next_step"]) == last + 1


def prove_tracking(train: Trainings, key: str, names: set[str]) -> None:
    """These numbers are in an evaluation when the setting says so, and the training is the same."""
    tracked, untracked = train({}), train({f"evaluation.{key}": False})
    assert set(tracked.evaluations[0]) - set(untracked.evaluations[0]) == names
    assert same(tracked.parameters, untracked.parameters)


@proof("evaluation.track_optimization")
def _(train: Trainings) -> None:
    """How the target improves is recorded; without it early stopping has nothing to watch."""
    prove_tracking(train, "track_optimization", {"target", "best"})
    assert train({**STOPPING, "evaluation.track_optimization": False}).progress.next_step == 12


@proof("evaluation.track_structure_learning")
def _(train: Trainings) -> None:
    """How well the structure is known is recorded."""
    prove_tracking(train, "track_structure_learning", {"structure"})


@proof("evaluation.track_intervention_diversity")
def _(train: Trainings) -> None:
    """How varied the interventions are is recorded."""
    prove_tracking(train, "track_intervention_diversity", {"diversity"})


@proof("evaluation.early_stopping_enabled")
def _(train: Trainings) -> None:
    """Only when it is on, a run stops when evaluations no longer improve."""
    stopped = train(STOPPING)
    assert stopped.progress.next_step == 4 + 1  # the second evaluation is no improvement
    assert train({**STOPPING, "evaluation.early_stopping_enabled": False}).progress.next_step == 12


@proof("evaluation.early_stopping_patience")
def _(train: Trainings) -> None:
    """It counts evaluations, not steps."""
    for patience in (1, 2):
        stopped = train({**STOPPING, "evaluation.early_stopping_patience": patience})
        assert stopped.progress.next_step == patience * 4 + 1


@proof("evaluation.early_stopping_threshold")
def _(train: Trainings) -> None:
    """A change that is smaller is no improvement."""
    long = {"total_steps": 60, "grpo.learning_rate": 0.01, "evaluation.early_stopping_enabled": True}
    for threshold in (1e-4, 0.3):
        training = train(
            {**long, "evaluation.early_stopping_patience": 2, "evaluation.early_stopping_threshold": threshold}
        )
        assert training.progress.next_step == expected_end(training, threshold)
    assert training.progress.next_step < 60


def expected_end(training: Training, threshold: float) -> int:
    """After how many steps two evaluations in a row have not been better by the threshold than the best one before."""
    best, stale = -float("inf"), 0
    for line in training.evaluations:
        best, stale = (line["target"], 0) if line["target"] - best >= threshold else (best, stale + 1)
        if stale == 2:
            return int(line["step"]) + 1
    return 60


# What the example adds


@proof("seed")
def _(train: Trainings) -> None:
    """Another seed has other random numbers from the first step on."""
    assert not same(train({}).of_step(0), train({"seed": 1}).of_step(0))


@proof("policy.width")
def _(train: Trainings) -> None:
    """The layers are so wide."""
    assert [train({"policy.width": width}).progress.parameters["query"].shape for width in (4, 6)] == [(4, 4), (6, 6)]


@proof("models.variables")
def _(train: Trainings) -> None:
    """The models have so many variables, the target among them."""
    for variables in (3, 5):
        training = train({"models.variables": variables, "grpo.group_size": 64})
        assert set(training.of_step(0)[:, 1]) == set(range(variables - 1))


@proof("models.interventions")
def _(train: Trainings) -> None:
    """After so many steps nothing is known, because the model is a new one."""
    for interventions in (3, 6):
        training = train({"models.interventions": interventions, "exploration.strategy_type": "uncertainty_guided"})
        assert all(step["stagnation"] == 0 for step in training.steps[::interventions])
        new = [number for number, step in enumerate(training.steps) if step["bonus"] == pytest.approx(3.6, rel=1e-5)]
        assert new == list(range(0, 12, interventions))


assert SMALL["models.variables"] == 4, "the numbers above are those of three variables and a target"
