"""Writing the frozen file: whole, once, for good, whatever fails or dies on the way. With real processes and files."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from acbo_settings import ConfigurationError, load_frozen_config, load_training_config
from acbo_settings.engine.frozen import read_frozen
from acbo_settings.engine.runs.durable import write_many, write_once

from ...strategies import SCHEMA

RUN = Path("therun")
FROZEN = RUN / "acbo.frozen.toml"
CONTENT = b"".join(b"line %d\n" % number for number in range(1000))
REFUSED = 3

heavy = pytest.mark.heavy
debian = pytest.mark.debian


def environment(**environ: str) -> dict[str, str]:
    """A clean environment, in which counts of system calls do not change from run to run."""
    python_path = os.pathsep.join(sys.path)
    return {"PATH": os.defpath, "PYTHONPATH": python_path, "PYTHONHASHSEED": "0", **environ}


def run(program: str, *arguments: str, prefix: Sequence[str] = (), **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in the working directory, behind another command if one is given."""
    command = [*prefix, sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment(**environ), capture_output=True, text=True, timeout=60)


START = f"""
import sys
from acbo_settings import ConfigurationError, load_training_config
try:
    print(load_training_config(run_dir="{RUN}").fingerprint)
except ConfigurationError as error:
    print(error)
    sys.exit({REFUSED})
"""
"""A job: it prints the fingerprint that it trains with, or why it does not."""


def litter() -> list[str]:
    """What lies in the run's directory besides the frozen file."""
    return [name for name in os.listdir(RUN) if name != FROZEN.name] if RUN.exists() else []


# Writing once


def test_the_second_writer_changes_nothing() -> None:
    """The name is taken by the first, and the other one is told so."""
    assert write_once(str(FROZEN), b"first") is True
    assert write_once(str(FROZEN), b"second") is False
    assert (FROZEN.read_bytes(), litter()) == (b"first", [])


