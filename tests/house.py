"""What the house looks like in numbers: modules, import arrows, lines, and the doors that one value passes.

    python -m tests.house

An arrow is one module importing another of the package, wherever in it; imports for type checking alone do not count.
A door is a call from a function of one module to one of another. The value is `total_steps` from line 1 of an
`acbo.toml`, followed through the calls that have it, or what holds it, among their arguments or as what they return.
"""

from __future__ import annotations

import ast
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import grimp

import acbo_settings

PACKAGE = Path(acbo_settings.__file__).parent
VALUE = 7777777


def main() -> None:
    """Print all figures."""
    files = sorted(PACKAGE.rglob("*.py"))
    graph = grimp.build_graph("acbo_settings", exclude_type_checking_imports=True)
    print(f"modules {len(graph.modules)}, import arrows {graph.count_imports()}", end=", ")
    print(f"{graph.count_imports() / len(graph.modules):.1f} for each module")
    counts = Counter[str]()
    for file in files:
        counts += count_lines(file.read_text(encoding="utf-8"))
    print(", ".join(f"{kind} {number:,}" for kind, number in counts.items()))
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        Path("acbo.toml").write_text(f"total_steps = {VALUE}\n", encoding="utf-8")
        load: Callable[..., object] = acbo_settings.load_training_config
        load(environ={})  # what is worked out once in a process is no part of the way
        for name, arguments in {"to the configuration": {}, "to the frozen file": {"run_dir": "run"}}.items():
            calls, doors, rooms = follow(partial(load, environ={}, **arguments))
            print(f"total_steps {name}: {calls} calls, {doors} doors, {rooms} modules")


def count_lines(text: str) -> Counter[str]:
    """The lines of code, of docstrings, and of comments and nothing."""
    docs: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        for statement in getattr(node, "body", []) if isinstance(getattr(node, "body", None), list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                docs |= set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    lines = enumerate(text.splitlines(), 1)
    kinds = (
        "docstrings"
        if number in docs
        else "comments and nothing"
        if not line.strip() or line.lstrip().startswith("#")
        else "code"
        for number, line in lines
    )
    return Counter(kinds)


def follow(call: Callable[[], object]) -> tuple[int, int, int]:
    """How many calls have the value, how many of them go from one module to another, and in how many modules."""
    found: list[tuple[str, str]] = []
    counted: set[int] = set()

    def profile(frame: FrameType, event: str, result: Any) -> None:
        module = module_of(frame)
        if module is None or event not in ("call", "return"):
            return
        has = any(holds(value) for value in frame.f_locals.values()) if event == "call" else holds(result)
        if has and id(frame) not in counted:
            caller = next((name for name in map(module_of, callers(frame)) if name), module)
            found.append((caller, module))
            counted.add(id(frame))
        if event == "return":
            counted.discard(id(frame))

    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(None)
    return len(found), sum(caller != module for caller, module in found), len({module for _, module in found})


def module_of(frame: FrameType) -> str | None:
    """The module of the package that a frame belongs to, or None for another's."""
    name = str(frame.f_globals.get("__name__", ""))
    return name if name.startswith("acbo_settings") else None


def callers(frame: FrameType) -> Iterator[FrameType]:
    """The frames above one, the nearest first."""
    while frame.f_back:
        frame = frame.f_back
        yield frame


def holds(value: Any, depth: int = 4) -> bool:
    """Whether a value is the one that is followed, or a container or record that has it."""
    if isinstance(value, int | bytes | str):
        return value == VALUE or (not isinstance(value, int) and str(VALUE) in str(value))
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(holds(item, depth - 1) for item in value.values())
    if isinstance(value, list | tuple):
        return any(holds(item, depth - 1) for item in value)
    if not type(value).__module__.startswith("acbo_settings"):
        return False
    names = [*getattr(value, "__dict__", {}), *(n for c in type(value).__mro__ for n in getattr(c, "__slots__", ()))]
    return any(holds(getattr(value, name, None), depth - 1) for name in names if name != "metadata")


if __name__ == "__main__":
    main()
