"""The world of the training: linear-Gaussian structural causal models, what is known of one, and the reward.

The last variable of a model is its target, which is to become as large as possible. All others can be intervened on.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

LIMIT = 2.0
"""The largest absolute value that an intervention can set a variable to."""


class Intervention(NamedTuple):
    """What a variable is set to."""

    variable: Array
    value: Array


class Surrogate(NamedTuple):
    """For each set of variables that may be the target's parents: how likely it is, and the weights if it is right."""

    log_posterior: Array
    weights: Array
    covariances: Array


class State(NamedTuple):
    """What is known of a model after some interventions."""

    products: Array
    """Sums of x xᵀ over all outcomes, without the target."""
    target_products: Array
    """Sums of x y, y being the target."""
    counts: Array
    """Interventions on each variable."""
    effect: Array
    """Sums of value · y over the interventions on each variable."""
    strength: Array
    """Sums of value² over the same."""
    best: Array
    """The largest target so far; 0 before the first intervention."""
    stagnation: Array
    """Interventions since `best` was reached."""
    surrogate: Surrogate


@partial(jax.jit, static_argnames=("variables",))
def draw_model(key: Array, variables: int) -> Array:
    """Draw the weights of a model, of which [i, j] is the effect of variable j on variable i.

    Each edge that an order of the variables permits is there with probability 1/2, with a weight of ±0.5 to ±1.5, a
    choice of this example. The target, which is last, has at least one parent. Reads `models.variables`.
    """
    *drawn, places = jax.random.uniform(key, (variables + 1, variables), minval=-1.0)
    size = jnp.abs(jnp.stack(drawn))
    is_edge = (size > 0.5).at[-1, jnp.argmax(size[-1, :-1])].set(True)
    weights = jnp.sign(jnp.stack(drawn)) * jnp.maximum(2 * size - 0.5, 0.5) * is_edge
    order = jnp.append(jnp.argsort(places[:-1]), variables - 1)
    return (weights * jnp.tri(variables, k=-1))[order][:, order]


def draw_outcome(key: Array, model: Array, intervention: Intervention) -> Array:
    """Draw all variables while one of them is set: x = Wx + standard normal noise, but for the variable that is set."""
    noise = jax.random.normal(key, model.shape[:1])
    free = jnp.arange(len(model)) != intervention.variable
    outcome = noise
    for _ in range(len(model)):  # no path is longer
        outcome = jnp.where(free, model @ outcome + noise, intervention.value)
    return outcome


@partial(jax.jit, static_argnames=("variables",))
def initial_state(variables: int) -> State:
    """What is known of a model before the first intervention: each set of parents is as likely as any other.

    Reads `models.variables`.
    """
    none, pairs = jnp.zeros(variables - 1), jnp.zeros((variables - 1, variables - 1))
    best, stagnation = jnp.zeros(()), jnp.zeros((), jnp.int32)
    return State(pairs, none, none, none, none, best, stagnation, fit_surrogate(pairs, none))


def fit_surrogate(products: Array, target_products: Array) -> Surrogate:
    """Bayesian linear regression of the target for each set of parents, with standard normal weights and noise.

    With precision A = I + XᵀX and b = Xᵀy of the set's variables the weights are A⁻¹b, and the log evidence is
    (bᵀA⁻¹b - log det A) / 2 up to what all sets share (Bishop, Pattern Recognition and Machine Learning, 3.5.1).
    """
    number = len(target_products)
    sets = parent_sets(number)
    pairs = sets[:, :, None] * sets[:, None, :]
    covariances, log_determinants = jax.vmap(invert)(jnp.eye(number) + pairs * products)
    weights = jnp.einsum("sij,sj->si", covariances, sets * target_products)
    evidence = (weights @ target_products - log_determinants) / 2
    return Surrogate(jax.nn.log_softmax(evidence), weights, covariances * pairs)


def parent_sets(number: int) -> Array:
    """All sets of so many variables, one in each row: 1 for a variable that is in it, else 0."""
    return jnp.array((np.arange(2**number)[:, None] >> np.arange(number)) & 1, jnp.float32)


