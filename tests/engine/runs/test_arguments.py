"""A start of a run: its arguments, and when the digests of two starts are the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import ConfigurationError, load_training_config
from acbo_settings.engine.inputs import read_inputs
from acbo_settings.engine.runs.arguments import digest_inputs

RUN = Path("runs/17")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"on_change": "ignore"}, ValueError, 'on_change must be "error", "keep" or "replace", not \'ignore\''),
        ({"may_change": "total_steps"}, TypeError, 'such as ("total_steps",), not a str'),
        ({"may_change": ["total_step"]}, ConfigurationError, "total_step; did you mean total_steps?"),
        ({"may_change": ["grpo.group_sise", "x"]}, ConfigurationError, "2 problems"),
        ({"may_change": ["metadata"]}, ConfigurationError, "no such setting or component: metadata"),
        ({"run_dir": ""}, ConfigurationError, "run_dir: is empty"),
        ({"run_dir": "~/runs/17"}, ConfigurationError, "run_dir: ~ is not expanded here"),
        ({"run_dir": 17}, TypeError, "run_dir must be a str or os.PathLike, not int"),
        ({"run_dir": None, "may_change": ["total_steps"]}, TypeError, "they need run_dir"),
        ({"run_dir": None, "on_change": "keep"}, TypeError, "they need run_dir"),
        ({"run_dir": "a\0b"}, ConfigurationError, "the path contains a NUL character"),
    ],
)
def test_wrong_arguments_are_refused_on_every_start(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Also when the run is frozen and nothing has changed, and never after something was written."""
    for _ in range(2):
        with pytest.raises(error) as caught:
            load_training_config(**{"run_dir": RUN, "environ": {}, **arguments})
        assert message in str(caught.value)
        load_training_config(run_dir=RUN, environ={})
    assert os.listdir(RUN) == ["acbo.frozen.toml"]


# Digests


class Size(IntEnum):
    """An enumeration, as overrides may hold one."""

    SMALL = 16


def digest(
    content: bytes | None = None, environ: Mapping[str, str] | None = None, overrides: Any = None, strict: bool = True
) -> str | None:
    """The digest of a start in the working directory, in which the file is written first."""
    Path("acbo.toml").unlink(missing_ok=True)
    if content is not None:
        Path("acbo.toml").write_bytes(content)
    return digest_inputs(read_inputs(None, overrides, environ or {}), strict)


def test_starts_that_may_differ_have_different_digests() -> None:
    """A byte of the file, a variable, an override and its type, or strictness: each gives a digest of its own."""
    starts: list[dict[str, Any]] = [
        {},
        {"content": b""},
        {"content": b"total_steps = 7"},
        {"content": b"total_steps = 7\n"},
        {"environ": {"ACBO_TOTAL_STEPS": "7"}},
        {"environ": {"acbo_total_steps": "7"}},
        {"environ": {"ACBO_TOTAL_STEPS": "7 "}},
        {"environ": {"ACBO_CONFIG_FILE": ""}},
        {"environ": {"ACBO_METADATA__A": "\udcff"}},
        {"overrides": {}},
        {"overrides": {"total_steps": 7}},
        {"overrides": {"total_steps": 7.0}},
        {"overrides": {"total_steps": "7"}},
        {"overrides": {"total_steps": True}},
        {"overrides": {"metadata": {"1": 2}}},
        {"overrides": [["total_steps", 7]]},
        {"overrides": {"metadata": {"flag": 1}}},
        {"overrides": {"metadata": {"flag": True}}},
        {"strict": False},
    ]
    digests = [digest(**start) for start in starts]
    assert None not in digests
    assert len(set(digests)) == len(starts)


def test_another_version_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of the package froze is resolved and compared by value."""
    before = digest()
    monkeypatch.setattr("acbo_settings.engine.runs.arguments.__version__", "0.0.1")
    assert digest() != before


def test_starts_that_resolve_alike_may_share_a_digest() -> None:
    """Other variables and their order make no difference, and nor does the name of the file."""
    assert digest(environ={"A": "1", "ACBO_X": "1", "ACBO_Y": "2"}) == digest(environ={"ACBO_Y": "2", "ACBO_X": "1"})
    Path("other.toml").write_bytes(b"total_steps = 7")
    assert digest(b"total_steps = 7") == digest_inputs(read_inputs("other.toml", environ={}), True)


@pytest.mark.parametrize(
    "overrides", [{1: 2}, {"a": {1: 2}}, {"a": [{None: 1}]}, {"a": date(2026, 1, 1)}, {"a": {1}}, {"a": Size.SMALL}]
)
def test_what_is_no_plain_data_has_no_digest(overrides: Any) -> None:
    """Keys that are no text, and values whose `repr` may hide a difference, always resolve anew."""
    assert digest(overrides=overrides) is None


def endless() -> list[Any]:
    """A list that holds itself."""
    tree: list[Any] = []
    tree.append(tree)
    return tree


def shared(times: int) -> list[Any]:
    """A small object that stands for 2 to some power of values."""
    tree: list[Any] = [1]
    for _ in range(times):
        tree = [tree, tree]
    return tree


def deep(times: int) -> list[Any]:
    """Lists within lists."""
    tree: list[Any] = []
    for _ in range(times):
        tree = [tree]
    return tree


@pytest.mark.parametrize(
    "value", [endless(), shared(60), deep(5000), 10**5000], ids=["self", "shared", "deep", "digits"]
)
def test_hostile_overrides_are_refused_as_without_a_run(value: Any) -> None:
    """What has no end, or hardly one, is looked at for a moment only, and gets the report that it gets anywhere."""
    load_training_config(run_dir=RUN, environ={})
    reports = []
    for run_dir in (None, RUN):
        with pytest.raises(ConfigurationError) as caught:
            load_training_config(environ={}, overrides={"note": value}, run_dir=run_dir)
        reports.append(str(caught.value))
    assert reports[0] == reports[1]


class Liar:
    """An object that looks like a text."""

    def __repr__(self) -> str:
        return "'7'"


def test_a_variable_that_only_looks_like_a_text_has_no_digest() -> None:
    """What is not from an environment cannot pass for what is."""
    assert digest(environ={"ACBO_TOTAL_STEPS": Liar()}) is None  # type: ignore[dict-item]


def test_the_name_of_a_frozen_file_is_part_of_the_inputs() -> None:
    """The same bytes under a name that says "frozen" are judged otherwise, in a run too."""
    for name in ("acbo_x.toml", "acbo.frozen.old.toml"):
        Path(name).write_text("total_steps = 7000\n")
    load_training_config("acbo_x.toml", environ={}, run_dir=RUN)
    with pytest.raises(ConfigurationError, match="is no frozen configuration"):
        load_training_config("acbo.frozen.old.toml", environ={}, run_dir=RUN)


def test_a_file_that_cannot_be_read_has_no_digest(isolated: Path) -> None:
    """A start that must fail is never taken for one that did not."""
    (isolated / "acbo.toml").mkdir()
    assert digest_inputs(read_inputs(environ={}), True) is None
    assert digest_inputs(read_inputs("missing.toml", environ={}), True) is None
