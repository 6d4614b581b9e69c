"""What takes time in proportion to what is given; `tests/benchmarks/growth.py` measures far more, and far larger."""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acbo_settings import ConfigurationError, load_training_config
from acbo_settings.cli.main import main
from acbo_settings.engine.origins import Argument
from acbo_settings.engine.toml_document import Document
from acbo_settings.engine.values import SourcedValue, merge_notes
from tests.benchmarks.growing import CASES

MUCH = {
    "file: comments above the file that is extended": 500_000,
    "wrong file: one long key of dots, in quotes": 200_000,
    "wrong environ: wrong keys in one JSON text": 3_000,
    "wrong environ: a long name beside a Service": 100_000,
    "unknown variable: a Service": 100_000,
    "unknown variable: parts": 100_000,
    "overrides: notes of dotted keys in one table": 40_000,
    "overrides: notes of dotted keys in tables": 25_000,
    "wrong overrides: one long key of parts": 100_000,
    "wrong overrides: wrong keys in one text": 3_000,
    "wrong overrides: one list, again and again, below a wrong key": 2_000,
    "exception: a list that holds itself": 2_000,
    "run: notes that may change": 4_000,
    "run: much advice, frozen anew": 2_000,
}
"""Cases of the benchmark that took several seconds once, and how much of each is given."""


@pytest.mark.parametrize("name", MUCH)
@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_much_is_no_matter_of_seconds(name: str) -> None:
    """What once took time with the square of its size takes a fraction of a second."""
    Path("base.toml").touch()
    work = CASES[name].prepare(MUCH[name])
    started = time.process_time()
    work()
    assert time.process_time() - started < 3


def calls(work: Callable[[], object]) -> int:
    """How many calls of functions something takes, which no machine makes more or fewer."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        """Count one call, of Python or of C."""
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def check_two(size: int) -> int:
    """The calls that the check of two files with many mistakes takes."""
    for name in ("a.toml", "b.toml"):
        Path(name).write_text("[grpo]\n" + "".join(f"key_{number} = 1\n" for number in range(size)))
    return calls(lambda: main(["check", "a.toml", "b.toml"]))


@pytest.mark.usefixtures("capsys")
def test_two_files_of_many_mistakes_are_checked_in_time_with_their_number() -> None:
    """What is told already is not looked for among all that is."""
    check_two(10)  # what is imported and kept at first
    few, many, more = map(check_two, (100, 200, 400))
    assert more - many <= 2.2 * (many - few)


def test_thousands_of_trees_are_laid_over_one_another_without_copying_what_is_there() -> None:
    """As many texts can give one note each."""
    layers = [
        {("metadata", *above, f"note_{number}"): SourcedValue(number, Argument("text")) for above in ((), ("table",))}
        for number in range(20_000)
    ]
    started = time.process_time()
    merged = merge_notes(layers)
    assert time.process_time() - started < 3
    assert len(merged) == 40_000


def own_class(size: int) -> Any:
    """A class of the benchmark, and the file that uses it; each size has a module of its own."""
    from tests.benchmarks.growing import write_own

    sys.modules.pop("own", None)
    path = list(sys.path)
    try:
        return write_own(size)
    finally:
        sys.path[:] = path
        sys.modules.pop("own", None)


@pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")
def test_texts_for_a_class_of_many_settings_take_time_with_their_number() -> None:
    """A text costs the same, however many settings there are."""
    texts = [f"was_{number}=3" for number in range(100)]

    def of(size: int) -> int:
        """The calls that 100 texts take more than none."""
        own = own_class(size)
        load_training_config(os.devnull, schema=own, environ={}, overrides=texts)
        without = calls(lambda: load_training_config(os.devnull, schema=own, environ={}))
        return calls(lambda: load_training_config(os.devnull, schema=own, environ={}, overrides=texts)) - without

    assert of(300) <= 1.2 * of(100)


def test_each_line_of_a_document_is_found_at_once() -> None:
    """As much advice can show one line each."""
    document = Document("acbo.toml", "".join(f"was_{number} = 1\n" for number in range(20_000)))
    started = time.process_time()
    lines = [document.line(number) for number in range(1, 20_003)]
    assert time.process_time() - started < 3
    assert lines[19_999:] == ["was_19999 = 1", "", ""]


def test_one_setting_can_be_given_thousands_of_times() -> None:
    """A value shadows all those before it, and no depth of recursion is a limit."""
    texts = [*["total_steps=x"] * 3_000, "total_steps=y"]
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(overrides=texts, environ={})
    [(_, value)] = caught.value.problems[0].values
    assert len(value.shadowed) == 3_001
    assert str(caught.value).splitlines()[2] == "  total_steps: Input should be a valid integer"


def test_a_list_that_stands_in_a_value_again_and_again_is_pickled_once() -> None:
    """The exception for it can travel."""
    shared: list[Any] = [1]
    for _ in range(40):
        shared = [shared, shared]
    with pytest.raises(ConfigurationError) as caught:
        load_training_config(overrides={"metadata": {"note": shared}}, environ={})
    travelled = pickle.loads(pickle.dumps(caught.value)).problems[0].values[0][1].value
    assert travelled[0] is travelled[1]
