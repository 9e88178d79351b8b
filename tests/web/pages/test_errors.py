"""What people see when something went wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from pypi.front import FOR_PROGRAMS, PUBLIC, is_for_programs
from pypi.http.answer import Answer
from pypi.http.refused import STATUSES
from pypi.web.pages.errors import SPECIAL, TITLES, ErrorPages, words_of
from pypi.web.templates import Templates
from tests.support.index import Index, running
from tests.web.pages.test_home import Reader

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@frozen
class Request:
    """A request for a path."""

    text_path: str = "/"


@pytest.fixture(scope="module")
def pages() -> ErrorPages:
    """The pages as they are installed."""
    return ErrorPages(Templates.installed())


def text_of(answer: Answer) -> str:
    """The body of a page."""
    return bytes(answer.body).decode()  # type: ignore[arg-type]


@pytest.mark.parametrize("code", sorted({*TITLES, 418, 421, 502}))
def test_every_status(pages: ErrorPages, code: int) -> None:
    """Every status has a page of sound HTML with one heading, the sentence that programs get, a way on."""
    answer = pages(Request(), code, 'No "<cheese>" today.', 0)
    text = text_of(answer)
    assert (answer.code, answer.tags, answer.content_type) == (code, (), "text/html; charset=utf-8")
    assert "No &#34;&lt;cheese&gt;&#34; today." in text
    assert text.count("<h1") == 1
    assert f"Error {code}" in text
    assert TITLES.get(code, f"That did not work ({code})") in text
    assert '<meta name="robots" content="noindex">' in text
    assert 'href="/"' in text.partition("<main")[2].partition("</main>")[0]
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []


def test_every_refusal_has_a_title() -> None:
    """Each status a refusal can have is told in words."""
    assert {code for _, code in STATUSES} <= set(TITLES)
    assert set(TITLES) >= SPECIAL


@pytest.mark.parametrize("code", [429, 503])
def test_when_to_try_again(pages: ErrorPages, code: int) -> None:
    """Who came too early is told for how long to wait, if that is known."""
    assert "in 77 seconds" in text_of(pages(Request(), code, "x", 77))
    assert "in 1 second." in text_of(pages(Request(), code, "x", 1))
    assert " 0 second" not in text_of(pages(Request(), code, "x", 0))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/twisted", "twisted"),
        ("/project/zope.interface/", "zope.interface"),
        ("/", ""),
        ("/a b", ""),
        ("/-x", ""),
        ("/<script>alert(1)</script>", ""),
        ("/../../etc/passwd", "passwd"),
        ("/" + "x" * 65, ""),
        ("/kıtap", ""),
    ],
)
def test_what_to_search_for(pages: ErrorPages, path: str, words: str) -> None:
    """Where nothing is, what may be the name of a project is in the search box; nothing else comes back."""
    assert words_of(path) == words
    assert f'value="{words}"' in text_of(pages(Request(path), 404, "x", 0))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (BROWSER, "text/html; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("application/json", "application/json"),
        (None, "text/plain; charset=utf-8"),
        ("image/*", "text/plain; charset=utf-8"),
    ],
)
async def test_nothing_there(index: Index, accept: str | None, content_type: str) -> None:
    """An address where nothing is says so in the format the client reads, and repeats nothing it said."""
    reply = await index.ask("/<script>alert(1)</script>", {"Accept": accept})
    assert (reply.status, reply.reason, reply["Content-Type"]) == (404, "Not Found", content_type)
    assert "There is nothing at this address" in reply.text
    assert "<script>" not in reply.text
    assert "alert(1)" not in reply.text
    assert reply["Cache-Control"] == "private, no-store"


async def test_wrong_method(index: Index) -> None:
    """A page that is written to says that it is there to be read, and how."""
    reply = await index.ask("/", {"Accept": BROWSER}, method="POST")
    assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "That cannot be done here" in reply.text
    assert reply["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/simple/nothing-of-this-name/",
        "/simple/a/b/c",
        "/SIMPLE/a/b/c",
        "/pypi/nothing-of-this-name/json",
        "/api/nothing",
        "/packages/aa/bb/cc/nothing-1.0.tar.gz",
        "/rss/nothing.xml",
        "/nothing.txt",
        "/static/nothing.css",
    ],
)
async def test_programs_get_no_pages(index: Index, path: str) -> None:
    """Where programs ask, the answer is never a page, not even for who would take one."""
    reply = await index.ask(path, {"Accept": BROWSER})
    assert reply.status == 404
    assert not reply["Content-Type"].startswith("text/html")


async def test_programs_get_no_pages_for_writing(index: Index) -> None:
    """What is uploaded by a browser's words is refused in text, for tools send them, too."""
    reply = await index.ask("/legacy/", {"Accept": BROWSER}, method="POST")
    assert reply.status >= 400
    assert not reply["Content-Type"].startswith("text/html")


