"""Generated scripts in a real bash: what each program gets, against what was worked out."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.part import Part
from acbo_settings.jobs.slurm.batch_script import read_script

from ...strategies import SCHEMA

SETTINGS = ("ACBO_LOG_FREQUENCY", "ACBO_GRPO__GROUP_SIZE", "ACBO_METADATA__NOTE")
HELPERS = ("X", "Y", "NAME")
WORDS = (
    "7",
    "'a b'",
    '"a b"',
    "a\\ b",
    "''",
    '"$X"',
    "${X}",
    '"${Y:-64}"',
    "${Z:-'d e'}",
    "\"x${X}y$Y\"z'w'",
    "$'a\\tb\\x41\\''",
    '"\\$X \\"q\\" `echo 5`"',
    "${X:+set}",
    "${Z+set}",
    "{a,b}",
    "~root",
    "a=b",
    "$((1 + 2))",
    "$(echo 5)",
    "${#X}",
    "${X%a}",
    "*.none",
)


class Generator:
    """Scripts at random, the same ones for the same number."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def script(self) -> str:
        """A whole script."""
        return "\n".join(["#!/bin/bash", "X='a'", *self.statements(8, 0), "python last", ""])

    def statements(self, most: int, depth: int) -> list[str]:
        """A few statements."""
        return [self.statement(depth) for _ in range(self._random.randint(1, most))]

    def word(self) -> str:
        """A word, quoted in some way."""
        return self._random.choice(WORDS)

    def name(self) -> str:
        """A variable, more often one that counts."""
        return self._random.choice((*SETTINGS, *SETTINGS, *HELPERS))

    def statement(self, depth: int) -> str:
        """One statement, which may hold others."""
        name, word, other = self.name(), self.word(), self.name()
        block = "\n".join(self.statements(3, depth + 1)) if depth < 2 else "python deep"
        return self._random.choice(
            (
                f"export {name}={word}",
                f"{name}={word}",
                f"{name}+={word}",
                f"export {name}",
                f"export -n {name}",
                f"declare -x {name}={word} {other}={self.word()}",
                f"unset {name}",
                "python run",
                f"{name}={word} python run",
                f"env {name}={word} python run",
                f"env -u {name} python run",
                f"set {self._random.choice('-+')}a",
                f": ${{{name}:={self._random.randint(1, 9)}}}",
                f'if [ -n "${name}" ]; then\n{block}\nelse\nexport {other}={word}\nfi',
                f"[ 1 = {self._random.randint(1, 2)} ] && export {name}={word}",
                f"for {name} in 1 2; do\n{block}\ndone",
                f"case $X in a) {name}=1;; *) {name}=2;; esac",
                f"( {block} )",
                f"{{ {block}\n}}",
                f"f() {{\nlocal {other}={word}\n{block}\n}}\nf\npython after",
                f"export {name}={word} && python run",
                f"false || {name}={word}",
            )
        )


def really_given(script: str, place: Path) -> list[dict[str, str]]:
    """What each program of a script gets in bash."""
    (place / "record").unlink(missing_ok=True)
    environ = {"PATH": f"{place}:{os.defpath}", "HOME": "/home/researcher"}
    (place / "job.sh").write_text(script)
    subprocess.run(["bash", "job.sh"], cwd=place, env=environ, capture_output=True, timeout=20, check=False)
    calls = (place / "record").read_bytes().decode().split("\0\0")[:-1]
    pairs = [[pair.partition("=") for pair in call.split("\0")] for call in calls]
    return [{name: text for name, _, text in call if name.startswith("ACBO_")} for call in pairs]


def worked_out(part: Part) -> dict[str, str | None]:
    """What was worked out for a part; None is for what only the job knows."""
    ours = {name: text for name, text in part.environ.items() if name.startswith("ACBO_")}
    later = {name for name, origin in part.variables.items() if not origin.is_known}
    return {name: None if name in later else text for name, text in ours.items()}


def fits(given: Mapping[str, str], expected: Mapping[str, str | None]) -> bool:
    """Whether a program got what was worked out."""
    known = {name: text for name, text in expected.items() if text is not None}
    return {**given, **known} == given and set(given) <= set(expected)


def find_mismatch(script: str, place: Path) -> str | None:
    """What a program got that was not worked out, if there is such a thing."""
    environ = {"PATH": os.defpath, "HOME": "/home/researcher"}
    job = read_script(SCHEMA, Document("job.sh", script), (), environ)
    parts: Sequence[Mapping[str, str | None]] = [worked_out(part) for part in job.parts if not part.alone]
    for given in really_given(script, place):
        if not any(fits(given, part) for part in parts):
            return f"{script}\n--- a program got {given}, and worked out was one of {parts}"
    return None


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with a program that notes its environment."""
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\n/bin/cat /proc/$$/environ >> record\nprintf "\\0" >> record\n')
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("first", range(0, 120, 30))
def test_programs_get_what_was_worked_out(first: int, place: Path) -> None:
    """Each program of a generated script gets the variables of one of the parts, as far as these are known."""
    found = (find_mismatch(Generator(seed).script(), place) for seed in range(first, first + 30))
    assert next(filter(None, found), None) is None


@pytest.mark.heavy
@pytest.mark.parametrize("first", range(1000, 2500, 500))
def test_many_programs_get_what_was_worked_out(first: int, place: Path) -> None:
    """The same for many more scripts."""
    found = (find_mismatch(Generator(seed).script(), place) for seed in range(first, first + 500))
    assert next(filter(None, found), None) is None
