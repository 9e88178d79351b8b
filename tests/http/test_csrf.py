"""Forms of strangers: what tells them from our own."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers

from pypi.http.csrf import FIELD, HEADER, NotOurForm, Origins, check_token, given_token, token

secrets = st.binary(min_size=32, max_size=32)


class Request:
    """As much of a request as is looked at."""

    def __init__(self, **lines: str) -> None:
        self.requestHeaders = Headers({name.replace("_", "-"): [line] for name, line in lines.items()})


@given(secrets, st.lists(secrets, min_size=2, max_size=2, unique=True))
def test_own_token(secret: bytes, masks: list[bytes]) -> None:
    """Each page has another token, and every one of them is good for its session."""
    one, other = (token(secret, lambda size, mask=mask: mask[:size]) for mask in masks)
    assert one != other
    check_token(secret, one)
    check_token(secret, other)


@given(secrets, secrets, st.randoms())
def test_token_of_another_session(secret: bytes, other: bytes, random: Random) -> None:
    """A token is good for no other session."""
    if secret != other:
        with pytest.raises(NotOurForm):
            check_token(other, token(secret, random.randbytes))


@given(secrets, st.randoms(), st.integers(0, 127))
def test_token_that_was_changed(secret: bytes, random: Random, place: int) -> None:
    """A token with another digit is none."""
    good = token(secret, random.randbytes)
    digit = "0" if good[place] != "0" else "1"
    with pytest.raises(NotOurForm):
        check_token(secret, good[:place] + digit + good[place + 1 :])


@pytest.mark.parametrize(
    "given", [None, "", "0" * 127, "0" * 128, "0" * 129, "g" * 128, "٠" * 128, "0" * 9999]
)
def test_what_is_no_token(given: str | None) -> None:
    """Nothing, and anything that does not look like a token, is none."""
    with pytest.raises(NotOurForm):
        check_token(b"secret", given)


def test_a_token_tells_nothing_of_the_secret() -> None:
    """The secret is not in the token, with or without its mask."""
    secret, mask = bytes(range(32)), bytes([255] * 32)
    shown = bytes.fromhex(token(secret, lambda size: mask[:size]))
    assert secret not in shown
    assert secret not in bytes(one ^ 255 for one in shown)


def test_where_the_token_is() -> None:
    """A form has it in a hidden field, a script in a header; who says two says none."""
    assert given_token(Request(), {FIELD: ["x"]}) == "x"
    assert given_token(Request(**{HEADER: "y"}), {}) == "y"
    assert given_token(Request(), {}) is None
    assert given_token(Request(**{HEADER: "x"}), {FIELD: ["x"]}) is None
    assert given_token(Request(), {FIELD: ["x", "x"]}) is None


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("https://index.example", {"https://index.example"}),
        ("https://Index.example:443/", {"https://index.example"}),
        ("https://index.example:8443", {"https://index.example:8443"}),
        ("http://index.example:80", {"http://index.example"}),
        ("https://[2001:db8::1]:8443", {"https://[2001:db8::1]:8443"}),
        ("http://127.0.0.1:8080", {f"http://{name}:8080" for name in ("127.0.0.1", "localhost", "[::1]")}),
    ],
)
def test_origins(origin: str, ours: set[str]) -> None:
    """An origin is spelled as browsers do; on this machine it has each of its names."""
    assert Origins.of(origin).ours == ours


@pytest.mark.parametrize(
    "lines",
    [
        {"Origin": "https://index.example"},
        {"Origin": "https://index.example", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ],
)
def test_our_own_pages(lines: dict[str, str]) -> None:
    """What a browser says of our own pages is believed."""
    Origins.of("https://index.example").check(Request(**lines))


@pytest.mark.parametrize(
    "lines",
    [
        {},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://index.example"},
        {"Origin": "https://index.example:444"},
        {"Origin": "https://index.example.evil.example"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://index.example", "Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Referer": "https://index.example/"},
    ],
)
def test_pages_of_others(lines: dict[str, str]) -> None:
    """Any word of another origin, or none at all, is refused with a sentence people can act on."""
    with pytest.raises(NotOurForm, match="load the page again"):
        Origins.of("https://index.example").check(Request(**lines))
