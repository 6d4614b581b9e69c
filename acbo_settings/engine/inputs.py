"""What a start is given, read once and safely, with a digest of all of it; and the run that it belongs to.

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
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, Protocol, TypeVar

    from .origins import Origin, Variable
    from .run_arguments import Point
    from .toml_document import Excerpt

    Text = TypeVar("Text")
    Content = TypeVar("Content")

    OnChange = Literal["error", "keep", "replace"]
    """What to do when today's inputs resolve to another configuration than the frozen one."""

    Run = tuple[str | None, OnChange, frozenset[KeyPath], Point | None]
    """The frozen file of a run, how a start may change that, and which point of a sweep it is, if it is one."""

    class Surroundings(Protocol):
        """The files that a job will find, where that is not this process."""

        def read(self, name: str, named_by: str = "", inside: str = "") -> RawFile:
            """Read a file as `read_raw_file` does."""
            ...

        def read_if_there(self, name: str) -> RawFile | None:
            """Read a file that need not exist."""

        def local_path(self, name: str) -> str | None:
            """Where this machine has what the job has at a path; None when it has it nowhere."""

        @property
        def directory(self) -> str | None:
            """The same for the working directory."""

        @property
        def chosen_at(self) -> Origin | None:
            """Where it is said which directory that is, if it is not where everybody would look."""

        def __str__(self) -> str:
            """What a report calls the working directory."""
            ...


PATH_ARGUMENT = "the path argument"
"""What the report calls the caller who named the file."""

MAX_BYTES = 1 << 20
"""The largest file that is read, in bytes: 1 MiB."""

MAX_DIGESTED = 100_000
"""Values that inputs may hold to have a digest, each use of a shared list counted."""

_BLOCK = 1 << 16
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

    `name` is the path as the user wrote it, `named_by` the variable that named it, `PATH_ARGUMENT`, or empty, and
    `extended_by` the file that extends it, if one does. `place` tells the file from every other. `path` is where the
    job has it, if that is elsewhere, and `excerpt` tells of what file it is a part, if it is one. Of a file that only
    the job will know nothing is known but its name.
    """

    is_known = True
    excerpt: Excerpt | None = None

    def __init__(
        self,
        name: str,
        named_by: str = "",
        content: bytes = b"",
        error: OSError | ValueError | None = None,
        extended_by: RawFile | None = None,
        place: tuple[int, ...] | None = None,
    ) -> None:
        self.name = name
        self.named_by = named_by
        self.content = content
        self.error = error
        self.extended_by = extended_by
        self.place = place
        self.path = name

    @property
    def may_extend(self) -> bool:
        """Whether a line may start with the key `extends`, in quotes and with escapes too."""
        content = self.content
        if content.startswith(b"extends"):
            return True
        if b"extends" not in content and b"\\" not in content:
            return False
        starts = (b"extends", b'"extends', b"'extends")
        lines = (line.lstrip(b"\xef\xbb\xbf \t") for line in content.split(b"\n"))
        return any(line.startswith(starts) or (line.startswith(b'"') and b"\\" in line) for line in lines)

    @property
    def facts(self) -> list[Any]:
        """What tells this file from every other; its name counts where that says whether it is a frozen one."""
        name = os.path.basename(self.name)
        return [self.error, sha256(self.content), name if ".frozen." in name else ""]


class Inputs:
    """All that a configuration is made of; `read_start` reads it."""

    __slots__ = ("schema", "files", "environ", "overrides", "strict", "variables")

    def __init__(
        self,
        schema: Schema,
        files: tuple[RawFile, ...] = (),
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, Any] | Sequence[str] | None = None,
        strict: bool = True,
        variables: Mapping[str, Variable] | None = None,
    ) -> None:
        self.schema = schema
        """What there is to set."""
        self.files = files
        """The configuration file behind the files that it extends; none when nothing is named and there is none."""
        self.environ = environ or {}
        """Names and texts of the variables with the prefix of the application, those of the run left out."""
        self.overrides = overrides
        """Settings that win over everything, as the caller gave them."""
        self.strict = strict
        """Whether an unknown variable is an error."""
        self.variables = variables or {}
        """Where variables are set, of those that are set in a file of a job."""

    @property
    def file(self) -> RawFile | None:
        """The configuration file itself."""
        return self.files[-1] if self.files else None

    @property
    def digest(self) -> str | None:
        """64 hexadecimal digits that two starts share only when they resolve to the same configuration.

        All fields go in. None, when a file cannot be read, or anything is more than plain data.
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
    if type(value) is tuple:
        return [_facts_of(item) for item in value]
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


