"""What a crash can leave of a run's directory, worked out from the system calls of real starts, as ALICE does it.

The calls of a start are recorded. At each of them the machine may stop: then a file has its content for certain only
when it was flushed, and a name is there, or gone, for certain only when its directory was flushed afterwards. Of what
was not flushed, any part may have reached the disk. Every such state is built here and looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

pytestmark = [pytest.mark.heavy, pytest.mark.debian]

TRACED = "openat,write,fsync,link,rename,renameat2,unlink,mkdir"
CHANGES = ("create", "link", "rename", "unlink", "mkdir")
LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")


class Step(NamedTuple):
    """One system call: what it does, to which path, and to which other one."""

    call: str
    path: str
    target: str = ""


class State(NamedTuple):
    """What lies on the disk after a crash: the file that each name leads to; and the files that may be torn."""

    names: Mapping[str, str]
    torn: frozenset[str]


def record(program: str, root: Path, **environ: str) -> list[Step]:
    """The system calls of a Python program in a directory and below, those that failed left out."""
    trace = root.parent / f"{root.name}.trace"
    command = ["strace", "-f", "-y", "-s", "0", "-e", f"trace={TRACED}", "-o", str(trace)]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path), **environ}
    subprocess.run([*command, sys.executable, "-c", program], cwd=root, env=environment, check=True, timeout=60)
    lines = (LINE.match(line) for line in trace.read_text(errors="replace").splitlines())
    steps = (_step_of(match[1], match[2], str(root)) for match in lines if match and int(match[3]) >= 0)
    return [step for step in steps if step and step.path.startswith(str(root))]


def _step_of(call: str, arguments: str, root: str) -> Step | None:
    paths = [os.path.join(root, path) for path in re.findall(r'"([^"]*)"', arguments)]
    opened = re.match(r"\d+<([^>]*)>", arguments)
    if call in ("write", "fsync"):
        return Step(call, opened[1]) if opened else None
    if call == "openat":
        return Step("create", paths[0]) if "O_CREAT" in arguments else None
    return Step("rename" if call == "renameat2" else call, *paths[:2]) if paths else None


def states(steps: Sequence[Step], before: Mapping[str, str]) -> Iterator[tuple[int, State]]:
    """Every state that a crash can leave, with the number of calls that were made by then."""
    for count in range(len(steps) + 1):
        done = steps[:count]
        changes = [number for number, step in enumerate(done) if step.call in CHANGES]
        certain = {number for number in changes if _is_flushed(done, number)}
        open_ones = [number for number in changes if number not in certain]
        torn = frozenset(step.path for step in done if step.call == "create" and not _has_content(done, step.path))
        for lucky in product((False, True), repeat=len(open_ones)):
            kept = certain | {number for number, is_kept in zip(open_ones, lucky, strict=True) if is_kept}
            yield count, State(_names(done, kept, before), torn)


def _is_flushed(done: Sequence[Step], number: int) -> bool:
    """Whether the directory of a name was flushed after the name had changed."""
    step = done[number]
    directory = os.path.dirname(step.target or step.path)
    return any(later.call == "fsync" and later.path == directory for later in done[number:])


def _has_content(done: Sequence[Step], path: str) -> bool:
    """Whether a file was flushed after it was written for the last time."""
    calls = [step.call for step in done if step.path == path and step.call in ("write", "fsync")]
    return bool(calls) and calls[-1] == "fsync"


def _names(done: Sequence[Step], kept: set[int], before: Mapping[str, str]) -> dict[str, str]:
    """The names on the disk when these changes of names have reached it; what lies in no directory is not there."""
    names, files = dict(before), dict(before)
    for number, step in enumerate(done):
        if step.call in ("create", "mkdir"):
            files[step.path] = step.path
        elif step.call in ("link", "rename"):
            files[step.target] = files[step.path]
        if number not in kept:
            continue
        if step.call in ("unlink", "rename"):
            names.pop(step.path, None)
        if step.call != "unlink":
            names[step.target or step.path] = files[step.target or step.path]
    return {path: file for path, file in names.items() if _is_reachable(path, names, files)}


def _is_reachable(path: str, names: Mapping[str, str], made: Mapping[str, str]) -> bool:
    """Whether all directories above that were made by the calls are there."""
    above = os.path.dirname(path)
    return above not in made or (above in names and _is_reachable(above, names, made))


START = "import acbo_settings; acbo_settings.load_training_config('/dev/null', run_dir='{}', on_change='{}')"


def check(steps: Sequence[Step], before: Mapping[str, str], name: str) -> int:
    """Look at every state: a name leads to a whole file or to none, and to one when the start has returned."""
    looked_at = 0
    for count, state in states(steps, before):
        looked_at += 1
        if name in state.names:
            assert state.names[name] not in state.torn, (count, state)
        assert name in state.names or (count < len(steps) and name not in before), (count, state)
    return looked_at


@pytest.mark.parametrize("run_dir", ["run", "parent/deep/run"])
def test_a_crash_leaves_no_torn_file_of_a_first_start(run_dir: str, tmp_path: Path) -> None:
    """In a directory that is made with its parents too: the file may be missing until the start returns."""
    steps = record(START.format(run_dir, "error"), tmp_path)
    assert [step.call for step in steps].count("fsync") >= 2 + run_dir.count("/")
    looked_at = check(steps, {}, str(tmp_path / run_dir / "acbo.frozen.toml"))
    print(f"{len(steps)} system calls, {looked_at} states")
    assert looked_at > len(steps)


def test_a_crash_loses_no_configuration_that_is_replaced(tmp_path: Path) -> None:
    """The name leads to the old file or to the new one, whole, and each has its kept name before the old one goes."""
    subprocess.run([sys.executable, "-c", START.format("run", "error")], cwd=tmp_path, check=True, timeout=60)
    run = tmp_path / "run"
    name = str(run / "acbo.frozen.toml")
    steps = record(START.format("run", "replace"), tmp_path, ACBO_TOTAL_STEPS="7000")
    before = {str(run): str(run), name: "the old file"}
    looked_at = check(steps, before, name)
    kept_names = [step.target for step in steps if step.call == "link"]
    assert len(kept_names) == 2
    for count, state in states(steps, before):
        is_new = state.names[name] != "the old file"
        whole = {path for path, file in state.names.items() if file not in state.torn}
        assert not is_new or set(kept_names) <= whole, (count, state)
    print(f"{len(steps)} system calls, {looked_at} states")


def test_a_start_that_loses_the_race_returns_with_a_file_that_stays(tmp_path: Path) -> None:
    """The winner may not have flushed the name yet: the loser does it before it returns."""
    run = tmp_path / "run"
    name = run / "acbo.frozen.toml"
    program = f"from acbo_settings.engine.runs import durable; assert not durable.write_once({str(name)!r}, b'second')"
    run.mkdir()
    name.write_text("first")
    steps = record(program, tmp_path)
    unflushed = [Step("create", f"{run}/other.tmp"), Step("fsync", f"{run}/other.tmp")]
    unflushed.append(Step("link", f"{run}/other.tmp", str(name)))
    ended = [state for count, state in states([*unflushed, *steps], {str(run): str(run)}) if count == len(steps) + 3]
    assert all(str(name) in state.names for state in ended)


def test_a_flush_that_is_left_out_is_found(tmp_path: Path) -> None:
    """Without the flush of the file, or of its directory, there are states that the checks above refuse."""
    steps = record(START.format("run", "error"), tmp_path)
    flushes = [number for number, step in enumerate(steps) if step.call == "fsync"]
    name = str(tmp_path / "run/acbo.frozen.toml")
    for number in (flushes[-2], flushes[-1]):
        with pytest.raises(AssertionError):
            check([*steps[:number], *steps[number + 1 :]], {}, name)