def invert(matrix: Array) -> tuple[Array, Array]:
    """The inverse of a small positive definite matrix, and the logarithm of its determinant.

    By the sweep operator (Goodnight, A Tutorial on the SWEEP Operator, 1979), which compiles sooner than LAPACK.
    """
    log_determinant = jnp.array(0.0)
    for place in range(len(matrix)):
        pivot, column = matrix[place, place], matrix[:, place]
        row = matrix[place] / pivot
        matrix = (matrix - jnp.outer(column, row)).at[place].set(row).at[:, place].set(-column / pivot)
        matrix = matrix.at[place, place].set(1 / pivot)
        log_determinant += jnp.log(pivot)
    return matrix, log_determinant


@jax.jit
def update_surrogate(state: State) -> State:
    """Fit the surrogate to all that was seen of the model. It is due every `surrogate_update_frequency` steps."""
    return state._replace(surrogate=fit_surrogate(state.products, state.target_products))


def observe(state: State, intervention: Intervention, outcome: Array) -> State:
    """Learn from one outcome: the sums, and by Bayes' rule the posterior of the sets of parents.

    The weights of each set stay until the surrogate is updated.
    """
    x, target = outcome[:-1], outcome[-1]
    surrogate, here = state.surrogate, jnp.arange(len(x)) == intervention.variable
    variance = 1 + jnp.einsum("i,sij,j->s", x, surrogate.covariances, x)
    likelihood = jax.scipy.stats.norm.logpdf(target, surrogate.weights @ x, jnp.sqrt(variance))
    is_better = (target > state.best) | (state.counts.sum() == 0)
    return State(
        products=state.products + jnp.outer(x, x),
        target_products=state.target_products + x * target,
        counts=state.counts + here,
        effect=state.effect + here * intervention.value * target,
        strength=state.strength + here * intervention.value**2,
        best=jnp.where(is_better, target, state.best),
        stagnation=jnp.where(is_better, 0, state.stagnation + 1),
        surrogate=surrogate._replace(log_posterior=jax.nn.log_softmax(surrogate.log_posterior + likelihood)),
    )


def parent_probabilities(state: State) -> Array:
    """How likely each variable is to be a parent of the target."""
    return jnp.exp(state.surrogate.log_posterior) @ parent_sets(len(state.counts))


def direct_effects(state: State) -> Array:
    """The expected weights of all variables in the equation of the target."""
    return jnp.exp(state.surrogate.log_posterior) @ state.surrogate.weights


def structure_bits(state: State) -> Array:
    """The uncertainty about the structure: the entropy of the posterior over the sets of parents, in bits."""
    log_posterior = state.surrogate.log_posterior
    return -jnp.sum(jnp.exp(log_posterior) * log_posterior) / jnp.log(2)


def novelty(state: State) -> Array:
    """1 - the share of the earlier interventions that were on the variable, for each variable."""
    return 1 - state.counts / jnp.maximum(state.counts.sum(), 1)


def compute_reward(
    state: State,
    intervention: Intervention,
    outcome: Array,
    next_state: State,
    *,
    weights: Mapping[str, float],
    scaling: str,
    clip_value: float,
) -> Array:
    """The dual-objective reward of one intervention.

    The sum of four rewards, weighted by `rewards.get_reward_weights()`: the target less its best value before, how many
    bits the outcome reveals about the structure, how likely the variable is a parent of the target, and its novelty.
    Then `rewards.reward_scaling` with c = `rewards.reward_clip_value`: c · tanh(r / c), or r limited
    to ±c, or r.
    """
    parts = {
        "optimization": outcome[-1] - state.best,
        "structure": structure_bits(state) - structure_bits(next_state),
        "parent": parent_probabilities(state)[intervention.variable],
        "exploration": novelty(state)[intervention.variable],
    }
    reward = sum((weights[name] * part for name, part in parts.items()), jnp.array(0.0))
    if scaling == "tanh":
        return clip_value * jnp.tanh(reward / clip_value)
    return jnp.clip(reward, -clip_value, clip_value) if scaling == "clip" else reward
