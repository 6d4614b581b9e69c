from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import acbo_settings

PACKAGE = Path(acbo_settings.__file__).parent
README = Path(__file__).parent.parent / "README.md"
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__"))
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


def imports_of(module: str) -> set[str]:
    """The modules of the package that a module imports, those for type checking alone left out."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    hidden = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node not in hidden:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found & set(MODULES)


def third_party_imports_of(module: str) -> set[str]:
    """The packages outside of the standard library that a module imports, wherever in it."""
    tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.split(".")[0] for name in names} - sys.stdlib_module_names


def module_table() -> dict[str, tuple[str, set[str]]]:
    """The README's table of modules: name, what it owns, what it imports."""
    rows = re.findall(r"(?m)^\| `(\w+)\.py` \| (.+?) \| (.*?) \|$", README.read_text(encoding="utf-8"))
    return {name: (owns, set(re.findall(r"`([\w-]+)`", imports))) for name, owns, imports in rows}


def test_the_readme_lists_every_module() -> None:
    """Each module has its row, and no other."""
    assert sorted(module_table()) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_each_module_imports_what_the_readme_says(module: str) -> None:
    """The third column is exactly what the module imports, from the package and from others."""
    third_party = {name.replace("_", "-") for name in third_party_imports_of(module)}
    assert module_table()[module][1] == imports_of(module) | third_party


def test_imports_go_only_downwards() -> None:
    """No module imports one that stands below it in the table."""
    order = list(module_table())
    for module in order:
        assert all(order.index(imported) < order.index(module) for imported in imports_of(module)), module


def test_only_layers_imports_pydantic_settings() -> None:
    """pydantic-settings has one importer, and pydantic two."""
    importers = {module: third_party_imports_of(module) for module in MODULES}
    assert [module for module in MODULES if "pydantic_settings" in importers[module]] == ["layers"]
    assert [module for module in MODULES if "pydantic" in importers[module]] == ["layers", "validation"]


def test_a_job_pays_for_no_drawing() -> None:
    """rich, matplotlib and argcomplete have one importer each, in the command line, which no load imports."""
    for package, importer in {"rich": "terminal", "matplotlib": "picture", "argcomplete": "cli"}.items():
        assert [module for module in MODULES if package in third_party_imports_of(module)] == [importer]
    loaded = run("import sys, acbo_settings as a; a.load_training_config(environ={}); print('rich' in sys.modules)")
    assert loaded == "False"


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_small(module: str) -> None:
    """A module has at most about 300 lines."""
    assert len((PACKAGE / f"{module}.py").read_text(encoding="utf-8").splitlines()) <= 320
