"""The examples in the docstrings are run, and every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import acbo_settings
from acbo_settings.engine import home_of

MODULES = [
    "acbo_settings",
    *(info.name for info in pkgutil.walk_packages(acbo_settings.__path__, "acbo_settings.")),
]
ENTRY_POINTS = {"acbo_settings.__main__"}


def examples_of(name: str) -> list[doctest.DocTest]:
    """The examples of a module, those of its public names included, which wear the name of the package."""
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = finder.find(module, name)
    if module is acbo_settings:  # it has what has been used of it so far, which is found in its own room
        found = [test for test in found if test.name == name]
    for public in acbo_settings.__all__:
        member = getattr(acbo_settings, public)
        if home_of(member) == name:
            found += finder.find(member, public, module=False, globs=dict(vars(module)))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ENTRY_POINTS])
def test_docstring_examples_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each example in a docstring prints what stands below it."""
    runner = doctest.DocTestRunner()
    for test in examples_of(name):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out


def test_the_examples_of_public_names_are_among_those_that_run() -> None:
    """Whatever room a public name lives in, its example is found there."""
    found = {test.name.split(".")[-1] for name in MODULES if name not in ENTRY_POINTS for test in examples_of(name)}
    assert set(acbo_settings.__all__) <= found


@pytest.mark.parametrize("name", acbo_settings.__all__)
def test_public_names_have_an_example(name: str) -> None:
    """Each name that the package exports has a docstring with an example."""
    assert ">>>" in (inspect.getdoc(getattr(acbo_settings, name)) or "")


@pytest.mark.parametrize("name", acbo_settings.__all__)
def test_public_names_wear_the_name_of_the_package(name: str) -> None:
    """A traceback, a log and a pickle tell of `acbo_settings`, and of no room that may move."""
    assert getattr(acbo_settings, name).__module__ == "acbo_settings"


@pytest.mark.parametrize("name", acbo_settings.__all__)
def test_public_functions_describe_their_arguments(name: str) -> None:
    """Each argument of an exported function stands in its docstring."""
    member = getattr(acbo_settings, name)
    if inspect.isfunction(member):
        doc = inspect.getdoc(member) or ""
        assert all(f"{argument}:" in doc for argument in inspect.signature(member).parameters), doc
        assert "Returns:" in doc or inspect.signature(member).return_annotation == "None"
