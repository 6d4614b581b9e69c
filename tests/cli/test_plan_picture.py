from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from acbo_settings import TrainingConfig, create_training_config, plan_training

TITLE = "scm20 $x_1$, 実験, fingerprint 0123456789abcdef"


def picture(config: TrainingConfig, form: str = "png") -> bytes:
    """The picture of a plan."""
    from acbo_settings.cli.plan_picture import save_picture

    save_picture(plan_training(config), TITLE, form, "plan")
    return Path("plan").read_bytes()


@pytest.mark.heavy
def test_the_picture_is_of_the_run() -> None:
    """Different runs give different pictures; without a warmup the panel of the learning rate is left out."""
    stopping = {"early_stopping_enabled": True, "early_stopping_patience": 10}
    runs = [TrainingConfig(), create_training_config(warmup_steps=0), create_training_config(evaluation=stopping)]
    pictures = [picture(config) for config in runs]
    assert len(set(pictures)) == 3
    sizes = [(int.from_bytes(each[16:20]), int.from_bytes(each[20:24])) for each in pictures]
    assert sizes == [(960, 840), (960, 624), (960, 840)]


@pytest.mark.heavy
@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG\r\n\x1a\n"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_the_picture_has_its_form(form: str, start: bytes) -> None:
    """Each of the three forms is what it is called, whatever stands in the title."""
    assert picture(TrainingConfig(), form).startswith(start)


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_picture_with_too_many_steps_is_refused() -> None:
    """A number of steps that no float holds is an OverflowError."""
    with pytest.raises(OverflowError):
        picture(TrainingConfig(total_steps=10**400))


@pytest.mark.heavy
@pytest.mark.parametrize("settings", [{"total_steps": 10**n} for n in (0, 1, 9, 15, 299)])
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_the_shortest_and_the_longest_runs_are_drawn(settings: dict[str, Any]) -> None:
    """Runs of one step and of 10^299 are drawn without a warning of matplotlib."""
    assert picture(create_training_config(settings, warmup_steps=0))
