"""Where a value came from: the default, a file, a variable, an argument. Each kind spells keys in its own language."""

from __future__ import annotations

from typing import Any

from . import Record, public
from .canonical import KeyPath
from .credentials import HIDDEN, hide, hide_statement, is_inside_secret, is_secret
from .names import EXTENDS, did_you_mean, variable_name
from .printable import show_value, show_variable
from .schema import Schema
from .toml_document import Document, Place, Position

_set = object.__setattr__


class Origin(Record):
    """Where a value came from. Each kind spells keys and places in its own language."""

    __slots__ = ()

    kind = ""
    """What machines call it: `default`, `file`, `variable` or `argument`."""

    quotes_text = True
    """Whether text stands in quotes there."""

    @property
    def source_name(self) -> str:
        """What the whole source is called: the file, the variable or the argument."""
        return str(self)

    @property
    def mark(self) -> str:
        """What tells it from most others, without much work."""
        return self.source_name

    @property
    def common_place(self) -> str:
        """Its place, without what tells one of several configurations that are judged together from another."""
        return str(self)

    @property
    def position(self) -> Position | None:
        """Line and columns, counted from 1, where the origin is a place in a file."""
        return None

    def line(self) -> str:
        """The line of the file at the position."""
        return ""

    def spell(self, schema: Schema, path: KeyPath) -> str:
        """A key as it is written there."""
        return ".".join(path)

    def place(self, value: object, at_key: bool) -> str:
        """The place of a problem with a value, or with its key."""
        return str(self)

    def way_out_of_metadata(self, schema: Schema, path: KeyPath) -> str:
        """How to give a setting that stands below the metadata there; empty for what is no setting."""
        return "put it at the top level, above the first table" if path in schema.defaults else ""

    def place_for_notes(self, schema: Schema, path: KeyPath) -> str:
        """Where a note of the user's own belongs there, if it should have the name of a key."""
        return "under [metadata]"

    def notes(self) -> list[str]:
        """What there is to tell of the source below a report."""
        return []

    @property
    def short(self) -> str:
        """The origin where the source is named already."""
        return str(self)

    def without_secrets(self, path: KeyPath) -> Origin:
        """The same origin of the value at a path, with no secret in it."""
        return self

    def facts(self, at_key: bool) -> dict[str, Any]:
        """The same for machines."""
        return {"kind": self.kind, "name": self.source_name}


@public
class Default(Origin):
    """The value is the schema's default.

    >>> str(Default())
    'the default'
    """

    __slots__ = ()
    kind = "default"

    def __str__(self) -> str:
        return "the default"

    def facts(self, at_key: bool) -> dict[str, Any]:
        """The kind: there is no more to tell."""
        return {"kind": self.kind}


