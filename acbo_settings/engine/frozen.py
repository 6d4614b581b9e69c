"""The frozen file of a run: its format, both ways. Reading it needs neither pydantic nor a parser.

The file is TOML, one `key = value` a line. Its first line names the format, its last one holds a checksum over
everything above. Numbers, booleans and plain texts are read by hand, as all settings of the reference are; `tomllib`
comes in for a line that holds anything else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING

from .canonical import KeyPath, fingerprint, nested, sha256
from .inputs import (
    Start,
    encode_path,
    exists,
    is_directory,
    is_named_frozen,
    path_text,
    read_if_there,
    reason,
    where_looked,
)
from .schema import Application, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from .problems import ConfigurationError, Problem
    from .values import SourcedValue

FORMAT = 1
"""The format that is written, and the only one there is so far."""

_CHECKSUM = 'sha256 = "'
_CHECKSUM_END = 66
"""Characters of the checksum, and of what stands behind it."""

_MAX_NAME = 1000
_NOTE = """\
# What this run started with. A later start gets the same or is refused. Do not edit it: the checksum in the last
# line would not fit. `{0} show` prints it, `{0} diff` compares it."""
_EDITED = "was edited or damaged: its checksum does not fit"
_RESTORE = "restore it, or move it away: the next start then freezes the configuration of that day"
_COPIED = (
    "it is a copy of a run's frozen file: to make {} of it that can be edited,"
    " remove its first line and everything from [frozen] on"
)


class FrozenConfig:
    """A frozen file as it was read; `parse_frozen` makes it.

    `settings` are all of them by key path, `origins` tells where those that somebody gave had come from, and the keys
    of the metadata, `custom` is the custom metadata as plain data, `digest` that of the inputs that it was made of, if
    there was one, `file` the configuration file that was read, if there was one, and `job` the start of a job for whose
    ranks it was written, if it was. Of a point of a sweep, `point` is the number, and `variables` are those that were
    set when it was frozen; in one for the ranks of a start, `held` is the seal of the point's own file. Where it was
    written for other settings than there are, `refusal` is what whoever asks for its settings gets.
    """

    def __init__(
        self,
        name: str,
        text: str,
        config: Any,
        settings: Mapping[KeyPath, Any],
        origins: Mapping[KeyPath, str],
        custom: Mapping[str, Any],
        facts: Mapping[str, Any],
        places: Mapping[KeyPath, KeyPath],
        refusal: ConfigurationError | None,
    ) -> None:
        self.name = name
        self.text = text
        self._config = config
        self._settings = settings
        self.refusal = refusal
        self.origins = origins
        self.custom = custom
        self._places = places
        self.fingerprint: str = facts["fingerprint"]
        self.digest: str | None = facts.get("inputs")
        self.file: str | None = facts.get("file")
        self.job: str | None = facts.get("job")
        self.point: int | None = facts.get("point")
        self.held: str | None = facts.get("held")
        self.variables: Mapping[str, str] = facts.get("variables", {})

    @property
    def seal(self) -> str:
        """The start of its checksum, which tells it from every other file."""
        return self.text[-_CHECKSUM_END : 16 - _CHECKSUM_END]

    @property
    def missing(self) -> tuple[KeyPath, ...]:
        """The settings that the file does not know, and that have their defaults."""
        return tuple(path for path, value in self._settings.items() if path not in self._places and value is not None)

    def place(self, path: KeyPath) -> KeyPath:
        """Under which key a setting stands in the file: under its name, or an old one."""
        return self._places.get(path, path)

    @property
    def config(self) -> Any:
        """The configuration; ConfigurationError where there are other settings by now."""
        if self.refusal:
            raise self.refusal
        return self._config

    @property
    def settings(self) -> Mapping[KeyPath, Any]:
        """All its settings; ConfigurationError where there are other settings by now."""
        if self.refusal:
            raise self.refusal
        return self._settings


def load_frozen(schema: Schema, path: str | os.PathLike[str]) -> FrozenConfig:
    """Read a frozen file, or the one in a run's directory; ConfigurationError when there is none."""
    name = path_text(path, "path")
    name = os.path.join(name, schema.application.frozen_name) if is_directory(name) else name
    frozen = read_frozen(schema, name)
    if frozen is None:
        raise unusable(name, "no such file", where_looked(name))
    return frozen


