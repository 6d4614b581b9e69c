"""What launchers tell a process of itself."""

from __future__ import annotations

import pytest

from acbo_settings.engine.launcher import (
    RANKS,
    array_index,
    is_first_rank,
    is_index,
    job_number,
    rank_number,
    restart_count,
)


@pytest.mark.parametrize("name", RANKS)
def test_the_first_rank_speaks_for_all(name: str) -> None:
    """A process is the first one unless a launcher gave it another number than 0."""
    assert [is_first_rank(each) for each in ({}, {name: "0"}, {name: "12"})] == [True, True, False]
    assert [rank_number(each) for each in ({}, {name: " 3 "}, {name: "x"})] == [None, 3, None]


def test_an_array_tells_its_number() -> None:
    """SLURM before Kubernetes; what is no number is told of as it is."""
    both = {"SLURM_ARRAY_TASK_ID": "3", "JOB_COMPLETION_INDEX": "7"}
    assert array_index(both) == ("SLURM_ARRAY_TASK_ID", "3")
    assert array_index(both | {"SLURM_ARRAY_TASK_ID": ""}) == ("JOB_COMPLETION_INDEX", "7")
    for text in ("-1", "x", "³", "1" * 10, "4294967294"):
        assert array_index({"SLURM_ARRAY_TASK_ID": text}) == ("SLURM_ARRAY_TASK_ID", text)
        assert not is_index(text)


def test_a_job_has_the_number_that_slurm_takes() -> None:
    """That of the array and of the task, or that of the job; elsewhere there is none."""
    assert [job_number({}), job_number({"SLURM_JOB_ID": "9"})] == ["", "9"]
    task = {"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"}
    assert job_number(task) == "7_3"
    assert [restart_count({}), restart_count({"SLURM_RESTART_COUNT": "2"})] == [0, 2]
