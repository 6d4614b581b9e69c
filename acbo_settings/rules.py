"""Rules across settings (errors), and advice: combinations that are legal but will hardly do what was meant.

A rule is a plain function over a configuration, together with the settings that it reads. It answers with a sentence
when something is wrong, else with None. Because the settings are named, a rule still runs when others are broken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .config import TrainingConfig
from .engine.canonical import KeyPath, value_at
from .engine.schema import default_values


class Rule(NamedTuple):
    """One rule over several settings.

    Args:
        reads: The settings that it looks at; the first one is what the report names.
        check: From a configuration to the sentence that says what is wrong, or None.
        causes: For advice that is only given when somebody set one of these, be it to the default. Other advice needs
            no such condition: the defaults keep every rule, so that whatever breaks one was set by somebody.

    >>> ERRORS[0].check(TrainingConfig(warmup_steps=6000))
    'Warmup steps must be less than total steps (6000 is not less than 5000)'
    """

    reads: tuple[KeyPath, ...]
    check: Callable[[TrainingConfig], str | None]
    causes: tuple[KeyPath, ...] = ()


RANGE_SENTENCES: dict[tuple[KeyPath, str], str] = {
    (("grpo", "group_size"), "greater_than_equal"): "Group size should be at least {ge} for stable GRPO training",
}
"""What to say instead of the standard wording, by setting and by pydantic's type of error."""

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


def _warmup(config: TrainingConfig) -> str | None:
    if config.warmup_steps < config.total_steps:
        return None
    numbers = f"{config.warmup_steps} is not less than {config.total_steps}"
    return f"Warmup steps must be less than total steps ({numbers})"


def _temperatures(config: TrainingConfig) -> str | None:
    final, initial = config.exploration.final_temperature, config.exploration.initial_temperature
    if final < initial:
        return None
    return f"Final temperature must be less than initial temperature ({final} is not less than {initial})"


def _reward_weights(config: TrainingConfig) -> str | None:
    if any(weight > 0 for weight in config.rewards.get_reward_weights().values()):
        return None
    return "At least one reward weight must be greater than 0 (all four are 0)"


def _frequency_rule(path: KeyPath, name: str) -> Rule:
    """The rule that something happens again before the run ends, its frequency being at most `total_steps`."""

    def check(config: TrainingConfig) -> str | None:
        """Compare the frequency with the length of the run."""
        frequency = value_at(config, path)
        if frequency <= config.total_steps:
            return None
        return f"{name} frequency is above total steps ({frequency} is above {config.total_steps}): only step 0 is due"

    return Rule((path, _TOTAL_STEPS), check)


def find_idle_stopping(config: TrainingConfig) -> str | None:
    """Say whether early stopping is on and can never fire.

    Args:
        config: The configuration.

    Returns:
        The sentence that says why, or None.

    >>> find_idle_stopping(TrainingConfig()) is None
    True
    """
    evaluation = config.evaluation
    steps = evaluation.early_stopping_patience * evaluation.eval_frequency
    if not evaluation.early_stopping_enabled or steps < config.total_steps:
        return None
    return (
        f"Early stopping cannot fire: patience counts evaluations, and {evaluation.early_stopping_patience} of them,"
        f" one every {evaluation.eval_frequency} steps, take {steps} of {config.total_steps} steps"
    )


def _patience_unused(config: TrainingConfig) -> str | None:
    evaluation = config.evaluation
    if evaluation.early_stopping_enabled or evaluation.early_stopping_patience == default_values()[_STOPPING_PATIENCE]:
        return None
    return "Early stopping patience has no effect while early_stopping_enabled is false"


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

    return Rule((path, _STRATEGY_TYPE), check, causes=(path,))


def _adaptation_never_ends(config: TrainingConfig) -> str | None:
    exploration = config.exploration
    if exploration.strategy_type != "adaptive" or exploration.adaptation_steps <= config.total_steps:
        return None
    return (
        f"Adaptation steps are above total steps ({exploration.adaptation_steps} is above {config.total_steps}):"
        " the final temperature is never reached"
    )


