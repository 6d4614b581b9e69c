"""Files: which one is read, that reading never hangs or crashes, and what is said of each kind of bad file."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acbo_settings.engine.inputs import Inputs, read_raw_file
from acbo_settings.engine.loading.file import decode_file, parse_toml, read_files
from acbo_settings.engine.loading.source import Source
from acbo_settings.engine.loading.syntax import find_language
from acbo_settings.engine.names import MAX_KEY_PARTS
from acbo_settings.engine.origins import File
from acbo_settings.engine.problems import ConfigurationError, Problem
from acbo_settings.engine.toml_document import Document, Position

from ...strategies import SCHEMA

LONG_NUMBER = "9" * 5000
MIB = 1_048_576


def refusal(name: str) -> Problem:
    """Why a file is not read."""
    with pytest.raises(ConfigurationError) as caught:
        decode_file(read_raw_file(name))
    (problem, *_) = caught.value.problems
    return problem


def syntax_error(text: str) -> tuple[str, str]:
    """Where a document is wrong, as file, line and column, and why."""
    with pytest.raises(ConfigurationError) as caught:
        parse_toml(Document("acbo.toml", text))
    (problem,) = caught.value.problems
    ((_, value),) = problem.values
    return str(value.origin), problem.message


def position_of(problem: Problem) -> Position | None:
    """The place in the file that a problem is about."""
    origin = problem.values[0][1].origin
    assert isinstance(origin, File)
    return origin.position


def make_socket(path: Path) -> None:
    """Leave a socket in the working directory, where its name is short enough."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


def make_large(path: Path) -> None:
    """Write a file of one byte more than the most that is read."""
    path.write_bytes(b"#" * (MIB + 1))


def make_link_loop(path: Path) -> None:
    """Make two symbolic links that point at each other."""
    path.symlink_to("other")
    path.with_name("other").symlink_to(path)


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such file"),
    "directory": (lambda path: path.mkdir(), "is a directory, not a file"),
    "FIFO": (os.mkfifo, "is a FIFO, not a file"),
    "socket": (make_socket, "is a socket, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
    "link to a directory": (lambda path: path.symlink_to("/"), "is a directory, not a file"),
    "dangling link": (
        lambda path: path.symlink_to("..data/acbo.toml"),
        "is a symbolic link to ..data/acbo.toml, which does not exist",
    ),
    "link loop": (make_link_loop, "too many levels of symbolic links"),
    "large": (make_large, "is larger than 1 MiB, the most that a configuration file may have"),
    "UTF-16, little end first": (
        lambda path: path.write_bytes(b"\xff\xfe" + "a = 1".encode("utf-16-le")),
        "is UTF-16, and TOML must be UTF-8: save it as UTF-8",
    ),
    "UTF-16, big end first": (
        lambda path: path.write_bytes(b"\xfe\xff" + "a = 1".encode("utf-16-be")),
        "is UTF-16, and TOML must be UTF-8: save it as UTF-8",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.usefixtures("no_file")
def test_bad_file_is_refused(kind: str, isolated: Path) -> None:
    """What is no readable configuration file is named with the reason, at once."""
    make, message = BAD_FILES[kind]
    make(isolated / "acbo.toml")
    problem = refusal("acbo.toml")
    assert problem.message == message
    assert str(problem.values[0][1].origin) == "acbo.toml"
    assert position_of(problem) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "the path is empty"),
        (" \t", "the path is empty"),
        ("a\0b", "the path contains a NUL character"),
        ("/dev/zero", "is a device, not a file"),
        ("x" * 5000, "file name too long"),
        ("missing/acbo.toml", "no such file"),
        ("file/acbo.toml", "not a directory"),
    ],
)
def test_bad_path_is_refused(name: str, message: str, isolated: Path) -> None:
    """A path that can not lead to a file is named with the reason."""
    (isolated / "file").touch()
    assert refusal(name).message == message


AS_NOBODY = """
import os, sys
import acbo_settings.engine.report  # while Python can still be read
from acbo_settings import ConfigurationError
from acbo_settings.engine.loading.file import decode_file
from acbo_settings.engine.inputs import read_raw_file

if os.geteuid() == 0:
    os.setuid(65534)
for name in sys.argv[1:]:
    try:
        print(decode_file(read_raw_file(name)).text)
    except ConfigurationError as error:
        print(error.problems[0].message)
"""


