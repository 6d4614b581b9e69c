"""Which files a file extends: found without a parser as `tomllib` finds them, and laid over one another in order."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acbo_settings import load_training_config, resolve_training_config
from acbo_settings.engine.extends import extended_names
from acbo_settings.engine.inputs import RawFile, read_start

from ..command_line import write
from ..strategies import SCHEMA


def names_of(text: str) -> list[str]:
    """What a start follows of a file with this text."""
    file = RawFile("acbo.toml", content=text.encode())
    return extended_names(file.content) if file.may_extend else []


def parsed(text: str) -> list[str] | None:
    """What `tomllib` finds under `extends`, if that is a path or a list of paths; None for what is no TOML."""
    try:
        found = tomllib.loads(text).get("extends", [])
    except ValueError:
        return None
    names = found if isinstance(found, list) else [found]
    return names if all(isinstance(name, str) for name in names) else []


LINES = [
    *('extends = "a.toml"', "extends = 'a.toml'", 'extends="a"', '  extends\t=\t"a b"  # why', 'extends = "a#b"'),
    *('extends = ["a", "b",]', 'extends = [ "a" , "b" ] # c', 'extends = ["a,b"]', "extends = []", "extends = [[]]"),
    *('extends = [\n  "a", # b\n]', '"extends" = "a"', '"ext\\u0065nds" = "a"', 'extends = "a\\tb"', "extends = 3"),
    *('extends = "a" "b"', 'extends = """a"""', "extends = '''\na'''", 'extends.x = "a"', 'extends = {x = "a"}'),
    *('x = """\nextends = "a"\n"""', "x = '''\nextends = 'a'\n'''", 'extendsx = "a"', "[extends]", "[grpo]", "[[a]]"),
    *("# extends = 'a'", "", "total_steps = 7", 'x = ["\\\\"]', "\ufeff", "extends = a", '= "a"', "\textends = ''"),
]


@settings(max_examples=400)
@given(st.lists(st.sampled_from(LINES), max_size=5), st.sampled_from(["\n", "\r\n"]))
@example(["# lab", "", 'extends = "a.toml"'], "\r\n")
def test_names_are_found_as_the_parser_finds_them(lines: list[str], line_end: str) -> None:
    """Whatever stands in a file and however the key is written, what is followed is what TOML says."""
    text = line_end.join(lines)
    expected = parsed(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    assert expected is None or names_of(text) == expected


@given(st.text(st.sampled_from("extends=\"'[]#,\\ \n\tab"), max_size=40))
def test_names_of_any_text_are_those_of_the_parser(text: str) -> None:
    """Also for what is hardly TOML, which is refused later."""
    text = f"extends{text}"
    assert names_of(text) == parsed(text) or parsed(text) is None


def files_of(named: str = "acbo.toml") -> list[str]:
    """The files that a start reads, lowest first."""
    return [file.name for file in read_start(SCHEMA, named, environ={}).inputs.files]


def test_each_value_comes_from_its_own_file_and_keeps_what_it_shadows() -> None:
    """The named file lies over those it extends, later ones of a list over earlier ones, and variables over all."""
    write("base.toml", "total_steps = 6000\nwarmup_steps = 60\nlog_frequency = 6\n[grpo]\ngroup_size = 16\n")
    write("gpu.toml", "warmup_steps = 70\nlog_frequency = 7\n")
    write("e/17/acbo.toml", 'extends = ["../../base.toml", "../../gpu.toml"]\nlog_frequency = 8\n')
    resolved = resolve_training_config("e/17/acbo.toml", environ={"ACBO_GRPO__GROUP_SIZE": "32"})
    assert [resolved.explain(key) for key in ("total_steps", "warmup_steps", "log_frequency", "grpo.group_size")] == [
        "6000, from e/17/../../base.toml:1, over the default 5000",
        "70, from e/17/../../gpu.toml:1, over 60 from e/17/../../base.toml:2, over the default 100",
        "8, from e/17/acbo.toml:2, over 7 from e/17/../../gpu.toml:2, over 6 from e/17/../../base.toml:3,"
        " over the default 10",
        "32, from ACBO_GRPO__GROUP_SIZE, over 16 from e/17/../../base.toml:5, over the default 64",
    ]
    assert resolved.file == "e/17/acbo.toml"


def test_a_base_of_several_is_read_once_below_all_of_them() -> None:
    """Where two bases extend one file, it lies below both, so that neither is undone by it."""
    write("acbo.toml", 'extends = ["a.toml", "b.toml"]')
    write("a.toml", 'extends = "c.toml"\ntotal_steps = 7000')
    write("b.toml", 'extends = "c.toml"')
    write("c.toml", "total_steps = 8000")
    assert files_of() == ["c.toml", "a.toml", "b.toml", "acbo.toml"]
    assert load_training_config(environ={}).total_steps == 7000


def test_paths_are_relative_to_the_file_as_it_was_opened(isolated: Path) -> None:
    """A link is not resolved: what lies beside the link counts, not what lies beside the file that it leads to."""
    write("common/acbo.toml", 'extends = "base.toml"')
    write("common/base.toml", "total_steps = 1111")
    write("mine/base.toml", "total_steps = 2222")
    (isolated / "mine/acbo.toml").symlink_to("../common/acbo.toml")
    assert load_training_config("common/acbo.toml", environ={}).total_steps == 1111
    assert load_training_config("mine/acbo.toml", environ={}).total_steps == 2222
    write("both.toml", 'extends = ["common/acbo.toml", "mine/acbo.toml"]')
    assert files_of("both.toml")[:4] == ["common/base.toml", "common/acbo.toml", "mine/base.toml", "mine/acbo.toml"]


def test_a_directory_stands_for_the_file_in_it(isolated: Path) -> None:
    """A base may be an experiment's directory, and an absolute path is taken as it is."""
    write("lab/acbo.toml", "total_steps = 7000")
    for name in ("lab", "./lab/", str(isolated / "lab"), str(isolated / "lab/acbo.toml")):
        write("acbo.toml", f'extends = "{name}"')
        assert load_training_config(environ={}).total_steps == 7000


