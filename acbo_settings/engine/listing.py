"""A configuration as people read it: as a call, and as lines of TOML with the origins in one column of comments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from .canonical import KeyPath, custom_metadata, flatten
from .printable import LATER, counted, escape, shorten, terminal_width
from .report import explain_origin
from .schema import Schema
from .toml_writer import Line, key_text, setting_lines

if TYPE_CHECKING:
    from .loading.resolved import ResolvedConfig

_LEAST_ROOM = 20
_LEAST_COMMENT = 12
_LAST_COLUMN = 60

UNWRITABLE = (AttributeError, LookupError, TypeError, ValueError)
"""What is raised where a configuration was built by hand and holds what none can: it is shown as its call then."""

Row = tuple[str, str]
"""A line of TOML, and the comment behind it, which may be empty."""


def constructor_call(record: Any) -> str:
    """The call that makes a dataclass again, with what differs from its defaults; the metadata is left out.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Policy:
    ...     width: int = 128
    ...     depth: int = 2
    >>> constructor_call(Policy(depth=3))
    'Policy(depth=3)'
    """
    texts = [
        f"{name}={constructor_call(value) if is_dataclass(value) else repr(value)}"
        for name, value in changed_fields(record).items()
    ]
    return f"{type(record).__qualname__}({', '.join(texts)})"


def changed_fields(record: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from its defaults, the metadata left out."""
    shown = [field for field in fields(record) if field.compare and hasattr(record, field.name)]
    return {field.name: getattr(record, field.name) for field in shown if _differs(record, field)}


def _differs(record: Any, field: Field[Any]) -> bool:
    value = getattr(record, field.name)
    default = field.default if field.default_factory is MISSING else field.default_factory()
    if type(value) is not type(default):
        return True
    try:
        return bool(value != default)
    except ValueError:  # an array of numpy, which is no setting, but is to be shown
        return True


def changed_settings(record: Any) -> dict[KeyPath, Any]:
    """Those that differ from the defaults; one that somebody set to its default does not."""
    if not is_whole(record):
        return {(name,): value for name, value in changed_fields(record).items()}
    defaults = Schema.of(type(record)).defaults
    return {path: value for path, value in flatten(record).items() if value != defaults[path]}


def is_whole(record: Any) -> bool:
    """Whether a dataclass is a configuration, and no section of one."""
    return hasattr(type(record), "fingerprint")


def block(record: Any) -> str:
    """What `print` shows of a configuration or a section: what differs from the defaults, and the keys of metadata."""
    try:
        lines = [line for _, line in setting_lines(changed_settings(record))]
        return _cut([f"# {headline(record)}", *lines, *_metadata_line(record)])
    except UNWRITABLE:
        return constructor_call(record)


def headline(record: Any) -> str:
    """The class of a configuration or a section, its fingerprint, and how much of it differs from the defaults."""
    changed, number = len(changed_settings(record)), len(flatten(record))
    name = f"{type(record).__qualname__}{f' {record.fingerprint}' if is_whole(record) else ''}"
    return f"{name}: {changed} of {counted(number, 'setting')} differ{'s' if changed == 1 else ''} from the defaults"


def metadata_keys(record: Any) -> str:
    """The keys of the metadata, separated by commas; their values stay out of what is shown."""
    return ", ".join(map(key_text, custom_metadata(record))) if is_whole(record) else ""


def _metadata_line(record: Any) -> list[str]:
    keys = metadata_keys(record)
    return ["", f"# metadata: {keys}"] if keys else []


def _cut(lines: Iterable[str]) -> str:
    width = terminal_width()
    return "\n".join(escape(line, width) for line in lines).lstrip("\n")


def resolved_block(resolved: ResolvedConfig[Any]) -> str:
    """What `show --changed` prints of a configuration with origins, but of the metadata the keys alone."""
    rows = aligned(with_origins(resolved, setting_lines(changed_settings(resolved.config))), terminal_width())
    return _cut([*files_line(resolved), *map("".join, rows), *_metadata_line(resolved.config)])


def files_line(resolved: ResolvedConfig[Any]) -> list[str]:
    """The line that names the files, where one extends others."""
    names = ", ".join([*resolved.extended, resolved.file or ""])
    return [f"# files, later ones over earlier ones: {escape(names)}"] if resolved.extended else []


def with_origins(resolved: ResolvedConfig[Any], lines: Sequence[Line]) -> list[Row]:
    """Lines of TOML, each with where its value comes from; what only the job will know is a comment itself."""
    values = {**resolved.values, **resolved.custom}
    rows = []
    for path, line in lines[1:] if lines and not lines[0][1] else lines:
        sourced = values.get(path) if path else None
        if path and sourced and sourced.value is LATER:
            rows.append((f"# {key_text(path[-1])} = ...", f"known only in the job, {explain_origin(sourced)}"))
        else:
            rows.append((line, "" if sourced is None or sourced.is_default else explain_origin(sourced)))
    return rows


def aligned(rows: Sequence[Row], width: int | None) -> list[Row]:
    """The lines filled up to one column, in which the comments start; these are shortened to fit a width, if any.

    A line that is too long to leave room for a comment is followed by its own at once.

    >>> aligned([("a = 1", "from --set a=1"), ("", ""), ("width = 64", "from acbo.toml:2")], 30)
    [('a = 1     ', '# from --set a=1'), ('', ''), ('width = 64  ', '# from acbo.toml:2')]
    """
    last = _LAST_COLUMN if width is None else max(width - _LEAST_ROOM, 0)
    column = min(max((len(line) + 2 for line, comment in rows if comment), default=0), last)
    found = []
    for line, comment in rows:
        filled = line.ljust(max(column, len(line) + 2)) if comment else line
        room = None if width is None else max(width - len(filled), _LEAST_COMMENT)
        found.append((filled, shorten(f"# {comment}", room) if comment else ""))
    return found
