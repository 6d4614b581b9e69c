"""The JSON Schema against the loader, and in a real TOML language tool."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from acbo_settings import ConfigurationError, json_schema, load_training_config
from acbo_settings.cli.checked_file import check_file
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.schema import Setting

from .strategies import SCHEMA, inside_and_outside, layers, tree_of

pytestmark = pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")

ROOT = Path(__file__).parent.parent
VALIDATOR = Draft202012Validator(json_schema())

# What else must be set so that no rule across settings is broken at an edge of the setting.
PARTNERS: dict[KeyPath, dict[KeyPath, Any]] = {
    ("total_steps",): {("warmup_steps",): 0},
    ("exploration", "initial_temperature"): {("exploration", "final_temperature"): 5e-324},
    ("exploration", "final_temperature"): {("exploration", "initial_temperature"): 1e9},
}
EDGES = [(setting, kind, bound) for setting in SCHEMA.settings.values() for kind, bound in setting.kind.bounds]


def loads(tree: dict[str, Any]) -> bool:
    """Whether the loader takes a tree."""
    try:
        load_training_config(os.devnull, overrides=tree, environ={})
    except ConfigurationError:
        return False
    return True


def both(layer: dict[KeyPath, Any]) -> tuple[bool, bool]:
    """Whether the schema and the loader take a layer."""
    tree = tree_of(layer)
    return VALIDATOR.is_valid(tree), loads(tree)


def test_the_schema_is_valid() -> None:
    """It keeps to its own draft, and every field has title, description, default, and a range or choices."""
    Draft202012Validator.check_schema(json_schema())
    for setting in SCHEMA.settings.values():
        field = json_schema()
        for name in setting.path:
            field = field["properties"][name]
        assert field["title"] == setting.key
        assert (field["description"], field["default"]) == (setting.doc, setting.default)
        assert field["type"] == "boolean" or {"minimum", "exclusiveMinimum", "maximum", "enum"} & set(field)


@pytest.mark.parametrize(("setting", "kind", "bound"), EDGES, ids=[f"{s.key} {k} {b}" for s, k, b in EDGES])
def test_schema_and_loader_agree_on_every_edge(setting: Setting, kind: str, bound: float) -> None:
    """The last value inside of a bound is taken by both, the first outside by neither."""
    inside, outside = inside_and_outside(setting, kind, bound)
    partners = PARTNERS.get(setting.path, {})
    if setting.path == ("exploration", "initial_temperature"):
        inside = 1e-300  # the smallest of all leaves no room for a final temperature below it
    assert both({**partners, setting.path: inside}) == (True, True)
    assert both({**partners, setting.path: outside}) == (False, False)


@pytest.mark.parametrize("setting", SCHEMA.settings.values(), ids=lambda setting: setting.key)
def test_schema_and_loader_agree_on_types(setting: Setting) -> None:
    """Another type than the setting's is taken by neither, and each choice by both."""
    wrong: list[Any] = [[], {}, "x"] + ([1] if setting.kind.type in (bool, str) else [True])
    for value in wrong:
        assert both({setting.path: value}) == (False, False), value
    for choice in setting.kind.choices:
        assert both({setting.path: choice}) == (True, True)


@given(layers())
def test_valid_settings_are_taken_by_both(layer: dict[KeyPath, Any]) -> None:
    """Whatever values of the ranges are combined, schema and loader take them."""
    assert both(layer) == (True, True)


@pytest.mark.parametrize("key", ["total_step", "experiment", "grp", "optimizer"])
def test_sections_and_the_top_level_are_closed(key: str) -> None:
    """An unknown key is refused by both, whatever it holds, and metadata by neither."""
    assert both({("grpo", key): 64}) == (False, False)
    assert both({(key,): 64}) == both({(key, "group_size"): 64}) == (False, False)
    assert both({("metadata", key): 1}) == (True, True)


