"""What a start is given: which file is read, once and safely, its arguments, and when two digests are the same."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from datetime import date
from enum import IntEnum
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from acbo_settings import ConfigurationError, load_training_config
from acbo_settings.engine.inputs import Inputs, RawFile, process_environment, read_raw_file, read_start
from acbo_settings.engine.loading.file import decode_file, read_files
from acbo_settings.engine.origins import Argument, Variable

from ..laboratory import LABORATORY
from ..strategies import SCHEMA


def find_file(path: Any, environ: dict[str, str]) -> RawFile | None:
    """The file of a start with this path argument and these variables."""
    return read_start(SCHEMA, path, environ=environ).inputs.file


@pytest.mark.usefixtures("no_file")
def test_links_of_kubernetes_are_followed(isolated: Path) -> None:
    """A file that is mounted from a ConfigMap, two symbolic links away, is read."""
    (isolated / "..2026_01_31").mkdir()
    (isolated / "..2026_01_31" / "acbo.toml").write_text("total_steps = 7")
    (isolated / "..data").symlink_to("..2026_01_31")
    (isolated / "acbo.toml").symlink_to("..data/acbo.toml")
    file = find_file(None, {})
    assert file is not None
    assert (file.name, file.content) == ("acbo.toml", b"total_steps = 7")


@pytest.fixture
def three_files(isolated: Path) -> Path:
    """A working directory with `acbo.toml` and two other files, each holding its own name."""
    for name in ("acbo.toml", "variable.toml", "argument.toml"):
        (isolated / name).write_text(f"# {name}")
    return isolated


@pytest.mark.parametrize(
    ("path", "variables", "expected"),
    [
        ("argument.toml", {"ACBO_CONFIG_FILE": "variable.toml"}, "argument.toml"),
        (Path("argument.toml"), {}, "argument.toml"),
        (None, {"ACBO_CONFIG_FILE": "variable.toml"}, "variable.toml"),
        (None, {"acbo_config_file": "variable.toml"}, "variable.toml"),
        (None, {}, "acbo.toml"),
    ],
)
def test_which_file_is_read(
    path: str | Path | None, variables: dict[str, str], expected: str, three_files: Path
) -> None:
    """The path argument wins over the variable, and that over `acbo.toml` in the working directory."""
    file = find_file(path, variables)
    assert file is not None
    assert (file.name, file.content) == (expected, f"# {expected}".encode())


@pytest.mark.usefixtures("no_file")
def test_no_file_is_needed() -> None:
    """Without a name and without `acbo.toml`, there is no file and no error."""
    assert find_file(None, {}) is None


@pytest.mark.parametrize(
    ("path", "variables", "named_by"),
    [
        ("missing.toml", {"ACBO_CONFIG_FILE": "variable.toml"}, Argument("the path argument")),
        ("", {}, Argument("the path argument")),
        (None, {"acbo_Config_File": "missing.toml"}, Variable("acbo_Config_File", "missing.toml")),
    ],
)
def test_named_file_must_exist(
    path: str | None, variables: dict[str, str], named_by: Argument | Variable, three_files: Path
) -> None:
    """A file that is named and missing is refused, whatever other files there are, and who named it is told."""
    file = find_file(path, variables)
    assert file is not None
    _, problems = read_files(Inputs(SCHEMA, (file,)))
    _, (key, value) = problems[0].values
    assert (key, value.value, value.origin) == ((), path if path is not None else "missing.toml", named_by)


@pytest.mark.usefixtures("no_file")
def test_dangling_link_in_the_working_directory_is_refused(isolated: Path) -> None:
    """An `acbo.toml` that points nowhere does not count as no file at all."""
    (isolated / "acbo.toml").symlink_to("gone.toml")
    file = find_file(None, {})
    assert file is not None
    with pytest.raises(ConfigurationError, match=r"is a symbolic link to gone\.toml, which does not exist"):
        decode_file(file)


@pytest.mark.parametrize("path", [b"acbo.toml", 3, True, ["acbo.toml"]])
def test_path_of_a_wrong_type_is_refused(path: Any) -> None:
    """What is no text and no path is a mistake of the program, not of the configuration."""
    with pytest.raises(TypeError):
        find_file(path, {})


def test_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the variables of the process, those with the prefix are read as UTF-8, other bytes as lone surrogates."""
    expected = {"ACBO_METADATA__NOTE": "ä", "acbo_total_steps": "7", "Acbo_X": "a\udcff", "ACBO_Y": ""}
    for name, text in {**expected, "ACBOX": "1", "X_ACBO_Y": "1"}.items():
        monkeypatch.setenv(name, text)
    assert process_environment(SCHEMA) == expected


