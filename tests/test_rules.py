"""Rules across settings: each speaks up at its edge and not before it, and only about the settings that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from acbo_settings import ConfigurationWarning, TrainingConfig, create_training_config
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.declarations import Rule
from acbo_settings.rules import NEVER, RULES

from .rule_answers import broken_rules
from .strategies import SCHEMA

ERRORS, CONSISTENCY_ERRORS, ADVICE, RANGE_SENTENCES = (
    RULES.errors,
    RULES.consistency,
    RULES.advice,
    RULES.range_sentences,
)
ALL_RULES = tuple(dict.fromkeys((*ERRORS, *CONSISTENCY_ERRORS, *ADVICE, *NEVER)))

WEIGHTS = ["optimization_weight", "structure_weight", "parent_weight", "exploration_weight"]
BONUS_WEIGHTS = ["uncertainty_weight", "count_weight", "variable_uncertainty_weight"]
ALL_ZERO = {f"rewards.{name}": 0.0 for name in WEIGHTS}
GUIDED = {"exploration.strategy_type": "uncertainty_guided"}
NO_BONUS = {f"exploration.{name}": 0.0 for name in BONUS_WEIGHTS}
CLIPPED_ONCE = {"grpo.num_iterations": 1, "grpo.clip_ratio": 0.3}
STOPPING = {"evaluation.early_stopping_enabled": True, "evaluation.early_stopping_patience": 5}

WITHOUT_EFFECT = [
    f'{name} has no effect under strategy_type = "uncertainty_guided"'
    for name in ("initial_temperature", "final_temperature", "adaptation_steps", "stagnation_threshold")
]

# Between them, these break every rule.
EVERYTHING_WRONG: list[dict[str, Any]] = [
    {
        "total_steps": 5,
        "evaluation.early_stopping_enabled": True,
        "evaluation.checkpoint_frequency": 150,
        "exploration.final_temperature": 2.0,
        **CLIPPED_ONCE,
        **ALL_ZERO,
    },
    {"evaluation.early_stopping_patience": 5, "rewards.reward_scaling": "none", **CLIPPED_ONCE, **GUIDED},
    {
        "exploration.initial_temperature": 3.0,
        "evaluation.track_optimization": False,
        **STOPPING,
        **NO_BONUS,
        **CLIPPED_ONCE,
        **ALL_ZERO,
    },
]


def config_with(changes: dict[str, Any]) -> TrainingConfig:
    """The defaults with some settings, each by its dotted key, changed; nothing is validated."""
    config = TrainingConfig()
    for key, value in changes.items():
        component, _, name = key.rpartition(".")
        if component:
            value = replace(getattr(config, component), **{name: value})
        config = replace(config, **{component or name: value})
    return config


def sentences(rules: tuple[Rule, ...], changes: dict[str, Any]) -> list[str]:
    """What the rules say of the defaults with these changes."""
    return [sentence for _, sentence in broken_rules(rules, config_with(changes), set())]


def warned(changes: dict[str, Any]) -> list[str]:
    """The first line of each warning that creating a configuration with these settings gives."""
    tree: dict[str, Any] = {}
    for key, value in changes.items():
        component, _, name = key.rpartition(".")
        (tree.setdefault(component, {}) if component else tree)[name] = value
    with pytest.warns(ConfigurationWarning) as caught:
        create_training_config(tree)
    return [str(warning.message).splitlines()[0] for warning in caught]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"warmup_steps": 5000},
            "Warmup steps must be less than total steps (5000 is not less than 5000)",
        ),
        (
            {"total_steps": 50},
            "Warmup steps must be less than total steps (100 is not less than 50)",
        ),
        (
            {"exploration.final_temperature": 2.0},
            "Final temperature must be less than initial temperature (2.0 is not less than 2.0)",
        ),
        (
            {"exploration.initial_temperature": 0.05},
            "Final temperature must be less than initial temperature (0.1 is not less than 0.05)",
        ),
        (
            {"exploration.initial_temperature": 0.05, **GUIDED},
            "Final temperature must be less than initial temperature (0.1 is not less than 0.05)",
        ),
        (ALL_ZERO, "At least one reward weight must be greater than 0 (all four are 0)"),
    ],
)
def test_error(changes: dict[str, Any], expected: str) -> None:
    """Each rule that every configuration must keep says what is wrong, in the reference's words and with numbers."""
    assert sentences(ERRORS, changes) == [expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"warmup_steps": 4999},
        {"total_steps": 101},
        {"total_steps": 1, "warmup_steps": 0},
        {"exploration.final_temperature": 1.9999999999999998},
        {"exploration.initial_temperature": 0.10000000000000002},
        *({**ALL_ZERO, f"rewards.{name}": 5e-324} for name in WEIGHTS),
    ],
)
def test_no_error_at_the_edge(changes: dict[str, Any]) -> None:
    """The last values that keep a rule are no error."""
    assert sentences(ERRORS, changes) == []


