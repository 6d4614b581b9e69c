"""The plan is exact: what `plan_training` says of a training is what can be seen of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from acbo_settings import TrainingConfig, TrainingPlan, plan_training

from .conftest import Trainings
from .example import Training

pytestmark = pytest.mark.heavy

BONUS_WEIGHTS = ("uncertainty_weight", "count_weight", "variable_uncertainty_weight")

PLANNED = st.fixed_dictionaries(
    {
        "total_steps": st.integers(1, 30),
        "surrogate_update_frequency": st.integers(1, 35),
        "log_frequency": st.integers(1, 35),
        "grpo.num_iterations": st.sampled_from([1, 3]),
        "rewards.reward_scaling": st.sampled_from(["tanh", "clip", "none"]),
        "exploration.strategy_type": st.sampled_from(["adaptive", "uncertainty_guided"]),
        "exploration.adaptation_steps": st.integers(1, 35),
        "exploration.stagnation_threshold": st.sampled_from([4, 1000]),
        "evaluation.eval_frequency": st.integers(1, 35),
        "evaluation.checkpoint_frequency": st.integers(1, 35),
        "evaluation.track_optimization": st.booleans(),
        "evaluation.early_stopping_enabled": st.booleans(),
        "evaluation.early_stopping_patience": st.integers(1, 4),
        "evaluation.early_stopping_threshold": st.sampled_from([1e-4, 1e9]),
    }
)


@st.composite
def trainings(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of a short training, often with something that never happens in it."""
    given: dict[str, Any] = draw(PLANNED)
    given["warmup_steps"] = draw(st.integers(0, given["total_steps"] - 1))
    if draw(st.booleans()):
        given |= {f"exploration.{name}": 0.0 for name in BONUS_WEIGHTS}
    return given


EVERYTHING_NEVER = {
    "total_steps": 9,
    "surrogate_update_frequency": 9,
    "log_frequency": 20,
    "grpo.num_iterations": 1,
    "rewards.reward_scaling": "none",
    "exploration.adaptation_steps": 9,
    "evaluation.eval_frequency": 9,
    "evaluation.checkpoint_frequency": 9,
    "evaluation.track_optimization": False,
    "evaluation.early_stopping_enabled": True,
} | {f"exploration.{name}": 0.0 for name in BONUS_WEIGHTS}


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(trainings())
@example(EVERYTHING_NEVER)
def test_the_plan_is_what_happens(train: Trainings, given: dict[str, Any]) -> None:
    """Counts, last steps, ends of schedules, the stopping step, and every sentence about what never happens."""
    training = train(given)
    plan = plan_training(training.config)
    steps = training.progress.next_step
    assert steps == expected_steps(training, plan)
    assert_counts(training, plan_training(replace(training.config, total_steps=steps)))
    assert_schedules(training)
    for sentence in plan.never:
        assert_never(sentence, training, train, given)


def expected_steps(training: Training, plan: TrainingPlan) -> int:
    """How many steps there are, from the plan and from how the evaluations went."""
    config = training.config
    evaluation, stopping = config.evaluation, plan.schedules[2]
    assert (stopping.summary == "off") == (not evaluation.early_stopping_enabled)
    if stopping.end is None:
        return config.total_steps
    best, stale = -float("inf"), 0
    for line in training.evaluations:
        is_better = line["target"] - best >= evaluation.early_stopping_threshold
        best, stale = (line["target"], 0) if is_better else (best, stale + 1)
        if stale == evaluation.early_stopping_patience:
            assert line["step"] >= stopping.end
            return int(line["step"]) + 1
    return config.total_steps


