from __future__ import annotations

import copy
import dataclasses
import json
import os
import pickle
import re
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings

import acbo_settings
from acbo_settings import (
    Argument,
    ConfigurationError,
    ConfigurationWarning,
    Default,
    EvaluationConfig,
    File,
    TrainingConfig,
    Variable,
    create_training_config,
    load_training_config,
    resolve_training_config,
    validate_training_config,
)
from acbo_settings.engine.canonical import KeyPath, flatten

from .command_line import ENVIRON
from .strategies import (
    SCHEMA,
    SETTINGS,
    inside_and_outside,
    layers,
    table_variables_of,
    tree_of,
    variables_of,
)

AssertReport = Callable[[str, str], None]

ADVICE_IS_FINE = pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
COMPONENT_PATHS = [path for path in SETTINGS if len(path) == 2]


def problems_of(call: Callable[[], object]) -> tuple[Any, ...]:
    """What a call that must fail says is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        call()
    return caught.value.problems


# Layers


def reference_merge(*given: dict[KeyPath, Any]) -> dict[KeyPath, list[tuple[Any, int]]]:
    """For each setting its values with the number of their layer, the one in force first."""
    merged: dict[KeyPath, list[tuple[Any, int]]] = {}
    for number, layer in enumerate((SCHEMA.defaults, *given)):
        for path, value in layer.items():
            merged.setdefault(path, []).insert(0, (value, number))
    return merged


@ADVICE_IS_FINE
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers(), layers(COMPONENT_PATHS), layers(), layers())
def test_any_layers_merge_as_a_plain_merge_does(
    file: dict[KeyPath, Any], tables: dict[KeyPath, Any], variables: dict[KeyPath, Any], overrides: dict[KeyPath, Any]
) -> None:
    """Whatever the layers set, value, origin and shadowed values are those of a ten-line merge."""
    Path("acbo.toml").write_text(tomli_w.dumps(tree_of(file)))
    environ = {**table_variables_of(tables), **variables_of(variables)}
    resolved = resolve_training_config(overrides=tree_of(overrides), environ=environ)
    expected = reference_merge(file, tables, variables, overrides)
    assert flatten(resolved.config) == {path: values[0][0] for path, values in expected.items()}
    kinds = (Default, File, Variable, Variable, Argument)
    for path, sourced in resolved.values.items():
        chain = [sourced, *sourced.shadowed]
        assert [value.value for value in chain] == [value for value, _ in expected[path]]
        assert [type(value.origin) for value in chain] == [kinds[number] for _, number in expected[path]]


def test_origins_name_line_variable_and_override(tmp_path: Path) -> None:
    """A value can be explained down to the default, with the line of the file."""
    (tmp_path / "acbo.toml").write_text("\n" * 10 + "[grpo]\ngroup_size = 32\n")
    resolved = resolve_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    assert resolved.explain("grpo.group_size") == (
        "128, from ACBO_GRPO__GROUP_SIZE, over 32 from acbo.toml:12, over the default 64"
    )
    assert list(resolved.values) == list(SCHEMA.defaults)
    assert resolved.explain("total_steps") == "5000, the default"


def test_values_can_be_asked_for_by_key_or_by_path() -> None:
    """Both spellings give the explanation; a key that does not exist gets a suggestion, and the file is named."""
    resolved = resolve_training_config(environ={})
    assert resolved.explain("grpo.group_size") == resolved.explain(("grpo", "group_size")) == "64, the default"
    with pytest.raises(KeyError, match=r"did you mean grpo\.group_size"):
        resolved.explain("grpo.group_sise")
    assert resolved.file == "acbo.toml"
    Path("acbo.toml").touch()
    assert resolve_training_config(environ={}).file == "acbo.toml"


def test_a_path_that_is_none_is_a_type_error() -> None:
    """Settings in place of the path are the programmer's mistake, and the message says where they go."""
    with pytest.raises(TypeError, match=r"path must be a str or os\.PathLike, not dict; settings go into overrides"):
        load_training_config({"total_steps": 7})  # type: ignore[arg-type]