@pytest.mark.parametrize(
    ("key", "name"),
    [("evaluation.eval_frequency", "Evaluation"), ("surrogate_update_frequency", "Surrogate update")],
)
def test_consistency_error(key: str, name: str) -> None:
    """A frequency that validation refuses is one above the number of steps."""
    assert sentences(CONSISTENCY_ERRORS, {key: 5001}) == [
        f"{name} frequency is above total steps (5001 is above 5000): only step 0 is due"
    ]
    assert sentences(CONSISTENCY_ERRORS, {key: 5000}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"evaluation.eval_frequency": 5001},
            "Evaluation frequency is above total steps (5001 is above 5000): only step 0 is due",
        ),
        (
            {"surrogate_update_frequency": 5001},
            "Surrogate update frequency is above total steps (5001 is above 5000): only step 0 is due",
        ),
        (
            {"evaluation.checkpoint_frequency": 5001},
            "Checkpoint frequency is above total steps (5001 is above 5000): only step 0 is due",
        ),
        (
            {"log_frequency": 5001},
            "Log frequency is above total steps (5001 is above 5000): only step 0 is due",
        ),
        (
            {**STOPPING, "evaluation.early_stopping_patience": 50},
            "Early stopping cannot fire: patience counts evaluations, and 50 of them, one every 100 steps,"
            " take 5000 of 5000 steps",
        ),
        (
            {"evaluation.early_stopping_enabled": True, "evaluation.eval_frequency": 25},
            "Early stopping cannot fire: patience counts evaluations, and 200 of them, one every 25 steps,"
            " take 5000 of 5000 steps",
        ),
        (
            {"evaluation.early_stopping_patience": 199},
            "Early stopping patience has no effect while early_stopping_enabled is false",
        ),
        (
            {**STOPPING, "evaluation.checkpoint_frequency": 501},
            "Checkpoint frequency 501 is no multiple of eval_frequency 100: the evaluation that stops the run may have"
            " no checkpoint",
        ),
        (
            {**STOPPING, "evaluation.checkpoint_frequency": 50},
            "Checkpoint frequency 50 is no multiple of eval_frequency 100: the evaluation that stops the run may have"
            " no checkpoint",
        ),
        (
            {"exploration.adaptation_steps": 5001},
            "Adaptation steps are above total steps (5001 is above 5000): the final temperature is never reached",
        ),
        (
            {"exploration.final_temperature": 1.0},
            "Final temperature is at least half of the initial one (1.0 of 2.0): exploration hardly cools",
        ),
        (
            CLIPPED_ONCE,
            "Clip ratio has no effect with num_iterations = 1, where the probability ratio stays 1",
        ),
        ({"log_frequency": 5000}, "Log frequency equals total steps (5000): only step 0 is due"),
        (
            {"exploration.adaptation_steps": 5000},
            "Adaptation steps equal total steps (5000): the final temperature is never reached",
        ),
        ({"rewards.reward_scaling": "none"}, 'Reward clip value has no effect under reward_scaling = "none"'),
        (
            {**STOPPING, "evaluation.track_optimization": False},
            "Early stopping cannot fire: it watches the optimization metric, and track_optimization is false",
        ),
        (
            {"exploration.initial_temperature": 10.0},
            "A higher initial temperature alone explores less: the bonus cools down to final / initial = 0.01 of its"
            " size; raise final_temperature too",
        ),
        (NO_BONUS, "There is no exploration bonus: its three weights are 0"),
    ],
)
def test_advice(changes: dict[str, Any], expected: str) -> None:
    """Each combination that will hardly do what was meant gets one sentence with the numbers in it."""
    assert sentences(ADVICE, changes) == [expected]


