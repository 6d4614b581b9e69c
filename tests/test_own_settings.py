"""Settings of one's own, a subclass of the reference's: they take part in everything."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge
from jsonschema import Draft202012Validator

from acbo_settings import (
    ConfigurationError,
    ConfigurationWarning,
    TrainingConfig,
    Was,
    advice,
    assert_same_across_ranks,
    create_default_training_config,
    create_training_config,
    json_schema,
    load_frozen_config,
    load_training_config,
    plan_training,
    resolve_training_config,
    rule,
    validate_training_config,
)
from acbo_settings.engine.canonical import custom_metadata, fingerprint, sha256

from .command_line import run, write
from .experiment import EncoderConfig, ExperimentConfig, PolicyConfig

AssertReport = Callable[[str, str], None]

FILE = """\
seed = 7
data = "./data/scm20"

[policy]
hidden_size = 64
layers = [32, 16]
precision = 16

[policy.encoder]
widths = [1, 2.5]
files = ["a.csv", "../b.csv"]
"""


def load(environ: dict[str, str] | None = None, **arguments: Any) -> ExperimentConfig:
    """Load an experiment."""
    return load_training_config(environ=environ or {}, schema=ExperimentConfig, **arguments)


def test_every_kind_of_value_is_loaded_from_every_layer() -> None:
    """File, variables and texts give values of exactly the types of the class, at any depth."""
    write("acbo.toml", FILE)
    environ = {"ACBO_POLICY__ENCODER__HEADS": "2", "ACBO_POLICY__LAYERS": "[8]", "ACBO_TAG": "ab"}
    config = load(environ, overrides=["policy.dropout=0.5", "policy.activation=relu"])
    encoder = EncoderConfig(heads=2, widths=(1.0, 2.5), files=(Path("a.csv"), Path("../b.csv")))
    policy = PolicyConfig(hidden_size=64, activation="relu", layers=(8,), precision=16, dropout=0.5, encoder=encoder)
    expected = ExperimentConfig(seed=7, data=Path("data/scm20"), policy=policy, tag="ab")
    assert config == expected
    assert hash(config) == hash(expected)
    assert repr(config.policy) == repr(policy)
    assert validate_training_config(config)


def test_a_default_of_the_class_counts_everywhere() -> None:
    """One of the reference that the class changes, and one that a table's own default changes."""
    resolved = resolve_training_config(overrides={"data": "x"}, environ={}, schema=ExperimentConfig)
    assert resolved.explain("total_steps") == "20000, the default"
    assert resolved.config.policy.encoder.heads == 8
    assert plan_training(resolved.config).total_steps == 20000
    assert load(overrides={"data": "x", "policy": {"precision": 16}}).policy.encoder.heads == 8


def test_none_means_not_set() -> None:
    """An empty variable or text takes away what a file has set, where the class allows None, and only there."""
    write("acbo.toml", "data = 'x'\ntag = 'ab'\n[policy]\ndropout = 0.5\n")
    assert (load({"ACBO_TAG": ""}).tag, load(overrides=["policy.dropout="]).policy.dropout) == (None, None)
    assert load(overrides={"tag": None}).tag is None
    with pytest.raises(ConfigurationError, match="ACBO_SEED=''"):
        load({"ACBO_SEED": ""})


def test_all_mistakes_are_in_one_report(assert_report: AssertReport) -> None:
    """Types, bounds, choices, lengths, items, unknown keys and a missing setting, each with its place."""
    write(
        "acbo.toml",
        "seed = -1\ntag = 'a'\n[policy]\nhidden_sise = 3\nlayers = [8, 'a']\nprecision = 8\ndropout = 1.0\n"
        "[policy.encoder]\nheads = 3\nwidths = []\nfiles = 'a.csv'\n",
    )
    with pytest.raises(ConfigurationError) as caught:
        load({"ACBO_POLICY__ACTIVATION": "glue", "ACBO_POLICY_LAYERS": "[1]"})
    assert_report("own-mistakes", str(caught.value))


def test_what_must_be_given_is_told_with_all_ways(assert_report: AssertReport) -> None:
    """A setting without a default that nobody gives is a problem, also when the defaults are asked for."""
    with pytest.raises(ConfigurationError) as caught:
        load()
    assert_report("own-missing", str(caught.value))
    with pytest.raises(ConfigurationError, match="data: must be given"):
        create_default_training_config(schema=ExperimentConfig)
    assert load({"ACBO_DATA": "x"}).data == Path("x")


def test_equality_and_fingerprint_know_them() -> None:
    """Two seeds are two configurations, with two fingerprints; the reference's own stays what it was."""
    one, two = (create_training_config(seed=seed, data="x", schema=ExperimentConfig) for seed in (1, 2))
    assert one != two
    assert one.fingerprint != two.fingerprint
    assert one == pickle.loads(pickle.dumps(one))
    assert replace(two, seed=1) == one
    assert replace(two, seed=1).fingerprint == one.fingerprint
    assert create_default_training_config().fingerprint == TrainingConfig().fingerprint


