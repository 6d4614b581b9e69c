"""Positions: every key of a TOML document is found, where it stands, in linear time."""

from __future__ import annotations

import os
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acbo_settings.engine.canonical import KeyPath
from acbo_settings.engine.names import MAX_KEY_PARTS
from acbo_settings.engine.toml_document import Document, Position, find_long_key, find_long_number, find_positions

LONG_NUMBER = "9" * 5000
"""More digits than Python turns into an integer."""

SCALARS = st.sampled_from(
    [
        "1", "-0.5", "0x1F", "true", "inf", "1979-05-27", "1979-05-27 07:32:00", "07:32:00.5",
        '""', "''", '"# no comment"', "'[x] = {'", '"\\"] }"', r"'\'", '"=,"',
        '""""""', '"""two "" quotes"""', '""""four"""""', '"""\nline = 1\n[table]\n# "\n"""', '"""a\\\n   b"""',
        "''''''", "'''\n\"\"\" ''\n]'''", "''''a'''''", '"""\\""""',
    ]
)  # fmt: skip
"""Values without keys inside, in every syntax, holding what looks like other syntax."""

PLAIN_KEYS = st.sampled_from(
    ["a", "b", "c", "1", "-", "a_b", '"a"', "'b'", '"a.b"', "'c]'", '"="', '"#"', '""', '"\\u0061"', '"\\"{"', "'\"'"]
)

KEYS = st.builds(
    lambda parts, dot: dot.join(parts),
    st.lists(PLAIN_KEYS, min_size=1, max_size=3),
    st.sampled_from([".", " . ", "\t."]),
)


def array(items: list[str], comma: str, end: str) -> str:
    """The source text of an array."""
    return f"[{comma.join(items)}{end}]"


def inline_table(items: list[tuple[str, str]], equals: str) -> str:
    """The source text of an inline table of these keys and values."""
    return "{" + ", ".join(f"{key}{equals}{value}" for key, value in items) + "}"


def arrays_and_tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """The source texts of arrays and inline tables of such values."""
    commas = st.sampled_from([",", " , ", ",\n\n", ", # ] ' \"\n\t"])
    ends = st.sampled_from(["", " ", "\n", " # [\n"])
    arrays = st.builds(array, st.lists(values, max_size=3), commas, ends)
    equals = st.sampled_from(["=", " = ", "\t= "])
    return arrays | st.builds(inline_table, st.lists(st.tuples(KEYS, values), max_size=3), equals)


def is_valid(text: str) -> bool:
    """Whether tomllib accepts a document."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


VALUES = st.recursive(SCALARS, arrays_and_tables, max_leaves=6).filter(lambda value: is_valid(f"a = {value}"))
"""The source text of a value of any kind, comments inside arrays included."""

STATEMENTS = st.one_of(
    st.builds("{}={}".format, KEYS, VALUES),
    st.builds("  {} = {} # [comment] = '".format, KEYS, VALUES),
    st.builds("[{}]".format, KEYS),
    st.builds("\t[ {} ]\t# ]".format, KEYS),
    st.builds("[[{}]]".format, KEYS),
    st.builds('[[ {} ]] # """'.format, KEYS),
    st.sampled_from(["", "  ", "# a = 1", "# [a] \"'", "#"]),
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A valid document: of any statements, in order, those that tomllib accepts after the ones before."""
    text = ""
    for statement in draw(st.lists(STATEMENTS, max_size=10)):
        longer = f"{text}{statement}\n"
        text = longer if is_valid(longer) else text
    return text if draw(st.booleans()) else text.rstrip("\n")


@st.composite
def simple_documents(draw: st.DrawFn) -> tuple[str, dict[KeyPath, tuple[str, str]]]:
    """A document of assignments, with the source text of each key and of its value."""
    text = ""
    table: KeyPath = ()
    sources: dict[KeyPath, tuple[str, str]] = {}
    for number, value in enumerate(draw(st.lists(VALUES, min_size=1, max_size=5))):
        name = f"ключ {number}"
        key = draw(st.sampled_from([f"'{name}'", f'"{name}"']))
        if draw(st.booleans()):
            table = (f"table-{number}",)
            text += draw(st.sampled_from(["", "\n", "# [x]\n"])) + f"[table-{number}]\n"
        equals = draw(st.sampled_from(["=", " = ", "\t=\t"]))
        text += draw(st.sampled_from(["", "  ", "\t"])) + f"{key}{equals}{value}\n"
        sources[*table, name] = (key, value)
    return text, sources


def paths_of(tree: dict[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of every key of a parsed document; arrays are leaves."""
    for key, value in tree.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from paths_of(value, (*above, key))