@public
class File(Origin):
    """The value stands in a file; `position` says where, and is worked out when it is asked for.

    Args:
        source: The file: its `name` as the user wrote it, and its `text`.
        path: The key path inside the file; empty for the file as a whole.
        exact: The position, where it is known without the key path, as for a syntax error.

    >>> from acbo_settings import resolve_training_config
    >>> with open("long.toml", "w") as file:
    ...     _ = file.write("total_steps = 7000")
    >>> origin = resolve_training_config("long.toml", environ={}).values["total_steps",].origin
    >>> str(origin), origin.position.line, origin.source.text
    ('long.toml:1', 1, 'total_steps = 7000')
    """

    __slots__ = ("source", "path", "exact")
    __match_args__ = ("source", "path", "exact")
    kind = "file"
    source: Document
    path: KeyPath
    exact: Position | None

    def __init__(self, source: Document, path: KeyPath = (), exact: Position | None = None) -> None:
        _set(self, "source", source)
        _set(self, "path", path)
        _set(self, "exact", exact)

    def __str__(self) -> str:
        if self.exact:
            return f"{self.source.name}:{self.exact.line}:{self.exact.key_column}"
        return f"{self.source.name}:{self.source.position(self.path).line}" if self.path else self.source.name

    @property
    def source_name(self) -> str:
        """The path of the file as the user wrote it."""
        return self.source.name

    @property
    def position(self) -> Position | None:
        """Line and columns, counted from 1, or None for the file as a whole."""
        return self.source.position(self.path) if self.path else self.exact

    def line(self) -> str:
        """The line of the file at the position, with secrets hidden."""
        if self.position is None:
            return ""
        line = self.source.line(self.position.line)
        if self.exact is None:
            is_value = is_secret(self.path[-1]) and self.position.value_column > self.position.key_column
            return f"{line[: self.position.value_column - 1]}{HIDDEN}" if is_value else hide(line)
        return HIDDEN if is_inside_secret(self.source.text_above(self.position)) else hide_statement(line)

    @property
    def short(self) -> str:
        """The line."""
        return f"line {self.position.line}" if self.position else str(self)

    def notes(self) -> list[str]:
        """Which files extend this one, from the next one to the one that was named."""
        told, file = [], self.source
        while file.extended_by:
            line = file.extended_by.position((EXTENDS,)).line
            told.append(f"{file.name} is extended by {file.extended_by.name}:{line}")
            file = file.extended_by
        return told

    def facts(self, at_key: bool) -> dict[str, Any]:
        """With the line, and the column of the key or of the value."""
        found = self.position
        column = found and (found.key_column if at_key else found.value_column)
        return super().facts(at_key) | {"line": found and found.line, "column": column}


@public
class FrozenFile(File):
    """The value stands in the frozen file of a run, which tells where it had come from.

    Args:
        source: The frozen file.
        path: The key path inside it.
        first: Where the value had come from when the run was frozen, as text.

    >>> str(FrozenFile(Document("runs/17/lab.frozen.toml", "watts = 40"), ("watts",), "LAB_WATTS"))
    'LAB_WATTS, as frozen'
    """

    __slots__ = ("first",)
    __match_args__ = ("source", "path", "first")
    first: str

    def __init__(self, source: Document, path: KeyPath, first: str, exact: Position | None = None) -> None:
        super().__init__(source, path, exact)
        _set(self, "first", first)

    def __str__(self) -> str:
        return f"{self.first}, as frozen"

    def place(self, value: object, at_key: bool) -> str:
        """The line of the frozen file."""
        return super().__str__()

    @property
    def short(self) -> str:
        """Where the value had come from."""
        return self.first

    def facts(self, at_key: bool) -> dict[str, Any]:
        """With where the value had come from."""
        return super().facts(at_key) | {"frozen_from": self.first}


@public
class Variable(Origin):
    """The value was set by an environment variable.

    Args:
        name: The variable's name as it is spelled in the environment.
        text: What it is set to.

    >>> str(Variable("LAB_STEPS", "7"))
    'LAB_STEPS'
    """

    __slots__ = ("name", "text")
    __match_args__ = ("name", "text")
    kind = "variable"
    quotes_text = False
    is_known = True
    name: str
    text: str

    def __init__(self, name: str, text: str) -> None:
        _set(self, "name", name)
        _set(self, "text", text)

    def __str__(self) -> str:
        return self.name

    def spell(self, schema: Schema, path: KeyPath) -> str:
        """The variable of a key."""
        return variable_name(schema, path)

    def place(self, value: object, at_key: bool) -> str:
        """The variable as one would set it in a shell."""
        return show_variable(self.name, self.text)

    def way_out_of_metadata(self, schema: Schema, path: KeyPath) -> str:
        """The variable that gives a setting."""
        return did_you_mean(self.spell(schema, path))

    def place_for_notes(self, schema: Schema, path: KeyPath) -> str:
        """The variable that adds one."""
        return f"in {self.spell(schema, ('metadata', *path))}"

    def without_secrets(self, path: KeyPath) -> Variable:
        """The variable with another text, if it holds a secret."""
        if not isinstance(self.text, str):
            return self
        is_all = is_secret(self.name) or any(map(is_secret, path[-1:]))
        return Variable(self.name, HIDDEN if is_all else hide(self.text))