@pytest.mark.parametrize("named", [{"ACBO_CONFIG_FILE": " "}, {"ACBO_CONFIG_FILE": "a", "acbo_config_file": "b"}])
def test_a_variable_that_names_no_file_does_not_count(named: dict[str, str], three_files: Path) -> None:
    """An empty text, or two variables, name nothing; that this is a mistake is told by who sorts the variables."""
    file = find_file(None, named)
    assert file is not None
    assert (file.name, file.named_by) == ("acbo.toml", "")


class ForgetfulServer:
    """`os.open`, on a file server that has lost the handle of a file a number of times."""

    def __init__(self, times: int) -> None:
        self.times, self.calls, self.open = times, 0, os.open

    def __call__(self, *arguments: Any) -> int:
        """Open the file, or say ESTALE."""
        self.calls += 1
        if self.calls <= self.times:
            raise OSError(errno.ESTALE, "Stale file handle")
        return self.open(*arguments)


@pytest.mark.parametrize(("times", "content"), [(1, b"a = 1"), (2, b"")])
def test_a_stale_handle_is_tried_again_once(
    times: int, content: bytes, monkeypatch: pytest.MonkeyPatch, isolated: Path
) -> None:
    """A file that was replaced on the server is read the second time; after that the error stands."""
    (isolated / "acbo.toml").write_bytes(b"a = 1")
    server = ForgetfulServer(times)
    monkeypatch.setattr(os, "open", server)
    file = read_raw_file("acbo.toml")
    assert (file.content, bool(file.error), server.calls) == (content, not content, 2)


# Arguments

