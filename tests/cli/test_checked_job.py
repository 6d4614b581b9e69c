"""Files of jobs on the command line: `check`, `show`, `plan` and `explain` of a batch script and of a manifest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..command_line import run, run_anew, told, write

AssertReport = Callable[[str, str], None]

SCRIPT = """\
#!/bin/bash
#SBATCH --ntasks=1

export ACBO_GRPO__GROUP_SIZE=$SIZE
srun python train.py
ACBO_LOG_FREQUENCY=20 srun python train.py --resume
"""
MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: scm20}
spec:
  containers:
    - name: train
      env: [{name: ACBO_CONFIG_FILE, value: /dev/null}, {name: ACBO_GRPO__GROUP_SIZE, value: "128"}]
    - name: evaluate
      env: [{name: ACBO_CONFIG_FILE, value: /dev/null}, {name: ACBO_GRPO__GROUP_SIZE, value: "4"}]
"""


@pytest.fixture(autouse=True)
def files() -> None:
    """A script with two steps that differ, and a manifest with two containers, of which one is wrong."""
    write("acbo.toml", "total_steps = 20000\n")
    write("job.sbatch", SCRIPT)
    write("job.yaml", MANIFEST)


@pytest.mark.parametrize("command", ["show --changed", "plan", "explain --in"])
def test_the_parts_of_a_job_are_told_apart(command: str, assert_report: AssertReport) -> None:
    """Where steps differ, each is shown below its line; what only the job knows is said to be so."""
    words = [*command.split(), "job.sbatch", *(["grpo.group_size", "log_frequency"] if "--in" in command else [])]
    assert_report(f"job-{words[0]}", told(*words))


def test_parts_that_do_not_differ_are_shown_once() -> None:
    """A script with two equal steps is shown as a file is."""
    write("job.sbatch", "#!/bin/bash\nexport ACBO_LOG_FREQUENCY=50\nsrun python a.py\nsrun python b.py\n")
    shown = run("show", "--changed", "job.sbatch").stdout.decode().splitlines()
    assert shown == [
        "total_steps = 20000  # from acbo.toml:1, over the default 5000",
        "log_frequency = 50   # from job.sbatch:2, over the default 10",
    ]


def test_show_for_machines_leaves_out_what_only_the_job_knows() -> None:
    """JSON has an object for each part, and one shell cannot have the environment of two steps."""
    shown = run("show", "--changed", "--format", "json", "job.sbatch")
    first, second = json.loads(shown.stdout)
    assert first == {"part": "job.sbatch, line 5: srun python train.py", "settings": {"total_steps": 20000}}
    assert second["settings"] == {"total_steps": 20000, "log_frequency": 20}
    assert b"grpo.group_size is known only in the job" in shown.stderr
    variables = run("show", "--format", "env", "job.sbatch")
    assert (variables.returncode, variables.stdout) == (1, b"")
    assert b"one shell cannot have them all" in b" ".join(variables.stderr.split())


def test_the_command_line_of_sbatch_stands_behind_two_dashes() -> None:
    """It wins over the directives, and each command takes it."""
    write("job.sbatch", "#!/bin/bash\n#SBATCH --export=ALL,ACBO_LOG_FREQUENCY=0\nsrun python train.py\n")
    assert run("check", "job.sbatch").returncode == 1
    assert run("check", "job.sbatch", "--", "--export=ALL,ACBO_LOG_FREQUENCY=50").stdout == b"ok\n"
    shown = run("explain", "--in", "job.sbatch", "log_frequency", "--", "--export", "ALL,ACBO_LOG_FREQUENCY=50")
    assert b"value     50, from the command line of sbatch" in shown.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["check", "acbo.toml", "--", "--export=ALL"], "this is no batch script"),
        (["check", "--", "--export=ALL"], "this is no batch script"),
        (["show", "job.sbatch", "--", "job.sbatch"], "job.sbatch is no option of sbatch"),
        (["plan", "job.sbatch", "--", "--export"], "the option --export has no value"),
        (["explain", "--in", "job.yaml", "log_frequency", "--", "--export=ALL"], "this is no batch script"),
    ],
)
def test_what_sbatch_would_not_take_is_wrong_usage(words: list[str], sentence: str) -> None:
    """Options of sbatch without a script, and words that are none, exit with 2 and one sentence."""
    ran = run(*words)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert sentence in " ".join(ran.stderr.decode().split())


