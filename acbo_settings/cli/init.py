"""The command `init`: a commented `acbo.toml` to start with, and its JSON Schema beside it."""

from __future__ import annotations

import os
import shlex
from argparse import Namespace

from ..editor_schema import editor_schema_text
from ..engine.inputs import encode_path, is_directory, read_raw_file
from ..engine.printable import escape_characters
from ..reference import required_keys, starting_toml
from .checked_file import FILE_NAME, file_in
from .output import NOT_VALID, SUCCESS, WRONG_USAGE, note

_JSON_SCHEMA = f"{FILE_NAME.removesuffix('.toml')}.schema.json"

_OTHER_LANGUAGES = (".yaml", ".yml", ".json")


def run(arguments: Namespace) -> int:
    """Write `path`, a file or a directory for it, and if asked for, the `json_schema`; nothing is overwritten."""
    stem, suffix = os.path.splitext(arguments.path)
    if suffix.lower() in _OTHER_LANGUAGES and not is_directory(arguments.path):
        note(f"acbo-settings init: a configuration is TOML: write {shlex.quote(f'{stem}.toml')}")
        return WRONG_USAGE
    path = _file_of(arguments.path)
    texts = {}
    if arguments.json_schema:
        beside, text = os.path.join(os.path.dirname(path), _JSON_SCHEMA), editor_schema_text(arguments.schema)
        if not _holds(beside, text):  # an experiment beside this one may have written it
            texts[beside] = text
    first = f"#:schema ./{_JSON_SCHEMA}\n\n" if arguments.json_schema else ""
    check = _check_command(path, arguments.schema_name)
    # Last, so that its first line names a file that is there.
    texts[path] = first + starting_toml(arguments.schema, check)
    if taken := [name for name in texts if _is_there(name)]:
        note(f"acbo-settings init: {taken[0]} is there already, and is not overwritten")
        return NOT_VALID
    if not all(_write(name, text) for name, text in texts.items()):
        return NOT_VALID
    needed = required_keys(arguments.schema)
    given = f", with a value for {' and '.join(needed)}" if needed else ""
    note(f"edit it{given}, then check it: {check}")
    return SUCCESS


def _file_of(path: str) -> str:
    """The file that a path stands for; one without the suffix of TOML is a directory, which need not be there yet."""
    path = file_in(path, [FILE_NAME])
    is_file = path.endswith(".toml") or (_is_there(path) and not path.endswith("/"))
    return path if is_file else os.path.join(path, FILE_NAME)


def _check_command(path: str, schema_name: str | None) -> str:
    """The command that judges what was written; it finds `acbo.toml` and the settings of the project by itself."""
    words = ["acbo-settings", "check", *([] if os.path.normpath(path) == FILE_NAME else [path])]
    words += ["--schema", schema_name] if schema_name else []
    return escape_characters(shlex.join(words))


def _holds(name: str, text: str) -> bool:
    file = read_raw_file(name)
    return not file.error and file.content == text.encode()


def _is_there(name: str) -> bool:
    try:
        return os.path.lexists(encode_path(name))
    except ValueError:  # no path at all, which writing tells
        return False


def _write(name: str, text: str) -> bool:
    """Write a file that must not be there yet, in a directory that is made; nothing of it is left when that fails."""
    created = False
    try:
        path = encode_path(name)
        os.makedirs(os.path.dirname(path) or b".", exist_ok=True)
        with open(path, "xb") as file:
            created = True
            file.write(text.encode())
    except (OSError, ValueError) as error:
        note(f"acbo-settings init: cannot write {name}: {getattr(error, 'strerror', None) or error}")
        if created:
            os.unlink(encode_path(name))
        return False
    note(f"wrote {name}")
    return True
