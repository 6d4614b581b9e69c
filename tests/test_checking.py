from __future__ import annotations

from pathlib import Path

from acbo_settings.checking import check_file, file_in


def test_a_directory_stands_for_the_file_in_it(tmp_path: Path) -> None:
    """A directory is read as the `acbo.toml` in it; without one, that file is what is missing."""
    (tmp_path / "run").mkdir()
    assert file_in("run") == "run/acbo.toml"
    (problem,) = check_file("run", {}).problems
    assert problem.message == "no such file"
    (tmp_path / "run/acbo.toml").write_text("total_steps = 7000\n")
    checked = check_file("run", {})
    assert checked.resolved
    assert (checked.path, checked.resolved.config.total_steps) == ("run/acbo.toml", 7000)


def test_advice_is_kept_and_no_warning() -> None:
    """Advice is part of what came of a file; nothing is warned about."""
    checked = check_file(None, {"ACBO_EVALUATION__EARLY_STOPPING_PATIENCE": "5"})
    assert [problem.path[-1] for problem in checked.advice] == ["early_stopping_patience"]
    assert checked.path is None