def test_the_shell_takes_part_when_it_is_passed_on() -> None:
    """Variables of the shell reach a step under ALL, the default, and not under a list or with `--no-env`."""
    write("job.sbatch", "#!/bin/bash\nsrun python train.py\n")
    broken = {"ACBO_LOG_FREQUENCY": "0"}
    assert run("check", "job.sbatch", **broken).returncode == 1
    assert run("check", "job.sbatch", "--", "--export=PATH", **broken).returncode == 0
    assert run("check", "--no-env", "job.sbatch", **broken).returncode == 0
    assert run("check", "job.sbatch", SBATCH_EXPORT="ALL,ACBO_LOG_FREQUENCY=0").returncode == 1


def test_settings_of_the_command_line_win_in_each_part() -> None:
    """`--set` lies over what a job gives."""
    assert run("check", "job.yaml").returncode == 1
    assert run("check", "job.yaml", "--set", "grpo.group_size=32").returncode == 0


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_check_of_files_of_every_kind(form: str, assert_report: AssertReport) -> None:
    """A script, a manifest and TOML in one call, each told by its content, and what is wrong with its place."""
    write("bad.sbatch", SCRIPT.replace("$SIZE", "4"))
    assert_report(f"check-jobs-{form}", told("check", "--format", form, "bad.sbatch", "job.yaml", "acbo.toml"))


def test_hooks_leave_aside_what_is_no_file_of_a_job() -> None:
    """With `--ignore-unknown` any other YAML is passed over, and without it is refused as a configuration."""
    write("values.yaml", "group_size: 4\n")
    assert run("check", "values.yaml").returncode == 1
    passed = run("check", "--ignore-unknown", "values.yaml")
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, b"", b"")
    both = run("check", "--ignore-unknown", "values.yaml", "job.yaml")
    assert both.returncode == 1


def test_a_job_file_that_is_not_there_is_refused_as_any_file() -> None:
    """A name that leads nowhere is no reason for a traceback."""
    ran = run("check", "missing.sbatch")
    assert ran.returncode == 1
    assert b"missing.sbatch: no such file" in ran.stderr


def test_a_script_may_have_comments_in_any_encoding() -> None:
    """What is no UTF-8 hides no mistake beside it."""
    Path("job.sbatch").write_bytes(b"#!/bin/bash\n# Pr\xfcfung\nexport ACBO_GRPO__GROUP_SIZE=4\nsrun python train.py\n")
    ran = run("check", "job.sbatch")
    assert (ran.returncode, b"job.sbatch:3" in ran.stderr) == (1, True)


@pytest.mark.parametrize(("name", "kind"), [("job.sbatch", "a batch script"), ("job.yaml", "a manifest")])
def test_without_the_extra_it_is_said_how_to_get_it(name: str, kind: str) -> None:
    """What reads a job file may be missing: then one sentence tells the way out, and other files are checked."""
    blocked = "import sys; sys.modules.update(dict.fromkeys(['tree_sitter', 'tree_sitter_bash', 'yaml']))"
    program = f"{blocked}; from acbo_settings.cli.main import main; sys.exit(main(['check', {name!r}, 'acbo.toml']))"
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, env={"PATH": os.defpath}, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert f"is {kind}, and what reads it is not installed; pip install 'acbo-settings[jobs]' brings it" in " ".join(
        ran.stderr.split()
    )
    assert "acbo.toml: ok" in ran.stdout


def seconds_of(*arguments: str) -> float:
    """The processor time of a command, in seconds."""
    before = os.times()
    assert run_anew(*arguments).returncode == 0  # whose time is that of a child
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


@pytest.mark.heavy
def test_a_long_script_is_checked_at_once() -> None:
    """A script of 2,000 lines takes less than half a second beyond the start of the program."""
    lines = (f"export ACBO_METADATA__N{n}={n}\nif a; then\n  echo {n}\nfi\n" for n in range(500))
    write("long.sbatch", f"#!/bin/bash\n{''.join(lines)}srun python train.py\n")
    write("short.sbatch", "#!/bin/bash\nsrun python train.py\n")
    beyond = min(seconds_of("check", "long.sbatch") for _ in range(3))
    assert beyond - min(seconds_of("check", "short.sbatch") for _ in range(3)) < 0.5


