"""Which keys hold secrets, and that no text shows one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acbo_settings.engine.credentials import HIDDEN, find_secret, hide, is_secret, own_variable

NAMES = [
    *("api_key", "apikey", "access_key", "private_key", "token"),
    *("password", "passwd", "secret", "credential", "credentials"),
]


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_one_alone_and_behind_an_underscore(name: str) -> None:
    """Case and hyphens make no difference; a name that only ends in the letters is none."""
    for key in (name, f"wandb_{name}", f"WANDB_{name}".upper(), f"wandb-{name}".replace("_", "-")):
        assert is_secret(key), key
    for key in (f"x{name}", f"{name}_file", f"{name}1", name[:-1]):
        assert not is_secret(key) or key in NAMES, key


@given(
    st.sampled_from(NAMES), st.sampled_from([" = ", "=", ": ", '": "', "' = '"]), st.text("abcXYZ019+/ ", min_size=4)
)
def test_what_is_assigned_to_a_secret_is_hidden(name: str, sign: str, value: str) -> None:
    """In TOML, JSON and assignments alike, to the end of the text."""
    text = f"my_{name}{sign}k{value}q"
    assert hide(text).endswith(HIDDEN)
    assert value not in hide(text)
    assert hide(hide(text)) == hide(text)


@pytest.mark.parametrize(
    "text", ["max_token = 512", "use_token = true, x = 3", "total_steps = 7", "a sentence of secrets", "tokens = 'a'"]
)
def test_other_texts_stay(text: str) -> None:
    """Numbers, truth values and other keys are shown."""
    assert hide(text) == text


def test_secrets_are_found_at_any_depth() -> None:
    """In tables and in arrays of tables; only texts that hold something are secrets."""
    assert find_secret({"a": [{"b": {"token": "x"}}]}, 100) == ("a", "b", "token")
    assert find_secret({"token": 3, "secret": " ", "password": True, "a": ["token"]}, 100) is None


@pytest.mark.parametrize(
    ("path", "variable"),
    [
        (("metadata", "wandb_api_key"), "WANDB_API_KEY"),
        (("metadata", "wandb", "api-key"), "WANDB_API_KEY"),
        (("metadata", "runs", "hf_token"), "HF_TOKEN"),
        (("metadata", "token"), "such as WANDB_API_KEY"),
    ],
)
def test_the_variable_of_the_tool_is_named(path: tuple[str, ...], variable: str) -> None:
    """By the key, or by the table that it stands in."""
    assert variable in own_variable(path)
