"""What a start is given: which file is read, once and safely, and when the digests of two starts are the same."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from acbo_settings.engine.inputs import find_file, process_environment, read_raw_file
from acbo_settings.engine.loading.file import UnreadableFile, decode_file
from acbo_settings.engine.values import Argument, Variable


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
    with pytest.raises(UnreadableFile) as caught:
        decode_file(file)
    _, (key, value) = caught.value.problem.values
    assert (key, value.value, value.origin) == ((), path if path is not None else "missing.toml", named_by)


def test_dangling_link_in_the_working_directory_is_refused(isolated: Path) -> None:
    """An `acbo.toml` that points nowhere does not count as no file at all."""
    (isolated / "acbo.toml").symlink_to("gone.toml")
    file = find_file(None, {})
    assert file is not None
    with pytest.raises(UnreadableFile, match=r"is a symbolic link to gone\.toml, which does not exist"):
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
    assert process_environment() == expected


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
