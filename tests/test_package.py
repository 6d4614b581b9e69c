from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import acbo_settings

PACKAGE = Path(acbo_settings.__file__).parent
MODULES = sorted(str(path.relative_to(PACKAGE).with_suffix("")) for path in PACKAGE.rglob("*.py"))
HEAVY = ["pydantic", "pydantic_core", "pydantic_settings", "tomllib", "hashlib", "_hashlib", "ssl", "annotated_types"]


def run(program: str) -> str:
    """What a program prints in a fresh interpreter."""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={})
    return result.stdout.strip()


def test_importing_the_package_brings_only_the_schema() -> None:
    """Neither pydantic nor tomllib nor OpenSSL is imported by `import acbo_settings`."""
    assert run(f"import sys, acbo_settings; print([m for m in {HEAVY!r} if m in sys.modules])") == "[]"


@pytest.mark.parametrize("name", acbo_settings.__all__)
def test_importing_a_name_brings_no_pydantic(name: str) -> None:
    """`from acbo_settings import <name>` is light for every name: pydantic comes with the first call."""
    assert run(f"import sys; from acbo_settings import {name}; print('pydantic' in sys.modules)") == "False"


def test_building_and_reading_a_configuration_brings_no_pydantic() -> None:
    """The defaults, conversion, dict and TOML need the standard library, pyrsistent and tomli-w alone."""
    program = """
import sys, acbo_settings
config = acbo_settings.create_default_training_config()
config.grpo.to_grpo_config(), config.to_dict(), config.to_toml(), hash(config)
print("pydantic" in sys.modules)
"""
    assert run(program) == "False"


def test_unknown_attributes_are_attribute_errors() -> None:
    """A misspelt public name is refused as by any module, and `dir` lists the public ones."""
    with pytest.raises(AttributeError, match="has no attribute 'load_trainin_config'"):
        getattr(acbo_settings, "load_trainin_config")  # noqa: B009 (type checkers know that it is not there)
    assert set(acbo_settings.__all__) <= set(dir(acbo_settings))


def test_annotations_can_be_resolved() -> None:
    """`typing.get_type_hints` works on the dataclasses without any help."""
    program = """
import typing, acbo_settings
hints = typing.get_type_hints(acbo_settings.GRPOTrainingConfig, include_extras=True)
print(hints["group_size"])
"""
    assert run(program) == "typing.Annotated[int, Ge(ge=8), Le(le=256)]"


def third_party_imports_of(module: str) -> set[str]:
    """The packages outside of the standard library that a module imports, wherever in it."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names


def test_only_loading_imports_pydantic() -> None:
    """Pydantic and pydantic-settings are imported in the folder `loading` alone."""
    importers = {module for module in MODULES if third_party_imports_of(module) & {"pydantic", "pydantic_settings"}}
    assert importers
    assert all(module.startswith("engine/loading/") for module in importers)


def test_a_job_pays_for_no_drawing() -> None:
    """rich, matplotlib and argcomplete have one importer each, in the command line, which no load imports."""
    for package, importer in {"rich": "cli/terminal", "matplotlib": "cli/picture", "argcomplete": "cli/main"}.items():
        assert [module for module in MODULES if package in third_party_imports_of(module)] == [importer]
    loaded = run("import sys, acbo_settings as a; a.load_training_config(environ={}); print('rich' in sys.modules)")
    assert loaded == "False"
