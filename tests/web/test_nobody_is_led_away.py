"""Redirects stay on this index, whatever stands in the address that is asked for, be it an old one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import pytest_twisted

from pypi.http.terms import Credential
from tests.support.archives import wheel
from tests.support.client import Reply
from tests.support.index import Index
from tests.support.walked import ALL, VALUES, address

SETTINGS = {"limits__factor": 0}

OLD = (
    *(
        "/pypi",
        "/pypi/walked",
        "/pypi/walked/1.0",
        "/simple/Walked",
        "/packages",
        "/u/ada",
        "/docs",
        "/account/login",
    ),
    *("/rss", "/help", "/project", "/project/walked", "/user", "/legacy", "/security", "/manage/projects"),
)

AWAY = (
    "//evil.example",
    "/%2fevil.example",
    "/%5cevil.example",
    "/\\evil.example",
    "@evil.example",
    ".evil.example",
)
"""What makes another site of an address, put before, into or behind it."""

QUERIES = (
    "next=//evil.example",
    "url=https://evil.example/",
    "r=//evil.example",
    ":action=login&next=//evil.example",
)

PLACES = sorted(
    {
        *OLD,
        *(address(route).partition("?")[0] for route in ALL if Credential.SESSION not in route.terms.takes),
    }
)
"""Addresses of today that need nobody to be signed in, and others of old."""


def asked(place: str) -> Iterator[str]:
    """Addresses made of one, all of which may lead elsewhere on the index, and none away."""
    bare = place.rstrip("/")
    for away in AWAY:
        yield f"{away}{place}"
        yield f"{bare}{away}"
        yield f"{bare}{away}/.."
        head, _, tail = bare.rpartition("/")
        yield f"{head}{away}/{tail}"
    for query in QUERIES:
        yield f"{place}?{query}"


@pytest_twisted.async_yield_fixture(scope="module")
async def walked(index: Index) -> AsyncIterator[Index]:
    """An index with the project that addresses are of."""
    assert (await index.upload(wheel("walked", "1.0"), VALUES["filename"])).status == 200
    yield index


@pytest.mark.parametrize("place", [one for one in PLACES if one[:2] != "//" and one != "/api/changes/stream"])
async def test_led_away(walked: Index, place: str) -> None:
    """No answer leads to another site."""
    origin = f"http://127.0.0.1:{walked.port}"
    for path in asked(place):
        reply = await walked.ask(path)
        assert leads(reply, origin + path) in ("", f"127.0.0.1:{walked.port}"), path
        assert reply.status < 500, path


def leads(reply: Reply, here: str) -> str:
    """The host a browser would go to; empty for none."""
    location = reply["Location"].replace("\\", "/")
    return urlsplit(urljoin(here, location)).netloc if location else ""
