"""The schema as a value: what it knows, and two of them side by side in one process."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import acbo_settings.engine
from acbo_settings import ConfigurationError, TrainingConfig, load_training_config
from acbo_settings.engine.frozen import load_frozen, unchanged_config
from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.loading.resolved import ResolvedConfig, resolve
from acbo_settings.engine.loading.validation import validate_config
from acbo_settings.engine.names import variable_name
from acbo_settings.engine.runs.ranks import require_same
from acbo_settings.engine.runs.start import resolve_start
from acbo_settings.engine.schema import Schema
from acbo_settings.engine.toml_writer import config_text

from ..laboratory import COLOUR, LABORATORY, WATTS, Laboratory, Lamp, Microscope
from ..strategies import SCHEMA


def load(environ: dict[str, str] | None = None, overrides: dict[str, Any] | None = None) -> ResolvedConfig[Laboratory]:
    """Resolve the laboratory's configuration."""
    return resolve(read_start(LABORATORY, None, overrides, environ or {}))


def test_the_schema_knows_paths_types_bounds_defaults_docs_and_classes() -> None:
    """At any depth, derived from the dataclasses alone."""
    assert list(LABORATORY.defaults) == [("is_open",), ("owner",), ("microscope", "zoom"), WATTS, COLOUR]
    assert LABORATORY.sections == {(): Laboratory, ("microscope",): Microscope, ("microscope", "lamp"): Lamp}
    watts, colour, zoom = (LABORATORY.settings[path] for path in (WATTS, COLOUR, ("microscope", "zoom")))
    assert (watts.kind.type, watts.default, watts.kind.bounds) == (float, 40.0, (("ge", 0), ("le", 500)))
    assert (watts.doc, variable_name(LABORATORY, watts.path)) == ("What the lamp takes.", "LAB_MICROSCOPE__LAMP__WATTS")
    assert (colour.kind.type, colour.kind.choices, colour.kind.range) == (str, ("white", "red"), '"white", "red"')
    assert (zoom.kind.type, zoom.kind.range, zoom.key) == (int, "≥ 1", "microscope.zoom")


def test_a_class_has_one_schema() -> None:
    """It is made once, so that what is worked out for it is kept with it."""
    assert Schema.of(Laboratory) is LABORATORY
    assert Schema.of(TrainingConfig) is SCHEMA is not LABORATORY


def test_what_is_no_class_of_settings_has_no_schema() -> None:
    """Any other class is a mistake of the program, and named."""
    with pytest.raises(TypeError, match="int is no class of settings"):
        Schema.of(int)


def test_a_configuration_is_built_of_values_at_any_depth() -> None:
    """What is not given has its default, and the metadata is frozen."""
    built = LABORATORY.build({WATTS: 60.0, ("owner",): "ada"}, {"note": [1]})
    assert built == Laboratory(owner="ada", microscope=Microscope(lamp=Lamp(watts=60.0)))
    assert LABORATORY.typed(built)[WATTS] == 60.0


def test_every_layer_reaches_the_third_level() -> None:
    """File, table variables of two depths, a single variable and an override lie over one another."""
    Path("lab.toml").write_text("[microscope.lamp]\nwatts = 1\n")
    environ = {
        "LAB_MICROSCOPE": '{"lamp": {"watts": 2}}',
        "LAB_MICROSCOPE__LAMP": '{"watts": 3, "colour": "red"}',
        "LAB_MICROSCOPE__LAMP__WATTS": "4",
        "ACBO_TOTAL_STEPS": "0",
    }
    resolved = load(environ, {"microscope": {"lamp": {"watts": 5}}})
    value = resolved.values[WATTS]
    assert [each.value for each in (value, *value.shadowed)] == [5, 4.0, 3, 2, 1, 40.0]
    assert resolved.explain("microscope.lamp.colour") == '"red", from LAB_MICROSCOPE__LAMP, over the default "white"'
    assert resolved.config.microscope.lamp == Lamp(watts=5.0, colour="red")


def test_mistakes_are_told_in_the_schemas_own_words(assert_report: Callable[[str, str], None]) -> None:
    """Misspelt keys and variables at every level, ranges, a rule of its own: one report, and no word of ACBO."""
    Path("lab.toml").write_text(
        'magnification = 3\nownr = "ada"\n[microscope]\nzoom = 0\n[microscope.lamp]\nwats = 60\ncolour = "rot"\n'
    )
    with pytest.raises(ConfigurationError) as caught:
        load({"LAB_MICROSCOPE_ZOOM": "3", "LAB_MICROSCOPE__LAMP__WATTS": "600", "LAB_METADATA__OWNER": "x"})
    assert "acbo" not in str(caught.value).lower()
    assert_report("laboratory", str(caught.value))
    with pytest.raises(ConfigurationError, match="A red lamp of more than 100 watts burns"):
        load({"LAB_MICROSCOPE__LAMP": '{"watts": 200, "colour": "red"}'})


