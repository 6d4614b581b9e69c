"""`show`: whole outputs as text files, and forms that load back."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from acbo_settings import create_training_config, load_training_config
from acbo_settings.cli.show import export_lines, plain_tree, variable_texts
from acbo_settings.engine.canonical import KeyPath

from ..command_line import ENVIRON, run, told, write
from ..strategies import SCHEMA, layers, tree_of

AssertReport = Callable[[str, str], None]


@pytest.mark.parametrize("form", ["toml", "json", "env"])
def test_show_changed_prints_what_differs(form: str, assert_report: AssertReport) -> None:
    """In each form only what differs from the defaults is printed, with the custom metadata."""
    write(
        "acbo.toml", "total_steps = 5000\nlog_frequency = 20\n[rewards]\nreward_scaling = 'clip'\n[metadata]\na = 1\n"
    )
    assert_report(f"show-changed-{form}", told("show", "--changed", "--format", form, ACBO_GRPO__GROUP_SIZE="128"))


@pytest.mark.parametrize(("form", "parse"), [("toml", tomllib.loads), ("json", json.loads)])
def test_show_prints_all_settings(form: str, parse: Callable[[str], object]) -> None:
    """TOML and JSON hold the whole configuration as `to_dict` has it."""
    write("acbo.toml", "total_steps = 7000\n[metadata]\nnote = 'größe'\n")
    shown = run("show", "--format", form)
    assert parse(shown.stdout.decode()) == load_training_config(environ={}).to_dict()


def test_show_says_what_a_variable_cannot_hold() -> None:
    """A date, which JSON has no form for, becomes text in `--format env`, and that is said."""
    write("acbo.toml", "[metadata]\nday = 1987-07-05\n")
    told_text = told("show", "--format", "env", "--changed")
    assert 'ACBO_METADATA=\'{"day": "1987-07-05"}\'' in told_text
    assert "note: dates in the metadata are text in a variable" in told_text


def test_show_of_the_defaults_changes_nothing() -> None:
    """Where nothing differs, `--changed` prints nothing in TOML and for the shell, and an empty object in JSON."""
    outputs = [run("show", "--changed", "--format", form).stdout for form in ("toml", "env", "json")]
    assert outputs == [b"", b"", b"{}\n"]


def test_frozen_runs_are_shown_and_compared(assert_report: AssertReport) -> None:
    """`show` prints what a run started with, and `diff` compares runs by their frozen files."""
    Path("acbo.toml").write_text("total_steps = 20000\n")
    assert run("freeze", "--run-dir", "runs/16").returncode == 0
    assert run("freeze", "--run-dir", "runs/17", ACBO_GRPO__GROUP_SIZE="128").returncode == 0
    Path("runs/17/acbo.toml").write_text("total_steps = 1\n")
    assert_report("diff-runs", told("diff", "runs/16", "runs/17"))
    assert_report("show-run", told("show", "--changed", "runs/16", ACBO_GRPO__GROUP_SIZE="32"))
    assert "# from ACBO_GRPO__GROUP_SIZE... frozen, over the default 64" in told("show", "--changed", "runs/17")
    assert told("check", "runs/16") == "--- exit code 0\n--- stdout\nok"


def test_show_names_the_files_and_takes_settings(assert_report: AssertReport) -> None:
    """What extends what stands above, each value has its own file, and `--set` lies over all."""
    write("base.toml", "total_steps = 20000\n[grpo]\ngroup_size = 32\n")
    write("acbo.toml", "extends = ['base.toml']\nwarmup_steps = 200\n[metadata]\nnote = 'a'\n")
    shown = told("show", "--changed", "--set", "grpo.group_size=64", "--set", "grpo.group_size=128")
    assert_report("show-extended", shown)


def test_commands_answer_for_the_run_of_the_environment(assert_report: AssertReport) -> None:
    """Without a path it is what `load_training_config()` would return here, a run included; nothing is written."""
    write("acbo.toml", "total_steps = 20000\n[metadata]\nnote = 'a'\n")
    run_17 = {"ACBO_RUN_DIR": "runs/17"}
    assert run("show", **run_17).returncode == 0
    assert not Path("runs").exists()
    assert run("freeze", **run_17).returncode == 0
    write("acbo.toml", "total_steps = 30000\nlog_frequency = 20\n[metadata]\nnote = 'b'\n")
    kept = run_17 | {"ACBO_ON_CHANGE": "keep", "ACBO_MAY_CHANGE": "log_frequency"}
    outputs = [told("show", "--changed", **run_17), told("show", "--changed", **kept)]
    outputs += [told("explain", "total_steps", **kept), told("plan", **kept).splitlines()[3]]
    assert_report("show-run-of-the-environment", "\n\n".join(outputs))
    assert run("check", **run_17).returncode == 1
    assert run("check", ACBO_MAY_CHANGE="total_steps", ACBO_ON_CHANGE="keep").returncode == 0
    assert run("check", "acbo.toml", **run_17).returncode == 0
    assert [path.name for path in Path("runs/17").iterdir()] == ["acbo.frozen.toml"]


def environment_after(lines: list[str]) -> dict[str, str]:
    """The variables that a real shell has after these lines."""
    script = "\n".join([*lines, "env -0"])
    ran = subprocess.run(["sh", "-c", script], env={"PATH": os.defpath}, capture_output=True, check=True, timeout=60)
    entries = ran.stdout.decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if entry.startswith("ACBO_"))


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
@settings(max_examples=25)
@given(layers())
def test_export_lines_reproduce_the_configuration(layer: dict[KeyPath, Any]) -> None:
    """What a shell exports after reading the lines loads back equal."""
    config = create_training_config(tree_of(layer))
    assert (
        load_training_config(environ=environment_after(export_lines(variable_texts(config, SCHEMA.defaults)))) == config
    )


def test_export_lines_keep_metadata_and_quote() -> None:
    """Custom metadata keeps its types, and no text escapes from its quotes."""
    metadata = {"seed": 1, "tags": ["a", "it's $HOME `x`"], "größe": {"line": "a\nb"}}
    config = create_training_config(metadata=metadata)
    again = load_training_config(environ=environment_after(export_lines(variable_texts(config, ()))))
    assert again.to_dict()["metadata"] == config.to_dict()["metadata"] == metadata


def test_a_part_of_the_tree_has_no_empty_tables() -> None:
    """Only the settings asked for are kept, and the custom metadata."""
    config = create_training_config(grpo={"group_size": 32}, note="scm20")
    assert plain_tree(config, {("grpo", "group_size")}) == {"grpo": {"group_size": 32}, "metadata": {"note": "scm20"}}
    assert plain_tree(config, SCHEMA.defaults) == config.to_dict()


NOTES = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map(lambda name: f"n{name}"),
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs"]))
        | st.sampled_from(
            [
                "a\tb",
                "\x1b[31m",
                "\x9b",
                "\u202e",
                "\x7f",
                "a\r\nb",
                '"""',
                "\\\\",
                "\U000e0001",
                " ",
                "##[error]",
                "::error",
            ]
        )
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3).map("k{}".format), inner, max_size=3)
        ),
        max_leaves=4,
    ),
    min_size=20,
    max_size=60,
)