def test_at_most_sixteen_files_are_extended() -> None:
    """Sixteen below the named one are read, in a row or side by side."""
    for number in range(1, 17):
        write(f"{number}.toml", f'extends = "{number + 1}.toml"' if number < 16 else "total_steps = 7000")
    write("acbo.toml", 'extends = "1.toml"')
    assert len(files_of()) == 17
    assert load_training_config(environ={}).total_steps == 7000
    for number in range(1, 17):
        write(f"{number}.toml", "")
    write("acbo.toml", f"extends = {[f'{number}.toml' for number in range(1, 17)]}")
    assert len(files_of()) == 17


@pytest.mark.parametrize("content", [b"\xff", b"total_steps 5", b"a = 1e", b"[" * 50_000])
def test_a_base_that_is_no_toml_is_refused(content: bytes) -> None:
    """The rules of a file hold for each."""
    write("acbo.toml", 'extends = "base.toml"')
    Path("base.toml").write_bytes(content)
    with pytest.raises(ValueError, match=r"base\.toml is extended by acbo\.toml:1|base\.toml: is "):
        load_training_config(environ={})


def test_a_base_that_is_no_file_is_refused() -> None:
    """A FIFO is not waited for, and a device not opened."""
    os.mkfifo("pipe")
    for name in ("pipe", "/dev/zero"):
        write("acbo.toml", f'extends = "{name}"')
        with pytest.raises(ValueError, match="not a file"):
            load_training_config(environ={})


def test_an_edit_of_a_base_is_seen_by_a_resumed_run() -> None:
    """All files are inputs of the digest, a lowest one as well, and its line is told."""
    write("acbo.toml", 'extends = "a.toml"')
    write("a.toml", 'extends = "b.toml"')
    write("b.toml", "total_steps = 7000")
    first = read_start(SCHEMA, environ={}).inputs.digest
    config = load_training_config(run_dir="run", environ={})
    write("b.toml", "total_steps = 7000 # the same")
    assert read_start(SCHEMA, environ={}).inputs.digest != first
    assert load_training_config(run_dir="run", environ={}) == config
    write("b.toml", "total_steps = 8000")
    with pytest.raises(ValueError, match=r"frozen as 7000 \(from b\.toml:1\), today 8000\n    --> b\.toml:1"):
        load_training_config(run_dir="run", environ={})
    assert "extends" not in Path("run/acbo.frozen.toml").read_text()


@pytest.mark.parametrize("line", ['extends = "base.toml"', "extends = ['base.toml']", '"extends" = "base.toml"'])
def test_a_frozen_start_with_a_base_needs_no_pydantic(line: str) -> None:
    """The usual line is read without `tomllib`, any other with it, and both starts give the same."""
    write("acbo.toml", line)
    write("base.toml", "total_steps = 7000")
    program = (
        "import sys, acbo_settings as a; print(a.load_training_config(run_dir='run').total_steps,"
        " 'pydantic' in sys.modules, 'tomllib' in sys.modules)"
    )
    starts = [subprocess.run([sys.executable, "-c", program], env={}, capture_output=True, text=True) for _ in range(2)]
    needs_parser = line != 'extends = "base.toml"'
    assert [start.stdout for start in starts] == ["7000 True True\n", f"7000 False {needs_parser}\n"]


def test_a_frozen_file_can_be_extended() -> None:
    """A run's configuration as the base of another experiment, with the origins that it keeps."""
    load_training_config(run_dir="run", environ={"ACBO_TOTAL_STEPS": "7000"})
    write("acbo.toml", 'extends = "run/acbo.frozen.toml"\nlog_frequency = 5')
    resolved = resolve_training_config(environ={})
    explained: Any = resolved.explain("total_steps")
    assert explained == "7000, from ACBO_TOTAL_STEPS, as frozen, over the default 5000"
