"""What a start is given, read once and safely, with a digest of all of it; and how the start may change its run.

Little is imported, and the records are plain classes: a start from a frozen file needs this much and no more.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping

from .canonical import KeyPath, sha256
from .schema import Application, Schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from .problems import Problem

    OnChange = Literal["error", "keep", "replace"]
    """What to do when today's inputs resolve to another configuration than the frozen one."""

PATH_ARGUMENT = "the path argument"
"""What the report calls the caller who named the file."""

MAX_BYTES = 1 << 20
"""The largest file that is read, in bytes: 1 MiB."""

MAX_DIGESTED = 100_000
"""Values that inputs may hold to have a digest, each use of a shared list counted."""

_ON_CHANGE = ("error", "keep", "replace")
_TOO_LARGE = "is larger than 1 MiB, the most that a configuration file may have"
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class RawFile:
    """A configuration file as bytes, or why there are none: an OSError, or a ValueError that says it.

    `name` is the path as the user wrote it, `named_by` the variable that named it, `PATH_ARGUMENT`, or empty.
    """

    def __init__(self, name: str, named_by: str, content: bytes, error: OSError | ValueError | None) -> None:
        self.name = name
        self.named_by = named_by
        self.content = content
        self.error = error

    @property
    def facts(self) -> list[Any]:
        """What tells this file from every other; its name counts where that says whether it is a frozen one."""
        name = os.path.basename(self.name)
        return [self.error, sha256(self.content), name if ".frozen." in name else ""]


class Inputs:
    """All that a configuration is made of; `read_inputs` makes it."""

    __slots__ = ("schema", "file", "environ", "overrides", "strict")

    def __init__(
        self,
        schema: Schema,
        file: RawFile | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | None = None,
        strict: bool = True,
    ) -> None:
        self.schema = schema
        """What there is to set."""
        self.file = file
        """The configuration file, or None when nothing is named and there is none in the working directory."""
        self.environ = environ or {}
        """Names and texts of the variables with the prefix of the application."""
        self.overrides = overrides
        """Settings that win over everything, as the caller gave them."""
        self.strict = strict
        """Whether an unknown variable is an error."""

    @property
    def digest(self) -> str | None:
        """64 hexadecimal digits that two starts share only when they resolve to the same configuration.

        All fields go in. None, when the file cannot be read, or anything is more than plain data.
        """
        facts = [_facts_of(getattr(self, name)) for name in self.__slots__]
        if not _is_plain(facts):
            return None
        try:
            return sha256(repr(facts).encode("ascii", "backslashreplace"))
        except (ValueError, RecursionError):  # an integer without end, or lists within lists: resolving says so
            return None


def _facts_of(value: Any) -> Any:
    """What is digested of one field: dicts have the same facts in whatever order they were filled."""
    if type(value) is dict and all(type(key) is str for key in value):
        return dict(sorted(value.items()))
    return value.facts if isinstance(value, Schema | RawFile) else value


def _is_plain(tree: Any) -> bool:
    """Whether `repr` tells a tree from every other: it does for these types, but not for classes made from them."""
    waiting = [tree]
    for _ in range(MAX_DIGESTED):
        if not waiting:
            return True
        value = waiting.pop()
        if type(value) is dict and all(type(key) is str for key in value):
            waiting += value.values()
        elif type(value) in (list, tuple):
            waiting += value
        elif value is not None and type(value) not in (str, int, float, bool):
            return False
    return False


def read_inputs(
    schema: Schema,
    path: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
) -> Inputs:
    """Read what a configuration is made of: the file that is named or found, and the environment, if none is given."""
    application = schema.application
    given = process_environment(application) if environ is None else environ
    variables = {name: text for name, text in given.items() if name.upper().startswith(application.prefix)}
    return Inputs(schema, _find_file(application, path, variables), variables, overrides, strict)


def process_environment(application: Application) -> dict[str, str]:
    """The variables of this process with the prefix of an application, read as UTF-8 whatever the locale."""
    prefix = application.prefix.encode()
    names = [name for name in os.environb if name.upper().startswith(prefix)]
    found = {name: os.environb.get(name) for name in names}  # another thread may have unset one since
    return {
        name.decode("utf-8", "surrogateescape"): text.decode("utf-8", "surrogateescape")
        for name, text in found.items()
        if text is not None
    }


def _find_file(
    application: Application, path: str | os.PathLike[str] | None, environ: Mapping[str, str]
) -> RawFile | None:
    """Read the file that is named, else the one in the working directory, if it is there.

    A variable that names a file by an empty text, or twice, does not count: it is a problem of its own.
    """
    if path is not None:
        return read_raw_file(path_text(path, "path", "; settings go into overrides"), PATH_ARGUMENT)
    named = [(name, text) for name, text in environ.items() if name.upper() == application.file_variable]
    if len(named) == 1 and isinstance(named[0][1], str) and named[0][1].strip():
        return read_raw_file(named[0][1], named[0][0])
    return read_if_there(application.file_name)


class Start:
    """One start: its inputs, the run that it belongs to, if any, and how it may change that.

    `frozen_file` is the path of the run's frozen file, whether it is there or not; `changeable` are the settings of
    which today's value is used.
    """

    def __init__(
        self,
        inputs: Inputs,
        run_dir: str | os.PathLike[str] | None = None,
        on_change: OnChange = "error",
        may_change: Iterable[str] = (),
    ) -> None:
        self.inputs = inputs
        self.frozen_file: str | None = None
        self.on_change = on_change
        self.changeable: frozenset[KeyPath] = frozenset()
        if run_dir is not None:
            self.frozen_file = os.path.join(_run_directory(run_dir), inputs.schema.application.frozen_name)
            if on_change not in _ON_CHANGE:
                raise ValueError(f'on_change must be "error", "keep" or "replace", not {on_change!r}')
            self.changeable = _changeable(inputs.schema, may_change) if may_change != () else frozenset()
        elif on_change != "error" or may_change:
            raise TypeError("on_change and may_change are for a run: they need run_dir")