def on_a_terminal(*arguments: str) -> str:
    """What a command writes to a terminal, which is a real one as far as it can tell."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "acbo_settings", *arguments]
    environ = ENVIRON | {"NO_COLOR": "1", "COLUMNS": "40", "TERM": "xterm"}
    with subprocess.Popen(command, env=environ, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError):  # the terminal is closed when the process ends
            while block := os.read(ours, 65536):
                written += block
        process.wait(timeout=60)
    os.close(ours)
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("examples", [2, pytest.param(10, marks=pytest.mark.heavy)])
@pytest.mark.parametrize(("form", "parse"), [("toml", tomllib.loads), ("json", json.loads)])
def test_what_is_printed_reads_back(form: str, parse: Callable[[str], Any], examples: int) -> None:
    """Whatever texts the metadata holds, a pipe and a terminal get TOML and JSON of the same values, all printable."""

    @settings(max_examples=examples, phases=[Phase.generate])
    @given(NOTES)
    def reads_back(notes: dict[str, Any]) -> None:
        config = create_training_config(metadata=notes)
        write("notes.toml", config.to_toml())
        piped = run("show", "notes.toml", "--format", form).stdout.decode()
        for text in (piped, on_a_terminal("show", "notes.toml", "--format", form)):
            assert all(line.isprintable() for line in text.split("\n"))
            assert json.dumps(parse(text)["metadata"], sort_keys=True) == json.dumps(config.to_dict()["metadata"])

    reads_back()


def test_what_no_program_can_be_started_with_is_refused() -> None:
    """All metadata is one variable: where that is too long for the kernel, no line is printed."""
    notes = "".join(f'note{number} = "{"a" * 60_000}"\n' for number in range(4))
    Path("acbo.toml").write_text(f"[metadata]\n{notes}")
    ran = run("show", "--format", "env")
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert b"ACBO_METADATA would hold more than 128 KiB" in ran.stderr
