"""From merged layers to a configuration: what is judged, what is advised, and who is told."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import ConfigurationError, ConfigurationWarning, load_training_config, resolve_training_config
from acbo_settings.engine.canonical import custom_metadata
from acbo_settings.engine.inputs import read_start
from acbo_settings.engine.loading.layers import read_layers
from acbo_settings.engine.loading.resolved import ResolvedConfig, judge, resolve, warn

from ...strategies import SCHEMA


def judged(environ: dict[str, str], strict: bool = True) -> ResolvedConfig[Any]:
    """Judge an environment."""
    return judge(read_layers(read_start(SCHEMA, environ=environ, strict=strict)))


def test_an_unknown_variable_is_an_error_or_advice() -> None:
    """One problem in the one list: whether it refuses the start is its severity, as strictness has it."""
    with pytest.raises(ConfigurationError) as caught:
        judged({"ACBO_NO_SUCH": "1"})
    (advice,) = judged({"ACBO_NO_SUCH": "1"}, strict=False).advice
    assert caught.value.problems[0].severity == "error"
    assert (advice.severity, advice.message, advice.path) == ("advice", "no such setting", ("ACBO_NO_SUCH",))


def test_advice_of_rules_is_part_of_the_result() -> None:
    """What is suspicious is told with the values that cause it, and warned about only by `resolve`."""
    environ = {"ACBO_LOG_FREQUENCY": "6000"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (advice,) = judged(environ).advice
    assert [".".join(path) for path, _ in advice.values] == ["log_frequency", "total_steps"]
    with pytest.warns(ConfigurationWarning, match="Log frequency is above total steps"):
        resolve(read_start(SCHEMA, environ=environ))


def test_values_are_told_before_keys() -> None:
    """A report has first what is wrong with values, then the keys and variables that there are not."""
    with pytest.raises(ConfigurationError) as caught:
        judged({"ACBO_NO_SUCH": "1", "ACBO_GRPO": '{"group_sise": 8}', "ACBO_LOG_FREQUENCY": "x"})
    assert [problem.at_key for problem in caught.value.problems] == [False, True, True]


def test_no_advice_is_no_warning() -> None:
    """With nothing to say, nothing is said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn((), {})


@pytest.mark.parametrize("key", ["grpo.group_size", ("grpo", "group_size"), "ACBO_GRPO__GROUP_SIZE"])
def test_a_value_is_explained_by_any_of_its_names(key: Any) -> None:
    """A dotted key, a key path and a variable lead to the same sentence."""
    resolved = judged({"ACBO_GRPO__GROUP_SIZE": "128"})
    assert resolved.explain(key) == "128, from ACBO_GRPO__GROUP_SIZE, over the default 64"


def test_a_custom_key_of_any_name_is_explained() -> None:
    """An empty one too."""
    resolved = judge(read_layers(read_start(SCHEMA, overrides={"metadata": {"": 5}}, environ={})))
    assert resolved.explain(("metadata", "")) == "5, from overrides"


@pytest.mark.parametrize("key", ["grpo.group_size", ("grpo", "group_size"), "ACBO_GRPO__GROUP_SIZE"])
def test_a_value_with_its_origin_is_looked_up_by_any_of_its_names(key: Any) -> None:
    """The brackets of a resolved configuration take what `explain` takes, and custom keys too."""
    resolved = judged({"ACBO_GRPO__GROUP_SIZE": "128", "ACBO_METADATA__NOTE": "a"})
    assert resolved[key] is resolved.values["grpo", "group_size"]
    assert resolved["metadata.note"].value == "a"
    with pytest.raises(KeyError, match="exploration has several settings: strategy_type, uncertainty_weight"):
        resolved["exploration"]
    with pytest.raises(KeyError, match=r"no such setting: grpo.group_sise; did you mean grpo.group_size\?"):
        resolved["grpo.group_sise"]


