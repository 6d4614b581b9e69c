from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import (
    TrainingConfig,
    TrainingPlan,
    create_training_config,
    exploration_temperature,
    learning_rate,
    load_training_config,
    plan_training,
)
from acbo_settings.rules import RULES

from .rule_answers import broken_rules


def test_the_plan_of_the_defaults() -> None:
    """The totals of the default run, worked out by hand."""
    plan = plan_training(TrainingConfig())
    assert (plan.total_steps, plan.gradient_updates, plan.sampled_interventions) == (5000, 20_000, 320_000)
    assert [(event.name, event.count, event.last_step) for event in plan.recurring] == [
        ("evaluations", 50, 4900),
        ("checkpoints", 10, 4500),
        ("log lines", 500, 4990),
        ("surrogate updates", 100, 4950),
    ]
    assert [(schedule.name, schedule.end) for schedule in plan.schedules] == [
        ("warmup", 100),
        ("exploration", 1000),
        ("early stopping", None),
    ]
    assert plan.never == ("No checkpoint saves steps 4,501 to 4,999: the last one is at step 4,500.",)


@given(st.integers(1, 300), st.integers(1, 400))
def test_counts_are_those_of_the_training_loop(total_steps: int, every: int) -> None:
    """A loop over all steps, as the trainer has it, finds as many events and the same last one."""
    evaluation = replace(TrainingConfig().evaluation, eval_frequency=every)
    event = plan_training(TrainingConfig(total_steps=total_steps, evaluation=evaluation)).recurring[0]
    due = [step for step in range(total_steps) if step % every == 0]
    assert (event.count, event.last_step) == (len(due), due[-1])


@pytest.mark.parametrize(("total_steps", "end"), [(20_000, None), (20_001, 20_000)])
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_early_stopping_fires_only_within_the_run(total_steps: int, end: int | None) -> None:
    """200 evaluations, one every 100 steps, need one step more than 20,000."""
    config = create_training_config(total_steps=total_steps, evaluation={"early_stopping_enabled": True})
    plan = plan_training(config)
    assert plan.schedules[2].end == end
    assert any(sentence.startswith("Early stopping cannot fire") for sentence in plan.never) == (end is None)


@pytest.mark.parametrize(("steps", "end"), [(1000, None), (1001, 1000)])
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_temperature_that_is_never_reached_is_said(steps: int, end: int | None) -> None:
    """The final temperature is reached at step adaptation_steps, if the run has that step."""
    plan = plan_training(create_training_config(total_steps=steps))
    assert plan.schedules[1].end == end
    assert any("final temperature" in sentence for sentence in plan.never) == (end is None)


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_what_never_happens_is_said() -> None:
    """Settings without effect in this run have their sentence each."""
    config = create_training_config(
        total_steps=101,
        warmup_steps=0,
        surrogate_update_frequency=101,
        grpo={"num_iterations": 1},
        rewards={"reward_scaling": "none"},
        exploration={
            "strategy_type": "uncertainty_guided",
            "uncertainty_weight": 0.0,
            "count_weight": 0.0,
            "variable_uncertainty_weight": 0.0,
        },
        evaluation={"checkpoint_frequency": 99, "early_stopping_enabled": True, "track_optimization": False},
    )
    plan = plan_training(config)
    assert [schedule.summary for schedule in plan.schedules] == [
        "none: warmup_steps is 0",
        "never cools: the temperature stays 1.0",
        "never: it cannot fire within the run",
    ]
    assert plan.never == (
        "Early stopping cannot fire: it watches the optimization metric, and track_optimization is false.",
        "Early stopping cannot fire: patience counts evaluations, and 200 of them, one every 100 steps, take 20000 of"
        " 101 steps.",
        "There is no exploration bonus: its three weights are 0.",
        "Surrogate update frequency equals total steps (101): only step 0 is due.",
        "No checkpoint saves step 100: the last one is at step 99.",
        "Clip ratio has no effect with num_iterations = 1, where the probability ratio stays 1.",
        'Reward clip value has no effect under reward_scaling = "none".',
    )