def _hardly_cools(config: TrainingConfig) -> str | None:
    exploration = config.exploration
    final, initial = exploration.final_temperature, exploration.initial_temperature
    if exploration.strategy_type != "adaptive" or final < initial / 2:
        return None
    return f"Final temperature is at least half of the initial one ({final} of {initial}): exploration hardly cools"


def _clip_ratio_unused(config: TrainingConfig) -> str | None:
    if config.grpo.num_iterations != 1 or config.grpo.clip_ratio == default_values()[_CLIP_RATIO]:
        return None
    return "Clip ratio has no effect with num_iterations = 1, where the probability ratio stays 1"


def _clip_value_unused(config: TrainingConfig) -> str | None:
    if config.rewards.reward_scaling != "none":
        return None
    return 'Reward clip value has no effect under reward_scaling = "none"'


_EVALUATION_FREQUENCY_RULE = _frequency_rule(_EVAL_FREQUENCY, "Evaluation")
_SURROGATE_FREQUENCY_RULE = _frequency_rule(("surrogate_update_frequency",), "Surrogate update")

ERRORS = (
    Rule((_WARMUP_STEPS, _TOTAL_STEPS), _warmup),
    Rule((_FINAL_TEMPERATURE, _INITIAL_TEMPERATURE), _temperatures),
    Rule(_WEIGHTS, _reward_weights),
)
"""Rules that every configuration must keep."""

CONSISTENCY_ERRORS = (_EVALUATION_FREQUENCY_RULE, _SURROGATE_FREQUENCY_RULE)
"""Rules that `validate_training_config` enforces too; loading and creating only advise on them."""

ADVICE = (
    _EVALUATION_FREQUENCY_RULE,
    _SURROGATE_FREQUENCY_RULE,
    _frequency_rule(_CHECKPOINT_FREQUENCY, "Checkpoint"),
    _frequency_rule(("log_frequency",), "Log"),
    Rule((_STOPPING_PATIENCE, _EVAL_FREQUENCY, _STOPPING_ENABLED, _TOTAL_STEPS), find_idle_stopping),
    Rule((_STOPPING_PATIENCE, _STOPPING_ENABLED), _patience_unused),
    Rule((_CHECKPOINT_FREQUENCY, _EVAL_FREQUENCY, _STOPPING_ENABLED), _checkpoint_misses_evaluation),
    *(_adaptive_only_rule(path) for path in _ADAPTIVE_ONLY),
    Rule((_ADAPTATION_STEPS, _TOTAL_STEPS, _STRATEGY_TYPE), _adaptation_never_ends),
    Rule((_FINAL_TEMPERATURE, _INITIAL_TEMPERATURE, _STRATEGY_TYPE), _hardly_cools),
    Rule((_CLIP_RATIO, _NUM_ITERATIONS), _clip_ratio_unused),
    Rule((_REWARD_CLIP_VALUE, _REWARD_SCALING), _clip_value_unused, causes=(_REWARD_CLIP_VALUE,)),
)
"""What `load_training_config` and `create_training_config` warn about."""


def broken_rules(rules: tuple[Rule, ...], config: TrainingConfig, broken: set[KeyPath]) -> list[tuple[Rule, str]]:
    """The rules that a configuration does not keep.

    Args:
        rules: `ERRORS`, `CONSISTENCY_ERRORS` or `ADVICE`.
        config: The configuration; its values outside `broken` are valid.
        broken: Paths that have no valid value; a rule that reads below one of them does not run.

    Returns:
        Each rule that answered, with its sentence.

    >>> [rule.reads[0] for rule, _ in broken_rules(ERRORS, TrainingConfig(warmup_steps=6000), set())]
    [('warmup_steps',)]
    """
    found = []
    for rule in rules:
        if any(path[:length] in broken for path in rule.reads for length in range(len(path) + 1)):
            continue
        if sentence := rule.check(config):
            found.append((rule, sentence))
    return found
