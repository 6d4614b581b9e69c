from __future__ import annotations

import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

from acbo_settings import TrainingConfig, load_training_config
from acbo_settings.engine.schema import Setting
from acbo_settings.reference import example_toml, settings_table

from .strategies import SCHEMA

ROOT = Path(__file__).parent.parent

REGENERATE = "run: python tests/generate.py"


@pytest.mark.parametrize("setting", SCHEMA.settings.values(), ids=lambda setting: setting.key)
def test_each_setting_is_described(setting: Setting) -> None:
    """Each setting has a doc of whole sentences, and a range or choices that its default lies in."""
    assert setting.doc.endswith(".")
    assert "\n" not in setting.doc
    assert setting.kind.bounds or setting.kind.choices or setting.kind.type is bool
    if setting.kind.choices:
        assert setting.default in setting.kind.choices
    signs = {"ge": float.__ge__, "gt": float.__gt__, "le": float.__le__}
    assert all(signs[kind](float(setting.default), float(bound)) for kind, bound in setting.kind.bounds)


def test_bounds_are_those_of_the_schema() -> None:
    """The ranges read as they are documented."""
    ranges = {setting.key: setting.kind.range for setting in SCHEMA.settings.values()}
    assert ranges["grpo.learning_rate"] == "> 0, ≤ 0.01"
    assert ranges["rewards.reward_scaling"] == '"tanh", "clip", "none"'
    assert ranges["save_trajectory_data"] == "true, false"


def test_the_example_file_sets_nothing(tmp_path: Path) -> None:
    """As it is, the example file gives the defaults."""
    path = tmp_path / "acbo.toml"
    path.write_text(example_toml(SCHEMA), encoding="utf-8")
    assert load_training_config(path, environ={}).to_dict() == TrainingConfig().to_dict()


def test_the_example_file_holds_every_default() -> None:
    """With the `#` removed in front of each assignment, it is all settings with their defaults."""
    lines = [
        line.removeprefix("# ") for line in example_toml(SCHEMA).splitlines() if " = " in line or line.startswith("[")
    ]
    assignments = [line for line in lines if line.startswith("[") or line.split(" = ")[0].isidentifier()]
    assert tomllib.loads("\n".join(assignments)) == {"extends": "../base.toml", **TrainingConfig().to_dict()}


def test_the_example_file_in_the_repository_is_fresh() -> None:
    """`acbo.toml.example` is what the schema gives."""
    assert (ROOT / "acbo.toml.example").read_text(encoding="utf-8") == example_toml(SCHEMA), REGENERATE


def test_the_table_in_the_readme_is_fresh() -> None:
    """The README's table of settings is what the schema gives."""
    assert settings_table(SCHEMA) in (ROOT / "README.md").read_text(encoding="utf-8"), REGENERATE


def test_the_table_has_a_row_for_each_setting() -> None:
    """The table is Markdown with a head and a row of five cells for each setting."""
    rows = dedent(settings_table(SCHEMA)).splitlines()
    assert len(rows) == 2 + len(SCHEMA.defaults)
    assert all(row.count("|") == 6 for row in rows)
