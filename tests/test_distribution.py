"""What is built and installed: the sdist, the wheel, and what they say of themselves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

import acbo_settings

from .test_readme import README, ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME = f"acbo_settings-{acbo_settings.__version__}"
SOURCES = [
    "acbo_settings",
    "tests",
    "examples",
    "acbo.toml.example",
    "README.md",
    "pyproject.toml",
    ".ci",
    ".gitignore",
    ".pre-commit-hooks.yaml",
]
LEFT_BEHIND = [
    ".venv/lib/module.py",
    ".hypothesis/examples",
    ".pytest_cache/README.md",
    "dist/old.whl",
    "acbo_settings/__pycache__/plan.cpython-311.pyc",
    "examples/acbo/run/acbo.frozen.toml",
    "examples/acbo/sweeps/sweep.frozen.toml",
    "notes.txt",
]


def run(*command: str | Path, directory: Path) -> str:
    """What a command prints, which has to succeed."""
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def files_below(directory: Path) -> set[str]:
    """The relative paths of all files below a directory."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sources in a folder that was worked in, and the folder with what is built: the wheel from the sdist."""
    sources, dist = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, sources)
    shutil.rmtree(sources / "examples/acbo/run", ignore_errors=True)
    shutil.rmtree(sources / "examples/acbo/sweeps", ignore_errors=True)
    for name in LEFT_BEHIND:
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        (sources / name).touch()
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", dist, directory=sources)
    with tarfile.open(dist / f"{NAME}.tar.gz") as archive:
        archive.extractall(dist, filter="data")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist, directory=dist / NAME)
    return sources, dist


@pytest.mark.heavy
def test_the_sdist_holds_the_sources_and_nothing_else(built: tuple[Path, Path]) -> None:
    """All that is needed to test and to build, and nothing of what working in a folder leaves behind."""
    sources, dist = built
    assert files_below(dist / NAME) == files_below(sources) - set(LEFT_BEHIND) | {"PKG-INFO"}


@pytest.mark.heavy
def test_the_wheel_holds_the_package_and_nothing_else(built: tuple[Path, Path]) -> None:
    """The modules and `py.typed`, and beside them only what describes the wheel."""
    sources, dist = built
    with zipfile.ZipFile(dist / f"{NAME}-py3-none-any.whl") as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    package = {name for name in files_below(sources) - set(LEFT_BEHIND) if name.startswith("acbo_settings/")}
    assert {name for name in package if not name.endswith(".py")} == {"acbo_settings/py.typed"}
    about = {f"{NAME}.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")}
    assert names == package | about


@pytest.mark.heavy
def test_the_wheel_describes_itself(built: tuple[Path, Path]) -> None:
    """Its metadata are those of pyproject.toml, the README is its description, and it has the one command."""
    with zipfile.ZipFile(built[1] / f"{NAME}-py3-none-any.whl") as wheel:
        metadata = message_from_string(wheel.read(f"{NAME}.dist-info/METADATA").decode())
        commands = wheel.read(f"{NAME}.dist-info/entry_points.txt").decode().split("\n")
    assert (metadata["Name"], metadata["Version"]) == ("acbo-settings", acbo_settings.__version__)
    assert (metadata["Requires-Python"], metadata["Summary"]) == (">=3.11", PROJECT["description"])
    assert metadata.get_all("Classifier") == PROJECT["classifiers"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    needed = {text for text in metadata.get_all("Requires-Dist", []) if "extra ==" not in text}
    assert needed == set(PROJECT["dependencies"])
    assert (metadata["Description-Content-Type"], metadata.get_payload()) == ("text/markdown", README)
    assert [line for line in commands if line] == ["[console_scripts]", "acbo-settings = acbo_settings.cli.main:main"]


@pytest.mark.heavy
def test_the_wheel_installs_with_all_that_it_needs(built: tuple[Path, Path], tmp_path: Path) -> None:
    """In a fresh environment the command answers, and a configuration loads."""
    run(sys.executable, "-m", "venv", tmp_path / "venv", directory=tmp_path)
    scripts = tmp_path / "venv/bin"
    run(scripts / "pip", "install", "-q", built[1] / f"{NAME}-py3-none-any.whl", directory=tmp_path)
    assert run(scripts / "acbo-settings", "--version", directory=tmp_path) == (
        f"acbo-settings {acbo_settings.__version__}\n"
    )
    assert run(scripts / "acbo-settings", "check", os.devnull, directory=tmp_path) == "ok\n"


def test_each_python_that_is_claimed_is_one_that_ci_tests() -> None:
    """The classifiers, the oldest Python that is required, and the versions in `.ci/run` agree."""
    claimed = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert claimed == re.findall(r"check_version (3\.\d+)", (ROOT / ".ci/run").read_text(encoding="utf-8"))
    assert PROJECT["requires-python"] == f">={claimed[0]}"
