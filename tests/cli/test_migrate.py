"""`migrate`: old names become new ones, to the character, and nothing else changes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from acbo_settings import load_training_config
from acbo_settings.cli.main import main

from ..command_line import run, told, write
from ..test_own_settings import Renamed

NAMED = ("--schema", "renamed:Renamed")
CLASS = """\
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from acbo_settings import TrainingConfig, Was


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    steps: Annotated[int, Was("table.every", since="2.0")] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed(TrainingConfig):
    removed = {"value_coeff": "GRPO has no value network", "old.table": "it is one now"}
    width: Annotated[int, Was("hidden_size", since="2.0"), Was("policy.hidden_size", since="2.1")] = 128
    rate: Annotated[float, Was("learning", since="2.0")] = 0.5
    table: Table = field(default_factory=Table)
"""


@pytest.fixture(autouse=True)
def renamed(isolated: Path) -> None:
    """The class in the working directory."""
    write("renamed.py", CLASS)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# a\nhidden_size = 64  # why\n", "# a\nwidth = 64  # why\n"),
        ("'hidden_size'=64", "'width'=64"),
        ('"hidden_size"\t= 64\r\n# b\r\n', '"width"\t= 64\r\n# b\r\n'),
        ("\ufeffhidden_size = 64\n", "\ufeffwidth = 64\n"),
        ("[table]\nevery = 3\n[metadata]\nevery = 4\n", "[table]\nsteps = 3\n[metadata]\nevery = 4\n"),
        ('table . "every" = 3\nlearning = 0.1', 'table . "steps" = 3\nrate = 0.1'),
        ("table = { every = 3 }  # every\n", "table = { steps = 3 }  # every\n"),
        ("learning = 0.1\nhidden_size = 1_0\n", "rate = 0.1\nwidth = 1_0\n"),
    ],
)
def test_only_the_key_changes(before: str, after: str) -> None:
    """Quotes, comments, order, line ends and byte-order mark stay; a second call has nothing to do."""
    Path("acbo.toml").write_bytes(before.encode())
    Path("acbo.toml").chmod(0o640)
    assert main(["migrate", "--check", *NAMED]) == 1
    assert Path("acbo.toml").read_bytes() == before.encode()
    assert main(["migrate", *NAMED]) == 0
    assert Path("acbo.toml").read_bytes() == after.encode()
    assert stat.S_IMODE(Path("acbo.toml").stat().st_mode) == 0o640
    assert main(["migrate", "--check", *NAMED]) == 0
    assert [name for name in os.listdir() if name.endswith(".tmp")] == []


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("[policy]\nhidden_size = 64\n", 2, "move policy.hidden_size by hand: it is width now"),
        ("width = 1\nhidden_size = 2\n", 2, "hidden_size is called width now, and is given twice: delete one of them"),
        ("policy.hidden_size = 1\nwidth = 2\n", 1, "policy.hidden_size is called width now, and is given twice"),
        ("table = { every = 3, steps = 4 }\n", 1, "table.every is called table.steps now, and is given twice"),
        ('"hidden\\u005fsize" = 2\n', 1, "rename hidden_size by hand: it is width now, and is no plain key here"),
        ("# a\nvalue_coeff = 2\n", 2, "value_coeff was removed: GRPO has no value network"),
        ("[old.table]\nvalue = 2\n", 1, "old.table was removed: it is one now"),
    ],
)
def test_what_needs_a_hand_is_told_with_its_line(text: str, line: int, expected: str) -> None:
    """The file stays as it is, and the exit code says that something is left to do."""
    write("acbo.toml", text)
    ran = told("migrate", *NAMED).split("\n")
    assert ran[0] == "--- exit code 1"
    assert " ".join(part.strip() for part in ran[2:]).startswith(f"acbo.toml:{line}: {expected}")
    assert Path("acbo.toml").read_text() == text


def test_of_two_old_names_one_is_left() -> None:
    """Both are one setting now, so that only the first is rewritten."""
    write("acbo.toml", "hidden_size = 1\n[policy]\nhidden_size = 2\n")
    assert run("migrate", *NAMED).returncode == 1
    assert Path("acbo.toml").read_text() == "width = 1\n[policy]\nhidden_size = 2\n"


def test_what_a_link_leads_to_is_rewritten() -> None:
    """The link stays one."""
    write("base.toml", "hidden_size = 64\n")
    write("folder/other.txt", "")
    Path("folder/acbo.toml").symlink_to("../base.toml")
    assert run("migrate", "folder", *NAMED).returncode == 0
    assert Path("folder/acbo.toml").is_symlink()
    assert Path("base.toml").read_text() == "width = 64\n"


def test_several_files_and_variables() -> None:
    """Each file is rewritten, a broken one is told, and old variables are printed as the lines that replace them."""
    write("a/acbo.toml", "hidden_size = 64\n")
    write("b.toml", "hidden_size 64\n")
    ran = run("migrate", "a", "b.toml", *NAMED, ACBO_HIDDEN_SIZE="3 4", ACBO_TOTAL_STEPS="7")
    assert (ran.returncode, ran.stdout) == (1, b"unset ACBO_HIDDEN_SIZE; export ACBO_WIDTH='3 4'\n")
    assert Path("a/acbo.toml").read_text() == "width = 64\n"
    assert b"b.toml:1:13" in ran.stderr


def test_a_file_of_the_reference_has_nothing_to_do() -> None:
    """Without a class of one's own there are no old names yet."""
    write("acbo.toml", "total_steps = 7000\n")
    assert run("migrate").returncode == 0
    assert load_training_config(environ={}, schema=Renamed).total_steps == 7000


