"""The frozen file: what is written reads back the same, and what is not whole is refused with what to do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from acbo_settings import (
    ConfigurationError,
    ResolvedConfig,
    TrainingConfig,
    load_frozen_config,
    load_training_config,
    resolve_training_config,
)
from acbo_settings.engine.canonical import KeyPath, custom_metadata, sha256
from acbo_settings.engine.frozen import parse_frozen, read_frozen, render_frozen
from acbo_settings.engine.inputs import Inputs, is_frozen

from ..strategies import SCHEMA, layers, tree_of
from .test_canonical import METADATA

SAMPLES = Path(__file__).parent.parent / "frozen"
NAME = "runs/17/acbo.frozen.toml"
LONG_AGO = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def resolve(tree: dict[str, Any]) -> ResolvedConfig[TrainingConfig]:
    """What a dict of overrides resolves to, without a word of advice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return resolve_training_config(overrides=tree, environ={})


def render(resolved: ResolvedConfig[TrainingConfig]) -> str:
    """The text of the frozen file of a configuration."""
    origins = {**resolved.values, **resolved.custom}
    facts = {"inputs": Inputs(SCHEMA).digest}
    return render_frozen(SCHEMA, resolved.config, origins, custom_metadata(resolved.config), LONG_AGO, facts)


def sample() -> str:
    """The text of a frozen file with settings and metadata of every kind."""
    tree = {
        "total_steps": 20000,
        "grpo": {"learning_rate": 1e-5},
        "metadata": {
            "experiment": "scm20",
            "größe": 'a "b" = \\',
            "when": LONG_AGO,
            "sweep": {"seeds": [1, 2], "x": {}},
        },
    }
    return render(resolve(tree))


def refusal(text: str | bytes) -> str:
    """What is said of a frozen file with this content."""
    path = Path(NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigurationError) as caught:
        load_frozen_config(NAME)
    return str(caught.value)


@pytest.mark.parametrize("examples", [60, pytest.param(300, marks=pytest.mark.heavy)])
def test_what_is_frozen_reads_back(examples: int) -> None:
    """Any settings and any metadata: all configurations read back equal, metadata included, and so does tomllib."""

    @settings(max_examples=examples)
    @given(layers(), METADATA)
    def reads_back(layer: dict[KeyPath, Any], custom: dict[str, Any]) -> None:
        resolved = resolve({**tree_of(layer), "metadata": custom})
        text = render(resolved)
        frozen = parse_frozen(SCHEMA, NAME, text)
        assert frozen.config == resolved.config
        assert frozen.config.metadata == resolved.config.metadata
        assert repr(frozen.config.to_dict()) == repr(resolved.config.to_dict())
        read = tomllib.loads(text)
        del read["frozen"]
        assert resolve(read).config == resolved.config

    reads_back()


def test_the_file_is_what_it_was(assert_report: Callable[[str, str], None]) -> None:
    """The whole text of a frozen file, to be looked at."""
    assert_report("frozen", sample().rstrip("\n"))


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("format-*.toml")), ids=lambda path: path.stem)
def test_samples_stay_readable(path: Path) -> None:
    """A file that was written once is read by every later version, with the same settings and metadata.

    What has come to the settings since then has its default.
    """
    frozen = read_frozen(SCHEMA, str(path))
    assert frozen is not None
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    assert frozen.fingerprint == written.pop("frozen")["fingerprint"]
    metadata = written.get("metadata", {})
    if "when" in metadata:
        metadata["when"] = metadata["when"].isoformat()
    found = frozen.config.to_dict()
    for *section, name in frozen.missing:
        del (found[section[0]] if section else found)[name]
    assert found == written


def test_reading_needs_no_pydantic(isolated: Path) -> None:
    """A frozen file is read with the standard library and pyrsistent, and without `tomllib` and `json` at that."""
    load_training_config(run_dir="runs/17", environ={"ACBO_METADATA__NOTE": "scm20"})
    program = """
import sys
from acbo_settings import load_frozen_config
print(load_frozen_config("runs/17").metadata["note"])
print([name for name in ("pydantic", "pydantic_core", "tomllib", "json", "hashlib") if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={})
    assert ran.stdout == "scm20\n[]\n"


def test_a_file_or_its_directory_is_named(isolated: Path) -> None:
    """The run's directory stands for the file in it, and what is not there is refused."""
    config = load_training_config(run_dir="runs/17", environ={"ACBO_TOTAL_STEPS": "7000"})
    assert load_frozen_config("runs/17") == load_frozen_config(isolated / NAME) == config
    with pytest.raises(ConfigurationError, match=r"runs/18/acbo\.frozen\.toml: no such file"):
        load_frozen_config("runs/18/acbo.frozen.toml")
    with pytest.raises(TypeError, match=r"path must be a str or os\.PathLike, not int"):
        load_frozen_config(3)  # type: ignore[arg-type]


def test_every_cut_is_refused() -> None:
    """Cut after any number of bytes, of which there are almost 1,800, the file is refused and never read as shorter."""
    whole = sample().encode()
    for length in range(len(whole)):
        with pytest.raises((ConfigurationError, UnicodeDecodeError)):
            parse_frozen(SCHEMA, NAME, whole[:length].decode())
    assert parse_frozen(SCHEMA, NAME, whole.decode()).config.total_steps == 20000