def missing_advice(frozen: FrozenConfig) -> list[Problem]:
    """The advice for settings that are newer than the file."""
    if not frozen.missing:
        return []
    from .printable import show_value
    from .problems import Problem

    told = "the run was frozen without it, so that its default {} is used"
    return [
        Problem(path=path, message=told.format(show_value(frozen.settings[path])), severity="advice")
        for path in frozen.missing
    ]


def shared_config(start: Start, held: FrozenConfig | None = None) -> FrozenConfig | None:
    """What the ranks of this start have been given, by `freeze` before them; None where that has given them nothing.

    ConfigurationError where that was done with another file than the one that a point of a sweep is `held` to.
    """
    name = start.shared_file
    shared = read_frozen(start.inputs.schema, name) if name else None
    if name is None or shared is None or shared.job != start.job:
        return None
    if held and start.point and shared.held != held.seal:
        message = "was written for the ranks of this start, and the sweep was frozen anew since"
        hint = f"run {start.inputs.schema.application.name} freeze again, or start the job again"
        raise unusable(name, message, hint)
    return shared


def unchanged_config(start: Start) -> Any:
    """The configuration of a run's frozen file, if it was made of the very same inputs; else None."""
    name = start.frozen_file
    if name is None:
        return None
    held = held_config(start, name)
    start = at_point(start, held)
    frozen = shared_config(start, held) or held
    return frozen.config if frozen and frozen.digest and frozen.digest == start.inputs.digest else None


def held_config(start: Start, name: str) -> FrozenConfig | None:
    """The frozen file of the run of a start; None where it is its first one. That of a point of a sweep must be there.

    ConfigurationError when it cannot be used, or is that of no point of the sweep.
    """
    if start.point is None:
        frozen = read_frozen(start.inputs.schema, name)
        if frozen is None:
            _require_no_sweep(start.inputs.schema, name)
        if frozen and frozen.point is not None:
            hint = "name the directory as it lies in that of the sweep"
            raise unusable(name, f"is the frozen file of point {frozen.point} of a sweep, and not of a run", hint)
        return frozen
    from .frozen_sweep import require_own, require_point

    require_point(start.inputs.schema, start.point)
    try:
        frozen = read_frozen(start.inputs.schema, name)
    except ValueError as error:  # a ConfigurationError
        raise _damaged_point(error) from None
    require_own(start.inputs.schema, start.point, frozen)
    return frozen


def _damaged_point(error: Any) -> ConfigurationError:
    """The exception for a point's frozen file that was damaged, which no start writes anew as it does that of a run."""
    from .report import refusal

    hint = "restore it, or move it away and freeze the sweep again"
    return refusal([each.replace(hint=hint) if each.hint == _RESTORE else each for each in error.problems])


def _require_no_sweep(schema: Schema, name: str) -> None:
    """Refuse to make a run of the directory of a sweep, or of what is nearly that of a point in it."""
    directory = os.path.dirname(name)
    above, base = os.path.split(os.path.realpath(encode_path(directory)))
    application = schema.application
    if exists(os.path.join(directory, application.sweep_name)):
        hint = f"set {application.sweep_variable} to it, or name the directory of a point"
        raise unusable(directory or ".", "is the directory of a sweep, and not of a run", hint)
    if base.isdigit() and os.path.exists(os.path.join(above, application.sweep_name.encode())):
        hint = "name it as it lies there, or freeze the sweep again"
        raise unusable(directory, "lies in the directory of a sweep, and is no run of its own", hint)


def at_point(start: Start, frozen: FrozenConfig | None) -> Start:
    """The start of a point of a sweep without its variables, if they are those with which the sweep was frozen."""
    inputs = start.inputs
    if start.point is None or frozen is None or not inputs.environ or dict(inputs.environ) != frozen.variables:
        return start
    return start.with_inputs((), {})


