"""YAML as kubectl reads it; which scalars are text was measured with kubectl 1.32."""

from __future__ import annotations

import pytest

from acbo_settings.engine.toml_document import Document
from acbo_settings.jobs.kubernetes.yaml_text import Tree, YamlError, plain_kind

KINDS = {
    "a number": (
        *"128 -128 +128 1_000 1__0 1_ +_1 -0 00 0x1F 0X1F -0x1F 0x_1F 0b101 0B101 -0b101 0o17 0O17 -0o17 017".split(),
        *"0_7 0o_17 0X_1f 0_x1F 08 09 99999999999999999999 1e-4 1E-4 1e4 1e+4 +12e3 1.e4 .5 -.5 +.5 .5_0 -.5_0".split(),
        *".5e3 5. 1. 0.0003 1_000.5 1_0e1_0 1e1_0 1_e4 1e_4 1e-400 .inf +.Inf -.INF .nan .NaN .NAN".split(),
    ),
    "true or false": tuple(
        "y Y yes Yes YES n N no No NO true True TRUE false False FALSE on On ON off Off OFF".split()
    ),
    "nothing": ("", "~", "null", "Null", "NULL"),
    "": (
        *"_1 1,000 1d 64Gi 100m 10% 1/2 1.2.3 128#x １２８ 0xZZ 0o18 0b12 0x 0b 0o 0x1p4 . + 1e e4 1e4.5 1e-4f".split(),
        *"1e400 -1e400 1e309 _.5 ._5 .5_ .5f .0x1 1.5. 1..5 .e4 00x1F inf nan NaN Infinity .Nan t f tRue yEs".split(),
        *"nUll None none 1:30 1:30:00 190:20:30.15 12:30.5 2026-11-25 2026-1-5 2026-11-25T10:00:00Z = <<".split(),
        *("0xFFFFFFFFFFFFFFFFFF", f"0b{'1' * 70}", "2026-11-25 10:00:00", "+ 1"),
    ),
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in KINDS.items() for text in texts])
def test_what_kubectl_takes_a_plain_scalar_for(kind: str, text: str) -> None:
    """Booleans as in YAML 1.1, no sexagesimals, dates are text."""
    assert plain_kind(text) == kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("'128'", ""),
        ('"no"', ""),
        ("|\n 128", ""),
        (">-\n 128", ""),
        ("!!str 128", ""),
        ("! 128", ""),
        ("!mine 128", ""),
        ("!!binary MTI4", ""),
        ('!!int "128"', "a number"),
        ('!!bool "yes"', "true or false"),
        ('!!null ""', "nothing"),
        ("[1]", "a list"),
        ("{a: b}", "a mapping"),
    ],
)
def test_quotes_and_tags(written: str, kind: str) -> None:
    """What is quoted, or in a block, is text; a tag wins."""
    tree = Tree(Document("a.yaml", f"a: {written}\n"))
    value = tree.value(tree.roots[0], "a")
    assert value
    assert value.taken_for == kind


def test_keys_that_stand_twice_and_merged_ones() -> None:
    """The last of a key counts; a key of its own wins over a merged one, and of those the first."""
    text = "b: &b {x: b, y: b}\nc: &c {y: c, z: c}\nd:\n  x: d\n  <<: [*b, *c]\n  x: last\n"
    tree = Tree(Document("a.yaml", text))
    merged = tree.entries(tree.value(tree.roots[0], "d"))
    assert {name: entry.value.text for name, entry in merged.items()} == {"x": "last", "y": "b", "z": "c"}
    [double] = tree.doubles
    assert (tree.line(double.ignored.key), tree.line(double.last.key)) == (4, 6)


@pytest.mark.parametrize(
    ("text", "says", "place"),
    [
        ("a:\n\t- b", "a tab cannot stand", (2, 1)),
        ("a: b: c", "needs quotes", (1, 5)),
        ("a: b\n   c: d", "same indentation", (2, 5)),
        ("a: [b", "bracket", (1, 6)),
        ("a: &x 1\n---\nb: *x", "*x has no anchor", (3, 4)),
        ("a: &x [*x]", "stands inside", (1, 8)),
        ("é: \x01", "control characters", (1, 4)),
        ("a: \ud800", "no character", (1, 4)),
    ],
)
def test_what_is_no_yaml(text: str, says: str, place: tuple[int, int]) -> None:
    """What is wrong is said in plain words, with its line and column."""
    with pytest.raises(YamlError, match=says.replace("*", r"\*")) as raised:
        Tree(Document("a.yaml", text))
    before = text[: raised.value.offset]
    assert (before.count("\n") + 1, raised.value.offset - before.rfind("\n")) == place


def test_an_anchor_may_be_given_anew() -> None:
    """As in YAML 1.2 and with kubectl, an alias means the last one above it."""
    tree = Tree(Document("a.yaml", "a: &x 1\nb: &x 2\nc: *x\n"))
    assert tree.text(tree.roots[0], "c") == "2"


def test_lines_are_those_of_the_document() -> None:
    """A line separator of Unicode ends no line of the document, although YAML takes it for an end."""
    tree = Tree(Document("a.yaml", "a: 'x\u2028 y'\nb: z\n"))
    value = tree.value(tree.roots[0], "b")
    assert value
    assert tree.place(value.start) == (2, 4)
