"""Bad input of every kind: one `ConfigurationError` that names the source, within a second, safe to print."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import (
    ConfigurationError,
    GRPOTrainingConfig,
    TrainingConfig,
    create_training_config,
    load_training_config,
    validate_training_config,
)

DIGITS = "9" * 5000


def refuse(call: Callable[[], object]) -> str:
    """The report of a call that must fail, within a second, with text that is safe to print."""
    started = time.process_time()
    with pytest.raises(ConfigurationError) as caught:
        call()
    report = str(caught.value)
    assert time.process_time() - started < 1
    assert len(report) <= 20_000
    assert all(line.isprintable() for line in report.split("\n"))
    return report


def make_fifo(path: Path) -> None:
    """Make a FIFO that nobody writes to."""
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    """Make a UNIX socket."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


def make_loop(path: Path) -> None:
    """Make a symbolic link to itself."""
    path.symlink_to(path.name)


FILES: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "directory": Path.mkdir,
    "FIFO": make_fifo,
    "socket": make_socket,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "dangling link": lambda path: path.symlink_to("nowhere"),
    "looping link": make_loop,
    "above 1 MiB": lambda path: path.write_bytes(b"#" * (2**20 + 1)),
    "invalid UTF-8": lambda path: path.write_bytes(b"a = '\xff'"),
    "UTF-16": lambda path: path.write_text("a = 1", encoding="utf-16"),
    "UTF-16 without a mark": lambda path: path.write_text("a = 1", encoding="utf-16-le"),
    "NUL bytes": lambda path: path.write_bytes(b"\0" * 1000),
    "deep arrays": lambda path: path.write_text("a = " + "[" * 50_000),
    "deep inline tables": lambda path: path.write_text("a = " + "{a = " * 50_000),
    "deep dotted keys": lambda path: path.write_text("a." * 50_000 + "a = 1"),
    "deep headers": lambda path: path.write_text("[" + "a." * 50_000 + "a]"),
    "deep but closed": lambda path: path.write_text("a = " + "[" * 60 + "]" * 60),
    "number of 5,000 digits": lambda path: path.write_text(f"total_steps = {DIGITS}"),
    "number of 1,000 digits": lambda path: path.write_text(f"total_steps = {DIGITS[:1000]}"),
    "duplicate keys": lambda path: path.write_text("total_steps = 1\n" * 2),
    "control characters": lambda path: path.write_text('"\\u001b[2J" = nan\n'),
    "a bad value in an array of tables": lambda path: path.write_text("[[metadata.runs]]\nlr = nan\n"),
    "a bad value in an array of inline tables": lambda path: path.write_text("runs = [{x = nan}]\n"),
    "20,000 unknown keys": lambda path: path.write_text("[grpo]\n" + "".join(f"k{n}=1\n" for n in range(20_000))),
    "5,000 unknown keys": lambda path: path.write_text("[grpo]\n" + "".join(f"k{n} = 1\n" for n in range(5000))),
    "5,000 near misses": lambda path: path.write_text(
        "[grpo]\n" + "".join(f"group_size{n} = 1\n" for n in range(5000))
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_bad_files_are_refused(kind: str, tmp_path: Path) -> None:
    """A file that is no good is refused by its name."""
    FILES[kind](tmp_path / "named.toml")
    assert "named.toml" in refuse(lambda: load_training_config("named.toml", environ={}))
    assert "named.toml" in refuse(lambda: load_training_config(environ={"ACBO_CONFIG_FILE": "named.toml"}))


# Those of thousands of keys take longer than all the others together.
@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=[pytest.mark.heavy] if kind[0].isdigit() else []) for kind in FILES if kind != "missing"],
)
def test_bad_files_are_refused_when_nobody_named_them(kind: str, tmp_path: Path) -> None:
    """An `acbo.toml` in the working directory that is no good is refused too, and never skipped."""
    (tmp_path / "acbo.toml").unlink()
    FILES[kind](tmp_path / "acbo.toml")
    assert "acbo.toml" in refuse(lambda: load_training_config(environ={}))


