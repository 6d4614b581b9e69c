"""Batch scripts: what each step is given, and what is said of a script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from acbo_settings.cli.checked_job import check_jobs
from acbo_settings.engine.toml_document import Document

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
