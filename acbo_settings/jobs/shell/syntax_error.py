"""What bash itself says against the syntax of a script. It only reads the script, and executes nothing of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from typing import NamedTuple

_END = re.compile(rb"^(?:exit\b|exec\s+[^\s<>&\d]).*$", re.MULTILINE)
_OPEN_TEXT = re.compile(r"(here-document) at line (\d+) (.*)")
_STOP = re.compile(r": line (\d+): (.*)")
_PATIENCE = 5.0  # seconds


class SyntaxMistake(NamedTuple):
    """Where bash stops reading a script, counted from 1, and what it says; the end of a file is below its lines."""

    line: int
    message: str


def find_syntax_mistake(content: bytes) -> SyntaxMistake | None:
    """The first mistake that bash finds in the syntax of a script; None as well where there is no bash.

    bash reads a script command by command, so what stands below a final `exit` does no harm. A script that switches
    extended patterns on is not judged: bash can read them only once the script has run its `shopt`.
    """
    program = shutil.which("bash")
    if program is None or b"extglob" in content:
        return None
    mistake, end = _ask(program, content), _END.search(content)
    is_below_end = mistake is not None and end is not None and _ask(program, content[: end.end()]) is None
    return None if is_below_end else mistake


def _ask(program: str, content: bytes) -> SyntaxMistake | None:
    """What bash says."""
    with tempfile.TemporaryFile() as script:  # bash reads a pipe byte by byte
        script.write(content)
        script.seek(0)
        try:
            # BASH_ENV of the shell that submits would be executed.
            ran = subprocess.run(
                [program, "-n"], stdin=script, capture_output=True, env={"LC_ALL": "C"}, timeout=_PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    said = ran.stderr.decode(errors="replace")
    if found := _OPEN_TEXT.search(said):  # bash only warns, and runs nothing below it
        return SyntaxMistake(int(found[2]), f"{found[1]} {found[3]}")
    found = _STOP.search(said) if ran.returncode else None
    return SyntaxMistake(int(found[1]), found[2]) if found else None