class JobVariable(Variable):
    """The value was set by a variable in the file of a job, at a place, if it has lines; it may not be known yet.

    >>> from acbo_settings.engine.toml_document import Document, Position
    >>> script = Document("job.sbatch", "export LAB_STEPS=7")
    >>> str(JobVariable("LAB_STEPS", "7", script, Position(1, 8, 18)))
    'job.sbatch:1'
    """

    __slots__ = ("source", "exact", "is_known")
    __match_args__ = ("name", "text", "source", "exact", "is_known")
    source: Document
    exact: Position | None
    is_known: bool

    def __init__(self, name: str, text: str, source: Document, exact: Position | None, is_known: bool = True) -> None:
        super().__init__(name, text)
        _set(self, "source", source)
        _set(self, "exact", exact)
        _set(self, "is_known", is_known)

    def __str__(self) -> str:
        return f"{self.source.name}:{self.exact.line}" if self.exact else self.source.name

    @property
    def source_name(self) -> str:
        """The name of the variable."""
        return self.name

    @property
    def mark(self) -> str:
        """The line of the file."""
        return str(self)

    @property
    def position(self) -> Position | None:
        """Line and columns, counted from 1, or None where there are no lines."""
        return self.exact

    def line(self) -> str:
        """The line of the file, with secrets hidden."""
        if self.exact is None:
            return ""
        line = self.source.line(self.exact.line)
        return f"{line[: self.exact.value_column - 1]}{HIDDEN}" if is_secret(self.name) else hide(line)

    def place(self, value: object, at_key: bool) -> str:
        """The line of the file."""
        if self.exact is None:
            return f"{self}: {super().place(value, at_key)}"
        is_shown = at_key or not self.is_known or self.text in self.source.line(self.exact.line)
        return str(self) if is_shown or is_secret(self.name) else f"{self}, given {show_value(hide(self.text))}"

    def without_secrets(self, path: KeyPath) -> JobVariable:
        """The variable with another text, if it holds a secret."""
        text = super().without_secrets(path).text
        return self if text == self.text else self.replace(text=text)

    def facts(self, at_key: bool) -> dict[str, Any]:
        """With the file, the line, and the column of the name or of the text."""
        found = self.exact
        column = found and (found.key_column if at_key else found.value_column)
        return super().facts(at_key) | {"file": self.source.name, "line": found and found.line, "column": column}


class JobLine(File):
    """A line of the file of a job that says how it is started, or in which directory."""

    __slots__ = ()

    def line(self) -> str:
        """The line, with secrets hidden."""
        return hide(self.source.line(self.exact.line)) if self.exact else ""

    def __str__(self) -> str:
        return f"{self.source.name}:{self.exact.line}" if self.exact else self.source.name


@public
class SweepItem(File):
    """The value is one of those that the file of a sweep has for a setting, given to one point of the sweep.

    Args:
        source: The file of the sweep.
        path: The key path inside it, such as `("grid", "total_steps")`.
        item: The same with the number of the item in its array behind it, or inside it.
        point: The number of the point, or None where it is that of no certain one.

    >>> text = "[grid]\\ntotal_steps = [5000, 7000]"
    >>> path = ("grid", "total_steps")
    >>> str(SweepItem(Document("sweep.toml", text), path, (*path, 1), point=7))
    'sweep.toml:2, point 7'
    """

    __slots__ = ("item", "point")
    __match_args__ = ("source", "path", "item", "point")
    item: Place
    point: int | None

    def __init__(
        self, source: Document, path: KeyPath, item: Place, point: int | None = None, exact: Position | None = None
    ) -> None:
        super().__init__(source, path, exact)
        _set(self, "item", item)
        _set(self, "point", point)

    def __str__(self) -> str:
        point = "" if self.point is None else f", point {self.point}"
        return f"{self.source.name}:{self.source.position(self.item).line}{point}"

    @property
    def common_place(self) -> str:
        """The place of the item, which is the same for all points that it is given to."""
        found = self.source.position(self.item)
        return f"{self.source.name}:{found.line}:{found.value_column}"

    @property
    def position(self) -> Position:
        """Line of the item, column of the key if it stands in that line, and column of the item, counted from 1."""
        key, item = self.source.position(self.path), self.source.position(self.item)
        return Position(item.line, key.key_column, item.value_column) if key.line == item.line else item

    def line(self) -> str:
        """The line of the file, of which nothing is shown where a secret may stand."""
        return HIDDEN if is_secret(self.path[-1]) else hide(self.source.line(self.position.line))

    @property
    def short(self) -> str:
        """The line, and the point."""
        return str(self).removeprefix(f"{self.source.name}:")

    def way_out_of_metadata(self, schema: Schema, path: KeyPath) -> str:
        """The key alone."""
        return f"write {'.'.join(path)}" if path in schema.defaults else ""

    def place_for_notes(self, schema: Schema, path: KeyPath) -> str:
        """The key that adds one."""
        return f"in {'.'.join(('metadata', *path))}"

    def at(self, point: int) -> SweepItem:
        """The same value as that of a point."""
        return SweepItem(self.source, self.path, self.item, point)

    def facts(self, at_key: bool) -> dict[str, Any]:
        """With the point."""
        return super().facts(at_key) | {"point": self.point}


