"""A configuration as plain data, generic over dataclass fields: by key path, dict, TOML, and its fingerprint."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

KeyPath = tuple[str, ...]
"""Where a value stands in the tree: `("grpo", "group_size")`, or `("total_steps",)`."""


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of one dataclass instance as they are, nothing copied, those out of comparison (metadata) left out.

    Args:
        record: An instance of a dataclass.

    Returns:
        A new dict from field name to value.

    >>> from acbo_settings import EvaluationConfig
    >>> fields_of(EvaluationConfig())["eval_frequency"]
    100
    """
    return {field.name: getattr(record, field.name) for field in fields(record) if field.compare}


def flatten(record: Any, prefix: KeyPath = ()) -> dict[KeyPath, Any]:
    """Every setting of a configuration by its key path, in the order of the fields.

    Args:
        record: An instance of a dataclass whose fields are values or such instances.
        prefix: What to put in front of every path.

    Returns:
        A new dict; the metadata is left out.

    >>> from acbo_settings import TrainingConfig
    >>> flatten(TrainingConfig())["grpo", "group_size"]
    64
    """
    flat: dict[KeyPath, Any] = {}
    for name, value in fields_of(record).items():
        if is_dataclass(value):
            flat |= flatten(value, (*prefix, name))
        else:
            flat[*prefix, name] = value
    return flat


def nested(values: Mapping[KeyPath, Any]) -> dict[str, Any]:
    """Settings by key path as an `acbo.toml` has them: those of a component in a table of its own.

    Args:
        values: Values by key path; paths of one part or two.

    Returns:
        A new dict of dicts, in the order of the settings.

    >>> nested({("total_steps",): 7, ("grpo", "group_size"): 64})
    {'total_steps': 7, 'grpo': {'group_size': 64}}
    """
    tree: dict[str, Any] = {}
    for path, value in values.items():
        (tree if len(path) == 1 else tree.setdefault(path[0], {}))[path[-1]] = value
    return tree


def value_at(config: Any, path: KeyPath) -> Any:
    """The value of one setting.

    Args:
        config: An instance of a dataclass, or a tree of them.
        path: The key path.

    Returns:
        What stands there.

    >>> from acbo_settings import TrainingConfig
    >>> value_at(TrainingConfig(), ("grpo", "group_size"))
    64
    """
    for name in path:
        config = getattr(config, name)
    return config


def custom_metadata(config: Any) -> dict[str, Any]:
    """The metadata that is no record of a setting: what somebody added under a key of their own.

    Args:
        config: An instance of a dataclass with a field `metadata`.

    Returns:
        A new dict of plain dicts, lists and values.

    >>> from acbo_settings import create_training_config
    >>> custom_metadata(create_training_config(total_steps=7000, note="scm20"))
    {'note': 'scm20'}
    """
    settings = fields_of(config)
    return {key: value for key, value in thaw(config.metadata).items() if key not in settings}


def thaw(value: Any) -> Any:
    """A frozen tree as plain dicts and lists, all of them new; enums and the like become plain text and numbers.

    Keys are sorted: a frozen map has an order that changes from process to process.

    Args:
        value: Mappings, sequences, and anything else, which is returned as it is.

    Returns:
        The same tree, to be changed at will.

    >>> from pyrsistent import freeze
    >>> thaw(freeze({"seeds": [1, 2]}))
    {'seeds': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {thaw(key) if isinstance(key, str) else key: thaw(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, str):
        return str.__str__(value)
    if hasattr(value, "__iter__"):
        return [thaw(item) for item in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value) if isinstance(value, int) else float(value)
    return value


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration as plain data for JSON; see `TrainingConfig.to_dict`.

    Args:
        config: The configuration.

    Returns:
        A new dict of dicts.

    >>> from acbo_settings import TrainingConfig
    >>> to_dict(TrainingConfig())["rewards"]["reward_scaling"]
    'tanh'
    """
    tree, custom = nested(flatten(config)), custom_metadata(config)
    return {**tree, "metadata": _json_ready(custom)} if custom else tree