def test_what_is_written_loads_back() -> None:
    """As TOML and as a dict, what is not set has no line."""
    write("acbo.toml", FILE)
    config = load()
    assert create_training_config(config.to_dict(), schema=ExperimentConfig) == config
    assert json.loads(json.dumps(config.to_dict()))["policy"]["encoder"]["files"] == ["a.csv", "../b.csv"]
    text = config.to_toml()
    assert "\ntag" not in text
    write("acbo.toml", text)
    assert load() == config


def test_what_trackers_get_loads_back() -> None:
    """Settings of one's own are scalars for trackers, and as texts they load equal; what is not set is left out."""
    write("acbo.toml", FILE)
    config = load()
    flat = config.to_flat()
    assert json.loads(str(flat["policy.encoder.files"])) == ["a.csv", "../b.csv"]
    assert "tag" not in flat
    write("acbo.toml", "")
    texts = [f"{key}={value}" for key, value in flat.items()]
    assert load_training_config(overrides=texts, environ={}, schema=ExperimentConfig) == config


def test_what_the_command_line_prints_loads_back() -> None:
    """As TOML, as JSON, and as variables of a real shell; and `diff` knows every kind of value."""
    write("acbo.toml", FILE)
    config = load()
    named = ("--schema", "tests.experiment:ExperimentConfig")
    environ = {"PYTHONPATH": str(Path(__file__).parent.parent)}
    shown = {form: run("show", "--format", form, *named, **environ).stdout.decode() for form in ("toml", "json", "env")}
    write("shown.toml", shown["toml"])
    assert load_training_config("shown.toml", environ={}, schema=ExperimentConfig) == config
    assert create_training_config(json.loads(shown["json"]), schema=ExperimentConfig) == config
    lines = dict(line.removeprefix("export ").split("=", 1) for line in shown["env"].splitlines())
    variables = {name: shlex.split(text)[0] if text != "''" else "" for name, text in lines.items()}
    assert load_training_config(os.devnull, environ=variables, schema=ExperimentConfig) == config
    write("other.toml", FILE.replace("layers = [32, 16]", "dropout = 0.5").replace("scm20", "scm50"))
    assert run("diff", "acbo.toml", "shown.toml", *named, **environ).returncode == 0
    differing = run("diff", "acbo.toml", "other.toml", *named, **environ).stdout.decode().splitlines()[3:]
    assert [line.split()[0] for line in differing] == ["policy.layers", "policy.dropout", "data"]
    assert "not set" in differing[1]


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_run_is_held_to_them() -> None:
    """Frozen, resumed, refused when one changes, taken from today when it may change."""
    write("acbo.toml", FILE)
    first = load(run_dir="run")
    assert load(run_dir="run") == load_frozen_config("run", schema=ExperimentConfig) == first
    write("acbo.toml", FILE.replace("[32, 16]", "[32, 8]"))
    with pytest.raises(
        ConfigurationError, match=r"policy\.layers: frozen as \[32, 16\] \(from acbo\.toml:6\), today \[32, 8\]"
    ):
        load(run_dir="run")
    assert load(run_dir="run", may_change=["policy"]).policy.layers == (32, 8)
    assert load(run_dir="run", on_change="keep") == first


