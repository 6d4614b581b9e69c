"""A configuration as plain data, generic over dataclass fields: by key path, dict, canonical JSON, fingerprint."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


KeyPath = tuple[str, ...]
"""Where a value stands in the tree: the names of the sections above it, and its own."""


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of one dataclass instance as they are, those out of comparison (the metadata) left out."""
    return {field.name: getattr(record, field.name) for field in fields(record) if field.compare}


def flatten(record: Any, prefix: KeyPath = ()) -> dict[KeyPath, Any]:
    """Every setting of a configuration by its key path, in the order of the fields, at any depth."""
    flat: dict[KeyPath, Any] = {}
    for name, value in fields_of(record).items():
        if is_dataclass(value):
            flat |= flatten(value, (*prefix, name))
        else:
            flat[*prefix, name] = value
    return flat


def nested(values: Mapping[KeyPath, Any]) -> dict[str, Any]:
    """Settings by key path as a file has them: those of a section in a table of its own.

    >>> nested({("a",): 7, ("b", "c"): 64})
    {'a': 7, 'b': {'c': 64}}
    """
    tree: dict[str, Any] = {}
    for path, value in values.items():
        table = tree
        for name in path[:-1]:
            table = table.setdefault(name, {})
        table[path[-1]] = value
    return tree


def plain_setting(value: Any) -> Any:
    """The value of a setting as JSON has it: a tuple as a list, a path as text, None as it is."""
    if isinstance(value, tuple):
        return [plain_setting(item) for item in value]
    return os.fspath(value) if hasattr(value, "__fspath__") else value


def value_at(config: Any, path: KeyPath) -> Any:
    """The value of one setting of a configuration."""
    for name in path:
        config = getattr(config, name)
    return config


def custom_metadata(config: Any) -> dict[str, Any]:
    """The metadata that is no record of a setting: what somebody added under a key of their own, as plain data."""
    settings = fields_of(config)
    metadata = type(config).metadata.plain(config)
    return {key: value for key, value in metadata.items() if key not in settings}


def plain(value: Any) -> Any:
    """A tree as new plain dicts and lists, with sorted keys; enums and the like become text or numbers."""
    if isinstance(value, Mapping):
        items = {plain(key) if isinstance(key, str) else key: item for key, item in value.items()}
        return {key: plain(items[key]) for key in sorted(items, key=str)}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return int(value) if isinstance(value, int) else float(value)
    if hasattr(value, "__fspath__"):
        return os.fspath(value)
    return [plain(item) for item in value] if hasattr(value, "__iter__") else value


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain data for JSON, in new dicts, with the custom metadata if there is any."""
    settings = {path: plain_setting(value) for path, value in flatten(config).items()}
    tree, custom = nested(settings), custom_metadata(config)
    return {**tree, "metadata": json_ready(custom)} if custom else tree


def to_flat(config: Any) -> dict[str, bool | int | float | str]:
    """A configuration as scalars by dotted key: a tuple as JSON text, metadata as far as it is a scalar."""
    import json

    flat: dict[str, bool | int | float | str] = {}
    for path, value in leaves(to_dict(config), ()).items():
        if isinstance(value, list) and path[0] != "metadata":
            value = json.dumps(value, ensure_ascii=False)
        if value is not None and not isinstance(value, list | dict):
            flat[".".join(path)] = value
    return flat


def leaves(tree: Mapping[str, Any], above: KeyPath = ("metadata",)) -> dict[KeyPath, Any]:
    """The values of metadata by their key paths, those inside tables each by its own; an empty table is a value.

    >>> leaves({"wandb": {"group": "a"}, "tags": {}})
    {('metadata', 'wandb', 'group'): 'a', ('metadata', 'tags'): {}}
    """
    found: dict[KeyPath, Any] = {}
    for key, value in tree.items():
        path = (*above, key)
        found |= leaves(value, path) if isinstance(value, Mapping) and value else {path: value}
    return found


def json_ready(value: Any) -> Any:
    """Dates and times as ISO 8601 text, everything else as it is."""
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_ready(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def canonical_json(value: Any) -> str:
    """Plain data as the one JSON text that RFC 8785 (JSON Canonicalization Scheme) has for it.

    Integers are written in full, where the scheme knows none above 2**53. TypeError for what is no plain data, or a key
    that is no text; ValueError for NaN and infinities.

    >>> canonical_json({"b": 1e-7, "a": 100.0})
    '{"a":100,"b":1e-7}'
    """
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys must be text")
        return "{" + ",".join(f"{canonical_json(key)}:{canonical_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return f"[{','.join(map(canonical_json, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _canonical_float(value)
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} has no canonical form")
    if value.isascii() and value.isidentifier():  # as all keys and choices are: nothing to escape
        return f'"{value}"'
    import json

    return json.dumps(value, ensure_ascii=False)


def _canonical_float(value: float) -> str:
    """The shortest digits that read back as the value, laid out by the rules of JavaScript's `Number.toString`."""
    if value - value != 0:
        raise ValueError(f"{value} has no canonical form")
    mantissa, _, exponent = float.__repr__(value + 0.0).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    if int(exponent) < -6 or int(exponent) > 20:
        return f"{mantissa}e{int(exponent):+d}"
    places = len(mantissa.partition(".")[2]) - int(exponent)
    return f"{value:.{places}f}" if places > 0 else mantissa.replace(".", "") + "0" * -places


def fingerprint(settings: Mapping[KeyPath, Any]) -> str:
    """16 hexadecimal digits of settings by key path, each of the type of its setting.

    What is not set takes no part, so that a setting which may be None can come to a schema later.
    """
    plain_settings = {path: plain_setting(value) for path, value in settings.items() if value is not None}
    return sha256(canonical_json(nested(plain_settings)).encode())[:16]


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes in 64 hexadecimal digits, without `hashlib`, which loads OpenSSL for it."""
    try:
        module = import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    except ImportError:  # a Python that was built without its own hashes
        module = import_module("hashlib")
    digest: str = module.sha256(content).hexdigest()
    return digest
