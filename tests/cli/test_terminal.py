from __future__ import annotations

import os
import pty
import sys
from subprocess import DEVNULL, Popen

from acbo_settings.cli.terminal import with_progress

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
