from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from acbo_settings import TrainingConfig, create_training_config, plan_training

RUNS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "one step": {"total_steps": 1, "warmup_steps": 0},
    "no warmup": {"warmup_steps": 0},
    "long": {"total_steps": 10**9},
    "300 digits": {"total_steps": 10**299},
    "guided": {"exploration": {"strategy_type": "uncertainty_guided"}},
    "stopping": {"evaluation": {"early_stopping_enabled": True, "early_stopping_patience": 10}},
    "marks": {"total_steps": 1500, "log_frequency": 10, "surrogate_update_frequency": 10},
}


def parsed(html: str) -> ElementTree.Element:
    """The elements of what a notebook shows, which is XML but for the breaks of lines."""
    return ElementTree.fromstring(html.replace("<br>", "<br/>"))


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS)
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_notebook_shows_a_plan_by_itself(settings: dict[str, Any]) -> None:
    """It is small, takes its colours and fonts from the page, and needs nothing from anywhere else."""
    html = plan_training(create_training_config(settings))._repr_html_()
    assert len(html.encode()) < 40_000
    elements = list(parsed(html).iter())
    assert not {element.tag for element in elements} & {"script", "style", "link", "image", "img", "foreignObject"}
    names = {name for element in elements for name in element.attrib}
    assert not names & {"href", "src", "class", "id", "font-family"}
    assert {element.get(name) for element in elements for name in ("fill", "stroke")} <= {None, "none", "currentColor"}
    assert not re.search("url|#|rgb|http|nan|inf", html)


def test_what_stands_outside_of_the_picture() -> None:
    """No curve, no mark and no text leaves the frame."""
    for settings in RUNS.values():
        config = create_training_config(settings) if "total_steps" not in settings else TrainingConfig(**settings)
        (picture,) = parsed(plan_training(config)._repr_html_()).iter("svg")
        _, _, width, height = map(float, picture.attrib["viewBox"].split())
        for element in picture.iter():
            for x, y in re.findall(r"([\d.]+),([\d.]+)", element.get("points", "")):
                assert (0 <= float(x) <= width, 0 <= float(y) <= height) == (True, True)
            assert 0 <= float(element.get("x", 0)) <= width
            assert 0 <= float(element.get("y", 0)) <= height


def test_a_notebook_shows_the_same_as_the_terminal(assert_report: Callable[[str, str], None]) -> None:
    """Title, totals, tables, curves with their meanings, and what never happens: the whole text of it."""
    config = create_training_config(metadata={"experiment": "scm20"}, **RUNS["stopping"])
    texts = [text.strip() for text in parsed(plan_training(config)._repr_html_()).itertext()]
    assert_report("plan-notebook", "\n".join(texts))


def test_what_a_user_has_written_is_text() -> None:
    """The name of an experiment is no markup."""
    name = "<script>alert(1)</script>&amp;\"'"
    html = plan_training(create_training_config(metadata={"experiment": name}))._repr_html_()
    assert "<script" not in html
    (strong,) = parsed(html).iter("strong")
    assert (strong.text or "").startswith(name)
