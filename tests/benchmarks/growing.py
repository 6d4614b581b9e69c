"""The cases that `growth.py` measures: what is given, how much of it at most, and what is done with it."""

from __future__ import annotations

import gc
import importlib
import json
import os
import pickle
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from acbo_settings import (
    ConfigurationError,
    TrainingConfig,
    create_training_config,
    load_frozen_config,
    load_training_config,
    resolve_training_config,
)
from acbo_settings.cli.main import main

Work = Callable[[], object]
"""What is measured, when all that it is given lies ready."""


class Case(NamedTuple):
    """Something of which there can be much: the largest size that is measured, and what makes the work of a size."""

    largest: int
    prepare: Callable[[int], Work]


class Cost(NamedTuple):
    """What the work of one size took: seconds of the processor, and bytes of memory at the peak."""

    seconds: float = 0.0
    bytes: float = 0.0


def measure(name: str, size: int) -> Cost:
    """Do the work of a case in a directory of its own; this process is new, and does nothing else."""
    for variable in [name for name in os.environ if name.startswith("ACBO_")]:
        del os.environ[variable]
    os.environ["COLUMNS"] = "80"
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as directory, open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.chdir(directory)
        write("")
        write("", "base.toml")
        work = CASES[name].prepare(size)
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            return _cost(work)


def _cost(work: Work) -> Cost:
    gc.collect()
    before, started = _peak(), time.process_time()
    kept = work()
    seconds = time.process_time() - started
    del kept
    return Cost(seconds, _peak() - before)