def test_a_run_of_its_own_is_frozen_resumed_and_refused(isolated: Path) -> None:
    """The frozen file has the application's name, is read back without a second judgement, and holds the run."""
    environ = {"LAB_MICROSCOPE__LAMP__WATTS": "60", "LAB_METADATA__NOTE": "a"}
    Path("lab.toml").touch()
    start = read_start(LABORATORY, environ=environ, run_dir="run")
    first = resolve_start(start, str(start.frozen_file)).config
    text = (isolated / "run/lab.frozen.toml").read_text()
    assert text.startswith("# laboratory frozen configuration, format 1\n")
    assert "\n[microscope.lamp]\nwatts = 60.0\n" in text
    assert unchanged_config(start) == load_frozen(LABORATORY, "run").config == first
    assert unchanged_config(start).metadata == first.metadata == {"microscope": {"lamp": {"watts": 60.0}}, "note": "a"}
    environ["LAB_MICROSCOPE__LAMP__WATTS"] = "70"
    changed = read_start(LABORATORY, environ=environ, run_dir="run")
    with pytest.raises(ConfigurationError, match=r"watts: frozen as 60\.0 \(from LAB_MICROSCOPE\S+\), today 70\.0"):
        resolve_start(changed, str(changed.frozen_file))
    allowed = read_start(LABORATORY, environ=environ, run_dir="run", may_change=["microscope.lamp"])
    assert resolve_start(allowed, str(allowed.frozen_file)).config.microscope.lamp.watts == 70.0


def test_toml_of_three_levels_loads_back() -> None:
    """Each table has its header, and the values of a table stand before the tables inside it."""
    config = Laboratory(owner='a "b"', microscope=Microscope(zoom=3, lamp=Lamp(colour="red")))
    Path("lab.toml").write_text(config_text(config))
    assert load().config == config


def test_two_schemas_live_side_by_side() -> None:
    """In one process and one directory each reads its own file and variables, freezes its own file, and ranks agree."""
    Path("lab.toml").write_text("owner = 'ada'\n")
    Path("acbo.toml").write_text("total_steps = 7000\n")
    environ = {"LAB_IS_OPEN": "no", "ACBO_LOG_FREQUENCY": "20"}
    start = read_start(LABORATORY, environ=environ, run_dir="run")
    for _ in range(2):
        training = load_training_config(environ=environ, run_dir="run")
        assert (training.total_steps, training.log_frequency) == (7000, 20)
        resolved = resolve_start(start, str(start.frozen_file)).config
        assert (resolved.owner, resolved.is_open) == ("ada", False)
    training, laboratory = load_training_config(environ=environ, run_dir="run"), load_frozen(LABORATORY, "run").config
    for config in (training, laboratory):
        require_same(config, lambda text: [text, text], {})
    other = replace(laboratory, is_open=True)
    with pytest.raises(ConfigurationError, match="is_open: true on rank 0; false on rank 1"):
        require_same(other, lambda text: [text, text[::-1] if len(text) == 16 else text.replace("true", "false")], {})


def test_a_configuration_built_by_hand_is_judged_at_every_level() -> None:
    """What is no record, or out of range, is told with its path."""
    broken: Any = Laboratory(microscope=Microscope(zoom=0, lamp=3))  # type: ignore[arg-type]
    assert [problem.path for problem in validate_config(LABORATORY, broken)] == [
        ("microscope", "lamp"),
        ("microscope", "zoom"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proprietor(Laboratory):
    """A laboratory with another default."""

    owner: str = "ada"


def test_the_digest_tells_schemas_apart() -> None:
    """The same inputs under another version, another annotation or another default are no unchanged start."""

    def digest(root: Any) -> str | None:
        return read_start(Schema(root), environ={}).inputs.digest

    annotations = Laboratory.__dataclass_fields__
    digests = {digest(Laboratory)}
    for attribute, value in {"type": "Annotated[str, MinLen(1)]", "name": "proprietor"}.items():
        field = annotations["owner"]
        before = getattr(field, attribute)
        setattr(field, attribute, value)
        try:
            digests.add(read_start(LABORATORY, environ={}).inputs.digest)
        finally:
            setattr(field, attribute, before)
    digests.add(digest(Proprietor))
    assert len(digests) == 4
    assert None not in digests


ENGINE = Path(acbo_settings.engine.__file__).parent


@pytest.mark.parametrize("file", sorted(ENGINE.rglob("*.py")), ids=lambda file: str(file.relative_to(ENGINE)))
def test_the_engine_knows_nothing_of_acbo(file: Path) -> None:
    """No code of the engine names ACBO or one of its settings; the examples of public names may."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not is_text(statement)]  # type: ignore[attr-defined]
    code = ast.unparse(tree)
    assert re.findall(r"(?i)acbo", code) == []
    names = {name for path in (*SCHEMA.defaults, *SCHEMA.sections) for name in path}
    assert {name for name in names if re.search(rf"\b{name}\b", code)} == set()


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
