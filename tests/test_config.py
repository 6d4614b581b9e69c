"""The dataclasses as objects: metadata that is frozen when it is read, copies, and pickles by the names of fields."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from pyrsistent import PMap, pmap, pvector

from acbo_settings import (
    ConfigurationError,
    ExplorationTrainingConfig,
    GRPOTrainingConfig,
    SourcedValue,
    TrainingConfig,
    Variable,
    create_training_config,
    load_frozen_config,
    load_training_config,
    plan_training,
    resolve_training_config,
    validate_training_config,
)

from .strategies import SCHEMA

NOTES: dict[str, Any] = {f"note {letter}": [letter, {"deep": 1}] for letter in "zyxabc"}


def run(program: str, **environ: str) -> str:
    """What a program prints in a process of its own."""
    ran = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    return ran.stdout


# Metadata


def test_metadata_is_a_map_that_cannot_be_changed() -> None:
    """Whatever way a configuration came about, its metadata is a `PMap`, frozen at every depth, and always the same."""
    load_training_config(run_dir="run", environ={"ACBO_METADATA__NOTE": "a"})
    configs = [
        TrainingConfig(),
        create_training_config(NOTES),
        load_training_config(environ={"ACBO_METADATA__NOTE": "a"}),
        load_frozen_config("run"),
        pickle.loads(pickle.dumps(create_training_config(NOTES))),
    ]
    for config in configs:
        assert isinstance(config.metadata, PMap)
        assert config.metadata is config.metadata
    assert configs[1].metadata["note z"] == pvector(["z", pmap({"deep": 1})])
    assert configs[0].metadata == pmap()


def test_a_start_imports_no_pyrsistent() -> None:
    """Neither the import, nor a load, nor a first start, nor one from a frozen file; reading the metadata does."""
    program = """
import sys
from acbo_settings import create_default_training_config, load_training_config
create_default_training_config()
for run_dir in (None, "run", "run"):
    config = load_training_config(run_dir=run_dir, environ={"ACBO_TOTAL_STEPS": "7", "ACBO_WARMUP_STEPS": "1"})
print("pyrsistent" in sys.modules, config.metadata["total_steps"], "pyrsistent" in sys.modules)
"""
    assert run(program).split() == ["False", "7", "True"]


def test_a_start_from_a_frozen_file_imports_eight_modules() -> None:
    """What is needed to compare a digest and to read lines, and no more."""
    program = """
import sys
from acbo_settings import load_training_config
load_training_config(run_dir="run", environ={})
print(sum(name.split(".")[0] == "acbo_settings" for name in sys.modules))
"""
    run(program)
    assert int(run(program)) <= 8


def test_the_order_of_metadata_is_the_same_in_every_process() -> None:
    """Neither the order nor a byte of the pickle depends on the hash seed, whether the metadata was read or not."""
    program = f"""
