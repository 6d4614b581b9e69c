from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.cli.terminal import plot


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=80), st.integers(1, 8))
def test_the_highest_value_reaches_the_top(values: list[float], height: int) -> None:
    """A plot has the asked size; the highest column is full, a column of 0 is empty."""
    rows = plot(lambda step: values[step], len(values) - 1, len(values), height)
    assert len(rows) == height
    assert all(len(row) <= len(values) for row in rows)
    if max(values) > 1e-300:
        assert "█" in rows[0]


def test_a_plot_of_nothing_is_empty() -> None:
    """Where all values are 0, no block is drawn."""
    assert plot(lambda step: 0.0, 10, 20, 2) == ["", ""]
