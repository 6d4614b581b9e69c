"""The configuration file as a source: bytes → text → tree. One that cannot be used is a ConfigurationError."""

from __future__ import annotations

import codecs
import re
import tomllib
from typing import Any

from pydantic_settings import TomlConfigSettingsSource

from ..frozen import given_tree, parse_frozen
from ..inputs import PATH_ARGUMENT, RawFile, is_frozen, is_named_frozen, reason, where_looked
from ..names import MAX_KEY_PARTS
from ..origins import Argument, File, Origin, SourcedValue, Variable
from ..problems import ConfigurationError, Problem, file_problem
from ..report import refusal, unusable
from ..schema import Schema
from ..toml_document import Document, Position, find_long_key, find_long_number
from .source import Source, settings_class


class _TomlFile(TomlConfigSettingsSource):
    """The reader of pydantic-settings, which would skip what is no file, over a document that is read already."""

    def __init__(self, schema: Schema, document: Document) -> None:
        self._schema = schema
        self._document = document
        super().__init__(settings_class(schema), toml_file=document.name)

    def _read_files(self, files: object, deep_merge: bool = False) -> dict[str, Any]:
        schema, document = self._schema, self._document
        if is_frozen(schema.application, document.name, document.text):
            is_copy = not is_named_frozen(schema.application, document.name)
            return given_tree(schema, parse_frozen(schema, document.name, document.text, is_copy))
        return parse_toml(document)


def read_file(schema: Schema, file: RawFile) -> Source:
    """The keys and values of a file, and where each stands; ConfigurationError when it cannot be used."""
    document = decode_file(file)
    return Source(_TomlFile(schema, document)(), lambda path: File(document, path))


def decode_file(file: RawFile) -> Document:
    """The text of a file in UTF-8, with or without a byte-order mark; ConfigurationError when it is none."""
    if file.error:
        hint = where_looked(file.name) if isinstance(file.error, FileNotFoundError) else ""
        problem = file_problem(file.name, reason(file.name, file.error), hint)
        raise refusal([_named_by(file, problem)])
    content = file.content.removeprefix(codecs.BOM_UTF8)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise unusable(file.name, "is UTF-16, and TOML must be UTF-8: save it as UTF-8")
    try:
        return Document(file.name, content.decode().replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise _undecodable(file.name, content, error) from None


def _named_by(file: RawFile, problem: Problem) -> Problem:
    """The problem with a file, and who named that."""
    if not file.named_by:
        return problem
    is_argument = file.named_by == PATH_ARGUMENT
    origin: Origin = Argument(file.named_by) if is_argument else Variable(file.named_by, file.name)
    values = (*problem.values, ((), SourcedValue(file.name, origin)))
    return Problem(path=(), message=problem.message, values=values, hint=problem.hint)


def _undecodable(name: str, content: bytes, error: UnicodeDecodeError) -> ConfigurationError:
    text = content.decode(errors="backslashreplace").replace("\r\n", "\n")
    before = content[: error.start].decode().replace("\r\n", "\n")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = f"is not valid UTF-8: byte 0x{content[error.start]:02x}"
    return _located(Document(name, text), message, Position(line, column, column))


def parse_toml(document: Document) -> dict[str, Any]:
    """What `tomllib` makes of a document; ConfigurationError when it is no valid TOML, or too deep to be read."""
    if long_key := find_long_key(document.text):
        raise _located(document, f"a key has more than {MAX_KEY_PARTS} parts", Position(long_key, 1, 1))
    try:
        return tomllib.loads(document.text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(document, str(error)) from None
    except RecursionError:
        raise unusable(document.name, "is nested too deeply") from None
    except ValueError as error:
        place = find_long_number(document.text)
        raise _located(document, "a number has too many digits" if place else str(error), place) from None


def _syntax_error(document: Document, message: str) -> ConfigurationError:
    """A message of tomllib, whose position stands in its text: a line and a column, or the end of the document."""
    problem, _, place = message.rpartition(" (at ")
    if numbers := re.fullmatch(r"line (\d+), column (\d+)\)", place):
        line, column = map(int, numbers.groups())
    else:
        text = document.text.rstrip()
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    if problem == "Cannot overwrite a value" or problem.startswith("Cannot declare"):
        problem = "This key or table is set twice"
    hint = "text needs quotes, true and false are lower-case" if problem == "Invalid value" else ""
    return _located(document, problem or message, Position(line, column, column), hint)


def _located(document: Document, message: str, position: Position | None, hint: str = "") -> ConfigurationError:
    place = SourcedValue(None, File(document, exact=position))
    return refusal([Problem(path=(), message=message, values=(((), place),), hint=hint)])
