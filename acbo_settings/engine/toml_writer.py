"""A configuration as TOML: the one writer, of a configuration file and of a frozen file."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from .canonical import KeyPath, custom_metadata, flatten, leaves, nested, plain_setting
from .printable import escape

_BARE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")

Line = tuple[KeyPath | None, str]
"""The key path of the setting or custom key that starts there, or None, and the line without its end."""


def config_text(config: Any) -> str:
    """The text of a file that loads back equal, custom metadata included."""
    return "\n".join(line for _, line in config_lines(config)) + "\n"


def config_lines(config: Any, paths: Container[KeyPath] | None = None) -> list[Line]:
    """The lines of a configuration: of all its settings or of some, and of its custom metadata in tables."""
    settings = {path: value for path, value in flatten(config).items() if paths is None or path in paths}
    return [*setting_lines(settings), *_metadata_tables(custom_metadata(config))]


def setting_lines(settings: Mapping[KeyPath, Any]) -> list[Line]:
    """The lines of settings by key path, one `key = value` each, below the headers of their tables.

    None stands for "not set", and has no line: TOML has no word for it.
    """
    lines: list[Line] = []
    table: KeyPath = ()
    given = {path: plain_setting(value) for path, value in settings.items() if value is not None}
    for path, value in tables_last(given).items():
        if path[:-1] != table:
            table = path[:-1]
            lines += [(None, ""), (None, f"[{'.'.join(table)}]")]
        lines.append((path, f"{key_text(path[-1])} = {value_text(value)}"))
    return lines


def tables_last(values: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
    """Settings in an order in which each table stands once: those of a table before those of the tables inside it."""
    tables: dict[KeyPath, dict[KeyPath, Any]] = {(): {}}
    for path, value in values.items():
        for length in range(1, len(path)):
            tables.setdefault(path[:length], {})
        tables[path[:-1]][path] = value
    return {path: value for table in tables.values() for path, value in table.items()}


def _metadata_tables(custom: dict[str, Any]) -> Iterator[Line]:
    """The metadata as TOML, each key with its path: the values of a table first, then what has a header of its own."""
    import tomli_w

    tables: dict[KeyPath, dict[KeyPath, list[str]]] = {}
    for path, value in tables_last(leaves(custom)).items():
        lines = escape_text(tomli_w.dumps(nested({path: value}))).rstrip("\n").split("\n")
        tables.setdefault(path[:-1], {})[path] = lines
    for table, dumped in tables.items():
        header = f"[{'.'.join(map(key_text, table))}]"
        if plain := {path: lines[1:] for path, lines in dumped.items() if lines[0] == header}:
            yield from ((None, ""), (None, header))
        for path, lines in plain.items():
            yield from _labelled(path, lines)
        for path in (path for path in dumped if path not in plain):
            yield None, ""
            yield from _labelled(path, dumped[path])


def _labelled(path: KeyPath, lines: list[str]) -> Iterator[Line]:
    """The lines of one key, of which the first one tells whose they are."""
    return ((None if number else path, line) for number, line in enumerate(lines))


def metadata_lines(custom: Mapping[str, Any]) -> list[str]:
    """Custom metadata with one line a key; who has the same lines has the same metadata.

    >>> metadata_lines({"seeds": [1, 2], "my note": "a"})
    ['seeds = [1, 2]', '"my note" = "a"']
    """
    return [f"{key_text(key)} = {value_text(value)}" for key, value in custom.items()]


def key_text(key: str) -> str:
    """One part of a key, in quotes where TOML wants them."""
    return key if key and set(key) <= _BARE else value_text(key)


def value_text(value: Any) -> str:
    """A value on one line; tables are inline."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):  # of classes made from them too, which may show themselves otherwise
        return int.__repr__(value) if isinstance(value, int) else float.__repr__(value)
    if isinstance(value, str) and value.isprintable() and not {'"', "\\"} & set(value) and "##[" not in value:
        return f'"{str.__str__(value)}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(metadata_lines(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, str):
        import tomli_w

        return escape_text(tomli_w.dumps({"value": str.__str__(value)}).rstrip("\n").partition(" = ")[2])
    from datetime import date, datetime, time

    for kind in (datetime, date, time):
        if isinstance(value, kind):
            text: str = kind.isoformat(value)  # type: ignore[arg-type]
            return text
    raise TypeError(f"{type(value).__name__} has no form in TOML")


def escape_text(text: str) -> str:
    """TOML in which what is not printable, or a command of GitHub, is escaped; only texts in quotes hold such."""
    text = text.replace("##[", "#\\u0023[")
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if character < "\U00010000" else f"\\U{ord(character):08x}"


def show_note(value: Any) -> str:
    """A setting or a value of the metadata on one line, arrays and tables too, cut when it is long.

    >>> show_note([1, 2])
    '[1, 2]'
    """
    return "not set" if value is None else escape(value_text(plain_setting(value)), 60)
