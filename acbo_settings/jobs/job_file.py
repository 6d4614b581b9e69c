"""Which kind of job file a text is, and what it gives the parts of its job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..engine.problems import file_problem
from ..engine.schema import Schema
from ..engine.toml_document import Document
from .part import Job

SCRIPT, MANIFEST = "batch script", "manifest"
"""The kinds of job files, by what a sentence calls them."""

_MANIFEST = re.compile(
    r"^(?:- )?[\"']?(?:apiVersion[\"']?:.*?^[\"']?kind|kind[\"']?:.*?^[\"']?apiVersion)[\"']?:", re.M | re.S
)


def find_kind(text: str) -> str | None:
    """The kind of job file that a text is, by its content; None for anything else.

    >>> find_kind("#!/bin/bash"), find_kind("total_steps = 7")
    ('batch script', None)
    """
    text = text.removeprefix("\ufeff")
    if text.startswith(("#!", "#SBATCH")) or "\n#SBATCH" in text:
        return SCRIPT
    if _MANIFEST.search(text) or (text.lstrip().startswith("{") and '"apiVersion"' in text and '"kind"' in text):
        return MANIFEST
    return None


def read_jobs(
    schema: Schema, documents: Sequence[Document], arguments: Sequence[str], environ: Mapping[str, str] | None
) -> Iterator[Job]:
    """The job of each file, in their order: all are files of jobs, and manifests know the ConfigMaps of one another.

    `arguments` are those of sbatch, and `environ` is the environment of the shell that submits, if it is known.
    UsageError for what sbatch would not take.
    """
    manifests = [document for document in documents if find_kind(document.text) == MANIFEST]
    read = iter(_read_manifests(schema, manifests))
    for document in documents:
        is_manifest = find_kind(document.text) == MANIFEST
        yield next(read) if is_manifest else _read_script(schema, document, arguments, environ)


def _read_manifests(schema: Schema, documents: Sequence[Document]) -> Iterable[Job]:
    if not documents:
        return []
    try:
        from .kubernetes.manifest import read_manifests
    except ImportError:
        return [_unreadable(document, MANIFEST) for document in documents]
    return read_manifests(schema, documents)


def _read_script(
    schema: Schema, document: Document, arguments: Sequence[str], environ: Mapping[str, str] | None
) -> Job:
    try:
        from .slurm.batch_script import read_script
    except ImportError:
        return _unreadable(document, SCRIPT)
    return read_script(schema, document, arguments, environ)


def _unreadable(document: Document, kind: str) -> Job:
    """What is told without the packages that read such a file."""
    message = f"is a {kind}, and what reads it is not installed"
    return Job((), (file_problem(document.name, message, "pip install 'acbo-settings[jobs]' brings it"),))
