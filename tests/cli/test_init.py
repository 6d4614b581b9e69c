"""`init`: a commented file to start with, which overwrites nothing."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from acbo_settings import json_schema, load_training_config
from acbo_settings.cli.init import run as init
from acbo_settings.reference import starting_toml

from .. import experiment
from ..command_line import run, told, write
from ..strategies import SCHEMA


@pytest.mark.usefixtures("no_file")
def test_init_writes_a_file_to_edit_and_never_overwrites() -> None:
    """The first call writes a file that changes nothing, and says what comes next; the second refuses."""
    told_next = "edit it, then check it: acbo-settings check"
    assert told("init") == f"--- exit code 0\n--- stderr\nwrote acbo.toml\n{told_next}"
    assert Path("acbo.toml").read_text(encoding="utf-8") == starting_toml(SCHEMA, "acbo-settings check")
    assert run("check").stdout == b"ok\n"
    Path("acbo.toml").write_text("total_steps = 7000\n")
    refused = "--- exit code 1\n--- stderr\nacbo-settings init: acbo.toml is there already, and is not overwritten"
    assert told("init") == refused
    assert Path("acbo.toml").read_text() == "total_steps = 7000\n"


@pytest.mark.usefixtures("no_file")
def test_the_first_lines_say_what_to_do_with_this_file(assert_report: Callable[[str, str], None]) -> None:
    """To edit it where it stands, and how to check it: with its path, if it would not be found without."""
    Path("there").mkdir()
    heads = []
    for path in ("acbo.toml", ".", "there", "new/", "there/our own.toml"):
        Path("acbo.toml").unlink(missing_ok=True)
        shown = told("init", path)
        file = shown.split("wrote ")[1].split("\n")[0]
        text = Path(file).read_text(encoding="utf-8")
        heads.append(f"$ acbo-settings init '{path}'\n{shown}\n--- {file}\n{text.partition(chr(10) * 2)[0]}")
        assert "Copy" not in text
    assert_report("init", "\n\n".join(heads))


@pytest.mark.usefixtures("no_file")
@pytest.mark.parametrize("is_projects", [False, True], ids=["named", "of the project"])
def test_settings_of_ones_own_stand_in_it(is_projects: bool, assert_report: Callable[[str, str], None]) -> None:
    """Those without a default visibly so; the command that checks the file names the class where it must."""
    write("ours.py", Path(experiment.__file__).read_text(encoding="utf-8"))
    if is_projects:
        write("pyproject.toml", "[tool.acbo-settings]\nschema = 'ours:ExperimentConfig'\n")
    shown = told("init", *([] if is_projects else ["--schema", "ours:ExperimentConfig"]))
    text = Path("acbo.toml").read_text(encoding="utf-8")
    assert "\n# path; required: it has no default\n# data = ...\n" in text
    assert "; not set by default\n# tag = ...\n" in text
    if not is_projects:
        assert_report("init-own", f"{shown}\n--- acbo.toml\n{text.rstrip()}")
        return
    assert "with a value for data, then check it: acbo-settings check" in " ".join(shown.split())
    Path("acbo.toml").write_text(text.replace("# data = ...", "data = 'data'"), encoding="utf-8")
    assert told("check") == "--- exit code 0\n--- stdout\nok"


def test_init_with_a_schema_puts_it_beside() -> None:
    """The first line names the schema, which lies beside; a second experiment there shares it."""
    Path("run").mkdir()
    assert run("init", "--json-schema", "run").returncode == 0
    assert Path("run/acbo.toml").read_text(encoding="utf-8").startswith("#:schema ./acbo.schema.json\n")
    assert json.loads(Path("run/acbo.schema.json").read_text(encoding="utf-8")) == json_schema()
    assert load_training_config("run/acbo.toml", environ={}).to_dict() == load_training_config(environ={}).to_dict()
    assert run("init", "--json-schema", "run/other.toml").returncode == 0


@pytest.mark.usefixtures("no_file")
def test_init_does_not_overwrite_another_schema() -> None:
    """A schema that is another one is kept, and no file is written."""
    Path("acbo.schema.json").write_text("{}")
    assert run("init", "--json-schema").returncode == 1
    assert Path("acbo.schema.json").read_text() == "{}"
    assert not Path("acbo.toml").exists()


@pytest.mark.parametrize("path", ["no/such/acbo.toml", "\ud800.toml", "x" * 300, ""])
def test_init_says_why_it_cannot_write(path: str) -> None:
    """A path that cannot be written is one line and exit code 1, without a traceback."""
    Path("no").touch()
    assert init(Namespace(path=path, schema=SCHEMA, schema_name=None, json_schema=False)) == 1


@pytest.mark.usefixtures("no_file")
def test_init_leaves_a_dangling_link_alone() -> None:
    """A symbolic link is something that is there, wherever it leads."""
    Path("acbo.toml").symlink_to("elsewhere.toml")
    assert run("init").returncode == 1
    assert not Path("elsewhere.toml").exists()


@pytest.mark.usefixtures("no_file")
@pytest.mark.parametrize("path", ["new/deep/acbo.toml", "new/deep/"])
def test_init_makes_the_directory(path: str) -> None:
    """Also for the JSON Schema beside the file; a path that ends in a slash is a directory."""
    assert run("init", path, "--json-schema").returncode == 0
    assert sorted(os.listdir("new/deep")) == ["acbo.schema.json", "acbo.toml"]


@pytest.mark.usefixtures("no_file")
def test_what_is_no_toml_by_its_name_is_a_directory_or_refused() -> None:
    """A path without a suffix is the directory of an experiment; another language is none of a configuration."""
    assert run("init", "new/exp1").returncode == 0
    assert os.listdir("new/exp1") == ["acbo.toml"]
    for name in ("foo.yaml", "foo.yml", "foo.JSON"):
        sentence = "acbo-settings init: a configuration is TOML: write foo.toml"
        assert told("init", name) == f"--- exit code 2\n--- stderr\n{sentence}"
    write("notes", "")
    assert "notes is there already" in told("init", "notes")
    assert sorted(os.listdir(".")) == ["new", "notes"]


@pytest.mark.usefixtures("no_file")
def test_init_waits_for_no_pipe() -> None:
    """A FIFO in the place of the JSON Schema is something that is there."""
    os.mkfifo("acbo.schema.json")
    assert run("init", "--json-schema").returncode == 1


@pytest.mark.usefixtures("no_file")
def test_paths_are_those_of_the_file_system_in_any_locale() -> None:
    """In a locale that knows no such letters, arguments and variables name the same directory, to the byte."""
    locale = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run("init", "größe/acbo.toml", **locale).returncode == 0
    assert run("freeze", "--run-dir", "größe/run", **locale).returncode == 0
    assert run("freeze", ACBO_RUN_DIR="größe/other", **locale).returncode == 0
    assert os.listdir(b".") == ["größe".encode()]
    assert sorted(os.listdir("größe")) == ["acbo.toml", "other", "run"]
