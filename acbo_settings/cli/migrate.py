"""The command `migrate`: old names of settings in files become the new ones, and nothing else of the files changes."""

from __future__ import annotations

import os
import re
import shlex
from argparse import Namespace
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..engine.canonical import KeyPath
from ..engine.extends import extended_files
from ..engine.inputs import MAX_BYTES, RawFile, is_frozen, process_environment, read_raw_file
from ..engine.loading.file import decode_file, parse_toml
from ..engine.loading.texts import parse_table
from ..engine.names import find_path, variable_name
from ..engine.origins import Variable
from ..engine.printable import escape
from ..engine.problems import ConfigurationError
from ..engine.run_arguments import split_names
from ..engine.runs.durable import replace_file
from ..engine.schema import Schema
from ..engine.toml_document import Document
from .checked_file import FILE_NAME, file_in
from .output import NOT_VALID, SUCCESS, note, print_problems, result

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
    has_work = any(outcomes)
    for variable in _find_variables(schema):
        if variable.exports:
            result(variable.exports)
        else:
            note(variable.told)
        has_work = has_work or arguments.check or not variable.exports
    return NOT_VALID if has_work else SUCCESS


def _migrate(schema: Schema, path: str, checks: bool) -> bool:
    """Rewrite one file, and return whether something is left to do: to be rewritten, by hand, or to be repaired."""
    file = read_raw_file(path)
    try:
        document = decode_file(file)
        if is_frozen(schema.application, path, document.text):
            note(f"{escape(path)}: left as it is: a frozen file is read under its old names")
            return False
        findings = sorted(_find_work(schema, document), key=lambda finding: finding.line)
        for finding in findings:
            note(f"{escape(path)}:{finding.line}: {finding.told}")
        by_machine = [finding for finding in findings if finding.columns]
        if by_machine and not checks:
            content = _rewritten(file.content, by_machine)
            target = os.path.realpath(path)  # a link stays one, and what it leads to changes
            replace_file(target, content)
        has_old_base = _tell_bases(schema, file)
    except ConfigurationError as error:
        print_problems(error.problems)
        return True
    if not findings and not has_old_base:
        note(f"{escape(path)}: nothing to do")
    return has_old_base or (bool(findings) if checks else len(by_machine) < len(findings))


def _tell_bases(schema: Schema, file: RawFile) -> bool:
    """Name the files that a file extends and that have old names; others may extend them, so they are not rewritten."""
    bases = extended_files(file, lambda name: read_raw_file(name, inside=FILE_NAME), MAX_BYTES)[:-1]
    old = [base.name for base in bases if not base.error and list(_find_work(schema, decode_file(base)))]
    for name in old:
        note(f"{escape(file.name)}: extends {escape(name)}, which has work too: acbo-settings migrate {escape(name)}")
    return bool(old)


def _find_work(schema: Schema, document: Document) -> Iterator[_Finding]:
    """The old names that a file holds, and what it holds that was removed."""
    tree = parse_toml(document)
    given = {now for now in schema.defaults if _holds(tree, now)}
    for old, (now, _) in schema.old_names.items():
        if _holds(tree, old):
            yield _rename(document, old, now, is_free=now not in given)
            given.add(now)
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
        return _Finding(position.line, f"rename {name} by hand: it is {new} now, and is no plain key here")
    return _Finding(position.line, f"{name} is called {new} now", columns, now[-1])


def _span_of(line: str, start: int, name: str) -> tuple[int, int] | None:
    """Where the last part of a plain key stands in its line, without quotes; None for a header and for escapes."""
    last = None
    while match := _PART.match(line, start):
        last, start = match, match.end()
        if not match.group().endswith("."):
            break
    if last is None or not last.lastgroup or last[last.lastgroup] != name or line[start:].lstrip()[:1] != "=":
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


class _OldVariable(NamedTuple):
    """A variable of this shell with an old name, or one in it: the line that replaces it, or what a hand is to do."""

    exports: str
    told: str = ""


def _find_variables(schema: Schema) -> Iterator[_OldVariable]:
    """The variables of this shell under old names, with old names in them, or of what was removed."""
    environ = process_environment(schema)
    names = {find_path(schema, name): name for name in environ}
    for name, text in environ.items():
        path = find_path(schema, name)
        if schema.application.run_variables.get(name.upper()) == "may_change":
            yield from _changeable(schema, name, text)
        elif path and (sentence := schema.why_removed(path)):
            yield _OldVariable("", f"{name} was removed: {sentence}")
        elif path and path in schema.old_names:
            yield _renamed_variable(schema, name, text, names)
        elif path and text.lstrip().startswith("{"):
            yield from _inside_table(schema, name, path, text)


def _renamed_variable(schema: Schema, name: str, text: str, names: Mapping[KeyPath | None, str]) -> _OldVariable:
    now = schema.old_names[find_path(schema, name) or ()][0]
    new = variable_name(schema, now)
    if now in names:
        return _OldVariable("", f"{name} is called {new} now, and {names[now]} is set too: unset one of them by hand")
    if not text.isprintable():
        return _OldVariable("", f"{name} is called {new} now: set it by hand")
    return _OldVariable(f"unset {name}; export {new}={shlex.quote(text)}")


def _changeable(schema: Schema, name: str, text: str) -> Iterator[_OldVariable]:
    """The list of settings that may change, with today's names."""
    given = split_names(text)
    today = [".".join(schema.current(find_path(schema, each) or (each,))) for each in given]
    if any(find_path(schema, each) in schema.old_names for each in given):
        yield _OldVariable(f"export {name}={shlex.quote(','.join(today))}")


def _inside_table(schema: Schema, name: str, path: KeyPath, text: str) -> Iterator[_OldVariable]:
    """What a table as JSON holds under old names."""
    table = parse_table(schema, path, text, Variable(name, text))
    for old, (now, _) in schema.old_names.items():
        if isinstance(table, dict) and old[: len(path)] == path and _holds(table, old[len(path) :]):
            yield _OldVariable("", f"{name} holds {'.'.join(old)}, which is {'.'.join(now)} now: change it by hand")