@pytest.mark.parametrize("name", ["run/acbo.frozen.toml", "copy.toml"])
def test_a_frozen_file_is_left_alone(name: str) -> None:
    """A run's file is read under its old names as it is, and would not be whole any more."""
    write("old.py", CLASS.replace("width: ", "hidden_size: ").replace('Was("hidden_size", since="2.0"), ', ""))
    assert run("freeze", "--run-dir", "run", "--schema", "old:Renamed", ACBO_HIDDEN_SIZE="3").returncode == 0
    content = Path("run/acbo.frozen.toml").read_bytes()
    Path(name).write_bytes(content)
    ran = run("migrate", name, *NAMED)
    assert (ran.returncode, Path(name).read_bytes()) == (0, content)
    assert b"left as it is" in ran.stderr


def test_what_a_file_extends_is_told() -> None:
    """It may be extended by others, so that it is not rewritten unasked."""
    write("acbo.toml", 'extends = "base.toml"\nlearning = 0.1\n')
    write("base.toml", "hidden_size = 64\n")
    ran = run("migrate", *NAMED)
    assert ran.returncode == 1
    assert "acbo.toml: extends base.toml, which has work too: acbo-settings migrate base.toml" in " ".join(
        ran.stderr.decode().split()
    )
    assert Path("base.toml").read_text() == "hidden_size = 64\n"
    assert run("migrate", "base.toml", "acbo.toml", *NAMED).returncode == 0
    assert run("migrate", "--check", "base.toml", "acbo.toml", *NAMED).returncode == 0


@pytest.mark.parametrize(
    ("variables", "out", "told_too"),
    [
        ({"ACBO_HIDDEN_SIZE": "1", "ACBO_WIDTH": "2"}, "", "ACBO_WIDTH is set too: unset one of them by hand"),
        ({"ACBO_HIDDEN_SIZE": "\udcff"}, "", "ACBO_HIDDEN_SIZE is called ACBO_WIDTH now: set it by hand"),
        ({"ACBO_VALUE_COEFF": "1"}, "", "ACBO_VALUE_COEFF was removed: GRPO has no value network"),
        ({"ACBO_POLICY": '{"hidden_size": 1}'}, "", "ACBO_POLICY holds policy.hidden_size, which is width now: change"),
        ({"ACBO_MAY_CHANGE": "learning, total_steps"}, "export ACBO_MAY_CHANGE=rate,total_steps\n", ""),
        ({"ACBO_WIDTH": "1", "ACBO_MAY_CHANGE": "width", "ACBO_TABLE": "{}"}, "", "nothing to do"),
    ],
)
def test_variables_of_every_kind(variables: dict[str, str], out: str, told_too: str) -> None:
    """What a line can set anew is printed, what cannot is told, and under --check both are something to do."""
    write("acbo.toml", "")
    ran = run("migrate", *NAMED, **variables)
    assert ran.stdout.decode() == out
    assert told_too in " ".join(ran.stderr.decode("utf-8", "backslashreplace").split())
    has_work = told_too != "nothing to do"
    assert ran.returncode == int(has_work and not out)
    assert run("migrate", "--check", *NAMED, **variables).returncode == int(has_work)


@pytest.mark.parametrize(
    "text",
    ["[[hidden_size]]\na = 1\n[[hidden_size]]\na = 2\n", 'table."every\\u0020" = 1\ntable . "e\\u0076ery" = 3\n'],
)
def test_a_key_that_is_written_otherwise_is_left(text: str) -> None:
    """A header of an array, and a key with escapes, are a hand's work."""
    write("acbo.toml", text)
    assert run("migrate", *NAMED).returncode == 1
    assert Path("acbo.toml").read_text() == text
