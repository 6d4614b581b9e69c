"""The five frozen dataclasses: type, bounds, default and doc of every setting, once.

Everything else that knows the settings derives it from here. The annotations stay strings until somebody resolves them,
because `typing` and `annotated_types` take as long to import as `dataclasses`, and a job that only reads its
configuration needs neither types nor pydantic.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from importlib import import_module

from . import __version__
from .engine import Displayed, PickledByName, public
from .engine.canonical import fingerprint, to_dict, to_flat
from .engine.schema import Application, Schema, Unread, section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated, Any, Literal

    from annotated_types import Ge, Gt, Le
    from pyrsistent import PMap

    from .components import ExplorationConfig, GRPOConfig
else:

    class _Later:
        """A name of an annotation, imported when the annotation is resolved."""

        def __init__(self, module, name):
            self.found = lambda: getattr(import_module(module), name)

        def __call__(self, value):
            """Make a bound."""
            return self.found()(value)

        def __getitem__(self, items):
            """Make a type of its parameters."""
            items = items if isinstance(items, tuple) else (items,)
            return self.found()[tuple(item.found() if isinstance(item, _Later) else item for item in items)]

    for _module, _names in {
        "typing": ("Annotated", "Any", "Literal"),
        "annotated_types": ("Ge", "Gt", "Le"),
        "pyrsistent": ("PMap",),
    }.items():
        globals().update({_name: _Later(_module, _name) for _name in _names})


# pydantic's ConfigDict, without importing it, for models that have one of the dataclasses as a field. "always" looks at
# the fields instead of trusting the class.
_PYDANTIC_CONFIG = {
    "strict": True,
    "extra": "forbid",
    "allow_inf_nan": False,
    "revalidate_instances": "always",
    "arbitrary_types_allowed": True,
}


class _Settings(Displayed, PickledByName):
    """What the five dataclasses have in common."""

    __slots__ = ()
    __pydantic_config__ = _PYDANTIC_CONFIG

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # For a subclass of one's own: the decorator of a dataclass makes a `__repr__` where the class itself has none.
        if "__repr__" not in vars(cls):
            cls.__repr__ = _Settings.__repr__  # type: ignore[method-assign]

    @classmethod
    def _field_names(cls) -> list[str]:
        return [field.name for field in fields(cls)]  # type: ignore[arg-type]  # with those that have no slot

    def __repr__(self) -> str:
        from .engine.listing import constructor_call

        return constructor_call(self)

    def __str__(self) -> str:
        from .engine.listing import block

        return block(self)

    def _repr_html_(self) -> str:
        """Show it in a notebook."""
        from .engine.html import config_table

        return config_table(self)


def _no_metadata() -> Any:
    return Unread({})


def _taken_by(component: Any, settings: object) -> dict[str, Any]:
    """The settings that a component of `components` takes, by name."""
    return {name: getattr(settings, name) for name in component.__dataclass_fields__}


@public
@section
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GRPOTrainingConfig(_Settings):
    """How the policy is updated with GRPO (group relative policy optimization).

    One update takes the advantages A of a group of sampled interventions, minimises
    -mean min(ρA, clip(ρ, 1 ± clip_ratio)A) - entropy_coeff * H + kl_penalty_coeff * KL, clips the gradient to
    `max_grad_norm` and steps Adam with `learning_rate`. Built directly it checks nothing;
    `validate_training_config` does.

    >>> GRPOTrainingConfig(group_size=128).group_size
    128
    """

    group_size: Annotated[int, Ge(8), Le(256)] = 64
    """Interventions sampled per group, over which rewards are compared (TRL: num_generations). The default is
    that of DeepSeekMath, section 4.2."""

    num_iterations: Annotated[int, Ge(1), Le(10)] = 4
    """How often one sampled batch is used for an update (TRL: num_iterations, the paper's μ). With 1 the
    probability ratio stays 1 and clip_ratio has no effect."""

    learning_rate: Annotated[float, Gt(0), Le(0.01)] = 3e-4
    """Step size of Adam."""

    max_grad_norm: Annotated[float, Gt(0), Le(10)] = 1.0
    """Global norm to which the gradient is clipped before each step of Adam. A value above the largest norm of the
    run has no effect."""

    clip_ratio: Annotated[float, Gt(0), Le(1)] = 0.2
    """How far the probability ratio may leave 1 before its gradient is cut (TRL: epsilon)."""

    entropy_coeff: Annotated[float, Ge(0)] = 0.01
    """Weight of the entropy bonus in the loss (TRL: entropy_coef)."""

    kl_penalty_coeff: Annotated[float, Ge(0)] = 0.0
    """Weight of the KL penalty towards the reference policy (TRL: beta), which is the policy at the start of the run.
    0 leaves the penalty out, as in open-r1 and in TRL since 0.19."""

    scale_rewards: bool = True
    """Divide each advantage by the standard deviation of its group plus 1e-8. TRL does so by default, with 1e-4 and a
    deviation over n - 1. Dr. GRPO argues for false."""

    def to_grpo_config(self) -> GRPOConfig:
        """These settings as the GRPO module takes them, unchanged.

        Returns:
            A `GRPOConfig` with the same values.

        >>> GRPOTrainingConfig(num_iterations=6).to_grpo_config().num_iterations
        6
        """
        from .components import GRPOConfig

        return GRPOConfig(**_taken_by(GRPOConfig, self))


@public
@section
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RewardTrainingConfig(_Settings):
    """How the rewards of an intervention are weighted, and how their sum is scaled before advantages are taken.

    At least one weight must be above 0. Built directly it checks nothing; `validate_training_config` does.

    >>> RewardTrainingConfig().reward_scaling
    'tanh'
    """

    optimization_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the improvement of the target variable over its best value before."""

    structure_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of what an intervention reveals about the causal structure."""

    parent_weight: Annotated[float, Ge(0)] = 0.3
    """Weight of intervening on likely parents of the target."""

    exploration_weight: Annotated[float, Ge(0)] = 0.1
    """Weight of novelty, which is 1 - the share of the earlier interventions that were on the same variable. The bonus
    of the section exploration is another one."""

    reward_scaling: Literal["tanh", "clip", "none"] = "tanh"
    """How a reward r is scaled before advantages are computed, with c = reward_clip_value: "tanh" is
    c * tanh(r / c), "clip" is r limited to [-c, c], "none" leaves r as it is. With "none" and grpo.scale_rewards, only
    the ratios of the weights act."""

    reward_clip_value: Annotated[float, Gt(0)] = 10.0
    """The largest absolute value c of a scaled reward. Without effect under reward_scaling = "none"."""

    def get_reward_weights(self) -> PMap[str, float]:
        """The four weights as the reward computation takes them.

        Returns:
            A map with the keys `optimization`, `structure`, `parent` and `exploration`; each value is at least 0 in a
            validated configuration. As all of a configuration it cannot be changed: `dict(…)` makes a copy that can.

        >>> RewardTrainingConfig(parent_weight=0.5).get_reward_weights()
        pmap({'optimization': 1.0, 'structure': 0.5, 'parent': 0.5, 'exploration': 0.1})
        """
        from .engine.metadata import frozen_map

        return frozen_map(
            {
                "optimization": self.optimization_weight,
                "structure": self.structure_weight,
                "parent": self.parent_weight,
                "exploration": self.exploration_weight,
            }
        )


@public
@section
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ExplorationTrainingConfig(_Settings):
    """How interventions are chosen while the policy is still learning.

    Under "adaptive", with p = min(step / adaptation_steps, 1) less min(stagnation / stagnation_threshold, 0.5), floored
    at 0, the temperature is initial_temperature * (1 - p) + final_temperature * p, and the uncertainty-guided bonus is
    multiplied by that temperature / initial_temperature. So only final_temperature / initial_temperature acts.

    The uncertainty-guided bonus of a variable, which is a parent of the target with probability q, is
    (uncertainty_weight * bits * (1 - |2q - 1|) + count_weight * (1 - frequency)
    + variable_uncertainty_weight * (1 - |2q - 1|)) / temperature. Here bits is the uncertainty about the structure, and
    frequency is the share of the earlier interventions that were on the variable. The old and the new log-probabilities
    of GRPO both contain the bonus: otherwise their ratio would not be 1 in the first iteration. Built directly it
    checks nothing; `validate_training_config` does.

    >>> ExplorationTrainingConfig().initial_temperature
    2.0
    """

    strategy_type: Literal["uncertainty_guided", "adaptive"] = "adaptive"
    """"uncertainty_guided" keeps the exploration bonus as it is, "adaptive" cools it down over the run."""

    uncertainty_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the uncertainty about the structure in the bonus, under both strategies. It counts for a variable by
    how uncertain it is that the variable is a parent."""

    count_weight: Annotated[float, Ge(0)] = 0.1
    """Weight of how rarely a variable was intervened on, under both strategies."""

    variable_uncertainty_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of the uncertainty about the single variable, under both strategies."""

    temperature: Annotated[float, Gt(0)] = 1.0
    """The bonus is divided by it, under both strategies: the higher it is, the less the bonus guides the choice."""

    initial_temperature: Annotated[float, Gt(0)] = 2.0
    """Temperature at the start of the run, only under "adaptive". The bonus is multiplied by the ratio of the
    step's temperature to this one. So a higher initial_temperature with the same final_temperature explores less."""

    final_temperature: Annotated[float, Gt(0)] = 0.1
    """Temperature from adaptation_steps on, below initial_temperature; it acts only under "adaptive"."""

    adaptation_steps: Annotated[int, Ge(1)] = 1000
    """Training steps from the initial to the final temperature, only under "adaptive"."""

    stagnation_threshold: Annotated[int, Ge(1)] = 100
    """Stagnation raises the temperature again, only under "adaptive": the more steps without improvement, the higher,
    until there are half of stagnation_threshold. Then a run that had cooled down is half of the way from
    final_temperature back to initial_temperature."""

    def to_exploration_config(self) -> ExplorationConfig:
        """These settings as the exploration module takes them, unchanged.

        Returns:
            An `ExplorationConfig` with the same values.

        >>> ExplorationTrainingConfig(temperature=0.5).to_exploration_config().temperature
        0.5
        """
        from .components import ExplorationConfig

        return ExplorationConfig(**_taken_by(ExplorationConfig, self))


@public
@section
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EvaluationConfig(_Settings):
    """When the policy is evaluated and saved, what is tracked, and when training stops early.

    Built directly it checks nothing; `validate_training_config` does.

    >>> EvaluationConfig().eval_frequency
    100
    """

    eval_frequency: Annotated[int, Ge(1)] = 100
    """Training steps from one evaluation to the next. An evaluation comes after the update of its step."""

    checkpoint_frequency: Annotated[int, Ge(1)] = 500
    """Training steps from one checkpoint to the next. A checkpoint comes after the update of its step."""

    track_optimization: bool = True
    """Record how the target variable improves."""

    track_structure_learning: bool = True
    """Record how well the causal structure is known."""

    track_intervention_diversity: bool = True
    """Record how varied the interventions are."""

    early_stopping_enabled: bool = False
    """Stop the run when evaluations no longer improve the optimization metric, which track_optimization records."""

    early_stopping_patience: Annotated[int, Ge(1)] = 200
    """Evaluations (not steps) without improvement before the run stops: 200 at every 100 steps are 20,000 steps."""

    early_stopping_threshold: Annotated[float, Gt(0)] = 1e-4
    """The smallest change of the optimization metric that counts as an improvement."""


@public
@section
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TrainingConfig(_Settings):
    """The configuration of one training run, frozen.

    `repr` is the call that makes it again, `print` shows what differs from the defaults; of `metadata`, the keys alone.
    Two configurations are equal, and have the same hash, when all settings are; `metadata` takes no part. So one
    can be a dictionary key or a static argument of `jax.jit`. It can be pickled and copied. Built directly it checks
    nothing; `load_training_config` and `create_training_config` make validated ones.

    >>> TrainingConfig(total_steps=10000).grpo.group_size
    64
    """

    __application__ = Application(
        name="acbo-settings",
        version=__version__,
        prefix="ACBO_",
        file_name="acbo.toml",
        rules=f"{__package__}.rules",
    )

    total_steps: Annotated[int, Ge(1)] = 5000
    """Training steps of the run. TRL counts optimizer updates instead: each of its max_steps, warmup_steps,
    logging_steps, eval_steps and save_steps is the count of training steps here times grpo.num_iterations."""

    warmup_steps: Annotated[int, Ge(0)] = 100
    """Training steps over which the learning rate is warmed up; fewer than total_steps. The first of them trains at
    rate 0."""

    surrogate_update_frequency: Annotated[int, Ge(1)] = 50
    """Training steps from one update of the surrogate model to the next."""

    log_frequency: Annotated[int, Ge(1)] = 10
    """Training steps from one log line to the next."""

    save_trajectory_data: bool = True
    """Keep the sampled trajectories."""

    grpo: GRPOTrainingConfig = field(default_factory=GRPOTrainingConfig)
    """How the policy is updated."""

    rewards: RewardTrainingConfig = field(default_factory=RewardTrainingConfig)
    """How rewards are weighted and scaled."""

    exploration: ExplorationTrainingConfig = field(default_factory=ExplorationTrainingConfig)
    """How interventions are chosen."""

    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """Evaluation, checkpoints and early stopping."""

    metadata: PMap[str, Any] = field(default_factory=_no_metadata, compare=False)
    """The settings that were given, plus custom keys; no part of equality and hash."""

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, the same for two validated configurations when, and only when, they are equal.

        The start of the SHA-256 of `to_dict()` without `metadata` and what is None, as canonical JSON (RFC 8785,
        integers of any size in full). It is the same on every platform and Python, until the schema has other settings.

        >>> from acbo_settings import create_training_config
        >>> len(TrainingConfig().fingerprint)
        16
        >>> create_training_config(grpo={"max_grad_norm": 1}).fingerprint == TrainingConfig().fingerprint
        True
        """
        return fingerprint(Schema.of(type(self)).typed(self))

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain data, ready for JSON and for `create_training_config`.

        Returns:
            A new dict of dicts with all settings, and the custom metadata if there is any, dates as ISO 8601 text.

        >>> TrainingConfig().to_dict()["rewards"]["reward_scaling"]
        'tanh'
        """
        return to_dict(self)

    def to_flat(self) -> dict[str, bool | int | float | str]:
        """The settings as experiment trackers take parameters: one scalar for each dotted key.

        Passed back as texts they load equal:
        `load_training_config(overrides=[f"{key}={value}" for key, value in flat.items()])`. A text of your own settings
        that is empty, or begins or ends with a space, does not come back so.

        Returns:
            A new dict. A tuple is its JSON text, as in a variable; a path is text; a setting that is None is left out.
            Custom metadata is there as far as it is a scalar, below `metadata.`, dates as ISO 8601 text.

        >>> TrainingConfig().to_flat()["grpo.group_size"]
        64
        """
        return to_flat(self)

    def to_toml(self) -> str:
        """The configuration as the text of an `acbo.toml` that loads back equal, custom metadata included.

        Returns:
            TOML with all settings, one `key = value` a line, ending in a line end.

        >>> print(TrainingConfig(total_steps=10000).to_toml().splitlines()[0])
        total_steps = 10000
        """
        from .engine.toml_writer import config_text

        return config_text(self)