def test_file_without_permission_is_refused(isolated: Path) -> None:
    """A file that the user may not read is refused, also when the tests are run by root."""
    isolated.chmod(0o755)
    for name, mode in {"open.toml": 0o644, "closed.toml": 0o000}.items():
        (isolated / name).write_text("a = 1")
        (isolated / name).chmod(mode)
    command = [sys.executable, "-c", AS_NOBODY, "open.toml", "closed.toml"]
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=isolated, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["a = 1", "permission denied"]


@pytest.mark.parametrize(
    ("content", "byte", "position"),
    [
        (b"\xff", "0xff", (1, 1)),
        (b"a = 1\nb = '\xe4'\n", "0xe4", (2, 6)),
        (b"a = 1\r\nb = '\xe4'\r\n", "0xe4", (2, 6)),
        ("a = 'ä'\nü = '".encode() + b"\x80'", "0x80", (2, 6)),
        (b"a = '\xc3", "0xc3", (1, 6)),
        (b"a = '\xed\xa0\x80'", "0xed", (1, 6)),
        (b"\xef\xbb\xbfa = '\xe4'", "0xe4", (1, 6)),
        (b"\xef\xbb\xbf'\xc3\xa4' = '\xe4'", "0xe4", (1, 8)),
        (b"\xef\xbb\xbf\xc3\xa4\xff", "0xff", (1, 2)),
    ],
)
def test_invalid_utf8_is_located(content: bytes, byte: str, position: tuple[int, int], isolated: Path) -> None:
    """Of a file that is not UTF-8, the first wrong byte is named with its line and column."""
    (isolated / "acbo.toml").write_bytes(content)
    problem = refusal("acbo.toml")
    assert problem.message == f"is not valid UTF-8: byte {byte}"
    assert position_of(problem) == Position(position[0], position[1], position[1])
    assert str(problem.values[0][1].origin) == f"acbo.toml:{position[0]}:{position[1]}"


def test_line_with_invalid_utf8_can_be_shown(isolated: Path) -> None:
    """The problem carries the text of the file with the wrong bytes escaped."""
    (isolated / "acbo.toml").write_bytes(b"a = 1\nb = '\xe4\xff'\n")
    origin = refusal("acbo.toml").values[0][1].origin
    assert isinstance(origin, File)
    assert origin.source.line(2) == r"b = '\xe4\xff'"