def read_corpus(folder: Path) -> list[str]:
    """The texts of all documents below a folder that tomllib accepts, as they are read from files."""
    texts = []
    for file in sorted(folder.rglob("*.toml")):
        text = file.read_bytes().decode(errors="replace").replace("\r\n", "\n")
        if is_valid(text):
            texts.append(text)
    return texts


def assert_same_paths(text: str) -> None:
    """Compare the keys that have a position with those of the parsed tree."""
    assert set(find_positions(text)) == set(paths_of(tomllib.loads(text)))


@settings(deadline=None)
@given(documents())
@example("a = {b = {}, c.d = [{e = 1}]}\n[a2.b]\n[[x.y]]\nz = 1\n[x.y.w]\n[x.v]")
def test_paths_are_those_of_the_parsed_tree(text: str) -> None:
    """The keys that have a position are exactly those that tomllib finds in the document."""
    assert_same_paths(text)


@settings(deadline=None)
@given(documents())
def test_positions_come_in_the_order_of_the_document(text: str) -> None:
    """The result lists the keys as they follow one another in the text."""
    starts = [(position.line, position.key_column) for position in find_positions(text).values()]
    assert starts == sorted(starts)


@settings(deadline=None)
@given(simple_documents())
def test_columns_point_at_key_and_value(drawn: tuple[str, dict[KeyPath, tuple[str, str]]]) -> None:
    """The source text of the key starts at the key column, that of the value at the value column."""
    text, sources = drawn
    positions = find_positions(text)
    for path, (key, value) in sources.items():
        line, key_column, value_column = positions[path]
        line_start = sum(len(above) + 1 for above in text.split("\n")[: line - 1])
        assert text.startswith(key, line_start + key_column - 1)
        assert text.startswith(value, line_start + value_column - 1)


def test_paths_of_the_corpus_of_cpython() -> None:
    """The property holds on the valid documents that Python tests tomllib with."""
    try:
        package = find_spec("test.test_tomllib")
    except ModuleNotFoundError:
        package = None
    if package is None or not package.submodule_search_locations:
        pytest.skip("this Python comes without its own tests, test.test_tomllib")
    texts = read_corpus(Path(package.submodule_search_locations[0], "data", "valid"))
    assert len(texts) >= 10
    for text in texts:
        assert_same_paths(text)


@pytest.mark.heavy
def test_paths_of_the_corpus_of_toml_test() -> None:
    """The property holds on the valid documents of toml-test, below the folder that TOML_TEST_CORPUS names."""
    folder = os.environ.get("TOML_TEST_CORPUS")
    assert folder, "set TOML_TEST_CORPUS to the folder of toml-test's valid documents"
    texts = read_corpus(Path(folder))
    assert len(texts) >= 90
    for text in texts:
        assert_same_paths(text)


@pytest.mark.parametrize(
    ("text", "path", "position"),
    [
        ("a = 1", ("a",), (1, 1, 5)),
        ("\n\n  a\t=\t1", ("a",), (3, 3, 7)),
        ("a.b = 1", ("a",), (1, 1, 7)),
        ("a.b = 1", ("a", "b"), (1, 1, 7)),
        ("a.b = 1\na.c = 2", ("a",), (1, 1, 7)),
        ("a.b = 1\na.c = 2", ("a", "c"), (2, 1, 7)),
        ("a = {b = 1, c = 'x'}", ("a",), (1, 1, 5)),
        ("a = {b = 1, c = 'x'}", ("a", "b"), (1, 6, 10)),
        ("a = {b = 1, c = 'x'}", ("a", "c"), (1, 13, 17)),
        ('a = {b = """\n""", c = 2}', ("a", "c"), (2, 6, 10)),
        ("x = [\n1, # ]\n]\na = 1", ("a",), (4, 1, 5)),
        ("x = '''\na = 1'''\na = 2", ("a",), (3, 1, 5)),
        ("'é' = 1", ("é",), (1, 1, 7)),
        ("[a]", ("a",), (1, 2, 2)),
        ("[a.b]\nc = 1", ("a",), (1, 2, 2)),
        ("[a.b]\nc = 1", ("a", "b", "c"), (2, 1, 5)),
        ("[a.b]\n[a]", ("a",), (1, 2, 2)),
        ("[[a]]\n[[a]]", ("a",), (1, 3, 3)),
        ("[ a ]", ("a",), (1, 3, 3)),
        ("[[ a ]]", ("a",), (1, 4, 4)),
    ],
)
def test_position(text: str, path: KeyPath, position: tuple[int, int, int]) -> None:
    """A position is the line and the columns of the first mention, counted from 1 in characters."""
    assert find_positions(text)[path] == Position(*position)