def failing(name: str, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call of a function of `os` fail, as the kernel would."""

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, name, fail)


@pytest.mark.parametrize("error", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_system_without_hard_links_is_told_so(error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By that name, with the way out, and nothing is left."""
    failing("link", error, monkeypatch)
    with pytest.raises(ConfigurationError, match=r"the file system has no hard links.*on another one"):
        write_once(str(FROZEN), b"first")
    assert litter() == []


def test_no_temporary_file_is_told_of_that_was_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it could not be opened, removing it is not even tried."""
    RUN.mkdir()
    failing("open", errno.EROFS, monkeypatch)
    failing("unlink", errno.EROFS, monkeypatch)
    with pytest.raises(ConfigurationError) as caught:
        write_once(str(FROZEN), b"first")
    assert "is left" not in str(caught.value)


def test_a_lost_race_flushes_the_name_of_the_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who returns with the file of another start returns only when that would survive a crash."""
    write_once(str(FROZEN), b"first")
    flushed: list[int] = []
    fsync = os.fsync

    def note_and_flush(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note_and_flush)
    assert write_once(str(FROZEN), b"second") is False
    assert flushed[-1] == RUN.stat().st_ino


def test_a_directory_that_may_not_be_listed_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names are flushed by the system some time; the file itself is."""
    opened = os.open

    def listing_fails(path: bytes, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECTORY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", listing_fails)
    assert write_once(f"parent/{FROZEN}", b"first")
    assert Path(f"parent/{FROZEN}").read_bytes() == b"first"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0])
def test_a_replaced_file_keeps_its_mode(mask: int) -> None:
    """The umask of the process neither narrows nor widens it, of the kept file neither."""
    load_training_config(run_dir=RUN, environ={})
    FROZEN.chmod(0o660)
    before = os.umask(mask)
    try:
        load_training_config(run_dir=RUN, environ={"ACBO_TOTAL_STEPS": "7000"}, on_change="replace")
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in RUN.iterdir()} == {0o660}


@pytest.mark.parametrize("kind", ["directory", "FIFO", "symbolic link"])
def test_what_is_in_the_place_of_the_file_is_not_touched(kind: str) -> None:
    """A directory, a FIFO, a dangling link in the file's place: nothing is written, and a start is refused."""
    RUN.mkdir()
    if kind == "directory":
        FROZEN.mkdir()
    elif kind == "FIFO":
        os.mkfifo(FROZEN)
    else:
        FROZEN.symlink_to("gone")
    assert write_once(str(FROZEN), CONTENT) is False
    with pytest.raises(ConfigurationError, match=rf"acbo\.frozen\.toml: is a {kind}"):
        load_training_config(run_dir=RUN, environ={})
    assert os.listdir(RUN) == [FROZEN.name]
    assert not Path("gone").exists()


@pytest.mark.parametrize(
    ("run_dir", "reason"),
    [
        ("file", "not a directory"),
        ("file/17", "not a directory"),
        ("x" * 300, "file name too long"),
        ("/proc/nowhere", "no such file: /proc/nowhere"),
    ],
)
def test_a_directory_that_cannot_be_made_is_told(run_dir: str, reason: str) -> None:
    """The report names the file that could not be written, and why."""
    Path("file").touch()
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(run_dir=run_dir, environ={})
    assert f"{run_dir[:100]}" in str(caught.value)
    assert reason in str(caught.value)


# Failing system calls


def test_a_file_size_limit_leaves_nothing() -> None:
    """RLIMIT_FSIZE at 40 places of a file of some 9,000 bytes: short writes, then EFBIG; told, and nothing is left."""
    program = f"""
import resource, sys
from acbo_settings import ConfigurationError
from acbo_settings.engine.runs.durable import write_many, write_once
content = {CONTENT!r}
for limit in [*range(0, len(content), len(content) // 40), len(content) - 1]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_once("{FROZEN}", content)
        print("written")
    except ConfigurationError as error:
        print(str(error).splitlines()[-1].strip())
resource.setrlimit(resource.RLIMIT_FSIZE, (len(content), resource.RLIM_INFINITY))
print(write_once("{FROZEN}", content))
"""
    lines = run(program).stdout.splitlines()
    assert len(lines) > 40
    assert set(lines[:-1]) == {f"{FROZEN}: cannot be written: file too large"}
    assert (lines[-1], FROZEN.read_bytes(), litter()) == ("True", CONTENT, [])


AS_NOBODY = """
import os, sys, tempfile
import acbo_settings.engine.report
from acbo_settings import load_training_config, ConfigurationError
with tempfile.TemporaryDirectory() as warm_up:  # all that has to be imported is, while Python can be read
    for overrides in (None, None, {"log_frequency": 10}):
        load_training_config(run_dir=warm_up, overrides=overrides, environ={})
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(load_training_config(run_dir=sys.argv[1], environ={}).fingerprint)
    print(load_training_config(run_dir=sys.argv[1], overrides={"log_frequency": 10}, environ={}).fingerprint)
except ConfigurationError as error:
    print(str(error).splitlines()[-1].strip())
"""


def test_a_read_only_directory(isolated: Path) -> None:
    """Who may only read starts from a frozen file, by both ways; the first start is refused with the reason."""
    fingerprint = load_training_config(run_dir=RUN, environ={}).fingerprint
    Path("empty").mkdir()
    for directory in (isolated, RUN, Path("empty")):
        directory.chmod(0o555)
    for parent in isolated.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    try:
        assert run(AS_NOBODY, str(RUN)).stdout.split() == [fingerprint] * 2
        assert run(AS_NOBODY, "empty").stdout == "empty/acbo.frozen.toml: cannot be written: permission denied\n"
        told = run(AS_NOBODY, "no/such/run").stdout
        assert told == "no/such/run/acbo.frozen.toml: cannot be written: permission denied: no\n"
    finally:
        for directory in (isolated, RUN, Path("empty")):
            directory.chmod(0o755)
    assert os.listdir("empty") == litter() == []


# Killed writers

KILLED = f"""
import os, signal, sys
from acbo_settings.engine.runs.durable import write_many, write_once

point, number, calls = int(sys.argv[1]), int(sys.argv[2]), 0

def stepping(name):
    real = getattr(os, name)
    def step(*arguments, **named):
        global calls
        calls += 1
        if calls == point:
            os.kill(os.getpid(), number)
        if name == "write":  # as a file system under pressure does
            arguments = arguments[0], arguments[1][:3000]
        return real(*arguments, **named)
    setattr(os, name, step)

for name in ("mkdir", "open", "write", "fsync", "close", "link", "unlink"):
    stepping(name)
print(write_once("{FROZEN}", {CONTENT!r}), calls)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.heavy
def test_a_killed_writer_leaves_the_whole_file_or_none(number: int) -> None:
    """Killed before each of its 14 system calls, writes of 3,000 bytes among them: never a torn file.

    Then the next writer finishes, or finds the file whole; a temporary file may be left, under a hidden name.
    """
    _, calls = run(KILLED, "0", str(number)).stdout.split()
    assert int(calls) >= 13
    found = {}
    for point in range(1, int(calls) + 1):
        shutil.rmtree(RUN)
        assert run(KILLED, str(point), str(number)).returncode == -number
        found[point] = FROZEN.exists()
        assert not FROZEN.exists() or FROZEN.read_bytes() == CONTENT
        left = litter()
        assert len(left) <= 1
        assert all(name.startswith(".acbo.frozen.toml.") for name in left)
        assert run(KILLED, "0", str(number)).stdout.startswith(str(not found[point]))
        assert FROZEN.read_bytes() == CONTENT
        assert litter() == left
    assert sorted(found.values()) == list(found.values())
    assert set(found.values()) == {False, True}


# Races

RACE = f"""
import json, os, sys
from acbo_settings import ConfigurationError, load_training_config
import acbo_settings.engine.runs.durable
load_training_config(environ={{}})
processes, different, options = int(sys.argv[1]), sys.argv[2] == "different", json.loads(sys.argv[3])
gate, open_gate = os.pipe()
for number in range(processes):
    if os.fork() == 0:
        os.close(open_gate)
        os.read(gate, 1)  # every one waits here until the parent closes its end
        environ = {{"ACBO_TOTAL_STEPS": str(7000 + (number if different else 0)), "ACBO_METADATA__RANK": str(number)}}
        try:
            config = load_training_config(run_dir="{RUN}", environ=environ, **options)
            told = f"{{number}} {{config.total_steps}} {{config.metadata['rank']}}"
        except ConfigurationError as error:
            told = f"{{number}} refused {{'started with another configuration' in str(error)}}"
        os.write(1, told.encode() + b"\\n")
        os._exit(0)
os.close(open_gate)
for _ in range(processes):
    os.wait()
"""


@pytest.mark.parametrize("attempt", range(5))
@pytest.mark.heavy
def test_16_processes_with_the_same_configuration_race(attempt: int) -> None:
    """16 processes start at the same moment, 5 times: one file, and all have its settings and its metadata."""
    lines = [line.split() for line in run(RACE, "16", "same", "{}").stdout.splitlines()]
    frozen = load_frozen_config(RUN)
    assert sorted(int(number) for number, *_ in lines) == list(range(16))
    assert {tuple(told) for _, *told in lines} == {("7000", frozen.metadata["rank"])}
    assert litter() == []


@pytest.mark.parametrize("attempt", range(5))
@pytest.mark.heavy
def test_16_processes_with_different_configurations_race(attempt: int) -> None:
    """16 processes with 16 configurations, 5 times: one is told ok and has the file's own, and 15 are refused."""
    lines = [line.split() for line in run(RACE, "16", "different", "{}").stdout.splitlines()]
    frozen = load_frozen_config(RUN)
    started = [line for line in lines if line[1] != "refused"]
    assert started == [[frozen.metadata["rank"], str(frozen.total_steps), frozen.metadata["rank"]]]
    assert [line[2] for line in lines if line[1] == "refused"] == ["True"] * 15
    assert litter() == []


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.heavy
def test_16_processes_that_replace_race(attempt: int) -> None:
    """16 processes replace one configuration by another, 3 times: all have the new one, and the old file is kept."""
    first = load_training_config(run_dir=RUN, environ={"ACBO_TOTAL_STEPS": "6000"})
    content = FROZEN.read_bytes()
    lines = [line.split() for line in run(RACE, "16", "same", '{"on_change": "replace"}').stdout.splitlines()]
    assert [total for _, total, _ in lines] == ["7000"] * 16
    assert load_frozen_config(RUN).total_steps == 7000
    assert (RUN / f"acbo.frozen.{first.fingerprint}.toml").read_bytes() == content
    assert not [name for name in litter() if name.startswith(".")]


def test_a_reader_never_sees_a_torn_file() -> None:
    """While another process replaces the file 100 times, it is read as often as can be: always whole."""
    program = f"""
from acbo_settings import load_training_config
for number in range(100):
    environ = {{"ACBO_TOTAL_STEPS": str(7000 + number % 2), "ACBO_METADATA__NOTE": "x" * (1 + 5000 * (number % 2))}}
    load_training_config(run_dir="{RUN}", environ=environ, on_change="replace")
"""
    command = [sys.executable, "-c", program]
    missing = whole = 0
    with subprocess.Popen(command, env=environment()) as writer:
        while writer.poll() is None:
            frozen = read_frozen(SCHEMA, str(FROZEN))
            if frozen is None:
                missing += 1
                assert whole == 0, "the file was gone for a moment"
            else:
                whole += 1
                assert frozen.config.total_steps in (7000, 7001)
    assert writer.returncode == 0
    assert whole >= 100


# The kernel's own failures, by strace

ERRORS = {
    "ENOSPC": "no space left on device",
    "EDQUOT": "disk quota exceeded",
    "EIO": "input/output error",
    "EROFS": "read-only file system",
    "ESTALE": "stale file handle",
    "EACCES": "permission denied",
}

TRACED = "mkdir,openat,read,write,fsync,close,link,unlink,newfstatat"


class Step(NamedTuple):
    """One system call of a start that has to do with the run: its name, and its number among those of that name."""

    call: str
    number: int
    line: str


def steps_of_a_start() -> list[Step]:
    """The system calls of a start in the run's directory, as it is now, that name it or what is in it."""
    run(START.replace(str(RUN), "another"))  # so that what Python caches is there
    assert run(START, prefix=["strace", "-f", "-y", "-e", f"trace={TRACED}", "-o", "trace"]).returncode == 0
    counts: dict[str, int] = {}
    steps = []
    for line in Path("trace").read_text(errors="replace").splitlines():
        if found := re.match(r"\d+ +(\w+)\(", line):
            counts[found[1]] = counts.get(found[1], 0) + 1
            if str(RUN) in line:
                steps.append(Step(found[1], counts[found[1]], line))
    return steps


def inject(step: Step, fault: str) -> subprocess.CompletedProcess[str]:
    """Start the job with a fault at one of its system calls."""
    calls = ["-e", f"trace={step.call}", "-e", f"inject={step.call}:{fault}:when={step.number}"]
    fast = ["--seccomp-bpf"] if fault.startswith("error") else []  # with which strace sends no signals
    return run(START, prefix=["strace", "-f", *fast, *calls, "-o", "trace"])


@heavy
@debian
def test_every_failing_system_call_is_told_and_leaves_nothing_torn() -> None:
    """Six errors of the kernel at each system call of a first start in the run's directory: more than 60 starts.

    Each is refused with path and reason, or succeeds where a second try is due; the file is whole or not there, and
    nothing else is left.
    """
    tried = 0
    for step in steps_of_a_start():
        for error, reason in ERRORS.items():
            shutil.rmtree(RUN, ignore_errors=True)
            ran = inject(step, f"error={error}")
            tried += 1
            told = f"{step.call} {error}: {ran.stdout}{ran.stderr}"
            assert litter() == [], told
            if FROZEN.exists():
                load_frozen_config(RUN)
            retried = step.call == "newfstatat" and error == "ESTALE"
            looked_up = step.call == "newfstatat" and ("AT_SYMLINK_NOFOLLOW" in step.line or f'"{RUN}"' in step.line)
            unlisted = "O_DIRECTORY" in step.line and error in ("EACCES", "EPERM")
            decides_nothing = looked_up or unlisted or (step.call == "unlink" and "ENOENT" in step.line)
            if retried or decides_nothing:
                assert (ran.returncode, FROZEN.exists()) == (0, True), told
            else:
                assert ran.returncode == REFUSED, told
                assert f"{FROZEN}: " in ran.stdout, told
                assert reason in ran.stdout, told
    assert tried >= 60


@heavy
@debian
@pytest.mark.parametrize("error", ["EOPNOTSUPP", "EPERM", "EMLINK"])
def test_a_real_start_without_hard_links_is_told_so(error: str) -> None:
    """The kernel refuses the link, as that of FAT or of some network file systems: one report, and nothing is left."""
    ran = run(START, prefix=["strace", "-f", "-o", "trace", "-e", "trace=link", "-e", f"inject=link:error={error}"])
    assert ran.returncode == REFUSED, ran.stderr
    assert "the file system has no hard links" in ran.stdout
    assert litter() == []


@heavy
@debian
def test_starts_agree_however_late_names_are_flushed() -> None:
    """Four starts at once with different configurations, each flush of which takes long: one is frozen."""
    slow = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:delay_enter=200000"]
    processes = [
        subprocess.Popen(
            [*slow, sys.executable, "-c", START],
            env=environment(ACBO_TOTAL_STEPS=str(7000 + number)),
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    printed = [process.communicate(timeout=60)[0].strip() for process in processes]
    started = [text for text, process in zip(printed, processes, strict=True) if process.returncode == 0]
    assert started == [load_frozen_config(RUN).fingerprint]
    assert litter() == []


@heavy
@debian
def test_every_failing_read_is_told() -> None:
    """Six errors of the kernel at each system call of a later start; one ESTALE is forgiven, as a second try is due."""
    load_training_config(run_dir=RUN, environ={})
    steps = steps_of_a_start()
    for step in steps:
        for error, reason in ERRORS.items():
            ran = inject(step, f"error={error}")
            told = f"{step.call} {error}: {ran.stdout}{ran.stderr}"
            assert (ran.returncode, litter()) == (0 if error == "ESTALE" else REFUSED, []), told
            assert error == "ESTALE" or (f"{FROZEN}: {reason}" in ran.stdout), told
    assert len(steps) >= 4


@heavy
@debian
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_start_that_is_killed_anywhere_leaves_the_whole_file_or_none(name: str) -> None:
    """Killed at each system call of a first start in the run's directory: more than 10 starts.

    The next start gets the whole configuration each time.
    """
    fingerprint = load_training_config(environ={}).fingerprint
    steps = steps_of_a_start()
    for step in steps:
        shutil.rmtree(RUN, ignore_errors=True)
        assert inject(step, f"signal={name}").returncode != 0
        if FROZEN.exists():
            assert load_frozen_config(RUN).fingerprint == fingerprint
        assert all(left.startswith(".acbo.frozen.toml.") for left in litter())
        assert run(START).stdout == f"{fingerprint}\n"
    assert len(steps) >= 10


@heavy
@debian
def test_a_start_that_is_killed_at_any_time(tmp_path: Path) -> None:
    """25 starts, killed after 0 to 200 milliseconds: the file is whole or not there, and the next start gets it all."""
    fingerprint = load_training_config(environ={}).fingerprint
    for attempt in range(25):
        shutil.rmtree(RUN, ignore_errors=True)
        with subprocess.Popen([sys.executable, "-c", START], env=environment(), stdout=subprocess.DEVNULL) as process:
            time.sleep(attempt * 0.008)
            process.kill()
        assert not FROZEN.exists() or load_frozen_config(RUN).fingerprint == fingerprint
        assert run(START).stdout == f"{fingerprint}\n"


# Small and read-only file systems

IN_TMPFS = """
set -e
mkdir -p small
mount -t tmpfs -o size=64k none small
cd small
"""


def in_tmpfs(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in a file system of 64 KiB of its own."""
    command = ["unshare", "--map-root-user", "--mount", "bash", "-c", IN_TMPFS + script]
    return subprocess.run(
        command,
        env=environment(PYTHON=sys.executable, START=START, **environ),
        capture_output=True,
        text=True,
        timeout=120,
    )


@heavy
@debian
def test_a_full_disk_is_told_and_leaves_nothing() -> None:
    """A frozen file of 40,000 bytes on a disk of 64 KiB with 0 to 11 blocks free: refused 11 times, and nothing left.

    The kernel takes a part of the write before it says that there is no space.
    """
    script = """
mkdir therun
for free in 0 1 2 3 4 5 6 7 8 9 10 16; do
    rm -f filling
    [ $free = 16 ] || dd if=/dev/zero of=filling bs=4096 count=$((16 - free)) status=none 2>&1 || true
    "$PYTHON" -B -c "$START" | tail -1
    ls -A therun
done
"""
    ran = in_tmpfs(script, ACBO_METADATA__NOTE="x" * 40_000)
    told = "  therun/acbo.frozen.toml: cannot be written: no space left on device"
    lines = ran.stdout.splitlines()
    assert lines[:11] == [told] * 11, ran.stdout + ran.stderr
    assert lines[12:] == ["acbo.frozen.toml"]


@heavy
@debian
def test_a_read_only_file_system() -> None:
    """A frozen run is read where nothing can be written, and a first start there is told why it cannot be."""
    script = """
"$PYTHON" -B -c "$START"
mount -o remount,ro .
"$PYTHON" -B -c "$START"
ACBO_LOG_FREQUENCY=10 "$PYTHON" -B -c "$START"
"$PYTHON" -B -c "${START//therun/other}" | tail -1
"""
    lines = in_tmpfs(script).stdout.splitlines()
    assert lines[0] == lines[1] == lines[2]
    assert lines[3] == "  other/acbo.frozen.toml: cannot be written: read-only file system: other"


def test_many_files_are_written_whole_in_the_place_of_others() -> None:
    """Each in a directory of its own, which is made; a name comes back once its file is there."""
    files = [(f"many/{number:04d}/file", b"%d" % number) for number in range(450)]
    Path("many/0003").mkdir(parents=True)
    Path("many/0003/file").write_bytes(b"old")
    written = []
    for name in write_many(iter(files)):
        assert Path(name).exists()
        written.append(name)
    assert written == [name for name, _ in files]
    assert all(Path(name).read_bytes() == content for name, content in files)
    assert [path for path in Path("many").glob("*/*") if path.name != "file"] == []


def test_the_first_of_many_that_cannot_be_written_ends_it() -> None:
    """It is named, what was flushed before stays, and no part of a file is left."""
    files = [(f"many/{number:04d}/file", b"x") for number in range(450)]
    Path("many").mkdir()
    Path("many/0300").write_bytes(b"in the way")
    with pytest.raises(ConfigurationError, match=r"many/0300/file: cannot be written: (not a directory|file exists)"):
        list(write_many(files))
    assert len(list(Path("many").glob("*/file"))) == 200
    assert [path for path in Path("many").glob("*/*") if path.name != "file"] == []
