"""What browsers are told a page may do."""

from __future__ import annotations

import pytest

from pypi.front import PUBLIC
from pypi.http.security import NO_FEATURES, content_policy, hsts, page_headers, source_of
from tests.support.index import Index

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def test_nothing_inline() -> None:
    """No source of the policy lets code run, or style apply, that stands in a page."""
    policy = content_policy("https:")
    assert policy == POLICY
    assert "unsafe" not in policy
    assert "data:" not in policy


@pytest.mark.parametrize(
    ("images", "source"),
    [
        ("https:", "https:"),
        ("https://camo.example", "https://camo.example"),
        ("https://camo.example:8443/deep/path", "https://camo.example:8443"),
    ],
)
def test_images(images: str, source: str) -> None:
    """Images come from ourselves, and from the proxy alone where there is one."""
    assert source_of(images) == source
    assert f"img-src 'self' {source};" in content_policy(images)


def test_hsts() -> None:
    """Browsers are told to keep to HTTPS only by an index that is reached by it."""
    assert hsts(secure=False) == ()
    assert page_headers(secure=True)[-1] == ("Strict-Transport-Security", "max-age=31536000")
    assert "Strict-Transport-Security" not in dict(page_headers())


@pytest.mark.parametrize("path", ["/", "/search/", "/nowhere", "/project/nothing-of-this-name/"])
async def test_of_every_page(index: Index, path: str) -> None:
    """Pages, found or not, run no strange script, are framed by nobody and tell nobody too much."""
    reply = await index.ask(path, {"Accept": BROWSER})
    assert reply["Content-Type"] == "text/html; charset=utf-8"
    shown = {name: reply[name] for name, _ in page_headers()}
    assert shown == {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "strict-origin-when-cross-origin",
        "Permissions-Policy": NO_FEATURES,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Frame-Options": "DENY",
    }
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert "Strict-Transport-Security" not in reply.headers


def plain_pages() -> list[str]:
    """The paths of rooms that make pages, as far as nothing in them varies."""
    rooms = [room for room in PUBLIC if "templates" in getattr(room, "__annotations__", {})]
    found = [route for room in rooms for route in room.router.routes]
    return sorted({one.path for one in found if one.method == "GET" and "<" not in one.path})


@pytest.mark.parametrize("path", plain_pages())
async def test_of_every_plain_page(index: Index, path: str) -> None:
    """Each page has all headers that pages have."""
    reply = await index.ask(path, {"Accept": BROWSER})
    assert (reply.status, reply["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert {name: reply[name] for name, _ in page_headers()} == dict(page_headers())


async def test_documents_of_other_origins(index: Index) -> None:
    """What pages of other origins may read is not closed to them by the way it is embedded."""
    for path in ("/rss/updates.xml", "/simple/", "/api/changes"):
        reply = await index.ask(path)
        assert reply["Access-Control-Allow-Origin"] == "*", path
        assert reply.headers.get("cross-origin-resource-policy") in (None, "cross-origin"), path