RUN = Path("runs/17")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"on_change": "ignore"}, ValueError, 'on_change must be "error", "keep" or "replace", not \'ignore\''),
        ({"may_change": "total_steps"}, TypeError, 'such as ("total_steps",), not a str'),
        ({"may_change": ["total_step"]}, ConfigurationError, "total_step; did you mean total_steps?"),
        ({"may_change": ["grpo.group_sise", "x"]}, ConfigurationError, "2 problems"),
        (
            {"may_change": ["metdata"]},
            ConfigurationError,
            "no such setting or section: metdata; did you mean metadata?",
        ),
        ({"run_dir": ""}, ConfigurationError, "run_dir: is empty"),
        ({"run_dir": "~/runs/17"}, ConfigurationError, "run_dir: ~ is not expanded here"),
        ({"run_dir": "$HOME/runs"}, ConfigurationError, "run_dir: $ is not expanded here"),
        ({"run_dir": "a/acbo.frozen.toml"}, ConfigurationError, "name the directory that holds it, a"),
        ({"run_dir": 17}, TypeError, "run_dir must be a str or os.PathLike, not int"),
        ({"run_dir": None, "may_change": ["total_steps"]}, TypeError, "they need run_dir"),
        ({"run_dir": None, "on_change": "keep"}, TypeError, "they need run_dir"),
        ({"run_dir": "a\0b"}, ConfigurationError, "the path contains a NUL character"),
        (
            {"run_dir": "a\0b", "environ": {"ACBO_RUN_DIR": "a"}},
            ConfigurationError,
            "the path contains a NUL character",
        ),
        ({"run_dir": 17, "environ": {"ACBO_RUN_DIR": "a"}}, TypeError, "run_dir must be a str or os.PathLike, not int"),
    ],
)
def test_wrong_arguments_are_refused_on_every_start(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Also when the run is frozen and nothing has changed, and never after something was written."""
    for _ in range(2):
        with pytest.raises(error) as caught:
            load_training_config(**{"run_dir": RUN, "environ": {}, **arguments})
        assert message in str(caught.value)
        load_training_config(run_dir=RUN, environ={})
    assert os.listdir(RUN) == ["acbo.frozen.toml"]


# Digests


class Size(IntEnum):
    """An enumeration, as overrides may hold one."""

    SMALL = 16


def digest(
    content: bytes | None = None, environ: Mapping[str, str] | None = None, overrides: Any = None, strict: bool = True
) -> str | None:
    """The digest of a start in the working directory, in which the file is written first."""
    Path("acbo.toml").unlink(missing_ok=True)
    if content is not None:
        Path("acbo.toml").write_bytes(content)
    return read_start(SCHEMA, None, overrides, environ or {}, strict).inputs.digest


def test_starts_that_may_differ_have_different_digests() -> None:
    """A byte of the file, a variable, an override and its type, or strictness: each gives a digest of its own."""
    starts: list[dict[str, Any]] = [
        {},
        {"content": b""},
        {"content": b"total_steps = 7"},
        {"content": b"total_steps = 7\n"},
        {"environ": {"ACBO_TOTAL_STEPS": "7"}},
        {"environ": {"acbo_total_steps": "7"}},
        {"environ": {"ACBO_TOTAL_STEPS": "7 "}},
        {"environ": {"ACBO_CONFIG_FILE": ""}},
        {"environ": {"ACBO_METADATA__A": "\udcff"}},
        {"overrides": {}},
        {"overrides": {"total_steps": 7}},
        {"overrides": {"total_steps": 7.0}},
        {"overrides": {"total_steps": "7"}},
        {"overrides": {"total_steps": True}},
        {"overrides": {"metadata": {"1": 2}}},
        {"overrides": [["total_steps", 7]]},
        {"overrides": {"metadata": {"flag": 1}}},
        {"overrides": {"metadata": {"flag": True}}},
        {"strict": False},
    ]
    digests = [digest(**start) for start in starts]
    assert None not in digests
    assert len(set(digests)) == len(starts)


def test_another_version_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the package froze is resolved and compared by value."""
    before = digest()
    monkeypatch.setattr(SCHEMA.application, "version", "0.0.1")
    assert digest() != before


def test_starts_that_resolve_alike_may_share_a_digest() -> None:
    """Other variables and their order make no difference, and nor does the name of the file."""
    assert digest(environ={"A": "1", "ACBO_X": "1", "ACBO_Y": "2"}) == digest(environ={"ACBO_Y": "2", "ACBO_X": "1"})
    Path("other.toml").write_bytes(b"total_steps = 7")
    assert digest(b"total_steps = 7") == read_start(SCHEMA, "other.toml", environ={}).inputs.digest


@pytest.mark.parametrize(
    "overrides", [{1: 2}, {"a": {1: 2}}, {"a": [{None: 1}]}, {"a": date(2026, 1, 1)}, {"a": {1}}, {"a": Size.SMALL}]
)
def test_what_is_no_plain_data_has_no_digest(overrides: Any) -> None:
    """Keys that are no text, and values whose `repr` may hide a difference, always resolve anew."""
    assert digest(overrides=overrides) is None


def endless() -> list[Any]:
    """A list that holds itself."""
    tree: list[Any] = []
    tree.append(tree)
    return tree


def shared(times: int) -> list[Any]:
    """A small object that stands for 2 to some power of values."""
    tree: list[Any] = [1]
    for _ in range(times):
        tree = [tree, tree]
    return tree


def deep(times: int) -> list[Any]:
    """Lists within lists."""
    tree: list[Any] = []
    for _ in range(times):
        tree = [tree]
    return tree


@pytest.mark.parametrize(
    "value", [endless(), shared(60), deep(5000), 10**5000], ids=["self", "shared", "deep", "digits"]
)
def test_hostile_overrides_are_refused_as_without_a_run(value: Any) -> None:
    """What has no end, or hardly one, is looked at for a moment only, and gets the report that it gets anywhere."""
    load_training_config(run_dir=RUN, environ={})
    reports = []
    for run_dir in (None, RUN):
        with pytest.raises(ConfigurationError) as caught:
            load_training_config(environ={}, overrides={"note": value}, run_dir=run_dir)
        reports.append(str(caught.value))
    assert reports[0] == reports[1]


class Liar:
    """An object that looks like a text."""

    def __repr__(self) -> str:
        return "'7'"


def test_a_variable_that_only_looks_like_a_text_has_no_digest() -> None:
    """What is not from an environment cannot pass for what is."""
    assert digest(environ={"ACBO_TOTAL_STEPS": Liar()}) is None  # type: ignore[dict-item]


def test_the_name_of_a_frozen_file_is_part_of_the_inputs() -> None:
    """The same bytes under a name that says "frozen" are judged otherwise, in a run too."""
    for name in ("acbo_x.toml", "acbo.frozen.old.toml"):
        Path(name).write_text("total_steps = 7000\n")
    load_training_config("acbo_x.toml", environ={}, run_dir=RUN)
    with pytest.raises(ConfigurationError, match="is no frozen configuration"):
        load_training_config("acbo.frozen.old.toml", environ={}, run_dir=RUN)


@pytest.mark.usefixtures("no_file")
def test_a_file_that_cannot_be_read_has_no_digest(isolated: Path) -> None:
    """A start that must fail is never taken for one that did not."""
    (isolated / "acbo.toml").mkdir()
    assert read_start(SCHEMA, environ={}).inputs.digest is None
    assert read_start(SCHEMA, "missing.toml", environ={}).inputs.digest is None


FIELDS: dict[str, Any] = {
    "schema": LABORATORY,
    "files": (RawFile("acbo.toml", content=b"total_steps = 7"),),
    "variables": {"ACBO_LOG_FREQUENCY": "job.sbatch:7"},
    "environ": {"ACBO_TOTAL_STEPS": "7"},
    "overrides": {"total_steps": 7},
    "strict": False,
}


def test_every_field_of_the_inputs_is_digested() -> None:
    """Each field changed in turn gives another digest, and a field that comes to the record has to come here too."""
    inputs = read_start(SCHEMA, environ={}).inputs
    assert set(FIELDS) == set(inputs.__slots__)
    digests = [inputs.digest]
    for name, value in FIELDS.items():
        changed = read_start(SCHEMA, environ={}).inputs
        setattr(changed, name, value)
        digests.append(changed.digest)
    assert None not in digests
    assert len(set(digests)) == len(FIELDS) + 1


@pytest.mark.parametrize("form", ["names", "os.environ"])
def test_variables_may_be_unset_while_they_are_read(form: str) -> None:
    """A thread that sets and unsets variables all the time, ours and others, is no reason for a start to fail."""
    ended = Event()

    def change() -> None:
        """Until the starts have ended."""
        while not ended.is_set():
            for number in range(50):
                os.environ[f"X_{number}"] = os.environ[f"ACBO_METADATA__N{number}"] = "1"
            for number in range(50):
                del os.environ[f"X_{number}"], os.environ[f"ACBO_METADATA__N{number}"]

    thread, interval = Thread(target=change), sys.getswitchinterval()
    thread.start()
    try:
        sys.setswitchinterval(1e-6)
        for _ in range(60):
            loaded = load_training_config("/dev/null", environ=os.environ if form == "os.environ" else None)
            assert loaded.total_steps == 5000
    finally:
        sys.setswitchinterval(interval)
        ended.set()
        thread.join()
