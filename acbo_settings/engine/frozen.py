"""The frozen file of a run: its format, and reading it back without pydantic.

The file is TOML, one `key = value` a line, each value as JSON has it where JSON can. Its first line names the format,
its last one holds a checksum over everything above. Numbers, booleans and plain texts are read without a parser;
`tomllib` comes in for a line that holds anything else, which only metadata and strange file names do.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyrsistent import freeze

from .. import __version__
from ..config import TrainingConfig
from .canonical import KeyPath, fields_of, flatten, nested, sha256
from .inputs import FROZEN_LINE, FROZEN_NAME, is_directory, path_text, read_if_there

if TYPE_CHECKING:
    from .errors import ConfigurationError

FORMAT = 1
"""The format that is written. Every format up to this one is read."""

CHECKSUM_KEY = 'sha256 = "'
"""How the last line starts; the SHA-256 of everything above, a quote and a line end complete it."""

RESTORE = "restore it, or move it away: the next start then freezes the configuration of that day"
"""What to do about a damaged file."""


class FrozenConfig:
    """A frozen file as it was read; `parse_frozen` makes it.

    Attributes:
        name: The path of the file.
        text: Its whole content.
        config: The configuration.
        given: The settings that were given, and are no defaults.
        custom: The custom metadata as plain data.
        inputs: The digest of what the configuration was made of, or None when there was none.
        file: The configuration file that was read, or None.

    >>> FrozenConfig("runs/17/acbo.frozen.toml", "", TrainingConfig(), (), {}, None, None).config.total_steps
    5000
    """

    def __init__(
        self,
        name: str,
        text: str,
        config: TrainingConfig,
        given: Collection[KeyPath],
        custom: Mapping[str, Any],
        inputs: str | None,
        file: str | None,
    ) -> None:
        self.name = name
        self.text = text
        self.config = config
        self.given = given
        self.custom = custom
        self.inputs = inputs
        self.file = file


class DamagedFile(Exception):  # noqa: N818 (it carries two sentences to the report, and never reaches a user)
    """A file that is no frozen configuration, or not the whole of one.

    Args:
        message: What is wrong with it, as a sentence without its subject.
        hint: What to do about it.

    >>> str(DamagedFile("is empty", RESTORE))
    'is empty'
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def load_frozen_config(path: str | os.PathLike[str]) -> TrainingConfig:
    """Load the configuration of a run from its frozen file, exactly as the run started with it.

    Args:
        path: The file, or the run's directory that holds an `acbo.frozen.toml`.

    Returns:
        The configuration with its metadata. Neither `acbo.toml` nor variables take part.

    Raises:
        ConfigurationError: When the file is missing, unreadable, empty, cut, edited, or of a newer format.
        TypeError: When `path` is no path.

    >>> from acbo_settings import load_training_config
    >>> config = load_training_config(run_dir="runs/17", environ={"ACBO_TOTAL_STEPS": "7000"})
    >>> load_frozen_config("runs/17").total_steps
    7000
    """
    name = path_text(path, "path")
    name = os.path.join(name, FROZEN_NAME) if is_directory(name) else name
    frozen = read_frozen(name)
    if frozen is None:
        from .loading.file import where_looked

        raise file_error(name, "no such file", where_looked(name))
    return frozen.config


