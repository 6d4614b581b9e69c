"""The mistakes of the first hour: each message names the place, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from acbo_settings import load_training_config

from .command_line import run, write


class Mistake(NamedTuple):
    """What somebody does, and the words of the answer that name the place and the fix."""

    made: Callable[[], str]
    place: str
    fix: str


def told(command: str, **environ: str) -> Callable[[], str]:
    """What a command says."""
    return lambda: run(*command.split(), **environ, COLUMNS="200").stderr.decode()


def checked(text: str, name: str = "acbo.toml") -> Callable[[], str]:
    """What `check` says of a file."""

    def made() -> str:
        write(name, text)
        return told(f"check {name}")()

    return made


def raised(program: Callable[[], Any]) -> Callable[[], str]:
    """What a job's traceback ends with."""

    def made() -> str:
        with pytest.raises(Exception) as caught:  # noqa: PT011  # of which kind it is, the message tells
            program()
        return f"{type(caught.value).__name__}: {caught.value}"

    return made


def assigned() -> None:
    """Change a setting of a configuration that is loaded."""
    load_training_config(environ={}).grpo.group_size = 32  # type: ignore[misc]


def elsewhere() -> None:
    """Load the directory that holds the directories of the experiments."""
    write("experiments/scm20/acbo.toml", "")
    load_training_config("experiments", environ={})


def submitted(command: str) -> Callable[[], str]:
    """What a command says where a batch script is."""

    def made() -> str:
        write("job.sbatch", "#!/bin/bash\nsrun python train.py\n")
        return told(command)()

    return made


MISTAKES = {
    "a file's name with a slip": Mistake(told("check acbo.tml"), "acbo.tml: no such file", "did you mean acbo.toml?"),
    "a number in quotes": Mistake(
        checked('[grpo]\ngroup_size = "64"\n'), "acbo.toml:2", "did you mean 64, without quotes?"
    ),
    "a section in capitals": Mistake(checked("[GRPO]\ngroup_size = 64\n"), "acbo.toml:1", "did you mean grpo?"),
    "a variable without its section": Mistake(
        told("check", ACBO_GROUP_SIZE="128"), "ACBO_GROUP_SIZE", "did you mean ACBO_GRPO__GROUP_SIZE?"
    ),
    "a variable with one underscore": Mistake(
        told("check", ACBO_GRPO_GROUP_SIZE="128"), "ACBO_GRPO_GROUP_SIZE", "did you mean ACBO_GRPO__GROUP_SIZE?"
    ),
    "a setting outside of its section": Mistake(
        checked("learning_rate = 3e-4\n"), "acbo.toml:1", "did you mean grpo.learning_rate?"
    ),
    "True as in Python": Mistake(
        checked("save_trajectory_data = True\n"), "acbo.toml:1:24", "true and false are lower-case"
    ),
    "YAML": Mistake(
        checked("grpo:\n  group_size: 64\n", "acbo.yaml"), "acbo.yaml: is YAML", "a setting is written key = value"
    ),
    "a run as a path": Mistake(told("freeze runs/18"), "freeze takes no PATH", "did you mean --run-dir runs/18?"),
    "a setting as an option": Mistake(
        told("show --grpo.group_size 128"), "no option --grpo.group_size", "did you mean --set grpo.group_size=128?"
    ),
    "a setting as a path": Mistake(
        told("check grpo.group_size=128"), "grpo.group_size=128", "did you mean --set grpo.group_size=128?"
    ),
    "a setting where a path is wanted": Mistake(
        told("show grpo.group_size"),
        "grpo.group_size: no such file",
        "did you mean acbo-settings explain grpo.group_size?",
    ),
    "a section where a path is wanted": Mistake(
        told("plan grpo"), "grpo: no such file", "did you mean acbo-settings explain grpo?"
    ),
    "commas between thousands": Mistake(checked("total_steps = 20,000\n"), "acbo.toml:1:17", "write 20000 or 20_000"),
    "no digit in front of the point": Mistake(
        checked("[grpo]\nlearning_rate = .001\n"), "acbo.toml:2:17", "did you mean 0.001?"
    ),
    "a section twice": Mistake(
        checked("[grpo]\ngroup_size = 64\n\n[grpo]\nkl_penalty_coeff = 0.1\n"),
        "acbo.toml:4",
        "line 1 has it already: put both together",
    ),
    "a section's variable without JSON": Mistake(
        told("check", ACBO_GRPO="group_size=32"), "ACBO_GRPO=group_size=32", """such as '{"group_size": 64}'"""
    ),
    "the program of the job": Mistake(
        checked("import os\n\nx = 1\n", "job.py"), "job.py: is Python", "and must be TOML"
    ),
    "a batch script that is compared": Mistake(
        submitted("diff acbo.toml job.sbatch"), "job.sbatch is a batch script", "show and plan take the files of jobs"
    ),
    "a batch script with a slip": Mistake(
        submitted("check jb.sbatch -- --array=0-3"), "jb.sbatch: no such file", "did you mean job.sbatch?"
    ),
    "a job's arguments as options": Mistake(
        raised(lambda: load_training_config(overrides=["--grpo.group_size", "128"], environ={})),
        "--grpo.group_size",
        "did you mean grpo.group_size=128?",
    ),
    "a table in the place of the path": Mistake(
        raised(lambda: load_training_config({"grpo": {"group_size": 8}}, environ={})),  # type: ignore[arg-type]
        "path must be",
        "settings go into overrides",
    ),
    "an assignment": Mistake(raised(assigned), "field 'group_size'", "give another value in the file"),
    "a directory above those of the experiments": Mistake(
        raised(elsewhere), "experiments/acbo.toml: no such file", "did you mean experiments/scm20/acbo.toml?"
    ),
    "a file where a setting is asked for": Mistake(
        told("explain acbo.toml"), "no such setting: acbo.toml", "did you mean --in acbo.toml?"
    ),
    "one side": Mistake(told("diff acbo.toml"), "acbo.toml is compared with", "acbo-settings diff defaults acbo.toml"),
    "a command with a slip": Mistake(told("chek acbo.toml"), "no command chek", "did you mean check?"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_message_names_the_place_and_the_fix(name: str) -> None:
    """Nobody has to look anything up."""
    message = " ".join(MISTAKES[name].made().split())
    assert MISTAKES[name].place in message
    assert MISTAKES[name].fix in message


def test_the_messages(assert_report: Callable[[str, str], None]) -> None:
    """All of them, one below the other."""
    shown = []
    for name, mistake in MISTAKES.items():
        write("acbo.toml", "")
        shown.append(f"### {name}\n{mistake.made().rstrip()}")
    assert_report("first-mistakes", "\n\n".join(shown))
