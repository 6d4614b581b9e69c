"""The command `migrate`: old names of settings in files become the new ones, and nothing else of the files changes."""

from __future__ import annotations

import os
import re
import shlex
from argparse import Namespace
from collections.abc import Iterator
from typing import NamedTuple

from ..engine.canonical import KeyPath
from ..engine.inputs import process_environment, read_raw_file
from ..engine.loading.file import decode_file, parse_toml
from ..engine.names import find_path, variable_name
from ..engine.printable import escape
from ..engine.problems import ConfigurationError
from ..engine.runs.durable import replace_file
from ..engine.schema import Schema
from ..engine.toml_document import Document
from .checked_file import FILE_NAME, file_in
from .output import NOT_VALID, SUCCESS, note, print_problems

# One part of a dotted key: what stands between its quotes, if it has any.
_PART = re.compile(r"""\s*(?:"(?P<basic>[^"\\]*)"|'(?P<literal>[^']*)'|(?P<bare>[A-Za-z0-9_-]+))\s*\.?""")


class _Rename(NamedTuple):
    """One old name in a file: its key, what it is called now, its line and columns; columns are None for a move."""

    old: KeyPath
    now: KeyPath
    line: int
    columns: tuple[int, int] | None


def run(arguments: Namespace) -> int:
    """Rewrite `paths`, or with `check` only say what there is to do; old variables are printed as `export` lines."""
    schema: Schema = arguments.schema
    paths = [file_in(path, [FILE_NAME]) for path in arguments.paths or [FILE_NAME]]
    outcomes = [_migrate(schema, path, arguments.check) for path in paths]
    variables = list(_exports(schema))
    for line in variables:
        print(line)
    has_work = any(outcomes) or (arguments.check and variables)
    return NOT_VALID if has_work else SUCCESS


def _migrate(schema: Schema, path: str, checks: bool) -> bool:
    """Rewrite one file, and return whether something is left to do: to be rewritten, by hand, or to be repaired."""
    file = read_raw_file(path)
    try:
        document = decode_file(file)
        renames = sorted(_find_renames(schema, document), key=lambda rename: rename.line)
        for rename in renames:
            note(_told(path, rename, checks))
        by_machine = [rename for rename in renames if rename.columns]
        if by_machine and not checks:
            content = _rewritten(file.content, by_machine)
            replace_file(path, content, os.stat(path).st_mode)
    except ConfigurationError as error:
        print_problems(error.problems)
        return True
    if not renames:
        note(f"{escape(path)}: nothing to do")
    return bool(renames) if checks else len(by_machine) < len(renames)


def _find_renames(schema: Schema, document: Document) -> Iterator[_Rename]:
    """The old names that a file holds, each with its place."""
    tree = parse_toml(document)
    for old, (now, _) in schema.old_names.items():
        table: object = tree
        for name in old:
            table = table.get(name) if isinstance(table, dict) else None
        if table is None:
            continue
        position = document.position(old)
        columns = None
        if old[:-1] == now[:-1]:
            columns = _span_of(document.line(position.line), position.key_column - 1, old[-1])
        yield _Rename(old, now, position.line, columns)


def _span_of(line: str, start: int, name: str) -> tuple[int, int] | None:
    """Where the last part of a key stands in its line, without quotes; None where it is written with escapes."""
    last = None
    while match := _PART.match(line, start):
        last, start = match, match.end()
        if not match.group().endswith("."):
            break
    if last is None or not last.lastgroup or last[last.lastgroup] != name:
        return None
    return last.span(last.lastgroup)


def _rewritten(content: bytes, renames: list[_Rename]) -> bytes:
    """The bytes of a file in which the old names are the new ones; line ends and a byte-order mark stay."""
    text = content.decode()
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix(mark).split("\n")
    for rename in sorted(renames, key=lambda each: each.columns or (0, 0), reverse=True):
        start, end = rename.columns or (0, 0)
        line = lines[rename.line - 1]
        lines[rename.line - 1] = f"{line[:start]}{rename.now[-1]}{line[end:]}"
    return (mark + "\n".join(lines)).encode()


def _told(path: str, rename: _Rename, checks: bool) -> str:
    old, now = ".".join(rename.old), ".".join(rename.now)
    if not rename.columns:
        return f"{escape(path)}:{rename.line}: move {old} by hand: it is {now} now"
    return f"{escape(path)}:{rename.line}: {old} {'is called' if checks else 'is'} {now} now"


def _exports(schema: Schema) -> Iterator[str]:
    """The lines that set the new variables instead of the old ones of this shell."""
    for name, text in process_environment(schema).items():
        path = find_path(schema, name)
        if path and path in schema.old_names:
            now = variable_name(schema, schema.old_names[path][0])
            yield f"unset {name}; export {now}={shlex.quote(text)}"