def _peak() -> int:
    """The most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def write(text: str, name: str = "acbo.toml") -> None:
    """Write a file into the working directory."""
    Path(name).write_text(text, encoding="utf-8")


def lines(template: str, size: int, head: str = "") -> str:
    """A text of many lines, each with its number."""
    return head + "".join(template.format(number) + "\n" for number in range(size))


# What is done.


def loads(**arguments: Any) -> Work:
    """Load what is valid."""
    return lambda: load_training_config(**{"environ": {}, **arguments})


def refuses(use: Callable[[ConfigurationError], object] = str, **arguments: Any) -> Work:
    """Load what is not, and use the exception."""

    def work() -> object:
        try:
            load_training_config(**{"environ": {}, **arguments})
        except ConfigurationError as error:
            return error, use(error)
        raise AssertionError("it was taken")

    return work


def command(code: int, *arguments: str) -> Work:
    """A command, and how it must end."""

    def work() -> None:
        found = main(arguments)
        assert found == code, f"{arguments} ended with {found}"

    return work


# How it is given.


def file(text: Callable[[int], str], work: Work) -> Callable[[int], Work]:
    """A file of a size."""

    def prepare(size: int) -> Work:
        write(text(size))
        return work

    return prepare


def files(text: Callable[[int], str], names: Iterable[str], work: Work) -> Callable[[int], Work]:
    """Several files of a size."""

    def prepare(size: int) -> Work:
        for name in names:
            write(text(size), name)
        return work

    return prepare


def variables(
    made: Callable[[int], Mapping[str, str]], work: Callable[..., Work], **arguments: Any
) -> Callable[[int], Work]:
    """An environment of a size."""
    return lambda size: work(environ=made(size), **arguments)


def shell(made: Callable[[int], Mapping[str, str]], work: Work) -> Callable[[int], Work]:
    """The environment of the process."""

    def prepare(size: int) -> Work:
        os.environ.update(made(size))
        return work

    return prepare


def overrides(made: Callable[[int], object], work: Callable[..., Work]) -> Callable[[int], Work]:
    """The overrides of a call."""
    return lambda size: work(overrides=made(size))


def notes(size: int) -> str:
    """A file of many notes."""
    return lines("note_{} = 1", size, "[metadata]\n")


def wrong_keys(size: int) -> str:
    """A file of many wrong keys."""
    return lines("key_{} = 1", size, "[grpo]\n")


def items(template: str, size: int) -> str:
    """Many items on one line."""
    return ", ".join(template.format(number) for number in range(size))


VALID: dict[str, tuple[int, Callable[[int], str]]] = {
    "notes in one table": (60_000, notes),
    "notes in tables of ten": (
        50_000,
        lambda n: "".join(lines("x{} = 1", 10, f"[metadata.t{number}]\n") for number in range(n // 10)),
    ),
    "notes in a table below another": (60_000, lambda n: lines("note_{} = 1", n, "[metadata.table]\n")),
    "notes 15 tables deep": (60_000, lambda n: lines("n{} = 1", n, f"[metadata{'.t' * 14}]\n")),
    "notes of dotted keys": (25_000, lambda n: lines("metadata.a.b.c.note_{} = 1", n)),
    "notes of dotted keys, in tables of their own": (
        25_000,
        lambda n: lines("a{0}.b{0}.c{0}.d{0} = 1", n, "[metadata]\n"),
    ),
    "notes of keys in quotes": (50_000, lambda n: lines('"note {}" = 1', n, "[metadata]\n")),
    "notes of texts with escapes": (40_000, lambda n: lines('note_{} = "a\\"b"', n, "[metadata]\n")),
    "notes of the names of secrets": (60_000, lambda n: lines("n{}_token = 1", n, "[metadata]\n")),
    "arrays 40 deep": (9_000, lambda n: lines(f"n{{}} = {'[' * 40}{']' * 40}", n, "[metadata]\n")),
    "tables 15 deep in an array": (12_000, lambda n: lines(f"n{{}} = [{{{{{'t.' * 15}t = 1}}}}]", n, "[metadata]\n")),
    "one array": (90_000, lambda n: f"[metadata]\nnumbers = [{items('{}', n)}]\n"),
    "an array of tables": (30_000, lambda n: lines("[[metadata.runs]]\nnumber = {}", n)),
    "an array of inline tables": (45_000, lambda n: f"[metadata]\nruns = [{items('{{a = {}}}', n)}]\n"),
    "inline tables": (40_000, lambda n: lines("t{0} = {{a = {0}}}", n, "[metadata]\n")),
    "one inline table": (60_000, lambda n: f"[metadata]\nt = {{{items('a{} = 1', n)}}}\n"),
    "one text on one line": (1_000_000, lambda n: f"[metadata]\nnote = '{'x' * n}'\n"),
    "one text of marks": (1_000_000, lambda n: f"[metadata]\nnote = '{'[{.=' * (n // 4)}'\n"),
    "one text of many lines": (1_000_000, lambda n: '[metadata]\nnote = """' + "line\n" * (n // 5) + '"""\n'),
    "one text of escapes": (1_000_000, lambda n: '[metadata]\nnote = "' + "\\n" * (n // 2) + '"\n'),
    "texts of many lines": (40_000, lambda n: lines('n{} = """\na\nb"""', n, "[metadata]\n")),
    "comments": (500_000, lambda n: "#\n" * n + "total_steps = 7000\n"),
    "comments above the file that is extended": (500_000, lambda n: "#\n" * n + 'extends = "base.toml"\n'),
    "empty lines above the file that is extended": (1_000_000, lambda n: "\n" * n + 'extends = "base.toml"\n'),
}
"""Files that are valid: how many there are at most of what grows, and the text."""

WRONG: dict[str, tuple[int, Callable[[int], str]]] = {
    "wrong keys": (70_000, wrong_keys),
    "wrong keys at the top": (70_000, lambda n: lines("key_{} = 1", n)),
    "wrong keys in quotes": (60_000, lambda n: lines('"key {}" = 1', n)),
    "wrong keys on one line": (60_000, lambda n: f"grpo = {{{items('key_{} = 1', n)}}}\n"),
    "wrong tables": (40_000, lambda n: lines("[table_{}]\nx = 1", n)),
    "one wrong table": (70_000, lambda n: lines("key_{} = 1", n, "[table]\n")),
    "one wrong table of tables": (40_000, lambda n: lines("[table.t{}]\nx = 1", n)),
    "wrong tables of settings": (35_000, lambda n: lines("[t{}]\ngroup_size = 1", n)),
    "wrong values": (50_000, lambda n: lines("note_{} = nan", n, "[metadata]\n")),
    "secrets": (50_000, lambda n: lines('n{}_token = "x"', n, "[metadata]\n")),
    "secrets inside notes": (40_000, lambda n: lines('n{} = {{token = "x"}}', n, "[metadata]\n")),
    "one long key": (1_000_000, lambda n: f"{'k' * n} = 1\n"),
    "one long key of underscores": (1_000_000, lambda n: f"{'_' * n} = 1\n"),
    "one long key of dots, in quotes": (1_000_000, lambda n: f'"{"a." * (n // 2)}" = 1\n'),
    "one long key in a section": (1_000_000, lambda n: f"[grpo]\n{'k' * n} = 1\n"),
    "one long key of a secret": (1_000_000, lambda n: f"[metadata]\n{'k_token_' * (n // 8)}_token = 'x'\n"),
    "one long name of a table": (1_000_000, lambda n: f"[{'k' * n}]\nx = 1\n"),
    "one long wrong value": (1_000_000, lambda n: f"total_steps = '{'1' * n}'\n"),
    "one long wrong choice": (1_000_000, lambda n: f"[rewards]\nreward_scaling = '{'tanh' * (n // 4)}'\n"),
    "one long wrong array": (300_000, lambda n: f"total_steps = [{items('1', n)}]\n"),
    "one number of decimal digits": (1_000_000, lambda n: f"total_steps = {'9' * n}\n"),
    "one number of hexadecimal digits": (1_000_000, lambda n: f"total_steps = 0x{'f' * n}\n"),
    "one mistake behind many lines": (150_000, lambda n: lines("#{}", n) + "a = \n"),
    "one mistake behind secrets": (50_000, lambda n: lines('token = "{}"', n) + "a = \n"),
    "one mistake in a line of secrets": (1_000_000, lambda n: f"total_steps = '{'api_key = x ' * (n // 12)}'\n"),
    "one text that is not closed": (1_000_000, lambda n: f'[metadata]\nnote = """{"x" * n}'),
    "arrays that are not closed": (1_000_000, lambda n: f"a = {'[' * n}"),
    "one key of many parts": (1_000_000, lambda n: f"{'a.' * (n // 2)}a = 1\n"),
    "keys of 20 parts": (20_000, lambda n: lines(f"{'a.' * 20}a{{}} = 1", n)),
    "a file of JSON": (60_000, lambda n: json.dumps({f"key_{number}": 1 for number in range(n)})),
    "names of files that are not there": (60_000, lambda n: f"extends = [{items(QUOTED, n)}]\n"),
    "the name of one file, again and again": (100_000, lambda n: "extends = [" + "'a.toml', " * n + "]\n"),
}
"""Files that are not."""

