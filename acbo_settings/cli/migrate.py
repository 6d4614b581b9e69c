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


class _Finding(NamedTuple):
    """What is to be done in one line of a file; `columns` are those of a name that `name` can replace, if one can."""

    line: int
    told: str
    columns: tuple[int, int] | None = None
    name: str = ""


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
        findings = sorted(_find_work(schema, document), key=lambda finding: finding.line)
        for finding in findings:
            note(f"{escape(path)}:{finding.line}: {finding.told}")
        by_machine = [finding for finding in findings if finding.columns]
        if by_machine and not checks:
            content = _rewritten(file.content, by_machine)
            target = os.path.realpath(path)  # a link stays one, and what it leads to changes
            replace_file(target, content, os.stat(target).st_mode)
    except ConfigurationError as error:
        print_problems(error.problems)
        return True
    if not findings:
        note(f"{escape(path)}: nothing to do")
    return bool(findings) if checks else len(by_machine) < len(findings)


def _find_work(schema: Schema, document: Document) -> Iterator[_Finding]:
    """The old names that a file holds, and what it holds that was removed."""
    tree = parse_toml(document)
    given = [now for now in schema.defaults if _holds(tree, now)]
    for old, (now, _) in schema.old_names.items():
        if _holds(tree, old):
            yield _rename(document, old, now, is_free=now not in given)
            given.append(now)
    for path, sentence in schema.removed.items():
        if _holds(tree, path):
            yield _Finding(document.position(path).line, f"{'.'.join(path)} was removed: {sentence}")


def _holds(tree: object, path: KeyPath) -> bool:
    for name in path:
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True


def _rename(document: Document, old: KeyPath, now: KeyPath, is_free: bool) -> _Finding:
    """What is to be done about one old name, which is a hand's work where the new name is given too."""
    position, name, new = document.position(old), ".".join(old), ".".join(now)
    if not is_free:
        return _Finding(position.line, f"{name} is called {new} now, and is given twice: delete one of them by hand")
    if old[:-1] != now[:-1]:
        return _Finding(position.line, f"move {name} by hand: it is {new} now")
    columns = _span_of(document.line(position.line), position.key_column - 1, old[-1])
    if columns is None:
        return _Finding(position.line, f"rename {name} by hand: it is {new} now, and is written with escapes")
    return _Finding(position.line, f"{name} is called {new} now", columns, now[-1])


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


def _rewritten(content: bytes, findings: list[_Finding]) -> bytes:
    """The bytes of a file in which the old names are the new ones; line ends and a byte-order mark stay."""
    text = content.decode()
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = text.removeprefix(mark).split("\n")
    for finding in sorted(findings, key=lambda each: each.columns or (0, 0), reverse=True):
        start, end = finding.columns or (0, 0)
        line = lines[finding.line - 1]
        lines[finding.line - 1] = f"{line[:start]}{finding.name}{line[end:]}"
    return (mark + "\n".join(lines)).encode()


def _exports(schema: Schema) -> Iterator[str]:
    """The lines that set the new variables instead of the old ones of this shell."""
    for name, text in process_environment(schema).items():
        path = find_path(schema, name)
        if path and path in schema.old_names:
            now = variable_name(schema, schema.old_names[path][0])
            yield f"unset {name}; export {now}={shlex.quote(text)}"