def read_frozen(schema: Schema, name: str) -> FrozenConfig | None:
    """Read a frozen file, or None when there is nothing of that name; ConfigurationError when it cannot be used."""
    file = read_if_there(name)
    if file is None:
        return None
    if isinstance(file.error, NotADirectoryError):
        raise unusable(os.path.dirname(name), "is not a directory, as that of a run must be")
    if file.error:
        raise unusable(name, reason(name, file.error))
    try:
        text = file.content.removeprefix(b"\xef\xbb\xbf").decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise unusable(name, "was edited or damaged: it is not valid UTF-8", _RESTORE) from None
    return parse_frozen(schema, name, text)


def unusable(name: str, message: str, hint: str = "") -> ConfigurationError:
    """The exception for a file that cannot be used as a whole; what reports is imported when there is one."""
    from . import report

    return report.unusable(name, message, hint)


def parse_frozen(schema: Schema, name: str, text: str, is_copy: bool = False) -> FrozenConfig:
    """The configuration that a frozen file holds; ConfigurationError when it is not whole, or of other settings.

    A copy is a file that has another name, and was given as a configuration file.
    """
    application = schema.application
    message, hint = _find_damage(application, text) or ("", "")
    if not message:
        try:
            return _parse_whole(schema, name, text)
        except ValueError as error:
            if type(error) is not ValueError:  # a ConfigurationError, which tells all
                raise
            message, hint = f"was edited or damaged: {error}", _RESTORE
    if message.startswith("is no frozen") and not is_named_frozen(application, name):
        hint = f"name the directory of a run, or the {application.frozen_name} in it"
    raise unusable(name, message, _COPIED.format(f"an {application.file_name}") if is_copy else hint)


def _find_damage(application: Application, text: str) -> tuple[str, str] | None:
    """What is wrong with a frozen file and what to do about it, or None when it is whole."""
    if not text:
        return "is empty", _RESTORE
    first, _, _ = text.partition("\n")
    number = first.removeprefix(application.frozen_line)
    if application.frozen_line.startswith(text):
        return "is cut short: its checksum is missing", _RESTORE
    if not (first.startswith(application.frozen_line) and number.isascii() and number.isdecimal()):
        return "is no frozen configuration: its first line does not say so", _RESTORE
    if number != str(FORMAT):
        known = f"{application.name} {application.version} reads format {FORMAT}"
        hint = f"install the version of {application.name} that wrote it, or a newer one"
        return f"has format {number[:20]}, and {known}", hint
    body, key, checksum = text.rpartition(_CHECKSUM)
    if not key or len(checksum) < _CHECKSUM_END:
        return "is cut short: its checksum is missing", _RESTORE
    if checksum != f'{sha256(body.encode())}"\n':
        return _EDITED, _RESTORE
    return None


def seal_in(name: str, hint: str = "") -> str:
    """The seal of a frozen file, whose content is looked at no further; empty when there is nothing of that name.

    ConfigurationError when it cannot be read, or was edited.
    """
    file = read_if_there(name)
    if file is None:
        return ""
    if file.error:
        raise unusable(name, reason(name, file.error), hint)
    content = file.content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")  # as it is read for a start
    body, _, checksum = content.rpartition(_CHECKSUM.encode())
    if checksum != f'{sha256(body)}"\n'.encode():
        raise unusable(name, _EDITED, hint)
    return checksum[:16].decode()


def _parse_whole(schema: Schema, name: str, text: str) -> FrozenConfig:
    """What a whole file holds; ValueError when its lines were never written so.

    It is judged by the settings that it holds itself: what it does not hold has its default.
    """
    try:
        values = _read_lines(text)
    except ValueError:  # of tomllib
        raise ValueError("it is no TOML") from None
    own, notes, facts, origins = _divided(values)
    if fingerprint(own) != facts.get("fingerprint"):
        raise ValueError("its fingerprint does not fit")
    settled, custom = schema.settled_notes(notes) if notes else ({}, notes)
    own |= settled
    places = _places(schema, own)
    origins = _origins_now(origins, places, settled)
    settings = schema.revive({path: own[place] for path, place in places.items()})
    unfit = {path: own[place] for path, place in places.items() if settings.get(path, MISSING) is MISSING}
    unfit |= _find_unfit(settings, places, custom)
    refusal = _other_settings(schema, name, unfit, facts) if unfit else None
    recorded = {path: settings[path] for path in origins if path in settings}
    config = schema.build(settings, nested(recorded) | dict(custom))
    return FrozenConfig(name, text, config, settings, origins, custom, facts, places, refusal)