NAMES: dict[str, Callable[[int], str]] = {
    "letters": lambda n: "X" * n,
    "underscores": lambda n: "_" * n,
    "parts": lambda n: "X__" * (n // 3),
    "parts of metadata": lambda n: "METADATA__" + "X__" * (n // 3),
    "metadata and underscores": lambda n: "METADATA" + "_" * n + "X",
    "metadata, misspelt": lambda n: "META_DATA" + "_X" * (n // 2),
    "metadata, again and again": lambda n: "METADATA_" * (n // 9),
    "parts of a section": lambda n: "GRPO__" * (n // 6),
    "a Service": lambda n: "X_SERVICE_PORT_" * (n // 15) + "-",
    "ports": lambda n: "X_PORT_1_" * (n // 9) + "-",
    "a secret": lambda n: "X_TOKEN_" * (n // 8) + "TOKEN",
    "dashes": lambda n: "X" + "-" * n + "X",
    "dots": lambda n: "x." * (n // 2),
}
"""Long names of variables, without the prefix."""

SERVICE = {
    "ACBO_X_SERVICE_HOST": "10.0.0.1",
    "ACBO_X_SERVICE_PORT": "80",
    "ACBO_X_PORT": "tcp://10.0.0.1:80",
}
"""The variables of a Service, of which Kubernetes sets more."""

VARIABLES: dict[str, tuple[int, Callable[[int], Mapping[str, str]]]] = {
    "notes": (50_000, lambda n: {f"ACBO_METADATA__N{i}": "1" for i in range(n)}),
    "notes in tables of ten": (50_000, lambda n: {f"ACBO_METADATA__T{i // 10}__N{i}": "1" for i in range(n)}),
    "notes in one table": (50_000, lambda n: {f"ACBO_METADATA__T__N{i}": "1" for i in range(n)}),
    "notes 14 deep": (20_000, lambda n: {f"ACBO_METADATA__{'T__' * 14}N{i}": "1" for i in range(n)}),
    "notes as one JSON text": (90_000, lambda n: {"ACBO_METADATA": json.dumps({f"n{i}": 1 for i in range(n)})}),
    "one long text": (2_000_000, lambda n: {"ACBO_METADATA__N": "x" * n}),
    "variables of Services": (
        50_000,
        lambda n: {name.replace("X", f"X{i}"): text for i in range(n // 3) for name, text in SERVICE.items()},
    ),
    "variables of others": (200_000, lambda n: {f"OTHER_{i}": "1" for i in range(n)}),
}
"""Environments that are valid."""

WRONG_VARIABLES: dict[str, tuple[int, Callable[[int], Mapping[str, str]]]] = {
    "unknown variables": (50_000, lambda n: {f"ACBO_X{i}": "1" for i in range(n)}),
    "unknown variables of sections": (50_000, lambda n: {f"ACBO_GRPO__X{i}": "1" for i in range(n)}),
    "variables of a misspelt prefix": (50_000, lambda n: {f"ABCO_METADATA__N{i}": "1" for i in range(n)}),
    "empty variables": (50_000, lambda n: {f"ACBO_METADATA__N{i}": "" for i in range(n)}),
    "variables below another": (
        50_000,
        lambda n: {"ACBO_METADATA__T": "1"} | {f"ACBO_METADATA__T__N{i}": "1" for i in range(n)},
    ),
    "secret variables": (50_000, lambda n: {f"ACBO_METADATA__N{i}_TOKEN": "x" for i in range(n)}),
    "variables that differ in case": (10_000, lambda n: {f"ACBO_METADATA__{in_cases(i)}": "1" for i in range(n)}),
    "wrong keys in one JSON text": (
        60_000,
        lambda n: {"ACBO_GRPO": json.dumps({f"key_{i}": 1 for i in range(n)})},
    ),
    "wrong values in one JSON text": (
        60_000,
        lambda n: {"ACBO_METADATA": json.dumps({f"key_{i}": None for i in range(n)})},
    ),
    "wrong keys in one JSON text with a secret": (
        60_000,
        lambda n: {"ACBO_GRPO": json.dumps({"token": "x"} | {f"key_{i}": 1 for i in range(n)})},
    ),
    "one text of broken JSON": (1_000_000, lambda n: {"ACBO_METADATA": "{" + '"a": 1, ' * (n // 8)}),
    "one long wrong text": (1_000_000, lambda n: {"ACBO_TOTAL_STEPS": "1" * n}),
    "one long wrong text of secrets": (1_000_000, lambda n: {"ACBO_TOTAL_STEPS": "api_key = x " * (n // 12)}),
    "a long name beside a Service": (100_000, lambda n: SERVICE | {f"ACBO_{'SERVICE_PORT_' * (n // 13)}-": "1"}),
}
"""Environments that are not."""


def in_cases(number: int) -> str:
    """A name whose letters are small or capital as the bits of a number are 0 or 1."""
    return "".join("aA"[number >> bit & 1] for bit in range(16))


def tree_of_dotted(size: int) -> dict[str, int]:
    """Overrides with dotted keys."""
    return {f"metadata.note_{number}": number for number in range(size)}


OVERRIDES: dict[str, tuple[int, Callable[[int], object]]] = {
    "notes as texts": (20_000, lambda n: [f"metadata.note_{i}=1" for i in range(n)]),
    "one note as texts, again and again": (20_000, lambda n: [f"metadata.note={i}" for i in range(n)]),
    "notes in one table as texts": (20_000, lambda n: [f"metadata.t.note_{i}=1" for i in range(n)]),
    "one setting as texts, again and again": (20_000, lambda n: [f"total_steps={200 + i}" for i in range(n)]),
    "notes as one text": (90_000, lambda n: [f"metadata={json.dumps({f'n{i}': 1 for i in range(n)})}"]),
    "notes as a dict": (90_000, lambda n: {"metadata": {f"note_{i}": i for i in range(n)}}),
    "notes as a dict in a dict": (90_000, lambda n: {"metadata": {"t": {f"note_{i}": i for i in range(n)}}}),
    "notes as a list": (90_000, lambda n: {"metadata": {"numbers": list(range(n))}}),
    "notes of dotted keys": (90_000, tree_of_dotted),
    "notes of dotted keys in one table": (90_000, lambda n: {f"metadata.t.note_{i}": i for i in range(n)}),
    "notes of dotted keys in tables": (90_000, lambda n: {f"metadata.t{i}.note": i for i in range(n)}),
    "one list, again and again": (90_000, lambda n: {"metadata": {"numbers": [[1] * 10] * (n // 11)}}),
}
"""Overrides that are valid."""

WRONG_OVERRIDES: dict[str, tuple[int, Callable[[int], object]]] = {
    "wrong texts": (20_000, lambda n: [f"key_{i}=1" for i in range(n)]),
    "wrong texts of sections": (20_000, lambda n: [f"section_{i}.key=1" for i in range(n)]),
    "texts without a value": (20_000, lambda n: [f"key_{i}" for i in range(n)]),
    "one wrong setting as texts, again and again": (20_000, lambda n: ["total_steps=x"] * n),
    "one long key": (1_000_000, lambda n: ["k" * n + "=1"]),
    "one long key of parts": (1_000_000, lambda n: ["k." * (n // 2) + "k=1"]),
    "one long text without a value": (1_000_000, lambda n: ["k." * (n // 2)]),
    "wrong keys in one text": (60_000, lambda n: [f"grpo={json.dumps({f'key_{i}': 1 for i in range(n)})}"]),
    "wrong keys as a dict": (90_000, lambda n: {"grpo": {f"key_{i}": 1 for i in range(n)}}),
    "wrong keys of a dict": (90_000, lambda n: {f"key_{i}": 1 for i in range(n)}),
    "dotted keys below a value": (90_000, lambda n: {"metadata": 1} | {f"metadata.t.key_{i}": 1 for i in range(n)}),
    "one long dotted key": (1_000_000, lambda n: {"k." * (n // 2): 1}),
    "one list, again and again, below a wrong key": (2_000, lambda n: {"key": {"a": tangled(n)}}),
}
"""Overrides that are not."""


def tangled(size: int) -> list[object]:
    """A list that holds itself again and again."""
    made: list[object] = []
    made += [made] * size
    return made


QUOTED = '"f{}.toml"'
"""The name of a file in an array."""


def long_name(text: Callable[[int], str]) -> Callable[[int], Work]:
    """An unknown variable of a long name."""
    return lambda size: refuses(environ={f"ACBO_{text(size)}": "1"})


OWN = """\
from dataclasses import dataclass
from typing import Annotated
from acbo_settings import TrainingConfig, Was

@dataclass(frozen=True, slots=True, kw_only=True)
class Own(TrainingConfig):
"""


def write_own(size: int) -> type[TrainingConfig]:
    """Write a class of many settings that had other names, and a file that uses them all."""
    write(lines('    now_{0}: Annotated[int, Was("was_{0}", since="2.0")] = 1', size, OWN), "own.py")
    write(lines("was_{} = 2", size))
    sys.path.insert(0, os.getcwd())
    own: type[TrainingConfig] = importlib.import_module("own").Own
    return own


def own(work: Callable[[type[TrainingConfig], int], Work]) -> Case:
    """What is done with such a class."""
    return Case(3_000, lambda size: work(write_own(size), size))


def own_command(code: int, *arguments: str) -> Case:
    """A command for such a class."""
    return own(lambda _, __: command(code, *arguments, "--schema", "own:Own"))


def in_run(text: Callable[[int], str], work: Work, before: Callable[[int], str] | None = None) -> Callable[[int], Work]:
    """A run that was frozen with a file, or another one."""

    def prepare(size: int) -> Work:
        write((before or text)(size))
        load_training_config(run_dir="run", environ={})
        write(text(size))
        return work

    return prepare


def resumed(size: int) -> Work:
    """A start of a run with many notes, each of which may change."""
    write(notes(size))
    load_training_config(run_dir="run", environ={})
    write(notes(size).replace("= 1", "= 2"))
    names = [f"metadata.note_{number}" for number in range(size)]
    return loads(run_dir="run", may_change=names)


def replaced(size: int) -> Work:
    """A start that freezes a run anew, with much advice."""
    load_training_config(run_dir="run", environ={})
    environ = {f"ACBO_X{number}": "1" for number in range(size)}
    return loads(environ=environ, strict=False, run_dir="run", on_change="replace", overrides={"total_steps": 7000})


def created(size: int) -> Work:
    """A configuration of many custom keys."""
    return lambda: create_training_config({f"note_{number}": number for number in range(size)})


def advised(size: int) -> Work:
    """The same with advice for each."""
    return lambda: create_training_config({f"note_{number}": {"grpo": 1} for number in range(size)})


def pickled(size: int) -> Work:
    """A configuration with many notes, into a pickle and out of it, and its notes."""
    config = load_training_config(overrides={"metadata": {f"note_{n}": n for n in range(size)}}, environ={})
    return lambda: pickle.loads(pickle.dumps(config)).metadata


def explained(size: int) -> Work:
    """The origins of all notes."""

    def work() -> None:
        resolved = resolve_training_config(environ={})
        for path in resolved.custom:
            resolved.explain(path)

    write(notes(size))
    return work


def all_of(error: ConfigurationError) -> object:
    """Everything that one can ask of an exception."""
    facts = [(problem, [str(value.origin) for _, value in problem.values]) for problem in error.problems]
    return str(error), pickle.loads(pickle.dumps(error)), facts, hash(error.problems[0].path)


def extending(size: int) -> Work:
    """A file that extends 16 others, with as many notes in each."""
    for number in range(16):
        write(lines(f"n{number}_{{}} = 1", size, "[metadata]\n"), f"base{number}.toml")
    write(f"extends = [{items(QUOTED.replace('f', 'base'), 16)}]\n")
    return loads()


def changed(size: int) -> str:
    """The same notes with other values, and another setting."""
    return "total_steps = 7000\n" + notes(size).replace("= 1", "= 2")


def two(code: int, text: Callable[[int], str], *options: str) -> Callable[[int], Work]:
    """The check of two files of one text."""
    return files(text, ("a.toml", "b.toml"), command(code, "check", *options, "a.toml", "b.toml"))


def checked_under_variables(size: int) -> Work:
    """Ten good files under many unknown variables, which are told once."""
    os.environ.update({f"ACBO_X{number}": "1" for number in range(size)})
    return checked_files(10, 1)


def checked_files(size: int, code: int = 0) -> Work:
    """Many files."""
    names = [f"{number}.toml" for number in range(size)]
    for name in names:
        write("", name)
    return command(code, "check", *names)


def difference(size: int) -> Work:
    """The difference of two files of notes."""
    write(notes(size), "a.toml")
    write(changed(size), "b.toml")
    return command(1, "diff", "a.toml", "b.toml")


def nothing(size: int) -> str:
    """An empty file."""
    return "" * size


CASES: dict[str, Case] = {
    **{f"file: {name}": Case(most, file(text, loads())) for name, (most, text) in VALID.items()},
    **{f"wrong file: {name}": Case(most, file(text, refuses())) for name, (most, text) in WRONG.items()},
    **{f"environ: {name}": Case(most, variables(made, loads)) for name, (most, made) in VARIABLES.items()},
    **{f"wrong environ: {name}": Case(n, variables(made, refuses)) for name, (n, made) in WRONG_VARIABLES.items()},
    **{f"overrides: {name}": Case(most, overrides(made, loads)) for name, (most, made) in OVERRIDES.items()},
    **{f"wrong overrides: {name}": Case(n, overrides(made, refuses)) for name, (n, made) in WRONG_OVERRIDES.items()},
    "process: notes": Case(50_000, shell(VARIABLES["notes"][1], loads(environ=None))),
    "advice: unknown variables": Case(20_000, variables(WRONG_VARIABLES["unknown variables"][1], loads, strict=False)),
    "exception: wrong keys": Case(70_000, file(wrong_keys, refuses(all_of))),
    "exception: wrong keys in one JSON text": Case(
        60_000, variables(WRONG_VARIABLES["wrong keys in one JSON text with a secret"][1], refuses, use=all_of)
    ),
    "exception: 100,000 problems": Case(
        100_000, overrides(WRONG_OVERRIDES["wrong keys as a dict"][1], lambda **given: refuses(all_of, **given))
    ),
    "exception: a list that holds itself": Case(
        2_000,
        overrides(
            WRONG_OVERRIDES["one list, again and again, below a wrong key"][1], lambda **given: refuses(all_of, **given)
        ),
    ),
    "extends: 16 files": Case(3_000, extending),
    "check: notes": Case(60_000, file(notes, command(0, "check"))),
    "check: wrong keys in two files": Case(70_000, two(1, wrong_keys)),
    "check --format json: wrong keys in two files": Case(70_000, two(1, wrong_keys, "--format", "json")),
    "check --format github: wrong keys in two files": Case(70_000, two(1, wrong_keys, "--format", "github")),
    "check: wrong values in two files": Case(50_000, two(1, WRONG["wrong values"][1])),
    "check: unknown variables, with many files": Case(20_000, checked_under_variables),
    "check: many files": Case(500, checked_files),
    "show: notes": Case(20_000, file(notes, command(0, "show"))),
    "show --format json: notes": Case(60_000, file(notes, command(0, "show", "--format", "json"))),
    "show --format env: notes": Case(7_000, file(notes, command(0, "show", "--format", "env"))),
    "show: one text of many lines": Case(200_000, file(VALID["one text of many lines"][1], command(0, "show"))),
    "explain: notes": Case(60_000, file(notes, command(0, "explain"))),
    "explain: a long name": Case(100_000, lambda n: command(2, "explain", "x." * (n // 2))),
    "explain: origins of notes": Case(60_000, explained),
    "diff: notes": Case(10_000, difference),
    "freeze: notes": Case(12_000, file(notes, command(0, "freeze", "--run-dir", "run"))),
    "freeze: changed notes": Case(12_000, in_run(changed, command(1, "freeze", "--run-dir", "run"), notes)),
    "freeze: changed notes that are kept": Case(
        2_000, in_run(changed, command(0, "freeze", "--run-dir", "run", "--on-change", "keep"), notes)
    ),
    "run: notes, unchanged": Case(12_000, in_run(notes, loads(run_dir="run"))),
    "run: notes, read": Case(12_000, in_run(notes, lambda: load_frozen_config("run").metadata)),
    "run: keys in quotes, read": Case(
        15_000, in_run(VALID["notes of keys in quotes"][1], lambda: load_frozen_config("run").metadata)
    ),
    "run: notes that may change": Case(15_000, resumed),
    "run: much advice, frozen anew": Case(10_000, replaced),
    "created: custom keys": Case(20_000, created),
    "created: custom keys with advice": Case(20_000, advised),
    "config: pickle of notes": Case(90_000, pickled),
    "own class: old names": own(lambda own, _: loads(schema=own)),
    "own class: old names as texts": own(lambda own, n: loads(schema=own, overrides=[f"was_{i}=3" for i in range(n)])),
    "own class: old names as variables": own(
        lambda own, n: loads(schema=own, environ={f"ACBO_WAS_{i}": "3" for i in range(n)})
    ),
    "own class: check": own_command(0, "check"),
    "own class: migrate": own_command(0, "migrate"),
    "own class: migrate --check": own_command(1, "migrate", "--check"),
    "own class: explain": own_command(0, "explain"),
    "own class: show": own_command(0, "show"),
    "own class: freeze": own_command(0, "freeze", "--run-dir", "run"),
    "own class: schema": own_command(0, "schema"),
    "own class: env": own_command(0, "env"),
    **{f"unknown variable: {name}": Case(100_000, long_name(text)) for name, text in NAMES.items()},
}
