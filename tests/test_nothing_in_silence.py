"""What would train on something else than was meant: for each case the input, the stage in which it is told, and how.

A case is refused (an error before anything is trained), advised (a warning), or silent. All texts stand in
tests/reports, one file for each table.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import ConfigurationError, load_training_config
from acbo_settings.cli.main import main

from .command_line import told, write

AssertReport = Callable[[str, str], None]


@dataclass
class Case:
    """Files, variables and arguments of one load, and the stage that tells what is wrong with them."""

    stage: str
    files: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> tuple[str, str]:
        """The stage in which something was told, and the text."""
        for name, text in self.files.items():
            write(name, text)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                load_training_config(environ=self.environ, **self.arguments)
            except ConfigurationError as error:
                return "refused", str(error)
        return ("advised", "\n".join(str(each.message) for each in caught)) if caught else ("silent", "")


def file(text: str, stage: str = "refused") -> Case:
    """A case of an `acbo.toml`."""
    return Case(stage, files={"acbo.toml": text})


def variable(name: str, text: str = "1", stage: str = "refused") -> Case:
    """A case of one variable."""
    return Case(stage, environ={name: text})


def overrides(given: Any, stage: str = "refused") -> Case:
    """A case of overrides."""
    return Case(stage, arguments={"overrides": given})


# A training file as public ACBO code has them, its 47 keys as TOML.
PUBLIC_FILE = """\
training_steps = 5000
num_steps = 5000
checkpoint_interval = 500
batch_size = 32
seed = 42
experiment_name = "scm20"
device = "gpu"
extends_from = "base"

[grpo_config]
group_size = 10
num_generations = 10
clip_ratio = 0.2
entropy_coeff = 0.01

[optimizer]
lr = 1e-3
weight_decay = 0.0
betas = [0.9, 0.999]

[eval]
eval_frequency = 3
n_episodes = 10

[reward_weights]
optimization = 1.0
discovery = 0.5
efficiency = 0.1

[policy]
hidden_dim = 256
num_layers = 4
num_heads = 8
key_size = 32
dropout = 0.1

[surrogate]
hidden_dim = 128
num_layers = 3
learning_rate = 1e-3
update_frequency = 50

[scm]
num_variables = 20
edge_probability = 0.3
noise_scale = 1.0
mechanism = "linear"

[curriculum]
enabled = true
stages = 5

[logging]
log_interval = 10
wandb_project = "acbo"
tags = ["a", "b"]

[early_stopping]
patience = 20
min_delta = 1e-4

[[sweep]]
group_size = 8

