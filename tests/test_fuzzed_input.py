"""Files, environments and overrides of any bytes: a configuration, or one report that can be printed."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from acbo_settings import ConfigurationError, TrainingConfig, create_training_config, load_training_config
from acbo_settings.cli.problem_facts import github_annotation, problem_facts
from acbo_settings.engine.frozen import parse_frozen

from .strategies import SCHEMA

# What files, variables and frozen files are made of, so that what is generated is often nearly right.
WORDS = [".".join(path) for path in SCHEMA.defaults] + [
    "grpo",
    "rewards",
    "metadata",
    "extends",
    "frozen",
    "wandb_api_key",
]
PIECES = [
    "=",
    " = ",
    "\n",
    "\r\n",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    ",",
    ".",
    '"',
    '"""',
    "'",
    "'''",
    "\\",
    "\\u0041",
    "#",
]
PIECES += [
    "1",
    "-0.0",
    "1e400",
    "nan",
    "inf",
    "true",
    "64",
    "0.5",
    "1979-05-27T07:32:00Z",
    "9" * 400,
    "\t",
    " ",
    "\ufeff",
]
PIECES += [
    "\0",
    "\x1b[31m",
    "\u202e",
    "::error::",
    "é",
    "\U0001f600",
    "# acbo-settings frozen configuration, format 1\n",
]
TEXTS = st.lists(st.sampled_from(WORDS + PIECES) | st.text(max_size=3), max_size=25).map("".join)
CONTENTS = TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
NAMES = st.builds(
    "{}{}".format,
    st.sampled_from(["ACBO_", "acbo_", "ABCO_", "ACBO", "XACBO_"]),
    st.sampled_from(
        [word.replace(".", "__").upper() for word in WORDS] + ["METADATA__NOTE", "RUN_DIR", "CONFIG_FILE", "PORT"]
    )
    | st.text(st.characters(exclude_characters="\0="), max_size=8),
)
ENVIRONS = st.dictionaries(NAMES, TEXTS, max_size=5)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.binary(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
OVERRIDES = st.none() | JSON_VALUES | st.lists(TEXTS, max_size=3)
# The same starts every time, so that a failure is one of the change that is looked at.
QUIET = {"derandomize": True, "deadline": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.generate]}


def load_or_refuse(content: bytes, environ: dict[str, str], overrides: Any) -> None:
    """Load, and look at what came of it."""
    Path("acbo.toml").write_bytes(content)
    given_names = {
        name: text for name, text in environ.items() if not name.upper().endswith(("RUN_DIR", "CONFIG_FILE"))
    }
    try:
        config = load_training_config(environ=given_names, overrides=overrides)
    except ConfigurationError as error:
        look_at(error)
        return
    assert create_training_config(config.to_dict()).fingerprint == config.fingerprint


def look_at(error: ConfigurationError) -> None:
    """A report can be printed, pickled, and told to machines."""
    assert all(line.isprintable() for line in str(error).split("\n"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    for problem in error.problems[:20]:
        json.dumps(problem_facts(problem))
        assert "\n" not in github_annotation(problem)


def fuzz(examples: int) -> int:
    """So many starts, of which some load; the number that was tried."""
    tried = 0

    @settings(max_examples=examples, **QUIET)  # type: ignore[arg-type]
    @given(CONTENTS, ENVIRONS, OVERRIDES)
    def start(content: bytes, environ: dict[str, str], overrides: Any) -> None:
        nonlocal tried
        tried += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load_or_refuse(content, environ, overrides)

    start()
    return tried


def test_nothing_but_a_report_comes_of_bad_input() -> None:
    """A few hundred starts."""
    assert fuzz(150) == 150


@pytest.mark.heavy
def test_nothing_but_a_report_comes_of_much_bad_input() -> None:
    """Ten thousand starts."""
    tried = fuzz(10_000)
    print(f"{tried:,} starts")
    assert tried == 10_000


@pytest.mark.heavy
def test_a_damaged_frozen_file_is_one_report() -> None:
    """Each byte of a frozen file changed, left out or doubled: whole only when it is what it was."""
    config = load_training_config("/dev/null", environ={"ACBO_METADATA__NOTE": "größe"}, run_dir="run")
    content = Path("run/acbo.frozen.toml").read_bytes()
    tried = 0
    for place in range(0, len(content)):
        for other in (b"", content[place : place + 1] * 2, bytes([content[place] ^ 1]), b"\n", b'"'):
            damaged = content[:place] + other + content[place + 1 :]
            tried += damaged != content
            try:
                found: TrainingConfig = parse_frozen(SCHEMA, "run", damaged.decode()).config
            except (ConfigurationError, UnicodeDecodeError):
                continue
            assert damaged == content
            assert found == config
    print(f"{tried:,} damaged files")
    assert tried > 5000