class Start:
    """One start: its inputs, what surrounds it, the run that it belongs to, if any, and how it may change that.

    `environ` is the whole environment, of which `inputs` holds what counts; other threads may change it. `frozen_file`
    is the path of the run's frozen file, whether it is there or not; `changeable` are the settings, and the keys of the
    metadata, of which today's value is used; `point` is the point of a sweep that is the run, if it is one;
    `surroundings` are the files of a job elsewhere. `has_run` tells whether there is a run, if only the job can look at
    it too.
    """

    surroundings: Surroundings | None = None
    has_run = False

    def __init__(
        self,
        inputs: Inputs,
        environ: Mapping[str, str],
        frozen_file: str | None = None,
        on_change: OnChange = "error",
        changeable: frozenset[KeyPath] = frozenset(),
        point: Point | None = None,
    ) -> None:
        self.inputs = inputs
        self.environ = environ
        self.frozen_file = frozen_file
        self.on_change: OnChange = on_change
        self.changeable = changeable
        self.point = point

    @property
    def job(self) -> str | None:
        """What tells this start of a job of SLURM from every other, to all its ranks alike; None elsewhere."""
        number = self.environ.get("SLURM_JOB_ID")
        return f"{number}.{self.environ.get('SLURM_RESTART_COUNT') or 0}" if number else None

    def with_inputs(self, files: tuple[RawFile, ...], environ: Mapping[str, str]) -> Start:
        """The same start with other files and variables."""
        inputs = self.inputs
        inputs = Inputs(inputs.schema, files, environ, inputs.overrides, inputs.strict, inputs.variables)
        made = Start(inputs, self.environ, self.frozen_file, self.on_change, self.changeable, self.point)
        made.surroundings, made.has_run = self.surroundings, self.has_run
        return made

    @property
    def shared_file(self) -> str | None:
        """The file in which the ranks of one start find what `freeze` has found for all of them; None elsewhere."""
        if self.frozen_file is None or self.job is None:
            return None
        return os.path.join(os.path.dirname(self.frozen_file), self.inputs.schema.application.start_name)


def read_start(
    schema: Schema,
    path: str | os.PathLike[str] | None = None,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
    run_dir: str | os.PathLike[str] | None = None,
    on_change: OnChange | None = None,
    may_change: Iterable[str] | None = None,
    variables: Mapping[str, Variable] | None = None,
    surroundings: Surroundings | None = None,
    sweep: str | os.PathLike[str] | None = None,
    index: int | None = None,
    leaves_run: bool = False,
) -> Start:
    """Read what a start is given: files, variables, and the run, which variables name where no argument does.

    A point of a sweep has its own frozen file, and reads no other. `variables` tells where some variables are set, and
    `surroundings` which files there are, where that is not here. `leaves_run` leaves aside what variables say of a run.
    """
    application = schema.application
    texts = process_environment(schema) if environ is None else _ours(schema, environ)
    of_run = {name: texts.pop(name) for name in list(texts) if name.upper() in application.run_variables}
    named = _known_of_run(schema, of_run, variables) if variables else of_run
    surrounding = os.environ if environ is None else environ
    given = {"run_dir": run_dir, "on_change": on_change, "may_change": may_change, "sweep": sweep, "index": index}
    run = _read_run(schema, {} if leaves_run else named, surrounding, given, variables or {})
    frozen_file, _, _, point = run
    if point and path is not None:
        from .run_arguments import refuse_path

        refuse_path(point, is_argument=run_dir is not None or sweep is not None)
    has_run = frozen_file is not None or leaves_run or len(named) < len(of_run)
    if surroundings:
        run = _run_here(application, run, surroundings)
    if run[-1]:
        files: tuple[RawFile, ...] = ()
    elif surroundings and any(name.upper() == application.sweep_variable for name in of_run):
        files = (unknown_file(application.frozen_name),)
    else:
        files = _find_files(application, path, texts, variables, surroundings)
    start = Start(Inputs(schema, files, texts, overrides, strict, variables), surrounding, *run)
    start.has_run, start.surroundings = has_run, surroundings
    return start


