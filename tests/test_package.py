from __future__ import annotations

import ast
import inspect
import pydoc
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import acbo_settings

from .strategies import SCHEMA

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


def test_importing_a_name_brings_no_pydantic() -> None:
    """`from acbo_settings import <name>` is light for every name: pydantic comes with the first call."""
    program = f"""
import os, sys, acbo_settings
for name in {acbo_settings.__all__!r}:
    if not os.fork():  # each name alone
        exec(f"from acbo_settings import {{name}}")
        print(name, "pydantic" in sys.modules, flush=True)
        os._exit(0)
    os.wait()
"""
    assert run(program).splitlines() == [f"{name} False" for name in acbo_settings.__all__]


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
    assert {name for name in dir(acbo_settings) if not name.startswith("__")} == set(acbo_settings.__all__)


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
    """Rich and argcomplete have one importer each, matplotlib pictures, in the command line, which no load imports."""
    for package, importers in {
        "rich": ["cli/terminal"],
        "matplotlib": ["cli/plan_picture", "cli/sweep/table_picture"],
        "argcomplete": ["cli/parser"],
    }.items():
        assert [module for module in MODULES if package in third_party_imports_of(module)] == importers
    loaded = run("import sys, acbo_settings as a; a.load_training_config(environ={}); print('rich' in sys.modules)")
    assert loaded == "False"


def test_help_starts_with_the_public_functions() -> None:
    """The package's own text names each public function with the first sentence of its docstring."""
    text = " ".join((acbo_settings.__doc__ or "").split())
    functions = {name: getattr(acbo_settings, name) for name in acbo_settings.__all__}
    for name, function in functions.items():
        if inspect.isfunction(function):
            sentence = (inspect.getdoc(function) or "").partition("\n")[0]
            assert f"{name} {sentence}" in text
    assert "Return first index of value" not in pydoc.plain(pydoc.render_doc(acbo_settings))  # of a tuple


@pytest.mark.parametrize("section", SCHEMA.sections.values(), ids=lambda section: section.__name__)
def test_help_tells_what_each_setting_means(section: type) -> None:
    """`help` of a dataclass has the doc that stands below the field."""
    text = " ".join(pydoc.plain(pydoc.render_doc(section)).replace("|", " ").split())
    for path, owner in SCHEMA.sections.items():
        if owner is section:
            docs = [setting.doc for key, setting in SCHEMA.settings.items() if key[:-1] == path]
            assert docs
            assert all(" ".join(doc.replace("|", " ").split()) in text for doc in docs)


def test_the_law_of_the_house_holds() -> None:
    """Rooms import only from rooms below theirs: the contracts of import-linter in pyproject.toml are kept."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    ran = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("folder", [file.parent for file in sorted(PACKAGE.rglob("__init__.py"))], ids=lambda f: f.name)
def test_the_law_of_a_folder_stands_at_its_door(folder: Path) -> None:
    """Each folder says in its `__init__` what it is for; those inside the package say by which laws."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert text
    assert folder == PACKAGE or "Law 1:" in text


def test_the_tests_mirror_the_folders() -> None:
    """A test of a room lies in the folder of the same name, and is named after it; `training` tests an example."""
    tests = Path(__file__).parent
    for file in sorted(tests.rglob("test_*.py")):
        folder = file.relative_to(tests).parent
        room = PACKAGE / folder / f"{file.stem.removeprefix('test_')}.py"
        assert folder in (Path(), Path("training")) or room.exists(), f"{file} tests no room"


def test_the_hook_for_jobs_brings_what_the_extra_does() -> None:
    """The second hook installs the same packages that the extra `jobs` names."""
    root = Path(__file__).parent.parent
    extras = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    hooks = yaml.safe_load((root / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (hook,) = [hook for hook in hooks if hook["id"] == "acbo-settings-check-jobs"]
    assert hook["additional_dependencies"] == extras["jobs"]
