"""ACBO's rules across settings (errors), and advice: combinations that are legal but will hardly do what was meant.

A rule is a plain function over a configuration, together with the settings that it reads. It answers with a sentence
when something is wrong, else with None. Because the settings are named, a rule still runs when others are broken.
"""

from __future__ import annotations

from .config import TrainingConfig
from .engine.canonical import KeyPath, value_at
from .engine.declarations import Rule, Rules, advice, declared, rule
from .engine.schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOTAL_STEPS = ("total_steps",)
_WARMUP_STEPS = ("warmup_steps",)
_INITIAL_TEMPERATURE = ("exploration", "initial_temperature")
_FINAL_TEMPERATURE = ("exploration", "final_temperature")
_ADAPTATION_STEPS = ("exploration", "adaptation_steps")
_STRATEGY_TYPE = ("exploration", "strategy_type")
_EVAL_FREQUENCY = ("evaluation", "eval_frequency")
_CHECKPOINT_FREQUENCY = ("evaluation", "checkpoint_frequency")
_STOPPING_ENABLED = ("evaluation", "early_stopping_enabled")
_STOPPING_PATIENCE = ("evaluation", "early_stopping_patience")
_CLIP_RATIO = ("grpo", "clip_ratio")
_NUM_ITERATIONS = ("grpo", "num_iterations")
_REWARD_SCALING = ("rewards", "reward_scaling")
_REWARD_CLIP_VALUE = ("rewards", "reward_clip_value")
_WEIGHTS = tuple(("rewards", f"{name}_weight") for name in ("optimization", "structure", "parent", "exploration"))
_ADAPTIVE_ONLY = (
    _INITIAL_TEMPERATURE,
    _FINAL_TEMPERATURE,
    _ADAPTATION_STEPS,
    ("exploration", "stagnation_threshold"),
)


def _default(config: TrainingConfig, path: KeyPath) -> Any:
    return Schema.of(type(config)).defaults[path]


@rule("warmup_steps", "total_steps")
def _warmup(config: TrainingConfig) -> str | None:
    if config.warmup_steps < config.total_steps:
        return None
    numbers = f"{config.warmup_steps} is not less than {config.total_steps}"
    return f"Warmup steps must be less than total steps ({numbers})"


@rule("exploration.final_temperature", "exploration.initial_temperature")
def _temperatures(config: TrainingConfig) -> str | None:
    final, initial = config.exploration.final_temperature, config.exploration.initial_temperature
    if final < initial:
        return None
    return f"Final temperature must be less than initial temperature ({final} is not less than {initial})"


@rule(*map(".".join, _WEIGHTS))
def _reward_weights(config: TrainingConfig) -> str | None:
    if any(value_at(config, path) > 0 for path in _WEIGHTS):
        return None
    return "At least one reward weight must be greater than 0 (all four are 0)"


def _frequency_rule(path: KeyPath, name: str) -> Rule:
    """The rule of the reference that a frequency is at most `total_steps`."""

    def check(config: TrainingConfig) -> str | None:
        """Compare the frequency with the length of the run."""
        frequency = value_at(config, path)
        if frequency <= config.total_steps:
            return None
        return f"{name} frequency {_above('s', frequency, config.total_steps)}: only step 0 is due"

    return declared(rule(".".join(path), "total_steps")(check))[0]


def _above(ending: str, steps: int, total_steps: int) -> str:
    """How many steps are above the steps of the run, or equal; with the ending of a verb in the singular or plural."""
    if steps == total_steps:
        return f"equal{ending} total steps ({steps})"
    return f"{'is' if ending else 'are'} above total steps ({steps} is above {total_steps})"


def _frequency_advice(path: KeyPath, name: str) -> Rule:
    """The advice that something never happens after step 0, in a run that has other steps."""

    def check(config: TrainingConfig) -> str | None:
        """Look for a second step at which it is due."""
        frequency = value_at(config, path)
        if frequency < config.total_steps or config.total_steps == 1:
            return None
        return f"{name} frequency {_above('s', frequency, config.total_steps)}: only step 0 is due"

    return declared(advice(".".join(path), "total_steps")(check))[0]


@advice(
    "evaluation.early_stopping_patience",
    "evaluation.eval_frequency",
    "evaluation.early_stopping_enabled",
    "total_steps",
)
def find_idle_stopping(config: TrainingConfig) -> str | None:
    """Say why early stopping, which is on, can never fire; None when it is off or can."""
    evaluation = config.evaluation
    steps = evaluation.early_stopping_patience * evaluation.eval_frequency
    if not evaluation.early_stopping_enabled or steps < config.total_steps:
        return None
    return (
        f"Early stopping cannot fire: patience counts evaluations, and {evaluation.early_stopping_patience} of them,"
        f" one every {evaluation.eval_frequency} steps, take {steps} of {config.total_steps} steps"
    )


