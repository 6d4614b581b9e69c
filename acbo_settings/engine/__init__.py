"""The engine: from what a start is given to a frozen configuration, for any schema.

Law 1: it knows nothing of the program that it configures. The prefix of the variables, the name of the file, the rules
and the settings come in with the schema. Law 2: `runs` imports from `loading`, and both from the rooms beside them;
never the other way round. Law 3: data goes one way, inputs → layers → resolved → frozen, and what a value is, is judged
once.

Here stands what every room builds on: records that are pickled by the names of their fields, and public names.
"""

from __future__ import annotations

from dataclasses import fields
from functools import wraps
from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, NoReturn, Self, TypeVar

    Member = TypeVar("Member")

_HOMES: dict[object, str] = {}
_set = object.__setattr__


def public(member: Member) -> Member:
    """Let a class or function wear the package's name, so that tracebacks and pickles do not tell of its room."""
    _HOMES[member] = member.__module__
    member.__module__ = __name__.rpartition(".")[0]
    return member


def home_of(member: object) -> str:
    """The module that a public class or function is written in."""
    return _HOMES.get(member, member.__module__)


def entrance(function: Member) -> Member:
    """Let a traceback of what a job calls end where a report leaves the package: how it was made helps nobody."""
    called: Any = function

    def call(*args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        __tracebackhide__ = True  # which pytest and IPython look for
        try:
            return called(*args, **kwargs)
        except ValueError as error:
            if not hasattr(error, "report"):
                raise
            raise error.with_traceback(None) from None

    # A traceback shows the name that the code has.
    call.__code__ = call.__code__.replace(co_name=called.__name__, co_qualname=called.__qualname__)
    entered: Any = wraps(called)(call)
    return entered  # type: ignore[no-any-return]


class PickledByName:
    """What is pickled and copied by the names of its fields: later versions may add some, and order them anew."""

    __slots__ = ()

    @classmethod
    def _field_names(cls) -> list[str]:
        """The fields, those of a base first."""
        slots: list[Iterable[str]] = [each.__dict__.get("__slots__", ()) for each in reversed(cls.__mro__)]
        return [name for names in slots for name in names]

    @classmethod
    def _from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Make a record of its fields; TypeError for one that this version does not have."""
        return cls(**_unwrapped(fields))

    def __reduce__(self) -> tuple[Any, ...]:
        fields = {}
        for name in self._field_names():
            pickled = getattr(getattr(type(self), name, None), "pickled", None)  # of a descriptor that has its own form
            fields[name] = pickled(self) if pickled else _by_name(getattr(self, name))
        return self._from_fields, (fields,)


@public
class Part:
    """A table of a class of one's own on its way into a pickle or a copy: by the names of its fields as well."""

    __slots__ = ("record",)

    def __init__(self, record: Any) -> None:
        self.record = record

    @classmethod
    def made(cls, owner: Any, fields: Mapping[str, Any]) -> Any:
        """The table itself, out of a pickle."""
        return owner(**_unwrapped(fields))

    def __reduce__(self) -> tuple[Any, ...]:
        values = {field.name: _by_name(getattr(self.record, field.name)) for field in fields(self.record)}
        return self.made, (type(self.record), values)


def _unwrapped(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields, where a copy holds its tables as they were on their way."""
    return {name: value.record if type(value) is Part else value for name, value in fields.items()}


def _by_name(value: Any) -> Any:
    """What stands in a pickle for the value of a field."""
    if type(value) is MappingProxyType:
        return dict(value)
    is_part = hasattr(type(value), "__dataclass_fields__") and not isinstance(value, PickledByName)
    return Part(value) if is_part else value


class Displayed:
    """What IPython, Jupyter and rich show as `print` does, by the text that `str` makes of it."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A dataclass has a `__repr__` in the class itself, which IPython takes before what a base has for IPython.
        if "_repr_pretty_" not in vars(cls):
            cls._repr_pretty_ = cls._repr_pretty_  # type: ignore[method-assign]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show it in IPython; inside of a list or a dict on one line."""
        is_inside = len(printer.stack) > 1
        printer.text(repr(self) if cycle or is_inside else str(self))

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """Show it with rich, which would take `[grpo]` for a style."""
        yield console.render_str(str(self), markup=False, emoji=False, highlight=False)


class Record(PickledByName):
    """An immutable record with the fields that its `__slots__` name: much quicker to define than a dataclass.

    A dataclass that is made of it needs neither `eq` nor `repr` of its own.
    """

    __slots__ = ()

    def _fill(self, *values: object) -> None:
        """Set the fields of a new record, in the order of `__slots__`."""
        slots: tuple[str, ...] = self.__slots__
        for name, value in zip(slots, values, strict=True):
            _set(self, name, value)

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self._field_names())

    def __iter__(self) -> Iterator[Any]:
        """The values of the fields, so that a record can be unpacked as a tuple can."""
        return iter(self._values())

    def replace(self, **changes: object) -> Self:
        """A copy in which some fields have other values."""
        return self._from_fields({name: getattr(self, name) for name in self._field_names()} | changes)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed: {name}")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        names: list[str] = self._field_names()
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({shown})"
