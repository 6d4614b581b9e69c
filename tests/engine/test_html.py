"""What notebooks show: tables that are small, safe, and readable without a style sheet."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from acbo_settings import TrainingConfig, create_training_config, find_differences, resolve_training_config

from ..command_line import write

AssertReport = Callable[[str, str], None]
ATTACK = "<script>alert('a')</script>\"x\""


class _Outline(HTMLParser):
    """The text of a page by lines, with the titles of cells, and a note of every tag that is left open."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        given = {name: text for name, text in attrs if name != "style"}
        self.lines.append(f"{'  ' * (len(self.open) - 1)}<{tag}>{f' {given}' if given else ''}")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.lines[-1] += f" {data}"


def outline(page: str) -> str:
    """The structure of a page; an assertion that each tag is closed."""
    parser = _Outline()
    parser.feed(page)
    assert parser.open == []
    return "\n".join(parser.lines)


def objects() -> dict[str, Any]:
    """One of each kind that a notebook shows."""
    write("acbo.toml", "total_steps = 20000\n[grpo]\ngroup_size = 32\n[metadata]\nexperiment = 'scm20'\n")
    resolved = resolve_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
    other = resolve_training_config(environ={})
    return {
        "config": resolved.config,
        "section": resolved.config.grpo,
        "resolved": resolved,
        "differences": find_differences(resolved.values, other.values),
    }


@pytest.mark.parametrize("name", ["config", "section", "resolved", "differences"])
def test_each_is_a_table(name: str, assert_report: AssertReport) -> None:
    """What differs from the defaults, all settings to be unfolded, and in titles the origins with what they shadow."""
    page = objects()[name]._repr_html_()
    assert_report(f"html-{name}", outline(page))
    assert len(page) < 8_000
    assert not re.search(r"<style|<script|<link|src=|href=|color:|background", page)


def test_what_users_write_is_text() -> None:
    """No value, key or path becomes markup."""
    config = create_training_config(metadata={ATTACK: ATTACK})
    assert "&lt;script&gt;alert(&#x27;a&#x27;)" in config._repr_html_()
    resolved = resolve_training_config(environ={}, overrides=[f"metadata.{ATTACK}=1", "rewards.reward_scaling=clip"])
    for page in (config._repr_html_(), resolved._repr_html_()):
        assert "<script" not in page
        assert outline(page)


def test_nothing_that_differs_is_said() -> None:
    """Two equal configurations, and the defaults, have no empty table."""
    values = resolve_training_config(environ={}).values
    assert find_differences(values, values)._repr_html_() == "<div>no setting differs</div>"
    assert TrainingConfig()._repr_html_().count("<table") == 1


def test_what_was_built_by_hand_has_a_table() -> None:
    """Values of wrong types are shown, too."""
    page = TrainingConfig(total_steps=object)._repr_html_()  # type: ignore[arg-type]
    assert "TrainingConfig" in page
