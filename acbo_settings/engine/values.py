"""Where a value came from, a value together with that, and how layers of such values are merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from .canonical import KeyPath

if TYPE_CHECKING:
    from .document import Position


@dataclass(frozen=True)
class SourceFile:
    """A configuration file as it was read once: its name as the user gave it, and its text.

    Args:
        name: The path as the user wrote it.
        text: The whole content, without a byte-order mark, lines ended by a single line feed.

    >>> SourceFile("acbo.toml", "total_steps = 7").position(("total_steps",)).line
    1
    """

    name: str
    text: str = field(repr=False)

    @cached_property
    def _positions(self) -> dict[KeyPath, Position]:
        from .document import find_positions

        return find_positions(self.text)

    def position(self, path: KeyPath) -> Position:
        """Where a key stands, worked out for the whole file when it is first asked for.

        Args:
            path: The key path of a key or table of the file.

        Returns:
            Its line and columns, counted from 1. A key inside an array has those of the array.

        Raises:
            KeyError: When the file has nothing of that name.

        >>> SourceFile("acbo.toml", "[grpo]\\ngroup_size = 4").position(("grpo", "group_size")).line
        2
        """
        while len(path) > 1 and path not in self._positions:
            path = path[:-1]
        return self._positions[path]

    def line(self, number: int) -> str:
        """One line of the text, without its end.

        Args:
            number: Counted from 1.

        Returns:
            The line, or an empty text past the end.

        >>> SourceFile("acbo.toml", "[grpo]\\ngroup_size = 4").line(1)
        '[grpo]'
        """
        lines = self.text.split("\n")
        return lines[number - 1] if number <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class Default:
    """The value is the schema's default.

    >>> str(Default())
    'the default'
    """

    def __str__(self) -> str:
        return "the default"


class File(NamedTuple):
    """The value stands in a file; `position` says where, and is worked out when it is asked for.

    Args:
        source: The file.
        path: The key path inside the file; empty for the file as a whole.
        exact: The position, where it is known without the key path, as for a syntax error.

    >>> str(File(SourceFile("acbo.toml", "total_steps = 7"), ("total_steps",)))
    'acbo.toml:1'
    """

    source: SourceFile
    path: KeyPath = ()
    exact: Position | None = None

    @property
    def position(self) -> Position | None:
        """Line and columns, counted from 1, or None for the file as a whole."""
        return self.source.position(self.path) if self.path else self.exact

    def __str__(self) -> str:
        if self.exact:
            return f"{self.source.name}:{self.exact.line}:{self.exact.key_column}"
        return f"{self.source.name}:{self.source.position(self.path).line}" if self.path else self.source.name


class Variable(NamedTuple):
    """The value was set by an environment variable.

    Args:
        name: The variable's name as it is spelled in the environment.
        text: What it is set to.

    >>> str(Variable("ACBO_TOTAL_STEPS", "7"))
    'ACBO_TOTAL_STEPS'
    """

    name: str
    text: str

    def __str__(self) -> str:
        return self.name


class Argument(NamedTuple):
    """The value was passed in a call.

    Args:
        name: What the caller passed: `overrides`, `config_dict`, `keyword arguments` or `config`.

    >>> str(Argument("overrides"))
    'overrides'
    """

    name: str

    def __str__(self) -> str:
        return self.name


Origin = Default | File | Variable | Argument


class SourcedValue(NamedTuple):
    """A value, where it came from, and the value of a lower layer that it shadows.

    Args:
        value: The value as the layer gave it.
        origin: The layer's place: default, file, variable or argument.
        over: What would be in force without it, or None.

    >>> sourced = SourcedValue(128, Variable("ACBO_GRPO__GROUP_SIZE", "128"), over=SourcedValue(64, Default()))
    >>> [value.value for value in sourced.shadowed]
    [64]
    """

    value: Any
    origin: Origin
    over: SourcedValue | None = None

    @property
    def is_default(self) -> bool:
        """Whether nobody set the value."""
        return isinstance(self.origin, Default)

    @property
    def shadowed(self) -> tuple[SourcedValue, ...]:
        """The values that this one shadows, the nearest layer first, the default last."""
        return () if self.over is None else (self.over, *self.over.shadowed)


Layer = Mapping[KeyPath, SourcedValue]
"""The settings of one source by key path."""


def merge(layers: Iterable[Layer]) -> dict[KeyPath, SourcedValue]:
    """Lay layers over one another, key by key; a later one wins and keeps what it shadows.

    Args:
        layers: Lowest first.

    Returns:
        For each key path that any layer sets, the value in force.

    >>> low, high = {("a",): SourcedValue(1, Default())}, {("a",): SourcedValue(2, Argument("overrides"))}
    >>> merge([low, high])["a",].over.value
    1
    """
    merged: dict[KeyPath, SourcedValue] = {}
    for layer in layers:
        for path, sourced in layer.items():
            below = merged.get(path)
            merged[path] = SourcedValue(sourced.value, sourced.origin, below) if below else sourced
    return merged
