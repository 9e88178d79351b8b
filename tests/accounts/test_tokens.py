"""Tokens: made, read, compared."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.accounts.tokens import PREFIX, Token, make, parse

ids, secrets = st.binary(min_size=8, max_size=8), st.binary(min_size=32, max_size=32)


@given(ids, secrets)
def test_round_trip(public: bytes, secret: bytes) -> None:
    """A token is read as it was written, blanks around it aside."""
    token = Token(public.hex(), secret.hex())
    assert parse(str(token)) == parse(f"\t {token}\r\n") == token
    assert token.matches(token.digest)


def test_what_is_kept() -> None:
    """Of the secret a SHA-256 is kept, and nothing that leads back to it."""
    token = make(lambda size: b"\xab" * size)
    assert str(token) == f"{PREFIX}-{'ab' * 8}-{'ab' * 32}"
    assert token.digest == hashlib.sha256(b"\xab" * 32).digest()


@given(secrets, secrets)
def test_comparison(one: bytes, other: bytes) -> None:
    """Only the same secret matches, whatever the public half."""
    first, second = Token("0" * 16, one.hex()), Token("1" * 16, other.hex())
    assert first.matches(second.digest) is (one == other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PREFIX,
        f"{PREFIX}--",
        f"{PREFIX}-{'0' * 15}-{'0' * 64}",
        f"{PREFIX}-{'0' * 16}-{'0' * 63}",
        f"{PREFIX}-{'0' * 16}-{'0' * 65}",
        f"{PREFIX}-{'A' * 16}-{'0' * 64}",
        f"{PREFIX}-{'0' * 16}-{'٠' * 64}",
        f"x{PREFIX}-{'0' * 16}-{'0' * 64}",
        f"{PREFIX}-{'0' * 16}-{'0' * 64}\nx",
        f"pypi-{'0' * 16}-{'0' * 64}",
    ],
)
def test_what_is_none(text: str) -> None:
    """Anything else is no token."""
    assert parse(text) is None


@given(st.text())
def test_any_text(text: str) -> None:
    """No text breaks the reader."""
    assert parse(text) is None or isinstance(parse(text), Token)
