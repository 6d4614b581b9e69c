"""The configuration file as a source: bytes → text → tree. One that cannot be used is a ConfigurationError."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic_settings import TomlConfigSettingsSource

from ..canonical import KeyPath, nested
from ..frozen import given_tree, parse_frozen, unusable
from ..inputs import PATH_ARGUMENT, Inputs, RawFile, is_frozen, is_named_frozen, reason, where_looked
from ..names import EXTENDS, MAX_KEY_PARTS
from ..origins import Argument, File, FrozenFile, Origin, Variable
from ..printable import LATER
from ..problems import ConfigurationError, Problem, file_problem
from ..schema import Schema
from ..toml_document import Document, Position, find_long_key, find_long_number
from ..values import SourcedValue
from .source import Source, settings_class


class _TomlFiles(TomlConfigSettingsSource):
    """The reader of pydantic-settings, which would skip what is no file, over files that are read already.

    It would merge the files, too: here what each holds stays apart, under its own origins.
    """

    def read(self, inputs: Inputs) -> tuple[list[Source], list[Problem]]:
        """What each file holds, lowest first, and why one cannot be used."""
        sources: list[Source] = []
        problems: list[Problem] = []
        documents: dict[int, Document | None] = {id(None): None}
        for file in reversed(inputs.files):  # what extends a file comes before it
            if id(file.extended_by) not in documents:
                continue  # because that cannot be read: what it extends is not certain
            extended_by = documents[id(file.extended_by)]
            if not file.is_known:
                sources.insert(0, _unknown_source(inputs.schema, file))
                continue
            try:
                document = decode_file(file, extended_by)
                source = _read_document(inputs.schema, document)
            except ConfigurationError as error:
                problems[:0] = [_named_by(inputs, file, each, extended_by) for each in error.problems]
                continue
            documents[id(file)] = document
            problems[:0] = _take_extends(source.tree, document)
            sources.insert(0, source)
        return sources, problems


@cache
def _reader(schema: Schema) -> _TomlFiles:
    """The reader for a schema; by the name of a file it would look at that again."""
    return _TomlFiles(settings_class(schema), toml_file=None)


def read_files(inputs: Inputs) -> tuple[list[Source], list[Problem]]:
    """The keys and values of each file, lowest first, and where each stands; and why one cannot be used."""
    return _reader(inputs.schema).read(inputs)


def _take_extends(tree: Any, document: Document) -> list[Problem]:
    """Take out the key that was followed when the files were read, and say so if it names no files."""
    value = tree.pop(EXTENDS, "")
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(path, str) for path in value)):
        return []
    values = (((EXTENDS,), SourcedValue(value, File(document, (EXTENDS,)))),)
    return [Problem(path=(EXTENDS,), message="should be the path of a file, or a list of paths", values=values)]


def _unknown_source(schema: Schema, file: RawFile) -> Source:
    """What a file holds that only the job will know: it can give every setting."""
    origin = File(Document(file.name, ""))
    return Source(nested(dict.fromkeys(schema.defaults, LATER)), lambda _: origin)


def _read_document(schema: Schema, document: Document) -> Source:
    if not is_frozen(schema.application, document.name, document.text):
        return Source(parse_toml(document), lambda path: File(document, path))
    is_copy = not is_named_frozen(schema.application, document.name)
    frozen = parse_frozen(schema, document.name, document.text, is_copy)

    def origin_of(path: KeyPath) -> Origin:
        """Where the value had come from, if the file tells."""
        first = frozen.origins.get(path) or (frozen.origins.get(path[:2]) if path[0] == "metadata" else None)
        place = frozen.place(path)
        return FrozenFile(document, place, first) if first else File(document, place)

    return Source(given_tree(schema, frozen), origin_of)


def decode_file(file: RawFile, extended_by: Document | None = None) -> Document:
    """The text of a file in UTF-8, with or without a byte-order mark; ConfigurationError when it is none."""
    if file.error:
        hint = where_looked(file.name) if isinstance(file.error, FileNotFoundError) else ""
        if extended_by and hint.startswith("the working directory"):
            hint = f"a path is relative to the file that holds it, {extended_by.name}"
        problem = file_problem(file.name, reason(file.name, file.error), hint)
        raise _refusal([problem])
    content = file.content.removeprefix(codecs.BOM_UTF8)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise unusable(file.name, "is UTF-16, and TOML must be UTF-8: save it as UTF-8")
    try:
        return Document(file.name, content.decode().replace("\r\n", "\n"), extended_by, file.excerpt)
    except UnicodeDecodeError as error:
        raise _undecodable(file.name, content, error) from None


def _refusal(problems: Sequence[Problem]) -> ConfigurationError:
    from ..report import refusal  # which most starts do not import

    return refusal(problems)


def _named_by(inputs: Inputs, file: RawFile, problem: Problem, extended_by: Document | None) -> Problem:
    """The problem with a file, and who named that, where the problem is not about a place in it."""
    if problem.path or problem.values[0][1].origin.position:
        return problem
    if file.excerpt:
        line = file.excerpt.first_line - file.excerpt.is_block  # that of the key which a block belongs to
        place = File(file.excerpt.source, exact=Position(line, 1, 1))
        values = ((), SourcedValue(None, place)), *problem.values[1:]
        return problem.replace(values=values)
    if extended_by:
        origin: Origin = File(extended_by, (EXTENDS,))
    elif not file.named_by:
        return problem
    else:
        is_argument = file.named_by == PATH_ARGUMENT
        variable = inputs.variables.get(file.named_by) or Variable(file.named_by, file.name)
        origin = Argument(file.named_by) if is_argument else variable
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
    """A message of tomllib, with what was probably meant."""
    from .syntax import SyntaxFault, find_language  # which no start needs whose files are TOML

    if language := find_language(document.text):
        hint = "in TOML a setting is written key = value, and [section] stands above the settings of a section"
        raise unusable(document.name, f"is {language}, and must be TOML", hint)
    fault = SyntaxFault(document, message)
    return _located(document, fault.message, fault.position, fault.hint)


def _located(document: Document, message: str, position: Position | None, hint: str = "") -> ConfigurationError:
    place = SourcedValue(None, File(document, exact=position and document.in_file(position)))
    return _refusal([Problem(path=(), message=message, values=(((), place),), hint=hint)])
