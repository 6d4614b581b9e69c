"""What became of a run: started, and done. Each is a small file beside the frozen one, which it belongs to.

It holds the seal of that: when the run is frozen anew, what was said of the old configuration does not count.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from time import gmtime, strftime

from ..frozen import load_frozen, seal_in, unusable
from ..frozen_sweep import FrozenPoint, read_sweep
from ..inputs import encode_path, read_if_there
from ..launcher import is_index, job_number, restart_count
from ..run_arguments import Point, point_directory
from ..schema import Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Started:
    """Who has started a run last: the host, the job if there is one, how often it was requeued, and when."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.host = str(facts.get("host", ""))
        self.job = str(facts.get("job", ""))
        restarts = facts.get("restarts")
        self.restarts: int = restarts if isinstance(restarts, int) else 0
        self.time = str(facts.get("time", ""))


def mark_started(schema: Schema, point: Point, environ: Mapping[str, str]) -> None:
    """Note that a point of a sweep is started, once for each start of its job; the first rank does it for all."""
    job = job_number(environ)
    facts = {"frozen": point.seal, "host": os.uname().nodename, "job": job, "restarts": restart_count(environ)}
    name = os.path.join(point.run_dir, schema.application.started_name)
    before = _read(name)
    if job and all(before.get(key) == fact for key, fact in facts.items()):
        return
    try:
        _write(name, "started", facts)
    except ValueError as error:  # a ConfigurationError: the task can train all the same
        from ..loading.resolved import warn

        problems = getattr(error, "problems", ())
        warn([problem.replace(severity="advice") for problem in problems], environ)


def mark_points_done(schema: Schema, sweep: str, points: Sequence[FrozenPoint]) -> Iterator[str]:
    """Note that points of a sweep are done; the names of the files, each once it is written.

    ConfigurationError, before any is written, when one has not the frozen file that the sweep was frozen with.
    """
    for point in points:
        if not has_own_file(schema, sweep, point):
            message = "has not the frozen file that the sweep was frozen with"
            raise unusable(point_directory(sweep, point.number), message, "freeze the sweep again")
    from .durable import write_many

    name = schema.application.done_name
    return write_many(
        (os.path.join(point_directory(sweep, point.number), name), _content("done", {"frozen": point.seal}))
        for point in points
    )


def mark_done(schema: Schema, directory: str, seal: str = "") -> None:
    """Note that a run is done; ConfigurationError when there is no such run, or it cannot be written.

    `seal` is that of the frozen file with which it was trained, which may not be there any more.
    """
    frozen = load_frozen(schema, directory)
    _write(os.path.join(directory, schema.application.done_name), "done", {"frozen": seal or frozen.seal})


class PointState:
    """What became of a point of a sweep: its name is "waiting", "started", "done" or "retired"."""

    def __init__(self, point: FrozenPoint, directory: str, started: Started | None, is_done: bool) -> None:
        self.point = point
        self.directory = directory
        self.started = started
        self.name = "retired" if point.is_retired else "done" if is_done else "started" if started else "waiting"


def find_states(
    schema: Schema, sweep: str, pattern: str | None = None, with_retired: bool = False
) -> Iterator[PointState]:
    """The state of each point of a sweep; a file in its directory that matches the pattern says that it is done.

    ConfigurationError when there is no such sweep.
    """
    frozen = read_sweep(schema, sweep)
    for point in frozen.points if with_retired else frozen.active:
        directory = point_directory(sweep, point.number)
        facts = _read(os.path.join(directory, schema.application.started_name))
        started = Started(facts) if facts.get("frozen") == point.seal else None
        yield PointState(point, directory, started, _is_done(schema, directory, point.seal, pattern))


def has_own_file(schema: Schema, sweep: str, point: FrozenPoint) -> bool:
    """Whether the frozen file in the directory of a point is the one that the sweep was frozen with."""
    try:
        return seal_in(os.path.join(point_directory(sweep, point.number), schema.application.frozen_name)) == point.seal
    except ValueError:  # a ConfigurationError
        return False


def _is_done(schema: Schema, directory: str, seal: str, pattern: str | None) -> bool:
    """Whether somebody has said that a run with this frozen file is done, or a file says so."""
    if _read(os.path.join(directory, schema.application.done_name)).get("frozen") == seal:
        return True
    return pattern is not None and _has_file(schema, directory, pattern)


def objection_to(pattern: str | None) -> str:
    """Why a text can be no pattern of files in the directory of a point; empty when it can."""
    if pattern is None or not (os.path.isabs(pattern) or ".." in pattern.split(os.sep) or not pattern.strip(". /")):
        return ""
    return "is a pattern of files in the directory of each point, and cannot lead out of it"


def _has_file(schema: Schema, directory: str, pattern: str) -> bool:
    """Whether the run has made a file that matches the pattern, since the run was frozen."""
    from glob import iglob

    application = schema.application
    stem = application.frozen_name.removesuffix("toml")
    own = (application.started_name, application.done_name)
    found = map(os.path.normpath, iglob(pattern, root_dir=directory, recursive=True))
    made = [name for name in found if name not in own and not name.startswith(stem) and name != os.curdir]
    since = _frozen_at(os.path.join(directory, application.frozen_name)) if made else 0
    return any(_modified(os.path.join(directory, name)) >= since for name in made)


def _frozen_at(name: str) -> float:
    """When a run was frozen, as its file says: the time of the file itself would be that of a copy."""
    from datetime import datetime

    file = read_if_there(name)
    content = file.content.decode("utf-8", "replace") if file else ""
    texts = [line[8:-1] for line in content.split("\n") if line.startswith('time = "')]
    try:
        return datetime.fromisoformat(texts[-1]).timestamp()
    except (IndexError, ValueError):
        return 0


def _modified(name: str) -> float:
    """When a file was changed; before everything for one that is gone, as checkpoints that take turns are."""
    try:
        return os.stat(encode_path(name)).st_mtime
    except (OSError, ValueError):
        return -1


def _write(name: str, what: str, facts: Mapping[str, Any]) -> None:
    from .durable import replace_file  # which a start that has noted it already need not import

    replace_file(name, _content(what, facts))


def _content(what: str, facts: Mapping[str, Any]) -> bytes:
    told = {**facts, "time": strftime("%Y-%m-%dT%H:%M:%S+00:00", gmtime())}
    lines = [f"{key} = {fact}" if isinstance(fact, int) else f'{key} = "{_plain(fact)}"' for key, fact in told.items()]
    lines = [f"# This run is {what}, with the frozen file that has this seal.", *lines]
    return "\n".join([*lines, ""]).encode()


def _plain(text: str) -> str:
    """A name without what TOML would want escaped: writing all of it takes more imports than a start has."""
    return "".join(character for character in text if character.isprintable() and character not in '"\\')


def _read(name: str) -> dict[str, Any]:
    """What such a file holds; nothing where there is none, or it cannot be read: then it says nothing."""
    file = read_if_there(name)
    if file is None or file.error:
        return {}
    found: dict[str, Any] = {}
    for line in file.content.decode("utf-8", "replace").split("\n"):
        key, equals, text = line.partition(" = ")
        if equals and not key.startswith("#"):
            found[key] = text[1:-1] if text.startswith('"') else int(text) if is_index(text) else text
    return found