@pytest.mark.parametrize(
    "text",
    [
        "[[a]]\nb = 1\n[a.c]\nd = 1\n[[a.e]]\nf = 1",
        "a = [{b = 1}, [{c = 1}]]",
        "[[a]]\nb.c = {d = 1}",
    ],
)
def test_tables_inside_arrays_have_no_position(text: str) -> None:
    """The array is the value: what its tables hold has no path."""
    assert list(find_positions(text)) == [("a",)]


@pytest.mark.parametrize("text", ["", "\n", "# a = 1", "\t"])
def test_document_without_keys(text: str) -> None:
    """A document that sets nothing has no positions."""
    assert find_positions(text) == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a." * MAX_KEY_PARTS + "a = 1", 1),
        ("x = 1\n\n" + "a." * MAX_KEY_PARTS + "a = 1", 3),
        ("x = '''\n'''\n[" + "a." * MAX_KEY_PARTS + "a]", 3),
        ("[[" + "a . " * MAX_KEY_PARTS + "a]]", 1),
        ("'a'." * MAX_KEY_PARTS + "a = 1", 1),
        ('"a"."b".' * MAX_KEY_PARTS + "a = 1", 1),
        ("x = {" + "a." * MAX_KEY_PARTS + "a = 1}", 1),
        ("x = {y = 1, " + "a." * MAX_KEY_PARTS + "a = 1}", 1),
        ("a." * MAX_KEY_PARTS, 1),
        ("." * MAX_KEY_PARTS, 1),
        ("\n" + "a." * MAX_KEY_PARTS + "a = 1", 2),
    ],
)
def test_long_key_is_found(text: str, line: int) -> None:
    """A dotted key of more than the most parts has its line named, in every syntax and in broken documents."""
    assert find_long_key(text) == line


DOTS = "." * (2 * MAX_KEY_PARTS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a." * (MAX_KEY_PARTS - 1) + "a = 1",
        "[" + "a." * (MAX_KEY_PARTS - 1) + "a]",
        "a." * (MAX_KEY_PARTS - 1) + f"a = 1 # {DOTS}",
        f"# {DOTS}\n" + "a." * (MAX_KEY_PARTS - 1) + "a = 1",
        f"a = '{DOTS}'",
        f'a = "\\"{DOTS}" # {DOTS}',
        f"a = '''\n{DOTS}\n'''",
        f'a = """\n{DOTS}\\"""{DOTS}\n"""',
        f"# {DOTS}",
        f"'{DOTS}' = 1",
        "a = [" + "1.5, " * 2 * MAX_KEY_PARTS + "]",
        "a = {" + "b.c = 1.5, " * 2 * MAX_KEY_PARTS + "}",
    ],
)
def test_no_long_key(text: str) -> None:
    """Dots in strings, comments and numbers make no long key, nor does a key of the most parts allowed."""
    assert find_long_key(text) is None


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (f"a = {LONG_NUMBER}", 1, 5),
        (f"a = 1\n\n# note\nb = {LONG_NUMBER}\nc = 2", 4, 5),
        (f"\na = {LONG_NUMBER}", 2, 5),
        (f"[a]\nb = 1\n[c]\nd = [1,\n{LONG_NUMBER}]", 5, 1),
        (f"a = {{b = -{LONG_NUMBER}}}", 1, 10),
        (f"[[a]]\nb = 1\n[[a]]\nb = {LONG_NUMBER}", 4, 5),
        (f"a = 1\na = {LONG_NUMBER}\nb 1", 2, 5),
    ],
)
def test_long_number_is_found(text: str, line: int, column: int) -> None:
    """The first number with more digits than Python reads is found, whatever stands below it."""
    assert find_long_number(text) == Position(line, column, column)


@pytest.mark.parametrize("value", [f'"{LONG_NUMBER}"', f"0x{LONG_NUMBER}", f"1.{LONG_NUMBER}", f"1 # {LONG_NUMBER}"])
def test_other_long_texts_are_no_long_number(value: str) -> None:
    """Texts, comments, floats and hexadecimal numbers may have any number of digits."""
    assert find_long_number(f"a = {value}") is None


@settings(deadline=None)
@given(documents())
def test_valid_documents_have_neither_long_keys_nor_long_numbers(text: str) -> None:
    """Whatever tomllib reads raises no alarm."""
    assert find_long_key(text) is None
    assert find_long_number(text) is None


KIB = 1 << 10
ONE_MIB = pytest.param(1024 * KIB, marks=pytest.mark.heavy)