def test_a_variable_wins_over_the_json_table_around_it() -> None:
    """A whole table may come as JSON; a single variable inside it wins, and shadows it."""
    environ = {"ACBO_GRPO": '{"group_size": 96, "num_iterations": 2}', "ACBO_GRPO__GROUP_SIZE": "128"}
    resolved = resolve_training_config(environ=environ)
    assert resolved.explain("grpo.group_size") == (
        "128, from ACBO_GRPO__GROUP_SIZE, over 96 from ACBO_GRPO, over the default 64"
    )
    assert resolved.config.grpo.num_iterations == 2


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `environ`, the variables of the process count."""
    monkeypatch.setenv("ACBO_TOTAL_STEPS", "7000")
    assert load_training_config().total_steps == 7000
    assert load_training_config(environ={}).total_steps == 5000


def test_a_call_changes_none_of_its_arguments() -> None:
    """Overrides, dicts and environment stay as they were, and later changes of them have no effect."""
    overrides: dict[str, Any] = {"grpo": {"group_size": 128}, "metadata": {"tags": ["a"]}}
    environ = {"ACBO_METADATA__NAME": "x"}
    before = copy.deepcopy((overrides, environ))
    config = load_training_config(overrides=overrides, environ=environ)
    assert (overrides, environ) == before
    overrides["metadata"]["tags"].append("b")
    assert list(config.metadata["tags"]) == ["a"]


def test_rules_run_on_the_merged_result() -> None:
    """A value that is fine alone is refused when a default does not go with it."""
    (problem,) = problems_of(lambda: load_training_config(environ={"ACBO_TOTAL_STEPS": "50"}))
    assert problem.message == "Warmup steps must be less than total steps (100 is not less than 50)"
    assert [str(value.origin) for _, value in problem.values] == ["the default", "ACBO_TOTAL_STEPS"]


def test_a_shadowed_value_is_not_judged(tmp_path: Path) -> None:
    """Only the value in force has to be valid."""
    (tmp_path / "acbo.toml").write_text("[grpo]\ngroup_size = 4\n")
    assert load_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"}).grpo.group_size == 128


# Ranges


def layer_calls(path: KeyPath, value: Any, tmp: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The same value through every layer, and in a configuration that is built by hand."""
    tree = tree_of({path: value})
    file = tmp / "edge.toml"
    file.write_text(tomli_w.dumps(tree))
    config = TrainingConfig(**tree) if len(path) == 1 else None
    if config is None:
        component = type(getattr(TrainingConfig(), path[0]))(**tree[path[0]])
        config = dataclasses.replace(TrainingConfig(), **{path[0]: component})
        yield "table", lambda: load_training_config(environ=table_variables_of({path: value}))
    yield "file", lambda: load_training_config(file, environ={})
    yield "variable", lambda: load_training_config(environ={**variables_of({path: value})})
    yield "overrides", lambda: load_training_config(overrides=tree, environ={})
    yield "dict", lambda: create_training_config(tree)
    yield "keywords", lambda: create_training_config(**tree)
    yield "instance", lambda: validate_training_config(config)


def range_problems(call: Callable[[], object], path: KeyPath) -> list[str]:
    """What is wrong with the value itself; rules about it and others do not count."""
    try:
        call()
    except ConfigurationError as error:
        found = [problem.message for problem in error.problems if problem.path == path]
        return [message for message in found if "nput should be" in message]
    return []


EDGES = [(path, kind, bound) for path, setting in SETTINGS.items() for kind, bound in setting.kind.bounds]


@ADVICE_IS_FINE
@pytest.mark.parametrize(("path", "kind", "bound"), EDGES)
def test_each_range_holds_at_its_edge_from_every_layer(path: KeyPath, kind: str, bound: float, tmp_path: Path) -> None:
    """The last value inside a range is taken and the first outside is refused, wherever it comes from."""
    inside, outside = inside_and_outside(SETTINGS[path], kind, bound)
    for layer, call in layer_calls(path, inside, tmp_path):
        assert range_problems(call, path) == [], layer
    for layer, call in layer_calls(path, outside, tmp_path):
        assert len(range_problems(call, path)) == 1, layer


