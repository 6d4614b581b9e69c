"""Wrong usage: the usage of the command itself, and what was probably meant."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from ..command_line import run, write

WRONG = (
    "chek",
    "validate acbo.toml",
    "help",
    "acbo.toml",
    "qqqqqq",
    "sweep freze",
    "check --sets a=1",
    "check --form json",
    "check --strickt",
    "check job.sbatch --export=ALL",
    "check job.sbatch --time=1:00",
    "check -v job.sh",
    "plan job.sbatch --changed",
    "check acbo.toml -v",
    "check no.sbatch --quiet",
    "show --diff",
    "freeze --verbose",
    "--verbose freeze",
    "show --in acbo.toml",
    "check --config=a b",
    "explain --file acbo.toml",
    "show --grpo.group_size 128",
    "freeze --gruop_size=128",
    "freeze --grpo.group_size --strict",
    "freeze runs/18",
    "freeze total_steps=5",
    "sweep freeze sweep.toml sweeps/lr --dir d",
    "show a.toml b.toml",
    "schema acbo.schema.json",
    "env grpo.group_size",
    "diff acbo.toml",
    "diff",
    "sweep freeze sweep.toml sweeps/lr",
    "sweep freeze sweep.toml --set a=1",
    "sweep status",
    "check --format yaml",
    "show --format tmol",
    "freeze --on-change",
)


def test_wrong_usage_tells_what_was_meant(assert_report: Callable[[str, str], None]) -> None:
    """The usage of the command, one sentence below it, exit code 2, and nothing on stdout."""
    write("job.sbatch", "srun python train.py\n")
    write("job.sh", "#!/bin/bash\n")
    shown = []
    for command in WRONG:
        ran = run(*command.split())
        assert (ran.returncode, ran.stdout) == (2, b"")
        shown.append(f"$ acbo-settings {command}\n{ran.stderr.decode()}")
    assert_report("usage", "\n".join(shown).rstrip("\n"))


@pytest.mark.parametrize("command", [(), ("sweep",)])
def test_who_asks_for_nothing_sees_what_there_is(command: tuple[str, ...]) -> None:
    """The help, on stderr, because nothing was done."""
    ran = run(*command)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert ran.stderr == run(*command, "--help").stdout


def test_no_word_commands_a_terminal() -> None:
    """What was typed is shown with its control characters escaped."""
    for words in (("\x1b[31m",), ("freeze", "a\nb"), ("check", "--\x1b[31m"), ("check", "--format", "\x9b31m")):
        shown = run(*words, COLUMNS="300").stderr.decode()
        assert "\\" in shown
        assert all(line.isprintable() for line in shown.splitlines())


def test_options_are_written_in_full() -> None:
    """What is short for one option today could be short for another one tomorrow."""
    write("acbo.toml", "total_steps = 7000\n")
    assert run("check", "--no-e").returncode == 2
    assert run("check", "--no-env").returncode == 0


def test_help_imports_nothing_heavy() -> None:
    """It is there at once: what draws, judges or suggests is imported by what needs it."""
    program = "import sys\nfrom acbo_settings.cli.main import main\ntry:\n    main([*sys.argv[1:], '--help'])\n"
    program += "except SystemExit:\n    print(*sys.modules)"
    for command in ([], ["check"], ["sweep"], ["sweep", "table"]):
        shown = subprocess.run([sys.executable, "-c", program, *command], capture_output=True, check=True, timeout=60)
        loaded = set(shown.stdout.decode().splitlines()[-1].split())
        assert not {"rich", "pydantic", "matplotlib", "difflib", "acbo_settings.cli.usage"} & loaded
