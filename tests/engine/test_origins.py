"""Origins: how each is named, and where it stands."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from acbo_settings.engine.origins import Argument, Default, File, Origin, Variable
from acbo_settings.engine.toml_document import Document, Position
from acbo_settings.engine.values import SourcedValue

FILE = Document("runs/17/acbo.toml", "# run 17\ntotal_steps = 7\n[grpo]\n  group_size = 4\n")

ORIGINS: list[tuple[Origin, str]] = [
    (Default(), "the default"),
    (Variable("acbo_total_steps", "7"), "acbo_total_steps"),
    (Argument("overrides"), "overrides"),
    (File(FILE), "runs/17/acbo.toml"),
    (File(FILE, ("total_steps",)), "runs/17/acbo.toml:2"),
    (File(FILE, ("grpo",)), "runs/17/acbo.toml:3"),
    (File(FILE, ("grpo", "group_size")), "runs/17/acbo.toml:4"),
    (File(FILE, exact=Position(3, 5, 9)), "runs/17/acbo.toml:3:5"),
    (File(FILE, ("grpo",), exact=Position(3, 5, 9)), "runs/17/acbo.toml:3:5"),
]


@pytest.mark.parametrize(("origin", "text"), ORIGINS)
def test_origin_as_text(origin: Origin, text: str) -> None:
    """An origin reads as people name it: a file with its line, a variable as spelled, an argument by its name."""
    assert str(origin) == text


@pytest.mark.parametrize(("origin", "text"), ORIGINS)
def test_origin_can_be_pickled(origin: Origin, text: str) -> None:
    """An origin means the same in another process, and in a copy."""
    for copied in (pickle.loads(pickle.dumps(origin)), copy.deepcopy(origin)):
        assert copied == origin
        assert hash(copied) == hash(origin)
        assert str(copied) == text


def test_origins_differ() -> None:
    """Origins of another kind, name, place or file are not equal."""
    origins = [*(origin for origin, _ in ORIGINS), Variable("overrides", ""), Argument("7"), File(Document("a", ""))]
    for place, origin in enumerate(origins):
        assert [other == origin for other in origins] == [other == place for other in range(len(origins))]


@pytest.mark.parametrize(
    ("origin", "position"),
    [
        (File(FILE), None),
        (File(FILE, ("grpo", "group_size")), Position(4, 3, 16)),
        (File(FILE, exact=Position(3, 5, 9)), Position(3, 5, 9)),
    ],
)
def test_position_of_a_file_origin(origin: File, position: Position | None) -> None:
    """A key has its position in the file, a syntax error its own, a file as a whole none."""
    assert origin.position == position


@pytest.mark.parametrize(("number", "line"), [(1, "# run 17"), (4, "  group_size = 4"), (5, ""), (6, ""), (99, "")])
def test_line_of_a_file(number: int, line: str) -> None:
    """Lines are counted from 1, come without their end, and are empty past the last one."""
    assert FILE.line(number) == line


def test_last_line_of_a_file_needs_no_end() -> None:
    """The last line is there whether a line feed follows it or not."""
    assert Document("acbo.toml", "a = 1\nb = 2").line(2) == Document("acbo.toml", "a = 1\nb = 2\n").line(2) == "b = 2"


@pytest.mark.parametrize("record", [*(origin for origin, _ in ORIGINS), FILE, SourcedValue(1, Default())])
def test_origins_are_frozen(record: Any) -> None:
    """Where a value came from can not be changed."""
    for name in ("source", "name", "text", "value", "other"):
        with pytest.raises((AttributeError, TypeError)):
            setattr(record, name, "changed")


def test_unknown_key_has_no_position() -> None:
    """Asking a file for a key that it does not set is an error."""
    with pytest.raises(KeyError):
        FILE.position(("warmup_steps",))


def test_file_of_wrong_syntax_can_be_named() -> None:
    """A file whose text is no TOML is still an origin as a whole, since its keys are looked for only when needed."""
    broken = Document("acbo.toml", "[[[ = ")
    assert str(File(broken)) == "acbo.toml"
    assert "[[[" not in repr(broken)
