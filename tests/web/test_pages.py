"""Pages for people, and answers about what is not there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index

SETTINGS = {"service__origin": "https://index.example"}

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def test_home(new_index: Index) -> None:
    """The first page says what this is, how much is there, and what to type."""
    empty = await new_index.ask("/", {"Accept": BROWSER})
    assert (empty.status, empty["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "This index holds 0 projects." in empty.text
    origin = f"http://127.0.0.1:{new_index.port}"
    assert f"pip install --index-url {origin}/simple/ " in empty.text
    assert f"twine upload --repository-url {origin}/legacy/ dist/*" in empty.text
    await new_index.upload(wheel(), wheel_filename())
    page = await new_index.ask("/", {"Accept": BROWSER})
    assert "This index holds 1 project." in page.text
    assert "serial 4" in page.text
    assert page["ETag"] != empty["ETag"]


async def test_configured_origin(index: Index) -> None:
    """The lines to type name the configured URL, whatever the client calls this host."""
    page = await index.ask("/")
    assert "--index-url https://index.example/simple/ " in page.text
    assert "127.0.0.1" not in page.text


async def test_home_is_html(index: Index) -> None:
    """Every element that is opened is closed, every link leads somewhere, and nothing is executed."""
    page = (await index.ask("/")).text
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert "script" not in reader.seen
    assert not any(name.startswith("on") or name == "style" for name in reader.attributes)
    for link in reader.links:
        assert link.startswith("#") or (await index.ask(link)).status == 200, link


async def test_headers_of_pages(index: Index) -> None:
    """Pages run no script, are framed by nobody and are asked for anew each time."""
    reply = await index.ask("/")
    assert reply["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    assert reply["X-Frame-Options"] == "DENY"
    assert reply["X-Content-Type-Options"] == "nosniff"
    assert reply["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert reply["Cross-Origin-Opener-Policy"] == "same-origin"
    assert reply["Cache-Control"] == "max-age=0, public, must-revalidate"
    again = await index.ask("/", {"If-None-Match": reply["ETag"]})
    assert again.status == 304


async def test_style(index: Index) -> None:
    """The style sheet is kept for ever under the name of its content, and under no other."""
    [url] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', (await index.ask("/")).text)
    reply = await index.ask(url)
    assert (reply.status, reply["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert reply["Cache-Control"] == "max-age=31536000, public, immutable"
    for other in ("/static/style.css", "/static/", "/static/..%2fbase.html", "/static/x/y"):
        assert (await index.ask(other)).status in (400, 404), other


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (BROWSER, "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("application/json", "application/json"),
        (None, "text/plain; charset=utf-8"),
        ("image/*", "text/plain; charset=utf-8"),
    ],
)
async def test_nothing_there(index: Index, accept: str | None, content_type: str) -> None:
    """An address where nothing is says so in the format the client reads, and repeats nothing it said."""
    reply = await index.ask("/<script>alert(1)</script>", {"Accept": accept})
    assert (reply.status, reply.reason, reply["Content-Type"]) == (404, "Not Found", content_type)
    assert "There is nothing at this address." in reply.text
    assert "<script>" not in reply.text
    assert reply["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_methods_where_nothing_is(index: Index, method: str) -> None:
    """Any method gets 404 where nothing is."""
    assert (await index.ask("/nowhere", method=method)).status == 404


@pytest.mark.parametrize(("method", "status"), [("POST", 405), ("PUT", 405), ("GET", 200), ("HEAD", 200)])
async def test_methods_of_a_page(index: Index, method: str, status: int) -> None:
    """Pages are read only."""
    reply = await index.ask("/", method=method)
    assert reply.status == status
    if status == 405:
        assert reply["Allow"] == "GET, HEAD, OPTIONS"
        assert reply.reason == "Method Not Allowed"


async def test_foreign_host(index: Index) -> None:
    """A request for a host that is not ours is not answered, whatever it asks for."""
    for host in ("evil.example", "index.example.evil.example", "index.example:99999"):
        assert (await index.ask("/", {"Host": host})).status in (400, 421), host
    for host in ("index.example", "INDEX.example", "localhost", f"127.0.0.1:{index.port}"):
        assert (await index.ask("/", {"Host": host})).status == 200, host


async def test_forwarded_headers_of_strangers(index: Index) -> None:
    """What a stranger says of another host or path has no effect on the page."""
    plain = await index.ask("/")
    forged = await index.ask(
        "/",
        {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "gopher",
            "Forwarded": "host=evil.example",
            "X-Original-URL": "/simple/",
            "X-HTTP-Method-Override": "POST",
        },
    )
    assert (forged.status, forged.headers, forged.body) == (plain.status, plain.headers, plain.body)


VOID = {"meta", "link", "path", "br", "img", "input"}


class Reader(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