def assert_linear(work: Callable[[str], object], make: Callable[[int], str], largest: int) -> None:
    """Work on documents up to the largest size takes under 5 s, where time with the square of the size would not.

    The smallest comes first, so that work of another order fails here instead of going on for hours.
    """
    for size in (largest // 16, largest // 4, largest):
        text = make(size)
        start = time.process_time()
        work(text)
        assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "pattern",
    ['"""', "'''", '"text', "[", '"\\', '\\"""\n', "''' \"\"\"\n", '"""\n\\', "#'''\n"],
)
@pytest.mark.parametrize("largest", [256 * KIB, ONE_MIB])
def test_long_keys_are_looked_for_in_linear_time(pattern: str, largest: int) -> None:
    """Unclosed strings, quotes and brackets in any number make no character be read again and again."""
    assert_linear(find_long_key, lambda size: pattern * (size // len(pattern)) + "\n" + DOTS + "\\", largest)


@pytest.mark.parametrize("pattern", [LONG_NUMBER[:999] + "x\n", LONG_NUMBER[:499] + ",", '"""\n\\'])
@pytest.mark.parametrize("largest", [256 * KIB, ONE_MIB])
def test_long_numbers_are_looked_for_in_linear_time(pattern: str, largest: int) -> None:
    """Many texts of many digits take time with their length."""
    assert_linear(find_long_number, lambda size: pattern * (size // len(pattern)) + "\\", largest)


@pytest.mark.parametrize(
    ("opening", "pattern", "closing"),
    [
        ('a = """', '""\\"', '"""'),
        ("a = '''", "''\n", "'''"),
        ("", "#[]'''\n", ""),
        ("a = [", "[12345678, {b = 'text'}], # [\n", "]"),
    ],
)
@pytest.mark.parametrize("largest", [256 * KIB, ONE_MIB])
def test_positions_are_found_in_linear_time(opening: str, pattern: str, closing: str, largest: int) -> None:
    """Long strings, comments and arrays take time with their length."""
    assert_linear(find_positions, lambda size: f"{opening}{pattern * (size // len(pattern))}{closing}", largest)


@pytest.mark.parametrize("pattern", ["k{}=1\n", "[a.t{}]\n", "a.k{}=1\n"])
def test_many_keys_are_found_in_linear_time(pattern: str) -> None:
    """Many short keys take time with their number."""
    assert_linear(find_positions, lambda size: "".join(map(pattern.format, range(size // 10))), 128 * KIB)


ARRAYS = """\
[grid]
grpo.group_size = [32, 64,
   128] # the largest
a.b = [[1, 2], [3], "x]"]
[[paired]]
grpo.learning_rate = 1e-4
[paired.grpo.x]
y = 2
[[paired]]
z = [{c = 1, d.e = [1, 2]}, {c = 4}]
[[paired.deep]]
q = 1
[[paired.deep]]
q = 2
"""


@pytest.mark.parametrize(
    ("path", "line", "key_column", "value_column"),
    [
        (("grid", "grpo", "group_size", 1), 2, 24, 24),
        (("grid", "grpo", "group_size", 2), 3, 4, 4),
        (("grid", "a", "b", 1), 4, 16, 16),
        (("grid", "a", "b", 1, 0), 4, 16, 16),
        (("grid", "a", "b", 2), 4, 21, 21),
        (("paired", 0), 5, 3, 3),
        (("paired", 0, "grpo", "learning_rate"), 6, 1, 22),
        (("paired", 0, "grpo", "x", "y"), 8, 1, 5),
        (("paired", 1), 9, 3, 3),
        (("paired", 1, "z", 0, "d", "e", 1), 10, 24, 24),
        (("paired", 1, "z", 1, "c"), 10, 30, 34),
        (("paired", 1, "deep", 1, "q"), 14, 1, 5),
        (("paired", 1, "deep", 7, "q"), 11, 3, 3),
    ],
)
def test_items_of_arrays_have_places_of_their_own(
    path: tuple[str | int, ...], line: int, key_column: int, value_column: int
) -> None:
    """A number in a path leads to an item, also in an array of tables; without one, the array is the value."""
    document = Document("sweep.toml", ARRAYS)
    assert document.position(path) == Position(line, key_column, value_column)
    assert document.position(("paired", "grpo", "learning_rate")) == Position(5, 3, 3)


@given(st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=4), max_leaves=12))
def test_any_array_is_gone_through(value: object) -> None:
    """What follows an array, whatever stands in that, is found at its place."""
    text = f"a = {value}\nb = [7]\n"
    found = find_positions(text, has_items=True)
    assert found["b", 0] == Position(2, 6, 6)
    count = len(value) if isinstance(value, list) else 0
    assert [path for path in found if path[0] == "a"] == [("a",), *(("a", number) for number in range(count))]
