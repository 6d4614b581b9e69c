from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ..command_line import run, told, write

AssertReport = Callable[[str, str], None]


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_plan_is_drawn(width: int, assert_report: AssertReport) -> None:
    """Title, totals, schedules, both plots with their signs, and what never happens, in terminals of each width."""
    write("acbo.toml", "total_steps = 900\nwarmup_steps = 20\n[metadata]\nexperiment = 'scm20'\n")
    assert_report(f"plan-{width}", told("plan", COLUMNS=str(width)))


def test_what_never_happens_is_told_once(assert_report: AssertReport) -> None:
    """What the advice has said is not said again; what follows from the settings that somebody gave is."""
    write("acbo.toml", "total_steps = 900\n[evaluation]\nearly_stopping_enabled = true\n[grpo]\nnum_iterations = 1\n")
    assert_report("plan", told("plan"))


def never(*arguments: str, **environ: str) -> list[str]:
    """The sentences that `plan` lists."""
    out = run("plan", *arguments, COLUMNS="200", **environ).stdout.decode()
    return out.partition("Never in this run:\n")[2].splitlines()


UNSAVED = "- No checkpoint saves steps 4,501 to 4,999: the last one is at step 4,500."


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        (
            "grpo.num_iterations=1",
            "- Clip ratio has no effect with num_iterations = 1, where the probability ratio stays 1.",
        ),
        ("rewards.reward_scaling=none", '- Reward clip value has no effect under reward_scaling = "none".'),
    ],
)
def test_settings_without_effect_are_told_to_who_had_a_hand_in_it(setting: str, sentence: str) -> None:
    """Once somebody sets one of two settings the other's fate is told, by the list or by the advice."""
    assert never() == [UNSAVED]
    assert never("--set", setting) == [UNSAVED, sentence]
    both = ["--set", setting, "--set", "grpo.clip_ratio=0.3", "--set", "rewards.reward_clip_value=5.0"]
    assert never(*both) == [UNSAVED]
    assert sentence[2:-1].encode() in b" ".join(run("plan", *both).stderr.split())


def test_defaults_of_a_class_are_nobodys_choice() -> None:
    """A class of one's own whose default leaves a setting without effect is told nothing of it."""
    write(
        "lab.py",
        "from dataclasses import dataclass, field\n"
        "from acbo_settings import GRPOTrainingConfig, TrainingConfig\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\n"
        "class Config(TrainingConfig):\n"
        "    grpo: GRPOTrainingConfig = field(default_factory=lambda: GRPOTrainingConfig(num_iterations=1))\n",
    )
    assert never("--schema", "lab:Config") == [UNSAVED]
    assert len(never("--schema", "lab:Config", "--set", "grpo.clip_ratio=0.2")) == 2


def test_advice_that_is_not_given_is_told_by_the_plan() -> None:
    """A rule does not run where only the job knows a setting; the plan says what holds with its default."""
    variables = "ACBO_LOG_FREQUENCY=$N ACBO_TOTAL_STEPS=9 ACBO_WARMUP_STEPS=0"
    write("job.sbatch", f"#!/bin/bash\nexport {variables}\nsrun python a.py\n")
    assert never("job.sbatch")[0] == "- Log frequency is above total steps (10 is above 9): only step 0 is due."


@pytest.mark.parametrize(
    ("text", "path", "title"),
    [
        ("[metadata]\nexperiment = 'scm20'\n", "acbo.toml", "scm20, fingerprint "),
        ("[metadata]\nexperiment = 20\n", "acbo.toml", "acbo.toml, fingerprint "),
        ("", "lab", "lab/acbo.toml, fingerprint "),
        ("", "defaults", "defaults, fingerprint "),
        ("", "job.sbatch", "acbo.toml, fingerprint known only in the job\n"),
    ],
)
def test_the_title_names_experiment_and_fingerprint(text: str, path: str, title: str) -> None:
    """The note in the metadata, else the file; no fingerprint where only the job will know it."""
    write("lab/acbo.toml", text)
    write("acbo.toml", text)
    write("job.sbatch", "#!/bin/bash\nexport ACBO_LOG_FREQUENCY=$N\nsrun python a.py\n")
    assert run("plan", path).stdout.decode().startswith(title)


@pytest.mark.usefixtures("no_file")
def test_without_a_name_the_title_is_the_fingerprint() -> None:
    """Where no file is read, there is none to name."""
    assert run("plan").stdout.startswith(b"fingerprint ")


@pytest.mark.parametrize("steps", ["1", "2", "9" * 300])
def test_any_length_of_run_is_drawn(steps: str) -> None:
    """Runs of one step, and of a number of 300 digits, are drawn as any other."""
    assert run("plan", ACBO_TOTAL_STEPS=steps, ACBO_WARMUP_STEPS="0").returncode == 0


def test_a_narrow_terminal_gets_all_of_it() -> None:
    """Even one that says that it has hardly any columns."""
    assert run("plan", COLUMNS="1").returncode == 0


def test_a_picture_without_matplotlib_is_a_clear_message() -> None:
    """Where the extra is missing, the plan is printed, and one sentence says how to get it."""
    Path("matplotlib").mkdir()
    Path("matplotlib/__init__.py").write_text("raise ImportError")
    ran = run("plan", "--picture", "plan.png", PYTHONPATH=".")
    assert ran.returncode == 1
    assert b"pip install 'acbo-settings[plot]'" in b" ".join(ran.stderr.split())
    assert b"5,000 training steps" in ran.stdout


@pytest.mark.parametrize("file", ["plan.jpg", "plan", ".png", "plan.png.txt"])
def test_a_picture_of_another_form_is_wrong_usage(file: str) -> None:
    """A suffix that is none of the three is told before anything is printed, and what there is."""
    ran = run("plan", "--picture", file)
    assert (ran.returncode, ran.stdout) == (2, b"")
    told = " ".join(ran.stderr.decode().split())
    assert f'argument --picture: "{file}" ends in none of .png, .svg and .pdf' in told


def test_parts_that_differ_have_no_picture_in_common() -> None:
    """A picture shows one plan."""
    write("job.sbatch", "#!/bin/bash\nsrun python a.py\nACBO_LOG_FREQUENCY=5 srun python a.py\n")
    ran = run("plan", "job.sbatch", "--picture", "plan.png")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"a picture shows one plan" in ran.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("option", "file", "start"),
    [
        ("--picture", "plan.png", b"\x89PNG"),
        ("--picture", "plan.SVG", b"<?xml"),
        ("--picture", "plan.pdf", b"%PDF"),
        ("--png", "plan.svg", b"\x89PNG"),
    ],
)
def test_a_picture_has_the_form_of_its_suffix(option: str, file: str, start: bytes) -> None:
    """`--png` takes any name, as it did when there was no other form."""
    assert run("plan", option, file).stderr.endswith(f"wrote {file}\n".encode())
    assert Path(file).read_bytes().startswith(start)


@pytest.mark.heavy
def test_a_picture_that_cannot_be_written_is_told() -> None:
    """A directory that does not exist is one sentence and exit code 1."""
    ran = run("plan", "--picture", "no/such/plan.png")
    assert ran.returncode == 1
    assert b"cannot write no/such/plan.png: No such file or directory" in b" ".join(ran.stderr.split())
