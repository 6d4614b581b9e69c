"""Layers of every kind, generated together with what must come of them.

The generator draws the values, writes the text of each file, variable and override itself, in every spelling that TOML
has, and notes while it writes where each key and its value stand and which layers give the same key. What a start tells
of its values is compared with these notes; nothing that is expected is asked of the package.
"""

from __future__ import annotations

import json
import math
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, NamedTuple, TypeVar

import pytest

from acbo_settings import (
    Argument,
    Assignment,
    Default,
    File,
    SourcedValue,
    TrainingConfig,
    Variable,
    resolve_training_config,
)

from .experiment import ExperimentConfig
from .strategies import tree_of

KeyPath = tuple[str, ...]
Place = tuple[int, int, int]
"""Line, column of the key, column of the value."""

Item = TypeVar("Item")

pytestmark = pytest.mark.filterwarnings("ignore::acbo_settings.ConfigurationWarning")


# What there is to set, as the generator knows it


@dataclass(frozen=True)
class Setting:
    """A setting: its type or that of its items, its default, and values that are valid whatever the others are."""

    type: type
    default: Any = None
    low: float = 1
    high: float = 10**6
    choices: tuple[Any, ...] = ()
    lengths: tuple[int, int] | None = None
    step: int = 1
    is_optional: bool = False
    must_be_given: bool = False

    def in_force(self, value: Any) -> Any:
        """The value as the configuration holds it, of exactly its type."""
        if value is None:
            return None
        return tuple(map(self.type, value)) if self.lengths else self.type(value)


def settings(**tables: Mapping[str, Setting]) -> dict[KeyPath, Setting]:
    """The settings of tables, whose names have two underscores for a dot, by key path."""
    return {
        (*filter(None, table.split("__")), name): setting
        for table, found in tables.items()
        for name, setting in found.items()
    }


STEPS = Setting(int, 100)
WEIGHT = Setting(float, 1.0, low=0)
SWITCH = Setting(bool, True)

REFERENCE = settings(
    __={
        "total_steps": Setting(int, 5000, low=1000, high=10**9),
        "warmup_steps": Setting(int, 100, low=0, high=999),
        "surrogate_update_frequency": Setting(int, 50),
        "log_frequency": Setting(int, 10),
        "save_trajectory_data": SWITCH,
    },
    grpo={
        "group_size": Setting(int, 64, low=8, high=256),
        "num_iterations": Setting(int, 4, high=10),
        "learning_rate": Setting(float, 3e-4, low=1e-9, high=0.01),
        "max_grad_norm": Setting(float, 1.0, low=1e-9, high=10),
        "clip_ratio": Setting(float, 0.2, low=1e-9, high=1),
        "entropy_coeff": Setting(float, 0.01, low=0),
        "kl_penalty_coeff": Setting(float, 0.0, low=0),
        "scale_rewards": SWITCH,
    },
    rewards={
        "optimization_weight": Setting(float, 1.0, low=0.1),
        "structure_weight": Setting(float, 0.5, low=0),
        "parent_weight": Setting(float, 0.3, low=0),
        "exploration_weight": Setting(float, 0.1, low=0),
        "reward_scaling": Setting(str, "tanh", choices=("tanh", "clip", "none")),
        "reward_clip_value": Setting(float, 10.0),
    },
    exploration={
        "strategy_type": Setting(str, "adaptive", choices=("uncertainty_guided", "adaptive")),
        "uncertainty_weight": WEIGHT,
        "count_weight": Setting(float, 0.1, low=0),
        "variable_uncertainty_weight": Setting(float, 0.5, low=0),
        "temperature": Setting(float, 1.0, low=1e-9),
        "initial_temperature": Setting(float, 2.0, low=2),
        "final_temperature": Setting(float, 0.1, low=1e-9, high=1.9),
        "adaptation_steps": Setting(int, 1000),
        "stagnation_threshold": STEPS,
    },
    evaluation={
        "eval_frequency": STEPS,
        "checkpoint_frequency": Setting(int, 500),
        "track_optimization": SWITCH,
        "track_structure_learning": SWITCH,
        "track_intervention_diversity": SWITCH,
        "early_stopping_enabled": Setting(bool, False),
        "early_stopping_patience": Setting(int, 200),
        "early_stopping_threshold": Setting(float, 1e-4, low=1e-9),
    },
)

OWN = REFERENCE | settings(
    __={
        "seed": Setting(int, 0, low=0),
        "data": Setting(Path, must_be_given=True),
        "tag": Setting(str, None, is_optional=True),
        "total_steps": Setting(int, 20000, low=1000, high=10**9),
    },
    policy={
        "hidden_size": Setting(int, 128, high=4096),
        "activation": Setting(str, "gelu", choices=("relu", "gelu")),
        "layers": Setting(int, (256, 256), low=-9, lengths=(0, 4)),
        "precision": Setting(int, 32, choices=(16, 32)),
        "dropout": Setting(float, None, low=0, high=0.9, is_optional=True),
    },
    policy__encoder={
        "heads": Setting(int, 8, high=64, step=2),
        "widths": Setting(float, (1.0, 2.0), low=-5, high=5, lengths=(1, 4)),
        "files": Setting(Path, (), lengths=(0, 3)),
    },
)

