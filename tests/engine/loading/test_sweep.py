"""The points of a sweep, judged: each as a start of its own would be, and what they share told once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acbo_settings import ConfigurationError, TrainingConfig, create_training_config, load_training_config
from acbo_settings.engine.canonical import KeyPath, nested
from acbo_settings.engine.inputs import read_raw_file, read_start
from acbo_settings.engine.loading.layers import read_layers
from acbo_settings.engine.loading.sweep import JudgedSweep, SweepPoint
from acbo_settings.engine.loading.sweep_file import read_points
from acbo_settings.engine.report import format_report

from ...strategies import SCHEMA, SETTINGS, layers, values_of


def judged(sweep: str, acbo: str = "", environ: Mapping[str, str] | None = None, **overrides: int) -> JudgedSweep:
    """The points of a file over a configuration file, variables and overrides."""
    Path("sweep.toml").write_text(sweep, encoding="utf-8")
    Path("acbo.toml").write_text(acbo, encoding="utf-8")
    points, problems = read_points(SCHEMA, read_raw_file("sweep.toml"))
    assert problems == []
    layers = read_layers(read_start(SCHEMA, None, overrides or None, environ or {}))
    return JudgedSweep(layers, points, "sweep.toml")


def points_of(found: JudgedSweep) -> list[SweepPoint]:
    """The valid points, which have to be all."""
    points = [point for point in found.judge() if point]
    assert found.problems == []
    return points


def test_a_point_is_a_layer_above_all_else() -> None:
    """It wins over the file, and a variable that is not swept stays in force; its origin has line and number."""
    found = judged("[grid]\ntotal_steps = [6000, 7000]\n", "total_steps = 50\n", {"ACBO_LOG_FREQUENCY": "20"})
    last = points_of(found)[1]
    assert last.resolved.config == create_training_config(total_steps=7000, log_frequency=20)
    assert last.resolved.explain("total_steps") == (
        "7000, from sweep.toml:2, point 1, over 50 from acbo.toml:1, over the default 5000"
    )
    assert (last.number, last.place, last.swept, last.is_new) == (1, 1, "{total_steps = 7000}", True)
    assert last.fingerprint == last.resolved.config.fingerprint


def test_keys_of_the_metadata_are_swept_too() -> None:
    """Points that differ in metadata alone are different ones; what the file notes beside stays."""
    found = judged("[grid]\nmetadata.seed = [1, 2]\n", "[metadata]\nseed = 9\nnote = 'a'\n")
    assert [dict(point.resolved.config.metadata) for point in points_of(found)] == [
        {"note": "a", "seed": 1},
        {"note": "a", "seed": 2},
    ]


def test_equal_points_are_one_and_told() -> None:
    """A value that stands twice, in whatever spelling, makes no second point, and numbers have no gaps."""
    found = judged("[grid]\ngrpo.max_grad_norm = [1, 1.0, 2]\nlog_frequency = [10, 20, 10]\n")
    numbers = [point and point.number for point in found.judge()]
    assert numbers == [0, 1, None, None, None, None, 2, 3, None]
    (told,) = found.problems
    assert told.severity == "advice"
    assert told.message == (
        "points that are equal are one, which leaves out 5 of 9 combinations: combination 2 equals point 0"
    )


def test_what_points_share_is_told_once(assert_report: Callable[[str, str], None]) -> None:
    """One report: a bad value with its points, a rule with those that break it, and what all of them have without."""
    found = judged(
        "[grid]\ngrpo.group_size = [4, 32, 5]\nwarmup_steps = [100,\n  600, 200]\n",
        "total_steps = 500\n[rewards]\nreward_scaling = 'tahn'\n",
        {"ACBO_NO_SUCH": "1"},
    )
    assert [point for point in found.judge() if point] == []
    assert_report("sweep-shared-problems", format_report(found.problems, 100))


def test_a_single_point_is_named_by_its_place(assert_report: Callable[[str, str], None]) -> None:
    """A problem of one point needs no list of points: the place has its number."""
    found = judged("[[paired]]\ntotal_steps = 500\n[[paired]]\ntotal_steps = 90\n", "warmup_steps = 100\n")
    assert [point is None for point in found.judge()] == [False, True]
    errors = [problem for problem in found.problems if problem.severity == "error"]
    assert_report("sweep-single-point", format_report(errors, 100))


def test_what_would_make_all_points_the_same_is_refused(assert_report: Callable[[str, str], None]) -> None:
    """A variable, a table of several settings, a note and an override that set a swept key are told."""
    found = judged(
        "[grid]\ntotal_steps = [6000, 7000]\ngrpo.group_size = [32, 64]\nmetadata.seed = [1]\nlog_frequency = [1]\n",
        "total_steps = 50000\n",
        {"ACBO_GRPO": '{"group_size": 128}', "ACBO_METADATA__SEED": "3", "ACBO_TOTAL_STEPS": "9000"},
        log_frequency=5,
    )
    list(found.judge())
    assert_report("sweep-set-for-all", format_report(found.problems, 100))


@pytest.mark.parametrize("name", ["ACBO_METADATA__A", "ACBO_METADATA__A__B", "ACBO_METADATA__A__B__C"])
def test_a_note_above_or_below_a_swept_one_is_refused_too(name: str) -> None:
    """It would be replaced by what is swept, or beside it, without a word."""
    found = judged("[grid]\nmetadata.a.b = [1, 2]\n", environ={name: "3"})
    list(found.judge())
    assert [problem.message for problem in found.problems] == [f"is swept, and {name} would make all points the same"]


@st.composite
def sweeps(draw: st.DrawFn) -> tuple[dict[KeyPath, Any], dict[KeyPath, list[Any]], list[dict[KeyPath, Any]]]:
    """What a file gives, a grid, and pairs; about every fourth value breaks the range of its setting, or a rule."""
    paths = draw(st.lists(st.sampled_from(list(SETTINGS)), min_size=1, max_size=4, unique=True))
    wrong = st.sampled_from([-1, 0, 10**6, True, "no"])
    value = {path: st.one_of(*[values_of(SETTINGS[path])] * 3, wrong) for path in paths}
    cut = draw(st.integers(0, len(paths)))
    grid = {path: draw(st.lists(value[path], min_size=1, max_size=3)) for path in paths[:cut]}
    pair = st.fixed_dictionaries({path: value[path] for path in paths[cut:]})
    return draw(layers()), grid, draw(st.lists(pair, min_size=1, max_size=3)) if cut < len(paths) else []


@given(sweeps())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_any_point_is_what_a_start_of_its_own_would_be(
    drawn: tuple[dict[KeyPath, Any], dict[KeyPath, list[Any]], list[dict[KeyPath, Any]]],
) -> None:
    """Each combination is valid when, and only when, a start with its values is, and is the same configuration."""
    below, grid, pairs = drawn
    text = tomli_w.dumps({"grid": nested(grid), "paired": [nested(pair) for pair in pairs]})
    found = judged(text, tomli_w.dumps(nested(below)))
    points = {point.place: point for point in found.judge() if point}
    order = [found.points.at(place) for place in range(len(found.points))]
    assert len(order) == prod(map(len, grid.values())) * (len(pairs) or 1)
    seen: set[TrainingConfig] = set()
    for place, layer in enumerate(order):
        overrides = {".".join(path): sourced.value for path, sourced in layer.items()}
        try:
            config = load_training_config(overrides=overrides, environ={})
        except ConfigurationError:
            assert place not in points
            continue
        assert (place in points) == (config not in seen)
        if place in points:
            assert points[place].resolved.config == config
            assert points[place].fingerprint == config.fingerprint
        seen.add(config)
    assert found.valid == len(seen)
