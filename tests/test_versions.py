"""Runs across real versions of the package: what one has frozen, the other starts with."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import acbo_settings

FIRST = Path(__file__).parent / "versions" / "acbo_settings-0.1.0-py3-none-any.whl"
TODAY = Path(acbo_settings.__file__).parent.parent
PROGRAM = """
import sys, warnings
import acbo_settings
warnings.simplefilter("ignore")
try:
    config = acbo_settings.load_training_config(run_dir="run", on_change=sys.argv[1])
except acbo_settings.ConfigurationError as error:
    sys.exit(str(error))
print(acbo_settings.__version__, config.fingerprint, config.total_steps, config.metadata["note"])
"""


def start(package: Path, on_change: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Start the run with a version of the package, a directory or a wheel."""
    command = [sys.executable, "-c", PROGRAM, on_change]
    environment = {"PYTHONPATH": str(package), "PATH": os.defpath, "ACBO_METADATA__NOTE": "a", **environ}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.heavy
@pytest.mark.parametrize("on_change", ["error", "keep", "replace"])
@pytest.mark.parametrize(("first", "second"), [(FIRST, TODAY), (TODAY, FIRST)], ids=["upgrade", "downgrade"])
def test_a_run_goes_on_under_another_version(first: Path, second: Path, on_change: str) -> None:
    """Newer and older alike: the same settings and metadata, and the file as it was."""
    frozen = start(first, "error", ACBO_TOTAL_STEPS="7000")
    content = Path("run/acbo.frozen.toml").read_bytes()
    resumed = start(second, on_change, ACBO_TOTAL_STEPS="7000")
    versions = [ran.stdout.split(" ", 1) for ran in (frozen, resumed)]
    assert {version for version, _ in versions} == {"0.1.0", acbo_settings.__version__}, frozen.stderr + resumed.stderr
    assert versions[0][1] == versions[1][1]
    assert Path("run/acbo.frozen.toml").read_bytes() == content


@pytest.mark.heavy
@pytest.mark.parametrize(("first", "second"), [(FIRST, TODAY), (TODAY, FIRST)], ids=["upgrade", "downgrade"])
def test_a_change_is_seen_across_versions(first: Path, second: Path) -> None:
    """Refused, kept or replaced, as within one version."""
    assert start(first, "error", ACBO_TOTAL_STEPS="7000").returncode == 0
    refused = start(second, "error", ACBO_TOTAL_STEPS="9000")
    assert "total_steps: frozen as 7000" in refused.stderr
    assert start(second, "keep", ACBO_TOTAL_STEPS="9000").stdout.split()[2] == "7000"
    assert start(second, "replace", ACBO_TOTAL_STEPS="9000").stdout.split()[2] == "9000"
    assert start(first, "error", ACBO_TOTAL_STEPS="9000").stdout.split()[2] == "9000"


@pytest.mark.heavy
def test_a_pickle_of_the_first_version_is_read() -> None:
    """A configuration that 0.1 has pickled, beside a checkpoint say, is the same one today, metadata included."""
    program = (
        "import pickle, acbo_settings as a; c = a.create_training_config(total_steps=7000, note='a');"
        " open('config.pickle', 'wb').write(pickle.dumps(c))"
    )
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(FIRST)}, check=True, timeout=60)
    config = pickle.loads(Path("config.pickle").read_bytes())
    expected = acbo_settings.create_training_config(total_steps=7000, note="a")
    assert (config, config.metadata) == (expected, expected.metadata)


# Versions of some day: wheels of today's sources with another class