@st.composite
def short_runs(draw: st.DrawFn) -> TrainingConfig:
    """A short run, in which some of what the settings seem to promise never happens."""
    every = st.integers(1, 35)
    default = TrainingConfig()
    weight = draw(st.sampled_from([0.0, 0.5]))
    return replace(
        default,
        total_steps=draw(st.integers(1, 30)),
        warmup_steps=0,
        log_frequency=draw(every),
        surrogate_update_frequency=draw(every),
        grpo=replace(default.grpo, num_iterations=draw(st.integers(1, 3))),
        rewards=replace(default.rewards, reward_scaling=draw(st.sampled_from(["tanh", "clip", "none"]))),
        exploration=replace(
            default.exploration,
            strategy_type=draw(st.sampled_from(["adaptive", "uncertainty_guided"])),
            adaptation_steps=draw(every),
            uncertainty_weight=weight,
            count_weight=weight,
            variable_uncertainty_weight=weight,
        ),
        evaluation=replace(default.evaluation, eval_frequency=draw(every), checkpoint_frequency=draw(every)),
    )


@given(short_runs())
def test_what_never_happens_is_said_when_and_only_when(config: TrainingConfig) -> None:
    """Each sentence is there exactly when it is true, worked out anew."""
    never, total, evaluation = plan_training(config).never, config.total_steps, config.evaluation
    exploration = config.exploration
    expected = {
        "There is no exploration bonus": exploration.uncertainty_weight == 0.0,
        "Adaptation steps": exploration.strategy_type == "adaptive" and exploration.adaptation_steps > total - 1,
        "Clip ratio": config.grpo.num_iterations == 1,
        "Reward clip value": config.rewards.reward_scaling == "none",
        "No checkpoint saves steps ": (total - 1) % evaluation.checkpoint_frequency > 1,
        "No checkpoint saves step ": (total - 1) % evaluation.checkpoint_frequency == 1,
        "Evaluation frequency": 1 < total <= evaluation.eval_frequency,
        "Checkpoint frequency": 1 < total <= evaluation.checkpoint_frequency,
        "Log frequency": 1 < total <= config.log_frequency,
        "Surrogate update frequency": 1 < total <= config.surrogate_update_frequency,
    }
    assert {start: any(sentence.startswith(start) for sentence in never) for start in expected} == expected


def test_early_stopping_that_watches_nothing_never_ends_the_run() -> None:
    """Without the optimization metric there is no step at which the run could be stopped."""
    evaluation = replace(
        TrainingConfig().evaluation, early_stopping_enabled=True, early_stopping_patience=1, track_optimization=False
    )
    assert plan_training(TrainingConfig(evaluation=evaluation)).schedules[2].end is None


@given(st.integers(0, 5000), st.integers(0, 500))
def test_the_temperature_stays_between_its_ends(step: int, stagnation: int) -> None:
    """It starts at the initial one, ends at the final one, and stagnation raises it by half of the way at most."""
    config = TrainingConfig()
    temperature = exploration_temperature(config, step, stagnation)
    assert 0.1 - 1e-12 <= exploration_temperature(config, step) <= temperature <= 2.0
    assert temperature - exploration_temperature(config, step) <= 0.95 + 1e-12


def test_stagnation_acts_in_full_at_half_the_threshold() -> None:
    """A run at the final temperature goes back half of the way to the initial one, and never further."""
    temperatures = [exploration_temperature(TrainingConfig(), 1000, stagnation) for stagnation in (0, 25, 50, 100, 900)]
    assert temperatures == pytest.approx([0.1, 0.575, 1.05, 1.05, 1.05])


@given(st.integers(max_value=-1))
def test_a_negative_step_is_refused(negative: int) -> None:
    """A step before the run has no rate and no temperature, and the error names the argument."""
    config = TrainingConfig()
    with pytest.raises(ValueError, match=f"step must be at least 0, and is {negative}$"):
        learning_rate(config, negative)
    with pytest.raises(ValueError, match=f"step must be at least 0, and is {negative}$"):
        exploration_temperature(config, negative)
    with pytest.raises(ValueError, match=f"stagnation must be at least 0, and is {negative}$"):
        exploration_temperature(config, 0, negative)