@ADVICE_IS_FINE
@pytest.mark.parametrize("path", SETTINGS)
def test_each_type_is_strict_from_every_typed_layer(path: KeyPath, tmp_path: Path) -> None:
    """A value of another type is refused from file, JSON, dict and instance: nothing is converted."""
    by_type: dict[type, list[Any]] = {
        int: [64.0, True, "64", [64]],
        float: [True, "0.5", [0.5]],
        bool: [1, 0, "true", 1.0],
        str: [1, True, "TANH", ["tanh"]],
    }
    for value in by_type[SETTINGS[path].kind.type]:
        for layer, call in layer_calls(path, value, tmp_path):
            if layer != "variable":
                assert len(range_problems(call, path)) == 1, (layer, value)


@ADVICE_IS_FINE
@pytest.mark.parametrize("path", [path for path in SETTINGS if SETTINGS[path].kind.type is float])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_floats_are_finite_from_every_layer(path: KeyPath, value: float, tmp_path: Path) -> None:
    """NaN and infinities are refused everywhere."""
    for layer, call in layer_calls(path, value, tmp_path):
        if layer != "table":
            assert problems_of(call)[0].path == path, layer
    with pytest.raises(ConfigurationError, match="is not a finite number"):
        load_training_config(environ=table_variables_of({path: value}))


@pytest.mark.parametrize("name", ["max_grad_norm", "entropy_coeff"])
def test_an_integer_is_a_fine_float(name: str, tmp_path: Path) -> None:
    """An integer given for a float is stored as a float, from every layer."""
    (tmp_path / "acbo.toml").write_text(f"[grpo]\n{name} = 1\n")
    loaded = load_training_config(environ={})
    created = create_training_config(grpo={name: 1})
    varied = load_training_config(environ={f"ACBO_GRPO__{name.upper()}": "1"})
    assert [type(getattr(config.grpo, name)) for config in (loaded, created, varied)] == [float] * 3


# Unknown keys


@pytest.mark.parametrize("key", ["total_step", "gpro", "Total_Steps", "warmup-steps", "metdata"])
def test_a_near_miss_at_the_top_level_is_refused_from_every_source(key: str, tmp_path: Path) -> None:
    """A typing error in a known key is never taken for a custom key."""
    (tmp_path / "acbo.toml").write_text(tomli_w.dumps({key: 1}))
    empty = tmp_path / "empty.toml"
    empty.touch()
    as_keywords: dict[str, Any] = {key: 1}
    calls: list[Callable[[], object]] = [
        lambda: load_training_config(environ={}),
        lambda: load_training_config(empty, overrides={key: 1}, environ={}),
        lambda: create_training_config({key: 1}),
        lambda: create_training_config(**as_keywords),
    ]
    for call in calls:
        assert problems_of(call)[0].hint.startswith("did you mean ")


def test_a_component_field_at_the_top_level_is_refused_where_a_job_reads_it(tmp_path: Path) -> None:
    """From file, variable and overrides it is an error that names the component."""
    (tmp_path / "acbo.toml").write_text("eval_frequency = 50\n")
    found = problems_of(
        lambda: load_training_config(overrides={"group_size": 128}, environ={"ACBO_LEARNING_RATE": "1e-4"})
    )
    assert [problem.hint for problem in found] == [
        "did you mean evaluation.eval_frequency?",
        "did you mean grpo.group_size?",
        "did you mean ACBO_GRPO__LEARNING_RATE?",
    ]


def test_unknown_variables_become_a_warning_without_strict() -> None:
    """`strict=False` warns of unknown variables, and of nothing else."""
    environ = {"ACBO_GRPO_GROUP_SIZE": "128"}
    with pytest.warns(ConfigurationWarning, match="did you mean ACBO_GRPO__GROUP_SIZE"):
        assert load_training_config(environ=environ, strict=False).grpo.group_size == 64
    for wrong in ({"ACBO_TOTAL_STEPS": "x"}, {"ACBO_GRPO": "{"}, {"ACBO_TOTAL_STEPS": ""}):
        assert problems_of(lambda wrong=wrong: load_training_config(environ=wrong, strict=False))  # type: ignore[misc]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Fields, rules, unknown keys, unknown variables and an undecodable variable stand in one error."""
    (tmp_path / "acbo.toml").write_text("warmup_steps = 6000\n[grpo]\ngroup_size = 4\ngroup_sise = 5\n")
    environ = {"ACBO_EVALUATION": "{", "ACBO_TOTAL_STEP": "1", "ACBO_LOG_FREQUENCY": "x"}
    found = problems_of(lambda: load_training_config(environ=environ))
    assert [".".join(problem.path) for problem in found] == [
        "evaluation",
        "log_frequency",
        "grpo.group_size",
        "warmup_steps",
        "grpo.group_sise",
        "ACBO_TOTAL_STEP",
    ]