def test_who_is_asked_by_programs() -> None:
    """Every route is on its side: those of pages are for people, all others for programs."""
    for room in PUBLIC:
        people = not {"templates", "pages", "desk"}.isdisjoint(getattr(room, "__annotations__", {}))
        for route in room.router.routes:
            if route.path == "/pypi":
                continue  # calls of XML-RPC, whose clients say what they read
            path = re.sub(r"<[^>]+>", "x", route.path)
            assert is_for_programs(path) is not people, route.path
    assert all(one == one.lower() for one in FOR_PROGRAMS)


async def test_no_page_while_the_database_is_down(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its database the index tells people so, and when to come again, without asking it anything."""
    from pypi.domain.errors import Unavailable

    async def down(*_: Any, **__: Any) -> Any:
        raise Unavailable

    database = index.application.publisher.database
    monkeypatch.setattr(type(database), "ask", down, raising=False)
    monkeypatch.setattr(type(database), "read", down)
    reply = await index.ask("/project/never-asked-for-before/", {"Accept": BROWSER})
    assert (reply.status, reply["Retry-After"]) == (503, "5")
    assert "The index is catching its breath" in reply.text
    assert "in 5 seconds" in reply.text
    assert reply["Cache-Control"] == "private, no-store"
    assert (await index.ask("/nowhere", {"Accept": BROWSER})).status == 404
    plain = await index.ask("/project/never-asked-for-before/", {"Accept": "*/*"})
    assert (plain.status, plain["Content-Type"]) == (503, "text/plain; charset=utf-8")


async def test_mistakes_of_ours(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that fails says whose mistake it was, and nothing of what it was."""

    async def wrong(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a secret")

    database = index.application.publisher.database
    monkeypatch.setattr(type(database), "ask", wrong, raising=False)
    monkeypatch.setattr(type(database), "read", wrong)
    reply = await index.ask("/project/never-asked-for-either/", {"Accept": BROWSER})
    index.errors.clear()
    assert reply.status == 500
    assert "Our mistake" in reply.text
    assert "secret" not in reply.text
    assert reply["Cache-Control"] == "private, no-store"


async def test_old_addresses(index: Index) -> None:
    """Who follows an old link by a browser is shown pages, and programs a line, whoever asks first."""
    old = {"/pypi/never-there-before": 404, "/pypi/never-there-either/1.0": 404, "/mirrors": 410}
    for path, code in old.items():
        for accept in (BROWSER, "*/*", None, BROWSER):
            reply = await index.ask(path, {"Accept": accept})
            kind = "text/html" if accept == BROWSER else "text/plain"
            assert (reply.status, reply["Content-Type"]) == (code, f"{kind}; charset=utf-8"), (path, accept)
            assert (">Error " in reply.text) is (accept == BROWSER)
            assert reply["Vary"] == ("Accept" if code == 410 else "")
    document = await index.ask("/pypi/never-there-before/json", {"Accept": BROWSER})
    assert (document.status, document["Content-Type"]) == (404, "application/json")


async def test_hosts_of_old(database_url: str, tmp_path: Path) -> None:
    """Where neither style sheet nor links of a page would be found, people get a line of text, too."""
    settings = {"service__origin": "https://index.example", "legacy__index_hosts": ["old.example"]}
    async with running(database_url, tmp_path, **settings) as index:
        for path in ("/pypi/never-there", "/nowhere/at/all", "/mirrors"):
            for host, kind in (("index.example", "text/html"), ("old.example", "text/plain")):
                reply = await index.ask(path, {"Accept": BROWSER, "Host": host})
                assert reply.status in (404, 410)
                assert reply["Content-Type"] == f"{kind}; charset=utf-8", (path, host)
