"""`env`: every variable, in three forms."""

from __future__ import annotations

import json
from collections.abc import Callable

from acbo_settings.reference import variables

from ..command_line import run, told
from ..strategies import SCHEMA

AssertReport = Callable[[str, str], None]


def test_env_lists_every_variable(assert_report: AssertReport) -> None:
    """The table, Markdown and JSON hold the same variables; without a terminal each is one line of the table."""
    assert_report("env", told("env"))
    lines = run("env", COLUMNS="").stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == ["VARIABLE", *(row.name for row in variables(SCHEMA))]
    assert run("env", "--format", "markdown").stdout.decode().count("\n| `ACBO_") == len(variables(SCHEMA))
    rows = json.loads(run("env", "--format", "json").stdout)
    assert rows == [row._asdict() for row in variables(SCHEMA)]