def test_a_resumed_run_needs_no_pydantic() -> None:
    """The start from the frozen file reads paths, tuples and what is not set without a second judgement."""
    write("acbo.toml", FILE)
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from experiment import ExperimentConfig
import acbo_settings
config = acbo_settings.load_training_config(run_dir="run", schema=ExperimentConfig)
print(config.policy.layers, config.data, config.tag, "acbo_settings.engine.loading.layers" in sys.modules)
"""
    starts = [subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True) for _ in range(2)]
    assert [start.stdout for start in starts] == [
        f"(32, 16) data/scm20 None {is_first}\n" for is_first in (True, False)
    ], starts[0].stderr


def test_ranks_are_compared_by_them() -> None:
    """A seed that differs is told with its ranks."""
    config = create_training_config(seed=1, data="x", schema=ExperimentConfig)

    def allgather(text: str) -> list[str]:
        """As if there were a second rank with another seed."""
        return [text, text[::-1] if len(text) == 16 else text.replace('"seed": "1"', '"seed": "2"')]

    with pytest.raises(ConfigurationError, match="seed: 1 on rank 0; 2 on rank 1"):
        assert_same_across_ranks(config, allgather)


def test_the_json_schema_knows_them() -> None:
    """It is valid, closed, and takes what loads."""
    document = json_schema(schema=ExperimentConfig)
    Draft202012Validator.check_schema(document)
    validator = Draft202012Validator(document)
    assert document["properties"]["policy"]["properties"]["hidden_size"]["description"] == "Width of each layer."
    good = {"seed": 1, "data": "x", "policy": {"layers": [1], "precision": 16, "encoder": {"widths": [1.0]}}}
    assert validator.is_valid(good)
    wrong: dict[str, Any]
    for wrong in ({"layers": ["a"]}, {"precision": 8}, {"encoder": {"widths": []}}, {"hidden_sise": 3}):
        assert not validator.is_valid({**good, "policy": wrong})
    assert not validator.is_valid({"sed": 1})


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the training runs on."""

    memory: int = 40
    """Gigabytes."""

    @rule("card.memory")
    def is_there(self) -> str | None:
        """A rule of a table, whose settings are named from the root."""
        return "No card has so little memory" if self.memory < 8 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled(TrainingConfig):
    """A configuration with rules of its own."""

    width: int = 128
    card: Card = Card()

    @rule("width", "grpo.group_size", "card.memory")
    def fits_the_card(self) -> str | None:
        """An error across tables of both."""
        needed = self.width * self.grpo.group_size
        return f"The policy does not fit the card ({needed} is above 65536)" if needed > 65536 else None

    @advice("width")
    def is_even(self) -> str | None:
        """Advice."""
        return "An odd width is slow" if self.width % 2 else None

    @rule("total_steps")
    def fails(self) -> str | None:
        """A rule with a mistake."""
        return str(1 // 0) if self.total_steps == 13000 else None

    @advice("log_frequency")
    def answers_wrongly(self) -> str | None:
        """Another one."""
        return 3 if self.log_frequency == 13 else None  # type: ignore[return-value]


def test_rules_of_ones_own_join_the_report(assert_report: AssertReport) -> None:
    """With the origins of the settings that they read, those of a table too, beside ACBO's own rules."""
    overrides = {"width": 4097, "card": {"memory": 4}, "warmup_steps": 6000}
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(overrides=overrides, environ={}, schema=Ruled)
    assert_report("own-rules", str(caught.value))
    with pytest.raises(ConfigurationError, match="No card has so little memory"):
        validate_training_config(Ruled(card=Card(memory=4)))


def test_advice_of_ones_own_is_a_warning() -> None:
    """As that of ACBO is."""
    with pytest.warns(ConfigurationWarning, match="width: An odd width is slow"):
        load_training_config(overrides={"width": 3}, environ={}, schema=Ruled)


def test_a_rule_that_raises_is_a_problem() -> None:
    """It names the rule, its place in the user's file, and the exception; so does one that answers with no sentence."""
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(overrides={"total_steps": 13000}, environ={}, schema=Ruled)
    (problem,) = caught.value.problems
    line = next(
        n
        for n, text in enumerate(Path(__file__).read_text().split("\n"), 1)
        if text == "    def fails(self) -> str | None:"
    )
    assert (
        problem.message
        == f"the rule Ruled.fails ({__file__}:{line - 1}) raised ZeroDivisionError: integer division or modulo by zero"
    )
    with pytest.warns(ConfigurationWarning, match="must return a sentence or None, not int"):
        load_training_config(overrides={"log_frequency": 13}, environ={}, schema=Ruled)


def test_a_rule_names_settings() -> None:
    """One that reads what there is not is told when the schema is used; a decorator without names at once."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Wrong(TrainingConfig):
        @rule("grpo.group_sise")
        def check(self) -> str | None:
            """Read a setting that there is not."""
            return None

    with pytest.raises(TypeError, match=r"Wrong\.check reads grpo\.group_sise, which is no setting"):
        load_training_config(environ={}, schema=Wrong)
    with pytest.raises(TypeError, match="name the settings"):
        rule()


@pytest.mark.parametrize("schema", [PolicyConfig, dict, 3, "ExperimentConfig", ExperimentConfig(data=Path("x"))])
def test_what_is_no_class_of_settings_is_refused(schema: Any) -> None:
    """The class itself is wanted, and one that has the reference's settings."""
    with pytest.raises(TypeError, match="schema must be a subclass of TrainingConfig"):
        load_training_config(os.devnull, environ={}, schema=schema)


# Runs that outlive their class


@dataclass(frozen=True, slots=True, kw_only=True)
class Older(TrainingConfig):
    """A class of some day."""

    seed: int = 0
    rate: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer(TrainingConfig):
    """The same later: a setting more, in another order, one that may be None, and a table."""

    width: int = 128
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    rate: float = 0.5
    name: str | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewer(TrainingConfig):
    """The same without the seed."""

    rate: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stricter(Older):
    """The same with a setting that must be given."""

    data: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Retyped(TrainingConfig):
    """The same with a text for a number."""

    seed: str = ""
    rate: float = 0.5


@pytest.mark.parametrize("on_change", ["error", "keep", "replace"])
def test_a_newer_setting_has_its_default_with_advice(on_change: Any, assert_report: AssertReport) -> None:
    """A run goes on when the class has more settings than it was frozen with; each is named, and the file stays."""
    frozen = load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, schema=Older)
    content = Path("run/acbo.frozen.toml").read_bytes()
    ways: list[Callable[[], Newer]] = [
        lambda: load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, on_change=on_change, schema=Newer),
        lambda: load_frozen_config("run", schema=Newer),
    ]
    for load_again in ways:
        with pytest.warns(ConfigurationWarning) as caught:
            config = load_again()
        assert (config.seed, config.width, config.name, config.rate) == (7, 128, None, 0.5)
        assert [str(each.message).partition(":")[0] for each in caught][:2] == ["width", "policy.hidden_size"]
        assert frozen.fingerprint != config.fingerprint
        assert_report("own-newer-setting", "\n".join(str(each.message) for each in caught))
    assert Path("run/acbo.frozen.toml").read_bytes() == content