def _json_ready(value: Any) -> Any:
    """Dates and times as ISO 8601 text, everything else as it is."""
    if isinstance(value, dict):
        return {key: _json_ready(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json_ready(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def toml_lines(config: Any, paths: Container[KeyPath] | None = None) -> Iterator[tuple[KeyPath | None, str]]:
    """The lines of a configuration as TOML, those of its settings and those of its custom metadata.

    Args:
        config: The configuration.
        paths: The settings to write, as for `setting_lines`. Custom metadata is always written.

    Yields:
        The key path of the setting or custom key that starts there, or None, and the line without its end.

    >>> from acbo_settings import TrainingConfig
    >>> next(toml_lines(TrainingConfig()))
    (('total_steps',), 'total_steps = 5000')
    """
    yield from setting_lines(config, paths)
    yield from _metadata_lines(custom_metadata(config))


def setting_lines(config: Any, paths: Container[KeyPath] | None = None) -> Iterator[tuple[KeyPath | None, str]]:
    """The lines of the settings alone, one `key = value` each, below the headers of their tables.

    Args:
        config: The configuration.
        paths: The settings to write; without it all.

    Yields:
        The key path of the setting that the line holds, or None, and the line without its end.

    >>> from acbo_settings import TrainingConfig
    >>> len([path for path, _ in setting_lines(TrainingConfig()) if path])
    36
    """
    import tomli_w

    table: KeyPath = ()
    for path, value in flatten(config).items():
        if paths is not None and path not in paths:
            continue
        if path[:-1] != table:
            table = path[:-1]
            yield from ((None, ""), (None, f"[{'.'.join(table)}]"))
        yield path, tomli_w.dumps({path[-1]: value}).rstrip("\n")


def _metadata_lines(custom: dict[str, Any]) -> Iterator[tuple[KeyPath | None, str]]:
    """The metadata as TOML: values first, then tables, as TOML wants it."""
    import tomli_w

    dumped = {key: tomli_w.dumps({"metadata": {key: value}}).rstrip("\n").split("\n") for key, value in custom.items()}
    header = "[metadata]"
    values = {key: lines[1:] for key, lines in dumped.items() if lines[0] == header}
    if values:
        yield from ((None, ""), (None, header))
    tables = {key: ["", *lines] for key, lines in dumped.items() if lines[0] != header}
    for key, lines in (values | tables).items():
        first = 0 if key in values else 1
        for number, line in enumerate(lines):
            yield ("metadata", key) if number == first else None, line


def canonical_json(value: Any) -> str:
    """Plain data as the one JSON text that RFC 8785 (JSON Canonicalization Scheme) has for it.

    Args:
        value: Dicts with ASCII keys, texts, booleans, integers and finite floats. Integers are written in full, where
            the scheme knows none above 2**53.

    Returns:
        JSON without white space, keys sorted, numbers as JavaScript writes them: `1` for `1.0` and for `-0.0` `0`.

    Raises:
        TypeError: For any other value, and for a key that is no text.
        ValueError: For NaN and infinities.

    >>> canonical_json({"b": 1e-7, "a": 100.0})
    '{"a":100,"b":1e-7}'
    """
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys must be text")
        return "{" + ",".join(f"{canonical_json(key)}:{canonical_json(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, bool):
        return "true" if value else "false"
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


def fingerprint(config: Any) -> str:
    """The fingerprint of a configuration's settings; see `TrainingConfig.fingerprint`.

    Args:
        config: The configuration.

    Returns:
        16 hexadecimal digits.

    >>> from acbo_settings import TrainingConfig
    >>> fingerprint(TrainingConfig())
    'b6b94ba25f97c991'
    """
    return sha256(canonical_json(nested(typed_settings(config))).encode())[:16]


def typed_settings(config: Any) -> dict[KeyPath, Any]:
    """Every setting by its key path, an integer that stands for a float as that float.

    Args:
        config: The configuration, validated or not.

    Returns:
        A new dict.

    >>> from acbo_settings import GRPOTrainingConfig, TrainingConfig
    >>> typed_settings(TrainingConfig(grpo=GRPOTrainingConfig(max_grad_norm=2)))["grpo", "max_grad_norm"]
    2.0
    """
    floats = {path for path, default in flatten(type(config)()).items() if isinstance(default, float)}
    settings = flatten(config).items()
    return {path: float(value) if path in floats and isinstance(value, int) else value for path, value in settings}


def sha256(content: bytes) -> str:
    """The SHA-256 of some bytes, without `hashlib`, which loads OpenSSL for it.

    Args:
        content: The bytes.

    Returns:
        64 hexadecimal digits.

    >>> sha256(b"")[:16]
    'e3b0c44298fc1c14'
    """
    try:
        module = import_module("_sha2" if sys.version_info >= (3, 12) else "_sha256")
    except ImportError:  # a Python that was built without its own hashes
        module = import_module("hashlib")
    digest: str = module.sha256(content).hexdigest()
    return digest
