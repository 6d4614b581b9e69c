"""What became of a run: started, and done. Each is a small file beside the frozen one, which it belongs to.

It holds the mark of that: when the run is frozen anew, what was said of the old configuration does not count.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from time import gmtime, strftime

from ..frozen import load_frozen, mark_in
from ..frozen_sweep import FrozenPoint, read_sweep
from ..inputs import read_if_there
from ..launcher import is_first_rank, is_index, job_number, restart_count
from ..run_arguments import Point, point_directory
from ..schema import Schema
from .durable import replace_file, write_many

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
    """Note that a point of a sweep is started, once for each start of its job; only the first rank does."""
    if not is_first_rank(environ):
        return
    job = job_number(environ)
    facts = {"frozen": point.mark, "host": os.uname().nodename, "job": job, "restarts": restart_count(environ)}
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


def mark_many_done(schema: Schema, directories: Iterable[str]) -> Iterator[str]:
    """Note that many runs are done, all of which have to be there; the names of the files, each once it is written."""
    frozen = [(directory, load_frozen(schema, directory).mark) for directory in directories]
    name = schema.application.done_name
    return write_many((os.path.join(directory, name), _content("done", {"frozen": mark})) for directory, mark in frozen)


def mark_done(schema: Schema, directory: str, mark: str = "") -> None:
    """Note that a run is done; ConfigurationError when there is no such run, or it cannot be written.

    `mark` is that of the frozen file with which it was trained, which may not be there any more.
    """
    frozen = load_frozen(schema, directory)
    _write(os.path.join(directory, schema.application.done_name), "done", {"frozen": mark or frozen.mark})


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
        started = Started(facts) if facts.get("frozen") == point.mark else None
        yield PointState(point, directory, started, _is_done(schema, directory, point.mark, pattern))


def has_own_file(schema: Schema, sweep: str, point: FrozenPoint) -> bool:
    """Whether the frozen file in the directory of a point is the one that the sweep was frozen with."""
    try:
        return mark_in(os.path.join(point_directory(sweep, point.number), schema.application.frozen_name)) == point.mark
    except ValueError:  # a ConfigurationError
        return False


def _is_done(schema: Schema, directory: str, mark: str, pattern: str | None) -> bool:
    """Whether somebody has said that a run with this frozen file is done, or a file says so."""
    if _read(os.path.join(directory, schema.application.done_name)).get("frozen") == mark:
        return True
    return pattern is not None and _has_file(schema, directory, pattern)


def _has_file(schema: Schema, directory: str, pattern: str) -> bool:
    """Whether the run has made a file that matches the pattern, and since it was frozen anew, if it was."""
    from glob import iglob

    application = schema.application
    stem = application.frozen_name.removesuffix("toml")
    own = (application.started_name, application.done_name)
    kept = [name for name in iglob(f"{stem}*.toml", root_dir=directory) if name != application.start_name]
    frozen = os.path.join(directory, application.frozen_name)
    since = os.stat(frozen).st_mtime_ns if kept and os.path.exists(frozen) else 0
    found = (name for name in iglob(pattern, root_dir=directory) if name not in own and not name.startswith(stem))
    return any(os.lstat(os.path.join(directory, name)).st_mtime_ns > since for name in found)


def _write(name: str, what: str, facts: Mapping[str, Any]) -> None:
    replace_file(name, _content(what, facts))


def _content(what: str, facts: Mapping[str, Any]) -> bytes:
    told = {**facts, "time": strftime("%Y-%m-%dT%H:%M:%S+00:00", gmtime())}
    lines = [f"{key} = {fact}" if isinstance(fact, int) else f'{key} = "{_plain(fact)}"' for key, fact in told.items()]
    lines = [f"# This run is {what}, with the frozen file that has this mark.", *lines]
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
