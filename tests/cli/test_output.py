"""What all commands write to stderr: notes, reports and advice, each fitted to the terminal."""

from __future__ import annotations

import pytest

from acbo_settings.cli.output import note, print_advice, print_problems
from acbo_settings.engine.problems import Problem


def test_notes_reports_and_advice_fit_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line is wider than the terminal, and nothing goes to stdout."""
    monkeypatch.setenv("COLUMNS", "50")
    problem = Problem(path=("grpo", "group_size"), message="is " + "very " * 30 + "wrong")
    note("one sentence " * 10)
    print_problems([problem])
    print_advice([problem])
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("very") == 60
    assert max(map(len, captured.err.splitlines())) <= 50


def test_no_advice_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing to say, nothing is said."""
    print_advice([])
    assert capsys.readouterr().err == ""
