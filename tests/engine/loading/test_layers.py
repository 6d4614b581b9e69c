from __future__ import annotations

from pathlib import Path

from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.loading.layers import read_layers
from acbo_settings.engine.values import default_layer

from ...strategies import SCHEMA


def test_every_layer_is_kept_below_the_one_that_wins() -> None:
    """File, table, variable and override of one key lie over one another, the default at the bottom."""
    Path("acbo.toml").write_text("[grpo]\ngroup_size = 16\n")
    environ = {"ACBO_GRPO": '{"group_size": 32}', "ACBO_GRPO__GROUP_SIZE": "64"}
    value = read_layers(read_start(SCHEMA, None, {"grpo": {"group_size": 128}}, environ)).values["grpo", "group_size"]
    assert [each.value for each in (value, *value.shadowed)] == [128, 64, 32, 16, 64]
    assert str(value.shadowed[2].origin) == "acbo.toml:2"


def test_what_cannot_be_read_hides_no_other_layer() -> None:
    """A broken file is noted, and the variables are still read; nothing is judged."""
    Path("acbo.toml").write_text("total_steps 5\n")
    layers = read_layers(read_start(SCHEMA, None, environ={"ACBO_LOG_FREQUENCY": "-1", "ACBO_NO_SUCH": "1"}))
    assert [problem.message for problem in layers.problems] == [
        "Expected '=' after a key in a key/value pair",
        "no such setting",
    ]
    assert layers.values["log_frequency",].value == -1
    assert layers.problems[1].path == ("ACBO_NO_SUCH",)
    assert not layers.complete


def test_metadata_of_several_layers_is_one_tree() -> None:
    """Tables of custom keys are merged key by key, other values replaced."""
    Path("acbo.toml").write_text("[metadata]\nnote = 'a'\n[metadata.sweep]\nseed = 1\n")
    layers = read_layers(read_start(SCHEMA, None, {"metadata": {"note": "b", "sweep": {"lr": 2}}}, {}))
    assert layers.metadata == {"note": "b", "sweep": {"seed": 1, "lr": 2}}


def test_the_default_layer_is_the_schema() -> None:
    """Without any source, each setting has its default."""
    assert {path: sourced.value for path, sourced in default_layer(SCHEMA).items()} == SCHEMA.defaults