# What a job's log has of an error


def test_a_traceback_ends_where_the_package_begins(assert_report: AssertReport) -> None:
    """The report, below the caller's own lines and one of the package, whatever room it was found in."""
    script = "from acbo_settings import load_training_config\n\n\ndef main():\n    load_training_config()\n\n\nmain()\n"
    Path("job.py").write_text(script)
    Path("acbo.toml").write_text("total_step = 7000\n")
    ran = subprocess.run([sys.executable, "job.py"], env=ENVIRON, capture_output=True, text=True, timeout=60)
    root = str(Path(acbo_settings.__file__).parent)
    shown = re.sub(r"\n +[~^]+(?=\n)", "", ran.stderr.replace(root, "acbo_settings"))  # 3.13 has other marks
    assert_report("traceback", re.sub(r"line \d+, in load", "line 0, in load", shown.rstrip("\n")))


@pytest.mark.parametrize("call", [load_training_config, resolve_training_config, create_training_config])
def test_the_context_of_an_error_is_no_part_of_it(call: Callable[..., object]) -> None:
    """How the error came about inside the package is neither in its traceback nor told above it."""
    with pytest.raises(ConfigurationError) as caught:
        call(**({"total_steps": 0} if call is create_training_config else {"environ": {"ACBO_TOTAL_STEPS": "x"}}))
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames == ["test_the_context_of_an_error_is_no_part_of_it", call.__name__]
    assert caught.value.__suppress_context__


def test_other_errors_keep_their_traceback() -> None:
    """A wrong argument is a mistake in a program, of which each frame may matter."""
    with pytest.raises(ValueError, match="on_change") as caught:
        load_training_config(environ={}, run_dir="run", on_change="never")  # type: ignore[arg-type]
    assert len(traceback.extract_tb(caught.value.__traceback__)) > 2


# Metadata


def test_metadata_holds_what_was_given_and_custom_keys(tmp_path: Path) -> None:
    """Given settings, custom keys, the metadata table and metadata variables end in one frozen map."""
    (tmp_path / "acbo.toml").write_text('[grpo]\ngroup_size = 32\n[metadata]\nnote = "a"\ntags = ["x"]\n')
    config = load_training_config(environ={"ACBO_METADATA__NAME": "run 17", "ACBO_TOTAL_STEPS": "7000"})
    assert config.metadata["grpo"]["group_size"] == 32
    assert (config.metadata["total_steps"], config.metadata["note"], config.metadata["name"]) == (7000, "a", "run 17")
    assert list(config.metadata["tags"]) == ["x"]
    assert "rewards" not in config.metadata


def test_custom_keys_have_origins_too(tmp_path: Path) -> None:
    """A custom key can say where it came from, and what it shadows."""
    (tmp_path / "acbo.toml").write_text('[metadata]\nnote = "a"\nname = "b"\n')
    resolved = resolve_training_config(environ={"ACBO_METADATA__NAME": "c"})
    assert resolved.explain("metadata.note") == '"a", from acbo.toml:2'
    assert resolved.explain(("metadata", "name")) == '"c", from ACBO_METADATA__NAME, over "b" from acbo.toml:3'


@pytest.mark.parametrize("key", [(), "metadata", "x.y.z"])
def test_what_is_no_setting_cannot_be_explained(key: Any) -> None:
    """Anything else than a setting or a custom key is a KeyError."""
    with pytest.raises(KeyError, match="no such setting"):
        resolve_training_config(environ={}).explain(key)


