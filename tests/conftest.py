"""What every test has: a working directory, no `ACBO_*` variables, and whole reports kept as text files."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says more about the machine than about the code. In CI the examples are the same each time,
# so that a red run can be repeated; elsewhere they are new ones.
settings.register_profile(
    "tests", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("tests")

REPORTS = Path(__file__).parent / "reports"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-reports`, which rewrites the expected reports."""
    parser.addoption("--update-reports", action="store_true", help="rewrite tests/reports with what is printed now")


def pytest_collection_finish() -> None:
    """Leave what was imported to no garbage collector, which would look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Run the test in a directory with an empty `acbo.toml`, without the machine's own variables of the package."""
    for name in [name for name in os.environ if name.upper().startswith("ACBO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acbo.toml").touch()  # a start that finds no file says so
    return tmp_path


@pytest.fixture
def no_file(isolated: Path) -> None:
    """Leave the working directory empty."""
    (isolated / "acbo.toml").unlink()


@pytest.fixture
def assert_report(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a whole text with the file of that name in tests/reports."""

    def compare(name: str, text: str) -> None:
        text = text.replace(os.getcwd(), "/working/directory")
        expected = REPORTS / f"{name}.txt"
        if request.config.getoption("--update-reports"):
            expected.parent.mkdir(exist_ok=True)
            expected.write_text(text + "\n", encoding="utf-8")
        assert text + "\n" == expected.read_text(encoding="utf-8"), "if it is meant, run: pytest --update-reports"

    return compare


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    """A real SLURM of one node, and the variables that lead to it."""
    scripts = Path(__file__).parent / "slurm"
    directory = tempfile.mkdtemp(prefix="slurm-", dir="/tmp")
    subprocess.run([scripts / "up", directory], check=True, timeout=60)
    yield {"SLURM_CONF": f"{directory}/slurm.conf", "PATH": f"{Path(sys.executable).parent}:{os.defpath}"}
    subprocess.run([scripts / "down", directory], check=True, timeout=60)
    shutil.rmtree(directory)
