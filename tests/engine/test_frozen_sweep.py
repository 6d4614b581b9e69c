"""The frozen file of a sweep, both ways."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acbo_settings import ConfigurationError
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.frozen_sweep import (
    FrozenPoint,
    read_head,
    read_sweep,
    render_sweep,
    require_point,
    swept_text,
)
from acbo_settings.engine.metadata import MAX_DEPTH
from acbo_settings.engine.run_arguments import Point

from ..strategies import SCHEMA

NAMES = st.text(min_size=1, max_size=5).filter(lambda text: text.isprintable())
VALUES = st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
SWEPT = st.dictionaries(st.tuples(st.just("metadata"), NAMES), VALUES | st.lists(VALUES, max_size=3), max_size=4)


def write(points: list[FrozenPoint], **facts: Any) -> str:
    """Write the file of these points into the working directory."""
    text = render_sweep(SCHEMA, points, facts)
    Path("acbo.sweep.toml").write_text(text, encoding="utf-8")
    return text


def point(number: int, swept: dict[KeyPath, Any] | None = None, is_retired: bool = False) -> FrozenPoint:
    """A point with a mark and a fingerprint of its own."""
    return FrozenPoint(number, f"{number:016x}", "0" * 16, f"{number + 7:016x}", is_retired, swept_text(swept or {}))


@given(st.lists(st.tuples(SWEPT, st.booleans()), max_size=5))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_reads_back(given: list[tuple[dict[KeyPath, Any], bool]]) -> None:
    """Any swept values, and any points that are retired; the file is TOML."""
    written = [point(number, swept, is_retired) for number, (swept, is_retired) in enumerate(given)]
    text = write(written, file="sweep.toml")
    read = read_sweep(SCHEMA, "")
    assert [vars(each) for each in read.points] == [vars(each) for each in written]
    assert [each.swept for each in read.points] == [swept for swept, _ in given]
    assert (read.head.points, len(read.head.retired)) == (len(given), sum(is_retired for _, is_retired in given))
    assert tomllib.loads(text)["sweep"]["file"] == "sweep.toml"


def test_values_have_one_text_in_whatever_order() -> None:
    """Which is how a point is known again when a sweep is frozen again."""
    first: dict[KeyPath, Any] = {("grpo", "group_size"): 32, ("metadata", "a b"): "x"}
    assert (
        swept_text(first)
        == swept_text(dict(reversed(first.items())))
        == ('{grpo.group_size = 32, metadata."a b" = "x"}')
    )


@pytest.mark.parametrize("count", [1, 9, 100, 3000])
def test_a_task_reads_the_head_alone(count: int) -> None:
    """However long the list of retired points is, the number of a task is found out, and its mark."""
    write([point(number, is_retired=number % 2 == 0) for number in range(count)])
    head = read_head(SCHEMA, "")
    assert (head.points, head.retired) == (count, frozenset(range(0, count, 2)))
    for number in range(1, count, 500):
        require_point(SCHEMA, Point("", number))
    with pytest.raises(ConfigurationError, match=f"has no point {count}; it has "):
        require_point(SCHEMA, Point("", count))
    with pytest.raises(ConfigurationError, match="point 0 is retired"):
        require_point(SCHEMA, Point("", 0))


def test_what_stands_in_its_place_is_told() -> None:
    """A newer format, another file, and a directory of its name are refused."""
    text = write([point(0)])
    for content, message in (
        (text.replace("format 1", "format 2"), "has format 2, and acbo-settings .* reads format 1; install a newer"),
        ("total_steps = 7\n", "is no frozen sweep: its first line does not say so"),
        ("", "is no frozen sweep"),
        (text.replace("points = 1", "points = 2"), "checksum of its head does not fit"),
    ):
        Path("acbo.sweep.toml").write_text(content)
        with pytest.raises(ConfigurationError, match=message):
            read_head(SCHEMA, "")
    Path("acbo.sweep.toml").unlink()
    Path("acbo.sweep.toml").mkdir()
    with pytest.raises(ConfigurationError, match="is a directory, not a file"):
        read_head(SCHEMA, "")
    assert MAX_DEPTH > 1  # deeper values are refused before they could be written