@settings(deadline=None)
@given(
    content=st.binary(max_size=12)
    | st.lists(st.sampled_from([b"\xef\xbb\xbf", b"\xc3", b"\xa4", b"a", b"\n"])).map(b"".join)
)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Whatever a file holds, it is read as UTF-8 or refused, never anything else."""
    Path("acbo.toml").write_bytes(content)
    try:
        expected = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        assert "UTF-" in refusal("acbo.toml").message
    else:
        assert decode_file(read_raw_file("acbo.toml")).text == expected


def test_largest_file_is_read(isolated: Path) -> None:
    """A file of exactly 1 MiB is read to its last byte."""
    content = "#" * (MIB - 6) + "\na = 1"
    (isolated / "acbo.toml").write_text(content)
    assert decode_file(read_raw_file("acbo.toml")).text == content


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"a = 1\nb = 2\n", "a = 1\nb = 2\n"),
        (b"a = 1\r\nb = 2\r\n", "a = 1\nb = 2\n"),
        (b"\xef\xbb\xbfa = 1", "a = 1"),
        (b"\xef\xbb\xbf", ""),
        (b"\xef\xbb\xbf\xef\xbb\xbf", "\ufeff"),
        (b"'\xc3\xa4' = '\xf0\x9f\x8e\xb2'", "'ä' = '\N{GAME DIE}'"),
    ],
)
def test_text_of_a_file(content: bytes, text: str, isolated: Path) -> None:
    """A file is UTF-8, with or without a byte-order mark, and its lines end in a line feed."""
    (isolated / "acbo.toml").write_bytes(content)
    file = decode_file(read_raw_file("acbo.toml"))
    assert (file.name, file.text) == ("acbo.toml", text)


POINT = "a number needs digits on both sides of its point:"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("import os, sys\n\na = 1\n", "Python"),
        ('"""A job."""\n\nimport os\n', "Python"),
        ("#!/usr/bin/env python3\nprint()\n", "Python"),
        ("# a comment\nfrom __future__ import annotations\n", "Python"),
        ("#!/bin/bash\nsrun python train.py\n", "a script"),
        ("# a job\n#SBATCH --nodes=1\nsrun python train.py\n", "a batch script"),
        ("grpo:\n  group_size: 64\n", "YAML"),
        ('{"grpo": {}}', "JSON"),
    ],
)
def test_another_language_is_named(text: str, language: str) -> None:
    """Where a file is no TOML, and it is clear what else."""
    assert syntax_error(text) == ("acbo.toml", f"is {language}, and must be TOML")


def test_tree_of_a_document() -> None:
    """A valid document gives what tomllib makes of it."""
    assert parse_toml(Document("acbo.toml", "a = 1\n[grpo]\nb = [1.5]")) == {"a": 1, "grpo": {"b": [1.5]}}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("total_steps 5", "1:13", "Expected '=' after a key in a key/value pair"),
        ("\n[grpo]\ngroup_size = 64x\n", "3:16", "Expected newline or end of document after a statement"),
        ("a = 1\n[b]\n[b]\n", "3:3", "This key or table is set twice"),
        ("a = 1\na = 2\nb = 3\n", "2:6", "This key or table is set twice"),
        ("a = True", "1:5", "Invalid value"),
        ("ä = 1", "1:1", "Invalid statement"),
        ("'ä' = x", "1:7", "Invalid value"),
        ('a = "\0"', "1:6", "Illegal character '\\x00'"),
        ("a = 1 \ufeff", "1:7", "Expected newline or end of document after a statement"),
    ],
)
def test_syntax_error_is_located(text: str, place: str, message: str) -> None:
    """A syntax error is told in the words of tomllib, with file, line and column."""
    assert syntax_error(text) == (f"acbo.toml:{place}", message)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = ", "1:4"),
        ("a = 1\nb = ", "2:4"),
        ("a = [1,\n\n  \n", "1:8"),
        ('a = """x\ny\n', "2:2"),
        ("a = 1\n[b", "2:3"),
        ("a = {b = 1", "1:11"),
        ("a = 1\na = 2", "2:6"),
    ],
)
def test_error_at_the_end_of_the_document_is_located(text: str, place: str) -> None:
    """Where tomllib only speaks of the end of the document, that is the place behind the last character."""
    assert syntax_error(text)[0] == f"acbo.toml:{place}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a = tanh", "text needs quotes, true and false are lower-case"),
        ("a = True", "text needs quotes, true and false are lower-case"),
        ("a 1", ""),
        ("a = 20,000", "write 20000 or 20_000"),
        ("a = -1,000,000.5 # a comment", "write -1000000.5 or -1_000_000.5"),
        ("a = 20,00", ""),
        ("a = 1" + ",000" * 1000, ""),
        ("a = .001", f"{POINT} did you mean 0.001?"),
        ("a = [1, +.5e3]", f"{POINT} did you mean +0.5e3?"),
        ("a = 5.", f"{POINT} did you mean 5.0?"),
        ("a = [5.]", f"{POINT} did you mean 5.0?"),
        ("a = 1.e-4", f"{POINT} did you mean 1.0e-4?"),
        ("a = 1.2.3", ""),
        ("a = 1\na = 2", "line 1 has it already: keep one of the two"),
        ("b = 1\na.c = 1\n[d]\n[a]\nc = 2\n", "line 2 has it already: put both together"),
        ("a = [\n1]\nb = 1\na = [\n1,\n2]\n", "line 1 has it already: keep one of the two"),
        ("[b]\n[grpo]\na = 1\n[c]\n[grpo]\n", "line 2 has it already: put both together"),
        ("a = 1\n[[a]]\n", "line 1 has it already: put both together"),
        ("[[a]]\n[[a]]\n[a.b]\n[a.b]", "line 3 has it already: put both together"),
        ("a = 1\na = [\n[1]]]", ""),
    ],
)
def test_hint_for_a_syntax_error(text: str, hint: str) -> None:
    """A value that is written almost as TOML has it gets a hint, and so does what is set twice; others get none."""
    with pytest.raises(ConfigurationError) as caught:
        parse_toml(Document("acbo.toml", text))
    assert caught.value.problems[0].hint == hint