def test_enums_in_metadata_become_plain_values() -> None:
    """Values of subclasses of int, float and str are stored as what they are."""

    class Size(IntEnum):
        small = 64

    class Name(StrEnum):
        first = "a"

    config = create_training_config(size=Size.small, names=[Name.first], table={Name.first: 1})
    assert [type(config.metadata["size"]), type(config.metadata["names"][0])] == [int, str]
    assert [type(key) for key in config.metadata["table"]] == [str]
    assert "size = 64" in config.to_toml()


def test_rules_do_not_run_over_what_cannot_be_read() -> None:
    """A rule that reads from a component that is no table says nothing about defaults in its place."""
    given: dict[str, Any] = {"exploration": 3}
    found = problems_of(lambda: create_training_config(given, exploration={"final_temperature": 5.0}))
    assert [problem.message for problem in found] == ["Input should be a table"]


@pytest.mark.parametrize("key", ["__class__", "__init__", "model_config", "model_fields", "self", "config_dict ", ""])
def test_hostile_metadata_keys_are_just_keys(key: str, tmp_path: Path) -> None:
    """A custom key may have any name: it is kept and has no effect."""
    (tmp_path / "acbo.toml").write_text(tomli_w.dumps({"metadata": {key: 1}}))
    config = load_training_config(environ={})
    assert config == TrainingConfig()
    assert config.metadata[key] == 1


def test_a_setting_inside_metadata_is_refused(tmp_path: Path) -> None:
    """A setting that slipped below the header of the metadata table would silently be the default."""
    (tmp_path / "acbo.toml").write_text('[metadata]\nname = "x"\ntotal_steps = 7000\n')
    (problem,) = problems_of(lambda: load_training_config(environ={}))
    assert problem.message == "total_steps is a setting, and has no effect inside metadata"


# Values


@ADVICE_IS_FINE
@settings(max_examples=50, deadline=None)
@given(layers())
def test_a_configuration_survives_every_way_out_and_back(layer: dict[KeyPath, Any]) -> None:
    """Dict, JSON, TOML, pickle and deep copy give an equal configuration with the same hash."""
    config = create_training_config(tree_of(layer), note={"deep": [1, {"x": 0.5}]})
    Path("back.toml").write_text(config.to_toml(), encoding="utf-8")
    ways = [
        create_training_config(config.to_dict()),
        create_training_config(json.loads(json.dumps(config.to_dict()))),
        create_training_config(dataclasses.asdict(config)),
        load_training_config("back.toml", environ={}),
        pickle.loads(pickle.dumps(config)),
        copy.deepcopy(config),
        dataclasses.replace(config),
    ]
    assert all(way == config and hash(way) == hash(config) for way in ways)
    assert all(way.to_dict() == config.to_dict() for way in ways)


def test_equality_and_hash_leave_metadata_out() -> None:
    """Two configurations that differ only in custom keys are one key of a dict; any setting makes another."""
    one, two = create_training_config(note="a"), create_training_config(note="b")
    assert {one: 1}[two] == 1
    assert one != create_training_config(total_steps=5001)


@pytest.mark.parametrize("path", SETTINGS)
def test_equality_sees_every_setting(path: KeyPath) -> None:
    """A difference in any of the settings makes two configurations differ."""
    default = SCHEMA.defaults[path]
    other = not default if isinstance(default, bool) else "other" if isinstance(default, str) else 7
    tree = tree_of({path: other})
    changed = TrainingConfig(**tree) if len(path) == 1 else None
    if changed is None:
        component = dataclasses.replace(getattr(TrainingConfig(), path[0]), **tree[path[0]])
        changed = dataclasses.replace(TrainingConfig(), **{path[0]: component})
    assert changed != TrainingConfig()


@pytest.mark.heavy
def test_a_configuration_is_a_static_argument_of_jax_jit() -> None:
    """A jitted function compiles once for equal configurations and again for a different one."""
    jax = pytest.importorskip("jax")
    traced = []

    def step(x: Any, config: TrainingConfig) -> Any:
        traced.append(config)
        return x * config.grpo.group_size

    compiled = jax.jit(step, static_argnums=1)
    results = [compiled(2, create_training_config(note=note)) for note in "ab"]
    results.append(compiled(2, create_training_config(grpo={"group_size": 8})))
    assert [int(result) for result in results] == [128, 128, 16]
    assert len(traced) == 2


