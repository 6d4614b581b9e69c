"""Batch scripts: what each step is given, and what is said of a script."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.cli.checked_job import check_jobs
from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.part import Part
from acbo_settings.jobs.slurm.batch_script import read_script

from ...strategies import SCHEMA
from ..corpus import SCRIPTS, Case, find_mismatches, read_cases, report_of, write_files

AssertReport = Callable[[str, str], None]

SHELL = {"PATH": "/usr/bin:/bin", "HOME": "/home/researcher", "USER": "researcher"}


@pytest.mark.parametrize("case", read_cases(SCRIPTS), ids=str)
def test_what_is_said_of_a_script(case: Case, assert_report: AssertReport) -> None:
    """Each script of the corpus has its mistakes told at their lines, and nothing else."""
    name = f"{case.name}.sbatch"
    Path("acbo.toml").unlink()
    write_files(case.facts.get("files", {"acbo.toml": ""}))
    document = Document(name, (SCRIPTS / name).read_bytes().decode())
    shell = SHELL | case.facts.get("environ", {})
    checked = list(check_jobs(SCHEMA, [document], case.facts.get("options", ()), shell))
    assert find_mismatches(case, name, checked) == []
    if case.finds:
        assert_report(f"scripts/{case.name}", report_of(checked))


LINES = [line for case in read_cases(SCRIPTS) for line in (SCRIPTS / f"{case.name}.sbatch").read_text().split("\n")]


@given(st.lists(st.sampled_from(LINES) | st.text(max_size=30), max_size=30))
def test_no_text_is_a_reason_to_fail(lines: list[str]) -> None:
    """Lines of scripts in any order, with anything between them, are read to the end."""
    read_script(SCHEMA, Document("job.sbatch", "\n".join(["#!/bin/bash", *lines])), (), SHELL)


def test_no_character_ends_the_process() -> None:
    """The scanner of the parser would read behind its table for the highest characters; a crash comes by chance."""
    program = "from acbo_settings.jobs.shell.syntax import _parse; [_parse(('{' + chr(n)).encode()) for n in %s]"
    highest = [0x3FFFF, 0x40000, 0xE01EF, 0xF0000, 0xFDD2A, 0x10FFFF]
    for _ in range(4):
        subprocess.run([sys.executable, "-c", program % highest], check=True, timeout=60)


HOSTILE = {
    "nested defaults": "export ACBO_LOG_FREQUENCY=" + "${A:-" * 5000 + "5" + "}" * 5000,
    "exports and steps": "".join(f"export ACBO_METADATA__K{number}=v\nsrun python t.py\n" for number in range(3000)),
    "a long line": "srun python t.py" + " x" * 200_000,
    "a text that doubles": "a=xxxxxxxx\n" + "a=$a$a\n" * 40 + "export ACBO_METADATA__X=$a\nsrun python t.py",
    "a text that runs itself": 'x=\'eval "$x";eval "$x"\'\neval "$x"\nsrun python t.py',
    "a script that reads itself": ". ./job.sbatch\n. ./job.sbatch\nsrun python t.py",
    "a long list of variables": "srun --export=" + ",".join(f"ACBO_METADATA__K{number}=5" for number in range(10_000)),
    "a long chain": "a" + " || export ACBO_LOG_FREQUENCY=5" * 2000 + "\nsrun python t.py",
    "many branches": "".join(f"if a; then export ACBO_LOG_FREQUENCY={number}; fi\n" for number in range(1, 3000)),
    "one deep branch": "if a; then\n" * 3000 + "srun python t.py\n" + "fi\n" * 3000,
    "deep subshells": "( " * 3000 + "srun python t.py" + " )" * 3000,
    "functions that call twice": "".join(f"f{n}() {{ f{n + 1}; f{n + 1}; }}\n" for n in range(40))
    + "f0\nsrun python t.py",
    "what the parser cannot read": "x=``ACBO_)\n" * 5000,
}


@pytest.mark.heavy
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_script_ends_soon(name: str) -> None:
    """A script that means to take all time or memory is read in a few seconds."""
    Path("job.sbatch").write_text(f"#!/bin/bash\n{HOSTILE[name]}\n")
    begun = time.process_time()
    (checked,) = check_jobs(SCHEMA, [Document("job.sbatch", Path("job.sbatch").read_text())], (), SHELL)
    assert time.process_time() - begun < 15
    assert len(checked.parts) < 3000


def part_of(script: str, *options: str, **environ: str) -> Part:
    """What the one step of a script is given."""
    job = read_script(SCHEMA, Document("job.sbatch", f"#!/bin/bash\n{script}\n"), options, SHELL | environ)
    (part,) = (part for part in job.parts if not part.alone)
    return part


def test_a_part_has_its_line_its_variables_and_its_run() -> None:
    """A step is told by its line and command; `freeze` says which run it belongs to."""
    part = part_of("export ACBO_LOG_FREQUENCY=50\nacbo-settings freeze --run-dir runs/17 --may-change total_steps,grpo")
    assert (part.title, part.line) == (
        "line 3: acbo-settings freeze --run-dir runs/17 --may-change total...",
        3,
    )
    assert part.environ["ACBO_LOG_FREQUENCY"] == "50"
    assert str(part.variables["ACBO_LOG_FREQUENCY"]) == "job.sbatch:2"
    assert (part.run_dir, part.on_change, part.may_change) == ("runs/17", None, ("total_steps", "grpo"))


def test_a_script_of_python_is_one_step() -> None:
    """A script for Python has directives too, and is itself what gets them."""
    text = "#!/usr/bin/env python3\n#SBATCH --export=ALL,ACBO_LOG_FREQUENCY=50\nimport trainer\n"
    (part,) = read_script(SCHEMA, Document("job.py", text), (), SHELL).parts
    assert part.title == "the script itself"
    assert part.environ["ACBO_LOG_FREQUENCY"] == "50"


def test_the_directory_is_that_of_check() -> None:
    """A script elsewhere finds its files where `check` is started, as sbatch does."""
    os.mkdir("scripts")
    Path("acbo.toml").write_text("log_frequency = 0\n")
    Path("scripts/acbo.toml").write_text("log_frequency = 5\n")
    (checked,) = check_jobs(SCHEMA, [Document("scripts/job.sbatch", "#!/bin/bash\nsrun python train.py\n")], (), SHELL)
    assert [str(problem.values[0][1].origin) for problem in checked.problems] == ["acbo.toml:1"]
