"""Cookies: how the secret of a session is kept by browsers, and what of it is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from pypi.http.cookies import MAX_HEADER, MAX_PAIRS, SESSION, VISIT, Cookie

SAFE = Cookie("__Host-cheeseshop-session", secure=True)


class Request:
    """As much of a request as is looked at."""

    def __init__(self, *lines: str) -> None:
        self.requestHeaders = Headers({"Cookie": lines})


def test_over_https() -> None:
    """Over HTTPS the name makes browsers keep the cookie to this very host and to HTTPS."""
    cookie = Cookie.of("https://index.example", SESSION)
    assert cookie == SAFE
    assert cookie.header("a-B_9", seconds=60) == (
        "Set-Cookie",
        "__Host-cheeseshop-session=a-B_9; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
    )


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080"])
def test_on_this_machine(origin: str) -> None:
    """Plain HTTP on this machine has a cookie of a plain name, which is not sent to it alone by HTTPS."""
    cookie = Cookie.of(origin, VISIT)
    assert cookie is not None
    assert cookie.header("x") == ("Set-Cookie", "cheeseshop-visit=x; Path=/; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize(
    "origin", ["http://index.example", "http://10.0.0.1:8080", "http://localhost.example"]
)
def test_in_the_open(origin: str) -> None:
    """Plain HTTP to another machine has no cookie at all."""
    assert Cookie.of(origin, SESSION) is None


def test_forgetting() -> None:
    """A cookie is forgotten under the very attributes it was set with."""
    said = "__Host-cheeseshop-session=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
    assert SAFE.forget() == ("Set-Cookie", said)


@pytest.mark.parametrize("value", ["", "a b", "a;b", "a\r\nb", 'a"', "ä", "a" * 513])
def test_values_that_cannot_be(value: str) -> None:
    """No value gets out of its place in the header."""
    with pytest.raises(ValueError, match="a cookie of ours"):
        SAFE.header(value)


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        (["{name}=abc"], "abc"),
        (["a=b; {name}=abc; c"], "abc"),
        (["a=b;{name}=abc;"], "abc"),
        (['a="x; y"; {name}=abc'], "abc"),
        ([], None),
        (["a=b"], None),
        (["{name}"], None),
        (["{name}="], None),
        (["{name}=abc; {name}=def"], None),
        (["{name}=abc; {name}=abc"], None),
        (["{name}=abc; {name}"], None),
        (["{name}=abc", "a=b"], None),
        (["{name}=abc", "{name}=abc"], None),
        (['{name}="abc"'], None),
        (["{name}=abc=def"], None),
        (["{name}=a%62c"], None),
        (["{name}=abc,def"], None),
        (["__host-cheeseshop-session=abc"], None),
        (["cheeseshop-session=abc"], None),
        (["{name}=abc; ä=ö"], "abc"),
        (["{name}=abc; a=" + "b" * MAX_HEADER], None),
        (["{name}=abc" + ";" * MAX_PAIRS], None),
    ],
)
def test_reading(lines: list[str], read: str | None) -> None:
    """A value counts that is there once, in a header that is there once; others' cookies do no harm."""
    assert SAFE.read(Request(*(line.replace("{name}", SAFE.name) for line in lines))) == read


@given(st.from_regex(r"[A-Za-z0-9_-]{1,512}", fullmatch=True))
def test_what_is_set_is_read(value: str) -> None:
    """A browser gives back what it was given."""
    pair = SAFE.header(value)[1].partition(";")[0]
    assert SAFE.read(Request(f"other=1; {pair}")) == value


@given(st.text(max_size=200))
def test_any_header(text: str) -> None:
    """Whatever a client sends, nothing is read from it, or a value a cookie of ours can have."""
    read = SAFE.read(Request(text.replace("\r", "").replace("\n", "")))
    assert read is None or SAFE.header(read)
