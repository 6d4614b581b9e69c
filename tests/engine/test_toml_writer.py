"""The one writer of TOML: what it writes reads back the same, whatever the values are."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, time
from enum import Enum, IntEnum
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acbo_settings import (
    TrainingConfig,
)
from acbo_settings.engine.canonical import flatten, to_dict
from acbo_settings.engine.metadata import find_unwritable, frozen_map
from acbo_settings.engine.toml_writer import config_lines, metadata_lines, value_text

from .test_canonical import METADATA, described, with_floats


def toml_of(config: TrainingConfig) -> str:
    """The lines of a configuration as one document."""
    return "\n".join(line for _, line in config_lines(config))


def test_toml_lines_name_their_settings() -> None:
    """Each setting has one line of its own, named by its path, in the order of the schema."""
    lines = list(config_lines(TrainingConfig()))
    assert [path for path, _ in lines if path] == list(flatten(TrainingConfig()))
    for path, line in lines:
        assert line.startswith(f"{path[-1]} = " if path else ("[", ""))
    assert [line for path, line in lines if not path] == [
        "", "[grpo]", "", "[rewards]", "", "[exploration]", "", "[evaluation]",
    ]  # fmt: skip


def test_metadata_lines_come_last() -> None:
    """Custom keys stand in a table of their own below the settings."""
    config = TrainingConfig(metadata=frozen_map({"note": "scm20", "total_steps": 5000}))
    lines = list(config_lines(config))
    assert lines[-3:] == [(None, ""), (None, "[metadata]"), (("metadata", "note"), 'note = "scm20"')]


@settings(deadline=None)
@given(METADATA)
@example({"my note": "a\N{LINE SEPARATOR}b\x85c\x0bd\x1ee\r\nf"})
@example({"my a\N{LINE SEPARATOR}b": 1})
@example({"my list": [{}, {"a": [[], {}, [{"b": 1}]]}], "my table": {}})
@example({"my number": [-0.0, 5e-324, 1e16, 2**64], "my text": '"\\\t\x00\x7f'})
def test_toml_reads_back_the_same(metadata: dict[str, Any]) -> None:
    """The TOML of a configuration holds the values of its dict, whatever its custom keys are."""
    assert find_unwritable(metadata) is None
    config = TrainingConfig(metadata=frozen_map(metadata))
    read = tomllib.loads(toml_of(config))
    assert described(read.pop("metadata", {})) == described(metadata)
    assert described(read) == described(to_dict(TrainingConfig()))


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(), st.booleans())
@example(1e-5, 10**4299, True)
@example(1e16, -1, False)
def test_settings_read_back_the_same(number: float, steps: int, switch: bool) -> None:
    """Every number comes back from TOML with its type, its sign and to the last digit."""
    config = replace(with_floats(number), total_steps=steps, save_trajectory_data=switch)
    assert described(tomllib.loads(toml_of(config))) == described(to_dict(config))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (-0.0, "-0.0"),
        (1e-5, "1e-05"),
        ("größe", '"größe"'),
        ('a "b" \\', '"a \\"b\\" \\\\"'),
        ("a\nb\x7f", '"a\\nb\\u007f"'),
        ([1, [2, {"a b": "c"}]], '[1, [2, {"a b" = "c"}]]'),
        ({}, "{}"),
        (date(2026, 1, 31), "2026-01-31"),
        (time(7, 30), "07:30:00"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00+00:00"),
    ],
)
def test_a_value_has_one_line(value: Any, text: str) -> None:
    """Whatever a value is, it stands on one line, which reads back the same."""
    assert value_text(value) == text
    assert repr(tomllib.loads(f"value = {text}")["value"]) == repr(value)


@settings(deadline=None)
@given(METADATA)
def test_metadata_on_one_line_each_reads_back_the_same(metadata: dict[str, Any]) -> None:
    """The lines of a frozen file's metadata hold the values, whatever their keys and types are."""
    lines = metadata_lines(metadata)
    assert len("\n".join(lines).split("\n")) == len(metadata) or not metadata
    assert described(tomllib.loads("\n".join(lines))) == described(metadata)


class Size(IntEnum):
    """A number that shows itself otherwise."""

    SMALL = 16


class Rate(float):
    """The same for a fraction."""

    def __repr__(self) -> str:
        return f"Rate({float(self)})"


class Kind(str, Enum):  # noqa: UP042 (as old code has them)
    """The same for a text."""

    CLIP = "clip"


@pytest.mark.parametrize(("value", "text"), [(Size.SMALL, "16"), (Rate(0.5), "0.5"), (Kind.CLIP, '"clip"')])
def test_values_of_derived_classes_are_written_as_what_they_are(value: Any, text: str) -> None:
    """An enum, or a scalar of numpy, shows itself otherwise, and is written as the number or text that it is."""
    assert value_text(value) == text


@pytest.mark.parametrize("value", [None, object(), {1, 2}])
def test_what_has_no_form_in_toml_is_a_type_error(value: Any) -> None:
    """A value that was put there by hand is named by its type."""
    with pytest.raises(TypeError, match="has no form in TOML"):
        value_text(value)