@pytest.mark.parametrize("text", ["a = " + "[" * 200_000, "a = " + "[" * 5000 + "]" * 5000, "a = " + "{a = " * 100_000])
def test_deep_nesting_is_refused(text: str) -> None:
    """Arrays and tables in one another, closed or not, are refused before they exhaust the interpreter."""
    assert syntax_error(text) == ("acbo.toml", "is nested too deeply")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"a = 1\n[b]\nc = {LONG_NUMBER}", "3:5"),
        (f"a = 1\n\nb = {LONG_NUMBER}\nc = 1", "3:5"),
        (f"a = 1\n\nb = [1, -{LONG_NUMBER}]", "3:9"),
    ],
)
def test_number_of_5000_digits_is_refused(text: str, place: str) -> None:
    """A number with more digits than Python reads is refused with its line and column."""
    assert syntax_error(text) == (f"acbo.toml:{place}", "a number has too many digits")


AFTER_A_LONG_NUMBER = ["b", "b = ", "b = [", "b = {", "b = {c", "b = {c = 1,,", "b.. = 1", "b = " + "{c = " * 2000]


@pytest.mark.parametrize("rest", [*AFTER_A_LONG_NUMBER, "[b", "[[b", "[]", "]", "} = 1", "= 1", '"', "\0"])
def test_mistakes_after_a_long_number_do_no_harm(rest: str) -> None:
    """The document below a number that can not be read was never judged by tomllib, and may hold anything."""
    place, message = syntax_error(f"a = {LONG_NUMBER}\n{rest}\n")
    assert place == "acbo.toml:1:5"
    assert message == "a number has too many digits"


@pytest.mark.parametrize(
    "text",
    [
        "a." * 50_000 + "a = 1",
        "[" + "a . " * 50_000 + "a]",
        "'a'." * 50_000 + "a = 1",
        "b = {" + "a." * 50_000 + "a = 1}",
    ],
)
def test_deep_dotted_key_is_refused_at_once(text: str) -> None:
    """A key of very many parts, for which tomllib would take half a minute, is refused in under a second."""
    start = time.process_time()
    assert syntax_error(f"\n{text}") == ("acbo.toml:2:1", f"a key has more than {MAX_KEY_PARTS} parts")
    assert time.process_time() - start < 1


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("a1.\"'[]{}=,# \n\\"), max_size=30))
@example("a = 1979-02-30")
@example('a = "\\ud800"')
@example("a = 25:00:00")
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """What tomllib accepts gives its tree, and all else is refused with its place, never anything else."""
    try:
        expected = tomllib.loads(text)
    except ValueError:
        assert syntax_error(text)[0].startswith("acbo.toml:") or find_language(text)  # which is told of the whole file
    else:
        assert parse_toml(Document("acbo.toml", text)) == expected


# As a source


def source_of(text: str) -> Source:
    """The keys and values of a file with this text."""
    Path("acbo.toml").write_text(text, encoding="utf-8")
    (source,), problems = read_files(Inputs(SCHEMA, (read_raw_file("acbo.toml"),)))
    assert problems == []
    return source


def test_a_file_keeps_its_types_and_its_lines() -> None:
    """TOML values come as tomllib has them, each with the file and line it stands in."""
    text = "[grpo]\ngroup_size = 64.0\n"
    source = source_of(text)
    assert source.tree == {"grpo": {"group_size": 64.0}}
    path = ("grpo", "group_size")
    assert source.origin_of(path) == File(Document("acbo.toml", text), path)


@pytest.mark.parametrize("key", ["Total_Steps", "TOTAL_STEPS"])
def test_keys_of_a_file_keep_their_spelling(key: str) -> None:
    """Another spelling of a known key is passed on as it is, and none of two is lost."""
    assert source_of(f"{key} = 1\ntotal_steps = 2\n").tree == {key: 1, "total_steps": 2}
