"""Which kind of job file a text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.jobs.job_file import MANIFEST, SCRIPT, find_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("#!/bin/bash\necho\n", SCRIPT),
        ("#!/usr/bin/env python3\n", SCRIPT),
        ("\ufeff#!/bin/bash\n", SCRIPT),
        ("\n#SBATCH --ntasks=1\nsrun x\n", SCRIPT),
        ("apiVersion: v1\nkind: Pod\n", MANIFEST),
        ("# a comment\n---\nkind: Job\nmetadata: {}\napiVersion: batch/v1\n", MANIFEST),
        ('{"apiVersion": "v1", "kind": "Pod"}', MANIFEST),
        ('"apiVersion": v1\n"kind": Pod\n', MANIFEST),
        ("total_steps = 7000\n", None),
        ("#:schema ./acbo.schema.json\ntotal_steps = 7000\n", None),
        ('[metadata]\nkind = "Pod"\napiVersion = "v1"\n', None),
        ("group_size: 4\n", None),
        ("", None),
    ],
)
def test_a_file_is_told_by_its_content(text: str, kind: str | None) -> None:
    """A script has an interpreter or a directive, a manifest its version and kind; anything else is taken for TOML."""
    assert find_kind(text) == kind


@given(st.text())
def test_any_text_is_of_some_kind_or_none(text: str) -> None:
    """No text is a reason to fail."""
    assert find_kind(text) in (SCRIPT, MANIFEST, None)
