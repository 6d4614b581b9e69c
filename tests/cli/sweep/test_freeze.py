"""`sweep freeze` as a command: what it prints; what it writes is tested with the engine."""

from __future__ import annotations

from collections.abc import Callable

from ...command_line import run, told
from ...sweeps import DIRECTORY, SWEEP, write_sweep

AssertReport = Callable[[str, str], None]


def test_the_numbers_are_the_result(assert_report: AssertReport) -> None:
    """The points' numbers stand on stdout as sbatch takes them, and what became of the points on stderr."""
    write_sweep()
    assert_report("sweep-freeze", told("sweep", "freeze", "--dir", str(DIRECTORY)))
    write_sweep(SWEEP.replace("[1, 2]", "[2, 3]"))
    assert_report("sweep-freeze-again", told("sweep", "freeze", "sweep.toml", "--dir", str(DIRECTORY)))


def test_a_directory_is_asked_for() -> None:
    """Without `--dir` it is wrong usage."""
    write_sweep()
    ran = run("sweep", "freeze")
    assert (ran.returncode, b"--dir" in ran.stderr) == (2, True)


def test_wrong_keys_and_files_are_reports(assert_report: AssertReport) -> None:
    """Nothing is written then."""
    write_sweep("[grid]\nno_such = [1]\n")
    assert_report("sweep-freeze-keys", told("sweep", "freeze", "--dir", str(DIRECTORY)))
    assert not DIRECTORY.exists()


def test_names_that_no_task_could_give_are_refused() -> None:
    """What a shell would have expanded is no name of a directory, and neither is nothing."""
    write_sweep()
    for name in ("~/sweeps", "$HOME/sweeps", "", "sweeps/lr/acbo.sweep.toml"):
        ran = run("sweep", "freeze", "--dir", name)
        assert (ran.returncode, ran.stdout) == (2, b"")
        assert b"acbo-settings sweep freeze: --dir " in ran.stderr


def test_another_sweep_in_its_place_is_told() -> None:
    """All points of before are retired then, which is hardly meant."""
    write_sweep()
    assert run("sweep", "freeze", "--dir", str(DIRECTORY)).returncode == 0
    write_sweep("[grid]\ntotal_steps = [6000]\n")
    ran = run("sweep", "freeze", "--dir", str(DIRECTORY))
    assert (ran.returncode, ran.stdout) == (0, b"8\n")
    assert b"no point that the sweep had before is left" in ran.stderr