def test_another_value_of_a_newer_setting_is_a_change() -> None:
    """The run had the default, as far as anybody knows: today's other value is refused unless it may change."""
    load_training_config(run_dir="run", environ={}, schema=Older)
    with pytest.raises(ConfigurationError, match=r"width: frozen as 128 \(the default\), today 64"):
        load_training_config(run_dir="run", environ={"ACBO_WIDTH": "64"}, schema=Newer)


@pytest.mark.parametrize("on_change", ["error", "keep"])
def test_a_setting_that_is_no_more_is_refused_by_name(on_change: Any, assert_report: AssertReport) -> None:
    """With its value, and the class and version that wrote it; a run cannot keep what there is not."""
    load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, schema=Older)
    ways: list[Callable[[], Fewer]] = [
        lambda: load_training_config(run_dir="run", environ={}, on_change=on_change, schema=Fewer),
        lambda: load_frozen_config("run", schema=Fewer),
    ]
    for act in ways:
        with pytest.raises(ConfigurationError) as caught:
            act()
        assert_report("own-unknown-setting", str(caught.value))


def test_a_newer_setting_without_a_default_is_refused() -> None:
    """There is nothing that the run could have had."""
    load_training_config(run_dir="run", environ={}, schema=Older)
    with pytest.raises(ConfigurationError, match="data: has no default, and was not frozen"):
        load_training_config(run_dir="run", environ={"ACBO_DATA": "x"}, schema=Stricter)


@pytest.mark.parametrize("schema", [Fewer, Stricter, Retyped])
def test_a_run_of_other_settings_can_be_frozen_anew(schema: type[TrainingConfig]) -> None:
    """Who replaces what was frozen gets today's settings, and the old file is kept as it was."""
    frozen = load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, schema=Older)
    content = Path("run/acbo.frozen.toml").read_bytes()
    environ = {"ACBO_DATA": "x"} if schema is Stricter else {}
    config = load_training_config(run_dir="run", environ=environ, on_change="replace", schema=schema)
    assert Path(f"run/acbo.frozen.{frozen.fingerprint}.toml").read_bytes() == content
    assert load_training_config(run_dir="run", environ=environ, schema=schema) == config


def test_a_setting_of_another_type_by_now_is_told(assert_report: AssertReport) -> None:
    """The file is whole, and the value fits the class of that day."""
    load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, schema=Older)
    with pytest.raises(ConfigurationError) as caught:
        load_frozen_config("run", schema=Retyped)
    assert_report("own-retyped-setting", str(caught.value))


def test_an_integer_that_is_a_float_by_now_is_that_float() -> None:
    """As in a file, if it is one exactly."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Floating(TrainingConfig):
        seed: float = 0.0
        rate: float = 0.5

    load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, schema=Older)
    seed = load_training_config(run_dir="run", environ={"ACBO_SEED": "7"}, schema=Floating).seed
    assert (seed, type(seed)) == (7.0, float)
    load_training_config(run_dir="large", environ={"ACBO_SEED": str(2**53 + 1)}, schema=Older)
    with pytest.raises(ConfigurationError, match="has the type float by now"):
        load_frozen_config("large", schema=Floating)


def test_a_fingerprint_is_that_of_what_is_set() -> None:
    """A setting that may be None, and is, takes no part: it can come to a class without another fingerprint."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named(Older):
        name: str | None = None

    assert Named().fingerprint == Older().fingerprint != Named(name="a").fingerprint


@pytest.mark.parametrize(
    ("line", "other"), [("total_steps = 5000", "total_steps = 5000.0"), ("rate = 0.5", 'rate = "a"')]
)
def test_types_are_checked_when_a_file_is_read(line: str, other: str) -> None:
    """Who makes a file with a fitting checksum and fingerprint still gets no value of another type."""
    load_training_config(run_dir="run", environ={}, schema=Older)
    text = Path("run/acbo.frozen.toml").read_text().replace(f"\n{line}\n", f"\n{other}\n")
    own = {tuple(key.split(".")): value for key, value in _flat(tomllib.loads(text)).items()}
    own = {path: value for path, value in own.items() if path[0] not in ("frozen", "metadata")}
    text = re.sub('(?m)^fingerprint = ".*"', f'fingerprint = "{fingerprint(own)}"', text)
    body = text.rpartition('sha256 = "')[0]
    Path("run/acbo.frozen.toml").write_text(f'{body}sha256 = "{sha256(body.encode())}"\n')
    with pytest.raises(ConfigurationError, match=r"and has the type (int|float) by now"):
        load_frozen_config("run", schema=Older)


