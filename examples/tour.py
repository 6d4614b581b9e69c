"""A tour in three commands, for the first minute with the package; each can be repeated in the folder above."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

TOUR = [
    (
        "1. The example configuration. Every value tells where it comes from:",
        "acbo-settings show --changed examples/acbo.toml",
        0,
    ),
    (
        "2. A configuration with mistakes in the file and in a variable. It is refused:",
        "ACBO_GRPO_CLIP_RATIO=0.1 acbo-settings check examples/mistakes.toml",
        1,
    ),
    (
        "3. What the training will do, and what it will never do:",
        "acbo-settings plan examples/acbo.toml",
        0,
    ),
]
NEXT = """\
Next: `source .venv/bin/activate`, write an acbo.toml with `acbo-settings init`,
and load it in the first line of your job, as examples/train.py does."""


def main() -> None:
    """Tell each part, show its command, and run it."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` ends the tour without a word
    environment = {name: text for name, text in os.environ.items() if not name.upper().startswith("ACBO_")}
    environment["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), environment.get("PATH", os.defpath)])
    for sentence, command, expected in TOUR:
        print(f"{sentence}\n\n$ {command}", flush=True)
        ended = subprocess.run(command, shell=True, cwd=ROOT, env=environment, stderr=subprocess.STDOUT).returncode
        print(flush=True)
        if ended != expected:
            sys.exit(f"The tour ends here: this command should have ended with exit code {expected}, not {ended}.")
    print(NEXT)


if __name__ == "__main__":
    main()
