"""Pages for people, and answers about what is not there."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pypi.domain.permissions import OPERATOR
from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index, running
from tests.support.keeping import until_kept

SETTINGS = {"service__origin": "https://index.example"}

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def test_nothing_yet(new_index: Index) -> None:
    """Of an index with nothing on it, the first page says how to begin, and what to type."""
    page = await new_index.ask("/", {"Accept": BROWSER})
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    origin = f"http://127.0.0.1:{new_index.port}"
    for line in (
        "<title>Cheeseshop: Python packages, kept here</title>",
        "Nothing is here yet.",
        "cheeseshop user add ada --email ada@example.org</code>",
        "cheeseshop token create ada</code>",
        f"twine upload --repository-url {origin}/legacy/ --username __token__ dist/*</code>",
        "cheeseshop import --owner ada wheels/</code>",
        f"pip config set global.index-url {origin}/simple/</code>",
        "serial 0",
    ):
        assert line in page.text, line
    assert "Latest releases" not in page.text
    assert "--trusted-host" not in page.text


async def test_news(new_index: Index) -> None:
    """The first page shows what was published last, and how much there is, as soon as that is certain."""
    empty = await new_index.ask("/")
    await new_index.upload(wheel("one", "1.0"), wheel_filename("one", "1.0"), name="one")
    page = await new_index.ask("/")
    assert page["ETag"] != empty["ETag"]
    assert counts(page.text) == ["1 project", "1 release", "1 file"]
    assert "serial 4" in page.text
    assert listed(page.text) == ["one 1.0"], "one list says it all"
    await new_index.upload(wheel("Two", "3"), wheel_filename("Two", "3"), name="Two")
    await new_index.upload(wheel("one", "2.0"), wheel_filename("one", "2.0"), name="one")
    page = await new_index.ask("/")
    assert counts(page.text) == ["2 projects", "3 releases", "3 files"]
    assert listed(page.text) == ["one 2.0", "Two 3"]
    await new_index.application.yanks.yank(OPERATOR, "one", "2.0", "no good")
    page = await new_index.ask("/")
    assert listed(page.text) == ["Two 3", "one 1.0"]
    assert "Nothing is here yet" not in page.text


async def test_two_lists(new_index: Index) -> None:
    """Where the newest projects are others than those of the latest releases, each has a list of its own."""
    new_index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) SELECT 'p' || n, 'p' || n, '',"
        " timestamptz '2026-01-01' + n * interval '1 day' FROM generate_series(1, 16) AS n;"
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
        " SELECT id, '1.0', '1', false, '{}', created FROM projects;"
        "UPDATE releases r SET created = r.created + interval '1 year' FROM projects p"
        " WHERE p.id = r.project_id AND p.created < '2026-01-10';"
        "INSERT INTO search SELECT * FROM search_documents"
    )
    page = (await new_index.ask("/")).text
    assert listed(page) == [f"p{n} 1.0" for n in (*range(8, 0, -1), *range(16, 8, -1))]
    assert page.index("Latest releases") < page.index("New projects")


async def test_configured_origin(index: Index) -> None:
    """The lines to type name the configured URL, whatever the client calls this host."""
    page = await index.ask("/")
    assert "pip config set global.index-url https://index.example/simple/</code>" in page.text
    assert "127.0.0.1" not in page.text


async def test_names_of_the_operator(database_url: str, tmp_path: Path) -> None:
    """The operator says what the index is called, and what it is; both are text."""
    names = {"pages__name": "Käse & <Co>", "pages__tagline": "Ripe <em>things</em>"}
    async with running(database_url, tmp_path, **names) as index:
        page = (await index.ask("/")).text
    assert "<title>Käse &amp; &lt;Co&gt;: Ripe &lt;em&gt;things&lt;/em&gt;</title>" in page
    assert ">Ripe &lt;em&gt;things&lt;/em&gt;</h1>" in page
    assert "<em>" not in page


@pytest.mark.parametrize("filled", [False, True])
async def test_home_is_html(new_index: Index, filled: bool) -> None:
    """Every element that is opened is closed, every link leads somewhere, and nothing of it is code."""
    if filled:
        await new_index.upload(wheel(), wheel_filename())
    await assert_sound(new_index, "/")


async def test_asked_again(index: Index) -> None:
    """Browsers ask for a page anew each time, and get it only if it has changed."""
    reply = await index.ask("/")
    assert reply["Cache-Control"] == "max-age=0, public, must-revalidate"
    again = await index.ask("/", {"If-None-Match": reply["ETag"]})
    assert again.status == 304


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
    await until_kept(index, "/")
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


def counts(page: str) -> list[str]:
    """How much there is of what."""
    return [f"{number} {word}" for number, word in re.findall(r"<b>([0-9,]+)</b> ([a-z]+)</li>", page)]


def listed(page: str) -> list[str]:
    """Projects in lists, with their versions."""
    found = re.findall(r'project-list__name"[^>]*>([^<]+)</a> <span[^>]*>([^<]+)</span>', page)
    return [f"{name} {version}" for name, version in found]


async def assert_sound(index: Index, path: str) -> None:
    """Check a page: its elements, its ids, its links to this index, and that nothing of it is code."""
    text = (await index.ask(path)).text
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert "script" not in reader.seen
    assert not any(name.startswith("on") or name == "style" for name in reader.attributes)
    assert len(reader.ids) == len(set(reader.ids))
    for link in reader.links:
        there, _, fragment = link.partition("#")
        if there.startswith(("https://", "http://", "mailto:")):
            continue
        reply = await index.ask(there or path)
        if reply.status == 303:  # to where one signs in first
            reply = await index.ask(reply["Location"])
        assert reply.status == 200, link
        assert not fragment or f'id="{fragment}"' in reply.text, link


VOID = {"meta", "link", "path", "br", "img", "input"}


class Reader(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.ids: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # A script that is no part of the page is one of our own files: the policy lets in nothing else.
        if tag != "script" or "src" not in dict(attrs):
            self.seen.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
