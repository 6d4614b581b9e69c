"""How long a newcomer waits: from the clone to the first result, and to green tests, as a Markdown table.

    python -m tests.benchmarks.first_minute > table.md

Each of the README's two commands runs as it is written, in a clone of its own of what is committed here, with the
`python3` of the path and with nothing in pip's cache, so that the speed of the package index is part of the figures.
The exit code is 1 when a command fails.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..test_readme import BLOCK, ROOT

OLDEST = (3, 11)
OURS = ("ACBO_", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PYTEST_", "PYTHON", "VIRTUAL_ENV")


@dataclass(frozen=True, slots=True)
class Waited:
    """The seconds until the clone was there, the seconds until the command had ended, and its last line."""

    clone: float
    command: float
    last_line: str

    @property
    def both(self) -> float:
        """What a newcomer waits for."""
        return self.clone + self.command


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit code."""
    argparse.ArgumentParser(
        prog="python -m tests.benchmarks.first_minute",
        description="Measure how long the README's two commands take in a fresh clone, and print a Markdown table.",
        epilog="Takes some minutes. Exit code: 0, or 1 when a command fails.",
    ).parse_args(arguments)
    python = _run("python3", "-c", "import platform; print(platform.python_version())").strip()
    if tuple(map(int, python.split(".")[:2])) < OLDEST:
        _progress(f"python3 is Python {python}, and the package needs {'.'.join(map(str, OLDEST))} or newer")
        return 1
    try:
        result, tests = (_wait_for(name) for name in ("job", "tests"))
    except subprocess.CalledProcessError as error:
        _progress(f"{error.output or ''}{error.cmd}: exit code {error.returncode}")
        return 1
    print(f"Python {python}, {os.cpu_count()} CPUs, nothing in pip's cache\n")
    print("| from the clone to | s | of which the clone |\n| --- | --- | --- |")
    print(f"| the first result | {result.both:.0f} | {result.clone:.1f} |")
    print(f"| green tests: {_summary(tests)} | {tests.both:.0f} | {tests.clone:.1f} |")
    return 0


def _wait_for(name: str) -> Waited:
    """Clone what is committed into a new folder, and run the command of this name in the clone's README."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        _progress("git clone")
        begun = time.monotonic()
        _run("git", "clone", "-q", str(ROOT), str(clone))
        cloned = time.monotonic()
        text = (clone / "README.md").read_text(encoding="utf-8")
        (command,) = [block[3].strip() for block in BLOCK.findall(text) if block[:2] == ("command", name)]
        _progress(command)
        output = _run("bash", "-c", command, directory=clone, cache=f"{folder}/cache")
        return Waited(cloned - begun, time.monotonic() - cloned, output.splitlines()[-1])


def _run(*command: str, directory: Path = ROOT, cache: str = os.devnull) -> str:
    """Run a command, which has to succeed, in the environment of somebody who has nothing of this package."""
    environment = {name: text for name, text in os.environ.items() if not name.upper().startswith(OURS)}
    ran = subprocess.run(
        command,
        cwd=directory,
        env=environment | {"PIP_CACHE_DIR": cache},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise subprocess.CalledProcessError(ran.returncode, " ".join(command), ran.stdout)
    return ran.stdout


def _summary(tests: Waited) -> str:
    """What pytest says in the end, without the frame around it."""
    return re.sub(r"^=+ | =+$", "", tests.last_line)


def _progress(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
