"""The examples in the docstrings are run, and every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import acbo_settings

MODULES = [
    "acbo_settings",
    *(info.name for info in pkgutil.walk_packages(acbo_settings.__path__, "acbo_settings.") if not info.ispkg),
]
ENTRY_POINTS = {"acbo_settings.__main__"}


@pytest.mark.parametrize("name", [name for name in MODULES if name not in ENTRY_POINTS])
def test_docstring_examples_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each example in a docstring prints what stands below it."""
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module)
    assert failed == 0, capsys.readouterr().out
    assert tried > 0


@pytest.mark.parametrize("name", acbo_settings.__all__)
def test_public_names_have_an_example(name: str) -> None:
    """Each name that the package exports has a docstring with an example."""
    assert ">>>" in (inspect.getdoc(getattr(acbo_settings, name)) or "")


@pytest.mark.parametrize("name", acbo_settings.__all__)
def test_public_functions_describe_their_arguments(name: str) -> None:
    """Each argument of an exported function stands in its docstring."""
    member = getattr(acbo_settings, name)
    if inspect.isfunction(member):
        doc = inspect.getdoc(member) or ""
        assert all(f"{argument}:" in doc for argument in inspect.signature(member).parameters), doc
        assert "Returns:" in doc or inspect.signature(member).return_annotation == "None"