def _run_here(application: Application, run: Run, surroundings: Surroundings) -> Run:
    """A run, or a point of a sweep, of a job elsewhere where this machine has it; none, where it is not here."""
    frozen_file, on_change, changeable, point = run
    if point is None:
        return frozen_file and surroundings.local_path(frozen_file), on_change, changeable, None
    sweep = surroundings.local_path(point.sweep)
    if sweep is None:
        return None, on_change, changeable, None
    point = point.moved_to(sweep)
    return os.path.join(point.run_dir, application.frozen_name), on_change, changeable, point


def _known_of_run(schema: Schema, environ: Mapping[str, str], variables: Mapping[str, Variable]) -> dict[str, str]:
    """The variables of a run without what only the job will know; none, where that is its directory."""
    later = {name for name in environ if name in variables and not variables[name].is_known}
    application = schema.application
    places = (application.run_variable, application.sweep_variable, application.index_variable)
    if any(name.upper() in places for name in later):
        return {}
    return {name: text for name, text in environ.items() if name not in later}


def _read_run(
    schema: Schema,
    environ: Mapping[str, str],
    surrounding: Mapping[str, str],
    given: dict[str, Any],
    variables: Mapping[str, Variable],
) -> Run:
    """The frozen file of the run, if there is one, how the start may change that, and which point of a sweep it is.

    `given` has the arguments, for which `environ` has variables of the run, and `surrounding` may have the index.
    """
    if given["index"] is not None:
        from .run_arguments import number_of

        given["index"] = number_of(given["index"])
    is_asked_for = given["on_change"] not in (None, "error") or bool(given["may_change"])
    for name in ("run_dir", "sweep"):
        if given[name] is not None:
            given[name] = _directory(schema.application, name, given[name])
    if environ:
        from .run_arguments import add_variables

        given = add_variables(schema, variables, environ, given)
    point, run_dir = None, given["run_dir"]
    if given["sweep"] is not None or given["index"] is not None or _is_in_sweep(schema.application, run_dir):
        from .run_arguments import find_point

        point = find_point(schema, given, surrounding, variables)
        run_dir = point.run_dir
    if run_dir is None:
        if is_asked_for:
            raise TypeError("on_change and may_change are for a run: they need run_dir")
        return None, "error", frozenset(), None
    frozen_file = os.path.join(run_dir, schema.application.frozen_name)
    on_change, may_change = given["on_change"], given["may_change"]
    if on_change in (None, "error") and not may_change:
        return frozen_file, "error", frozenset(), point
    from .run_arguments import changeable_paths, known_change

    return frozen_file, known_change(schema, on_change, point), changeable_paths(schema, may_change or ()), point


def _is_in_sweep(application: Application, run_dir: str | None) -> bool:
    """Whether the directory of a run is that of a point of a sweep."""
    if run_dir is None:
        return False
    above, name = os.path.split(run_dir.rstrip(os.sep))
    if not name.isdecimal() or not exists(os.path.join(above, application.sweep_name)):
        return False
    from .launcher import is_index

    return is_index(name) and name == f"{int(name):04d}"