[[sweep]]
group_size = 16
"""

UNDECLARED = {
    "a public training file": file(PUBLIC_FILE),
    "a misspelt setting": file("total_step = 7"),
    "a misspelt section": file("[gpro]\ngroup_size = 64"),
    "a name of TRL": file("max_steps = 7"),
    "a name of Stable-Baselines3": file("ent_coef = 0.1"),
    "a table with a setting inside": file("[grpo_config]\ngroup_size = 10"),
    "a table with another's name inside": file("[optimizer]\nlr = 1e-3"),
    "a table that nobody knows": file("[policy]\nhidden_size = 128"),
    "an array of tables": file("[[sweep]]\nname = 'a'"),
    "a dotted key in quotes": file('"grpo.group_size" = 64'),
    "a field of a section inside metadata": file("[metadata]\nnote = 'a'\ngroup_size = 3", "advised"),
    "extends inside metadata": file("[metadata]\nextends = 'base.toml'", "advised"),
    "extends inside a section": file("[grpo]\nextends = 'base.toml'"),
    "a whole configuration in a table": file("[training]\ntotal_steps = 3\n[training.grpo]\ngroup_size = 16"),
    "a variable's name in the file": file("ACBO_GRPO__GROUP_SIZE = 64"),
    "the run in the file": file("run_dir = 'runs/17'"),
    "a secret in a table that nobody knows": file("[wandb]\napi_key = 's3cret'"),
    "a setting inside metadata": file("[metadata]\ntotal_steps = 9000"),
    "anything inside metadata": file("[metadata]\nseed = 3\nwhen = 2026-11-25\nwandb = {tags = ['a', 'b']}", "silent"),
    "a variable of a table that nobody knows": variable("ACBO_POLICY__HIDDEN_SIZE"),
    "a variable that nobody knows": variable("ACBO_SEED"),
    "a variable named as others do": variable("ACBO_MAX_STEPS"),
    "a table variable of metadata": variable("ACBO_METADATA", '{"seed": 3}', "silent"),
    "a variable of metadata": variable("ACBO_METADATA__POLICY__WIDTH", "128", "silent"),
    "extends as a variable": variable("ACBO_EXTENDS", "base.toml"),
    "an override that nobody knows": overrides({"policy": {"hidden_size": 3}}),
    "extends as an override": overrides({"extends": "base.toml"}),
    "metadata as an override": overrides({"metadata": {"seed": 3}}, "silent"),
    "YAML": file("# the run\ntotal_steps: 7000\ngrpo:\n  group_size: 64\n"),
    "YAML with a document mark": file("---\ntotal_steps: 7000\n"),
    "JSON": file('{"total_steps": 7000}\n'),
}

SUBMITTED = {"SLURM_SUBMIT_DIR": "submitted"}
NO_FILE = {
    "nothing near": Case("advised"),
    "one in the directory that SLURM submitted from": Case("advised", {"submitted/acbo.toml": ""}, SUBMITTED),
    "none is meant, by the argument": Case("silent", arguments={"path": os.devnull}),
    "none is meant, by the variable": Case("silent", environ={"ACBO_CONFIG_FILE": os.devnull}),
    "a directory that holds one, by the variable": Case("silent", {"e/acbo.toml": ""}, {"ACBO_CONFIG_FILE": "e"}),
    "a directory that holds one, by the argument": Case("silent", {"e/acbo.toml": ""}, arguments={"path": "e"}),
    "a directory that holds none": Case("refused", {"e/other.toml": ""}, {"ACBO_CONFIG_FILE": "e"}),
    "a second rank": Case("silent", environ={"SLURM_PROCID": "1"}),
}

BASE = "total_steps = 7000\n[grpo]\ngroup_size = 4\n"
EXTENDS = {
    "a mistake in the base": Case("refused", {"acbo.toml": 'extends = "lab/base.toml"\n', "lab/base.toml": BASE}),
    "a mistake two files below": Case(
        "refused",
        {"acbo.toml": 'extends = "b.toml"', "b.toml": '# lab\nextends = ["lab/c.toml"]', "lab/c.toml": BASE},
    ),
    "values of two files that break a rule": Case(
        "refused", {"acbo.toml": 'warmup_steps = 900\nextends = "b.toml"', "b.toml": "total_steps = 800"}
    ),
    "a key of the base that there is not": Case(
        "refused", {"acbo.toml": 'extends = "b.toml"', "b.toml": "[optimizer]\nlr = 1"}
    ),
    "a syntax error in the base": Case("refused", {"acbo.toml": 'extends = "b.toml"', "b.toml": "total_steps 5"}),
    "a missing base": file('# lab\nextends = ["lab/base.toml"]\n'),
    "a base that is a directory without a file": Case("refused", {"acbo.toml": 'extends = "lab"', "lab/x.toml": ""}),
    "a base with a tilde": file('extends = "~/base.toml"'),
    "an empty path": file('extends = ""'),
    "YAML as a base": Case("refused", {"acbo.toml": 'extends = "base.yaml"', "base.yaml": "total_steps: 7000\n"}),
    "no path": file("extends = 3"),
    "a list with something else": file('extends = ["a.toml", 3]'),
    "a file that extends itself": file('extends = "./acbo.toml"'),
    "a syntax error beside a missing base": file('extends = "nope.toml"\n[grpo\n'),
    "a syntax error beside a broken base": Case(
        "refused", {"acbo.toml": 'extends = "b.toml"\nx = {a=', "b.toml": "total_steps = -1"}
    ),
    "extends misspelt": file('extend = "base.toml"'),
    "extends as others call it": file('include = "base.toml"'),
    "very many missing bases": file(f"extends = {[f'{number}.toml' for number in range(60_000)]}"),
    "a cycle of three": Case(
        "refused",
        {"acbo.toml": 'extends = "b.toml"', "b.toml": 'extends = "c.toml"', "c.toml": 'extends = "acbo.toml"'},
    ),
    "one named twice": Case("refused", {"acbo.toml": 'extends = ["b.toml", "./b.toml"]', "b.toml": ""}),
    "an order that cannot be": Case(
        "refused", {"acbo.toml": 'extends = ["b.toml", "c.toml"]', "b.toml": 'extends = "c.toml"', "c.toml": ""}
    ),
    "too many files": Case(
        "refused",
        {"acbo.toml": 'extends = "1.toml"'} | {f"{n}.toml": f'extends = "{n + 1}.toml"' for n in range(1, 20)},
    ),
    "too much in all": Case(
        "refused",
        {
            "acbo.toml": 'extends = ["1.toml", "2.toml", "3.toml"]',
            **{f"{n}.toml": "#" * 400_000 for n in (1, 2, 3)},
        },
    ),
    "two bases of one base": Case(
        "silent",
        {
            "acbo.toml": 'extends = ["b.toml", "c.toml"]',
            "b.toml": 'extends = "d.toml"\ntotal_steps = 7000',
            "c.toml": 'extends = "d.toml"',
            "d.toml": "total_steps = 8000",
        },
    ),
}

ASSIGNMENTS = {
    "settings and notes": overrides(["grpo.group_size=128", "metadata.note=first", "total_steps=7000"], "silent"),
    "a table as JSON": overrides(['grpo={"group_size": 128}'], "silent"),
    "a value out of range": overrides(["grpo.group_size=4"]),
    "a value of another type": overrides(["--set grpo.group_size=many"]),
    "an unknown key": overrides(["grpo.group_sise=128", "policy.width=3", "lr=0.1"]),
    "no value": overrides(["grpo.group_size="]),
    "no assignment": overrides(["grpo.group_size"]),
    "an option with its value behind it": overrides(["--grpo.group_size", "128"]),
    "an option with hyphens": overrides(["--grpo.group-size=128"]),
    "an option that nobody knows": overrides(["--resume"]),
    "JSON that is none": overrides(["grpo={group_size: 128}"]),
    "one text": overrides("grpo.group_size=128"),
    "a list with something else": overrides(["grpo.group_size=128", 3]),
    "a list with nothing": overrides(["grpo.group_size=128", None]),
    "a dotted key": overrides({"grpo.group_size": 128, "metadata.note": "first"}, "silent"),
    "a dotted key beside a nested one": overrides({"grpo.group_size": 128, "grpo": {"group_size": 64}}),
    "a dotted key below a value": overrides({"grpo.group_size": 128, "grpo": 3}),
    "a dotted key that nobody knows": overrides({"grpo.group_sise": 128}),
}

RUN = {"ACBO_RUN_DIR": "runs/17"}
RUN_VARIABLES = {
    "a run": Case("silent", environ=RUN),
    "another directory than the argument": Case("refused", environ=RUN, arguments={"run_dir": "runs/18"}),
    "the directory of the argument, spelled otherwise": Case(
        "silent", environ=RUN, arguments={"run_dir": "./runs/17/"}
    ),
    "an empty name": Case("refused", environ={"ACBO_RUN_DIR": " "}),
    "two names": Case("refused", environ={**RUN, "acbo_run_dir": "runs/18"}),
    "a tilde": Case("refused", environ={"ACBO_RUN_DIR": "~/runs/17"}),
    "a variable that is not expanded": Case("refused", environ={"ACBO_RUN_DIR": "$HOME/runs"}),
    "the file instead of its directory": Case("refused", environ={"ACBO_RUN_DIR": "runs/1/acbo.frozen.toml"}),
    "no such way": Case("refused", environ={**RUN, "ACBO_ON_CHANGE": "kepp"}),
    "a way without a run": Case("advised", environ={"ACBO_ON_CHANGE": "keep", "ACBO_MAY_CHANGE": "total_steps"}),
    "names that may change": Case("silent", environ={**RUN, "ACBO_MAY_CHANGE": "total_steps, evaluation,metadata.pod"}),
    "a name that there is not": Case("refused", environ={**RUN, "ACBO_MAY_CHANGE": "total_step,x"}),
    "no name": Case("refused", environ={**RUN, "ACBO_MAY_CHANGE": ","}),
    "a misspelt variable": Case("refused", environ={"ACBO_RUNDIR": "runs/17", "ACBO_ON_CHANGES": "keep"}),
    "an argument wins": Case("silent", environ={**RUN, "ACBO_ON_CHANGE": "no"}, arguments={"on_change": "keep"}),
}

BATCH = {"SLURM_JOB_ID": "7", "SLURM_PROCID": "0"}
SERVICE = {
    "ACBO_API_SERVICE_HOST": "10.0.0.1",
    "ACBO_API_SERVICE_PORT": "80",
    "ACBO_API_SERVICE_PORT_HTTP": "80",
    "ACBO_API_PORT": "tcp://10.0.0.1:80",
    "ACBO_API_PORT_80_TCP": "tcp://10.0.0.1:80",
    "ACBO_API_PORT_80_TCP_PROTO": "tcp",
    "ACBO_API_PORT_80_TCP_PORT": "80",
    "ACBO_API_PORT_80_TCP_ADDR": "10.0.0.1",
}
JOB = {
    "two letters swapped": variable("ABCO_GRPO__GROUP_SIZE"),
    "a hyphen": variable("ACBO-TOTAL_STEPS"),
    "the underscore missing": variable("ACBOTOTAL_STEPS"),
    "a letter too many": variable("ACBOX_GRPO__GROUP_SIZE"),
    "a note behind a misspelt prefix": variable("ABCO_METADATA__NOTE"),
    "the file behind a misspelt prefix": variable("ACOB_CONFIG_FILE", "experiment.toml"),
    "another program's variable": variable("ABCO_HOME", stage="silent"),
    "a word that contains the prefix": variable("MYACBO_TOTAL_STEPS", stage="silent"),
    "srun passes nothing on": Case(
        "advised",
        environ={**BATCH, "SLURM_EXPORT_ENV": "NONE", "ACBO_LOG_FREQUENCY": "20", "ACBO_TOTAL_STEPS": "7"}
        | {"ACBO_WARMUP_STEPS": "1", "ACBO_EVALUATION": '{"eval_frequency": 1, "checkpoint_frequency": 1}'}
        | {
            "ACBO_SURROGATE_UPDATE_FREQUENCY": "1",
            "ACBO_LOG_FREQUENCY": "1",
            "ACBO_EXPLORATION__ADAPTATION_STEPS": "2",
        },
    ),
    "srun passes on what is listed": Case(
        "silent", environ={**BATCH, "SLURM_EXPORT_ENV": "PATH,ACBO_LOG_FREQUENCY", "ACBO_LOG_FREQUENCY": "20"}
    ),
    "srun passes all on": Case("silent", environ={**BATCH, "SLURM_EXPORT_ENV": "ALL,X=1", "ACBO_LOG_FREQUENCY": "20"}),
    "in a step of the job": Case(
        "silent", environ={**BATCH, "SLURM_STEP_ID": "0", "SLURM_EXPORT_ENV": "NONE", "ACBO_LOG_FREQUENCY": "20"}
    ),
    "a Service named acbo-api": Case("silent", environ=SERVICE),
    "a Service with an IPv6 address": Case(
        "silent",
        environ={
            "ACBO_X_SERVICE_HOST": "fd00::1",
            "ACBO_X_SERVICE_PORT": "53",
            "ACBO_X_PORT": "udp://[fd00::1]:53",
            "ACBO_X_PORT_53_UDP_PROTO": "udp",
        },
    ),
    "a Service whose variables do not agree": Case(
        "refused", environ={**SERVICE, "ACBO_API_PORT": "tcp://10.0.0.2:80"}
    ),
    "a lone variable of such a Service": variable("ACBO_API_SERVICE_HOST", "10.0.0.1"),
    "a lone variable of a Service named acbo": variable("ACBO_SERVICE_HOST", "10.0.0.1", "silent"),
}

SECRETS = {
    "in the metadata of a file": file("[metadata]\nwandb_api_key = 's3cret'"),
    "in a table of the metadata": file("[metadata.wandb]\napi-key = 's3cret'\nproject = 'a'"),
    "in an array of tables": file("[[metadata.runs]]\nHF_TOKEN = 's3cret'"),
    "beside another mistake": file("metadata = {token = 's3cret', x = nan}"),
    "in a line that is no TOML": file("[metadata]\nmy_password = s3cret"),
    "at the top level": file("openai_api_key = 's3cret'"),
    "in a section": file("[grpo]\nsecret = 's3cret'"),
    "in a variable": variable("ACBO_METADATA__WANDB_API_KEY", "s3cret"),
    "in an unknown variable": variable("ACBO_WANDB_API_KEY", "s3cret"),
    "in a table variable": variable("ACBO_METADATA", '{"wandb": {"api_key": "s3cret"}}'),
    "in a table variable that is no JSON": variable("ACBO_METADATA", '{"credentials": "s3cret"'),
    "in an override": overrides({"metadata": {"private_key": "s3cret"}}),
    "in an assignment": overrides(["metadata.wandb.api_key=s3cret", "wandb_api_key=s3cret"]),
    "in a variable, as a number": variable("ACBO_METADATA__PASSWORD", "5341"),
    "in an assignment, as a number": overrides(["--set metadata.password=5341", "grpo.token=5341"]),
    "in a text that is no assignment": overrides(["--metadata.api_key=s3cret", "--metadata.api_key", "s3cret"]),
    "in a table variable that is no table": variable("ACBO_METADATA", '[{"api_key": "s3cret"}]'),
    "in a variable with a misspelt prefix": variable("ABCO_METADATA__API_KEY", "s3cret"),
    "in a table variable that nobody knows": variable("ACBO_WANDB", '{"api_key": "s3cret"}'),
    "in two variables": Case(
        "refused", environ={"ACBO_METADATA__API_KEY": "s3cret", "acbo_metadata__api_key": "s3cret"}
    ),
    "below a text": Case("refused", environ={"ACBO_METADATA__WANDB": "x", "ACBO_METADATA__WANDB__API_KEY": "s3cret"}),
    "that is no UTF-8": variable("ACBO_METADATA__API_KEY", "s3cret\udcff"),
    "under a key with escapes": file('[metadata]\n"api\\u005fkey" = "s3cret"'),
    "without an equals sign": file("[metadata]\napi_key s3cret"),
    "on several lines that never end": file('[metadata]\napi_key = """\ns3cret'),
    "in an array that never ends": file("[metadata]\napi_key = [\n  s3cret"),
    "under a dotted key in quotes": file("[metadata]\n'wandb.api_key' = 's3cret'"),
    "under a dotted key": overrides({"metadata": {"wandb.api_key": "s3cret"}}),
    "a number is none": file("[metadata]\nmax_token = 512\nhas_secret = true\ntokens = 'a'", "silent"),
}