VARIABLES: dict[str, dict[str, str]] = {
    "5,000 unknown": {f"ACBO_UNKNOWN_{number}": "1" for number in range(5000)},
    "5,000 near misses": {f"ACBO_EXPLORATION_VARIABLE_UNCERTAINTY_WEIGHT{number}": "1" for number in range(5000)},
    "a name of 100,000 characters": {"ACBO_" + "X" * 100_000: "1"},
    "a name of 1,000 parts": {"ACBO_METADATA__" + "__".join("A" * 1000): "1"},
    "undecodable bytes": {"ACBO_TOTAL_STEPS": "7\udcff"},
    "undecodable bytes in metadata": {"ACBO_METADATA__NAME": "gr\udcf6"},
    "undecodable bytes in a name": {"ACBO_\udcff": "7"},
    "control characters": {"ACBO_TOTAL_STEPS": "\x1b[2J"},
    "control characters in a name": {"ACBO_\x1b[2J": "1"},
    "a number of 5,000 digits": {"ACBO_TOTAL_STEPS": DIGITS},
    "a number of 1,000 digits": {"ACBO_TOTAL_STEPS": DIGITS[:1000]},
    "digits of another script": {"ACBO_TOTAL_STEPS": "٣٠٠"},
    "empty": {"ACBO_TOTAL_STEPS": ""},
    "white space": {"ACBO_TOTAL_STEPS": " \t"},
    "JSON with duplicate keys": {"ACBO_GRPO": '{"group_size": 8, "group_size": 9}'},
    "JSON with NaN": {"ACBO_GRPO": '{"clip_ratio": NaN}'},
    "JSON with an infinity": {"ACBO_GRPO": '{"clip_ratio": 1e999}'},
    "deep JSON": {"ACBO_METADATA": '{"a":' * 100_000},
    "deep but closed JSON": {"ACBO_METADATA": '{"a":' * 60 + "1" + "}" * 60},
    "JSON with a key named digits twice": {"ACBO_GRPO": '{"digits": 1, "digits": 2}'},
    "JSON that is no object": {"ACBO_GRPO": "[1]"},
    "JSON with a lone surrogate": {"ACBO_METADATA": '{"a": "\\ud800"}'},
    "JSON with null": {"ACBO_METADATA": '{"a": null}'},
    "JSON with a number of 5,000 digits": {"ACBO_METADATA": f'{{"a": {DIGITS}}}'},
    "JSON with an unknown key": {"ACBO_GRPO": '{"group_sise": 9}'},
    "JSON metadata with a setting": {"ACBO_METADATA": '{"total_steps": 9}'},
    "metadata with a setting": {"ACBO_METADATA__TOTAL_STEPS": "9"},
    "a value and a table of one name": {"ACBO_METADATA__A": "1", "ACBO_METADATA__A__B": "2"},
    "20,000 keys, one of them twice": {"ACBO_GRPO": json.dumps({str(n): 1 for n in range(20_000)})[:-1] + ', "1": 1}'},
}


@pytest.mark.parametrize("kind", VARIABLES)
def test_bad_variables_are_refused(kind: str) -> None:
    """A variable that is no good is refused by its name."""
    report = refuse(lambda: load_training_config(environ=VARIABLES[kind]))
    name = next(iter(VARIABLES[kind]))
    if name.isprintable():
        assert name[:100] in report


def nested(depth: int) -> dict[str, Any]:
    """Dicts in one another."""
    tree: dict[str, Any] = {}
    for _ in range(depth):
        tree = {"a": tree}
    return tree


def endless() -> dict[str, Any]:
    """A dict that holds itself."""
    tree: dict[str, Any] = {}
    tree["a"] = tree
    return tree


def shared(depth: int) -> list[Any]:
    """A list that holds one list many times over, at every depth."""
    tree: list[Any] = []
    for _ in range(depth):
        tree = [tree, tree]
    return tree


TREES: dict[str, Any] = {
    "no dict": [("total_steps", 7)],
    "a number": 7,
    "deep": nested(100_000),
    "endless": endless(),
    "shared": {"a": shared(40)},
    "keys that are no text": {7: 8},
    "a number of 5,000 digits as key": {10**5000: 1},
    "a number of 5,000 digits": {"total_steps": 10**5000},
    "a number of 5,000 digits for a float": {"grpo": {"clip_ratio": 10**5000}},
    "a number of 5,000 digits in metadata": {"a": [10**5000]},
    "objects": {"a": object()},
    "a class of a strange name": {"total_steps": type("\x1b[2J" + "x" * 50_000, (), {})()},
    "a class of a strange name in metadata": {"a": type("\x1b[2J" + "x" * 50_000, (), {})()},
    "a lone surrogate": {"a": "\ud800"},
    "a lone surrogate as key": {"\ud800": 1},
    "None": {"grpo": None},
}