@pytest.mark.parametrize(
    "changes",
    [
        {"evaluation.eval_frequency": 4999},
        {"surrogate_update_frequency": 4999},
        {"evaluation.checkpoint_frequency": 4999},
        {"log_frequency": 4999},
        {**STOPPING, "evaluation.early_stopping_patience": 49},
        {**STOPPING, "evaluation.early_stopping_patience": 50, "total_steps": 5001},
        {"evaluation.early_stopping_patience": 200},
        {**STOPPING, "evaluation.checkpoint_frequency": 600},
        {**STOPPING, "evaluation.checkpoint_frequency": 100},
        {"evaluation.checkpoint_frequency": 501},
        {"exploration.adaptation_steps": 4999},
        {"exploration.final_temperature": 0.9999999999999999},
        {"grpo.num_iterations": 2, "grpo.clip_ratio": 0.3},
        {"grpo.num_iterations": 1},
        {"rewards.reward_scaling": "clip", "rewards.reward_clip_value": 1.0},
        {"exploration.initial_temperature": 10.0, "exploration.final_temperature": 0.11},
        {"exploration.initial_temperature": 10.0, "exploration.final_temperature": 0.05},
        {"exploration.initial_temperature": 2.0, "exploration.final_temperature": 0.1},
        *({**NO_BONUS, f"exploration.{name}": 5e-324} for name in BONUS_WEIGHTS),
        {"evaluation.track_optimization": False},
    ],
)
def test_no_advice_at_the_edge(changes: dict[str, Any]) -> None:
    """The last values before each piece of advice get none."""
    assert sentences(ADVICE, changes) == []


@pytest.mark.parametrize(
    "changes",
    [{}, {"exploration.adaptation_steps": 5001}, {"exploration.final_temperature": 1.0}],
)
def test_adaptive_settings_without_effect(changes: dict[str, Any]) -> None:
    """Under the guided strategy each of the four adaptive settings is without effect, whatever it is set to."""
    assert sentences(ADVICE, {**GUIDED, **changes}) == WITHOUT_EFFECT


@pytest.mark.parametrize("rules", [ERRORS, CONSISTENCY_ERRORS, ADVICE])
def test_defaults_are_silent(rules: tuple[Rule, ...]) -> None:
    """The defaults keep every rule and get no advice."""
    assert broken_rules(rules, TrainingConfig(), set()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({**GUIDED, "exploration.initial_temperature": 3.0}, ["exploration.initial_temperature"]),
        ({**GUIDED, "exploration.final_temperature": 0.2}, ["exploration.final_temperature"]),
        ({**GUIDED, "exploration.adaptation_steps": 1000}, ["exploration.adaptation_steps"]),
        ({**GUIDED, "exploration.stagnation_threshold": 5}, ["exploration.stagnation_threshold"]),
        ({"rewards.reward_scaling": "none", "rewards.reward_clip_value": 5.0}, ["rewards.reward_clip_value"]),
        ({"total_steps": 900, "warmup_steps": 0}, ["exploration.adaptation_steps"]),
        ({"evaluation.early_stopping_enabled": True}, ["evaluation.early_stopping_patience"]),
        ({"exploration.initial_temperature": 3.0}, ["exploration.initial_temperature"]),
        (NO_BONUS, ["exploration.uncertainty_weight"]),
        ({**STOPPING, "evaluation.track_optimization": False}, ["evaluation.track_optimization"]),
    ],
)
def test_what_somebody_set_is_advised_on(changes: dict[str, Any], expected: list[str]) -> None:
    """Advice is given when somebody set one of the values that cause it, and names the first setting of the rule."""
    assert [line.split(": ")[0] for line in warned(changes)] == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"exploration": {"strategy_type": "uncertainty_guided"}},
        {"exploration": {"strategy_type": "uncertainty_guided", "uncertainty_weight": 2.0, "temperature": 0.5}},
        {"exploration": {"strategy_type": "adaptive", "stagnation_threshold": 5}},
        {"rewards": {"reward_scaling": "none"}},
        {"grpo": {"num_iterations": 1}},
    ],
)
def test_defaults_cause_no_advice(changes: dict[str, Any]) -> None:
    """A default that has no effect beside what somebody set gives no warning, which would be an error here."""
    create_training_config(changes)


