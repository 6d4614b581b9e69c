"""What a shell says against the syntax of a script, and where that is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.shell.syntax import Script
from acbo_settings.jobs.shell.syntax_error import find_syntax_mistake

pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")


def told(text: str) -> tuple[int | None, str, str] | None:
    """The line, what is said, and the hint."""
    found = Script(Document("job.sbatch", text)).find_mistake()
    if found is None:
        return None
    place, message, hint = found
    return place.position.line if place.position else None, message, hint


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("if true; then\n  srun python train.py\nexit 0\n", 1, "end of file", "what begins here is not closed"),
        ("cd runs\nwhile true; do\n  srun python train.py\n", 2, "end of file", "what begins here is not closed"),
        ("case $1 in\n  a) srun python train.py;;\n", None, "end of file", "a case or a brace is not closed"),
        ('cd runs\nexport NOTE="first\nsrun python train.py\n', 2, "unexpected EOF while looking for matching", ""),
        ("cd runs\nfor seed in 1 2\n  srun python train.py\ndone\n", 3, "near unexpected token `srun'", ""),
        ("cd runs\ncat <<EOF\nfirst\n  EOF\nsrun python train.py\n", 2, "here-document delimited by end-of-file", ""),
        ("cd runs\nfi\n", 2, "near unexpected token `fi'", ""),
    ],
)
def test_a_mistake_is_told_where_it_begins(text: str, line: int | None, message: str, hint: str) -> None:
    """The words are those of bash; what is not closed is told at its first line, if that is known."""
    found = told(text)
    assert found is not None
    assert found[0] == line
    assert message in found[1]
    assert found[2].endswith(hint) if hint else found[2] == ""


@pytest.mark.parametrize(
    "text",
    [
        "srun python train.py\n",
        "srun python train.py\nexit 0\nfi (\n",
        "exec srun python train.py\nfi (\n",
        "shopt -s extglob\nrm !(acbo.toml)\n",
        "cat <<EOF\nfi (\nEOF\n",
        "",
    ],
)
def test_what_a_shell_reads_is_no_mistake(text: str) -> None:
    """Neither is what it never reads, nor a pattern that the script allows first."""
    assert told(text) is None


def test_output_of_the_shell_itself_does_not_end_it() -> None:
    """`exec` with a redirection alone is no end of the script."""
    found = told("exec > log 2>&1\nfi\n")
    assert found is not None
    assert found[0] == 2


def test_nothing_of_the_script_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the script, nor the file that `BASH_ENV` names, nor a substitution leaves anything behind."""
    Path("environment").write_text("touch executed\n")
    monkeypatch.setenv("BASH_ENV", "environment")
    monkeypatch.setenv("ENV", "environment")
    assert find_syntax_mistake(b"touch executed\necho $(touch executed) $((a[$(touch executed)]))\nfi\n")
    assert not Path("executed").exists()


def test_without_bash_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no bash is, such as in a small container, a script is checked all the same."""
    monkeypatch.setenv("PATH", "")
    assert find_syntax_mistake(b"fi\n") is None
