"""Every block of the README is executed, or is the file that it says it is."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

from acbo_settings import load_training_config

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?m)^(?:<!-- (\w+): (\S+) -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL)


class Block(NamedTuple):
    """A fenced block: the note above it, its language, its text."""

    note: str
    name: str
    language: str
    text: str


def blocks_in(text: str) -> list[Block]:
    """The fenced blocks of a text."""
    return [Block(*(part or "" for part in match)) for match in BLOCK.findall(text)]


BLOCKS = blocks_in(README)


def shell_environment(directory: Path) -> dict[str, str]:
    """A clean environment in which `python` and `acbo-settings` are those of the tests."""
    return {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(directory), "COLUMNS": "80"}


def commands_of(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output below it."""
    parts = re.split(r"(?m)^\$ (.*)\n", block.text)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def run_console(block: Block, directory: Path, environment: dict[str, str]) -> str:
    """Run the commands of a block in one shell, and return the block with what each prints now."""
    return run_session(block, directory, environment)[0]


def run_session(block: Block, directory: Path, environment: dict[str, str]) -> tuple[str, Path]:
    """The same, and where the shell is in the end."""
    separator = "--- next command ---"
    commands = [*commands_of(block), ("pwd", "")]
    script = f"\necho '{separator}'\n".join(command for command, _ in commands)
    ran = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    *outputs, place = ran.stdout.split(f"{separator}\n")
    shown = zip(commands_of(block), outputs, strict=True)
    return "".join(f"$ {command}\n{output}" for (command, _), output in shown), Path(place.rstrip("\n"))


def sections() -> list[list[Block]]:
    """The blocks of each section of the README: who follows one section needs none of the others."""
    return [blocks_in(section) for section in re.split(r"(?m)^## ", README)]


def test_the_blocks_are_those_that_are_executed() -> None:
    """Each fenced block of the README is found, and is of a kind that a test here takes."""
    assert README.count("\n```") == 2 * len(BLOCKS)
    kinds = {(block.note, block.language) for block in BLOCKS}
    assert kinds == {
        ("file", "toml"),
        ("file", "python"),
        ("file", "bash"),
        ("", "python"),
        ("", "sh"),
        ("", "console"),
        ("", "pycon"),
        ("command", "sh"),
        ("example", "bash"),
        ("example", "yaml"),
        ("slurm", "console"),
        ("mpi", "console"),
        ("training", "console"),
        ("part", "python"),
        ("config", "yaml"),
        ("config", "toml"),
    }


def test_files_commands_and_python_do_what_the_readme_says(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From top to bottom: files are written, commands and Python print what stands there. A section is one session."""
    renewed = README
    runner = doctest.DocTestRunner()
    for number, blocks in enumerate(sections()):
        directory = tmp_path / str(number)
        directory.mkdir()
        names: dict[str, object] = {}
        for block in blocks:
            if block.note in ("file", "example"):
                (directory / block.name).parent.mkdir(exist_ok=True)
                (directory / block.name).write_text(block.text, encoding="utf-8")
            elif block.language == "console" and not block.note:
                text, directory = run_session(block, directory, shell_environment(directory))
                renewed = renewed.replace(f"```console\n{block.text}```", f"```console\n{text}```")
            elif block.language == "pycon":
                monkeypatch.chdir(directory)
                example = doctest.DocTestParser().get_doctest(block.text, names, "README", "README.md", 0)
                runner.run(example, clear_globs=False)
                names = example.globs
    if request.config.getoption("--update-reports"):
        (ROOT / "README.md").write_text(renewed, encoding="utf-8")
    else:
        assert renewed == README, "if it is meant, run: pytest --update-reports"
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.note == "example"], ids=lambda block: block.name)
def test_examples_are_the_files(block: Block) -> None:
    """An example shown in the README is the file in `examples/`, to the letter."""
    assert (ROOT / "examples" / block.name).read_text(encoding="utf-8") == block.text


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.note == "part"], ids=lambda block: block.name)
def test_parts_of_examples_stand_in_the_files(block: Block) -> None:
    """A part of an example shown in the README stands so in a function of the file in `examples/`."""
    assert textwrap.indent(block.text, "    ") in (ROOT / "examples" / block.name).read_text(encoding="utf-8")


def test_the_commands_are_what_ci_runs() -> None:
    """The continuous integration takes the commands from the README instead of repeating them."""
    names = [block.name for block in BLOCKS if block.note == "command"]
    assert names == ["job", "tests", "training", "benchmark"]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(f"run_readme_command {name}" in script for name in names)


def test_the_readme_names_the_public_functions() -> None:
    """Each exported name stands in the README."""
    import acbo_settings

    exported = set(acbo_settings.__all__) - {"GRPOConfig", "ExplorationConfig"}
    assert [name for name in sorted(exported) if name not in README] == []


def test_links_lead_to_files() -> None:
    """Each relative link of the README is a file of the repository."""
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_json_table_of_the_readme_is_taken() -> None:
    """The variable that holds a whole table works as it is written in the text."""
    (text,) = re.findall(r"`ACBO_GRPO='(.*?)'`", README)
    assert load_training_config(environ={"ACBO_GRPO": text}).grpo.group_size == 128


def test_the_contents_lead_to_headings() -> None:
    """Each link inside the README is the heading of a section, and each section stands in the contents."""
    headings = re.findall(r"(?m)^#{2,3} (.*)$", re.sub(r"(?ms)^```.*?^```$", "", README))
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    links = set(re.findall(r"\]\(#([^)]+)\)", README.replace("\n", " ")))
    assert links <= anchors
    contents = README[README.index("## Contents") : README.index("## Two commands")]
    sections = re.findall(r"(?m)^## (.*)$", re.sub(r"(?ms)^```.*?^```$", "", README))
    assert [heading for heading in sections if heading != "Contents" and f"[{heading}]" not in contents] == []


def test_messages_of_the_troubleshooting_are_those_of_the_package() -> None:
    """Each message in the first column is one that a test asserts, but for what it says of one case."""
    asserted = [path for form in ("*.txt", "*.py") for path in sorted((ROOT / "tests").rglob(form))]
    told = " ".join(path.read_text(encoding="utf-8") for path in asserted if path != Path(__file__))
    told = " ".join(told.split())
    table = README[README.index("## Troubleshooting") : README.index("## Speed")]
    messages = [text for cell in re.findall(r"(?m)^\| (`.*?`) \| ", table) for text in re.findall("`([^`]+)`", cell)]
    assert len(messages) > 15
    parts = [part.strip() for message in messages for part in message.split("…")]
    assert [part for part in parts if part not in told] == []