# Validating what exists


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"total_steps": 5000}, ()),
        (None, ()),
        (TrainingConfig(grpo=None), ("grpo",)),  # type: ignore[arg-type]
        (TrainingConfig(grpo={"group_size": 64}), ("grpo",)),  # type: ignore[arg-type]
        (TrainingConfig(metadata={}), ("metadata",)),  # type: ignore[arg-type]
        (TrainingConfig(total_steps=True), ("total_steps",)),
        (TrainingConfig(evaluation=EvaluationConfig(early_stopping_threshold=float("nan"))), None),
    ],
)
def test_validate_refuses_wrong_types_however_built(config: Any, path: KeyPath | None) -> None:
    """A configuration that is none, or holds values of other types, is refused by its field."""
    (problem,) = problems_of(lambda: validate_training_config(config))
    assert problem.path == (("evaluation", "early_stopping_threshold") if path is None else path)


def test_validate_is_stricter_about_frequencies_than_loading() -> None:
    """An evaluation or surrogate update that never comes due is an error here, and advice when loading."""
    with pytest.warns(ConfigurationWarning) as caught:
        config = create_training_config(total_steps=40, warmup_steps=1, exploration={"adaptation_steps": 40})
    starts = ["Evaluation frequency is above", "Surrogate update frequency is above"]
    found = problems_of(lambda: validate_training_config(config))
    assert [problem.message.split(" total")[0] for problem in found] == starts
    texts = [str(warning.message) for warning in caught]
    assert all(any(start in text for text in texts) for start in starts)


# Warnings


def test_advice_points_at_the_line_of_the_caller() -> None:
    """The warning is attributed to the line that called, not to the package."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first = sys._getframe().f_lineno + 1
        create_training_config(evaluation={"early_stopping_patience": 5})
        load_training_config(environ={"ACBO_EVALUATION__EARLY_STOPPING_PATIENCE": "5"})
        resolved = resolve_training_config(environ={"ACBO_EVALUATION__EARLY_STOPPING_PATIENCE": "5"})
    assert [warning.filename for warning in caught] == [__file__] * 3
    assert [warning.lineno for warning in caught] == [first, first + 1, first + 2]
    assert len(resolved.advice) == 1


def test_the_defaults_alone_are_silent() -> None:
    """Nothing is advised when nobody has set anything."""
    assert resolve_training_config(environ={}).advice == ()


def test_threads_may_load_at_the_same_time(tmp_path: Path) -> None:
    """The first loads of a process, all at once, give every thread the same configuration."""
    (tmp_path / "acbo.toml").write_text("[grpo]\ngroup_size = 32\n")
    program = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from acbo_settings import load_training_config
barrier = Barrier(16)
def load(_):
    barrier.wait()
    return load_training_config()
with ThreadPoolExecutor(16) as pool:
    print(len(set(pool.map(load, range(16)))), load_training_config().grpo.group_size)
"""
    environ = {"PATH": os.defpath}
    result = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("1 32\n", "")


def test_without_strict_a_file_is_judged_as_before(tmp_path: Path) -> None:
    """`strict=False` speaks of variables alone: an unknown key of the file is an error all the same."""
    (tmp_path / "acbo.toml").write_text("[grpo]\ngroup_sise = 32\n")
    assert problems_of(lambda: load_training_config(environ={}, strict=False))


def test_errors_survive_the_way_between_processes(tmp_path: Path) -> None:
    """An error can be pickled with its text and its problems."""
    (tmp_path / "acbo.toml").write_text("total_steps = 0\n")
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(environ={})
    back = pickle.loads(pickle.dumps(caught.value))
    assert str(back) == str(caught.value)
    assert [problem.message for problem in back.problems] == [problem.message for problem in caught.value.problems]


def test_a_job_in_another_locale_reads_utf8(tmp_path: Path) -> None:
    """The file is UTF-8 for a process in the C locale too, with UTF-8 mode off."""
    (tmp_path / "acbo.toml").write_text('[metadata]\nname = "größe"\n', encoding="utf-8")
    program = "import acbo_settings as a; print(ascii(a.load_training_config().metadata['name']))"
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": os.defpath}
    result = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert result.stdout == ascii("größe") + "\n"