import pickle, sys
from acbo_settings import create_training_config
config = create_training_config({NOTES!r}, total_steps=7000)
unread = pickle.dumps(config)
print(list(config.metadata), list(pickle.loads(unread).metadata), repr(config), pickle.dumps(config) == unread, unread)
"""
    printed = {run(program, PYTHONHASHSEED=str(seed)) for seed in range(5)}
    assert len(printed) == 1
    order = sorted([*NOTES, "total_steps"])
    assert printed.pop().startswith(f"{order} {order} ")


def test_very_many_keys_are_looked_up_in_time() -> None:
    """A table of 50,000 keys is no slow one: each key is found at once, whatever that costs the order."""
    config = create_training_config(metadata={f"key {number}": number for number in range(50_000)})
    assert sum(config.metadata[f"key {number}"] for number in range(50_000)) == sum(range(50_000))


def test_metadata_of_a_wrong_type_is_refused() -> None:
    """A dict that somebody put there by hand is not taken for a frozen one."""
    config = TrainingConfig(metadata={"note": "a"})  # type: ignore[arg-type]
    assert config.metadata == {"note": "a"}
    with pytest.raises(ConfigurationError, match="metadata: Input should be an instance of PMap"):
        validate_training_config(config)


def test_dataclass_functions_know_the_metadata() -> None:
    """`replace`, `asdict`, `fields`, equality and hash work as for any dataclass."""
    config = create_training_config(note="a")
    changed = replace(config, total_steps=7000)
    assert (changed.metadata, changed.total_steps) == (config.metadata, 7000)
    assert replace(config, metadata=pmap()) == config
    assert hash(replace(config, metadata=pmap())) == hash(config)
    assert asdict(config)["metadata"] == {"note": "a"}
    assert [field.name for field in fields(config)][-1] == "metadata"


# Copies and pickles


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_configurations_survive_a_copy_and_another_process(protocol: int) -> None:
    """Each dataclass comes back equal and of its class, with its metadata."""
    config = create_training_config(NOTES, grpo={"group_size": 128})
    copies = [pickle.loads(pickle.dumps(config, protocol)), copy.copy(config), copy.deepcopy(config)]
    for copied in copies:
        assert (copied, copied.metadata, type(copied)) == (config, config.metadata, TrainingConfig)
    for part in (config.grpo, config.rewards, config.exploration, config.evaluation):
        assert pickle.loads(pickle.dumps(part, protocol)) == part


def test_metadata_that_is_no_plain_data_is_pickled_as_it_is() -> None:
    """What somebody put into a map by hand comes back as it was."""
    config = TrainingConfig(metadata=pmap({"path": (1, 2), "set": frozenset({1})}))
    assert pickle.loads(pickle.dumps(config)).metadata == config.metadata


def records() -> list[Any]:
    """What users may hold and send to another process."""
    Path("acbo.toml").write_text("surrogate_update_frequency = 5\n")
    Path("broken.toml").write_text("total_steps\n")
    overrides = {"total_steps": 7000, "metadata": {"note": "a"}}
    resolved = resolve_training_config(overrides=overrides, environ={"ACBO_LOG_FREQUENCY": "5"})
    with pytest.raises(ConfigurationError) as caught:
        load_training_config("broken.toml", environ={})
    value = resolved.values["log_frequency",]
    plan = plan_training(resolved.config)
    origins = [sourced.origin for sourced in resolved.values.values() if not sourced.is_default]
    return [resolved, value, *origins, *caught.value.problems, plan, resolved.config, resolved.config.grpo]


def test_pickles_are_by_field_name() -> None:
    """In whatever order the fields stand in a pickle they come back right; an unknown one is refused."""
    for record in records():
        make, (given,) = record.__reduce__()
        assert make(dict(reversed(given.items()))) == record
        with pytest.raises(TypeError, match="no_such_field"):
            make({**given, "no_such_field": 1})


def test_a_pickle_from_before_a_field_was_added_has_its_default() -> None:
    """For each setting, and for the fields of records that have a default."""
    for section, owner in SCHEMA.sections.items():
        config: Any = owner()
        for name in [path[-1] for path in SCHEMA.defaults if path[:-1] == section]:
            make, (given,) = config.__reduce__()
            del given[name]
            assert make(given) == config
    (problem,) = (record for record in records() if hasattr(record, "severity"))
    make, (given,) = problem.__reduce__()
    del given["severity"]
    assert make(given) == problem


def test_the_error_is_pickled_by_field_name() -> None:
    """Its report and its facts come back."""
    with pytest.raises(ConfigurationError) as caught:
        create_training_config(total_steps=0)
    back = pickle.loads(pickle.dumps(caught.value))
    assert (str(back), back.problems, type(back)) == (str(caught.value), caught.value.problems, ConfigurationError)
    assert "report" in caught.value.__reduce__()[1][0]


def test_two_fields_in_another_order_keep_their_values() -> None:
    """A pickle of a version whose fields stand the other way round is read back right, in a process of its own."""
    program = """
