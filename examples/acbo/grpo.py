"""The policy and how it learns: attention over the variables, exploration, and the GRPO update with optax."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from causal import (
    LIMIT,
    Intervention,
    State,
    compute_reward,
    direct_effects,
    draw_outcome,
    novelty,
    observe,
    parent_probabilities,
    structure_bits,
)
from jax import Array
from jax.flatten_util import ravel_pytree

from acbo_settings import ExplorationTrainingConfig, GRPOConfig, RewardTrainingConfig

Parameters = dict[str, Array]


class Choice(NamedTuple):
    """What a policy would do: the logit of each variable, and mean and log deviation of the value for it."""

    logits: Array
    means: Array
    log_deviations: Array


class Group(NamedTuple):
    """Interventions sampled in one state, with their log-probabilities, the targets that followed and their rewards."""

    interventions: Intervention
    log_probabilities: Array
    targets: Array
    rewards: Array


PolicyNetwork = Callable[[Parameters, State], Choice]

FEATURES = 8
"""How many numbers the policy sees of each variable."""


@partial(jax.jit, static_argnames=("width",))
def init_policy(key: Array, width: int) -> Parameters:
    """Draw the first parameters of the policy. Reads `policy.width`."""
    shapes = {"embed": (FEATURES, width), "query": (width, width), "key": (width, width), "value": (width, width)}
    shapes |= {"hidden": (2 * width, width), "out": (width, 3)}
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()])
    parts = jnp.split(jax.random.normal(key, (ends[-1],)), ends[:-1])
    drawn = {
        name: part.reshape(shape) / jnp.sqrt(shape[0])
        for part, (name, shape) in zip(parts, shapes.items(), strict=True)
    }
    return drawn | {"embed_bias": jnp.zeros(width), "hidden_bias": jnp.zeros(width), "out": drawn["out"] * 0.01}


def features(state: State) -> Array:
    """What the policy sees of each variable.

    How likely it is a parent, and how uncertain that is; its direct effect; its total effect, which is the slope of the
    target over its own interventions, by ridge regression; how often it was intervened on.
    """
    probabilities = parent_probabilities(state)
    return jnp.stack(
        [
            probabilities,
            1 - jnp.abs(2 * probabilities - 1),
            direct_effects(state),
            jnp.abs(direct_effects(state)),
            state.effect / (state.strength + 1),
            jnp.abs(state.effect / (state.strength + 1)),
            novelty(state),
            jnp.log1p(state.counts),
        ],
        axis=1,
    )


def policy_network(parameters: Parameters, state: State) -> Choice:
    """One layer of self-attention over the variables (Vaswani et al., 2017), then a layer for each variable.

    Values are chosen around a mean within ±`LIMIT`, with a deviation of exp(-2.5) to exp(-0.5).
    """
    seen = jnp.tanh(features(state) @ parameters["embed"] + parameters["embed_bias"])
    query, key, value = (seen @ parameters[name] for name in ("query", "key", "value"))
    attended = jax.nn.softmax(query @ key.T / jnp.sqrt(seen.shape[1])) @ value
    hidden = jnp.tanh(jnp.concatenate([seen, attended], axis=1) @ parameters["hidden"] + parameters["hidden_bias"])
    logits, means, deviations = (hidden @ parameters["out"]).T
    return Choice(logits, LIMIT * jnp.tanh(means), jnp.tanh(deviations) - 1.5)


@partial(jax.jit, static_argnames=("exploration",))
def exploration_bonus(state: State, exploration: ExplorationTrainingConfig, temperature: float) -> Array:
    """What is added to the logit of each variable while the policy is still learning; formulas as in `exploration`.

    Reads `exploration.uncertainty_weight`, `count_weight`, `variable_uncertainty_weight` and `temperature`; under
    "adaptive" the sum is multiplied by the step's temperature / `initial_temperature`.
    """
    uncertain = 1 - jnp.abs(2 * parent_probabilities(state) - 1)
    bonus = (
        exploration.uncertainty_weight * structure_bits(state) * uncertain
        + exploration.count_weight * novelty(state)
        + exploration.variable_uncertainty_weight * uncertain
    ) / exploration.temperature
    return bonus * (temperature / exploration.initial_temperature) if exploration.strategy_type == "adaptive" else bonus


def log_probability(choice: Choice, bonus: Array, intervention: Intervention) -> Array:
    """The log-probability of an intervention, bonus included: old and new ones contain it alike."""
    variable, value = intervention
    of_value = jax.scipy.stats.norm.logpdf(value, choice.means[variable], jnp.exp(choice.log_deviations[variable]))
    return jax.nn.log_softmax(choice.logits + bonus)[variable] + of_value


def sample_intervention(key: Array, choice: Choice, bonus: Array) -> Intervention:
    """Sample a variable, then its value; `LIMIT` is applied when it is carried out."""
    of_variable, of_value = jax.random.split(key)
    variable = jax.random.categorical(of_variable, choice.logits + bonus)
    deviation = jnp.exp(choice.log_deviations[variable])
    return Intervention(variable, choice.means[variable] + deviation * jax.random.normal(of_value))


@partial(jax.jit, static_argnames=("group_size", "rewards"))
def sample_group(
    key: Array,
    parameters: Parameters,
    model: Array,
    state: State,
    bonus: Array,
    group_size: int,
    rewards: RewardTrainingConfig,
) -> tuple[Group, State]:
    """Sample a group of interventions in one state, with their rewards; the first of them leads to the next state.

    Reads `grpo.group_size` and `rewards`.
    """
    choice = policy_network(parameters, state)

    def play(key: Array) -> tuple[Group, State]:
        of_intervention, of_outcome = jax.random.split(key)
        sampled = sample_intervention(of_intervention, choice, bonus)
        intervention = sampled._replace(value=jnp.clip(sampled.value, -LIMIT, LIMIT))
        outcome = draw_outcome(of_outcome, model, intervention)
        next_state = observe(state, intervention, outcome)
        reward = compute_reward(
            state,
            intervention,
            outcome,
            next_state,
            weights=rewards.get_reward_weights(),
            scaling=rewards.reward_scaling,
            clip_value=rewards.reward_clip_value,
        )
        return Group(sampled, log_probability(choice, bonus, sampled), outcome[-1], reward), next_state

    group, next_states = jax.vmap(play)(jax.random.split(key, group_size))
    return group, jax.tree.map(lambda values: values[0], next_states)


def entropy(choice: Choice, bonus: Array) -> Array:
    """The entropy of variable and value."""
    probabilities = jax.nn.softmax(choice.logits + bonus)
    of_values = choice.log_deviations + 0.5 * jnp.log(2 * jnp.pi * jnp.e)
    return jnp.sum(probabilities * (of_values - jax.nn.log_softmax(choice.logits + bonus)))


def compute_advantages(rewards: Array, config: GRPOConfig) -> Array:
    """The rewards less their mean over the group, divided by their deviation + 1e-8 if `grpo.scale_rewards`.

    DeepSeekMath, section 4.1.
    """
    advantages = rewards - rewards.mean()
    return advantages / (rewards.std() + 1e-8) if config.scale_rewards else advantages


def grpo_loss(
    parameters: Parameters,
    reference: Parameters,
    state: State,
    bonus: Array,
    group: Group,
    policy_network: PolicyNetwork,
    config: GRPOConfig,
) -> tuple[Array, dict[str, Array]]:
    """-mean min(ρA, clip(ρ, 1 ± clip_ratio)A) - entropy_coeff · H + kl_penalty_coeff · KL (DeepSeekMath, equation 3).

    The KL term is the estimator of its equation 4. At `kl_penalty_coeff` = 0 it is left out, since 0 times an overflow
    is NaN. Reads `grpo.clip_ratio`, `entropy_coeff` and `kl_penalty_coeff`.
    """
    choice = policy_network(parameters, state)
    log_probabilities = jax.vmap(partial(log_probability, choice, bonus))(group.interventions)
    ratio = jnp.exp(log_probabilities - group.log_probabilities)
    advantages = compute_advantages(group.rewards, config)
    clipped = jnp.clip(ratio, 1 - config.clip_ratio, 1 + config.clip_ratio)
    spread = entropy(choice, bonus)
    loss = -jnp.mean(jnp.minimum(ratio * advantages, clipped * advantages)) - config.entropy_coeff * spread
    measured = {"entropy": spread, "ratio_deviation": jnp.abs(ratio - 1).max(), "kl": jnp.array(0.0)}
    if config.kl_penalty_coeff:
        of_reference = jax.vmap(partial(log_probability, policy_network(reference, state), bonus))(group.interventions)
        difference = of_reference - log_probabilities
        measured["kl"] = jnp.mean(jnp.exp(difference) - difference - 1)
        loss += config.kl_penalty_coeff * measured["kl"]
    return loss, measured


@partial(jax.jit, static_argnames=("policy_network", "config"))
def _update(
    parameters: Parameters,
    optimizer_state: Any,
    reference: Parameters,
    state: State,
    bonus: Array,
    group: Group,
    learning_rate: float,
    policy_network: PolicyNetwork,
    config: GRPOConfig,
) -> tuple[Parameters, Any, dict[str, Array]]:
    """All updates of one training step, compiled once for each network and each `GRPOConfig`.

    Reads `grpo.num_iterations`. What was measured is that of the last update, the gradient's norm before it is clipped.
    """

    def iterate(carry: Any, _: None) -> Any:
        parameters, optimizer_state = carry
        (_, measured), gradient = jax.value_and_grad(grpo_loss, has_aux=True)(
            parameters, reference, state, bonus, group, policy_network, config
        )
        measured["gradient_norm"] = jnp.linalg.norm(ravel_pytree(gradient)[0])
        updates, optimizer_state = _optimizer(config).update(gradient, optimizer_state)
        parameters = jax.tree.map(lambda value, update: value - learning_rate * update, parameters, updates)
        return (parameters, optimizer_state), measured

    carry, measured = jax.lax.scan(iterate, (parameters, optimizer_state), length=config.num_iterations)
    return *carry, jax.tree.map(lambda values: values[-1], measured)


def _optimizer(config: GRPOConfig) -> optax.GradientTransformation:
    """Adam (Kingma and Ba, 2015) behind the clipping; the step's rate comes later. Reads `grpo.max_grad_norm`."""
    return optax.chain(optax.clip_by_global_norm(config.max_grad_norm), optax.scale_by_adam())


def create_grpo_trainer(
    policy_network: PolicyNetwork, config: GRPOConfig
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The update of one training step, and what makes the first state of its optimizer.

    Reads all of `grpo` but `group_size` and `learning_rate`; the rate of each step is an argument of the update.
    """
    return partial(_update, policy_network=policy_network, config=config), _optimizer(config).init