TABLES = {
    "undeclared": UNDECLARED,
    "extends": EXTENDS,
    "assignments": ASSIGNMENTS,
    "run-variables": RUN_VARIABLES,
    "job": JOB,
    "secrets": SECRETS,
}


def report_of(cases: Mapping[str, Case], directory: Path, with_file: bool = True) -> str:
    """What all cases of a table are told, each in a directory of its own."""
    parts = []
    for number, (name, case) in enumerate(cases.items()):
        place = directory / str(number)
        place.mkdir()
        os.chdir(place)
        if with_file:
            Path("acbo.toml").touch()
        stage, text = case.told()
        assert stage == case.stage, f"{name}: {text}"
        parts.append(f"### {name}: {stage}\n{text.replace(str(place), '/working/directory')}".rstrip())
    os.chdir(directory)
    return "\n\n".join(parts)


@pytest.mark.parametrize("table", TABLES)
def test_each_case_is_told_in_its_stage(table: str, tmp_path: Path, assert_report: AssertReport) -> None:
    """Each case of a table is refused, advised or silent as it should be, with the whole text as written down."""
    report = report_of(TABLES[table], tmp_path)
    assert "s3cret" not in report
    assert_report(f"silence-{table}", report)


@pytest.mark.usefixtures("no_file")
def test_each_case_without_a_file_is_told_in_its_stage(tmp_path: Path, assert_report: AssertReport) -> None:
    """The same where the working directory holds no file."""
    assert_report("silence-no-file", report_of(NO_FILE, tmp_path, with_file=False))


