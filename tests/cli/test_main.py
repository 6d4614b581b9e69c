from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import load_training_config
from acbo_settings.cli.main import main

from ..command_line import ENVIRON, run, write
from ..strategies import SCHEMA

COMMANDS = ["show", "check", "explain", "diff", "init", "schema", "env", "plan"]


def in_ci(*values: Any) -> list[Any]:
    """Cases that are like the others, and of which there are many: they run in CI alone."""
    return [pytest.param(value, marks=pytest.mark.heavy) for value in values]


def test_show_prints_toml_with_origins(assert_report: Callable[[str, str], None]) -> None:
    """Every setting is printed, and what is no default is followed by its origin."""
    Path("acbo.toml").write_text(
        '[metadata]\nnote = "größe"\ntags = ["a"]\nsweep = {seed = 1}\n[grpo]\ngroup_size = 32\nlearning_rate = 1e-4\n',
        encoding="utf-8",
    )
    shown = run("show", ACBO_GRPO__GROUP_SIZE="128", ACBO_REWARDS='{"parent_weight": 0}', LC_ALL="C")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert_report("show", shown.stdout.decode("utf-8").rstrip("\n"))


def test_what_show_prints_loads_back(tmp_path: Path) -> None:
    """The output is an `acbo.toml` that gives the same configuration, custom metadata included."""
    Path("acbo.toml").write_text('[metadata]\nname = "a # b"\n[grpo]\ngroup_size = 32\n')
    Path("shown.toml").write_bytes(run("show", ACBO_TOTAL_STEPS="7000").stdout)
    shown = load_training_config("shown.toml", environ={})
    original = load_training_config(environ={"ACBO_TOTAL_STEPS": "7000"})
    assert shown == original
    assert shown.metadata["name"] == "a # b"
    assert len(tomllib.loads(shown.to_toml())["grpo"]) == len(SCHEMA.below(("grpo",)))


def test_check_of_a_good_file_says_ok() -> None:
    """A valid configuration is `ok` on stdout, and exit code 0."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    checked = run("check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"ok\n", b"")


def test_check_of_a_broken_file_prints_the_report(assert_report: Callable[[str, str], None]) -> None:
    """The report goes to stderr, nothing to stdout, and the exit code is 1."""
    Path("broken.toml").write_text("[grpo]\ngroup_size = 4\n")
    checked = run("check", "broken.toml", ACBO_GRPO_GROUP_SIZE="128")
    assert (checked.returncode, checked.stdout) == (1, b"")
    assert_report("check-broken", checked.stderr.decode().rstrip("\n"))


@pytest.mark.parametrize("command", ["show", "check"])
def test_advice_goes_to_stderr(command: str) -> None:
    """Advice is printed beside the result, and leaves the exit code 0."""
    Path("acbo.toml").touch()
    result = run(command, ACBO_EVALUATION__EARLY_STOPPING_PATIENCE="5")
    assert result.returncode == 0
    assert result.stderr.startswith(b"advice: evaluation.early_stopping_patience: Early stopping patience has no")
    assert b"advice" not in result.stdout


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_missing_file_is_no_traceback(command: str) -> None:
    """A path that does not exist is a report and exit code 1."""
    result = run(command, "runs/17/acbo.toml")
    assert result.returncode == 1
    assert result.stdout == b""
    assert b"runs/17/acbo.toml: no such file" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["sohw"], ["show", "a", "b"], ["check", "--strickt"], ["diff", "a"], ["check", "--format", "xml"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A missing or unknown command, and arguments too many, are wrong usage."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: acbo-settings")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_help_fits_the_terminal(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help goes to stdout, shows an example of each command, and fits 80 columns."""
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    shown = capsys.readouterr().out
    assert caught.value.code == 0
    assert not command or f"examples:\n  acbo-settings {command[0]}" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """In `acbo-settings show | head -1` nothing is written to stderr."""
    command = f"{sys.executable} -m acbo_settings show | head -1"
    piped = subprocess.run(command, shell=True, env=ENVIRON, capture_output=True, check=True, timeout=60)
    assert (piped.stdout, piped.stderr) == (b"total_steps = 5000\n", b"")


