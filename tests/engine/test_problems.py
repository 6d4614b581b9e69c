"""Problems as facts, and the error and the warning that carry them."""

from __future__ import annotations

import pickle

import pytest

import acbo_settings
from acbo_settings.engine.origins import Argument
from acbo_settings.engine.problems import ConfigurationError, ConfigurationWarning, Problem
from acbo_settings.engine.values import SourcedValue


def make_error() -> ConfigurationError:
    """An error with one problem."""
    problem = Problem(path=("a",), message="wrong", values=((("a",), SourcedValue(1, Argument("overrides"))),))
    return ConfigurationError("the report", [problem])


def test_the_error_is_a_value_error_whose_text_is_the_report() -> None:
    """Code that catches ValueError catches it, and prints the report."""
    error = make_error()
    assert isinstance(error, ValueError)
    assert str(error) == "the report"


def test_the_error_keeps_its_facts() -> None:
    """The problems are there as data, and can not be changed."""
    (problem,) = make_error().problems
    assert (problem.path, problem.message, problem.hint, problem.at_key) == (("a",), "wrong", "", False)
    with pytest.raises(AttributeError):
        problem.message = "other"  # type: ignore[misc]


def test_the_error_can_be_pickled() -> None:
    """Text and facts survive the way to another process."""
    back = pickle.loads(pickle.dumps(make_error()))
    assert (str(back), back.problems) == ("the report", make_error().problems)


def test_the_warning_can_be_filtered_by_its_public_name() -> None:
    """It is a UserWarning of its own class, found in the package."""
    assert issubclass(ConfigurationWarning, UserWarning)
    assert acbo_settings.ConfigurationWarning is ConfigurationWarning
