"""The file of a sweep: which points there are, in which order, and what is wrong with its keys."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acbo_settings import ConfigurationError
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.inputs import read_raw_file
from acbo_settings.engine.loading.sweep_file import SweepPoints, read_points
from acbo_settings.engine.problems import Problem
from acbo_settings.engine.report import format_report

from ...strategies import SCHEMA

MISTAKES = {
    "a setting at the top": "total_steps = [1, 2]\n[grid]\nlog_frequency = [1]\n",
    "a table with a typing error": "[gird]\nlog_frequency = [1]\n",
    "a table of something else": "[grid]\nlog_frequency = [1]\n[sampler]\nname = 'random'\n",
    "no array": "[grid]\ngrpo.group_size = 32\n",
    "an empty array": "[grid]\ngrpo.group_size = []\n",
    "a misspelt setting": "[grid]\ngrpo.group_sise = [32, 64, 128]\n",
    "a setting without its table": "[grid]\nlearning_rate = [1e-4, 3e-4]\n",
    "a setting of another program": "[[paired]]\nnum_generations = 8\n",
    "a setting inside the metadata": "[grid]\nmetadata.total_steps = [8, 9]\n",
    "a key of one's own": "[grid]\nseed = [1, 2]\n",
    "a secret": "[grid]\nmetadata.api_key = ['abc', 'def']\n",
    "a key of both": "[grid]\nlog_frequency = [1, 2]\n[[paired]]\nlog_frequency = 3\n",
    "a key and a key below it": "[grid]\nmetadata.a = [1, 2]\n[[paired]]\nmetadata.a.b = 3\n",
    "a key of some pairs": "[[paired]]\nlog_frequency = 3\ntotal_steps = 9000\n[[paired]]\nlog_frequency = 4\n",
    "tables with different keys": "[grid]\nmetadata.wandb = [{group = 'a', name = 'x'}, {group = 'b'}]\n",
    "nothing": "# nothing yet\n",
    "an empty pair": "[[paired]]\n",
    "one pair that is empty": "[[paired]]\nlog_frequency = 3\n[[paired]]\n",
    "empty tables in the grid": "[grid]\n[grid.grpo]\n",
    "a pair that is empty inside": "[[paired]]\ngrpo = {}\n[[paired]]\ngrpo.group_size = 64\n",
    "arrays in a pair": "[[paired]]\ngrpo.learning_rate = [1e-4, 3e-4]\nwarmup_steps = [100, 300]\n",
    "pairs that are one table": "[paired]\nlog_frequency = 3\n",
    "a grid that is an array": "[[grid]]\nlog_frequency = [3]\n",
    "too many points": f"[grid]\nmetadata.a = {list(range(400))}\nmetadata.b = {list(range(500))}\n",
    "several lines": '[grid]\ngrpo.no_such = [\n  32,\n  64,\n]\nmetadata."" = [\n 1,\n nan,\n]\n',
    "extends": "extends = 'other.toml'\n[grid]\nlog_frequency = [1]\n",
    "no TOML": "[grid]\nlog_frequency = [1 2]\n",
    "a batch script": "#!/bin/bash\n",
}


def read(text: str) -> tuple[SweepPoints, list[Problem]]:
    """Read a file of this text."""
    Path("sweep.toml").write_text(text, encoding="utf-8")
    return read_points(SCHEMA, read_raw_file("sweep.toml"))


def values(points: SweepPoints, place: int) -> dict[KeyPath, object]:
    """What a point gives its settings."""
    return {path: sourced.value for path, sourced in points.at(place).items()}


def test_every_mistake_is_told_with_its_line(assert_report: Callable[[str, str], None]) -> None:
    """The report of each mistake has the line, a caret and a way out, and there are no points then."""
    parts = []
    for name, text in MISTAKES.items():
        try:
            points, problems = read(text)
        except ConfigurationError as error:
            parts.append(f"### {name}\n{error}")
            continue
        assert len(points) == 0, name
        parts.append(f"### {name}\n{format_report(problems, 100)}")
    assert_report("sweep-file-mistakes", "\n\n".join(parts))


def test_pairs_are_slowest_and_the_last_key_is_fastest() -> None:
    """Every combination in the order of the file, though `tomllib` keeps keys of one table together."""
    points, problems = read(
        "[grid]\ngrpo.group_size = [32, 64]\nmetadata.seed = [1, 2]\ngrpo.num_iterations = [3, 4]\n"
        "[[paired]]\nlog_frequency = 10\n[[paired]]\nlog_frequency = 20\n"
    )
    assert problems == []
    assert [tuple(values(points, place).values()) for place in range(len(points))] == list(
        product([10, 20], [32, 64], [1, 2], [3, 4])
    )
    assert list(points.keys) == [
        ("log_frequency",),
        ("grpo", "group_size"),
        ("metadata", "seed"),
        ("grpo", "num_iterations"),
    ]


@given(st.lists(st.lists(st.integers(), min_size=1, max_size=4), min_size=1, max_size=4), st.integers(0, 3))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_grid_has_every_combination_once(columns: list[list[int]], pairs: int) -> None:
    """The points of generated grids and pairs are those of `itertools.product`, each with its lines."""
    grid = "".join(f"metadata.k{number} = {column}\n" for number, column in enumerate(columns))
    points, problems = read(f"[grid]\n{grid}" + "".join(f"[[paired]]\ntotal_steps = {n + 1}\n" for n in range(pairs)))
    assert problems == []
    expected = list(product(*([range(1, pairs + 1)] if pairs else []), *columns))
    assert [tuple(values(points, place).values()) for place in range(len(points))] == expected
    lines = {path: sourced.origin.position.line for path, sourced in points.at(0).items() if sourced.origin.position}
    assert lines == {("metadata", f"k{n}"): n + 2 for n in range(len(columns))} | (
        {("total_steps",): len(columns) + 3} if pairs else {}
    )


def test_an_item_has_its_own_place() -> None:
    """In an array of one line the column tells, in one of several the line, and so it does in tables."""
    points, _ = read(
        "[grid]\ntotal_steps = [5000, 7000]\nlog_frequency = [\n  1,\n  2,\n]\n"
        "metadata.wandb = [{group = 'a'}, {group = 'b'}]\n"
    )
    last = points.at(len(points) - 1)
    places = {path: sourced.origin.position for path, sourced in last.items()}
    assert {path: place and (place.line, place.value_column) for path, place in places.items()} == {
        ("total_steps",): (2, 22),
        ("log_frequency",): (5, 3),
        ("metadata", "wandb", "group"): (7, 43),
    }
    assert str(last["total_steps",].origin) == "sweep.toml:2"


def test_a_frozen_sweep_of_100_000_points_is_read_at_once() -> None:
    """The count is told before anything is built, and a sweep of as many as there may be is no matter of seconds."""
    points, problems = read(f"[grid]\nmetadata.a = {list(range(1000))}\nmetadata.b = {list(range(100))}\n")
    assert (len(points), problems) == (100_000, [])
    assert values(points, 99_999) == {("metadata", "a"): 999, ("metadata", "b"): 99}
