"""The command line in a process of its own, with a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENVIRON = {"PATH": os.defpath, "COLUMNS": "80"}


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Run `acbo-settings` in the working directory."""
    command = [sys.executable, "-m", "acbo_settings", *arguments]
    return subprocess.run(command, env=ENVIRON | environ, capture_output=True, check=False, timeout=60)


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
