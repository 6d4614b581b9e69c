"""What launchers tell a process of itself: its number among the ranks, and in an array, and its job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

RANKS = ("SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "RANK")
"""The variables in which launchers tell a process its number among the ranks of a job."""

SLURM_TASK = "SLURM_ARRAY_TASK_ID"
"""The variable in which SLURM tells a task of an array its number."""

INDICES = (SLURM_TASK, "JOB_COMPLETION_INDEX")
"""The variables in which SLURM and Kubernetes tell a task of an array, or of an Indexed Job, its number."""


def rank_number(environ: Mapping[str, str]) -> int | None:
    """The number of this process among the ranks of its job, as its launcher tells it; None where none does.

    >>> rank_number({"SLURM_PROCID": "3"}), rank_number({})
    (3, None)
    """
    texts = [str(environ.get(name) or "").strip() for name in RANKS]
    return next((int(text) for text in texts if text.isascii() and text.isdecimal()), None)


def is_first_rank(environ: Mapping[str, str]) -> bool:
    """Whether this process is the one that speaks for all ranks: no launcher gave it a number other than 0.

    >>> is_first_rank({"SLURM_PROCID": "0"}), is_first_rank({"RANK": "3"})
    (True, False)
    """
    return all(str(environ.get(name) or "0").strip() == "0" for name in RANKS)


def is_index(text: str) -> bool:
    """Whether a text is the number of a point or of a task."""
    return text.isascii() and text.isdecimal() and len(text) < 10


def indices_in(text: str) -> Iterator[int]:
    """The numbers of a list of points, or of tasks, as people write it.

    >>> list(indices_in("3, 17-19"))
    [3, 17, 18, 19]
    """
    for run in filter(None, text.split(",")):
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)


def array_index(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The variable that tells this process its number in an array, and its text, be it one or not; None without any.

    >>> array_index({"JOB_COMPLETION_INDEX": "7"})
    ('JOB_COMPLETION_INDEX', '7')
    """
    told = ((name, str(environ.get(name) or "").strip()) for name in INDICES)
    return next(((name, text) for name, text in told if text), None)


def job_number(environ: Mapping[str, str]) -> str:
    """The number of the job as the commands of SLURM take it; empty elsewhere.

    >>> job_number({"SLURM_JOB_ID": "9", "SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "3"})
    '7_3'
    """
    array, task = environ.get("SLURM_ARRAY_JOB_ID"), environ.get(SLURM_TASK)
    return f"{array}_{task}" if array and task else environ.get("SLURM_JOB_ID") or ""


def restart_count(environ: Mapping[str, str]) -> int:
    """How often SLURM has started the job again."""
    text = environ.get("SLURM_RESTART_COUNT") or "0"
    return int(text) if is_index(text) else 0