def test_the_learning_rate_is_warmed_up() -> None:
    """It grows from 0 in a line, and stays once the warmup is over; without a warmup it is there at once."""
    config = TrainingConfig(warmup_steps=4)
    assert [learning_rate(config, step) / 3e-4 for step in range(6)] == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])
    assert learning_rate(TrainingConfig(warmup_steps=0), 0) == 3e-4


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_the_largest_numbers_are_planned() -> None:
    """Numbers of 300 digits, which loading takes, do not end in an overflow."""
    huge = 10**300 - 1
    config = create_training_config(
        total_steps=huge, warmup_steps=huge - 1, exploration={"adaptation_steps": huge, "stagnation_threshold": huge}
    )
    assert plan_training(config).gradient_updates == 4 * huge
    assert exploration_temperature(config, huge - 1, huge) == pytest.approx(1.05)
    assert learning_rate(config, huge // 2) == pytest.approx(1.5e-4)


def test_the_plan_of_the_example() -> None:
    """The totals of examples/acbo.toml, worked out by hand."""
    plan = plan_training(load_training_config(Path(__file__).parent.parent / "examples" / "acbo.toml", environ={}))
    assert (plan.total_steps, plan.gradient_updates, plan.sampled_interventions) == (20_000, 80_000, 640_000)
    assert [(event.count, event.last_step) for event in plan.recurring] == [
        (200, 19_900),
        (40, 19_500),
        (2000, 19_990),
        (400, 19_950),
    ]
    assert [schedule.end for schedule in plan.schedules] == [200, 2000, None]


@given(st.integers(1, 300), st.integers(1, 20), st.integers(1, 20), st.booleans())
def test_the_advice_agrees_on_early_stopping(total: int, patience: int, every: int, enabled: bool) -> None:
    """The advice says that early stopping cannot fire exactly when the plan does."""
    evaluation = replace(
        TrainingConfig().evaluation,
        early_stopping_enabled=enabled,
        early_stopping_patience=patience,
        eval_frequency=every,
    )
    config = TrainingConfig(total_steps=total, warmup_steps=0, evaluation=evaluation)
    advised = any("Early stopping cannot fire" in sentence for _, sentence in broken_rules(RULES.advice, config, set()))
    plan = plan_training(config)
    assert advised == any(sentence.startswith("Early stopping cannot fire") for sentence in plan.never)
    assert (plan.schedules[2].end is not None) == (enabled and not advised)


@given(st.integers(0, 3000), st.integers(0, 3000))
def test_the_schedules_are_monotone(first: int, second: int) -> None:
    """Later in the run the temperature is never higher, and the learning rate never lower."""
    early, late = sorted((first, second))
    config = TrainingConfig()
    assert exploration_temperature(config, late) <= exploration_temperature(config, early) + 1e-12
    assert learning_rate(config, late) >= learning_rate(config, early)


def test_a_plan_keeps_its_configuration_and_stays_what_it_is() -> None:
    """It comes back from a pickle or a copy with the configuration, which is no part of equality, hash and repr."""
    config = create_training_config(metadata={"experiment": "scm20"})
    plan = plan_training(config)
    for copied in (pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan)):
        assert (copied, hash(copied), repr(copied), str(copied)) == (plan, hash(plan), repr(plan), str(plan))
        assert copied.config is not None
        assert copied.config.metadata == config.metadata
    assert plan == plan_training(replace(config, grpo=replace(config.grpo, clip_ratio=0.3)))
    assert "TrainingConfig" not in repr(plan)


def test_a_plan_from_before_it_kept_its_configuration() -> None:
    """It has its numbers and sentences, and no curve."""
    make, (given,) = plan_training(TrainingConfig()).__reduce__()
    del given["config"]
    plan: TrainingPlan = make(given)
    assert plan == plan_training(TrainingConfig())
    assert str(plan).startswith("5,000 training steps")
    assert str(plan).endswith("at step 4,500.")
    assert "exploration temperature" not in str(plan)
    assert "<svg" not in plan._repr_html_()
