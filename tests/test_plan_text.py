from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings import TrainingConfig, create_training_config, plan_training
from acbo_settings.plan_drawing import Curve
from acbo_settings.plan_text import plan_lines, plot

SHORTEST, LONGEST = {"total_steps": 1, "warmup_steps": 0}, {"total_steps": 10**9}
GUIDED = {"exploration": {"strategy_type": "uncertainty_guided"}}


def drawn(config: TrainingConfig, width: int) -> list[str]:
    """The lines of a plan in a width."""
    return "\n".join(line.text for line in plan_lines(plan_training(config), width)).split("\n")


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_plan_is_printed_as_the_command_prints_it(assert_report: Callable[[str, str], None]) -> None:
    """`print(plan)` tells everything: of a run of one step, of the longest ones, and without a warmup."""
    configs = [create_training_config(given) for given in (SHORTEST, LONGEST, GUIDED)]
    assert_report("plan-printed", "\n\n".join(str(plan_training(config)) for config in configs))


@given(st.integers(1, 3000), st.integers(1, 400), st.integers(45, 130))
def test_marks_stand_at_their_steps_or_are_a_line(total_steps: int, every: int, width: int) -> None:
    """Each event has a mark of its own below the curve, or all of them are one line, when they are too many."""
    config = TrainingConfig(total_steps=total_steps, warmup_steps=0, log_frequency=every)
    lines = drawn(config, width)
    (row,) = [line[18:] for line in lines if line.startswith("log lines")][1:]
    count = plan_training(config).recurring[2].count
    is_dense = "─" in row
    assert is_dense == (count >= min(width, 100) - 18)
    assert len(row.replace(" ", "")) == (len(row) if is_dense else count)
    assert ("─ too often to be told apart here" in lines) >= is_dense
    assert max(map(len, lines)) <= width


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_the_band_is_explained_where_there_is_one() -> None:
    """Under a constant temperature there is none, and in a short run none that could be seen."""
    assert "░ can rise to here while the run stagnates" in drawn(TrainingConfig(), 80)
    for given_settings in (GUIDED, SHORTEST):
        assert "░" not in "\n".join(drawn(create_training_config(given_settings), 80))


def test_the_title_is_safe_and_short() -> None:
    """The name of an experiment can be any text, and one that is none is left out."""
    (title, *_) = drawn(create_training_config(metadata={"experiment": "a\x1b[31m\n" + "b" * 500}), 200)
    assert title.isprintable()
    assert len(title) < 140
    fingerprint = TrainingConfig().fingerprint
    for name in (17, "", {"a": 1}):
        assert drawn(create_training_config(metadata={"experiment": name}), 80)[0] == f"fingerprint {fingerprint}"


def test_numbers_that_no_float_holds_are_printed() -> None:
    """A plan of any configuration has a text."""
    assert str(plan_training(TrainingConfig(total_steps=10**400))).count("1.00e+400") > 1


@given(st.lists(st.floats(1e-300, 1e9), min_size=2, max_size=80), st.integers(1, 8))
def test_the_highest_value_reaches_the_top(values: list[float], height: int) -> None:
    """A plot has the asked size; the highest column is full, and no curve fills what is above it."""
    values.sort()
    curve = Curve("sorted", lambda step: values[step], lambda step: values[step], len(values) - 1, ())
    rows = plot(curve, len(values), height)
    assert len(rows) == height
    assert all(len(row) == len(values) and row.endswith("█") for row in rows)
    assert "░" not in "".join(rows)


def test_a_plot_of_nothing_is_empty() -> None:
    """Where all values are 0, no block is drawn."""
    assert plot(Curve("nothing", lambda step: 0.0, lambda step: 0.0, 10, ()), 20, 2) == ["", ""]
