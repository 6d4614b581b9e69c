"""How configurations show themselves: as a call, as a block, and as lines with their origins in one column."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from annotated_types import Ge
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import acbo_settings
from acbo_settings import TrainingConfig, create_training_config, resolve_training_config
from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.listing import aligned

from ..command_line import ENVIRON, run, write
from ..strategies import SCHEMA, layers, tree_of

AssertReport = Callable[[str, str], None]
NAMES = {name: getattr(acbo_settings, name) for name in acbo_settings.__all__}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyConfig:
    """A table of one's own, a plain dataclass."""

    width: int = 128
    layers: tuple[int, ...] = (64, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentConfig(TrainingConfig):
    """A schema of one's own."""

    seed: Annotated[int, Ge(0)]
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    data: Path | None = None


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
@given(layers())
def test_repr_is_the_call_that_makes_it_again(layer: dict[KeyPath, Any]) -> None:
    """On one line, with what differs from the defaults alone, and without the metadata."""
    config = create_training_config(tree_of(layer), note="secret")
    assert eval(repr(config), NAMES) == config
    changed = [path[-1] for path, value in layer.items() if value != SCHEMA.defaults[path]]
    assert all(f"{name}=" in repr(config) for name in changed)
    assert "\n" not in repr(config)
    assert "secret" not in repr(config)


def test_repr_is_short() -> None:
    """The defaults are an empty call; a section stands in it when something in it differs."""
    assert repr(TrainingConfig()) == "TrainingConfig()"
    config = create_training_config(total_steps=7000, grpo={"group_size": 128})
    assert repr(config) == "TrainingConfig(total_steps=7000, grpo=GRPOTrainingConfig(group_size=128))"
    assert repr(config.grpo) == "GRPOTrainingConfig(group_size=128)"


def test_repr_of_settings_of_ones_own() -> None:
    """A subclass, its tables and what must be given are shown as those of the reference are."""
    config = create_training_config(seed=0, policy={"layers": [32]}, data="data/scm20", schema=ExperimentConfig)
    assert repr(config) == ("ExperimentConfig(seed=0, policy=PolicyConfig(layers=(32,)), data=PosixPath('data/scm20'))")
    names = {"ExperimentConfig": ExperimentConfig, "PolicyConfig": PolicyConfig, "PosixPath": Path}
    assert eval(repr(config), names) == config


def test_a_class_of_ones_own_can_have_its_own_repr() -> None:
    """What somebody writes is not replaced."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named(TrainingConfig):
        def __repr__(self) -> str:
            return "mine"

    assert repr(Named()) == "mine"


def test_what_was_built_by_hand_is_shown_all_the_same(assert_report: AssertReport) -> None:
    """Values of wrong types, and what has no form in TOML, are no reason for another error."""
    broken = [
        TrainingConfig(total_steps=True),
        TrainingConfig(total_steps=object),  # type: ignore[arg-type]
        TrainingConfig(grpo=None, total_steps=float("nan")),  # type: ignore[arg-type]
        object.__new__(TrainingConfig),
    ]
    assert_report("shown-broken", "\n".join(text for each in broken for text in (repr(each), str(each))))


CHANGED: dict[str, Any] = {
    "total_steps": 20000,
    "grpo": {"group_size": 128},
    "metadata": {"experiment": "scm20", "my note": "b" * 200},
}


def test_print_shows_a_block(assert_report: AssertReport) -> None:
    """The class, the fingerprint, what differs from the defaults by section, and the keys of the metadata."""
    config = create_training_config(CHANGED)
    own = create_training_config(seed=3, policy={"layers": list(range(40))}, schema=ExperimentConfig)
    assert_report("shown-block", "\n\n".join(map(str, [TrainingConfig(), config, config.grpo, config.rewards, own])))


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_print_of_a_resolved_one_is_what_show_changed_prints(
    columns: int, assert_report: AssertReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the width of the terminal, every origin in one column, long ones without their middle."""
    write("base.toml", "total_steps = 20000\n[grpo]\nlearning_rate = 1e-4\n[exploration]\nfinal_temperature = 0.05\n")
    write("acbo.toml", "extends = 'base.toml'\nwarmup_steps = 200\n[grpo]\ngroup_size = 32\n")
    monkeypatch.setenv("COLUMNS", str(columns))
    resolved = resolve_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    shown = run("show", "--changed", ACBO_GRPO__GROUP_SIZE="128", COLUMNS=str(columns)).stdout.decode()
    if columns >= 80:
        assert f"{resolved}\n" == shown
    assert max(map(len, shown.splitlines())) <= columns
    assert_report(f"shown-resolved-{columns}", str(resolved))


def test_a_file_gets_lines_that_are_not_cut() -> None:
    """Without a terminal and without COLUMNS, `show` shortens nothing."""
    write("acbo.toml", "[grpo]\ngroup_size = 32\n")
    command = [sys.executable, "-m", "acbo_settings", "show", "--changed"]
    environment = {name: text for name, text in ENVIRON.items() if name != "COLUMNS"} | {"ACBO_GRPO__GROUP_SIZE": "128"}
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert shown == (
        "[grpo]\ngroup_size = 128  # from ACBO_GRPO__GROUP_SIZE, over 32 from acbo.toml:2, over the default 64\n"
    )


def test_the_metadata_of_a_resolved_one_is_shown_by_its_keys() -> None:
    """What a note says stays out of a log that prints the configuration."""
    shown = str(resolve_training_config(environ={"ACBO_METADATA__NOTE": "a b c"}))
    assert shown == "# metadata: note"


@given(
    st.lists(st.tuples(st.text("ab = ", max_size=70), st.text("cd ", max_size=90)), max_size=8),
    st.one_of(st.none(), st.integers(20, 140)),
)
def test_comments_stand_in_one_column(rows: list[tuple[str, str]], width: int | None) -> None:
    """Unless a line is too long for it; nothing but the middle of a comment is lost."""
    found = aligned(rows, width)
    column = min((len(line) for line, comment in found if comment), default=0)
    for (line, comment), (bare, told) in zip(found, rows, strict=True):
        assert bool(comment) == bool(told)
        assert line == (bare.ljust(max(column, len(bare) + 2)) if told else bare)
        assert comment in ("", f"# {told}") or (comment.startswith("# ") and "..." in comment)
        assert width is None or len(comment) <= max(width - len(line), 12)


# Notebooks and consoles


def shown_by_ipython(value: object) -> str:
    """What IPython prints for a value; its printer calls `_repr_pretty_` with the objects that it is inside of."""
    said: list[str] = []
    printer = SimpleNamespace(stack=[id(value)], text=said.append)
    value._repr_pretty_(printer, False)  # type: ignore[attr-defined]
    return "".join(said)


def test_ipython_and_rich_show_the_block() -> None:
    """As `print` does, also where rich would take `[grpo]` for a style; inside of a list it is the call."""
    config = create_training_config(CHANGED)
    assert shown_by_ipython(config) == str(config)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="truecolor")
    console.print(config)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == f"{config}\n"
    with console.capture() as captured:
        console.print([TrainingConfig()], highlight=False)
    assert captured.get() == "[TrainingConfig()]\n"