@pytest.mark.parametrize("kind", TREES)
def test_bad_dicts_are_refused(kind: str) -> None:
    """A dict that is no good is refused by the argument's name."""
    assert "overrides" in refuse(lambda: load_training_config(overrides=TREES[kind], environ={}))
    assert "config_dict" in refuse(lambda: create_training_config(TREES[kind]))


def incomplete(kind: type) -> Any:
    """An instance without any of its fields."""
    return object.__new__(kind)


@pytest.mark.parametrize(
    "config",
    [incomplete(TrainingConfig), TrainingConfig(grpo=incomplete(GRPOTrainingConfig)), [], 10**5000],
    ids=["incomplete", "incomplete component", "list", "number"],
)
def test_bad_instances_are_refused(config: Any) -> None:
    """What is no complete configuration is refused by the `config` argument."""
    assert "config" in refuse(lambda: validate_training_config(config))


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_the_largest_numbers_can_be_shown() -> None:
    """Numbers of 300 digits are taken, and advice about their product can be written."""
    largest = 10**299
    evaluation = {"early_stopping_enabled": True, "early_stopping_patience": largest, "eval_frequency": largest}
    assert create_training_config(evaluation=evaluation).evaluation.eval_frequency == largest


@pytest.mark.parametrize("text", ["a\u2028b", "a\x85b", "a\x0bb\x1cc", "a\r\nb", '"""', "'", "\\", "\x7f"])
def test_any_text_in_metadata_survives(text: str, tmp_path: Path) -> None:
    """Line separators and quotes in a text come back from TOML as they were."""
    config = create_training_config(note=text, metadata={text: [text]})
    (tmp_path / "acbo.toml").write_text(config.to_toml(), encoding="utf-8", newline="")
    assert load_training_config(environ={}).to_dict() == config.to_dict()


def run(program: str, directory: Path, environ: dict[bytes, bytes]) -> str:
    """What a program prints, in a process of its own in the C locale, with UTF-8 mode off."""
    variables = {b"LC_ALL": b"C", b"PYTHONUTF8": b"0", b"PYTHONCOERCECLOCALE": b"0", b"PATH": os.fsencode(os.defpath)}
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, cwd=directory, env=variables | environ, capture_output=True, check=True, timeout=60)
    return (ran.stdout + ran.stderr).decode()


LOAD = """
import os
from acbo_settings import ConfigurationError, load_training_config
try:
    print(ascii(load_training_config().to_dict()))
except ConfigurationError as error:
    print(error)
"""

# Everything is imported before the privileges go: the interpreter may lie where nobody may look.
CLOSED = f"""
import acbo_settings.engine.report  # while Python can still be read
{LOAD.replace("load_training_config()", "load_training_config(environ={})")}
os.chdir("closed")
os.chmod(".", 0o644)
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
{LOAD}
"""


def test_a_directory_that_can_not_be_searched_is_no_reason_for_defaults(tmp_path: Path) -> None:
    """Where it can not be told whether there is an `acbo.toml`, the job stops."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "acbo.toml").write_text("total_steps = 7000\n")
    output = run(CLOSED, tmp_path, {})
    (tmp_path / "closed").chmod(0o755)
    assert "acbo.toml: permission denied" in output


def test_variables_are_utf8_in_any_locale(tmp_path: Path) -> None:
    """In the C locale too, variables and the path that one of them holds are read as UTF-8."""
    (tmp_path / "größe.toml").write_text("total_steps = 7000\n")
    environ = {b"ACBO_METADATA__NAME": "größe".encode(), b"ACBO_CONFIG_FILE": "größe.toml".encode()}
    output = run(LOAD, tmp_path, environ)
    assert "'total_steps': 7000" in output
    assert f"'metadata': {{'name': {'größe'!a}}}" in output


def test_a_path_in_bytes_that_are_no_utf8_is_read(tmp_path: Path) -> None:
    """A file's name may hold any bytes, also when a variable names it."""
    (tmp_path / os.fsdecode(b"gr\xf6.toml")).write_text("total_steps = 7000\n")
    assert "'total_steps': 7000" in run(LOAD, tmp_path, {b"ACBO_CONFIG_FILE": b"gr\xf6.toml"})


def test_undecodable_variables_of_a_process_are_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, in the name or the text of a variable, are a report with the bytes escaped."""
    output = run(LOAD, tmp_path, {b"ACBO_TOTAL_STEPS": b"7\xff", b"ACBO_\xfe": b"1"})
    assert "total_steps: is not valid UTF-8\n    --> ACBO_TOTAL_STEPS='7\\udcff'" in output
    assert "ACBO_\\udcfe: no such setting" in output
