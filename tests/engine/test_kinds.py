"""What values a setting of one's own may have, and what no setting can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Optional

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MaxLen, MinLen, MultipleOf, Predicate
from pydantic import Field

from acbo_settings import TrainingConfig, load_training_config
from acbo_settings.engine.kinds import Kind, kind_of
from acbo_settings.engine.schema import Schema

WORDS: dict[str, Any] = {each.__name__: each for each in (Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf, Path)}
WORDS |= {"Annotated": Annotated, "Literal": Literal}


@pytest.mark.parametrize(
    ("annotation", "kind", "name", "shown"),
    [
        (bool, Kind(bool), "bool", "true, false"),
        (Annotated[int, "a comment", Ge(1)], Kind(int, bounds=(("ge", 1),)), "int", "≥ 1"),
        (Annotated[float, Interval(gt=0, le=1)], Kind(float, bounds=(("gt", 0), ("le", 1))), "float", "> 0, ≤ 1"),
        (Annotated[int, Field(ge=1, multiple_of=2)], Kind(int, bounds=(("ge", 1), ("multiple_of", 2))), "int", None),
        (Annotated[Annotated[int, Ge(1)], Lt(9)], Kind(int, bounds=(("ge", 1), ("lt", 9))), "int", "≥ 1, < 9"),
        (Annotated[str, Len(1, 9)], Kind(str, bounds=(("min_length", 1), ("max_length", 9))), "str", None),
        (Literal["a", "b"], Kind(str, ("a", "b")), "str", '"a", "b"'),
        (Literal[16, 32], Kind(int, (16, 32)), "int", "16, 32"),
        (Literal["a", None], Kind(str, ("a",), is_optional=True), "str", '"a"'),
        (int | None, Kind(int, is_optional=True), "int", ""),
        (Optional[Annotated[int, Ge(1)]], Kind(int, bounds=(("ge", 1),), is_optional=True), "int", "≥ 1"),  # noqa: UP045
        (Path, Kind(Path), "path", ""),
        (tuple[int, ...], Kind(tuple, items=Kind(int)), "list of int", ""),
        (
            Annotated[tuple[Path, ...], MinLen(1)],
            Kind(tuple, (), (("min_length", 1),), Kind(Path)),
            "list of path",
            None,
        ),
    ],
    ids=str,
)
def test_kinds_of_annotations(annotation: Any, kind: Kind, name: str, shown: str | None) -> None:
    """Each form of an annotation, those of pydantic too, is a kind, which is written so that it is read back."""
    assert kind_of(annotation, "Config.field") == kind
    assert kind.name == name
    assert shown is None or kind.range == shown
    assert kind_of(eval(kind.annotation, WORDS), "Config.field") == kind


@pytest.mark.parametrize(
    "annotation",
    [
        *(list[int], dict[str, int], set[str], tuple[int, int], tuple[tuple[int, ...], ...], tuple[int | None, ...]),
        *(bytes, complex, Any, object, int | str, int | str | None, None, Literal["a", 1], Literal[True], type),
    ],
    ids=str,
)
def test_what_no_setting_can_be(annotation: Any) -> None:
    """Anything else is a TypeError with the place, the type, and what would do."""
    with pytest.raises(TypeError, match=r"Config\.field has the type .* which no setting can have: use bool, int"):
        kind_of(annotation, "Config.field")


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, Predicate(bool)],
        Annotated[str, Field(pattern="a")],
        Annotated[bool, Ge(0)],
        Annotated[int, MinLen(1)],
        Annotated[Path, MinLen(1)],
        Annotated[str, MultipleOf(2)],
    ],
    ids=str,
)
def test_conditions_that_are_not_understood(annotation: Any) -> None:
    """A bound that would not be checked, or that means nothing for the type, is never passed over."""
    with pytest.raises(TypeError, match=r"Config\.field has the (condition|bound)"):
        kind_of(annotation, "Config.field")


@dataclass(slots=True, kw_only=True)
class Loose:
    """A table that can be changed."""

    size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WithLoose(TrainingConfig):
    """A configuration with such a table."""

    loose: Loose = field(default_factory=Loose)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithList(TrainingConfig):
    """A configuration with a default that can be changed."""

    sizes: tuple[int, ...] = field(default_factory=list)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class WithHidden(TrainingConfig):
    """A configuration with a field that equality does not see."""

    size: int = field(default=1, compare=False)


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (WithLoose, "Loose must be a frozen dataclass"),
        (WithList, r"WithList\.sizes has a mutable default: use a tuple"),
        (WithHidden, r"WithHidden\.size takes no part in comparisons"),
    ],
)
def test_what_no_schema_can_be(root: Any, message: str) -> None:
    """A table or default that could be changed, or that equality passes over, is told when the schema is first used."""
    with pytest.raises(TypeError, match=message):
        Schema(root)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithDefault(TrainingConfig):
    """A configuration whose None would mean something else than its default."""

    size: int | None = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WithUnknown(TrainingConfig):
    """A configuration with a type that its module does not know."""

    size: Unknown = 3  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (WithDefault, r"WithDefault\.size may be None, and so must have the default None"),
        (WithUnknown, r"WithUnknown\.size has a type that its module does not know: name 'Unknown'"),
    ],
)
def test_annotations_that_cannot_be_used(root: Any, message: str) -> None:
    """They are told when the class is first loaded, whether or not somebody gives them."""
    with pytest.raises(TypeError, match=message):
        load_training_config(environ={}, schema=root)
