"""What people see of the package in a real JupyterLab, in the light and in the dark theme, and in IPython."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from acbo_settings import resolve_training_config

from .command_line import write
from .test_readme import shell_environment

pytestmark = pytest.mark.heavy

FILE = """\
total_steps = 3000

[grpo]
group_size = 32

[evaluation]
early_stopping_enabled = true
early_stopping_patience = 10

[metadata]
experiment = "scm20"
"""

CELLS = [
    """\
from acbo_settings import find_differences, load_training_config, plan_training, resolve_training_config

config = load_training_config()
config""",
    "config.grpo",
    """\
resolved = resolve_training_config(environ={"ACBO_GRPO__GROUP_SIZE": "128"})
resolved""",
    "find_differences(resolved.values, resolve_training_config().values)",
    "plan_training(config)",
]
"""The notebook: each cell shows one object."""

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

SETTINGS: dict[str, dict[str, Any]] = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # a cell that is out of sight has no place otherwise
}
"""What is set in JupyterLab, beside the theme."""

MEASURE = Path(__file__).with_name("notebook.js").read_text(encoding="utf-8")

LEAST_CONTRAST = {"text": 4.5, "stroke": 3}
"""What WCAG 2 asks of texts and of graphics, at its level AA."""


class Lab(NamedTuple):
    """A JupyterLab that is running."""

    address: str
    settings: Path


class Screen(NamedTuple):
    """What a browser has shown: each output before and after all settings were unfolded, and what it has loaded."""

    folded: list[dict[str, Any]]
    unfolded: list[dict[str, Any]]
    requests: list[str]
    address: str


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab for this machine alone, in which nobody has set anything, in the directory of the notebook."""
    home, directory = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebook")
    (directory / "acbo.toml").write_text(FILE, encoding="utf-8")
    (directory / "objects.ipynb").write_text(json.dumps(notebook()), encoding="utf-8")
    settings = home / "settings"
    environment = shell_environment(home) | {
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0", "--IdentityProvider.token="]
    options += ["--LabApp.extension_manager=readonly", "--LabApp.news_url=None"]
    command = [sys.executable, "-m", "jupyter", "lab", *options]
    with running(command, directory, environment, home / "log.txt"):
        yield Lab(address_in(home / "log.txt"), settings)


def notebook() -> dict[str, Any]:
    """The notebook, as a file has it."""
    empty: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [empty | {"source": source, "id": f"cell-{number}"} for number, source in enumerate(CELLS)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@contextmanager
def running(command: list[str], directory: Path, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A process that runs meanwhile; what it says is in the log."""
    with log.open("w") as file, subprocess.Popen(command, cwd=directory, env=environment, stderr=file) as process:
        try:
            yield
        finally:
            process.terminate()  # which ends its kernels, too; then Jupyter hangs now and then
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
            process.kill()


def address_in(log: Path) -> str:
    """Where the server of a log listens, as soon as it does."""
    end = time.monotonic() + 60
    while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/lab\n", log.read_text())):
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)
    return found[1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that shows itself to nobody."""
    playwright: Any = importlib.import_module("playwright.sync_api")
    options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
    with playwright.sync_playwright() as tools, tools.chromium.launch(**options) as chromium:
        yield chromium


@pytest.fixture(scope="module", params=THEMES)
def screen(request: pytest.FixtureRequest, lab: Lab, browser: Any) -> Screen:
    """The notebook in one of the themes, after all of its cells were run."""
    choose(lab.settings, SETTINGS | {"apputils-extension/themes": {"theme": THEMES[request.param]}})
    page, requests = browser.new_page(viewport={"width": 1100, "height": 1600}), []
    page.set_default_timeout(60_000)
    page.on("request", lambda each: requests.append(each.url))
    page.goto(f"{lab.address}/lab/tree/objects.ipynb?reset")
    is_light = json.dumps(request.param == "light")
    page.wait_for_selector(f"body[data-jp-theme-light={is_light}]", state="attached")
    run_all_cells(page)
    folded = page.evaluate(MEASURE)
    for summary in page.locator(".jp-OutputArea-output summary").all():
        summary.click()
    unfolded = page.evaluate(MEASURE)
    page.close()
    return Screen(folded, unfolded, requests, lab.address)


def choose(directory: Path, settings: dict[str, dict[str, Any]]) -> None:
    """Set something in JupyterLab, as its own dialogs do."""
    for name, values in settings.items():
        file = directory / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")


def run_all_cells(page: Any) -> None:
    """Run the notebook by the menu, and wait until each cell shows something."""
    page.locator("#jp-main-statusbar").get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator("#jp-MainMenu").get_by_text("Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(".jp-OutputArea-executeResult").nth(len(CELLS) - 1).wait_for()


@pytest.mark.debian
def test_what_stands_on_the_screen(screen: Screen, assert_report: Callable[[str, str], None]) -> None:
    """Each output has its headings, its table with the origins in titles, its settings to be unfolded, its picture."""
    parts = [f"{cell}\n\n" + "\n".join(output["outline"]) for cell, output in zip(CELLS, screen.folded, strict=True)]
    assert_report("notebook", "\n\n\n".join(parts))


@pytest.mark.debian
def test_everything_has_its_place(screen: Screen) -> None:
    """Tables and pictures are inside of their outputs, texts inside of pictures, and nothing lies over anything."""
    for output in screen.unfolded:
        assert_apart(output["blocks"], output["area"])
        for picture in [block for block in output["blocks"] if block["name"].startswith("svg")]:
            assert_apart(output["texts"], picture)
    assert_apart([output["area"] for output in screen.unfolded])
    assert any(output["texts"] for output in screen.unfolded)


def assert_apart(boxes: list[dict[str, Any]], around: dict[str, Any] | None = None) -> None:
    """Assert that boxes are shown, have a size, do not overlap, and are inside of another."""
    for box in boxes:
        assert box["shown"], box
        assert box["right"] - box["left"] > 5, box
        assert box["bottom"] - box["top"] > 5, box
        assert around is None or is_inside(box, around), (box, around)
    for first, second in combinations(boxes, 2):
        assert not overlap(first, second), (first, second)


def is_inside(box: dict[str, Any], around: dict[str, Any]) -> bool:
    """Whether a box does not reach out of another by half a pixel."""
    before = all(box[side] >= around[side] - 0.5 for side in ("left", "top"))
    return before and all(box[side] <= around[side] + 0.5 for side in ("right", "bottom"))


def overlap(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Whether two boxes have more than half a pixel in common, both across and down."""
    sides = (("left", "right"), ("top", "bottom"))
    return all(min(first[end], second[end]) - max(first[start], second[start]) > 0.5 for start, end in sides)


@pytest.mark.debian
def test_everything_can_be_read(screen: Screen) -> None:
    """Texts and lines contrast with what is behind them as WCAG asks for."""
    seen = [each for output in screen.unfolded for each in output["readability"]]
    assert {kind for _, kind, _ in seen} == set(LEAST_CONTRAST)
    assert [each for each in seen if each[2] < LEAST_CONTRAST[each[1]]] == []


@pytest.mark.debian
def test_all_settings_unfold(screen: Screen) -> None:
    """A configuration and a section show every setting, but only when somebody asks for it."""
    names = [".".join(path) for path in resolve_training_config(environ={}).values]
    section = [name.removeprefix("grpo.") for name in names if name.startswith("grpo.")]
    assert [output["unfolded"] for output in screen.folded] == [[]] * len(CELLS)
    assert [output["unfolded"] for output in screen.unfolded] == [names, section, names, [], []]


@pytest.mark.debian
def test_nothing_is_loaded_from_elsewhere(screen: Screen) -> None:
    """What is shown needs no network: everything comes from the server itself."""
    own = (f"{screen.address}/", "data:", "blob:")
    assert screen.requests
    assert [url for url in screen.requests if not url.startswith(own)] == []


TYPED = """\
from acbo_settings import TrainingConfig, load_training_config, plan_training
config = load_training_config()
config.__class__.total_steps?
config
print(config)
[config]
plan = plan_training(config)
plan
print(plan)
"""


def test_ipython_shows_what_print_shows(isolated: Path) -> None:
    """In a real IPython a setting has its meaning, an object looks as `print` shows it, and in a list it is a call."""
    write("acbo.toml", FILE)
    command = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit"]
    ran = subprocess.run(
        [*command, "--colors=NoColor"],
        env=shell_environment(isolated),
        input=TYPED,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answers = [re.sub(r"^Out\[\d+\]: \n?", "", each.strip()) for each in re.split(r"In \[\d+\]: ", ran.stdout)[1:-1]]
    assert len(answers) == len(TYPED.splitlines()), ran.stdout + ran.stderr
    _, _, meaning, shown, printed, inside, _, plan, printed_plan = answers
    assert "Training steps of the run." in meaning
    assert shown == printed != ""
    assert shown.startswith("# TrainingConfig ")
    assert inside.startswith("[TrainingConfig(total_steps=3000, grpo=GRPOTrainingConfig(group_size=32), ")
    assert plan == printed_plan != ""
    assert "3,000 training steps" in plan
