"""The command line in a process of its own, with a clean environment."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from select import select
from tempfile import TemporaryFile
from typing import IO

ENVIRON = {"PATH": os.defpath, "COLUMNS": "80"}
_FOR_PYTHON = ("PYTHON", "LANG", "LC_", "LOCPATH")


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run `acbo-settings` in the working directory.

    The process is a fork of one that has imported everything, which takes a tenth of the time; with variables that
    Python itself reads at its start it is a new one.
    """
    if any(name.startswith(_FOR_PYTHON) for name in environ):
        return run_anew(*arguments, **environ)
    _, *outputs = _forks()
    for file in outputs:
        file.seek(0)
        file.truncate()
    code = _fork(arguments, ENVIRON | environ)
    for file in outputs:
        file.seek(0)
    return subprocess.CompletedProcess(arguments, code, *(file.read() for file in outputs))


def screen(columns: int, *arguments: str, **environ: str) -> str:
    """What `acbo-settings` writes to a terminal of so many columns, escape sequences and all."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with ThreadPoolExecutor(1) as reader, open(ours, "rb", buffering=0) as terminal:
        shown = reader.submit(lambda: b"".join(chunks(terminal.fileno())))
        try:
            _fork(arguments, {"PATH": os.defpath, "TERM": "xterm-256color", **environ}, os.ttyname(theirs))
        finally:
            os.close(theirs)
        return shown.result().decode().replace("\r\n", "\n")


def chunks(terminal: int) -> Iterator[bytes]:
    """What comes out of a terminal until nobody writes to it any more."""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:
            return
        if not chunk:
            return
        yield chunk


def _fork(arguments: Sequence[str], environ: Mapping[str, str], terminal: str | None = None) -> int:
    """The exit code of a command in a fork."""
    process, *_ = _forks()
    assert process.stdin
    assert process.stdout
    print(json.dumps([arguments, environ, os.getcwd(), terminal]), file=process.stdin, flush=True)
    if not select([process.stdout], [], [], 60)[0]:
        _forks.cache_clear()
        os.killpg(process.pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(arguments, 60)
    return int(process.stdout.readline())


def run_anew(*arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run `acbo-settings` in the working directory, in a new process of Python."""
    command = [sys.executable, "-m", "acbo_settings", *arguments]
    return subprocess.run(command, env=ENVIRON | environ, capture_output=True, check=False, timeout=60)


@cache
def _forks() -> tuple[subprocess.Popen[str], IO[bytes], IO[bytes]]:
    """A process of `tests.forks`, and the files that its forks write to; it ends with this one."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(_start_forks())


@contextmanager
def _start_forks() -> Iterator[tuple[subprocess.Popen[str], IO[bytes], IO[bytes]]]:
    with TemporaryFile() as out, TemporaryFile() as errors:
        numbers = out.fileno(), errors.fileno()
        with subprocess.Popen(
            [sys.executable, "-m", "tests.forks", *map(str, numbers)],
            cwd=Path(__file__).parent.parent,
            env=ENVIRON,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=numbers,
            start_new_session=True,
        ) as process:
            yield process, out, errors


def told(*arguments: str, **environ: str) -> str:
    """What a command prints: exit code, stdout, stderr, as one text for `assert_report`."""
    ran = run(*arguments, **environ)
    parts = {"stdout": ran.stdout.decode(), "stderr": ran.stderr.decode()}
    shown = [f"--- {name}\n{text}" for name, text in parts.items() if text]
    return "".join([f"--- exit code {ran.returncode}\n", *shown]).rstrip("\n")


def write(name: str, text: str) -> None:
    """Write a file below the working directory."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
