from __future__ import annotations

import os
import pty
import sys
from subprocess import DEVNULL, Popen

from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.cli.terminal import plot, with_progress

from ..command_line import chunks

SLOWLY = """
import time
from acbo_settings.cli.terminal import with_progress
def items():
    for number in range(8):
        time.sleep(SECONDS)
        yield number
assert list(with_progress(items(), 8)) == list(range(8))
"""


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


def shown_on_a_terminal(seconds: float) -> bytes:
    """What a program writes to a terminal while it takes eight items, each in so many seconds."""
    ours, theirs = pty.openpty()
    program = [sys.executable, "-c", SLOWLY.replace("SECONDS", str(seconds))]
    with Popen(
        program, stdin=DEVNULL, stdout=DEVNULL, stderr=theirs, env={"TERM": "xterm", "COLUMNS": "80"}
    ) as started:
        os.close(theirs)
        shown = b"".join(chunks(ours))
        assert started.wait(60) == 0
    return shown


def test_what_takes_longer_than_a_second_has_a_bar() -> None:
    """On a terminal the bar comes after a second and goes at the end; quick work has none."""
    slow = shown_on_a_terminal(0.25)
    assert b"checking" in slow
    assert b"100%" in slow or b"88%" in slow
    assert shown_on_a_terminal(0.0) == b""


def test_a_pipe_gets_no_bar() -> None:
    """What is no terminal gets the items alone."""
    assert list(with_progress(iter("abc"), 3)) == ["a", "b", "c"]
