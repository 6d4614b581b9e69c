"""What a text stands for, in a variable or on a command line."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import TrainingConfig
from acbo_settings.engine.loading.texts import parse_table, parse_text
from acbo_settings.engine.origins import Variable
from acbo_settings.engine.problems import Problem
from acbo_settings.engine.schema import Schema

from ...strategies import SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """A table inside of a table."""

    name: str | None = None
    layers: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A table."""

    encoder: Encoder = field(default_factory=Encoder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(TrainingConfig):
    """A class with tables of its own."""

    model: Model = field(default_factory=Model)


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        ("128", 64, 128),
        (" 128\t\n", 64, 128),
        ("-5", 64, -5),
        ("+5", 64, 5),
        ("0", 64, 0),
        ("007", 64, 7),
        ("9" * 4000, 64, 10**4000 - 1),
        ("0.5", 1.0, 0.5),
        (" 1e-3 ", 1.0, 0.001),
        ("-1E3", 1.0, -1000.0),
        (".5", 1.0, 0.5),
        ("5.", 1.0, 5.0),
        ("1", 1.0, 1.0),
        ("tanh", "clip", "tanh"),
        (" Tanh ", "clip", "Tanh"),
        ("a_b", "clip", "a_b"),
        ("7", "", "7"),
        ("true", "", "true"),
        ("ä b", "", "ä b"),
    ],
    ids=lambda value: repr(value)[:20] if isinstance(value, str) else type(value).__name__,
)
def test_text_is_parsed(text: str, default: object, expected: object) -> None:
    """Decimal integers, finite floats and text are read as the setting's type, white space around them stripped."""
    parsed = parse_text(text, type(default))
    assert (type(parsed), parsed) == (type(expected), expected)


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize(
    ("words", "expected"), [(["true", "1", "yes", "on"], True), (["false", "0", "no", "off"], False)]
)
def test_switch_is_parsed(words: list[str], expected: bool, default: bool) -> None:
    """A switch is one of eight words, in any case and with white space around it."""
    for word in words:
        for spelled in (word, word.upper(), word.title(), f"\t{word} \n"):
            assert parse_text(spelled, type(default)) is expected


@pytest.mark.parametrize(
    ("default", "texts"),
    [
        (
            64,
            ["", "64.0", "1e3", "0x10", "0b1", "0o7", "1_000", "1,000", "true", "٣", "１２", "1 2", "--1", "9" * 5000],
        ),
        (1.0, ["", "1_0.5", "0x1p3", "1,5", "٣.٥", "1 e3", "half", "true", "1e", "."]),
        (True, ["", "t", "y", "2", "-1", "1.0", "01", "tru", "wahr", "enabled", "true false"]),
    ],
)
def test_text_of_another_spelling_stays_text(default: object, texts: list[str]) -> None:
    """What is written in any other way stays text, which validation then refuses."""
    for text in texts:
        assert parse_text(f" {text} ", type(default)) == text


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_printed_values_are_read_back(number: int, fraction: float, switch: bool) -> None:
    """What Python prints of an integer, a float or a switch stands for the same value."""
    assert parse_text(str(number), int) == number
    assert parse_text(str(fraction), float) == fraction
    assert parse_text(str(switch), bool) is switch


@pytest.mark.parametrize(
    ("path", "text", "hint"),
    [
        ("grpo", "group_size=32", """such as '{"group_size": 64}'"""),
        ("grpo", "{group_size: 32}", """such as '{"group_size": 64}'"""),
        ("grpo", '{"a": 1, "a": 2}', ""),
        ("metadata", "scm20", """such as '{"note": "..."}'"""),
        ("model", "x", """such as '{"encoder": {"layers": 3}}'"""),
        ("model.encoder", "x", """such as '{"layers": 3}'"""),
    ],
)
def test_a_table_that_is_no_json_gets_an_example(path: str, text: str, hint: str) -> None:
    """Of its first setting that has a default, be that in a table inside of it."""
    problem = parse_table(Schema.of(Own), tuple(path.split(".")), text, Variable("ACBO_TABLE", text))
    assert isinstance(problem, Problem)
    assert problem.hint == hint


def test_a_table_is_json_or_a_problem_that_hides_secrets() -> None:
    """The reason is told, and no value of a secret with it."""
    origin = Variable("LAB_TABLE", "")
    assert parse_table(SCHEMA, ("grpo",), '{"a": 1}', origin) == {"a": 1}
    problem = parse_table(SCHEMA, ("grpo",), '"token: abc"', origin)
    assert isinstance(problem, Problem)
    assert problem.message == 'should be a table as JSON: "token: *** is not an object'
