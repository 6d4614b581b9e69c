"""Classes of one's own that can be no schema, each refused with class, field and what to do instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le, MultipleOf

from acbo_settings import GRPOTrainingConfig, TrainingConfig, Was, load_training_config, rule
from acbo_settings.engine.loading.objections import require_usable
from acbo_settings.engine.schema import Schema

MADE: dict[str, Any] = {"frozen": True, "slots": True, "kw_only": True}


def made(*fields: Any, name: str = "E", base: type = TrainingConfig, namespace: Any = None, **how: Any) -> Any:
    """A dataclass with these fields, each with a type and a default, or what stands for it."""
    return dataclasses.make_dataclass(name, fields, bases=(base,), namespace=namespace, **MADE | how)


def section(*fields: Any, named: str = "p", base: type = object, **how: Any) -> Any:
    """A field that is a table of these fields, which its class `P` has."""
    owner = made(*fields, name="P", base=base, **how)
    return (named, owner, dataclasses.field(default_factory=owner))


def grpo(*fields: Any) -> Any:
    """The field for GRPO with some of its settings declared anew."""
    return section(*fields, named="grpo", base=GRPOTrainingConfig)


class Forgotten(TrainingConfig):
    """A class without the decorator."""

    size: int = 1


def _post_init(self: Any) -> None:
    raise ValueError


@rule("p.size", "grpo.group_size")
def _of_both(self: Any) -> str | None:
    return f"{self}"


@rule("grpo.groupsize")
def _misspelt(self: Any) -> str | None:
    return f"{self}"


FIELD = dataclasses.field
OBJECTIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "no dataclass": (lambda: Forgotten, "Forgotten must be a frozen dataclass of its own: put @dataclass"),
    "no equality": (lambda: made(("size", int, 1), eq=False), "E must be a frozen dataclass of its own"),
    "a table without equality": (lambda: made(section(("size", int, 1), eq=False)), "P must be a frozen dataclass"),
    "a class for a default": (
        lambda: made(("p", GRPOTrainingConfig, GRPOTrainingConfig)),
        "E.p has the class GRPOTrainingConfig itself as its default: use field(default_factory=GRPOTrainingConfig)",
    ),
    "a reference table is gone": (
        lambda: made(("grpo", int, 1)),
        "E.grpo must be GRPOTrainingConfig, or a subclass of it",
    ),
    "another class for a reference table": (
        lambda: made(section(("size", int, 1), named="grpo")),
        "E.grpo must be GRPOTrainingConfig, or a subclass of it",
    ),
    "a __post_init__": (
        lambda: made(("size", int, 1), namespace={"__post_init__": _post_init}),
        "E has a __post_init__, which would see values before they are judged: use a @rule",
    ),
    "nobody could give it": (lambda: made(("size", int, FIELD(default=1, init=False))), "E.size has init=False"),
    "metadata anew": (lambda: made(("metadata", int, 1)), "E.metadata is taken: name the field otherwise"),
    "a type that is none": (lambda: made(("size", complex, 1j)), "E.size has the type complex, which no setting"),
    "inherited, a type that is none": (
        lambda: made(("other", int, 1), name="F", base=made(("size", complex, 1j))),
        "F.size has the type complex",
    ),
    "a bound beside choices": (
        lambda: made(("size", Annotated[Literal[1, 2], Ge(2)], 2)),
        "E.size has the bound ge besides a Literal",
    ),
    "a bound of another type": (
        lambda: made(("size", Annotated[int, Ge(0.5)], 1)),
        "E.size has the bound ge=0.5, which is no int",
    ),
    "None without a default": (lambda: made(("size", int | None)), "E.size may be None, and so must have the default"),
    "a default of another type": (
        lambda: made(("size", int, "a")),
        'E.size has the default "a", which is not valid: Input should be a valid integer',
    ),
    "a default out of its bounds": (
        lambda: made(("size", Annotated[int, Ge(5)], 3)),
        "E.size has the default 3, which is not valid: Input should be greater than or equal to 5",
    ),
    "a default that is no choice": (
        lambda: made(("size", Literal["a"], "b")),
        """E.size has the default "b", which is not valid: Input should be 'a'""",
    ),
    "a default that is not finite": (lambda: made(("size", float, float("inf"))), "E.size has the default inf"),
    "an integer for a float": (lambda: made(("size", float, 1)), "E.size has the default 1: write 1.0"),
    "a text for a path": (lambda: made(("size", Path, "a")), "E.size has the default 'a': write PosixPath('a')"),
    "integers for floats": (
        lambda: made(("size", tuple[float, ...], (1, 2.0))),
        "E.size has the default (1, 2.0): write (1.0, 2.0)",
    ),
    "a bound dropped": (
        lambda: made(("log_frequency", int, 20)),
        "E.log_frequency must allow nothing that the reference does not allow: int, ≥ 1; write Annotated[int, Ge(1)],",
    ),
    "a bound widened": (
        lambda: made(
            ("grpo", *section(("group_size", Annotated[int, Ge(4), Le(256)], 64), base=GRPOTrainingConfig)[1:])
        ),
        "P.group_size must allow nothing that the reference does not allow: int, ≥ 8, ≤ 256;"
        " write Annotated[int, Ge(8), Le(256)], or a narrower one",
    ),
    "another type": (lambda: made(("total_steps", float, 1.0)), "E.total_steps must allow nothing"),
    "None where the reference has none": (
        lambda: made(("total_steps", Annotated[int | None, Ge(1)], None)),
        "E.total_steps must allow nothing",
    ),
    "capital letters": (lambda: made(("Size", int, 1)), "E.Size cannot be spelled by a variable: use small letters"),
    "two underscores": (lambda: made(("a__b", int, 1)), "E.a__b cannot be spelled by a variable"),
    "an underscore first": (lambda: made(("_a", int, 1)), "E._a cannot be spelled by a variable"),
    "an underscore last": (lambda: made(section(("a_", int, 1))), "P.a_ cannot be spelled by a variable"),
    "other letters": (lambda: made(("größe", int, 1)), "E.größe cannot be spelled by a variable"),
    "an empty old name": (
        lambda: made(("size", Annotated[int, Was("a..b", since="2")], 1)),
        "a part of that name is empty",
    ),
    "an old name below a setting": (
        lambda: made(("size", Annotated[int, Was("log_frequency.x", since="2")], 1)),
        "E.size cannot have been 'log_frequency.x': that name is taken",
    ),
    "an old name that means something else": (
        lambda: made(("size", Annotated[int, Was("extends", since="2")], 1)),
        "E.size cannot have been 'extends': that name is taken",
    ),
    "an old name that is removed": (
        lambda: made(("size", Annotated[int, Was("old", since="2")], 1), namespace={"removed": {"old": "gone"}}),
        "E.size cannot have been 'old': that is told to be removed",
    ),
    "a bound that no float is": (
        lambda: made(("size", Annotated[float, Ge(10**400)], 1.0)),
        "which is no float",
    ),
    "a text that no file can hold": (lambda: made(("size", str, "\ud800")), "which is not valid: is not valid UTF-8"),
    "removed as a field": (lambda: made(("removed", int, 1)), "E.removed must be a dict of keys and what to do"),
    "removed as a list": (
        lambda: made(namespace={"removed": ["old"]}),
        "E.removed must be a dict of keys and what to do about each",
    ),
    "a secret": (lambda: made(("hub_token", str, "")), "E.hub_token has the name of a secret"),
    "a rule over more than its table": (
        lambda: made(section(("size", int, 1), namespace={"both": _of_both})),
        "the rule P.both sees its own table alone, and reads grpo.group_size: declare it in E",
    ),
    "a rule over what there is not": (
        lambda: made(("size", int, 1), namespace={"misspelt": _misspelt}),
        "the rule E.misspelt reads grpo.groupsize, which is no setting: did you mean grpo.group_size?",
    ),
}
TAKEN = ["run_dir", "on_change", "may_change", "config_file", "extends", "frozen", "service_port", "to_toml"]
TAKEN += ["fingerprint", "model_config", "model_dump", "copy", "port_80_tcp"]
OBJECTIONS |= {
    f"the name {name}": (partial(made, (name, int, 1)), f"E.{name} is taken: name the field otherwise")
    for name in TAKEN
}


@pytest.mark.parametrize("case", OBJECTIONS)
def test_what_can_be_no_schema(case: str) -> None:
    """It is a TypeError of the first load, whether or not anybody gives the setting."""
    owner, message = OBJECTIONS[case]
    with pytest.raises(TypeError) as caught:
        load_training_config("/dev/null", environ={}, schema=owner())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "owner",
    [
        made(("log_frequency", Annotated[int, Gt(1), MultipleOf(5)], 20)),
        made(grpo(("group_size", Annotated[int, Ge(8), Le(128)], 64))),
        made(("port", int, 8000), ("model_size", int, 1), ("step_1", int, 1)),
        made(("rates", tuple[float, ...], (0.5,)), ("name", str | None, None), ("data", Path)),
        made(),
    ],
)
def test_what_can_be_one(owner: Any) -> None:
    """Narrower bounds of the reference's settings, names beside the taken ones, and every kind of default."""
    require_usable(Schema.of(owner))
    overrides = ["data=x"] if "data" in owner.__dataclass_fields__ else None
    assert isinstance(load_training_config("/dev/null", overrides=overrides, environ={}, schema=owner), owner)