NAME = "evaluation.track_intervention_diversity"
FIELD = "    track_intervention_diversity: bool = True\n"
INITIAL = "    initial_temperature: Annotated[float, Gt(0)] = 2.0\n"
FINAL = "    final_temperature: Annotated[float, Gt(0)] = 0.1\n"
CLASSES: dict[str, list[tuple[str, str]]] = {
    "today": [],
    "more": [(FIELD, f'{FIELD}    """..."""\n\n    track_seed: Annotated[int, Ge(0)] = 3\n')],
    "fewer": [(FIELD, '    removed = {"evaluation.track_intervention_diversity": "it is always tracked"}\n')],
    "reordered": [(INITIAL, "    ..."), (FINAL, INITIAL), ("    ...", FINAL)],
    "renamed": [
        (FIELD, f'    track_diversity: Annotated[bool, Was("{NAME}", since="0.3")] = True\n'),
        ("\nfrom .engine.schema", "\nfrom .engine.declarations import Was\nfrom .engine.schema"),
    ],
}
FIELDS: dict[str, set[str]] = {
    "today": {NAME},
    "more": {NAME, "evaluation.track_seed"},
    "fewer": set(),
    "reordered": {NAME},
    "renamed": {"evaluation.track_diversity"},
}
PICKLE = """
import pickle, sys, acbo_settings
config = acbo_settings.load_training_config("/dev/null", environ={
    "ACBO_EXPLORATION__INITIAL_TEMPERATURE": "3", "ACBO_EXPLORATION__FINAL_TEMPERATURE": "0.5"})
open("config.pickle", "wb").write(pickle.dumps(config))
"""
UNPICKLE = """
import pickle, acbo_settings
config = pickle.load(open("config.pickle", "rb"))
print(acbo_settings.__version__, config.exploration.initial_temperature, config.exploration.final_temperature)
acbo_settings.validate_training_config(config)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel of each class, with a version of its own."""
    if not (TODAY / "pyproject.toml").exists():
        pytest.skip("needs the sources")
    built = {}
    for number, (name, edits) in enumerate(CLASSES.items(), 3):
        sources = tmp_path_factory.mktemp(name)
        shutil.copytree(
            TODAY / "acbo_settings", sources / "acbo_settings", ignore=shutil.ignore_patterns("__pycache__")
        )
        for file in ("pyproject.toml", "README.md"):
            shutil.copy(TODAY / file, sources)
        replace_in(sources / "acbo_settings/__init__.py", acbo_settings.__version__, f"0.{number}.0")
        for old, new in edits:
            replace_in(sources / "acbo_settings/config.py", old, new)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
        subprocess.run(command, cwd=sources, check=True, capture_output=True, timeout=120)
        [built[name]] = (sources / "dist").glob("*.whl")
    return built


def replace_in(path: Path, old: str, new: str) -> None:
    """Write something else in a file, which must hold it."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.heavy
@pytest.mark.parametrize("second", CLASSES)
@pytest.mark.parametrize("first", CLASSES)
def test_a_run_goes_on_under_a_version_with_another_class(first: str, second: str, wheels: dict[str, Path]) -> None:
    """What is new has its default, what was renamed is read, and what is not known is refused but for replace."""
    read = {name: FIELDS[name] | ({NAME} if name == "renamed" else set()) for name in CLASSES}
    refused = FIELDS[first] - read[second]
    given = {"ACBO_TOTAL_STEPS": "7000", "ACBO_EXPLORATION__FINAL_TEMPERATURE": "0.5"}
    both = {"ACBO_EVALUATION__TRACK_INTERVENTION_DIVERSITY": "no"} if NAME in read[first] & read[second] else {}
    frozen = start(wheels[first], "error", **given, **both)
    assert frozen.returncode == 0, frozen.stderr
    content = Path("run/acbo.frozen.toml").read_bytes()
    for on_change in ("error", "keep"):
        resumed = start(wheels[second], on_change, **given, **both)
        if refused:
            assert resumed.returncode == 1
            assert all(f"\n  {name}: " in resumed.stderr for name in refused)
            assert f"acbo-settings {frozen.stdout.split()[0]} wrote it" in resumed.stderr
            assert ("it is always tracked" in resumed.stderr) == (second == "fewer" and NAME in refused)
        else:
            assert (resumed.returncode, resumed.stdout.split()[2]) == (0, "7000"), resumed.stderr
            has_same_fields = FIELDS[first] == FIELDS[second]
            assert (resumed.stdout.split()[1] == frozen.stdout.split()[1]) == has_same_fields
        assert Path("run/acbo.frozen.toml").read_bytes() == content
    replaced = start(wheels[second], "replace", **given, **both)
    assert replaced.returncode == 0, replaced.stderr
    assert (Path("run/acbo.frozen.toml").read_bytes() == content) == (not refused)
    assert start(wheels[second], "error", **given, **both).stdout == replaced.stdout


@pytest.mark.heavy
@pytest.mark.parametrize("second", CLASSES)
@pytest.mark.parametrize("first", CLASSES)
def test_a_pickle_of_another_class_is_right_or_refused(first: str, second: str, wheels: dict[str, Path]) -> None:
    """By the names of fields: a new one has its default, one that is not known is a TypeError that names it."""
    environment = {"PYTHONPATH": str(wheels[first]), "PATH": os.defpath}
    subprocess.run([sys.executable, "-c", PICKLE], env=environment, check=True, timeout=60)
    environment["PYTHONPATH"] = str(wheels[second])
    ran = subprocess.run([sys.executable, "-c", UNPICKLE], env=environment, capture_output=True, text=True, timeout=60)
    if FIELDS[first] <= FIELDS[second]:
        assert ran.stdout.split()[1:] == ["3.0", "0.5"], ran.stderr
    else:
        assert "TypeError: EvaluationConfig.__init__() got an unexpected keyword argument 'track_" in ran.stderr
