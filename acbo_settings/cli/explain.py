"""The command `explain`: what a setting means, its value now, and where that came from."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import groupby
from shlex import quote
from typing import NamedTuple

from ..engine.canonical import KeyPath
from ..engine.inputs import exists
from ..engine.loading.environment import hint_for_variable
from ..engine.names import did_you_mean, find_path, is_variable, meant_by, variable_name
from ..engine.printable import fit, show_value
from ..engine.report import explain_value, origin_text
from ..engine.schema import Schema, Setting
from ..engine.values import SourcedValue
from .checked_file import CheckedFile, print_findings
from .checked_job import check_one
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note
from .terminal import Terminal

_Values = Mapping[KeyPath, SourcedValue] | None


class _Answer(NamedTuple):
    """The values of a file, or of a part of a job, below a title; `today` tells that their run has others."""

    title: str
    values: _Values
    today: bool = False


def run(arguments: Namespace) -> int:
    """Print all there is to know of `keys`: settings, sections or variables; or the table of all settings."""
    schema: Schema = arguments.schema
    found = [(key, *find_key(schema, key)) for key in arguments.keys]
    for key, path, hint in found:
        if path is None:
            hint = hint or (f"did you mean --in {quote(key)}?" if exists(key) else "")
            note(f"acbo-settings explain: no such setting: {key}{f'; {hint}' if hint else ''}")
    if not all(path for _, path, _ in found):
        return WRONG_USAGE
    chosen = list(dict.fromkeys(path for _, path, _ in found if path)) or [()]
    checked = check_one(arguments, arguments.file)
    _print_all(Terminal(), schema, chosen, _answers(checked))
    print_findings(checked)
    return NOT_VALID if checked.problems else SUCCESS


def _print_all(terminal: Terminal, schema: Schema, chosen: Sequence[KeyPath], answers: Sequence[_Answer]) -> None:
    """What is asked for, in the order of the question: sections that follow one another are one table."""
    blocks = groupby(chosen, lambda path: path if path in schema.defaults else None)
    for number, (setting, sections) in enumerate(blocks):
        if number:
            terminal.out("")
        if setting is not None:
            _print_setting(terminal, schema, schema.setting(setting), answers)
            continue
        inside = (path for each in sections for path in schema.defaults if path[: len(each)] == each)
        _print_tables(terminal, [schema.setting(path) for path in dict.fromkeys(inside)], answers)


def _print_tables(terminal: Terminal, rows: Sequence[Setting], answers: Sequence[_Answer]) -> None:
    """The table of some settings for each of the answers, below its title."""
    for answer in answers:
        if answer.title:
            terminal.heading(answer.title, is_first=True)
        _print_table(terminal, rows, answer)


def _answers(checked: CheckedFile) -> list[_Answer]:
    """The values of a file, or those in which the parts of a job differ, below their titles."""
    if not checked.parts:
        return [_Answer("", checked.values, checked.refused)]
    found: list[_Answer] = []
    for part, each in checked.parts:
        if (each.values, each.refused) not in [answer[1:] for answer in found]:
            found.append(_Answer(part.title, each.values, each.refused))
    return found if len(found) > 1 else [found[0]._replace(title="")]


def find_key(schema: Schema, name: str) -> tuple[KeyPath | None, str]:
    """The setting or section that a name stands for, and an empty text; or None, and what may have been meant."""
    path = find_path(schema, name)
    if path and path in schema.past_tables:
        inside = ", ".join(".".join(old) for old in (*schema.old_names, *schema.removed) if old[: len(path)] == path)
        return None, f"there is no such table any more; explain tells what became of {inside}"
    if path and (sentence := schema.why_removed(path)):
        return None, f"it was removed: {sentence}"
    if path and (path[0] != "metadata" or path in schema.old_names):
        return schema.current(path), ""
    if name.upper().startswith(schema.application.prefix):
        return None, "acbo-settings env tells of it" if is_variable(schema, name) else hint_for_variable(schema, name)
    if name.partition(".")[0] == "metadata":
        return None, "custom keys have no reference; show prints them with their origins"
    meant = meant_by(schema, name)
    return None, did_you_mean(None if meant == ("metadata",) else meant)


def _print_table(terminal: Terminal, rows: Sequence[Setting], answer: _Answer) -> None:
    cells = []
    for row in rows:
        value = answer.values.get(row.path) if answer.values else None
        origin = "" if value is None or value.is_default else origin_text(value)
        cells.append([row.key, show_value(value.value) if value else "?", show_value(row.default), origin])
    terminal.table(["SETTING", "TODAY" if answer.today else "VALUE", "DEFAULT", "FROM"], cells)


def _print_setting(terminal: Terminal, schema: Schema, row: Setting, answers: Sequence[_Answer]) -> None:
    terminal.out(row.key, style="bold")
    terminal.out(fit(f"  {row.doc}", terminal.width, "  "))
    facts = [
        ("type", row.kind.name),
        ("range", row.kind.range),
        ("default", show_value(row.default)),
        ("variable", variable_name(schema, row.path)),
    ]
    facts += [
        ("was", f"{'.'.join(old)}, until {was.since}")
        for old, (now, was) in schema.old_names.items()
        if now == row.path
    ]
    told = {answer.title: _values(answer, row.path) for answer in answers}
    is_same = all(each == told[answers[0].title] for each in told.values())
    for title, lines in list(told.items())[: 1 if is_same else None]:
        facts += [*([("in", title)] if title and not is_same else []), *lines]
    for name, text in facts:
        terminal.out(fit(f"  {name:9} {text}", terminal.width, " " * 12))


def _values(answer: _Answer, path: KeyPath) -> list[tuple[str, str]]:
    """The value in force, or that of today where the run has others, and below it what it shadows."""
    head = "today" if answer.today else "value"
    if answer.values is None:
        return [(head, "not known, because a source cannot be read")]
    value = answer.values.get(path)
    if value is None:
        return [(head, "none: nobody gives it")]
    names = [head, *["over"] * len(value.shadowed)]
    texts = [explain_value(each.replace(over=None)) for each in (value, *value.shadowed)]
    return list(zip(names, texts, strict=True))
