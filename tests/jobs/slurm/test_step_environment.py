"""What each step of the corpus really gets in SLURM, against what was worked out from its script."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.part import Part
from acbo_settings.jobs.slurm.batch_script import read_script

from ...strategies import SCHEMA
from ..corpus import SCRIPTS, Case, read_cases, write_files

LAUNCHERS = ("python", "python3", "torchrun", "accelerate", "deepspeed", "apptainer", "singularity", "acbo-settings")
OTHERS = (
    "uv",
    "poetry",
    "conda",
    "mamba",
    "module",
    "nvidia-smi",
    "git",
    "pip",
    "make",
    "ray",
    "wandb",
    "rsync",
    "sleep",
)
PATIENCE = 240.0


class Given(NamedTuple):
    """What one process got: the variables of the package, and its working directory."""

    environ: Mapping[str, str | None]
    directory: str | None

    def fits(self, part: Given) -> bool:
        """Whether it is what was worked out; None stands for what only the job knows."""
        known = {name: text for name, text in part.environ.items() if text is not None}
        is_same = {**self.environ, **known} == self.environ and set(self.environ) <= set(part.environ)
        return is_same and part.directory in (None, self.directory)


def worked_out(part: Part) -> Given:
    """What was worked out for a step."""
    ours = {name: text for name, text in part.environ.items() if name.upper().startswith("ACBO_")}
    known = {
        name: None if name in part.variables and not part.variables[name].is_known else text
        for name, text in ours.items()
    }
    directory = part.surroundings.directory
    return Given(known, directory and os.path.realpath(directory))


def make_stubs(folder: Path, record: Path) -> None:
    """Programs that only note what they get, if they are to train, and others that do nothing."""
    lines = [
        "#!/bin/sh",
        'case "$1:$2" in -c:*|-:*|:*|-V:*|--version:*|-m:pip|-m:venv) exit 0 ;; esac',
        'case "$0:$1" in *acbo-settings:freeze) ;; *acbo-settings:*) exit 0 ;; esac',
        f"file=$(/bin/mktemp {record}/XXXXXXXX)",
        "/bin/cat /proc/$$/environ > $file",
        "/bin/readlink /proc/$$/cwd > $file.directory",
    ]
    for name in (*LAUNCHERS, *OTHERS, "sleep"):
        text = "\n".join(lines) if name in LAUNCHERS else "#!/bin/sh"
        (folder / name).write_text(f"{text}\nexit 0\n")
        (folder / name).chmod(0o755)


def recorded(record: Path) -> list[Given]:
    """What the programs of one job noted."""
    found = []
    for file in (file for file in record.iterdir() if not file.suffix):
        pairs = (pair.partition("=") for pair in file.read_bytes().decode().split("\0"))
        environ = {name: text for name, _, text in pairs if name.upper().startswith("ACBO_")}
        found.append(Given(environ, file.with_suffix(".directory").read_text().strip()))
    return found


class Submitted(NamedTuple):
    """A script that was submitted, and what its steps are to get."""

    case: Case
    record: Path
    parts: Sequence[Given]
    is_straight: bool


def submit(case: Case, place: Path, slurm: Mapping[str, str]) -> Submitted:
    """Submit the script of a case, in a directory of its own."""
    home, record, stubs = place / "work", place / "record", place / "bin"
    for folder in (home, record, stubs):
        folder.mkdir(parents=True)
    make_stubs(stubs, record)
    os.chdir(home)
    write_files(case.facts.get("files", {"acbo.toml": ""}))
    text = (SCRIPTS / f"{case.name}.sbatch").read_bytes().decode()
    Path("job.sbatch").write_bytes(text.encode())
    environ = {"HOME": str(home), "USER": "root", **slurm, **case.facts.get("environ", {})}
    environ["PATH"] = f"{stubs}:{environ['PATH']}"
    options = case.facts.get("options", [])
    job = read_script(SCHEMA, Document("job.sbatch", text), options, environ)
    subprocess.run(
        ["sbatch", "--no-requeue", *options, "job.sbatch"], env=environ, capture_output=True, timeout=30, check=False
    )
    parts = [worked_out(part) for part in job.parts if not part.alone]
    words = ("if ", "for ", "case ", "while ", "until ", "&&", "||", "() {", "--array", "exec ")
    return Submitted(case, record, parts, not any(word in text for word in words))


def mismatches(submitted: Submitted) -> list[str]:
    """What steps got that was not worked out, and what was worked out and no step got."""
    found, parts = recorded(submitted.record), submitted.parts
    wrong = [each for each in found if not any(each.fits(part) for part in parts)]
    told = [f"{submitted.case}: a step got {each}, expected was one of {parts}" for each in wrong]
    if submitted.is_straight and found:
        missing = [part for part in parts if not any(each.fits(part) for each in found)]
        told += [f"{submitted.case}: no step got {part}" for part in missing]
    return told


@pytest.mark.heavy
@pytest.mark.debian
def test_steps_get_in_slurm_what_was_worked_out(slurm: dict[str, str], tmp_path: Path) -> None:
    """Each script of the corpus that ends by itself gives its steps the variables and the directory that were told."""
    cases = [case for case in read_cases(SCRIPTS) if case.facts.get("runs", True)]
    submitted = [submit(case, tmp_path / case.name, slurm) for case in cases]
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        waiting = subprocess.run(["squeue", "-h"], env=slurm, capture_output=True, text=True, timeout=30, check=False)
        if waiting.returncode == 0 and not waiting.stdout:
            break
        time.sleep(1)
    told = [sentence for each in submitted for sentence in mismatches(each)]
    assert "\n".join(told) == ""
    ran = [each for each in submitted if recorded(each.record)]
    assert len(ran) > 0.8 * len(cases), "too few scripts started a step"