@pytest.mark.parametrize("name", SECRETS)
def test_no_exception_holds_a_secret(name: str) -> None:
    """Nor does its `repr`, which loggers print, hold one, also where it comes from another process."""
    case = SECRETS[name]
    for path, text in case.files.items():
        write(path, text)
    if case.stage == "refused":
        with pytest.raises(ConfigurationError) as caught:
            load_training_config(environ=case.environ, **case.arguments)
        again = pickle.loads(pickle.dumps(caught.value))
        assert not {secret for secret in ("s3cret", "5341") if secret in f"{caught.value!r} {again.problems}"}


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_shown(
    name: str, form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No report holds a value that was refused for being secret, for people or for machines."""
    case = SECRETS[name]
    for path, text in case.files.items():
        write(path, text)
    for variable_name, text in case.environ.items():
        monkeypatch.setenv(variable_name, text)
    given = case.arguments.get("overrides", [])
    texts = [f"--set={text}" for text in given] if isinstance(given, list) else []
    main(["check", "--format", form, *texts])
    output = "".join(capsys.readouterr())
    assert not {secret for secret in ("s3cret", "5341") if secret in output}


@pytest.mark.usefixtures("no_file")
@pytest.mark.parametrize("command", [["show"], ["plan"], ["explain", "total_steps"], ["freeze", "--run-dir", "run"]])
def test_commands_say_that_there_is_no_file(command: list[str]) -> None:
    """Each command that resolves says on stderr what a job is warned of, and nothing of the kind for /dev/null."""
    output = told(*command)
    assert output.startswith("--- exit code 0\n")
    assert "advice: acbo.toml: no such file in" in " ".join(output.partition("--- stderr")[2].split())
    assert "no such file" not in told(*command, ACBO_CONFIG_FILE=os.devnull)


@pytest.mark.usefixtures("no_file")
def test_a_file_beside_the_script_or_above_is_named(tmp_path: Path) -> None:
    """The file that was probably meant is told: beside the script, else in a parent directory."""
    write("scripts/train.py", "from acbo_settings import load_training_config\nload_training_config()\n")
    (tmp_path / "work/deep").mkdir(parents=True)
    command = [sys.executable, str(tmp_path / "scripts/train.py")]
    for place in ("acbo.toml", "scripts/acbo.toml"):
        write(place, "")
        ran = subprocess.run(command, cwd=tmp_path / "work/deep", env={}, capture_output=True, text=True, check=True)
        assert f"ACBO_CONFIG_FILE={tmp_path / place} takes that one" in ran.stderr