def _flat(tree: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return found


# Old names, and what was removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When things happen."""

    checkpoint_interval: Annotated[int, Ge(1), Was("checkpoint_every", since="2.0")] = 500
    """Steps from one checkpoint to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(TrainingConfig):
    """A class some versions later."""

    removed = {"value_coeff": "GRPO has no value network: delete the line", "old.tables": "they are one now"}  # noqa: RUF012

    schedule: Schedule = field(default_factory=Schedule)
    width: Annotated[int, Was("policy.hidden_size", since="2.1")] = 128
    rate: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class OldPolicy:
    """A table that is no more."""

    hidden_size: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Original(TrainingConfig):
    """The class as it was."""

    checkpoint_every: int = 500
    policy: OldPolicy = field(default_factory=OldPolicy)
    rate: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A table for what stood in one of the metadata."""

    width: Annotated[int, Was("metadata.net.width", since="2.0")] = 128


OLD_NAMES: dict[str, Any] = {
    "file": {"acbo.toml": "checkpoint_every = 7\n[policy]\nhidden_size = 64\n"},
    "base": {"acbo.toml": "extends = 'b.toml'", "b.toml": "checkpoint_every = 7\npolicy.hidden_size = 64\n"},
    "variables": {"ACBO_CHECKPOINT_EVERY": "7", "ACBO_POLICY__HIDDEN_SIZE": "64"},
    "table": {"ACBO_CHECKPOINT_EVERY": "7", "ACBO_POLICY": '{"hidden_size": 64}'},
    "texts": ["checkpoint_every=7", "--set policy.hidden_size=64"],
    "dict": {"checkpoint_every": 7, "policy": {"hidden_size": 64}},
    "dotted": {"checkpoint_every": 7, "policy.hidden_size": 64},
}


@pytest.mark.parametrize("way", OLD_NAMES)
def test_old_names_are_taken_with_advice(way: str) -> None:
    """Wherever a setting is given under its old name, it is taken, with one advice that names the new one."""
    given = OLD_NAMES[way]
    for name, text in given.items() if way in ("file", "base") else ():
        write(name, text)
    environ = given if way in ("variables", "table") else {}
    overrides = given if way in ("texts", "dict", "dotted") else None
    with pytest.warns(ConfigurationWarning) as caught:
        config = load_training_config(environ=environ, overrides=overrides, schema=Renamed)
    assert (config.schedule.checkpoint_interval, config.width) == (7, 64)
    told = sorted(str(warning.message).split("\n")[0] for warning in caught)
    assert told == [
        "checkpoint_every: is called schedule.checkpoint_interval since 2.0",
        "policy.hidden_size: is called width since 2.1",
    ]


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_an_old_name_is_judged_as_the_new_one() -> None:
    """Range, shadowing and origin are those of the setting; together with the new name it is an error."""
    write("acbo.toml", "checkpoint_every = 7\n")
    resolved = resolve_training_config(environ={"ACBO_SCHEDULE__CHECKPOINT_INTERVAL": "9"}, schema=Renamed)
    expected = "9, from ACBO_SCHEDULE__CHECKPOINT_INTERVAL, over 7 from acbo.toml:1, over the default 500"
    assert resolved.explain("schedule.checkpoint_interval") == expected
    with pytest.raises(
        ConfigurationError, match=r"schedule\.checkpoint_interval: Input should be greater[^|]*overrides"
    ):
        load_training_config(overrides={"checkpoint_every": 0}, environ={}, schema=Renamed)
    for text in ("width = 1\n[policy]\nhidden_size = 2\n", "policy.hidden_size = 2\nwidth = 1\n"):
        write("acbo.toml", text)
        with pytest.raises(
            ConfigurationError,
            match=r"given twice: it is called width since 2\.1\n.*hidden_size from .*:\d, width from .*:\d",
        ):
            load_training_config(environ={}, schema=Renamed)


@pytest.mark.parametrize(
    "given",
    [{"environ": {"ACBO_VALUE_COEFF": "1"}}, {"overrides": ["value_coeff=1"]}, {"overrides": {"value_coeff": 1}}],
    ids=str,
)
def test_what_was_removed_is_refused_with_what_to_do(given: dict[str, Any]) -> None:
    """Given anywhere, it is an error with the sentence of the class."""
    with pytest.raises(
        ConfigurationError, match="value_coeff: was removed; GRPO has no value network: delete the line"
    ):
        load_training_config(**{"environ": {}, "schema": Renamed, **given})
    write("acbo.toml", "value_coeff = 1\n[old]\ntables = 2\nothers = 3\n")
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(environ={}, schema=Renamed)
    assert [problem.message for problem in caught.value.problems] == ["was removed", "was removed", "no such setting"]


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
@pytest.mark.parametrize("on_change", ["error", "keep"])
def test_a_run_goes_on_under_the_new_names(on_change: Any) -> None:
    """What was frozen under the old names, in a table that is no more too, is read under the new ones."""
    environ = {"ACBO_CHECKPOINT_EVERY": "7", "ACBO_POLICY__HIDDEN_SIZE": "64"}
    load_training_config(run_dir="run", environ=environ, schema=Original)
    for today in (environ, {"ACBO_SCHEDULE__CHECKPOINT_INTERVAL": "7", "ACBO_WIDTH": "64"}):
        config = load_training_config(run_dir="run", environ=today, on_change=on_change, schema=Renamed)
        assert (config.schedule.checkpoint_interval, config.width) == (7, 64)
    allowed = load_training_config(run_dir="run", environ={}, may_change=["checkpoint_every", "width"], schema=Renamed)
    assert allowed.schedule.checkpoint_interval == 500


def test_the_json_schema_marks_old_names() -> None:
    """They are valid, and deprecated."""
    properties = json_schema(schema=Renamed)["properties"]
    assert properties["checkpoint_every"]["deprecated"] is True
    assert properties["checkpoint_every"]["minimum"] == 1
    table = properties["policy"]  # which there is no more
    assert table["properties"]["hidden_size"]["deprecated"] is True
    assert table["additionalProperties"] is False
    assert "old" not in properties


def test_an_old_name_that_is_taken_is_refused() -> None:
    """A name cannot mean two things."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Taken(TrainingConfig):
        width: Annotated[int, Was("total_steps", since="2.0")] = 1

    with pytest.raises(TypeError, match=r"width cannot have been total_steps: that name is taken"):
        load_training_config(environ={"ACBO_WIDTH": "2"}, schema=Taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class FromNotes(TrainingConfig):
    """A class for what stood in the metadata before there was one."""

    seed: Annotated[int, Ge(0), Was("metadata.seed", since="2.0")] = 1
    """Where chance starts."""

    policy: Settled = field(default_factory=Settled)
    """What is trained."""


NOTES: dict[str, Any] = {
    "file": "total_steps = 7000\n[metadata]\nseed = 3\nnote = 'a'\nnet = {width = 64, depth = 2}\n",
    "variables": {"ACBO_METADATA__SEED": "3", "ACBO_METADATA__NET__WIDTH": "64"},
    "texts": ["metadata.seed=3", "metadata.net.width=64"],
    "dict": {"metadata": {"seed": 3, "net": {"width": 64}}},
}


@pytest.mark.parametrize("way", NOTES)
def test_a_note_can_become_a_setting(way: str) -> None:
    """What stood in the metadata is taken under its new name, with advice; what stands beside it stays a note."""
    given = NOTES[way]
    if way == "file":
        write("acbo.toml", given)
    environ = given if way == "variables" else {}
    with pytest.warns(ConfigurationWarning) as caught:
        config = load_training_config(
            environ=environ, overrides=given if way in ("texts", "dict") else None, schema=FromNotes
        )
    assert (config.seed, config.policy.width) == (3, 64)
    assert sorted(str(warning.message).split("\n")[0] for warning in caught) == [
        "metadata.net.width: is called policy.width since 2.0",
        "metadata.seed: is called seed since 2.0",
    ]
    notes = {"note": "a", "net": {"depth": 2}} if way == "file" else {}
    assert custom_metadata(config) == notes


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_run_whose_notes_have_become_settings_goes_on() -> None:
    """The frozen notes are the settings of the run, with their origin and line, whatever today's file calls them."""
    write("acbo.toml", NOTES["file"])
    load_training_config(run_dir="run", environ={})
    new = "total_steps = 7000\nseed = 3\npolicy.width = 64\n[metadata]\nnote = 'a'\nnet.depth = 2\n"
    for text in (NOTES["file"], new):
        write("acbo.toml", text)
        config = load_training_config(run_dir="run", environ={}, schema=FromNotes)
        assert (config.seed, config.policy.width, config.metadata["note"]) == (3, 64, "a")
    assert load_frozen_config("run", schema=FromNotes) == config
    with pytest.raises(ConfigurationError, match=r"seed: frozen as 3 \(from acbo\.toml:3\), today 4"):
        load_training_config(run_dir="run", environ={"ACBO_SEED": "4"}, schema=FromNotes)
    kept = resolve_training_config(run_dir="run", environ={"ACBO_SEED": "4"}, on_change="keep", schema=FromNotes)
    line = Path("run/acbo.frozen.toml").read_text().split("\n").index("seed = 3") + 1
    assert kept.explain("seed").startswith(f"3, from run/acbo.frozen.toml:{line}, over 4 from ACBO_SEED")


def test_the_json_schema_marks_such_notes() -> None:
    """The metadata stays open."""
    notes = json_schema(schema=FromNotes)["properties"]["metadata"]
    assert notes["properties"]["seed"]["deprecated"] is True
    assert notes["properties"]["net"]["additionalProperties"] is True


def test_a_frozen_note_of_the_name_of_a_setting_is_refused() -> None:
    """It would be lost, and the setting have its default; the class can say what became of the note."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Seeded(TrainingConfig):
        seed: int = 0

    load_training_config(run_dir="run", environ={"ACBO_METADATA__SEED": "3"})
    with pytest.raises(
        ConfigurationError,
        match=r'metadata\.seed: frozen as "3", and is a setting by now; Was\("metadata\.seed", since=…\)',
    ):
        load_frozen_config("run", schema=Seeded)


def test_two_old_names_of_one_setting_in_a_frozen_file_are_refused() -> None:
    """One of the two values would be lost."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Merged(TrainingConfig):
        rate: Annotated[float, Was("seed", since="2.0")] = 0.5

    load_training_config(run_dir="run", environ={"ACBO_SEED": "3"}, schema=Older)
    with pytest.raises(ConfigurationError, match=r"seed: frozen as 3, and is called rate by now, which was frozen too"):
        load_frozen_config("run", schema=Merged)


def test_what_a_note_was_cannot_be_removed() -> None:
    """A key of the metadata was never a setting."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class WithoutNotes(TrainingConfig):
        removed = {"metadata.seed": "it is drawn"}  # noqa: RUF012

    with pytest.raises(TypeError, match="metadata is not"):
        load_training_config(environ={"ACBO_SEED": "2"}, schema=WithoutNotes)


def test_a_section_tells_what_was_removed_from_it() -> None:
    """`removed` counts in the class of a section as in the root, with keys from the root."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Policy:
        removed = {"policy.depth": "the layers say it"}  # noqa: RUF012
        layers: tuple[int, ...] = (256, 256)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class WithPolicy(TrainingConfig):
        policy: Policy = field(default_factory=Policy)

    with pytest.raises(ConfigurationError, match=r"policy\.depth: was removed; the layers say it"):
        load_training_config(overrides=["policy.depth=2"], environ={}, schema=WithPolicy)


def test_an_old_name_that_may_change_is_told() -> None:
    """The setting may change as it is asked, and advice says what it is called."""
    load_training_config(run_dir="run", environ={}, schema=Renamed)
    with pytest.warns(
        ConfigurationWarning, match=r"checkpoint_every: is called schedule\.checkpoint_interval since 2\.0"
    ):
        load_training_config(
            run_dir="run", environ={"ACBO_WIDTH": "2"}, may_change=["checkpoint_every", "width"], schema=Renamed
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network, of which there are two."""

    width: int = 128
    depth: int = 2

    @rule("actor.width", "actor.depth")
    def fits(self) -> str | None:
        """The card holds it."""
        return "The network is too large" if self.width * self.depth > 1000 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoNetworks(TrainingConfig):
    """A class with one table twice, both of which had another name."""

    actor: Annotated[Network, Was("policy", since="2.0")] = field(default_factory=Network)
    critic: Network = field(default_factory=Network)


def test_the_rule_of_a_table_holds_wherever_the_table_stands() -> None:
    """It names the settings of that place."""
    with pytest.raises(
        ConfigurationError, match=r"critic\.width: The network is too large\n +--> width from ACBO_CRITIC"
    ):
        load_training_config(environ={"ACBO_CRITIC__WIDTH": "600"}, schema=TwoNetworks)


def test_a_table_can_have_had_another_name() -> None:
    """All that stands in it is then known by its old key."""
    write("acbo.toml", "[policy]\nwidth = 64\n")
    with pytest.warns(ConfigurationWarning, match=r"policy\.width: is called actor\.width since 2\.0"):
        assert load_training_config(environ={}, schema=TwoNetworks).actor.width == 64


@pytest.mark.parametrize(
    "given",
    [
        {"overrides": ["checkpoint_every=7", "schedule.checkpoint_interval=9"]},
        {"overrides": ["schedule.checkpoint_interval=9", "checkpoint_every=7"]},
        {"environ": {"ACBO_CHECKPOINT_EVERY": "7", "ACBO_SCHEDULE": '{"checkpoint_interval": 9}'}},
        {"environ": {"ACBO_SCHEDULE__CHECKPOINT_INTERVAL": "7", "ACBO_CHECKPOINT_EVERY": "9"}},
    ],
    ids=str,
)
def test_two_names_of_one_setting_in_variables_or_texts_are_refused(given: dict[str, Any]) -> None:
    """Which of the two was meant is not known."""
    with pytest.raises(ConfigurationError, match=r"given twice: it is called schedule\.checkpoint_interval since 2\.0"):
        load_training_config("/dev/null", **{"environ": {}, "schema": Renamed, **given})


@pytest.mark.parametrize(
    "environ", [{"ACBO_OLD__TABLES__INNER": "3"}, {"ACBO_OLD__TABLES": "3"}, {"ACBO_OLD": "{}"}], ids=str
)
def test_a_removed_table_is_told_by_variables_too(environ: dict[str, str]) -> None:
    """However deep inside of it they set something."""
    if environ == {"ACBO_OLD": "{}"}:
        load_training_config("/dev/null", environ=environ, schema=Renamed)  # holds nothing
        return
    with pytest.raises(ConfigurationError, match=r"old\.tables: was removed"):
        load_training_config("/dev/null", environ=environ, schema=Renamed)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"ACBO_POLICY__LAYERS": "64,32"}, r"Input should be an array; write it as JSON, such as \[64, 32\]"),
        ({"ACBO_POLICY__LAYERS": "[NaN]"}, r"Input should be an array; write it as JSON, such as \[64, 32\]"),
        ({"ACBO_POLICY__DROPOUT": "none"}, r"an empty text says that it is not set"),
        ({"ACBO_POLICY__PRECISION": "16.0"}, r"Input should be 16 or 32"),
    ],
    ids=str,
)
def test_a_text_that_is_no_value_is_told_how_to_write_it(environ: dict[str, str], message: str) -> None:
    """As a variable wants it."""
    with pytest.raises(ConfigurationError, match=message):
        load({"ACBO_DATA": "x", **environ})


@pytest.mark.parametrize("value", [True, 16.0])
def test_a_choice_is_of_its_type(value: Any) -> None:
    """Nothing is converted, be it equal."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Chosen(TrainingConfig):
        bits: Literal[1, 16] = 16

    with pytest.raises(ConfigurationError, match=f"bits: Input should be 1, 16, not {str(value).lower()}"):
        load_training_config(overrides={"bits": value}, environ={}, schema=Chosen)


def test_what_is_not_readable_hides_no_rule() -> None:
    """A rule over what must be given waits for it, and the source that cannot be read is told."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Needy(TrainingConfig):
        data: Path

        @rule("data")
        def exists(self) -> str | None:
            return f"There is no {self.data.name}"

    with pytest.raises(ConfigurationError, match="grpo: should be a table as JSON") as caught:
        load_training_config(environ={"ACBO_GRPO": "{"}, schema=Needy)
    assert len(caught.value.problems) == 1


def table(*names: str, slots: bool = True) -> Any:
    """A class `Table` of this module with these fields, each with its place as the default."""
    fields = [(name, int, number) for number, name in enumerate(names)]
    owner: Any = make_dataclass("Table", fields, frozen=True, slots=slots, kw_only=True)
    owner.__module__ = __name__
    return owner


@pytest.mark.parametrize("slots", [True, False])
def test_copies_and_pickles_are_by_the_names_of_fields(slots: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of tables of one's own too, with slots or without, in whatever order a later class has them."""
    owner = table("first", "second", slots=slots)
    fields = [("seed", int, 3), ("table", owner, field(default_factory=owner))]
    root: Any = make_dataclass("Root", fields, bases=(TrainingConfig,), frozen=True, slots=slots, kw_only=True)
    root.__module__ = __name__
    monkeypatch.setitem(globals(), "Table", owner)
    monkeypatch.setitem(globals(), "Root", root)
    config: Any = load_training_config("/dev/null", overrides=["seed=4", "table.second=7"], environ={}, schema=root)
    pickled = pickle.dumps(config)
    for same in (pickle.loads(pickled), copy.copy(config), copy.deepcopy(config)):
        assert (same, type(same.table), same.metadata) == (config, owner, config.metadata)
    monkeypatch.setitem(globals(), "Table", table("second", "third", "first"))
    later = pickle.loads(pickled).table
    assert (later.first, later.second, later.third) == (0, 7, 1)


def test_a_choice_with_a_hyphen_is_hinted_at() -> None:
    """Choices are those of the class, whatever they are made of."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Hyphened(TrainingConfig):
        graph: Literal["erdos-renyi", "scale-free"] = "erdos-renyi"

    with pytest.raises(ConfigurationError, match='did you mean "erdos-renyi"'):
        load_training_config("/dev/null", overrides=["graph=erdos_reny"], environ={}, schema=Hyphened)


def test_the_defaults_of_a_class_are_judged_as_any_value() -> None:
    """Also when they alone are asked for."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Refusing(TrainingConfig):
        size: int = 3

        @rule("size")
        def is_even(self) -> str | None:
            return "The size is odd" if self.size % 2 else None

    with pytest.raises(ConfigurationError, match="The size is odd"):
        create_default_training_config(schema=Refusing)
    assert create_default_training_config(schema=Older) == Older()
