"""Runs across real versions of the package: what one has frozen, the other starts with."""

from __future__ import annotations

import os
import pickle
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
