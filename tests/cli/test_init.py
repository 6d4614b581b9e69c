"""`init`: a commented file to start with, which overwrites nothing."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from pathlib import Path

import pytest

from acbo_settings import json_schema, load_training_config
from acbo_settings.cli.init import run as init
from acbo_settings.reference import example_toml

from ..command_line import run, told
from ..strategies import SCHEMA


@pytest.mark.usefixtures("no_file")
def test_init_writes_the_example_and_never_overwrites() -> None:
    """The first call writes a file that changes nothing; the second refuses, and the file stays."""
    assert told("init") == "--- exit code 0\n--- stderr\nwrote acbo.toml"
    assert Path("acbo.toml").read_text(encoding="utf-8") == example_toml(SCHEMA)
    Path("acbo.toml").write_text("total_steps = 7000\n")
    refused = "--- exit code 1\n--- stderr\nacbo-settings init: acbo.toml is there already, and is not overwritten"
    assert told("init") == refused
    assert Path("acbo.toml").read_text() == "total_steps = 7000\n"


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
    assert init(Namespace(path=path, schema=SCHEMA, json_schema=False)) == 1


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