def test_every_change_of_a_byte_is_refused() -> None:
    """Each byte replaced by up to eight others, dropped, or doubled: more than 17,000 files, none of which is read."""
    whole = sample().encode()
    tried = 0
    for place, byte in enumerate(whole):
        others = {byte ^ 1, byte ^ 2, byte ^ 32, byte ^ 128, 0, ord("\n"), ord("1"), ord('"')} - {byte}
        changes = [bytes([other]) for other in others] + [b"", bytes([byte, byte])]
        for change in changes:
            tried += 1
            with pytest.raises((ConfigurationError, UnicodeDecodeError)):
                parse_frozen(SCHEMA, NAME, (whole[:place] + change + whole[place + 1 :]).decode())
    assert tried > 17_000


DAMAGED: dict[str, Callable[[str], str | bytes]] = {
    "empty": lambda text: "",
    "cut": lambda text: text[: len(text) // 2],
    "last-line-end-missing": lambda text: text[:-1],
    "edited": lambda text: text.replace("total_steps = 20000", "total_steps = 30000"),
    "cut-in-the-first-line": lambda text: text[:10],
    "no-utf8": lambda text: text.encode().replace(b"scm20", b"scm\xff"),
    "newer-format": lambda text: text.replace("format 1", "format 2"),
    "strange-format": lambda text: text.replace("format 1", "format \u00b2"),
    "another-file": lambda text: "total_steps = 20000\n",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_told_with_what_to_do(kind: str, assert_report: Callable[[str, str], None]) -> None:
    """Each kind of damage has its sentence, with the path and the way out."""
    assert_report(f"frozen-{kind}", refusal(DAMAGED[kind](sample())))


def test_line_ends_of_windows_are_no_damage() -> None:
    """A file that git has checked out with other line ends, or that has a byte-order mark, is read as it was."""
    Path(NAME).parent.mkdir(parents=True)
    Path(NAME).write_bytes(b"\xef\xbb\xbf" + sample().replace("\n", "\r\n").encode())
    assert load_frozen_config(NAME) == parse_frozen(SCHEMA, NAME, sample()).config


def sealed(text: str) -> str:
    """A text with a checksum that fits, as somebody may make it who knows how."""
    body = text.rpartition('sha256 = "')[0]
    return f'{body}sha256 = "{sha256(body.encode())}"\n'


@pytest.mark.parametrize(
    "change",
    [
        ("total_steps = 20000", "total_steps = 30000"),
        ("total_steps = 20000\n", ""),
        ("group_size = 64", "group_size = 64\ngroup_sise = 64"),
        ("[grpo]", "[gpro]"),
        ("learning_rate = 1e-05", "learning_rate = fast"),
        ("total_steps = 20000", "total_steps"),
    ],
)
def test_a_fitting_checksum_is_not_enough(change: tuple[str, str]) -> None:
    """Settings that are missing, too many, changed, or no values are refused also under a new checksum."""
    assert "runs/17/acbo.frozen.toml: " in refusal(sealed(sample().replace(*change)))


def test_what_is_in_the_place_of_the_file_is_told(isolated: Path) -> None:
    """A directory, and a link that leads nowhere, are no missing file."""
    Path(NAME).mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="is a directory, not a file"):
        read_frozen(SCHEMA, NAME)
    Path(NAME).rmdir()
    Path(NAME).symlink_to("gone.toml")
    with pytest.raises(ConfigurationError, match=r"is a symbolic link to gone\.toml, which does not exist"):
        read_frozen(SCHEMA, NAME)


def test_a_link_to_a_frozen_file_is_followed(isolated: Path) -> None:
    """A run's directory may hold a link to the file."""
    Path("elsewhere.toml").write_text(sample())
    Path(NAME).parent.mkdir(parents=True)
    Path(NAME).symlink_to(isolated / "elsewhere.toml")
    assert load_frozen_config(NAME).total_steps == 20000


def test_what_counts_as_frozen() -> None:
    """The name or the first line is enough, so that damage to one of them does not make an ordinary file of it."""
    assert is_frozen(SCHEMA.application, "acbo.toml", SCHEMA.application.frozen_line + "1\n")
    assert is_frozen(SCHEMA.application, "runs/17/acbo.frozen.b6b94ba25f97c991.toml", "")
    assert not is_frozen(SCHEMA.application, "frozen/acbo.toml", "[frozen]\n")


def test_every_value_is_on_a_line_of_its_own() -> None:
    """Whoever greps the file finds a setting with its value."""
    text = sample()
    assert re.search(r"(?m)^learning_rate = 1e-05$", text)
    assert all(re.fullmatch(r'|#.*|\[[a-z.]+\]|(?:[\w.-]|".*")+ = .+', line) for line in text.split("\n"))
    assert os.linesep == "\n"


@pytest.mark.parametrize("name", ["notes.txt", "acbo.toml"])
def test_a_file_that_is_no_frozen_one_is_not_called_a_copy(name: str) -> None:
    """What is given for a frozen file and never was one gets no advice on how to edit it."""
    Path(name).write_text("total_steps = 7000\n")
    with pytest.raises(ConfigurationError) as caught:
        load_frozen_config(name)
    (problem,) = caught.value.problems
    assert problem.message == "is no frozen configuration: its first line does not say so"
    assert "copy" not in problem.hint