CLASSES: dict[type[TrainingConfig], dict[KeyPath, Setting]] = {TrainingConfig: REFERENCE, ExperimentConfig: OWN}

EASY_NOTES = ["note", "sweep", "tags", "owner", "run-7"]
"""Names of notes that every layer can give."""

HARD_NOTES = ["host name", "a.b", "größe 😀", "", "it's", '"quoted"', "tab\there", "\\"]
"""Names of notes that need quotes, in a file or in JSON."""

NAMES_INSIDE = ["lr", "seed", "group_size", "x.y", "ключ", "", "'", '"', "#", "a-b", "😀", "1", "[", "="]
"""Names in the tables of notes."""

FRAGMENTS = [
    *("tanh", "scm 20", " ", "ключ", "😀", 'a"b', "it's", "C:\\new", '"""', "''", "\t", "\r", "\x1f", "\u2028", "\x85"),
    *("# none", " = {", "]", "\n[grpo]\ngroup_size = 7\n", '\nextends = "none.toml"\n', "\n\n", "\\", '"', "'"),
]
"""What texts are made of: also what looks like other syntax, and line ends of other kinds than TOML's."""

COMMENTS = ["", " note", " [grpo]", ' "', " '''", ' """', "group_size = 7", " ключ 😀", "\u2028\x85", "\t# ]}", " \\"]

DATES = {
    "1979-05-27": date(1979, 5, 27),
    "07:32:00.5": time(7, 32, 0, 500_000),
    "1979-05-27 07:32:00": datetime(1979, 5, 27, 7, 32),
    "1979-05-27T07:32:00Z": datetime(1979, 5, 27, 7, 32, tzinfo=UTC),
    "1979-05-27t00:32:00-07:30": datetime(1979, 5, 27, 0, 32, tzinfo=timezone(-timedelta(hours=7, minutes=30))),
}
"""Dates and times by how they are written."""


class Dice:
    """Random choices, each noted by a topic, so that one can tell whether every way was taken."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.offered: set[tuple[str, str]] = set()
        self.taken: set[tuple[str, str]] = set()

    def way(self, topic: str, ways: Iterable[str]) -> str:
        """One of several ways to do something."""
        offered = list(ways)
        taken = self.random.choice(offered)
        self.offered |= {(topic, way) for way in offered}
        self.taken.add((topic, taken))
        return taken

    def one(self, items: Sequence[Item]) -> Item:
        """One of several things."""
        return self.random.choice(items)

    def happens(self, share: float) -> bool:
        """Whether something of this probability happens."""
        return self.random.random() < share

    def shuffled(self, items: Iterable[Item]) -> list[Item]:
        """The things in any order."""
        shuffled = list(items)
        self.random.shuffle(shuffled)
        return shuffled


# Values


def draw_text(dice: Dice, is_plain: bool = False) -> str:
    """A text of some fragments; a plain one stands in a variable, has two characters, and no white space around it."""
    text = "".join(dice.one(FRAGMENTS) for _ in range(dice.random.randint(0, 4)))
    return f"a{text}z" if is_plain else text


def draw_number(dice: Dice, setting: Setting) -> int | float:
    """A number in the bounds of a setting; for a float also an integer, where there is one."""
    low, high = math.ceil(setting.low / setting.step), math.floor(setting.high / setting.step)
    whole = dice.one([low, high, dice.random.randint(low, max(low, high))]) * setting.step
    is_whole = setting.low <= whole <= setting.high
    if setting.type is int or (is_whole and dice.happens(0.3)):
        return whole
    drawn = dice.random.uniform(setting.low, setting.high)
    return dice.one([drawn, float(setting.low), float(setting.high), float(f"{drawn:.2g}") if drawn < 1 else drawn])


def draw_item(dice: Dice, setting: Setting) -> Any:
    """A scalar that a setting takes, as TOML and JSON hold it."""
    if setting.choices:
        return dice.one(setting.choices)
    if setting.type is bool:
        return dice.happens(0.5)
    if setting.type in (int, float):
        return draw_number(dice, setting)
    return dice.one(["data/scm20", "../größe 7/x.csv", draw_text(dice, is_plain=True)])


def draw_value(dice: Dice, setting: Setting) -> Any:
    """A value that a setting takes, as TOML and JSON hold it."""
    if setting.lengths:
        return [draw_item(dice, setting) for _ in range(dice.random.randint(*setting.lengths))]
    return draw_item(dice, setting)


def draw_note(dice: Dice, is_json: bool, depth: int = 0) -> Any:
    """Anything that a note may be."""
    kinds = ["text", "integer", "float", "switch", *(["array", "table", "tables"] if depth < 2 else [])]
    match dice.way("note", kinds if is_json else [*kinds, "date"]):
        case "text":
            return draw_text(dice)
        case "integer":
            return dice.random.randint(-(10**18), 10**18)
        case "float":
            return dice.random.uniform(-1, 1) * 10 ** dice.random.randint(-20, 20)
        case "switch":
            return dice.happens(0.5)
        case "array":
            return [draw_note(dice, is_json, depth + 1) for _ in range(dice.random.randint(0, 3))]
        case "table":
            return draw_table(dice, is_json, depth)
        case "tables":
            return [draw_table(dice, is_json, depth) for _ in range(dice.random.randint(1, 3))]
    return dice.one(list(DATES.values()))


def draw_table(dice: Dice, is_json: bool, depth: int) -> dict[str, Any]:
    """A table inside of a note."""
    names = dice.random.sample(NAMES_INSIDE, dice.random.randint(0, 3))
    return {name: draw_note(dice, is_json, depth + 1) for name in names}


# How TOML is written

ESCAPES = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def escape(dice: Dice, text: str, plain: str = "", is_long: bool = False) -> str:
    """A text for the inside of double quotes; a long one goes on in the next line here and there."""
    parts = []
    for character in text:
        if is_long and not character.isspace() and dice.happens(0.05):
            parts.append(dice.one(["\\\n", "\\ \n\t ", "\\\n\n  "]))
        if character in plain:
            parts.append(character)
        elif character in ESCAPES:
            parts.append(ESCAPES[character])
        elif character < " " or dice.happens(0.05):
            code = ord(character)
            parts.append(f"\\u{code:04x}" if code < 0x10000 and dice.happens(0.5) else f"\\U{code:08X}")
        else:
            parts.append(character)
    return "".join(parts)


def spell_text(dice: Dice, text: str) -> str:
    """A text in one of the four kinds of quotes."""
    is_printable = not any(character < " " and character not in "\t\n" for character in text)
    ways = ["basic", "long basic"]
    ways += ["literal"] if is_printable and "'" not in text and "\n" not in text else []
    ways += ["long literal"] if is_printable and "'''" not in text else []
    line_end = "\n" if text[:1] == "\n" or dice.happens(0.5) else ""
    match dice.way("text", ways):
        case "literal":
            return f"'{text}'"
        case "long literal":
            return f"'''{line_end}{text}'''"
        case "long basic":
            inside = escape(dice, text, '\n\t"', is_long=True).replace('"""', '""\\"')
            return f'"""{line_end}{inside}"""'
    return f'"{escape(dice, text, dice.one(["", chr(9)]))}"'