def _divided(
    values: Mapping[KeyPath, Any],
) -> tuple[dict[KeyPath, Any], dict[str, Any], dict[str, Any], dict[KeyPath, str]]:
    """The settings of a file, its metadata, what it says of itself, and the origins."""
    settings = {path: value for path, value in values.items() if path[0] not in ("frozen", "metadata")}
    notes = {path[1]: value for path, value in values.items() if path[0] == "metadata"}
    facts = {path[1]: value for path, value in values.items() if path[0] == "frozen" and len(path) == 2}
    facts["variables"] = {path[2]: value for path, value in values.items() if path[:2] == ("frozen", "variables")}
    origins = {path[2:]: value for path, value in values.items() if path[:2] == ("frozen", "origins")}
    return settings, notes, facts, origins


def _origins_now(
    origins: Mapping[KeyPath, str], places: Mapping[KeyPath, KeyPath], settled: Mapping[KeyPath, Any]
) -> dict[KeyPath, str]:
    """The origins under today's names: those of the settings, and of the keys that are metadata still."""
    # A note had the origin of its table until 0.1.
    told = {**origins, **{path: origins.get(path) or origins[path[:2]] for path in settled}}
    now = {path: told[place] for path, place in places.items() if place in told}
    return now | {path: origin for path, origin in origins.items() if path[0] == "metadata" and path not in settled}


def _find_unfit(
    settings: Mapping[KeyPath, Any], places: Mapping[KeyPath, KeyPath], custom: Mapping[str, Any]
) -> dict[KeyPath, Any]:
    """What must be given and is not there, and metadata with the name of a setting or section."""
    unfit: dict[KeyPath, Any] = {path: None for path in settings if settings[path] is MISSING and path not in places}
    names = {path[0] for path in settings} if custom else ()
    return unfit | {("metadata", key): value for key, value in custom.items() if key in names}


def _places(schema: Schema, written: Mapping[KeyPath, Any]) -> dict[KeyPath, KeyPath]:
    """Where each setting stands in a file: under its name, or an old one; what was written twice is no one setting."""
    places = {path: path for path in written if path in schema.defaults}
    for path in (path for path in written if path not in places):
        now = schema.current(path)
        places[path if now in places else now] = path
    return places


def _other_settings(
    schema: Schema, name: str, unfit: Mapping[KeyPath, Any], facts: Mapping[str, Any]
) -> ConfigurationError:
    """The exception for a file that was written for other settings: each with its value, and what has written it."""
    from .problems import Problem, file_problem
    from .report import refusal

    application, owner = schema.application, schema.root.__name__
    message = f"was written for other settings than {owner} of {application.name} {application.version} has today"
    ways = 'or with on_change="replace", which freezes today\'s settings and keeps the old file'
    was = facts.get("class", owner)
    hint = f"{facts.get('package')} wrote it, with {was} as it was then: start the run with these, {ways}"
    if was != owner:
        hint = (
            f"{facts.get('package')} wrote it, with {was}: name that class, in a shell with --schema MODULE:{was},"
            f' in Python with schema={was}; or start the run with on_change="replace", which freezes today\'s settings'
            " and keeps the old file"
        )
    told = [file_problem(name, message, hint)]
    for path, value in unfit.items():
        message, hint = _misfit(schema, path, value)
        told.append(Problem(path=path, message=message, hint=hint))
    return refusal(told)


