"""Values that are nearly those of a setting, and errors that hold what no other process knows."""

from __future__ import annotations

import pickle
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum, IntFlag
from itertools import product
from pathlib import Path
from threading import Lock
from typing import Any

import numpy
import pytest

from acbo_settings import (
    ConfigurationError,
    TrainingConfig,
    create_training_config,
    load_training_config,
    validate_training_config,
)
from acbo_settings.engine.canonical import KeyPath, value_at


class Scaling(str, Enum):  # noqa: UP042
    """A choice as others write it."""

    CLIP = "clip"


class Steps(IntEnum):
    """Steps as others write them."""

    MANY = 7000


class Parts(IntFlag):
    """Parts as others write them."""

    ALL = 3


class Real(float):
    """A number of one's own."""


NEARLY_PLAIN: list[tuple[KeyPath, Any]] = [
    (("total_steps",), value) for value in (7000, Steps.MANY, True, 7000.0, 2**53 + 1)
]
NEARLY_PLAIN += [(("rewards", "reward_scaling"), value) for value in ("clip", Scaling.CLIP)]
NEARLY_PLAIN += [
    (("grpo", "entropy_coeff"), value)
    for value in (1, 1.0, Real(1), Steps.MANY, -0.0, 0, 2**53, 2**53 + 1, 2.0**53, True)
]
NEARLY_PLAIN += [(("save_trajectory_data",), value) for value in (True, 1, Parts.ALL, False)]


def built(path: KeyPath, value: Any) -> TrainingConfig:
    """A configuration with one value in its place, whatever that is."""
    if len(path) == 1:
        return replace(TrainingConfig(), **{path[0]: value})
    return replace(TrainingConfig(), **{path[0]: replace(getattr(TrainingConfig(), path[0]), **{path[1]: value})})


def test_equal_configurations_have_one_fingerprint_whatever_was_given() -> None:
    """Of what passes validation, built by hand or loaded, equality and fingerprint say the same, in all pairs."""
    valid: list[TrainingConfig] = []
    for path, value in NEARLY_PLAIN:
        with suppress(ConfigurationError):
            validate_training_config(built(path, value))
            valid.append(built(path, value))
        with suppress(ConfigurationError):
            valid.append(create_training_config({".".join(path): value}))
    assert len(valid) > 20
    for one, other in product(valid, valid):
        assert (one == other) == (one.fingerprint == other.fingerprint)


NOT_PLAIN = [(path, value) for path, value in NEARLY_PLAIN if type(value) not in (int, float, bool, str)]


@pytest.mark.parametrize(("path", "value"), NOT_PLAIN)
def test_what_is_nearly_plain_is_made_plain_or_refused(path: KeyPath, value: Any) -> None:
    """Loaded, it is of exactly the type of its setting; in a configuration that was built by hand, it is an error."""
    with pytest.raises(ConfigurationError, match="Input should be"):
        validate_training_config(built(path, value))
    with suppress(ConfigurationError):
        loaded = value_at(create_training_config({".".join(path): value}), path)
        assert type(loaded) in (int, float, bool, str)


class Later(datetime):
    """A point in time that is none, as that of pandas."""

    def utcoffset(self) -> timedelta | None:
        """Fail as that does."""
        raise ValueError("NaTType does not support utcoffset")


@pytest.mark.parametrize("note", [Parts.ALL, Steps.MANY])
def test_numbers_of_enumerations_are_numbers_in_the_metadata(note: int) -> None:
    """They are written and frozen as such."""
    config = create_training_config(note=note)
    assert (config.metadata["note"], type(config.metadata["note"])) == (int(note), int)


def test_a_date_that_is_none_is_refused() -> None:
    """With a sentence, as any value that has no form in TOML."""
    with pytest.raises(ConfigurationError, match="has no form in TOML"):
        create_training_config(note=Later(2026, 1, 1, tzinfo=UTC))


ELSEWHERE = """
import pickle, sys
error = pickle.loads(bytes.fromhex(sys.stdin.read()))
print(len(error.problems), [value.value for _, value in error.problems[0].values][0])
"""


@pytest.mark.parametrize(
    "value", [Lock(), lambda: 1, Scaling.CLIP, object(), [Lock()]], ids=["lock", "function", "member", "object", "list"]
)
def test_an_error_crosses_processes_with_any_value_in_it(value: Any) -> None:
    """What the other process may not know is the text that the report shows for it."""
    with pytest.raises(ConfigurationError) as caught:
        create_training_config(total_steps=value)
    pickled = pickle.dumps(caught.value).hex()
    ran = subprocess.run([sys.executable, "-c", ELSEWHERE], input=pickled, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("1 ")


def test_an_error_that_others_have_wrapped_tells_its_problems() -> None:
    """As Ray does it: a class of both, which holds the error and asks it for what it does not have itself."""
    with pytest.raises(ConfigurationError) as caught:
        create_training_config(total_steps=0)

    class WrappedError(RuntimeError, ConfigurationError):
        """The error of a task, and the one that the task ended with."""

        def __init__(self, cause: ConfigurationError) -> None:
            self.cause = cause
            self.args = (cause,)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.cause, name)

    assert WrappedError(caught.value).problems == caught.value.problems


def test_an_error_over_very_many_layers_crosses_processes() -> None:
    """One setting that is given a thousand times shadows all of these."""
    with pytest.raises(ConfigurationError) as caught:
        load_training_config("/dev/null", overrides=["total_steps=x"] * 1000, environ={})
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert repr(again.problems) == repr(caught.value.problems)
    assert len(again.problems[0].values[0][1].shadowed) == 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts(TrainingConfig):
    """A class with texts of every kind."""

    text: str = ""
    texts: tuple[str, ...] = ()
    data: Path = Path("data")


@pytest.mark.parametrize(
    "overrides", [{"text": "a\ud800"}, ["text=\udcff"], {"texts": ["a", "\udcff"]}, ['texts=["\\ud800"]']]
)
def test_a_text_that_no_file_can_hold_is_refused(overrides: Any) -> None:
    """It could be neither frozen nor compared."""
    with pytest.raises(ConfigurationError, match="is not valid UTF-8"):
        load_training_config("/dev/null", overrides=overrides, environ={}, schema=Texts)
    with pytest.raises(ConfigurationError, match="is not valid UTF-8"):
        validate_training_config(Texts(text="\ud800"))


def circle() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    "value",
    [numpy.array([1, 2]), numpy.array([]), numpy.void(b"a"), circle()],
    ids=["array", "empty", "void", "circle"],
)
@pytest.mark.parametrize(
    "key", ["total_steps", "rewards.reward_scaling", "grpo.entropy_coeff", "texts", "data", "text"]
)
def test_what_is_no_value_at_all_is_one_problem(key: str, value: Any) -> None:
    """Whatever it is compared with."""
    with pytest.raises(ConfigurationError) as caught:
        load_training_config("/dev/null", overrides={key: value}, environ={}, schema=Texts)
    assert len(caught.value.problems) == 1
    assert pickle.loads(pickle.dumps(caught.value)).report == caught.value.report


def test_a_secret_inside_of_a_wrong_value_is_in_no_problem() -> None:
    """Not in the text, not in `repr`, not in a pickle."""
    for value in ({"token": "SEKRIT"}, [{"api_key": "SEKRIT"}]):
        with pytest.raises(ConfigurationError) as caught:
            create_training_config({"total_steps": value})
        assert "SEKRIT" not in f"{caught.value}{caught.value!r}{pickle.dumps(caught.value)!r}"