def _directory(application: Application, name: str, path: str | os.PathLike[str]) -> str:
    """The directory that an argument names."""
    directory = path_text(path, name)
    if directory.strip() and not directory.startswith(("~", "$")) and not directory.endswith(".toml"):
        return directory
    from .run_arguments import directory_objection, refusal_of

    if message := directory_objection(application, name, directory):
        raise refusal_of(name, [(message, "")])
    return directory


def process_environment(schema: Schema) -> dict[str, str]:
    """The variables of this process that are a schema's, read as UTF-8 whatever the locale."""
    names = {name.decode("utf-8", "surrogateescape"): name for name in os.environb}
    found = {name: os.environb.get(key) for name, key in _ours(schema, names).items()}  # one may be unset since
    return {name: text.decode("utf-8", "surrogateescape") for name, text in found.items() if text is not None}


def _ours(schema: Schema, environ: Mapping[str, Text]) -> dict[str, Text]:
    """The variables with the prefix, and those that would be right but for a letter in one half of it."""
    prefix, length = schema.application.prefix, len(schema.application.prefix)
    first, second = prefix[: length // 2], prefix[length // 2 + 1 :]
    names = environ if type(environ) is dict else as_it_is(environ)
    return {
        name: text
        for name, text in names.items()
        if (upper := name.upper()).startswith(prefix)
        or ((upper.startswith(first) or second in upper[: length + 1]) and _is_nearly_ours(schema, name))
    }


def as_it_is(environ: Mapping[str, Text]) -> dict[str, Text]:
    """A copy, made while other threads may unset any of the variables."""
    return {name: text for name in list(environ) if (text := environ.get(name)) is not None}


def _is_nearly_ours(schema: Schema, name: str) -> bool:
    from .names import meant_variable

    return meant_variable(schema, name) is not None


def _find_files(
    application: Application,
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    variables: Mapping[str, Variable] | None,
    surroundings: Surroundings | None,
) -> tuple[RawFile, ...]:
    """Read the file that is named, else the one in the working directory, if it is there, and what that extends.

    A variable that names a file by an empty text, or twice, does not count: it is a problem of its own.
    """
    named = [(name, text) for name, text in environ.items() if name.upper() == application.file_variable]
    read = surroundings.read if surroundings else read_raw_file
    if path is not None:
        text = path_text(path, "path", "; settings go into overrides")
        file: RawFile | None = read(text, PATH_ARGUMENT, application.file_name)
    elif variables and len(named) == 1 and named[0][0] in variables and not variables[named[0][0]].is_known:
        file = unknown_file(named[0][1], named[0][0])
    elif len(named) == 1 and isinstance(named[0][1], str) and named[0][1].strip():
        file = read(named[0][1], named[0][0], application.file_name)
    else:
        file = (surroundings.read_if_there if surroundings else read_if_there)(application.file_name)
    if file is None or not file.may_extend:
        return (file,) if file else ()
    from .extends import extended_files

    return extended_files(file, lambda name: read(name, inside=application.file_name), MAX_BYTES)


def unknown_file(name: str, named_by: str = "") -> RawFile:
    """A file that only the job will know."""
    file = RawFile(name, named_by)
    file.is_known = False
    return file


def is_directory(name: str) -> bool:
    """Whether a path leads to a directory, in any locale; False also for what can be no path."""
    try:
        return os.path.isdir(encode_path(name))
    except ValueError:
        return False


def exists(name: str) -> bool:
    """Whether there is anything of that name, a link to nothing too, in any locale; False for what can be no path."""
    try:
        return os.path.lexists(encode_path(name))
    except ValueError:
        return False


def read_if_there(name: str) -> RawFile | None:
    """Read a file that need not exist; a symbolic link to nothing does exist."""
    file = read_raw_file(name)
    if not isinstance(file.error, FileNotFoundError):
        return file
    # Something is there all the same: a dangling link, or a file that another process has made just now.
    return read_raw_file(name) if os.path.lexists(encode_path(name)) else None


def read_raw_file(name: str, named_by: str = "", inside: str = "") -> RawFile:
    """Read a file through one descriptor, without ever waiting for it; once more if a file server says ESTALE.

    `inside` is the file that a directory stands for. `os.devnull` is a file that holds nothing: so one says that none
    is meant.
    """
    if name == os.devnull:
        return RawFile(name, named_by)
    try:
        content, place = _again_if_stale(lambda: _read_bytes(name))
    except (OSError, ValueError) as error:
        if inside and is_directory(name):
            return read_raw_file(os.path.join(name, inside), named_by)
        return RawFile(name, named_by, error=error)
    return RawFile(name, named_by, content, place=place)


def read_part(name: str, size: int, offset: int = 0) -> bytes:
    """At most so many bytes of a regular file, from an offset on; ValueError with the reason for any other."""
    return _again_if_stale(lambda: _read_part(name, size, offset))


def _again_if_stale(read: Callable[[], Content]) -> Content:
    """Read a file, and once more if a file server says that it was replaced meanwhile."""
    try:
        return read()
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
    return read()


def _read_part(name: str, size: int, offset: int) -> bytes:
    descriptor, _ = _open_regular(name)
    try:
        content = os.pread(descriptor, size, offset)
        while len(content) < size and (block := os.pread(descriptor, size - len(content), offset + len(content))):
            content += block
    finally:
        os.close(descriptor)
    return content


def _open_regular(name: str) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file, and its status; ValueError with the reason for any other."""
    # Before it is opened, because opening a device can act on it; after, because it may have been replaced.
    path = encode_path(name)
    _require_regular(os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        _require_regular(status)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, status


def _read_bytes(name: str) -> tuple[bytes, tuple[int, int]]:
    """The content of a regular file that is not too large, and its device and inode; ValueError for any other."""
    descriptor, status = _open_regular(name)
    try:
        if status.st_size > MAX_BYTES:
            raise ValueError(_TOO_LARGE)
        content = os.read(descriptor, status.st_size + 1)
        while len(content) != status.st_size and len(content) <= MAX_BYTES and (block := os.read(descriptor, _BLOCK)):
            content += block
    finally:
        os.close(descriptor)
    if len(content) > MAX_BYTES:
        raise ValueError(_TOO_LARGE)
    return content, (status.st_dev, status.st_ino)


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
    """What may explain that a file is not found: one that is there, the working directory of a path, or a `~`."""
    from .spelling import meant_files

    if name.startswith(("~", "$")):
        return f"{name[0]} is not expanded here"
    if meant := meant_files(name):
        return f"did you mean {' or '.join(meant[:2])}?"
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


def is_frozen(application: Application, name: str, text: str) -> bool:
    """Whether a configuration file is meant to be a frozen one, by its name, its first line, or its checksum."""
    if "frozen" not in text and "frozen" not in name:
        return False  # as nearly all files
    if text.removeprefix("\ufeff").startswith(application.frozen_line) or is_named_frozen(application, name):
        return True
    _, header, rest = text.rpartition("\n[frozen.checksum]")
    # It is the last line: a text in quotes that holds such lines ends behind them.
    return bool(header) and rest.strip().startswith("sha256 = ") and "\n" not in rest.strip()


def is_named_frozen(application: Application, name: str) -> bool:
    """Whether the name of a file is that of a frozen one, or of one that was kept when it was replaced."""
    return os.path.basename(name).startswith(application.frozen_name.removesuffix("toml"))


def path_text(path: object, name: str, hint: str = "") -> str:
    """A path argument as text; TypeError that names the argument when it is neither text nor `os.PathLike`."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{name} must be a str or os.PathLike, not {type(path).__name__}{hint}")
    return text


def as_utf8(path: Any) -> Any:
    """A path as UTF-8 whatever the locale, as variables and files are read; anything else as it is."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    try:
        return os.fsencode(text).decode("utf-8", "surrogateescape") if isinstance(text, str) else text
    except UnicodeEncodeError:  # no path of this locale
        return text
