"""The settings in which two configurations differ, each with both values and their origins."""

from __future__ import annotations

from collections.abc import Mapping

from . import Record, public
from .canonical import KeyPath
from .values import Layer, SourcedValue


@public
class Difference(Record):
    """One setting that two configurations have different values for; `find_differences` makes it.

    Args:
        path: The key path of the setting.
        first: Value and origin on the first side.
        second: Value and origin on the second side.

    >>> from acbo_settings import find_differences, resolve_training_config
    >>> first, second = (resolve_training_config(overrides={"total_steps": n}, environ={}) for n in (5000, 7000))
    >>> find_differences(first.values, second.values)[0].second.value
    7000
    """

    __slots__ = ("path", "first", "second")
    __match_args__ = ("path", "first", "second")
    path: KeyPath
    first: SourcedValue
    second: SourcedValue

    def __init__(self, path: KeyPath, first: SourcedValue, second: SourcedValue) -> None:
        self._fill(path, first, second)


@public
class Differences(tuple[Difference, ...]):
    """The settings in which two configurations differ; `find_differences` makes it, and a notebook shows a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        """Show it in a notebook, where a cell's title tells the origin of its value."""
        from .html import differences_table

        return differences_table(self)


@public
def find_differences(first: Layer, second: Layer) -> Differences:
    """The settings that two configurations have different values for, in the order of the schema.

    Args:
        first: All settings of one side, such as `ResolvedConfig.values`.
        second: Those of the other.

    Returns:
        A tuple with one entry for each setting that differs; `1` and `1.0` are the same. A notebook shows a table.

    Raises:
        TypeError: When the sides are of two classes with different settings, or are no values at all.

    >>> from acbo_settings import resolve_training_config
    >>> values = resolve_training_config(environ={}).values
    >>> find_differences(values, values)
    ()
    """
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        raise TypeError(
            "find_differences() takes the values of two resolved configurations, such as"
            " resolve_training_config().values"
        )
    if first.keys() != second.keys():
        raise TypeError("the two sides have different settings: they are of different classes")
    pairs = [Difference(path, first[path], second[path]) for path in first]
    return Differences(pair for pair in pairs if pair.first.value != pair.second.value)
