"""What values a setting may have, as its annotation says: scalars, choices, paths, tuples, and None for "not set"."""

from __future__ import annotations

import types
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from . import Record
from .declarations import Was

SCALARS = (bool, int, float, str)
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_NUMBER_BOUNDS = (*SIGNS, "multiple_of")
_LENGTH_BOUNDS = ("min_length", "max_length")
_WRITTEN = {"ge": "Ge", "gt": "Gt", "le": "Le", "lt": "Lt", "multiple_of": "MultipleOf"}
_WRITTEN |= {"min_length": "MinLen", "max_length": "MaxLen"}
_BOUNDS_OF = {int: _NUMBER_BOUNDS, float: _NUMBER_BOUNDS, str: _LENGTH_BOUNDS, tuple: _LENGTH_BOUNDS}
_LARGEST_EXACT = 2**53  # a float has all integers up to here
_ALLOWED = (
    "bool, int, float, str, Path, Literal of texts or of integers, tuple[X, ...], X | None,"
    " or a frozen dataclass of such"
)


class Kind(Record):
    """The kind of a setting's values; `kind_of` makes it.

    `type` is `bool`, `int`, `float`, `str`, `Path` or `tuple`; `choices` the only values allowed, where there are some;
    `bounds` each bound by its name in `annotated_types`; `items` the kind of what a tuple holds; `is_optional` whether
    None is allowed.
    """

    __slots__ = ("type", "choices", "bounds", "items", "is_optional")
    type: Any
    choices: tuple[Any, ...]
    bounds: tuple[tuple[str, Any], ...]
    items: Kind | None
    is_optional: bool

    def __init__(
        self,
        type: Any,  # noqa: A002
        choices: tuple[Any, ...] = (),
        bounds: tuple[tuple[str, Any], ...] = (),
        items: Kind | None = None,
        is_optional: bool = False,
    ) -> None:
        self._fill(type, choices, bounds, items, is_optional)

    def revived(self, value: Any) -> Any:
        """The value that TOML holds as this: an array as a tuple, a text as a path, an integer as the float that it is.

        None for one of another type.
        """
        if self.items and type(value) is list:
            made = [self.items.revived(item) for item in value]
            return None if None in made else tuple(made)
        if self.type is Path and type(value) is str:
            return Path(value)
        if self.type is float and type(value) is int and abs(value) <= _LARGEST_EXACT:
            return float(value)
        return value if type(value) is self.type else None

    @property
    def range(self) -> str:
        """The values allowed, as people write them."""
        from .printable import show_value

        if self.choices:
            return ", ".join(map(show_value, self.choices))
        words = {"min_length": "at least {} long", "max_length": "at most {} long", "multiple_of": "a multiple of {}"}
        bounds = [words.get(name, f"{SIGNS.get(name)} {{}}").format(bound) for name, bound in self.bounds]
        bounds += [f"each {self.items.range}"] if self.items and self.items.range else []
        return ", ".join(bounds) or ("true, false" if self.type is bool else "")

    @property
    def name(self) -> str:
        """What people call it."""
        if self.items:
            return f"list of {self.items.name}"
        return "path" if self.type is Path else str(self.type.__name__)

    @property
    def annotation(self) -> str:
        """How a class would write it."""
        written = "Path" if self.type is Path else str(self.type.__name__)
        if self.items:
            written = f"tuple[{self.items.annotation}, ...]"
        if self.choices:
            written = f"Literal[{', '.join(map(repr, self.choices))}]"
        if self.bounds:
            written = f"Annotated[{written}, {', '.join(f'{_WRITTEN[name]}({bound})' for name, bound in self.bounds)}]"
        return f"{written} | None" if self.is_optional else written


def kind_of(annotation: Any, place: str) -> Kind:
    """The kind that an annotation stands for; TypeError, which names the place of the field, for any other."""
    bounds = tuple(_bounds(annotation, place))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        kind = kind_of(arguments[0], place)
        for name, bound in ((name, bound) for name, bound in bounds if not _fits(kind.type, name, bound)):
            wanted = kind.name if name in _NUMBER_BOUNDS and kind.type in (int, float) else "int"
            raise TypeError(f"{place} has the bound {name}={bound}, which is no {wanted}")
        if bounds and kind.choices:
            raise TypeError(f"{place} has the bound {bounds[0][0]} besides a Literal: leave the values out of that")
        if wrong := [name for name, _ in bounds if name not in _BOUNDS_OF.get(kind.type, ())]:
            raise TypeError(f"{place} has the bound {wrong[0]}, which means nothing for {kind.name}")
        return kind.replace(bounds=(*kind.bounds, *bounds))
    if origin in (Union, types.UnionType):
        kinds = [each for each in arguments if each is not type(None)]
        if len(kinds) == 1 < len(arguments):
            return kind_of(kinds[0], place).replace(is_optional=True)
    if origin is Literal:
        choices = tuple(each for each in arguments if each is not None)
        types_of = {type(each) for each in choices}
        if types_of in ({str}, {int}):
            return Kind(types_of.pop(), choices, is_optional=None in arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        items = kind_of(arguments[0], place)
        if items.items is None and not items.is_optional:
            return Kind(tuple, items=items)
    if annotation in (*SCALARS, Path):
        return Kind(annotation)
    raise TypeError(f"{place} has the type {_shown(annotation)}, which no setting can have: use {_ALLOWED}")


def _fits(wanted: Any, name: str, bound: Any) -> bool:
    """Whether a bound can be compared with what it bounds."""
    is_float = wanted is float and name in _NUMBER_BOUNDS
    if is_float and type(bound) is int:
        return abs(bound) <= _LARGEST_EXACT
    return type(bound) is int or (is_float and type(bound) is float and isfinite(bound))


def _shown(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)


def _bounds(annotation: Any, place: str) -> Iterator[tuple[str, Any]]:
    """The bounds in an annotation, those of pydantic's `Field` too; TypeError for what is not understood."""
    waiting = list(get_args(annotation)[1:]) if get_origin(annotation) is Annotated else []
    while waiting:
        bound = waiting.pop(0)
        if isinstance(bound, str | Was):
            continue  # a comment, or an old name
        if type(bound).__name__ == "FieldInfo":
            waiting[:0] = bound.metadata
        elif hasattr(bound, "__iter__"):
            waiting[:0] = list(bound)
        elif known := [
            (name, getattr(bound, name))
            for name in (*_NUMBER_BOUNDS, *_LENGTH_BOUNDS)
            if getattr(bound, name, None) is not None
        ]:
            yield from known
        else:
            raise TypeError(f"{place} has the condition {bound!r}, which is not understood")