@pytest.mark.parametrize(
    ("value", "is_valid"), [("base.toml", True), (["a", "b"], True), ([], True), (3, False), (["a", 3], False)]
)
def test_the_files_that_a_file_extends_are_known(value: Any, is_valid: bool) -> None:
    """A path or a list of them is good, and nothing else, as when the file is loaded."""
    Path("base.toml").touch()
    Path("a").touch()
    Path("b").touch()
    Path("acbo.toml").write_text(f"extends = {json.dumps(value)}")
    assert VALIDATOR.is_valid({"extends": value}) == is_valid
    assert (not check_file(SCHEMA, "acbo.toml", {}).problems) == is_valid


@pytest.mark.parametrize(
    "setting",
    [setting for setting in SCHEMA.settings.values() if setting.kind.type is int],
    ids=lambda setting: setting.key,
)
def test_an_integer_written_as_a_float_is_refused_by_the_loader_alone(setting: Setting) -> None:
    """JSON Schema counts 64.0 as an integer, for each setting that is one; the loader does not."""
    assert both({setting.path: float(setting.default)}) == (True, False)


@pytest.mark.parametrize("path", [path for path in SCHEMA.defaults if SCHEMA.settings[path].kind.type is float])
def test_numbers_without_an_end_are_refused_by_the_loader(path: KeyPath) -> None:
    """JSON has no nan and inf, and numbers of any length: no bound refuses nan, only a maximum the others."""
    is_open = "le" not in dict(SCHEMA.settings[path].kind.bounds)
    assert both({path: math.nan}) == (True, False)
    assert both({path: math.inf}) == (is_open, False)
    assert both({path: 10**400}) == (is_open, False)


@pytest.mark.parametrize(
    "tree",
    [
        {"metadata": {"total_steps": 3}},
        {"warmup_steps": 5000},
        {"exploration": {"final_temperature": 2.0}},
        {"rewards": {f"{name}_weight": 0.0 for name in ("optimization", "structure", "parent", "exploration")}},
    ],
    ids=str,
)
def test_what_no_schema_can_say_is_refused_by_the_loader_alone(tree: dict[str, Any]) -> None:
    """Metadata is open, and each value is looked at by itself."""
    assert (VALIDATOR.is_valid(tree), loads(tree)) == (True, False)


def taplo(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Lint a file with taplo."""
    command = [str(Path(sys.executable).parent / "taplo"), "lint", *options, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=file.parent)


@pytest.fixture
def schema_file(tmp_path: Path) -> Path:
    """The schema as a file."""
    path = tmp_path / "acbo.schema.json"
    path.write_text(json.dumps(json_schema()), encoding="utf-8")
    return path


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["acbo.toml.example", "examples/acbo.toml"])
def test_taplo_accepts_the_examples(name: str, schema_file: Path, tmp_path: Path) -> None:
    """The files that the repository ships are good in an editor."""
    file = tmp_path / "acbo.toml"
    file.write_bytes((ROOT / name).read_bytes())
    ran = taplo(file, "--schema", schema_file.as_uri())
    assert ran.returncode == 0, ran.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grpo]\ngroup_size = 4", "4 is less than the minimum of 8"),
        ("[grpo]\ngroup_sise = 64", "'group_sise' was unexpected"),
        ("[optimizer]\nlr = 1e-3", "'optimizer' was unexpected"),
        ("extends = 3", "is not valid under any of the"),
        ('[rewards]\nreward_scaling = "tahn"', '"tahn" is not one of'),
    ],
)
def test_taplo_refuses_mistakes(text: str, message: str, schema_file: Path, tmp_path: Path) -> None:
    """A value out of range, an unknown nested key and a wrong choice are errors, found through the `#:schema` line."""
    file = tmp_path / "acbo.toml"
    file.write_text(f"#:schema ./{schema_file.name}\n{text}\n", encoding="utf-8")
    ran = taplo(file)
    assert ran.returncode == 1
    assert message in ran.stdout + ran.stderr