def test_causes_are_settings_that_the_rule_reads() -> None:
    """What may cause advice is among the settings that its rule looks at, and those exist."""
    for rule in ALL_RULES:
        assert set(rule.causes) <= set(rule.reads) <= set(SCHEMA.defaults)
        assert len(set(rule.reads)) == len(rule.reads) > 1


def test_everything_wrong_breaks_every_rule() -> None:
    """The configurations of the tests below leave no rule out."""
    broken = {rule for changes in EVERYTHING_WRONG for rule, _ in broken_rules(ALL_RULES, config_with(changes), set())}
    assert broken == set(ALL_RULES)


@pytest.mark.parametrize("changes", EVERYTHING_WRONG)
@pytest.mark.parametrize("path", SCHEMA.defaults)
def test_broken_setting_suppresses_the_rules_that_read_it(path: KeyPath, changes: dict[str, Any]) -> None:
    """A rule does not run when a setting that it reads has no valid value, and all others run as before."""
    config = config_with(changes)
    every = broken_rules(ALL_RULES, config, set())
    expected = [(rule, sentence) for rule, sentence in every if path not in rule.reads]
    assert broken_rules(ALL_RULES, config, {path}) == expected


@pytest.mark.parametrize("component", ["grpo", "rewards", "exploration", "evaluation"])
@pytest.mark.parametrize("changes", EVERYTHING_WRONG)
def test_broken_component_suppresses_the_rules_that_read_from_it(component: str, changes: dict[str, Any]) -> None:
    """Where a whole component is broken, no rule runs that reads any of its settings."""
    config = config_with(changes)
    every = broken_rules(ALL_RULES, config, set())
    expected = [(rule, sentence) for rule, sentence in every if all(path[0] != component for path in rule.reads)]
    assert broken_rules(ALL_RULES, config, {(component,)}) == expected
    assert len(expected) < len(every)


def test_broken_source_suppresses_all_rules() -> None:
    """Where a whole source is broken, nothing is known, and no rule runs."""
    assert broken_rules(ALL_RULES, config_with(EVERYTHING_WRONG[0]), {()}) == []


@pytest.mark.parametrize(
    "broken", [("grpo", "group_size"), ("rewards",), ("grpo", "x"), ("warmup",), ("total_steps", "x")]
)
def test_other_broken_paths_suppress_nothing(broken: KeyPath) -> None:
    """A rule runs whatever else is broken."""
    config = config_with({"warmup_steps": 6000})
    assert [rule.reads[0] for rule, _ in broken_rules(ERRORS, config, {broken})] == [("warmup_steps",)]


@pytest.mark.parametrize("changes", EVERYTHING_WRONG)
@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: "-".join(path[-1] for path in rule.reads))
def test_rules_read_what_they_name(rule: Rule, changes: dict[str, Any]) -> None:
    """The answer of a rule does not change when every setting that it does not name is of a senseless type."""
    unread = {".".join(path): None for path in SCHEMA.defaults if path not in rule.reads}
    senseless = config_with({**changes, **unread})
    assert rule.check(senseless) == rule.check(config_with(changes))


def test_sentence_of_the_reference_for_a_range() -> None:
    """The reference's own sentence for a group that is too small belongs to an existing setting, with its bound."""
    assert set(RANGE_SENTENCES) == {(("grpo", "group_size"), "greater_than_equal")}
    sentence = RANGE_SENTENCES[("grpo", "group_size"), "greater_than_equal"]
    assert sentence.format(ge=8) == "Group size should be at least 8 for stable GRPO training"