def assert_counts(training: Training, plan: TrainingPlan) -> None:
    """Everything happens as often as planned, and for the last time when planned."""
    counts = training.progress.counts
    assert counts == {event.name: event.count for event in plan.recurring} | {
        "gradient updates": plan.gradient_updates,
        "sampled interventions": plan.sampled_interventions,
    }
    evaluations, checkpoints, lines, _ = plan.recurring
    assert (len(training.lines), training.lines[-1]["step"]) == (lines.count, lines.last_step)
    assert (len(training.evaluations), training.evaluations[-1]["step"]) == (evaluations.count, evaluations.last_step)
    assert int(training.checkpoint[".next_step"]) == checkpoints.last_step + 1
    assert len(training.interventions) == plan.sampled_interventions


def assert_schedules(training: Training) -> None:
    """The rate is whole from the end of the warmup on, and the temperature final from that of the adaptation on."""
    config = training.config
    warmup, exploration, _ = plan_training(config).schedules
    rates = [step["learning_rate"] for step in training.steps]
    assert [rate == config.grpo.learning_rate for rate in rates] == [n >= (warmup.end or 0) for n in range(len(rates))]
    for number, step in enumerate(training.steps):
        is_over = exploration.end is not None and number >= exploration.end
        if step["stagnation"] == 0:
            is_over = is_over or config.exploration.strategy_type != "adaptive"
            assert (step["temperature"] == end_of(config)) == is_over


def end_of(config: TrainingConfig) -> float:
    """The temperature in the end."""
    exploration = config.exploration
    is_adaptive = exploration.strategy_type == "adaptive"
    return exploration.final_temperature if is_adaptive else exploration.temperature


Never = Callable[[re.Match[str], Training, Trainings, dict[str, Any]], bool]


def _once(found: re.Match[str], training: Training, *_: Any) -> bool:
    return bool(training.progress.counts[EVENTS[found[1]]] == 1)


def _unsaved(found: re.Match[str], training: Training, *_: Any) -> bool:
    """When a run is stopped early, the last checkpoint is an earlier one."""
    saved, last = int(training.checkpoint[".next_step"]) - 1, int(found[2].replace(",", ""))
    return saved == last or training.progress.next_step < training.config.total_steps


def _warm(found: re.Match[str], training: Training, *_: Any) -> bool:
    return all(step["temperature"] > training.config.exploration.final_temperature for step in training.steps)


def _unclipped(found: re.Match[str], training: Training, *_: Any) -> bool:
    return max(step["ratio_deviation"] for step in training.steps) < 1e-6


def _unscaled(found: re.Match[str], training: Training, train: Trainings, given: dict[str, Any]) -> bool:
    """Another limit of the rewards changes nothing."""
    other = train(given | {"rewards.reward_clip_value": 0.01})
    return bool(other.parameters.tobytes() == training.parameters.tobytes())


def _no_bonus(found: re.Match[str], training: Training, *_: Any) -> bool:
    return {step["bonus"] for step in training.steps} == {0.0}


def _never_stopped(found: re.Match[str], training: Training, *_: Any) -> bool:
    return bool(training.progress.next_step == training.config.total_steps)


EVENTS = {
    "Evaluation": "evaluations",
    "Checkpoint": "checkpoints",
    "Log": "log lines",
    "Surrogate update": "surrogate updates",
}
NEVER: dict[str, Never] = {
    r"([A-Z][a-z ]+) frequency (?:is above|equals) total steps .*: only step 0 is due\.": _once,
    r"No checkpoint saves steps? ([\d,]+).*: the last one is at step ([\d,]+)\.": _unsaved,
    r"Adaptation steps .*: the final temperature is never reached": _warm,
    r"Clip ratio has no effect": _unclipped,
    r"Reward clip value has no effect": _unscaled,
    r"There is no exploration bonus": _no_bonus,
    r"Early stopping cannot fire": _never_stopped,
}
"""What is to be seen of a training of which the plan says a sentence."""


def assert_never(sentence: str, training: Training, train: Trainings, given: dict[str, Any]) -> None:
    """A sentence is known here, and true."""
    known = [(found, holds) for pattern, holds in NEVER.items() if (found := re.match(pattern, sentence))]
    assert len(known) == 1, sentence
    found, holds = known[0]
    assert holds(found, training, train, given), sentence