@pytest.mark.parametrize("command", ["check bad.toml 2>&1", "show", "diff defaults bad.toml 2>&1"])
def test_a_closed_pipe_is_no_success(command: str) -> None:
    """Whether all is well is not known when the reader has gone: the code is that of SIGPIPE, and never 0."""
    Path("bad.toml").write_text("total_steps = 0\n")
    pipe = f"{sys.executable} -m acbo_settings {command} | true; exit ${{PIPESTATUS[0]}}"
    piped = subprocess.run(["bash", "-c", pipe], env=ENVIRON, capture_output=True, check=False, timeout=60)
    assert (piped.returncode, piped.stderr) == (141, b"")


@pytest.mark.parametrize("command", ["show", "check bad.toml", *in_ci("explain", "env", "plan")])
@pytest.mark.parametrize("columns", ["0", *in_ci("1")])
def test_a_terminal_without_columns_is_written_to(command: str, columns: str) -> None:
    """Where a terminal says that it has no columns, all is printed all the same."""
    Path("bad.toml").write_text("total_steps = 0\n")
    ran = run(*command.split(), COLUMNS=columns)
    assert ran.returncode == int("bad" in command)
    assert len(ran.stdout + ran.stderr) > 50


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(
    "command",
    [["show"], ["check"], ["diff", "defaults", "acbo.toml"], *in_ci(["explain"], ["schema"], ["env"], ["plan"])],
)
def test_a_full_disk_is_an_error_without_traceback(command: list[str]) -> None:
    """Output that can not be written is one line on stderr and exit code 2: nothing is said of the configuration."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    with Path("/dev/full").open("wb") as full:
        process = [sys.executable, "-m", "acbo_settings", *command]
        result = subprocess.run(process, env=ENVIRON, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (2, b"acbo-settings: cannot write: No space left on device\n")


@pytest.mark.parametrize("command", ["show", "plan", *in_ci("explain", "schema", "env", "diff defaults acbo.toml")])
def test_a_pipe_that_is_closed_at_once_is_no_traceback(command: str) -> None:
    """Whatever a command prints, a reader that takes nothing leaves stderr empty."""
    Path("acbo.toml").write_text("total_steps = 7000\n")
    pipe = f"{sys.executable} -m acbo_settings {command} | true"
    piped = subprocess.run(pipe, shell=True, env=ENVIRON, capture_output=True, check=True, timeout=60)
    assert piped.stderr == b""


LINES = [
    ["show"],
    ["check", "."],
    ["explain"],
    ["explain", "grpo.group_size"],
    ["diff", "defaults", "."],
    ["env"],
    ["plan"],
]


@pytest.mark.parametrize("columns", ["80", *in_ci("120")])
@pytest.mark.parametrize("command", LINES, ids=" ".join)
def test_output_fits_the_terminal(command: list[str], columns: str) -> None:
    """No line is longer than the terminal is wide, and none ends in white space."""
    Path("acbo.toml").write_text("[grpo]\ngroup_size = 32\n[exploration]\nadaptation_steps = 7000\n")
    variables = {"ACBO_EXPLORATION__VARIABLE_UNCERTAINTY_WEIGHT": "0.25", "ACBO_GRPO__GROUP_SIZE": "128"}
    ran = run(*command, COLUMNS=columns, **variables)
    lines = (ran.stdout + ran.stderr).decode().splitlines()
    assert lines
    assert [line for line in lines if len(line) > int(columns) or line != line.rstrip()] == []


def in_terminal(command: str, **environ: str) -> str:
    """What a command writes to a real terminal."""
    master, slave = pty.openpty()
    process = [sys.executable, "-m", "acbo_settings", *command.split()]
    with subprocess.Popen(process, env=ENVIRON | environ, stdin=slave, stdout=slave, stderr=slave) as started:
        os.close(slave)
        shown = b""
        try:
            while block := os.read(master, 65536):
                shown += block
        except OSError:  # how Linux says that the other end is closed
            pass
        started.wait(60)
    os.close(master)
    return shown.decode()


@pytest.mark.parametrize("command", ["check", "show", *in_ci("explain", "explain grpo", "plan", "env")])
def test_colour_is_for_terminals_that_want_it(command: str) -> None:
    """A terminal gets colour; with `NO_COLOR`, in a dumb terminal and in a pipe there is no escape sequence."""
    Path("acbo.toml").write_text("[grpo]\ngroup_size = 4\n" if command == "check" else "total_steps = 7000\n")
    assert "\x1b[" in in_terminal(command, TERM="xterm-256color")
    plain = in_terminal(command, TERM="xterm-256color", NO_COLOR="1").replace("\r\n", "\n")
    assert "\x1b" not in plain
    assert "\x1b" not in in_terminal(command, TERM="dumb")
    piped = run(*command.split(), TERM="xterm-256color")
    assert (piped.stdout + piped.stderr).decode() == plain


def test_output_is_utf8_in_any_locale() -> None:
    """In a locale that knows no `≥`, a table is still written."""
    shown = run("explain", "grpo.group_size", LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert "range     ≥ 8, ≤ 256" in shown.stdout.decode("utf-8")


def test_the_shell_completes_commands_and_keys() -> None:
    """Asked as a shell with argcomplete asks, the command offers the names that fit."""
    for line, offered in {"acbo-settings ex": "explain", "acbo-settings explain grpo.gr": "grpo.group_size"}.items():
        asked = {
            "_ARGCOMPLETE": "1",
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            "_ARGCOMPLETE_STDOUT_FILENAME": "out",
        }
        run(**asked)
        assert Path("out").read_text().strip() == offered


def test_the_installed_command_is_the_module() -> None:
    """The console script runs the same program as `python -m acbo_settings`."""
    script = Path(sys.executable).parent / "acbo-settings"
    shown = subprocess.run([script, "check"], env=ENVIRON, capture_output=True, check=False, timeout=60)
    assert (shown.returncode, shown.stdout) == (0, b"ok\n")


def test_closed_output_is_no_traceback() -> None:
    """With stdout closed by the shell, a valid configuration is still exit code 0."""
    Path("acbo.toml").touch()
    command = f"{sys.executable} -m acbo_settings check >&-"
    ran = subprocess.run(command, shell=True, env=ENVIRON, capture_output=True, check=False, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.usefixtures("no_file")
def test_check_needs_a_file() -> None:
    """Where no file was found, nothing is ok: it may be the wrong directory. `/dev/null` says that none is meant."""
    checked = run("check")
    assert (checked.returncode, checked.stdout) == (1, b"")
    assert b"acbo.toml: no such file in\n" in checked.stderr
    for silent in (run("check", "/dev/null"), run("check", ACBO_CONFIG_FILE="/dev/null")):
        assert (silent.returncode, silent.stdout, silent.stderr) == (0, b"ok\n", b"")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the version of the installed distribution."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"acbo-settings {version('acbo-settings')}\n"


NASTY = ["\x1b[31mred", "a\n::error file=a::b", "  ::error::b", "\x9b31m", "\u202eabc", "\x7f", "##[error]a", "a\rb"]
NASTY += ["\udcff"]
NAMED = [
    ["check", "{}.toml"],
    ["check", "{}.toml", "acbo.toml"],
    ["check", "--format", "json", "{}.toml"],
    ["check", "--set", "{}=1"],
    ["init", "{}/acbo.toml"],
    ["init", "there/{}.toml"],
    ["freeze", "--run-dir", "runs/{}"],
    ["explain", "{}"],
    ["plan", "--picture", "no/{}.png"],
    ["plan", "--picture", "{}.jpg"],
    ["show", "note-{}.toml"],
    ["diff", "acbo.toml", "note-{}.toml"],
    ["migrate", "{}.toml"],
]
"""Commands with a name that a person, or somebody else, has chosen."""


@pytest.mark.parametrize("command", NAMED, ids=" ".join)
def test_no_name_commands_a_terminal_or_a_ci_service(command: list[str]) -> None:
    """Escape sequences and controls are shown escaped, and no line is a command of GitHub, wrapped or not."""
    write("acbo.toml", "[metadata]\na = 1\n")
    name = "".join(NASTY)
    Path("there").mkdir()
    Path(os.fsdecode(f"note-{name}.toml".encode("utf-8", "surrogateescape"))).write_text("[metadata]\na = 2\n")
    arguments = [os.fsdecode(part.replace("{}", name).encode("utf-8", "surrogateescape")) for part in command]
    ran = run(*arguments)
    assert len(ran.stdout + ran.stderr) > 10
    for line in (ran.stdout + ran.stderr).decode().split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("command", "out"),
    [
        ("show --format env --changed", b"export ACBO_TOTAL_STEPS=7000\n"),
        ("check acbo.toml no.toml", b"acbo.toml: ok\nno.toml: not valid\n"),
        ("init there.toml", b""),
        ("explain no_such_setting", b""),
        ("diff acbo.toml acbo.toml", b""),
    ],
)
def test_with_stderr_closed_nothing_of_it_is_in_stdout(command: str, out: bytes) -> None:
    """What a script takes from stdout is the result alone."""
    write("acbo.toml", "total_steps = 7000\n")
    line = f"{sys.executable} -m acbo_settings {command} 2>&-"
    environ = ENVIRON | {"ACBO_METADATA": "{}"}
    ran = subprocess.run(["sh", "-c", line], env=environ, stdout=subprocess.PIPE, check=False, timeout=60)
    assert ran.stdout == out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize(
    "command", ["--help >/dev/full", "freeze --run-dir run 2>/dev/full", "show >/dev/full 2>/dev/full"]
)
def test_what_cannot_be_written_is_exit_code_2(command: str) -> None:
    """Whichever of the two streams it is, and whatever the command."""
    write("acbo.toml", "total_steps = 7000\n")
    line = f"{sys.executable} -m acbo_settings {command}"
    assert subprocess.run(["sh", "-c", line], env=ENVIRON, check=False, timeout=60).returncode == 2


@pytest.mark.skipif(not shutil.which("localedef"), reason="needs localedef, to make a locale")
def test_paths_in_a_locale_of_one_byte_a_character(tmp_path: Path) -> None:
    """Every command, and a job, take the same bytes for the same path."""
    locale = tmp_path / "locale/de_DE.ISO-8859-1"
    locale.parent.mkdir()
    made = subprocess.run(["localedef", "-i", "de_DE", "-f", "ISO-8859-1", locale], capture_output=True, check=False)
    if not locale.exists():
        pytest.skip(f"no such locale can be made: {made.stderr!r}")
    environ = {"LOCPATH": str(locale.parent), "LC_ALL": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"}
    write("größe/é.toml", "total_steps = 7000\n")
    assert run("check", "größe/é.toml", **environ).returncode == 0
    assert run("freeze", "--run-dir", "größe/run", ACBO_RUN_DIR="größe/run", **environ).returncode == 0
    assert run("init", "größe/new/acbo.toml", **environ).returncode == 0
    assert run("migrate", "größe/é.toml", **environ).returncode == 0
    program = (
        "import sys, acbo_settings as a; a.load_training_config('/dev/null', run_dir=sys.argv[1], on_change='keep')"
    )
    job = [sys.executable, "-W", "ignore", "-c", program, "größe/run"]
    subprocess.run(job, env=ENVIRON | environ, check=True, timeout=60)
    assert sorted(os.listdir("größe")) == ["new", "run", "é.toml"]
    assert [name for name in os.listdir(".") if name.startswith("g")] == ["größe"]
