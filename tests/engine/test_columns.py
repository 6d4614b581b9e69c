"""Cells as columns: whatever the width, nothing of them is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.columns import lay_out

CELLS = st.text("ab ._/=,-größe日", max_size=30).map(lambda text: " ".join(text.split()))


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Some rows, the first of which are heads."""
    columns = draw(st.integers(1, 5))
    heads = [f"HEAD{number}" for number in range(columns)]
    return [heads, *draw(st.lists(st.lists(CELLS, min_size=columns, max_size=columns), max_size=5))]


@given(tables(), st.integers(20, 130))
def test_nothing_is_lost(rows: list[list[str]], width: int) -> None:
    """Every character of every cell stands in the lines of its row, and no line ends with white space."""
    laid = lay_out(rows, width)
    assert len(laid) == len(rows)
    heads = "" if laid[0] else "".join(rows[0])
    for row, lines in zip(rows[1:], laid[1:], strict=True):
        shown = "".join(lines).replace(" ", "")
        cells = [cell.replace(" ", "") for cell in row]
        named = "".join(head for head, cell in zip(rows[0], cells, strict=True) if cell) if heads else ""
        assert sorted(shown) == sorted("".join(cells) + named)
    assert all(line == line.rstrip() for lines in laid for line in lines)


@given(tables(), st.integers(20, 130))
def test_no_line_is_too_long(rows: list[list[str]], width: int) -> None:
    """A character of East Asia takes two columns."""
    for line in (line for lines in lay_out(rows, width) for line in lines):
        assert len(line) + line.count("日") <= width


def test_the_cells_that_are_long_give_way() -> None:
    """The column is made narrower in which the fewest rows need another line for it."""
    rows = [["KEY", "VALUE", "NOTE"], ["a", "a long value", "a sentence of many words"], ["b", "1", "another sentence"]]
    assert lay_out(rows, 32) == [
        ["KEY  VALUE         NOTE"],
        ["a    a long value  a sentence of", "                   many words"],
        ["b    1             another", "                   sentence"],
    ]


def test_keys_are_broken_between_their_words() -> None:
    """Where a key is too long; the name of a file is not."""
    rows = [["KEY", "FROM"], ["evaluation.early_stopping_patience", "acbo.toml:2"]]
    assert lay_out(rows, 32)[1] == ["evaluation.early_    acbo.toml:2", "stopping_patience"]


def test_keys_are_broken_between_names_before_words() -> None:
    """Behind a dot, or two underscores, where the names fit; between the words of a name that is too long itself."""
    keys = ["grpo.entropy_coeff", "rewards.optimization_weight", "ACBO_GRPO__GROUP_SIZE"]
    laid = [lay_out([["SETTING", "VALUE"], [key, "64"]], 20)[1] for key in keys]
    assert laid == [
        ["grpo.          64", "entropy_coeff"],
        ["rewards.       64", "optimization_", "weight"],
        ["ACBO_GRPO__    64", "GROUP_SIZE"],
    ]


def test_what_fits_no_columns_is_written_line_by_line() -> None:
    """A line for each cell that is not empty, and a blank line between rows."""
    rows = [["INDEX", "FINGERPRINT", "STATE"], ["0", "3d8b87aa78d8dd78", ""], ["1", "facf0063975bf2c4", "done"]]
    assert lay_out(rows, 29, whole=[1]) == [
        [],
        ["INDEX        0", "FINGERPRINT  3d8b87aa78d8dd78"],
        ["", "INDEX        1", "FINGERPRINT  facf0063975bf2c4", "STATE        done"],
    ]


def test_a_cell_can_have_lines_of_its_own() -> None:
    """They stand below one another, and numbers at the right."""
    assert lay_out([["KEY", "1"], ["a", ["5000", "line 1"]]], 80, right=[1]) == [
        ["KEY       1"],
        ["a      5000", "     line 1"],
    ]
