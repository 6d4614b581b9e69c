"""The command line in a process of its own, with a clean environment."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
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
    process, *outputs = _forks()
    assert process.stdin
    assert process.stdout
    for file in outputs:
        file.seek(0)
        file.truncate()
    print(json.dumps([arguments, ENVIRON | environ, os.getcwd()]), file=process.stdin, flush=True)
    if not select([process.stdout], [], [], 60)[0]:
        _forks.cache_clear()
        os.killpg(process.pid, signal.SIGKILL)
        raise subprocess.TimeoutExpired(arguments, 60)
    code = int(process.stdout.readline())
    for file in outputs:
        file.seek(0)
    return subprocess.CompletedProcess(arguments, code, *(file.read() for file in outputs))


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
