from __future__ import annotations

from pathlib import Path

import pytest

from acbo_settings import load_training_config
from acbo_settings.cli.checked_file import check_file, file_in

from ..strategies import SCHEMA


def test_a_directory_stands_for_the_file_in_it(tmp_path: Path) -> None:
    """A directory is read as the `acbo.toml` in it; without one, that file is what is missing."""
    (tmp_path / "run").mkdir()
    assert file_in("run", ["acbo.frozen.toml", "acbo.toml"]) == "run/acbo.toml"
    (problem,) = check_file(SCHEMA, "run", {}).problems
    assert problem.message == "no such file"
    (tmp_path / "run/acbo.toml").write_text("total_steps = 7000\n")
    checked = check_file(SCHEMA, "run", {})
    assert checked.resolved
    assert (checked.path, checked.resolved.config.total_steps) == ("run/acbo.toml", 7000)


def test_advice_is_kept_and_no_warning() -> None:
    """Advice is part of what came of a file; nothing is warned about."""
    checked = check_file(SCHEMA, None, {"ACBO_EVALUATION__EARLY_STOPPING_PATIENCE": "5"})
    assert [problem.path[-1] for problem in checked.advice] == ["early_stopping_patience"]
    assert checked.path == "acbo.toml"


def test_which_file_of_a_directory(tmp_path: Path) -> None:
    """`check` takes the experiment's file first, `show` and the others that of the run; each the other when alone."""
    load_training_config(run_dir="run", environ={})
    assert check_file(SCHEMA, "run", {}).path == "run/acbo.frozen.toml"
    (tmp_path / "run/acbo.toml").write_text("")
    assert check_file(SCHEMA, "run", {}).path == "run/acbo.toml"
    assert check_file(SCHEMA, "run", {}, prefers_frozen=True).path == "run/acbo.frozen.toml"


def test_variables_take_no_part_in_a_frozen_file() -> None:
    """A frozen file is judged as its run started, whatever the shell has set; a job that names it as file layers."""
    environ = {"ACBO_TOTAL_STEPS": "7000"}
    load_training_config(run_dir="run", environ={})
    checked = check_file(SCHEMA, "run", environ)
    assert checked.frozen
    assert checked.resolved is not None
    assert checked.resolved.config.total_steps == 5000
    assert load_training_config("run/acbo.frozen.toml", environ=environ).total_steps == 7000


def test_a_frozen_file_is_a_configuration_file() -> None:
    """Its settings that were given have the origins of that day, the others are defaults, and nothing is advised."""
    environ = {"ACBO_EXPLORATION__STRATEGY_TYPE": "uncertainty_guided", "ACBO_METADATA__NOTE": "scm20"}
    config = load_training_config(run_dir="run", environ=environ)
    checked = check_file(SCHEMA, "run", {})
    assert (checked.problems, checked.advice) == ((), ())
    assert checked.resolved is not None
    assert (checked.resolved.config, checked.resolved.config.metadata) == (config, config.metadata)
    given = {path: str(value.origin) for path, value in checked.resolved.values.items() if not value.is_default}
    assert given == {("exploration", "strategy_type"): "ACBO_EXPLORATION__STRATEGY_TYPE, as frozen"}


def test_a_damaged_frozen_file_is_not_valid(tmp_path: Path) -> None:
    """The checks of the file hold wherever it is named as a configuration file."""
    load_training_config(run_dir="run", environ={})
    file = tmp_path / "run/acbo.frozen.toml"
    file.write_text(file.read_text().replace("5000", "6000"))
    (problem,) = check_file(SCHEMA, "run", {}).problems
    assert problem.message == "was edited or damaged: its checksum does not fit"


@pytest.mark.parametrize("start", [0, 1])
def test_a_copy_of_a_frozen_file_is_no_ordinary_file(tmp_path: Path, start: int) -> None:
    """Copied to `acbo.toml` and edited, with or without its first line: refused, with what to do about it."""
    load_training_config(run_dir="run", environ={"ACBO_TOTAL_STEPS": "7000"})
    lines = (tmp_path / "run/acbo.frozen.toml").read_text().replace("7000", "8000").splitlines(keepends=True)
    for line_end in ("\n", "\r\n"):
        (tmp_path / "acbo.toml").write_bytes("".join(lines[start:]).replace("\n", line_end).encode("utf-8-sig"))
        checked = check_file(SCHEMA, "acbo.toml", {})
        assert checked.frozen
        assert "remove its first line and everything from [frozen] on" in checked.problems[0].hint
    kept = "".join(lines[1:]).partition("[frozen]")[0]
    (tmp_path / "acbo.toml").write_text(kept)
    assert load_training_config(environ={}).total_steps == 8000


def test_a_text_that_quotes_a_frozen_file_is_no_frozen_file() -> None:
    """A note may hold whatever a frozen file ends with."""
    Path("acbo.toml").write_text('[metadata]\nnote = """\n[frozen.checksum]\nsha256 = \'a\'\n"""\n')
    assert check_file(SCHEMA, "acbo.toml", {}).resolved is not None
