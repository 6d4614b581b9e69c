"""A schema of its own, three levels deep, that has nothing to do with ACBO: the engine takes it as it takes any."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pyrsistent import PMap, pmap

from acbo_settings.engine import PickledByName
from acbo_settings.engine.declarations import Rule, Rules
from acbo_settings.engine.schema import Application, Schema, section


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """Where the light comes from."""

    watts: Annotated[float, Ge(0), Le(500)] = 40.0
    """What the lamp takes."""

    colour: Literal["white", "red"] = "white"
    """What the lamp looks like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Microscope:
    """What is looked through."""

    zoom: Annotated[int, Ge(1)] = 10
    """How much larger things look."""

    lamp: Lamp = field(default_factory=Lamp)
    """The light below the table."""


@section
@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory(PickledByName):
    """A room with a microscope."""

    __application__ = Application(
        name="laboratory", version="7", prefix="LAB_", file_name="lab.toml", rules="tests.laboratory"
    )

    is_open: bool = True
    """Whether anybody may come in."""

    owner: str = "nobody"
    """Who has the key."""

    microscope: Microscope = field(default_factory=Microscope)
    """The instrument."""

    metadata: PMap[str, Any] = field(default_factory=lambda: pmap(), compare=False)


def _is_bright(config: Laboratory) -> str | None:
    lamp = config.microscope.lamp
    return "A red lamp of more than 100 watts burns" if lamp.colour == "red" and lamp.watts > 100 else None


WATTS, COLOUR = ("microscope", "lamp", "watts"), ("microscope", "lamp", "colour")
RULES = Rules(errors=(Rule((WATTS, COLOUR), _is_bright),), other_names={"magnification": ("microscope", "zoom")})
LABORATORY = Schema.of(Laboratory)
