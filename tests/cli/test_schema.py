"""`schema`: the JSON Schema on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable

from acbo_settings import json_schema

from ..command_line import run

AssertReport = Callable[[str, str], None]


def test_schema_prints_the_schema() -> None:
    """What is printed is what the function returns."""
    assert json.loads(run("schema").stdout) == json_schema()