def read_frozen(name: str) -> FrozenConfig | None:
    """Read a frozen file.

    Args:
        name: The path.

    Returns:
        What it holds, or None when there is nothing of that name.

    Raises:
        ConfigurationError: When it is unreadable, damaged, or of a newer format.

    >>> read_frozen("runs/18/acbo.frozen.toml") is None
    True
    """
    file = read_if_there(name)
    if file is None:
        return None
    if isinstance(file.error, NotADirectoryError):
        raise file_error(os.path.dirname(name), "is not a directory, as that of a run must be")
    if file.error:
        from .loading.file import reason

        raise file_error(name, reason(name, file.error))
    try:
        return parse_frozen(name, file.content.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n"))
    except UnicodeDecodeError:
        raise file_error(name, "was edited or damaged: it is not valid UTF-8", RESTORE) from None
    except DamagedFile as error:
        raise file_error(name, str(error), error.hint) from None


def file_error(name: str, message: str, hint: str = "") -> ConfigurationError:
    """The exception for a problem with a file as a whole.

    Args:
        name: The path.
        message: What is wrong with it, as a sentence without its subject.
        hint: What to do about it.

    Returns:
        The exception, to be raised.

    >>> print(file_error("runs/17/acbo.frozen.toml", "is empty"))
    Configuration validation failed: 1 problem
    <BLANKLINE>
      runs/17/acbo.frozen.toml: is empty
    """
    from .loading.file import file_problem
    from .report import refusal

    return refusal([file_problem(name, message, hint)])


def verify_frozen(text: str) -> None:
    """Check that a frozen file is whole: its format and its checksum.

    Args:
        text: The content.

    Raises:
        DamagedFile: When it is not.

    >>> verify_frozen("")
    Traceback (most recent call last):
    ...
    acbo_settings.engine.frozen.DamagedFile: is empty
    """
    if not text:
        raise DamagedFile("is empty", RESTORE)
    first, _, _ = text.partition("\n")
    number = first.removeprefix(FROZEN_LINE)
    if FROZEN_LINE.startswith(text):
        raise DamagedFile("is cut short: its checksum is missing", RESTORE)
    if not (first.startswith(FROZEN_LINE) and number.isascii() and number.isdecimal()):
        raise DamagedFile("is no frozen configuration: its first line does not say so", RESTORE)
    if number != str(FORMAT):
        hint = "install the version of acbo-settings that wrote it, or a newer one"
        raise DamagedFile(f"has format {number[:20]}, and acbo-settings {__version__} reads format {FORMAT}", hint)
    body, key, checksum = text.rpartition(CHECKSUM_KEY)
    if not key or len(checksum) < 66:
        raise DamagedFile("is cut short: its checksum is missing", RESTORE)
    if checksum != f'{sha256(body.encode())}"\n':
        raise DamagedFile("was edited or damaged: its checksum does not fit", RESTORE)


def parse_frozen(name: str, text: str) -> FrozenConfig:
    """The configuration that a frozen file holds.

    Args:
        name: The path of the file, for the record.
        text: Its content.

    Returns:
        What it holds.

    Raises:
        DamagedFile: When it is not whole, or was written for other settings.

    >>> parse_frozen("runs/17/acbo.frozen.toml", "total_steps = 7000")
    Traceback (most recent call last):
    ...
    acbo_settings.engine.frozen.DamagedFile: is no frozen configuration: its first line does not say so
    """
    verify_frozen(text)
    with suppress(ValueError):  # of tomllib, for a line that no version of this package has written
        values = _read_lines(text)
        settings = {path: value for path, value in values.items() if path[0] not in ("frozen", "metadata")}
        if list(settings) == list(flatten(TrainingConfig())):
            given = [path[2:] for path in values if path[:2] == ("frozen", "origins") and path[2:] in settings]
            custom = {path[1]: value for path, value in values.items() if path[0] == "metadata"}
            config = _build(settings, nested({path: settings[path] for path in given}) | custom)
            if config.fingerprint == values.get(("frozen", "fingerprint")):
                inputs, file = (values.get(("frozen", key)) for key in ("inputs", "file"))
                return FrozenConfig(name, text, config, given, custom, inputs, file)
    hint = "install the version of acbo-settings that its line `package` names"
    raise DamagedFile(f"does not hold the settings that acbo-settings {__version__} has", hint)


def given_tree(frozen: FrozenConfig) -> dict[str, Any]:
    """A frozen configuration as the tree of an `acbo.toml`: what was given to it, and what is no default any more.

    Args:
        frozen: The frozen file.

    Returns:
        A new dict that resolves to the same configuration; what nobody set stays a default in it.

    >>> config = TrainingConfig(total_steps=7000)
    >>> given_tree(FrozenConfig("acbo.frozen.toml", "", config, (), {"note": "scm20"}, None, None))
    {'total_steps': 7000, 'metadata': {'note': 'scm20'}}
    """
    defaults = flatten(TrainingConfig())
    values = flatten(frozen.config).items()
    told = {path: value for path, value in values if path in frozen.given or value != defaults[path]}
    return {**nested(told), "metadata": dict(frozen.custom)}


def _build(settings: Mapping[KeyPath, Any], metadata: Mapping[str, Any]) -> TrainingConfig:
    """The configuration of these settings, without any check."""
    tree = nested(settings)
    for name, default in fields_of(TrainingConfig()).items():
        if isinstance(tree[name], dict):
            tree[name] = type(default)(**tree[name])
    return TrainingConfig(**tree, metadata=freeze(metadata))


def _read_lines(text: str) -> dict[KeyPath, Any]:
    """Each value of the file by its key path, in the order of the lines."""
    table: KeyPath = ()
    values: dict[KeyPath, Any] = {}
    for line in text.split("\n"):
        if line.startswith("["):
            table = tuple(line[1:-1].split("."))
        elif line and not line.startswith("#"):
            path, value = _read_line(line)
            values[*table, *path] = value
    return values


def _read_line(line: str) -> tuple[KeyPath, Any]:
    """The key path, seen from its table, and the value of one line."""
    key, _, text = line.partition(" = ")
    if '"' in key:
        [(key, value)] = _parse_toml(line).items()
        return (key,), value
    return tuple(key.split(".")), _read_value(text)


def _read_value(text: str) -> Any:
    """A value; what needs a parser, such as escapes, arrays, tables and dates, gets one."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"') and "\\" not in text:
        return text[1:-1]
    for number in (int, float):
        with suppress(ValueError):
            return number(text)
    return _parse_toml(f"value = {text}")["value"]


def _parse_toml(line: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(line)