def spell_number(dice: Dice, value: int | float) -> str:
    """A number in one of the ways that TOML has for it."""
    if isinstance(value, int):
        ways = {"decimal": f"{value}", "grouped": f"{value:_}"}
        if value >= 0:
            ways |= {
                "signed": f"+{value}",
                "hexadecimal": f"{value:#x}",
                "octal": f"{value:#o}",
                "binary": f"{value:#b}",
            }
        return ways[dice.way("integer", ways)]
    ways = {"shortest": f"{value!r}", "exponent": f"{value:.17e}", "capital": f"{value:.17e}".replace("e", "E")}
    ways |= {"signed": f"+{value!r}"} if value >= 0 else {}
    ways |= {"padded": f"{value!r}00", "grouped": f"{value:_}"} if "e" not in repr(value) else {}
    return ways[dice.way("float", ways)]


def spell_scalar(dice: Dice, value: Any) -> str:
    """A value that is neither array nor table."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return spell_number(dice, value)
    if isinstance(value, str):
        return spell_text(dice, value)
    return next(text for text, each in DATES.items() if each == value and type(each) is type(value))


def spell_name(dice: Dice, name: str) -> str:
    """One part of a key: bare, or in one of the two kinds of quotes."""
    ways = ["basic"]
    ways += ["bare", "bare"] if re.fullmatch("[A-Za-z0-9_-]+", name) else []
    ways += ["literal"] if "'" not in name else []
    match dice.way("key", ways):
        case "bare":
            return name
        case "literal":
            return f"'{name}'"
    return f'"{escape(dice, name)}"'


def spell_key(dice: Dice, key: KeyPath) -> str:
    """A key of one part or more."""
    return dice.one([".", ".", " . ", "\t.", ". "]).join(spell_name(dice, name) for name in key)


def spell_comment(dice: Dice) -> str:
    """A comment of one line."""
    return "#" + "".join(dice.one(COMMENTS) for _ in range(dice.random.randint(0, 3)))


def spell_nothing(dice: Dice) -> str:
    """What may stand between two statements: lines that hold nothing, or a comment."""
    lines = [dice.one(["", "  ", "\t", spell_comment(dice), f"\t {spell_comment(dice)}"]) for _ in range(2)]
    return "".join(f"{line}\n" for line in lines if dice.happens(0.3))


@dataclass
class Section:
    """A header with the statements below it; the root has none, and an inline table is written as one too."""

    path: KeyPath = ()
    is_array: bool = False
    body: list[tuple[KeyPath, Any]] = field(default_factory=list)


class Writer:
    """The text of a document, with the place of each key that was written."""

    def __init__(self, dice: Dice) -> None:
        self.text = ""
        self.places: dict[KeyPath, Place] = {}
        self._dice = dice
        self._sections: list[Section] = []
        self._favourite = dice.one(["inline", "dotted", "header", "headers"])

    def document(self, tree: Mapping[str, Any]) -> None:
        """Write a whole document; the tables come in any order, each in a way of its own."""
        root = Section()
        self._plan(root, (), tree)
        self._body(root)
        for section in self._in_any_order():
            if not self._is_left_out(section):
                self._header(section)
                self._body(section)
        self.text += self._dice.one(["", "\n", spell_comment(self._dice)])

    def _is_left_out(self, section: Section) -> bool:
        """Whether a header is not written: it has nothing below it, and the header of a table in it tells of it."""
        path = section.path
        is_told = any(other.path[: len(path)] == path != other.path for other in self._sections)
        may_go = is_told and not section.body and not section.is_array
        return may_go and self._dice.way("header", ["written", "left out"]) == "left out"

    def _in_any_order(self) -> list[Section]:
        """The sections in any order, but the tables of an array one after the other."""
        waiting: dict[tuple[KeyPath, bool], list[Section]] = {}
        for section in self._sections:
            waiting.setdefault((section.path, section.is_array), []).append(section)
        return [waiting[section.path, section.is_array].pop(0) for section in self._dice.shuffled(self._sections)]

    def _plan(self, section: Section, prefix: KeyPath, tree: Mapping[str, Any]) -> None:
        """Choose for each value of a table where it is written."""
        for name, value in tree.items():
            key = (*prefix, name)
            ways = self._ways(section, prefix, value)
            if self._favourite in ways and self._dice.happens(0.5):
                ways = [self._favourite]
            match self._dice.way(f"{type(value).__name__} in a table", ways):
                case "dotted":
                    self._plan(section, key, value)
                case "header":
                    self._open(Section((*section.path, *key)), value)
                case "headers":
                    for item in value:
                        self._open(Section((*section.path, *key), is_array=True), item)
                case _:
                    section.body.append((key, value))

    def _ways(self, section: Section, prefix: KeyPath, value: Any) -> list[str]:
        """The ways that are open to a value: a table of dotted keys gets no header, but in the root."""
        may_open = not section.is_array and (not prefix or not section.path)
        is_array_of_tables = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
        ways = ["inline"]
        if isinstance(value, dict):
            ways += (["dotted"] if value else []) + (["header"] if may_open else [])
        elif is_array_of_tables and may_open:
            ways.append("headers")
        return ways

    def _open(self, section: Section, tree: Mapping[str, Any]) -> None:
        self._sections.append(section)
        self._plan(section, (), tree)

    def _body(self, section: Section) -> None:
        for key, value in self._dice.shuffled(section.body):
            self.text += spell_nothing(self._dice) + self._dice.one(["", "", "  ", "\t", " \t "])
            self._pair(None if section.is_array else section.path, key, value)
            self.text += self._dice.one(["", "", " ", "\t", f" {spell_comment(self._dice)}"]) + "\n"

    def _header(self, section: Section) -> None:
        dice = self._dice
        self.text += spell_nothing(dice) + dice.one(["", "", "  ", "\t"])
        self.text += ("[[" if section.is_array else "[") + dice.one(["", "", " ", "\t"])
        line, column = self._here()
        self._note(section.path, (line, column, column))
        self.text += spell_key(dice, section.path) + dice.one(["", "", " "]) + ("]]" if section.is_array else "]")
        self.text += dice.one(["", "", " ", f"\t{spell_comment(dice)}"]) + "\n"

    def _pair(self, table: KeyPath | None, key: KeyPath, value: Any) -> None:
        """Write a key and its value; inside of an array there is no table, and nothing is noted."""
        line, column = self._here()
        self.text += spell_key(self._dice, key) + self._dice.one([" = ", " = ", "=", "\t=\t", "  ="])
        if table is not None:
            self._note((*table, *key), (line, column, self._here()[1]))
        self._value(None if table is None else (*table, *key), value)

    def _value(self, path: KeyPath | None, value: Any) -> None:
        if isinstance(value, dict):
            self._inline_table(path, value)
        elif isinstance(value, list):
            self._array(value)
        else:
            self.text += spell_scalar(self._dice, value)

    def _inline_table(self, path: KeyPath | None, tree: Mapping[str, Any]) -> None:
        inside = Section(is_array=True)
        self._plan(inside, (), tree)
        self.text += "{" + self._dice.one(["", " ", "\t"])
        for number, (key, value) in enumerate(self._dice.shuffled(inside.body)):
            self.text += self._dice.one([", ", ",", " ,\t"]) if number else ""
            self._pair(path, key, value)
        self.text += self._dice.one(["", " "]) + "}"

    def _array(self, items: Sequence[Any]) -> None:
        def space() -> str:
            """What may stand anywhere in an array."""
            return self._dice.one(["", "", " ", "\t", "\n", "\n\n  ", f" {spell_comment(self._dice)}\n"])

        self.text += "[" + space()
        for number, item in enumerate(items):
            self.text += f"{space()},{space()}" if number else ""
            self._value(None, item)
        self.text += space() + (f",{space()}" if items and self._dice.happens(0.3) else "") + "]"

    def _here(self) -> tuple[int, int]:
        """Line and column of what is written next."""
        return self.text.count("\n") + 1, len(self.text) - self.text.rfind("\n")

    def _note(self, path: KeyPath, place: Place) -> None:
        """Note the place of a key; a table stands where it is mentioned first."""
        for length in range(1, len(path) + 1):
            self.places.setdefault(path[:length], place)


def encode(dice: Dice, text: str) -> bytes:
    """The bytes of a file: with or without a byte-order mark, with the line ends of either kind, or of both."""
    line_ends = {"LF": ["\n"], "CRLF": ["\r\n"], "both": ["\n", "\r\n"]}[dice.way("line ends", ["LF", "CRLF", "both"])]
    mark = {"with": "\ufeff", "without": ""}[dice.way("byte-order mark", ["with", "without"])]
    return (mark + re.sub("\n", lambda _: dice.one(line_ends), text)).encode()


# Layers


class Origin(NamedTuple):
    """What a value must tell of where it came from."""

    kind: str
    name: str
    place: Place | None = None
    text: str | None = None


class Given(NamedTuple):
    """What one layer gives a key."""

    value: Any
    origin: Origin


Layer = dict[KeyPath, Given]

BY_DEFAULT = Origin("default", "the default")
OVERRIDES = Origin("argument", "overrides")


@dataclass
class ConfigFile:
    """A file: where it lies, how it is called by who reads it, and how it names what it extends."""

    location: str
    name: str
    extends: list[str] = field(default_factory=list)


class Generator:
    """Draws one start, from the highest layer down, because what is shadowed may be anything."""

    def __init__(self, seed: int, schema: type[TrainingConfig]) -> None:
        self.name = f"start {seed} of {schema.__name__}"
        self.dice = Dice(self.name)
        self.schema = schema
        self.settings = CLASSES[schema]
        self.path: str | Path | None = None
        self.environ: dict[str, str] = {}
        self.layers: list[Layer] = []
        self.documents: dict[str, Writer] = {}
        self.overrides = self._draw_overrides()
        files = self._draw_files() if self.dice.happens(0.95) else []
        self._draw_environ(must_give=not files)
        for file in reversed(files):
            self._write(file, must_give=file is files[-1])
        if not files:
            self.path = os.devnull

    def chains(self) -> dict[KeyPath, list[Given]]:
        """For each setting and each note what is in force, and below it all that this shadows."""
        chains: dict[KeyPath, list[Given]] = {path: [] for path in self.settings}
        for layer in self.layers:
            for path in layer.keys() & chains.keys():
                chains[path].append(layer[path])
        for path, setting in self.settings.items():
            chains[path] += [] if setting.must_be_given else [Given(setting.default, BY_DEFAULT)]
        notes: dict[str, Any] = {}
        for layer in reversed(self.layers):
            for path, given in layer.items():
                if path[0] == "metadata":
                    lay_note(notes, path, given)
        return chains | dict(chains_of(notes, ()))

    def _is_given(self, path: KeyPath) -> bool:
        return any(path in layer for layer in self.layers)

    def _draw_settings(self, within: KeyPath = (), must_give: bool = False, is_json: bool = True) -> dict[KeyPath, Any]:
        """Values of some settings in a table; of one that is given above also what it does not take."""
        share = self.dice.one([0.05, 0.15, 0.3, 0.6])
        values = {}
        for path, setting in self.settings.items():
            is_needed = must_give and setting.must_be_given and not self._is_given(path)
            if path[: len(within)] == within and (is_needed or self.dice.happens(share)):
                is_wild = self._is_given(path) and self.dice.happens(0.1)
                is_none = is_json and setting.is_optional and self.dice.happens(0.2)
                value = draw_note(self.dice, is_json) if is_wild else draw_value(self.dice, setting)
                values[path] = None if is_none else value
        return values

    def _draw_notes(self, is_json: bool) -> dict[KeyPath, Any]:
        names = self.dice.random.sample([*EASY_NOTES, *HARD_NOTES], self.dice.one([0, 1, 1, 2, 4]))
        return {("metadata", name): draw_note(self.dice, is_json) for name in names}

    # Overrides

    def _draw_overrides(self) -> dict[str, Any] | list[str] | None:
        match self.dice.way("overrides", ["none", "dict", "texts"]):
            case "dict":
                return self._draw_dict()
            case "texts":
                return self._draw_texts()
        return None

    def _draw_dict(self) -> dict[str, Any]:
        """A dict of which some keys are dotted."""
        values = self._draw_settings() | self._draw_notes(is_json=False)
        values = {path: self._as_python(path, value) for path, value in values.items()}
        self.layers.append(by_leaves({path: Given(value, OVERRIDES) for path, value in values.items()}))
        middle = self.dice.one([1, 2])
        keys = {path: self._split(path, middle) for path in values}
        tree: dict[str, Any] = {}
        for path in sorted(values, key=lambda path: (keys[path][0].count("."), self.dice.random.random())):
            table: dict[str, Any] = tree
            for name in keys[path][:-1]:
                table = table.setdefault(name, {})
            table[keys[path][-1]] = deepcopy(values[path])
        return tree

    def _as_python(self, path: KeyPath, value: Any) -> Any:
        """A value as a caller may pass it: also as a path, or as a tuple."""
        if path not in self.settings or self.dice.way("value in a dict", ["plain", "exact"]) == "plain":
            return value
        return self.settings[path].in_force(value)

    def _split(self, path: KeyPath, middle: int) -> KeyPath:
        """The keys under which a value stands in a dict: the first one may be dotted, in one dict always as far."""
        may_be_dotted = all(name and "." not in name for name in path)
        least = min(middle, max(1, len(path) - 1))
        parts = self.dice.one([least, len(path)]) if may_be_dotted else 1
        return ".".join(path[:parts]), *path[parts:]

    def _draw_texts(self) -> list[str]:
        """Texts of the form key=value, the last one first, because that wins."""
        texts: list[str] = []
        for _ in range(self.dice.random.randint(0, 12)):
            draw = {"value": self._draw_text, "note": self._draw_text_note, "table": self._draw_text_table}
            path, text, values = draw[self.dice.way("key of a text", draw)]()
            keys = {"dotted": ".".join(path), "variable": self._variable(path)}
            key = keys[self.dice.way("name in a text", keys if path[0] != "metadata" else ["dotted"])]
            text = self.dice.one(["", "", " "]) + key + self.dice.one(["=", "=", " = ", "\t="]) + text
            texts.insert(0, text)
            layer = {path: Given(value, Origin("assignment", text)) for path, value in values.items()}
            self.layers.append(by_leaves(layer))
        return texts

    def _draw_text(self) -> tuple[KeyPath, str, dict[KeyPath, Any]]:
        path = self.dice.one(list(self.settings))
        text, value = self._text_of(path)
        return path, text, {path: value}

    def _draw_text_note(self) -> tuple[KeyPath, str, dict[KeyPath, Any]]:
        path, text, value = self._note_text(self.dice.one([*EASY_NOTES, "host name", "größe 😀"]))
        return path, text, {path: value}

    def _draw_text_table(self) -> tuple[KeyPath, str, dict[KeyPath, Any]]:
        table = self.dice.one(self._tables())
        text, values = self._json_of(table)
        return table, text, values

    # Variables

    def _tables(self) -> list[KeyPath]:
        """The tables that a text can hold as JSON."""
        return [
            *dict.fromkeys(path[:length] for path in self.settings for length in range(1, len(path))),
            ("metadata",),
        ]

    def _variable(self, path: KeyPath) -> str:
        """The name of the variable of a key, in any case."""
        name = "ACBO_" + "__".join(path)
        match self.dice.way("case", ["upper", "lower", "mixed"]):
            case "upper":
                return name.upper()
            case "lower":
                return name.lower()
        return "".join(self.dice.one([letter.upper(), letter.lower()]) for letter in name)

    def _padded(self, text: str) -> str:
        return self.dice.one(["", "", " ", "\t"]) + text + self.dice.one(["", "", " ", "\n"])

    def _text_of(self, path: KeyPath) -> tuple[str, Any]:
        """A text for a setting, with what it stands for; for one that is given above also a text that is no value."""
        setting = self.settings[path]
        if setting.is_optional and self.dice.happens(0.3):
            return "", None
        if not setting.lengths and self._is_given(path) and self.dice.happens(0.1):
            return self._padded("no such value"), "no such value"
        value = draw_value(self.dice, setting)
        if setting.lengths:
            return self._padded(json.dumps(value, ensure_ascii=self.dice.happens(0.5))), value
        if setting.type is bool:
            words = ["true", "1", "yes", "on"] if value else ["false", "0", "no", "off"]
            word = self.dice.one(words)
            return self._padded(self.dice.one([word, word.upper(), word.title()])), value
        parsed = float(value) if setting.type is float else value
        return self._padded(str(value)), parsed

    def _note_text(self, name: str) -> tuple[KeyPath, str, str]:
        """A note as a text, which may stand in a table."""
        text = draw_text(self.dice, is_plain=True)
        deeper = self.dice.one([(), (), ("lr",), ("deep", "er")])
        return ("metadata", name, *deeper), self._padded(text), text

    def _json_of(self, table: KeyPath) -> tuple[str, dict[KeyPath, Any]]:
        """A whole table as JSON, with what it gives."""
        values = self._draw_notes(is_json=True) if table == ("metadata",) else self._draw_settings(table)
        tree = tree_of({path[len(table) :]: value for path, value in values.items()})
        form: dict[str, Any] = self.dice.one([{}, {"indent": 1}, {"indent": "\t"}, {"separators": (",", ":")}])
        return self._padded(json.dumps(tree, ensure_ascii=self.dice.happens(0.5), **form)), values

    def _draw_environ(self, must_give: bool) -> None:
        """Variables of single values above those of whole tables, of which the deeper one wins, among others."""
        texts, share = self._draw_single_texts(must_give), self.dice.one([0, 0.3, 0.9])
        entries = self.dice.shuffled((self._variable(path), path, *text) for path, text in texts.items())
        self.layers.append(layer_of_variables(entries))
        environ = {name: text for name, _, text, _ in entries}
        for table in sorted(self._tables(), key=len, reverse=True):
            if self.dice.happens(share):
                name, (text, values) = self._variable(table), self._json_of(table)
                origin = Origin("variable", name, None, text)
                self.layers.append(by_leaves({path: Given(value, origin) for path, value in values.items()}))
                environ = {name: text} | environ if self.dice.happens(0.5) else environ | {name: text}
        self.environ = {"HOME": "/", "GRPO": "1"} | environ | self.environ

    def _draw_single_texts(self, must_give: bool) -> dict[KeyPath, tuple[str, Any]]:
        texts: dict[KeyPath, tuple[str, Any]] = {}
        for path in self._draw_settings(must_give=must_give) if must_give or self.dice.happens(0.8) else ():
            texts[path] = self._text_of(path)
        for name in self.dice.random.sample(EASY_NOTES, self.dice.one([0, 1, 2])):
            depths = [(), *((part,) for part in ("lr", "x", "a_b")), ("deep", "er")]
            deeper = self.dice.one([depths[:1], depths[1:], depths[2:]])
            for below in deeper:
                _, text, value = self._note_text(name)
                texts["metadata", name, *below] = (text, value)
        return texts

    # Files

    def _draw_files(self) -> list[ConfigFile]:
        """The named file behind all that it extends, lowest first."""
        match self.dice.way("named by", ["nobody", "text", "path", "directory", "variable"]):
            case "nobody":
                named = ConfigFile("acbo.toml", "acbo.toml")
            case "directory":
                named = ConfigFile("lab/acbo.toml", "lab/acbo.toml")
                self.path = "lab"
            case "path":
                named = ConfigFile("lab/größe 7/own.toml", "lab/größe 7/own.toml")
                self.path = Path(named.name)
            case way:
                named = ConfigFile("lab/own.toml", self.dice.one(["lab/own.toml", "./lab/../lab/own.toml"]))
                self.path = named.name if way == "text" else None
                self.environ = {} if way == "text" else {"ACBO_CONFIG_FILE": named.name}
        files: list[ConfigFile] = []
        self._extend(named, files, 0)
        return files

    def _extend(self, file: ConfigFile, files: list[ConfigFile], depth: int) -> None:
        """Add the files that a file extends, some of them met before, and then itself."""
        before = -1
        for _ in range(self.dice.one([0, 1, 1, 2, 3]) if depth < 3 else 0):
            known = files[before + 1 :]
            if known and self.dice.way("base", ["new", "met before"]) == "met before":
                base = self.dice.one(known)
                file.extends.append(self._reference(file, base.location)[0])
            elif len(files) > 6:
                continue
            else:
                base = self._new_base(file, len(files) + 10 * depth)
                self._extend(base, files, depth + 1)
            before = files.index(base)
        files.append(file)

    def _new_base(self, file: ConfigFile, number: int) -> ConfigFile:
        folder = self.dice.one(["", "lab/", "lab/größe 7/", 'other "lab"/', f"set{number}/"])
        location = f"{folder}acbo.toml" if folder.startswith("set") else f"{folder}base{number}.toml"
        reference, name = self._reference(file, location)
        file.extends.append(reference)
        return ConfigFile(location, os.path.join(os.path.dirname(file.name), name))

    def _reference(self, file: ConfigFile, location: str) -> tuple[str, str]:
        """How a file names another one, and what that is then called, seen from there."""
        relative = os.path.relpath(location, os.path.dirname(file.location) or ".")
        ways = {"relative": relative, "dot": f"./{relative}", "absolute": os.path.abspath(location)}
        if os.path.basename(location) == "acbo.toml":
            ways["directory"] = os.path.dirname(relative) or "."
        way = self.dice.way("reference", ways)
        return ways[way], os.path.join(ways[way], "acbo.toml") if way == "directory" else ways[way]

    def _write(self, file: ConfigFile, must_give: bool) -> None:
        """Write a file, and note what it gives; that it is what TOML says is asserted with `tomllib`."""
        values = self._draw_settings(must_give=must_give, is_json=False) | self._draw_notes(is_json=False)
        tree = tree_of(values)
        for table in self._tables():
            if len(table) == 1 and self.dice.happens(0.1):
                tree.setdefault(table[0], {})
        if file.extends or self.dice.happens(0.1):
            tree["extends"] = file.extends[0] if len(file.extends) == 1 and self.dice.happens(0.5) else file.extends
        writer = Writer(self.dice)
        writer.document(dict(self.dice.shuffled(tree.items())))
        assert exact(tomllib.loads(writer.text)) == exact(tree)
        Path(file.location).parent.mkdir(parents=True, exist_ok=True)
        Path(file.location).write_bytes(encode(self.dice, writer.text))
        self.documents[file.name], places = writer, writer.places
        layer = by_leaves({path: Given(value, Origin("file", file.name)) for path, value in values.items()})
        self.layers.append(
            {path: Given(value, origin._replace(place=places[path])) for path, (value, origin) in layer.items()}
        )


def layer_of_variables(entries: Iterable[tuple[str, KeyPath, str, Any]]) -> Layer:
    """What variables of single values give."""
    return {path: Given(value, Origin("variable", name, None, text)) for name, path, text, value in entries}


def by_leaves(layer: Layer) -> Layer:
    """A layer in which each key inside of a note is one of its own; an empty table is a value."""
    found: Layer = {}
    for path, (value, origin) in layer.items():
        if path[0] == "metadata" and isinstance(value, dict) and value:
            found |= by_leaves({(*path, name): Given(inside, origin) for name, inside in value.items()})
        else:
            found[path] = Given(value, origin)
    return found


def lay_note(tables: dict[str, Any], path: KeyPath, given: Given) -> None:
    """Lay one leaf over what lower layers have made: a table gives way to a value, and a value to a table."""
    *above, name = path
    for part in above:
        tables[part] = tables[part] if isinstance(tables.get(part), dict) else {}
        tables = tables[part]
    below = tables.get(name)
    if not (isinstance(below, dict) and given.value == {}):
        tables[name] = [given, *(below if isinstance(below, list) else [])]


def chains_of(tables: dict[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, list[Given]]]:
    """The chain of each leaf."""
    for name, below in tables.items():
        if isinstance(below, dict):
            yield from chains_of(below, (*above, name))
        else:
            yield (*above, name), below


# What a start tells


def exact(value: Any) -> Any:
    """A value together with the types of all that it holds."""
    if isinstance(value, dict):
        return {key: exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [exact(item) for item in value]
    return type(value), value


ORIGINS = {"default": Default, "file": File, "variable": Variable, "argument": Argument, "assignment": Assignment}


def told(sourced: SourcedValue) -> Given:
    """What a value tells of itself."""
    origin, position = sourced.origin, sourced.origin.position
    assert type(origin) is ORIGINS[origin.kind]
    assert str(origin) == (f"{origin.source_name}:{position.line}" if position else origin.source_name)
    place = (position.line, position.key_column, position.value_column) if position else None
    text = origin.text if isinstance(origin, Variable) else None
    return Given(exact(sourced.value), Origin(origin.kind, origin.source_name, place, text))


def check(generated: Generator) -> tuple[int, int]:
    """Compare all that a start tells with what was generated; count the values that were given, and their layers."""
    resolved = resolve_training_config(
        generated.path, overrides=generated.overrides, environ=generated.environ, schema=generated.schema
    )
    found, chains = {**resolved.values, **resolved.custom}, generated.chains()
    assert found.keys() == chains.keys(), generated.name
    for path, chain in chains.items():
        expected = [Given(exact(given.value), given.origin) for given in chain]
        assert [told(each) for each in (found[path], *found[path].shadowed)] == expected, (generated.name, path)
        check_documents(generated, (found[path], *found[path].shadowed))
    for path, setting in generated.settings.items():
        value = value_at(resolved.config, path)
        assert exact(value) == exact(setting.in_force(chains[path][0].value)), (generated.name, path)
    given = [chain for chain in chains.values() if chain[0].origin != BY_DEFAULT]
    return len(given), sum(map(len, given))


def check_documents(generated: Generator, chain: Iterable[SourcedValue]) -> None:
    """Compare the text of each file in a chain, and the places of all its keys, once, with what was written."""
    for origin in (sourced.origin for sourced in chain):
        if isinstance(origin, File) and (written := generated.documents.pop(origin.source.name, None)):
            found = {path: tuple(origin.source.position(path)) for path in written.places}
            assert origin.source.text == written.text, (generated.name, origin.source.name)
            assert found == written.places, (generated.name, origin.source.name)


def value_at(config: Any, path: KeyPath) -> Any:
    """The value of a setting of a configuration."""
    for name in path:
        config = getattr(config, name)
    return config


def test_every_value_tells_its_place_and_all_that_it_shadows() -> None:
    """Whatever the layers are, in every way in which they can be written, each value is the one that was generated."""
    values = layers = 0
    offered: set[tuple[str, str]] = set()
    taken: set[tuple[str, str]] = set()
    for seed in range(30):
        for generated in (Generator(seed, schema) for schema in CLASSES):
            more = check(generated)
            values, layers = values + more[0], layers + more[1]
            offered, taken = offered | generated.dice.offered, taken | generated.dice.taken
    assert values > 2000
    assert layers > 2.5 * values
    assert offered == taken
    assert len(offered) > 60


@pytest.mark.heavy
def test_eighty_thousand_values_tell_their_places() -> None:
    """The same for as many starts as it takes."""
    values = layers = starts = 0
    while values < 80_000:
        for schema in CLASSES:
            more = check(Generator(1000 + starts, schema))
            values, layers, starts = values + more[0], layers + more[1], starts + 1
    print(f"{values:,} values that somebody gave, in {layers:,} layers, of {starts:,} starts")
    assert starts > 1000
    assert layers > 2.5 * values