def _run_directory(run_dir: str | os.PathLike[str]) -> str:
    directory = path_text(run_dir, "run_dir")
    if not directory.strip() or directory.startswith("~"):
        message = "~ is not expanded here" if directory.strip() else "is empty: name the directory of the run"
        raise _refusal([("run_dir", directory, message, "")])
    return directory


def _changeable(schema: Schema, may_change: Iterable[str]) -> frozenset[KeyPath]:
    """The settings that are named, and those of the sections that are."""
    if isinstance(may_change, str):
        raise TypeError(f'may_change must be a list or tuple of names, such as ("{may_change}",), not a str')
    from .names import find_path

    found = {str(name): find_path(schema, str(name)) for name in may_change}
    settings = {name: schema.below(path) if path else [] for name, path in found.items()}
    if unknown := [name for name, paths in settings.items() if not paths]:
        raise _refusal(
            [
                ("may_change", name, f"no such setting or section: {name}", _hint(schema, name, found[name]))
                for name in unknown
            ]
        )
    return frozenset(path for paths in settings.values() for path in paths)


def _hint(schema: Schema, name: str, found: KeyPath | None) -> str:

    from .names import did_you_mean, meant_by

    if found or name.startswith("metadata"):
        return "metadata is no setting: a run keeps its own"
    return did_you_mean(meant_by(schema, name))


def _refusal(wrong: list[tuple[str, str, str, str]]) -> Exception:
    """The exception for arguments: each with its name, what was given, a sentence about it, and a hint."""
    from .origins import Argument
    from .problems import whole_problem
    from .report import refusal

    problems: list[Problem] = [whole_problem(Argument(name), given, *told) for name, given, *told in wrong]
    return refusal(problems)


def is_directory(name: str) -> bool:
    """Whether a path leads to a directory, in any locale; False also for what can be no path."""
    try:
        return os.path.isdir(encode_path(name))
    except ValueError:
        return False


def read_if_there(name: str) -> RawFile | None:
    """Read a file that need not exist; a symbolic link to nothing does exist."""
    file = read_raw_file(name)
    if not isinstance(file.error, FileNotFoundError):
        return file
    # Something is there all the same: a dangling link, or a file that another process has made just now.
    return read_raw_file(name) if os.path.lexists(encode_path(name)) else None


def read_raw_file(name: str, named_by: str = "") -> RawFile:
    """Read a file through one descriptor, without ever waiting for it; once more if a file server says ESTALE."""
    try:
        try:
            content = _read_bytes(name)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            content = _read_bytes(name)
    except (OSError, ValueError) as error:
        return RawFile(name, named_by, b"", error)
    return RawFile(name, named_by, content, None)


def _read_bytes(name: str) -> bytes:
    """The content of a regular file; ValueError with the reason for any other."""
    # Before it is opened, because opening a device can act on it; after, because it may have been replaced.
    path = encode_path(name)
    _require_regular(os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        _require_regular(os.fstat(descriptor))
        content = b""
        while len(content) <= MAX_BYTES and (block := os.read(descriptor, MAX_BYTES + 1 - len(content))):
            content += block
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise ValueError(_TOO_LARGE)
    return content


def encode_path(name: str) -> bytes:
    """The bytes of a path: UTF-8 whatever the locale, other bytes as Python stands for them in text.

    ValueError with the reason, when no path can be that text.
    """
    if not name.strip():
        raise ValueError("the path is empty")
    if "\0" in name:
        raise ValueError("the path contains a NUL character")
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ValueError("the path holds characters that no path can hold") from None


def where_looked(name: str) -> str:
    """What may explain that a file is not found: the working directory of a path that starts there, or a `~`."""
    if name.startswith("~"):
        return "~ is not expanded here"
    try:
        return "" if os.path.isabs(name) else f"the working directory is {os.getcwd()}"
    except OSError:
        return "the working directory does not exist any more"


def reason(name: str, error: OSError | ValueError) -> str:
    """Why a file cannot be used, in the words of the system, or of a ValueError; a sentence without its subject."""
    if not isinstance(error, OSError):
        return str(error)
    path = encode_path(name)
    if isinstance(error, FileNotFoundError):
        try:
            return f"is a symbolic link to {os.fsdecode(os.readlink(path))}, which does not exist"
        except OSError:  # it is no link, or is gone
            return "no such file"
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _require_regular(status: os.stat_result) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise ValueError(f"is {_KINDS.get(kind, 'special')}, not a file")
    if status.st_size > MAX_BYTES:
        raise ValueError(_TOO_LARGE)


def is_frozen(application: Application, name: str, text: str) -> bool:
    """Whether a configuration file is meant to be a frozen one, by its name, its first line, or its checksum."""
    is_marked = text.removeprefix("\ufeff").startswith(application.frozen_line) or "\n[frozen.checksum]" in text
    return is_marked or is_named_frozen(application, name)


def is_named_frozen(application: Application, name: str) -> bool:
    """Whether the name of a file is that of a frozen one, or of one that was kept when it was replaced."""
    return os.path.basename(name).startswith(application.frozen_name.removesuffix("toml"))


def path_text(path: object, name: str, hint: str = "") -> str:
    """A path argument as text; TypeError that names the argument when it is neither text nor `os.PathLike`."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str or os.PathLike, not {type(path).__name__}{hint}")
    return text