@advice("evaluation.track_optimization", "evaluation.early_stopping_enabled")
def find_unwatched_stopping(config: TrainingConfig) -> str | None:
    """Say that early stopping, which is on, has nothing to watch; None when it is off or has."""
    evaluation = config.evaluation
    if not evaluation.early_stopping_enabled or evaluation.track_optimization:
        return None
    return "Early stopping cannot fire: it watches the optimization metric, and track_optimization is false"


@advice("evaluation.early_stopping_patience", "evaluation.early_stopping_enabled")
def _patience_unused(config: TrainingConfig) -> str | None:
    evaluation = config.evaluation
    if evaluation.early_stopping_enabled or evaluation.early_stopping_patience == _default(config, _STOPPING_PATIENCE):
        return None
    return "Early stopping patience has no effect while early_stopping_enabled is false"


@advice("evaluation.checkpoint_frequency", "evaluation.eval_frequency", "evaluation.early_stopping_enabled")
def _checkpoint_misses_evaluation(config: TrainingConfig) -> str | None:
    evaluation = config.evaluation
    if not evaluation.early_stopping_enabled or evaluation.checkpoint_frequency % evaluation.eval_frequency == 0:
        return None
    return (
        f"Checkpoint frequency {evaluation.checkpoint_frequency} is no multiple of eval_frequency"
        f" {evaluation.eval_frequency}: the evaluation that stops the run may have no checkpoint"
    )


def _adaptive_only_rule(path: KeyPath) -> Rule:
    """The advice that a setting has no effect, because it acts under the adaptive strategy alone."""

    def check(config: TrainingConfig) -> str | None:
        """Look at the strategy."""
        if config.exploration.strategy_type != "uncertainty_guided":
            return None
        return f'{path[-1]} has no effect under strategy_type = "uncertainty_guided"'

    return declared(advice(".".join(path), "exploration.strategy_type")(check), causes=(path,))[0]


@advice("exploration.adaptation_steps", "total_steps", "exploration.strategy_type")
def _adaptation_never_ends(config: TrainingConfig) -> str | None:
    exploration = config.exploration
    if exploration.strategy_type != "adaptive" or reaches_final_temperature(config):
        return None
    return (
        f"Adaptation steps {_above('', exploration.adaptation_steps, config.total_steps)}:"
        " the final temperature is never reached"
    )


def reaches_final_temperature(config: TrainingConfig) -> bool:
    """Whether adaptive exploration has cooled down in the last step of the run, which is one less than their number."""
    return config.exploration.adaptation_steps < config.total_steps


@advice("exploration.final_temperature", "exploration.initial_temperature", "exploration.strategy_type")
def _hardly_cools(config: TrainingConfig) -> str | None:
    exploration = config.exploration
    final, initial = exploration.final_temperature, exploration.initial_temperature
    if exploration.strategy_type != "adaptive" or final < initial / 2:
        return None
    return f"Final temperature is at least half of the initial one ({final} of {initial}): exploration hardly cools"


@advice("exploration.initial_temperature", "exploration.final_temperature", "exploration.strategy_type")
def _cools_further(config: TrainingConfig) -> str | None:
    exploration = config.exploration
    final, initial = exploration.final_temperature, exploration.initial_temperature
    is_raised = final == _default(config, _FINAL_TEMPERATURE) and initial > _default(config, _INITIAL_TEMPERATURE)
    if exploration.strategy_type != "adaptive" or not is_raised:
        return None
    return (
        f"A higher initial temperature alone explores less: the bonus cools down to final / initial"
        f" = {final / initial:.3g} of its size; raise final_temperature too"
    )


@advice("exploration.uncertainty_weight", "exploration.count_weight", "exploration.variable_uncertainty_weight")
def _no_bonus(config: TrainingConfig) -> str | None:
    exploration = config.exploration
    if exploration.uncertainty_weight or exploration.count_weight or exploration.variable_uncertainty_weight:
        return None
    return "There is no exploration bonus: its three weights are 0"


def _ratio_stays_one(config: TrainingConfig) -> str | None:
    if config.grpo.num_iterations != 1:
        return None
    return "Clip ratio has no effect with num_iterations = 1, where the probability ratio stays 1"


@advice("grpo.clip_ratio", "grpo.num_iterations")
def _clip_ratio_unused(config: TrainingConfig) -> str | None:
    return None if config.grpo.clip_ratio == _default(config, _CLIP_RATIO) else _ratio_stays_one(config)


@advice("rewards.reward_clip_value", "rewards.reward_scaling")
def _clip_value_unused(config: TrainingConfig) -> str | None:
    if config.rewards.reward_scaling != "none":
        return None
    return 'Reward clip value has no effect under reward_scaling = "none"'


