"""A configuration with the origin of each of its values: layers → judged → built, or all that is wrong."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic

from .. import Displayed, Record, public
from ..canonical import KeyPath, nested
from ..names import did_you_mean, find_path, meant_by
from ..printable import LATER
from ..problems import ConfigurationWarning, Problem
from ..values import SourcedValue

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from ..inputs import Start
    from .layers import Layers

    Config = TypeVar("Config", default=Any)
else:
    from typing import TypeVar

    Config = TypeVar("Config")


@public
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ResolvedConfig(Displayed, Record, Generic[Config]):
    """A configuration, with the origin of each of its values; `resolve_training_config` makes it.

    `print(resolved)` shows what differs from the defaults, with origins, as the command `show --changed` does, and of
    the metadata the keys. `resolved["grpo.group_size"]` is one value with its origin.

    Attributes:
        config: The validated configuration.
        values: Each setting by key path, such as `("grpo", "group_size")`: the value as its layer gave it, its origin,
            and what it shadows. It cannot be changed, as `custom` cannot.
        custom: The same for each custom key of the metadata, those inside tables each by its own, by paths such as
            `("metadata", "wandb", "group")`.
        file: The file that was read, as it was named, or None.
        advice: What `resolve_training_config` warned about.
        extended: The files that it extends, lowest first.

    >>> from acbo_settings import resolve_training_config
    >>> resolved = resolve_training_config(overrides={"grpo": {"group_size": 128}}, environ={})
    >>> resolved.explain("grpo.group_size")
    '128, from overrides, over the default 64'
    >>> resolved["grpo.group_size"].origin
    Argument(name='overrides')
    >>> print(resolved)
    [grpo]
    group_size = 128  # from overrides, over the default 64
    """

    config: Config
    values: Mapping[KeyPath, SourcedValue]
    custom: Mapping[KeyPath, SourcedValue]
    file: str | None = None
    advice: tuple[Problem, ...] = ()
    extended: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("values", "custom"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __getitem__(self, key: str | KeyPath) -> SourcedValue:
        """One value by any name that `explain` takes; KeyError when there is no such setting, or it is a section."""
        found = self._find(key)
        if len(found) == 1 and () in found:
            return found[()]
        raise KeyError(f"{key} has several settings: {', '.join(map('.'.join, found))}")

    def explain(self, key: str | KeyPath) -> str:
        """Say where a value came from and what it shadows.

        Args:
            key: A setting or custom key, such as `"grpo.group_size"`, `("grpo", "group_size")`, `"metadata.note"`, or
                its variable; or a section, or a table in the metadata, such as `"grpo"`.

        Returns:
            One line; for a section or a table one for each of its keys.

        Raises:
            KeyError: When there is no such setting.

        >>> from acbo_settings import resolve_training_config
        >>> resolved = resolve_training_config(environ={})
        >>> resolved.explain("total_steps")
        '5000, the default'
        >>> print(resolved.explain("rewards").splitlines()[0])
        optimization_weight: 1.0, the default
        """
        from ..printable import dotted
        from ..report import explain_value

        found = self._find(key)
        return "\n".join(f"{f'{dotted(path)}: ' if path else ''}{explain_value(each)}" for path, each in found.items())

    def _find(self, key: str | KeyPath) -> dict[KeyPath, SourcedValue]:
        """What a name stands for: one value below `()`, or those of a table, by their paths inside it."""
        from ..printable import dotted
        from ..schema import Schema

        schema = Schema.of(type(self.config))
        path = tuple(key.split(".")) if isinstance(key, str) else tuple(map(str, key))
        found = (find_path(schema, key if isinstance(key, str) else path) if path else None) or path
        found = schema.current(found)
        values = {**self.values, **self.custom}
        if inside := {each[len(found) :]: values[each] for each in values if found and each[: len(found)] == found}:
            return inside
        meant = meant_by(schema, path) if path else None
        hint = f"; {did_you_mean(meant)}" if meant in self.values else ""
        raise KeyError(f"no such setting: {dotted(path)}{hint}")

    def __str__(self) -> str:
        from ..listing import resolved_block

        return resolved_block(self)

    def _repr_html_(self) -> str:
        """Show the same in a notebook, where a cell's title tells the origin of its value."""
        from ..html import resolved_table

        return resolved_table(self)


def judge(layers: Layers) -> ResolvedConfig[Any]:
    """Judge merged layers and build the configuration; ConfigurationError with everything that is wrong.

    What is advised stands in the result, and `warn` tells it.
    """
    resolved, problems = examine(layers)
    if problems:
        from ..report import refusal

        raise refusal(problems)
    return resolved


def examine(layers: Layers) -> tuple[ResolvedConfig[Any], list[Problem]]:
    """The configuration that merged layers make, and everything that is wrong with it: it has defaults there."""
    from .validation import find_broken, find_missing, validate_values

    schema, values = layers.schema, layers.values
    if schema.root is not schema.reference:
        from .objections import require_usable

        require_usable(schema)
    given = {path: sourced for path, sourced in values.items() if not sourced.is_default}
    later = [path for path, sourced in given.items() if sourced.value is LATER]
    for path in later:
        del given[path]
    valid, invalid = validate_values(schema, given)
    advice = [problem for problem in layers.problems if problem.severity == "advice"]
    problems = [problem for problem in layers.problems if problem.severity == "error"] + invalid
    config = schema.build(valid, nested(valid) | dict(layers.metadata))
    *extended, file = layers.files or (None,)
    missing = find_missing(schema, values, file)
    problems += missing if layers.complete else []  # else it may stand in the source that cannot be read
    unknown = [*later, *(problem.path for problem in (*problems, *missing))]
    problems += find_broken(schema.rules.errors, config, values, unknown)
    if not problems:
        advice += find_broken(schema.rules.advice, config, values, later, advises=True)
    resolved = ResolvedConfig(config, values, layers.custom, file, tuple(advice), tuple(extended))
    # First what is wrong with values, then the keys that there are not.
    return resolved, sorted(problems, key=lambda problem: problem.at_key)


def resolve(start: Start) -> ResolvedConfig[Any]:
    """Resolve what a start is given, outside of any run, and warn of what is advised."""
    from .layers import read_layers

    resolved = judge(read_layers(start))
    warn(resolved.advice, start.environ)
    return resolved


def warn(advice: Sequence[Problem], environ: Mapping[str, str]) -> None:
    """Give a `ConfigurationWarning` for each piece of advice, attributed to the caller outside of this package.

    Of several ranks, as their environments tell, only the first one does.
    """
    if not advice:
        return
    from ..launcher import is_first_rank
    from ..report import format_problem

    if not is_first_rank(environ):
        return
    package = __name__.partition(".")[0]
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(f"{package}."):
        level, frame = level + 1, frame.f_back
    for problem in advice:
        warnings.warn(ConfigurationWarning(format_problem(problem)), stacklevel=level)
