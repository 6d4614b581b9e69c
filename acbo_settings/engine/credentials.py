"""Which keys hold secrets, by their names, and texts in which their values are hidden."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from .canonical import KeyPath

HIDDEN = "***"
"""What is shown instead of a secret."""

SECRET = "is a secret: it would stand readable in the frozen file, in reports and in trackers"
"""What is said of a secret, wherever it stands."""

_NAMES = (
    *("api_key", "apikey", "access_key", "private_key"),
    *("token", "password", "passwd", "secret", "credential", "credentials"),
)
_MAX_DEPTH = 50
_TOOLS = (
    *("WANDB", "HF", "HUGGINGFACE", "OPENAI", "ANTHROPIC", "COMET", "NEPTUNE", "MLFLOW", "CLEARML", "AIM"),
    *("AWS", "AZURE", "GITHUB", "GITLAB"),
)
_ANY_NAME = "|".join(_NAMES).replace("_", "[_-]")
# A key that holds a secret and what stands behind it, unless that is a number or a truth value.
# It is a text, because most starts show nothing: `re` compiles and keeps it when it is first used.
_ASSIGNED = (
    rf"""(?is)((?:^|[^A-Za-z0-9])(?:{_ANY_NAME})[\\"']*\s*[=:]\s*+)"""
    r"""(?!(?:true|false|[-+]?\d[\d._]*)\s*(?:[,}\]#]|$)).+"""
)


@lru_cache(10_000)
def is_secret(key: str) -> bool:
    """Whether the last part of a key says that a secret is behind it.

    >>> is_secret("wandb_api_key"), is_secret("tokens")
    (True, False)
    """
    name = key.lower().replace("-", "_").rpartition(".")[2]
    return name.endswith(_NAMES) and (name in _NAMES or name.endswith(tuple(f"_{each}" for each in _NAMES)))


@lru_cache(1)  # all problems with one source come one after another, and its text may be long
def hide(text: str) -> str:
    """A text, such as a line of a file, in which the secrets that are assigned in it are hidden.

    >>> hide('wandb_api_key = "abc"  # mine')
    'wandb_api_key = ***'
    """
    return re.sub(_ASSIGNED, rf"\1{HIDDEN}", text)


def hide_statement(text: str) -> str:
    """A line that is no TOML, in which all behind the name of a secret is hidden, whatever stands between.

    >>> hide_statement("api_key abc")
    'api_key ***'
    """
    return re.sub(rf"(?i)((?:^|[^A-Za-z0-9])(?:{_ANY_NAME})\b[\"']*[\s=:]+).+", rf"\1{HIDDEN}", text)


def is_inside_secret(before: str) -> bool:
    """Whether a text ends inside of a secret of several lines: a string or an array that is not closed."""
    opened = re.findall(rf"""(?is)(?:^|[^a-z0-9])(?:{_ANY_NAME})["']*\s*=\s*(\"{{3}}|'{{3}}|\[)(.*)""", before)
    return any(("]" if mark == "[" else mark) not in rest for mark, rest in opened)


def find_secret(tree: object, most: int) -> KeyPath | None:
    """Where the first secret text stands in tables and arrays, as far as some values at some depth are looked at."""
    waiting: list[tuple[KeyPath, Any]] = [((), tree)]
    for _ in range(most):
        if not waiting:
            break
        path, value = waiting.pop()
        if isinstance(value, Mapping) and len(path) < _MAX_DEPTH:
            waiting += [((*path, key), item) for key, item in value.items() if isinstance(key, str)]
        elif isinstance(value, str):
            if path and is_secret(path[-1]) and value.strip():
                return path
        elif isinstance(value, Sequence):
            # What waits behind that many is never looked at, and a list can hold a long one again and again.
            waiting += [(path, item) for item in value[: max(0, most - len(waiting))]]
    return None


def own_variable(path: KeyPath) -> str:
    """What to do about a secret: the variable that its tool reads, as far as the key tells which that is.

    >>> own_variable(("metadata", "wandb", "api_key"))
    "set WANDB_API_KEY in the job's environment, where the tool itself reads it"
    """
    names = ".".join(path).split(".")
    parts = [name.replace("-", "_").upper() for name in names if name != "metadata"]
    name = "_".join(parts[-2:]) if parts[-1].lower() in _NAMES else parts[-1]
    if name.partition("_")[0] in _TOOLS:
        return f"set {name} in the job's environment, where the tool itself reads it"
    return "the tool itself reads a variable, such as WANDB_API_KEY; if it is no secret, give it another name"
