from __future__ import annotations

from pathlib import Path

import pytest

from acbo_settings import TrainingConfig, create_training_config


@pytest.mark.heavy
def test_the_picture_is_a_png_of_the_run(tmp_path: Path) -> None:
    """Two different runs give two different PNG files of 960 × 720 pixels."""
    from acbo_settings.cli.plan_picture import save_picture

    stopping = {"early_stopping_enabled": True, "early_stopping_patience": 10}
    runs = [TrainingConfig(), create_training_config(warmup_steps=0, evaluation=stopping)]
    pictures = []
    for number, config in enumerate(runs):
        save_picture(config, str(tmp_path / f"{number}.png"))
        pictures.append((tmp_path / f"{number}.png").read_bytes())
    assert pictures[0] != pictures[1]
    for picture in pictures:
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (960, 720)


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_a_picture_with_too_many_steps_is_refused(tmp_path: Path) -> None:
    """A number of steps that no float holds is an OverflowError."""
    from acbo_settings.cli.plan_picture import save_picture

    with pytest.raises(OverflowError):
        save_picture(TrainingConfig(total_steps=10**400), str(tmp_path / "plan.png"))


@pytest.mark.heavy
@pytest.mark.parametrize("total_steps", [1, 2, 10**15, 10**299])
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_the_shortest_and_the_longest_runs_are_drawn(tmp_path: Path, total_steps: int) -> None:
    """Runs of one step and of 10^299 are drawn without a warning of matplotlib."""
    from acbo_settings.cli.plan_picture import save_picture

    save_picture(create_training_config(total_steps=total_steps, warmup_steps=0), str(tmp_path / "plan.png"))
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")
