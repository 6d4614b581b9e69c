from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from acbo_settings import EvaluationConfig, GRPOTrainingConfig, RewardTrainingConfig, TrainingConfig
from acbo_settings.engine.canonical import KeyPath, flatten
from acbo_settings.engine.loading.validation import validate_config, validate_values
from acbo_settings.engine.origins import Argument, Variable
from acbo_settings.engine.problems import Problem
from acbo_settings.engine.values import SourcedValue

from ...strategies import SCHEMA


def validated(config: TrainingConfig, **origins: SourcedValue) -> tuple[dict[KeyPath, Any], list[Problem]]:
    """The valid values of a configuration, and what is wrong with the others."""
    values = {path: SourcedValue(value, Argument("config")) for path, value in flatten(config).items()}
    return validate_values(SCHEMA, values | {(name,): value for name, value in origins.items()})


def problem_of(config: TrainingConfig, **origins: SourcedValue) -> Problem:
    """The one thing that is wrong with a configuration: all other values are valid."""
    valid, (problem,) = validated(config, **origins)
    assert set(valid) == set(SCHEMA.defaults) - {problem.path}
    return problem


def test_a_valid_configuration_comes_back_equal_and_typed() -> None:
    """Every value has exactly the type of its default, an integer for a float included."""
    given = TrainingConfig(grpo=GRPOTrainingConfig(max_grad_norm=1, entropy_coeff=0))
    valid, problems = validated(given)
    assert problems == []
    assert SCHEMA.build(valid) == given
    assert [type(value) for value in valid.values()] == [type(value) for value in SCHEMA.defaults.values()]


def test_all_fields_are_told_at_once() -> None:
    """Every wrong field is a problem, in the order of the schema."""
    config = TrainingConfig(
        total_steps=0,
        grpo=GRPOTrainingConfig(group_size=300, learning_rate=0.0),
        evaluation=EvaluationConfig(eval_frequency=True),
    )
    _, problems = validated(config)
    assert [".".join(problem.path) for problem in problems] == [
        "total_steps",
        "grpo.group_size",
        "grpo.learning_rate",
        "evaluation.eval_frequency",
    ]


def test_the_own_sentence_is_joined_with_the_standard_wording() -> None:
    """A group size below its range gets the documented sentence; above, the standard wording alone."""
    assert problem_of(TrainingConfig(grpo=GRPOTrainingConfig(group_size=4))).message == (
        "Group size should be at least 8 for stable GRPO training (input should be greater than or equal to 8)"
    )
    assert problem_of(TrainingConfig(grpo=GRPOTrainingConfig(group_size=257))).message == (
        "Input should be less than or equal to 256"
    )


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (64.0, "did you mean 64?"),
        ("64", "did you mean 64, without quotes?"),
        ("1_000", "did you mean 1000, without quotes?"),
        ("1e3", "did you mean 1000, without quotes?"),
        (64.5, ""),
        (True, ""),
        ("many", ""),
        (float("inf"), ""),
        (float("nan"), ""),
        ([64], ""),
        (0, ""),
    ],
)
def test_an_integer_written_otherwise_is_recognized(given: Any, hint: str) -> None:
    """A value that is almost an integer gets a hint, any other none."""
    assert problem_of(TrainingConfig(total_steps=given)).hint == hint


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        (1, "did you mean true?"),
        (0, "did you mean false?"),
        ("off", "did you mean false, without quotes?"),
        (2, "write true or false"),
    ],
)
def test_a_boolean_written_otherwise_is_recognized(given: Any, hint: str) -> None:
    """Numbers and texts that stand for a boolean get a hint."""
    assert problem_of(TrainingConfig(save_trajectory_data=given)).hint == hint


@pytest.mark.parametrize(
    ("given", "hint"),
    [("tahn", 'did you mean "tanh"?'), ("TANH", 'did you mean "tanh"?'), ("sigmoid", ""), (3, "")],
)
def test_an_enum_value_gets_a_near_one(given: Any, hint: str) -> None:
    """A near miss of a choice is named, in the spelling to be used."""
    problem = problem_of(TrainingConfig(rewards=RewardTrainingConfig(reward_scaling=given)))
    assert (problem.message, problem.hint) == ("Input should be 'tanh', 'clip' or 'none'", hint)


def test_a_variable_is_not_told_of_quotes() -> None:
    """A variable's text has no quotes to be left out."""
    steps = SourcedValue("1e3", Variable("ACBO_TOTAL_STEPS", "1e3"))
    assert problem_of(TrainingConfig(), total_steps=steps).hint == "did you mean 1000?"


def test_quotes_inside_of_a_variable_are_told() -> None:
    """A variable whose text has quotes around a number is told that they are one too many."""
    steps = SourcedValue('"64"', Variable("ACBO_TOTAL_STEPS", '"64"'))
    assert problem_of(TrainingConfig(), total_steps=steps).hint == "did you mean 64, without quotes?"


def test_a_number_that_can_not_be_written_is_refused() -> None:
    """An integer of 5,000 digits is valid in Python, and has no text that could be stored."""
    assert problem_of(TrainingConfig(total_steps=10**5000)).message == "has more than 300 digits"
    assert validated(TrainingConfig(total_steps=10**299))[1] == []


def test_without_an_origin_the_value_came_from_the_argument() -> None:
    """The report of a hand-built configuration names the `config` argument and the value."""
    (problem,) = validate_config(SCHEMA, replace(TrainingConfig(), total_steps=0))
    assert problem.values == ((("total_steps",), SourcedValue(0, Argument("config"))),)
