"""What a class of settings declares beside its fields: rules and advice across settings, and old names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps

from . import Record, public
from .canonical import KeyPath, value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from .schema import Schema

    Check = TypeVar("Check", bound=Callable[[Any], str | None])


class Rule(Record):
    """One rule over several settings, the first of which is what the report names.

    `check` takes a configuration and answers with the sentence that says what is wrong, or None. Advice with `causes`
    is only given when somebody set one of these, be it to the default. Other advice needs no such condition: the
    defaults keep every rule, so that whatever breaks one was set by somebody.
    """

    __slots__ = ("reads", "check", "causes")
    reads: tuple[KeyPath, ...]
    check: Callable[[Any], str | None]
    causes: tuple[KeyPath, ...]

    def __init__(
        self, reads: tuple[KeyPath, ...], check: Callable[[Any], str | None], causes: tuple[KeyPath, ...] = ()
    ) -> None:
        self._fill(reads, check, causes)


@public
def rule(*settings: str) -> Callable[[Check], Check]:
    """Declare a method of a schema of one's own as a rule across settings: what it says is an error.

    Args:
        settings: The settings that it reads, by their keys from the root; the first one is what a report names.

    Returns:
        A decorator that leaves the method as it is. The method answers with the sentence that says what is wrong,
        without its end, or with None. It is called when all of these settings are valid.

    >>> from dataclasses import dataclass
    >>> from acbo_settings import TrainingConfig, load_training_config
    >>> @dataclass(frozen=True, slots=True, kw_only=True)
    ... class ExperimentConfig(TrainingConfig):
    ...     width: int = 128
    ...     depth: int = 2
    ...
    ...     @rule("width", "depth")
    ...     def fits_the_card(self) -> str | None:
    ...         return "The policy does not fit the card" if self.width * self.depth > 4096 else None
    >>> load_training_config(overrides=["width=4096"], environ={}, schema=ExperimentConfig)
    Traceback (most recent call last):
    ...
    acbo_settings.ConfigurationError: Configuration validation failed: 1 problem
    <BLANKLINE>
      width: The policy does not fit the card
        --> width from width=4096, depth is the default
    """
    return _marking(False, settings)


@public
def advice(*settings: str) -> Callable[[Check], Check]:
    """Declare a method of a schema of one's own as advice across settings: what it says is a warning.

    Args:
        settings: The settings that it reads, by their keys from the root; the first one is what a warning names.

    Returns:
        A decorator that leaves the method as it is, as that of `rule`.

    >>> @advice("seed")
    ... def seed_is_meant(config):
    ...     return "Seed is 0" if config.seed == 0 else None
    """
    return _marking(True, settings)


def _marking(advises: bool, settings: tuple[str, ...]) -> Callable[[Check], Check]:
    if not settings or not all(isinstance(key, str) for key in settings):
        name = "advice" if advises else "rule"
        raise TypeError(f'name the settings that it reads by their keys, such as @{name}("width", "table.height")')

    def mark(check: Check) -> Check:
        """Note at the function itself what it is."""
        check.__rule__ = (advises, tuple(tuple(key.split(".")) for key in settings))  # type: ignore[attr-defined]
        return check

    return mark


def declared(*checks: Callable[[Any], str | None], causes: tuple[KeyPath, ...] = ()) -> tuple[Rule, ...]:
    """The rules that these functions are, by their decorators."""
    return tuple(Rule(check.__rule__[1], check, causes) for check in checks)  # type: ignore[attr-defined]


class Rules(Record):
    """What an application says of its settings beyond the schema."""

    __slots__ = ("errors", "consistency", "advice", "range_sentences", "other_names")
    errors: tuple[Rule, ...]
    consistency: tuple[Rule, ...]
    advice: tuple[Rule, ...]
    range_sentences: Mapping[tuple[KeyPath, str], str]
    other_names: Mapping[str, KeyPath]

    def __init__(
        self,
        errors: tuple[Rule, ...] = (),
        consistency: tuple[Rule, ...] = (),
        advice: tuple[Rule, ...] = (),
        range_sentences: Mapping[tuple[KeyPath, str], str] | None = None,
        other_names: Mapping[str, KeyPath] | None = None,
    ) -> None:
        self._fill(errors, consistency, advice, range_sentences or {}, other_names or {})


@public
class Was:
    """What a setting was called before: it stands among the conditions of its annotation, and files may still say it.

    Args:
        key: The old key, from the root, such as `"policy.hidden_size"`.
        since: The version from which on the setting has its new name.

    In a class it stands as `width: Annotated[int, Was("policy.hidden_size", since="2.0")] = 128`.

    >>> Was("policy.hidden_size", since="2.0").path
    ('policy', 'hidden_size')
    """

    __slots__ = ("path", "since")

    def __init__(self, key: str, since: str) -> None:
        self.path: KeyPath = tuple(key.split("."))
        self.since = since

    def __repr__(self) -> str:
        return f"Was({'.'.join(self.path)!r}, since={self.since!r})"


def old_names_in(annotation: Any) -> Iterator[Was]:
    """The old names that an annotation declares, at whatever place in it."""
    yield from (each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Was))
    for inside in getattr(annotation, "__args__", ()):
        yield from old_names_in(inside)


def with_methods(rules: Rules, schema: Schema) -> Rules:
    """The rules of an application, and those among the methods of a schema's classes."""
    own = list(_declared_in(schema))
    errors = (rule for advises, rule in own if not advises)
    advice = (rule for advises, rule in own if advises)
    return rules.replace(errors=(*rules.errors, *errors), advice=(*rules.advice, *advice))


def _declared_in(schema: Schema) -> Iterator[tuple[bool, Rule]]:
    """The rules among the methods of each table, and whether they only advise."""
    for path, owner in schema.sections.items():
        for name in dict.fromkeys(name for each in reversed(owner.__mro__) for name in vars(each)):
            check: Any = getattr(owner, name, None)
            if hasattr(check, "__rule__"):
                advises, keys = check.__rule__
                place = f"the rule {owner.__qualname__}.{name}"
                reads = tuple((*path, *_inside(schema, owner, key, place)) for key in keys)
                yield advises, Rule(reads, _at(path, check))


def _inside(schema: Schema, owner: type, key: KeyPath, place: str) -> KeyPath:
    """A key that a rule names, as its own table has it, which may be there more than once."""
    if key not in schema.defaults:
        from .spelling import closest  # which no class that is right needs

        meant = closest(".".join(key), map(".".join, schema.defaults))
        raise TypeError(
            f"{place} reads {'.'.join(key)}, which is no setting{f': did you mean {meant}?' if meant else ''}"
        )
    for path, section in schema.sections.items():
        if section is owner and key[: len(path)] == path:
            return key[len(path) :]
    raise TypeError(
        f"{place} sees its own table alone, and reads {'.'.join(key)}: declare it in {schema.root.__qualname__}"
    )


def _at(path: KeyPath, check: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
    """The rule of a table as one of the whole configuration."""
    return wraps(check)(lambda config: check(value_at(config, path)))