@public
class Argument(Origin):
    """The value was passed in a call.

    Args:
        name: What the caller passed: `overrides`, `config_dict`, `keyword arguments` or `config`.

    >>> str(Argument("overrides"))
    'overrides'
    """

    __slots__ = ("name",)
    __match_args__ = ("name",)
    kind = "argument"
    name: str

    def __init__(self, name: str) -> None:
        self._fill(name)

    def __str__(self) -> str:
        return self.name

    def place(self, value: object, at_key: bool) -> str:
        """The argument, and what it held."""
        return self.name if at_key else f"{self.name}, given {show_value(value)}"

    def way_out_of_metadata(self, schema: Schema, path: KeyPath) -> str:
        """Where it has an effect in a dict."""
        return "put it beside metadata, not into it"

    def place_for_notes(self, schema: Schema, path: KeyPath) -> str:
        """The key of the dict that takes them."""
        return 'under the key "metadata"'


_SET = "--set "


@public
class Assignment(Origin):
    """The value was given as a text `key=value`, on a command line or in a call.

    Args:
        text: The text as it was typed, with `--set ` in front of it where that was an option.

    >>> str(Assignment("--set lamp.watts=40"))
    '--set lamp.watts=40'
    """

    __slots__ = ("text",)
    __match_args__ = ("text",)
    kind = "assignment"
    quotes_text = False
    text: str

    def __init__(self, text: str) -> None:
        self._fill(text)

    def __str__(self) -> str:
        return self.text

    @property
    def key(self) -> str:
        """What stands in front of the equals sign."""
        end = self.text.find("=")  # what stands behind it can be long, and is not copied
        return self.text[: end if end >= 0 else None].removeprefix(_SET).strip()

    @property
    def value(self) -> str:
        """What stands behind it."""
        return self.text.partition("=")[2]

    @property
    def is_valid(self) -> bool:
        """Whether it has a key and an equals sign."""
        return "=" in self.text and bool(self.key) and not self.key.startswith("-")

    def spell(self, schema: Schema, path: KeyPath) -> str:
        """The key as it is typed there."""
        option = _SET if self.text.startswith(_SET) else ""
        return f"{option}{'.'.join(path)}"

    def place_for_notes(self, schema: Schema, path: KeyPath) -> str:
        """The key that adds one."""
        return f"in {self.spell(schema, ('metadata', *path))}"

    def way_out_of_metadata(self, schema: Schema, path: KeyPath) -> str:
        """The key that gives a setting."""
        return did_you_mean(self.spell(schema, path))

    def without_secrets(self, path: KeyPath) -> Assignment:
        """The same with another value, if that is or holds a secret; one without a key may be a secret alone."""
        if is_secret(self.key) or any(map(is_secret, path[-1:])):
            key, equals, _ = self.text.partition("=")
            return Assignment(f"{key}{equals}{HIDDEN}" if equals else key)
        return Assignment(hide(self.text))