@pytest.mark.heavy
def test_a_thousand_job_files_are_checked_in_one_call() -> None:
    """Scripts and manifests of usual length, 500 of each, take less than 20 seconds."""
    scripts, manifests = Path(__file__).parent.parent / "jobs/scripts", Path(__file__).parent.parent / "jobs/manifests"
    script = (scripts / "clean-torchrun-on-several-nodes.sbatch").read_text(encoding="utf-8")
    manifest = (manifests / "clean-pytorchjob-elastic.yaml").read_text(encoding="utf-8")
    names = [f"many/{number}.{ending}" for number in range(500) for ending in ("sbatch", "yaml")]
    for name in names:
        write(name, script if name.endswith("sbatch") else manifest)
    assert seconds_of("check", *names) < 20


CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: scm20}
data:
  ACBO_LOG_FREQUENCY: "0"
"""
USER = """\
apiVersion: v1
kind: Pod
metadata: {name: scm20}
spec:
  containers:
    - name: train
      env: [{name: ACBO_CONFIG_FILE, value: /dev/null}]
      envFrom: [{configMapRef: {name: scm20}}]
"""


def test_a_mistake_belongs_to_the_file_that_it_stands_in() -> None:
    """What a container gets from a ConfigMap of another file is told with that file."""
    write("map.yaml", CONFIG_MAP)
    write("pod.yaml", USER)
    for names in (["pod.yaml", "map.yaml"], ["map.yaml", "pod.yaml"]):
        checked = json.loads(run("check", "--format", "json", *names).stdout)
        assert {each["file"]: each["valid"] for each in checked} == {"pod.yaml": True, "map.yaml": False}
        assert [len(each["problems"]) for each in checked if each["file"] == "map.yaml"] == [1]


def test_the_variables_of_a_config_map_alone_are_judged() -> None:
    """A hook gives changed files only: what nobody in them reads is judged by itself."""
    write("map.yaml", CONFIG_MAP + '  ACBO_TOTAL_STEPS: "50"\n  ACBO_GRPO_GROUP_SIZE: "64"\n')
    report = run("check", "map.yaml").stderr.decode()
    assert "map.yaml:5" in report
    assert "did you mean ACBO_GRPO__GROUP_SIZE?" in " ".join(report.split())
    assert "warmup" not in report


def test_lines_that_end_as_those_of_windows_keep_their_columns() -> None:
    """A manifest may have them, and the caret stands below the value."""
    Path("job.yaml").write_bytes(MANIFEST.replace("\n", "\r\n").encode())
    (problem,) = json.loads(run("check", "--format", "json", "job.yaml").stdout)[0]["problems"]
    assert (problem["sources"][0]["line"], problem["sources"][0]["column"]) == (9, 94)


def test_the_word_defaults_stands_for_neither_file_nor_variables() -> None:
    """Each command that takes a path takes it, under `--set` too; a file of that name is written with its directory."""
    write("defaults", "total_steps = 900\n")
    broken = {"ACBO_LOG_FREQUENCY": "0", "ACBO_RUN_DIR": "run"}
    assert told("show", "--changed", "defaults", **broken) == "--- exit code 0"
    assert "total_steps = 900" in told("show", "--changed", "./defaults")
    assert told("show", "--changed", "defaults", "--set", "log_frequency=5").endswith("over the default 10")
    assert run("plan", "defaults", **broken).stdout == run("plan", "defaults").stdout
    assert run("check", "defaults", **broken).stdout == b"ok\n"
    assert run("check", "defaults", "acbo.toml").stdout == b"defaults: ok\nacbo.toml: ok\n"
    assert b"value     10, the default" in run("explain", "--in", "defaults", "log_frequency", **broken).stdout
    assert run("show", "defaults", "--", "--export=ALL").returncode == 2


def test_defaults_that_a_class_does_not_have_are_told() -> None:
    """A setting that must be given has no default, which is an error, and in `diff` a difference."""
    write(
        "lab.py",
        "from dataclasses import dataclass\n"
        "from acbo_settings import TrainingConfig\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\n"
        "class Config(TrainingConfig):\n"
        "    seed: int\n",
    )
    ran = run("plan", "defaults", "--schema", "lab:Config")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"seed: must be given; write seed = ... in acbo.toml, set ACBO_SEED" in b" ".join(ran.stderr.split())
    assert run("plan", "defaults", "--schema", "lab:Config", "--set", "seed=1").returncode == 0
    write("acbo.toml", "seed = 1\n")
    assert b"seed          not given" in run("diff", "defaults", "acbo.toml", "--schema", "lab:Config").stdout