def test_a_section_is_explained_line_by_line() -> None:
    """Each of its settings has a line, as in the table of the command."""
    lines = judged({"ACBO_GRPO__GROUP_SIZE": "128"}).explain("grpo").splitlines()
    assert lines[0] == "group_size: 128, from ACBO_GRPO__GROUP_SIZE, over the default 64"
    assert [line.partition(":")[0] for line in lines] == [path[1] for path in SCHEMA.defaults if path[0] == "grpo"]


def test_what_was_resolved_cannot_be_changed() -> None:
    """Neither the values nor the custom keys, and not the dicts that they were made of."""
    resolved = judged({"ACBO_METADATA__NOTE": "a"})
    for values in (resolved.values, resolved.custom):
        with pytest.raises(TypeError, match="does not support item assignment"):
            values["log_frequency",] = values[next(iter(values))]  # type: ignore[index]
    assert pickle.loads(pickle.dumps(resolved)) == copy.deepcopy(resolved) == resolved


@pytest.mark.parametrize("key", ["grpo.group_sise", "", (), (1, 2), "metadata.note", "metadata"])
def test_what_is_no_setting_has_no_explanation(key: Any) -> None:
    """A misspelt key or nothing at all is a KeyError that says so."""
    with pytest.raises(KeyError, match="no such setting"):
        judged({}).explain(key)


def test_each_key_of_a_table_in_the_metadata_has_its_own_origin() -> None:
    """From two sources, of which one shadows a key of the other; asked for the table, all of it is told."""
    Path("acbo.toml").write_text("[metadata.wandb]\ngroup = 'a'\nproject = 'scm'\n")
    resolved = resolve_training_config(environ={"ACBO_METADATA__WANDB__GROUP": "b"}, overrides=["metadata.wandb.id=7"])
    assert resolved.explain("metadata.wandb.group") == (
        '"b", from ACBO_METADATA__WANDB__GROUP, over "a" from acbo.toml:2'
    )
    assert resolved.explain("metadata.wandb.project") == '"scm", from acbo.toml:3'
    assert resolved.explain("metadata.wandb") == (
        'group: "b", from ACBO_METADATA__WANDB__GROUP, over "a" from acbo.toml:2\nproject: "scm", from acbo.toml:3\n'
        'id: "7", from metadata.wandb.id=7'
    )
    assert resolved.explain("metadata").splitlines()[1] == 'wandb.project: "scm", from acbo.toml:3'


def test_a_frozen_file_tells_the_origin_of_each_key() -> None:
    """Read back, and where it is given as a configuration file."""
    Path("acbo.toml").write_text("[metadata.wandb]\ngroup = 'a'\n'my key' = 1\n")
    load_training_config(environ={"ACBO_METADATA__WANDB__ID": "b"}, run_dir="run")
    text = Path("run/acbo.frozen.toml").read_text()
    assert 'metadata.wandb.group = "acbo.toml:2"\nmetadata.wandb."my key" = "acbo.toml:3"\n' in text
    again = resolve_training_config("run/acbo.frozen.toml", environ={})
    assert again.explain("metadata.wandb.my key") == "1, from acbo.toml:3, as frozen"
    assert again.explain("metadata.wandb.id") == '"b", from ACBO_METADATA__WANDB__ID, as frozen'


def test_what_is_shadowed_in_the_metadata_may_be_anything() -> None:
    """What is in force is judged, and told where it stands."""
    Path("acbo.toml").write_text("[metadata]\nrate = nan\nsweep.x = inf\n")
    loaded = load_training_config(environ={"ACBO_METADATA__RATE": "0.5"}, overrides={"metadata": {"sweep": {"x": 1}}})
    assert custom_metadata(loaded) == {"rate": "0.5", "sweep": {"x": 1}}
    with pytest.raises(ConfigurationError, match=r"metadata\.sweep\.x: should be a finite number\n +--> acbo\.toml:3"):
        load_training_config(environ={"ACBO_METADATA__RATE": "0.5"})
