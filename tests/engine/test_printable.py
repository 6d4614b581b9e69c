"""Values and sentences as text: on one line, printable, cut, and fitted."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.printable import escape, show_value

AssertReport = Callable[[str, str], None]


@given(st.text(), st.integers(4, 50))
def test_escaped_text_is_printable_and_short(text: str, width: int) -> None:
    """Whatever the text, what is shown is one line of printable characters within the width."""
    shown = escape(text, width)
    assert shown.isprintable()
    assert len(shown) <= width


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Cn", "Co"]), max_size=30))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    """Printable text that fits is not changed."""
    assert escape(text, 30) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_value_is_shown_on_one_short_line(value: object) -> None:
    """A value of any type and size has a short form."""
    shown = show_value(value)
    assert shown.isprintable()
    assert len(shown) <= 500
