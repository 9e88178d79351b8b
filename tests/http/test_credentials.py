"""Credentials: what a request says of who is asking, if it can be read at all."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from pypi.domain.permissions import Credentials
from pypi.http.credentials import MAX_LENGTH, credentials


class Request:
    """As much of a request as is looked at."""

    def __init__(self, *lines: str) -> None:
        self.requestHeaders = Headers({"Authorization": lines})


def basic(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"Basic {basic('ada:secret')}", Credentials("ada", "secret")),
        (f"BASIC   {basic('ada:secret')} ", Credentials("ada", "secret")),
        (f"Basic {basic('ada:a:b')}", Credentials("ada", "a:b")),
        (f"Basic {basic(':')}", Credentials("", "")),
        (f"Basic {basic('ädä:geheim€')}", Credentials("ädä", "geheim€")),
        ("Bearer cheeseshop-1-2", Credentials("__token__", "cheeseshop-1-2")),
        ("token  cheeseshop-1-2 ", Credentials("__token__", "cheeseshop-1-2")),
        ("bearer", Credentials("__token__", "")),
        ("", None),
        ("Basic", None),
        (f"Basic {basic('no colon')}", None),
        ("Basic YWRhOv8=", None),
        ("Basic YWRhOnNlY3JldA", None),
        ("Basic YWRh!OnNlY3JldA==", None),
        ("Basic ÿ", None),
        (f"Basic:{basic('ada:secret')}", None),
        ("Digest username=ada", None),
        ("Negotiate abc", None),
        (f"Basic {basic('ada:' + 's' * MAX_LENGTH)}", None),
    ],
)
def test_reading(line: str, expected: Credentials | None) -> None:
    """HTTP basic and bare tokens are understood; whatever is neither says nothing."""
    assert credentials(Request(line)) == expected


def test_two_headers() -> None:
    """Who says two things says nothing."""
    line = f"Basic {basic('ada:secret')}"
    assert credentials(Request()) is None
    assert credentials(Request(line, line)) is None


@given(st.text(alphabet=st.characters(codec="latin-1", exclude_characters="\r\n\0")))
def test_any_text(line: str) -> None:
    """Whatever stands there, nothing breaks."""
    found = credentials(Request(line))
    assert found is None or isinstance(found, Credentials)


@given(st.text().filter(lambda name: ":" not in name), st.text())
def test_round_trip(name: str, password: str) -> None:
    """Every name without a colon and every password arrive as they were sent."""
    line = f"Basic {basic(f'{name}:{password}')}"
    if len(line) <= MAX_LENGTH:
        assert credentials(Request(line)) == Credentials(name, password)


def test_repr_has_no_password() -> None:
    """Credentials can be logged by mistake without harm."""
    assert "secret" not in repr(Credentials("ada", "secret"))