def _unsaved_steps(config: TrainingConfig) -> str | None:
    last = config.total_steps - 1
    unsaved = last % config.evaluation.checkpoint_frequency
    if not unsaved:
        return None
    steps = f"step {last:,}" if unsaved == 1 else f"steps {last - unsaved + 1:,} to {last:,}"
    return f"No checkpoint saves {steps}: the last one is at step {last - unsaved:,}"


_FREQUENCIES = {
    _EVAL_FREQUENCY: "Evaluation",
    ("surrogate_update_frequency",): "Surrogate update",
    _CHECKPOINT_FREQUENCY: "Checkpoint",
    ("log_frequency",): "Log",
}

_ERRORS = declared(_warmup, _temperatures, _reward_weights)
_CONSISTENCY = tuple(_frequency_rule(path, name) for path, name in list(_FREQUENCIES.items())[:2])
_NEVER_AGAIN = tuple(_frequency_advice(path, name) for path, name in _FREQUENCIES.items())
_ADVICE = (
    *_NEVER_AGAIN,
    *declared(find_idle_stopping, find_unwatched_stopping, _patience_unused, _checkpoint_misses_evaluation),
    *(_adaptive_only_rule(path) for path in _ADAPTIVE_ONLY),
    *declared(_adaptation_never_ends, _hardly_cools, _cools_further, _no_bonus, _clip_ratio_unused),
    *declared(_clip_value_unused, causes=(_REWARD_CLIP_VALUE,)),
)

_CLIPPING = (_CLIP_RATIO, _NUM_ITERATIONS)
_SCALING = (_REWARD_CLIP_VALUE, _REWARD_SCALING)

NEVER = (
    *declared(find_unwatched_stopping, find_idle_stopping, _no_bonus, _adaptation_never_ends),
    *_NEVER_AGAIN,
    Rule((_CHECKPOINT_FREQUENCY, _TOTAL_STEPS), _unsaved_steps),
    Rule(_CLIPPING, _ratio_stays_one, causes=_CLIPPING),
    Rule(_SCALING, _clip_value_unused, causes=_SCALING),
)
"""What the settings seem to promise and a run will not do. What is advised too is said in the same words. A setting
that has no effect is told to those who had a hand in it, everything else to everybody."""

# What TRL, transformers, Stable-Baselines3, verl, OpenRLHF and Lightning call a setting, and what people often do.
_CALLED = {
    _TOTAL_STEPS: "max_steps training_steps train_steps num_steps num_train_steps num_training_steps total_timesteps"
    " max_iterations num_updates",
    _WARMUP_STEPS: "warmup num_warmup_steps lr_warmup_steps warmup_iters",
    ("surrogate_update_frequency",): "surrogate_update_interval surrogate_update_every",
    ("log_frequency",): "logging_steps log_interval log_every log_every_n_steps logging_frequency",
    ("grpo", "group_size"): "num_generations n_samples_per_prompt samples_per_prompt rollout_n",
    _NUM_ITERATIONS: "ppo_epochs n_epochs num_ppo_epochs",
    ("grpo", "learning_rate"): "lr",
    ("grpo", "max_grad_norm"): "grad_clip gradient_clip gradient_clip_val gradient_clip_norm clip_grad_norm max_norm",
    _CLIP_RATIO: "epsilon clip_range cliprange clip_eps clip_epsilon eps_clip",
    ("grpo", "entropy_coeff"): "entropy_coef ent_coef entropy_coefficient entropy_weight entropy_bonus",
    ("grpo", "kl_penalty_coeff"): "beta kl_coef kl_coeff init_kl_coef kl_loss_coef kl_weight kl_penalty",
    ("grpo", "scale_rewards"): "normalize_advantage normalize_advantages",
    _STRATEGY_TYPE: "exploration_strategy",
    _EVAL_FREQUENCY: "eval_steps eval_interval eval_every eval_freq test_freq evaluation_frequency val_check_interval",
    _CHECKPOINT_FREQUENCY: "save_steps save_interval save_every save_freq save_frequency checkpoint_interval"
    " checkpoint_every checkpoint_freq",
    _STOPPING_ENABLED: "early_stopping early_stop",
    _STOPPING_PATIENCE: "patience early_stop_patience",
    ("evaluation", "early_stopping_threshold"): "min_delta",
}

RULES = Rules(
    errors=_ERRORS,
    consistency=_CONSISTENCY,
    advice=_ADVICE,
    range_sentences={
        (("grpo", "group_size"), "greater_than_equal"): "Group size should be at least {ge} for stable GRPO training",
    },
    other_names={name: path for path, names in _CALLED.items() for name in names.split()},
)
"""Errors are what every configuration must keep, consistency what `validate_training_config` enforces too, advice what
loading and creating warn about."""
