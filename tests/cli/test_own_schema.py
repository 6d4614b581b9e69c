"""Which class the command line takes, and what it says of one that cannot be used."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..command_line import ENVIRON, run, told, write

AssertReport = Callable[[str, str], None]

CLASS = """\
from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge

from acbo_settings import TrainingConfig, rule


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(TrainingConfig):
    \"\"\"One of our experiments.\"\"\"

    seed: Annotated[int, Ge(0)] = 0
    \"\"\"Seed of all random numbers.\"\"\"

    name: str | None = None
    \"\"\"What it is called.\"\"\"

    @rule("seed", "total_steps")
    def is_small(self) -> str | None:
        return "The seed is larger than the run is long" if self.seed > self.total_steps else None
"""
PROJECT = '[tool.acbo-settings]\nschema = "experiments.config:ExperimentConfig"\n'
NAMED = ("--schema", "experiments.config:ExperimentConfig")


@pytest.fixture
def project(isolated: Path) -> Path:
    """A working directory with a package that holds the class, and a file that sets one of its settings."""
    write("experiments/config.py", CLASS)
    write("experiments/__init__.py", "")
    write("acbo.toml", "seed = 7\n")
    return isolated


@pytest.mark.usefixtures("project")
def test_every_command_knows_the_settings_of_the_class(assert_report: AssertReport) -> None:
    """Named on the command line, or in the project's file, each command has them; without either, none does."""
    write("16.toml", "seed = 16\n")
    assert run("check").returncode == 1
    commands = [
        ["show", "--changed"],
        ["show", "--changed", "--format", "env"],
        ["check", "--set", "seed=6000"],
        ["check", "--set", "sed=1"],
        ["explain", "seed"],
        ["diff", "16.toml", "acbo.toml"],
        ["freeze", "--run-dir", "run"],
        ["show", "--changed", "run"],
    ]
    named = [told(*command, *NAMED) for command in commands]
    write("pyproject.toml", PROJECT)
    assert [told(*command) for command in commands[3:5]] == named[3:5]
    assert_report("own-schema-commands", "\n\n".join(named))
    assert "ACBO_SEED" in run("env").stdout.decode()
    assert '"title": "seed"' in run("schema").stdout.decode()
    assert run("init", "--json-schema", "new.toml").returncode == 0
    assert "# Seed of all random numbers.\n# int: ≥ 0\n# seed = 0\n" in Path("new.toml").read_text(encoding="utf-8")
    assert run("plan").returncode == 0


def test_the_nearest_project_file_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At or above the working directory, the first that has the table; never one beside a file that is checked."""
    write("pyproject.toml", PROJECT)
    write("a/pyproject.toml", "[project]\nname = 'acbo-settings'\n")
    write("a/b/acbo.toml", "seed = 3\n")
    monkeypatch.chdir("a/b")
    assert run("check").returncode == 0
    write("pyproject.toml", "[tool.acbo-settings]\n")
    assert run("check").returncode == 1
    write("c/pyproject.toml", PROJECT)
    write("c/acbo.toml", "seed = 3\n")
    assert run("check", "c/acbo.toml").returncode == 1


@pytest.mark.usefixtures("project")
def test_a_class_that_cannot_be_used_is_wrong_usage(assert_report: AssertReport) -> None:
    """Exit code 2, with who named it, and the error of the module in one sentence."""
    write("broken.py", "import no_such_module\n")
    write("syntax.py", "def\n")
    write("fields.py", CLASS.replace("name: str | None = None", "name: list[str] = ()"))
    write("rules.py", CLASS.replace('"seed", "total_steps"', '"sed"'))
    write("past.py", CLASS.replace("seed: ", 'removed = {"metadata.seed": "it is drawn"}\n\n    seed: '))
    write("script.py", "raise SystemExit(3)\n")
    write("bare.py", CLASS.replace("(frozen=True, slots=True, kw_only=True)", ""))
    write("wide.py", CLASS.replace("seed: Annotated[int, Ge(0)] = 0", "total_steps: int = 20000"))
    write("two.py", f"{CLASS}\n\nclass Other(ExperimentConfig):\n    pass\n")
    names = ["broken:X", "syntax:X", "experiments.config:X", "experiments.config:rule"]
    names += [
        "fields:ExperimentConfig",
        "rules:ExperimentConfig",
        "past:ExperimentConfig",
        "script:X",
        "bare:ExperimentConfig",
        "wide:ExperimentConfig",
        "experiments.config:Experiment",
        "experiments.config:ExperimentConfg",
        "two:X",
        "experiments",
        ":X",
        "",
    ]
    outputs = [told("check", "--schema", name) for name in names]
    write("pyproject.toml", "[tool.acbo-settings]\nschema = 3\n")
    outputs.append(told("check"))
    write("pyproject.toml", "[tool.acbo-settings]\nschema = ")
    outputs.append(told("check"))
    write("pyproject.toml", "[tool.acbo_settings]\nschema = 'experiments.config:ExperimentConfig'\n")
    outputs.append(told("check"))
    assert {output.split("\n")[0] for output in outputs} == {"--- exit code 2"}
    assert_report("own-schema-errors", "\n".join(outputs))
    missing = " ".join(told("check", "--schema", "no_such_module:X").split())
    assert f"No module named 'no_such_module'; looked in {Path.cwd()} and where Python finds its" in missing


@pytest.mark.usefixtures("project")
def test_explain_tells_what_became_of_a_name_that_is_no_more() -> None:
    """An old name leads to the setting; of a table that is no more, and of what was removed, it says what became."""
    old = CLASS.replace("import TrainingConfig", "import TrainingConfig, Was")
    old = old.replace("Ge(0)]", 'Ge(0), Was("a.b", "2")]')
    write("past.py", old.replace("    seed: ", '    removed = {"a.c": "it is drawn"}\n\n    seed: '))
    named = ("--schema", "past:ExperimentConfig")
    assert run("explain", "a.b", *named).stdout == run("explain", "seed", *named).stdout
    assert told("explain", "a.c", *named).endswith("no such setting: a.c; it was removed: it is drawn")
    table = "there is no such table any more;\n    explain tells what became of a.b, a.c"
    assert told("explain", "a", *named).endswith(f"no such setting: a; {table}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.acbo-settings]\nshema = 'experiments.config:ExperimentConfig'\n", "has no key shema, only schema"),
        ("[[tool.acbo-settings]]\n", "tool.acbo-settings must be a table"),
        ("[tool]\nacbo-settings = 'a:B'\n", "tool.acbo-settings must be a table"),
        (f"acbo-settings = {'[' * 100_000}", "cannot be read"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_project_file_that_is_wrong_is_told(text: str, expected: str) -> None:
    """It does not silently stand for the reference's class."""
    write("pyproject.toml", text)
    ran = run("check")
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert expected in " ".join(ran.stderr.decode().split())


