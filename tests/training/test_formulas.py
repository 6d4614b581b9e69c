"""The formulas of the docs, computed once more with numpy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy
import pytest

from acbo_settings import EvaluationConfig, ExplorationTrainingConfig, GRPOTrainingConfig, RewardTrainingConfig

from .example import example_module

pytestmark = pytest.mark.heavy


def test_the_loss_is_that_of_the_docs() -> None:
    """Clipped on both sides with the minimum, entropy with the bonus, KL by the estimator of the reference."""
    causal, grpo = example_module("causal"), example_module("grpo")
    jax = pytest.importorskip("jax")
    bonus = numpy.array([1.0, 0.0, 0.5])
    rewards, old_shift = numpy.array([2.0, -1.0, 0.5, -3.0]), numpy.array([0.6, -0.6, 0.05, 0.6])
    taken = causal.Intervention(numpy.array([0, 1, 2, 0]), numpy.array([0.1, -0.4, 0.7, 0.0]))

    def network(parameters: Any, state: Any) -> Any:
        """A policy whose parameters are its logits."""
        return grpo.Choice(parameters, 0 * parameters, 0 * parameters)

    def log_probabilities(logits: Any) -> Any:
        """Of what was taken, and of each variable."""
        of_variables = logits + bonus - numpy.log(numpy.exp(logits + bonus).sum())
        return of_variables[taken.variable] - taken.value**2 / 2 - numpy.log(2 * numpy.pi) / 2, of_variables

    logits, reference = numpy.array([0.3, -0.2, 0.1]), numpy.array([-0.5, 0.4, 0.0])
    (new, of_variables), (of_reference, _) = log_probabilities(logits), log_probabilities(reference)
    config = GRPOTrainingConfig(clip_ratio=0.2, entropy_coeff=0.5, kl_penalty_coeff=2.0).to_grpo_config()
    group = grpo.Group(taken, new - old_shift, rewards, rewards)
    loss, measured = grpo.grpo_loss(*map(jax.numpy.asarray, (logits, reference)), None, bonus, group, network, config)
    ratio, advantages = numpy.exp(old_shift), (rewards - rewards.mean()) / (rewards.std() + 1e-8)
    surrogate = numpy.minimum(ratio * advantages, numpy.clip(ratio, 0.8, 1.2) * advantages).mean()
    entropy = -(numpy.exp(of_variables) * of_variables).sum() + numpy.log(2 * numpy.pi * numpy.e) / 2
    kl = (numpy.exp(of_reference - new) - (of_reference - new) - 1).mean()
    assert float(loss) == pytest.approx(-surrogate - 0.5 * entropy + 2.0 * kl, rel=1e-4)
    assert float(measured["kl"]) == pytest.approx(kl, rel=1e-4)


def test_the_bonus_is_that_of_the_docs() -> None:
    """With sets of parents that are not equally likely, and counts that differ."""
    causal, grpo = example_module("causal"), example_module("grpo")
    state = causal.initial_state(4)
    posterior = numpy.array([1, 2, 3, 4, 5, 6, 7, 12], "f4") / 40
    surrogate = state.surrogate._replace(log_posterior=numpy.log(posterior))
    state = state._replace(counts=numpy.array([4.0, 1.0, 0.0], "f4"), surrogate=surrogate)
    q = posterior @ ((numpy.arange(8)[:, None] >> numpy.arange(3)) & 1)
    bits, uncertain = -(posterior * numpy.log2(posterior)).sum(), 1 - abs(2 * q - 1)
    config = ExplorationTrainingConfig(uncertainty_weight=1.5, count_weight=0.7, variable_uncertainty_weight=0.4)
    expected = 1.5 * bits * uncertain + 0.7 * (1 - numpy.array([0.8, 0.2, 0.0])) + 0.4 * uncertain
    found = grpo.exploration_bonus(state, config, 0.5)
    assert numpy.allclose(found, expected * 0.5 / 2.0, rtol=1e-4)


def test_the_log_probability_of_a_group_contains_the_bonus() -> None:
    """What was sampled with a bonus has the probability that the bonus gave it."""
    causal, grpo = example_module("causal"), example_module("grpo")
    jax = pytest.importorskip("jax")
    key, state, bonus = jax.random.key(1), causal.initial_state(4), numpy.array([2.0, 0.0, -3.0], "f4")
    parameters, model = grpo.init_policy(key, 4), causal.draw_model(key, 4)
    group, _ = grpo.sample_group(key, parameters, model, state, bonus, 64, RewardTrainingConfig())
    choice = grpo.policy_network(parameters, state)
    without = jax.vmap(partial(grpo.log_probability, choice, 0 * bonus))(group.interventions)
    shift = bonus - numpy.log(numpy.exp(choice.logits + bonus).sum() / numpy.exp(choice.logits).sum())
    added = numpy.asarray(group.log_probabilities - without)
    assert numpy.allclose(added, shift[group.interventions.variable], atol=1e-5)


def test_rewards_are_those_of_the_docs() -> None:
    """Each part of the reward alone, after some interventions: of this variable, in bits, over the best before."""
    causal = example_module("causal")
    jax = pytest.importorskip("jax")
    states = [causal.initial_state(4)]
    model = causal.draw_model(jax.random.key(3), 4)
    on_each = [causal.Intervention(numpy.array(variable), numpy.array(1.5, "f4")) for variable in (0, 0, 1, 2, 0)]
    outcomes = [causal.draw_outcome(jax.random.key(number), model, each) for number, each in enumerate(on_each)]
    for each, seen in zip(on_each, outcomes, strict=True):
        states.append(causal.observe(causal.update_surrogate(states[-1]), each, seen))
    before, after, taken, outcome = causal.update_surrogate(states[-2]), states[-1], on_each[-1], outcomes[-1]
    bits = [-(numpy.exp(each) * each).sum() / numpy.log(2) for each in map(log_posterior, (before, after))]
    sets = (numpy.arange(8)[:, None] >> numpy.arange(3)) & 1
    parts = {
        "optimization": float(outcome[-1]) - float(before.best),
        "structure": bits[0] - bits[1],
        "parent": (numpy.exp(log_posterior(before)) @ sets)[0],
        "exploration": 1 - 2 / 4,
    }
    for name, expected in parts.items():
        weights = dict.fromkeys(parts, 0.0) | {name: 1.0}
        found = causal.compute_reward(before, taken, outcome, after, weights=weights, scaling="none", clip_value=1.0)
        assert float(found) == pytest.approx(expected, rel=1e-4)


def log_posterior(state: Any) -> Any:
    """The logarithm of how likely each set of parents is, with all digits."""
    return numpy.asarray(state.surrogate.log_posterior, "f8")


def test_early_stopping_compares_with_the_best() -> None:
    """An evaluation is an improvement over the best one before, not over the last one, and resets the count."""
    train = example_module("train")
    evaluation = EvaluationConfig(early_stopping_threshold=0.5)
    progress = train.Progress(0, {}, None, None, None, -numpy.inf, 0, {})
    found = []
    for target in (1.0, 0.2, 0.9, 1.4, 1.5, 1.6):
        progress = train.compare_with_best(progress, {"target": target}, evaluation)
        found.append((progress.best_target, progress.stale_evaluations))
    assert found == [(1.0, 0), (1.0, 1), (1.0, 2), (1.0, 3), (1.5, 0), (1.5, 1)]