def _misfit(schema: Schema, path: KeyPath, value: Any) -> tuple[str, str]:
    """Why a frozen value, or None where there is none, can be that of no setting, and a hint."""
    from .printable import show_value

    frozen = f"frozen as {show_value(value)}"
    if value is None:
        return "has no default, and was not frozen", "a default in the class, as the run had it, lets it go on"
    if path[0] == "metadata":
        name = ".".join(path)
        return f"{frozen}, and is a setting by now", f'Was("{name}", since=…) beside its type takes the frozen value'
    if path in schema.old_names:
        return f"{frozen}, and is called {'.'.join(schema.current(path))} by now, which was frozen too", ""
    if path in schema.defaults:
        return f"{frozen}, and has the type {schema.setting(path).kind.name} by now", ""
    sentence = schema.removed.get(path, "")
    return f"{'was removed' if sentence else 'no such setting'}; {frozen}", sentence


def _read_lines(text: str) -> dict[KeyPath, Any]:
    """Each value of the file by its key path, in the order of the lines."""
    table: KeyPath = ()
    values: dict[KeyPath, Any] = {}
    for line in text.split("\n"):
        if line.startswith("["):
            table = tuple(line[1:-1].split("."))
        elif line and not line.startswith("#"):
            path, value = _read_line(line, table == ("frozen", "origins"))
            values[*table, *path] = value
    return values


def _read_line(line: str, is_dotted: bool) -> tuple[KeyPath, Any]:
    """The key path, seen from its table, and the value of one line; a dotted key has a text behind it, and no table."""
    key, _, text = line.partition(" = ")
    if '"' in key:
        [(part, tree)] = _parse_toml(line).items()
        path = [part]
        while is_dotted and isinstance(tree, dict):
            [(part, tree)] = tree.items()
            path.append(part)
        return tuple(path), tree
    return tuple(key.split(".")), _read_value(text)


def _read_value(text: str) -> Any:
    """A value; what needs a parser, such as escapes, arrays, tables and dates, gets one."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"') and "\\" not in text:
        return text[1:-1]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return _parse_toml(f"value = {text}")["value"]


def _parse_toml(line: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(line)


def given_tree(schema: Schema, frozen: FrozenConfig) -> dict[str, Any]:
    """A frozen configuration as the tree of a file: what was given to it, and what is no default any more."""
    values = frozen.settings.items()
    told = {path: value for path, value in values if path in frozen.origins or value != schema.defaults[path]}
    return {**nested(told), "metadata": dict(frozen.custom)}


def render_frozen(
    schema: Schema,
    config: Any,
    origins: Mapping[KeyPath, SourcedValue],
    custom: Mapping[str, Any],
    now: datetime,
    facts: Mapping[str, Any],
    variables: Mapping[str, str] | None = None,
) -> str:
    """The text of a frozen file, which `parse_frozen` reads back.

    `origins` are those of the settings and of the custom metadata, `custom` is that metadata as plain data. `facts` may
    have the `file` that was read, the digest of the `inputs`, the `job` and the `point` that it is frozen for.
    """
    from .printable import escape
    from .toml_writer import key_text, metadata_lines, setting_lines, value_text

    application = schema.application
    note = _NOTE.format(application.name)
    settings = schema.typed(config)
    lines = [f"{application.frozen_line}{FORMAT}", note, *(line for _, line in setting_lines(settings))]
    if custom:
        lines += ["", "[metadata]", *metadata_lines(custom)]
    told = {
        "fingerprint": fingerprint(settings),
        "time": now.isoformat(timespec="seconds" if facts.get("point") is None else "milliseconds"),
        "package": f"{application.name} {application.version}",
        "class": schema.root.__name__,
        "settings": len(settings),
        "file": facts.get("file") and escape(facts["file"], _MAX_NAME),
        **{key: facts.get(key) for key in ("inputs", "job", "point", "held")},
    }
    lines += ["", "[frozen]", *(f"{key} = {value_text(fact)}" for key, fact in told.items() if fact is not None)]
    lines += ["", "[frozen.origins]"]
    for path, sourced in origins.items():
        if not sourced.is_default:
            lines.append(f"{'.'.join(map(key_text, path))} = {value_text(escape(str(sourced.origin)))}")
    if variables:
        lines += ["", "[frozen.variables]"]
        lines += [f"{key_text(name)} = {value_text(text)}" for name, text in variables.items()]
    body = "\n".join([*lines, "", "[frozen.checksum]", ""])
    return f'{body}{_CHECKSUM}{sha256(body.encode())}"\n'