@pytest.mark.usefixtures("project")
def test_what_a_module_prints_is_no_result() -> None:
    """It goes to stderr, so that the output of the command can be read by others."""
    write("loud.py", f"{CLASS}\n\nprint('hello')\n")
    shown = run("show", "--format", "json", "--schema", "loud:ExperimentConfig")
    assert json.loads(shown.stdout)["seed"] == 7
    assert b"hello" in shown.stderr


@pytest.mark.usefixtures("project")
def test_a_class_that_is_named_is_taken_anywhere(isolated: Path) -> None:
    """In a directory that is gone too, where no project file can be found."""
    write("gone/x", "")
    command = f"cd gone && rm -r ../gone && {sys.executable} -m acbo_settings check /dev/null --schema {NAMED[1]}x"
    ran = subprocess.run(
        command, shell=True, env={**ENVIRON, "PYTHONPATH": str(isolated)}, capture_output=True, check=False, timeout=60
    )
    assert ran.returncode == 2
    assert b"has no attribute 'ExperimentConfigx'" in b" ".join(ran.stderr.split())


@pytest.mark.usefixtures("project")
def test_the_shell_completes_the_keys_of_the_class() -> None:
    """Of the one that is named in the line, or by the project."""
    for line, project in (("acbo-settings explain se", PROJECT), (f"acbo-settings explain {' '.join(NAMED)} se", "")):
        write("pyproject.toml", project)
        point = str(len(line))
        run(_ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=point, _ARGCOMPLETE_STDOUT_FILENAME="out")
        assert Path("out").read_text().strip() == "seed"


@pytest.mark.usefixtures("project")
def test_a_new_file_has_tables_last() -> None:
    """A setting that the class declares behind a table still stands above all tables."""
    write("late.py", CLASS.replace("seed: ", "warm: Warm = field(default_factory=Warm)\n\n    seed: "))
    late = Path("late.py").read_text().replace("import dataclass", "import dataclass, field")
    write(
        "late.py",
        late.replace("@dataclass", "@dataclass(frozen=True)\nclass Warm:\n    up: int = 1\n\n\n@dataclass", 1),
    )
    named = ("--schema", "late:ExperimentConfig")
    assert run("init", "new.toml", *named).returncode == 0
    write("new.toml", Path("new.toml").read_text(encoding="utf-8").replace("# seed = 0", "seed = 9"))
    assert json.loads(run("show", "new.toml", "--format", "json", *named).stdout)["seed"] == 9


@pytest.mark.usefixtures("project")
def test_what_must_be_given_can_be_explained() -> None:
    """There nobody has given it yet."""
    write("must.py", CLASS.replace("ted: int = 0", "ted: int").replace("seed: Annotated[int, Ge(0)] = 0", "data: str"))
    write("must.py", Path("must.py").read_text().replace('"seed", ', "").replace("self.seed", "0"))
    write("acbo.toml", "")
    for arguments in (["explain"], ["explain", "data"]):
        ran = run(*arguments, "--schema", "must:ExperimentConfig")
        assert ran.returncode == 1
        assert b"must be given; write data = ... in acbo.toml" in b" ".join(ran.stderr.split())
    assert "value     none: nobody gives it" in ran.stdout.decode()


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(("name", "is_told"), [("a b", False), (" a", True), ("", True)])
def test_a_text_that_no_variable_can_hold_is_told(name: str, is_told: bool) -> None:
    """Beside the lines, which would give another one."""
    write("acbo.toml", f"name = {json.dumps(name)}\n")
    shown = run("show", "--format", "env", "--changed", *NAMED)
    assert shown.stdout.decode() == f"export ACBO_NAME={shlex.quote(name)}\n"
    assert (b"no variable can hold name" in shown.stderr) == is_told