import dataclasses, pickle, sys
import acbo_settings
from acbo_settings.engine import PickledByName
old = acbo_settings.ExplorationTrainingConfig
names = [field.name for field in dataclasses.fields(old)][::-1]
defaults = [(name, object, dataclasses.field(default=getattr(old(), name))) for name in names]
new = dataclasses.make_dataclass(old.__name__, defaults, bases=(PickledByName,), frozen=True, slots=True, kw_only=True)
new.__module__ = "acbo_settings"
acbo_settings.ExplorationTrainingConfig = new
print(pickle.dumps(new(initial_temperature=3.0, final_temperature=0.5)).hex())
"""
    back = pickle.loads(bytes.fromhex(run(program)))
    assert back == ExplorationTrainingConfig(initial_temperature=3.0, final_temperature=0.5)


def test_pickles_name_no_room_of_the_package() -> None:
    """A pickle survives that a room moves: it knows public names of the package alone."""
    for record in [*records(), create_training_config(NOTES)]:
        text = pickle.dumps(record, 0).decode("ascii", "replace")
        assert "acbo_settings." not in text
        assert "acbo_settings" in text


def test_weights_are_a_map_that_cannot_be_changed() -> None:
    """What the reward computation takes is frozen as all of a configuration, in the order of the reference."""
    weights = create_training_config(rewards={"parent_weight": 2}).rewards.get_reward_weights()
    assert isinstance(weights, PMap)
    assert list(weights.items()) == [("optimization", 1.0), ("structure", 0.5), ("parent", 2.0), ("exploration", 0.1)]
    with pytest.raises(TypeError):
        weights["parent"] = 3.0  # type: ignore[operator]


def test_what_components_take_can_be_logged() -> None:
    """`vars` of it is a dict, which is how code written for the reference logs it."""
    assert vars(GRPOTrainingConfig().to_grpo_config())["group_size"] == 64
    assert vars(ExplorationTrainingConfig().to_exploration_config())["temperature"] == 1.0


# In other company


def test_metadata_with_arrays_can_be_copied_and_pickled() -> None:
    """What a metadata map holds is not checked, be it something that cannot be compared."""

    class Array(list[int]):
        def __eq__(self, other: object) -> Any:
            raise ValueError("the truth value of an array is ambiguous")

    config = TrainingConfig(metadata=pmap({"a": 1, "weights": Array([1, 2]), "set": {1}}))
    assert len(copy.deepcopy(config).metadata) == 3
    assert copy.copy(config).metadata["a"] == 1


def test_a_pydantic_model_may_have_a_configuration_as_a_field() -> None:
    """It is validated as strictly as by this package, whatever the model around it allows."""

    class Job(BaseModel):
        name: str
        config: TrainingConfig

    assert Job(name="a", config=create_training_config(total_steps=7000)).config.total_steps == 7000
    with pytest.raises(ValidationError):
        Job(name="a", config=TrainingConfig(total_steps=0))
    for wrong in ({"group_size": "16"}, {"bogus": 1}, {"group_size": 4}):
        with pytest.raises(ValidationError):
            TypeAdapter(GRPOTrainingConfig).validate_python(wrong)


def test_records_can_be_matched() -> None:
    """The fields of origins and values stand in patterns in the order of their arguments."""
    resolved = resolve_training_config(environ={"ACBO_LOG_FREQUENCY": "5"})
    match resolved.values["log_frequency",]:
        case SourcedValue(value, Variable(name, text), _):
            assert (value, name, text) == (5, "ACBO_LOG_FREQUENCY", "5")
        case _:
            raise AssertionError


def test_a_section_of_another_class_is_not_valid() -> None:
    """A subclass of a section in its place could not be told from it by the fingerprint, and is not equal to it."""

    @dataclass(frozen=True, kw_only=True)
    class More(GRPOTrainingConfig):
        extra: int = 5

    with pytest.raises(ConfigurationError, match="grpo: Input should be an instance of GRPOTrainingConfig"):
        validate_training_config(TrainingConfig(grpo=More()))
