"""Feeds and the documents beside them, as feed readers, validators and robots see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import md5
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.index.feeds import Item, Place
from pypi.web import feeds_xml
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, running
from tests.web.rss import complaints

NOW = datetime(2026, 5, 1, 12, 30, 5, tzinfo=UTC)
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ODD = 'a <b>&amp; c</b> "d" é ☃ \U0001f9c0'


async def publish(index: Index, name: str, version: str = "1.0", **headers: str) -> None:
    """Upload a file with some metadata."""
    lines = [(key.replace("_", "-"), value) for key, value in headers.items()]
    data = wheel(name, version, headers=lines)
    reply = await index.upload(data, wheel_filename(name, version), name=name)
    assert reply.status == 200, reply.text


async def feed(index: Index, path: str) -> tuple[Reply, Any]:
    """A feed, valid, as a feed reader reads it."""
    reply = await index.ask(path)
    assert reply.status == 200
    assert reply["Content-Type"] == "text/xml; charset=UTF-8"
    assert reply["Access-Control-Allow-Origin"] == "*"
    assert complaints(reply.body, f"http://127.0.0.1:{index.port}{path}") == []
    read = feedparser.parse(reply.body)
    assert (read.bozo, read.version) == (False, "rss20")
    return reply, read


# RSS


async def test_feeds_of_an_empty_index(new_index: Index) -> None:
    """Where nothing is, feeds are valid, and empty."""
    for path in ("/rss/updates.xml", "/rss/packages.xml"):
        assert (await feed(new_index, path))[1].entries == []
    reply = await new_index.ask("/rss/project/nothing/releases.xml")
    assert reply.status == 404
    assert "nothing" in reply.text


async def test_the_newest_releases(new_index: Index) -> None:
    """Each release is an item, the newest first, with its page, its author and its moment."""
    origin = f"http://127.0.0.1:{new_index.port}"
    await publish(new_index, "First", Summary=ODD, Author_email="Ada <ada@people.example>")
    await publish(new_index, "Second", "1!2.0", Summary="plain & simple")
    _, read = await feed(new_index, "/rss/updates.xml")
    assert [one.title for one in read.entries] == ["Second 1!2.0", "First 1.0"]
    assert [one.link for one in read.entries] == [
        f"{origin}/project/second/1!2.0/",
        f"{origin}/project/first/1.0/",
    ]
    assert [one.id for one in read.entries] == [one.link for one in read.entries]
    assert [one.get("author") for one in read.entries] == [None, "ada@people.example"]
    assert read.entries[0].summary == "plain & simple"
    assert read.entries[1].summary == 'a &lt;b&gt;&amp;amp; c&lt;/b&gt; "d" é ☃ \U0001f9c0'
    (created,) = {row[0] for row in new_index.sql("SELECT max(created) FROM releases")}
    assert parsedate_to_datetime(read.entries[0].published) == created.replace(microsecond=0)
    assert read.feed.updated == read.entries[0].published
    _, read = await feed(new_index, "/rss/packages.xml")
    assert [one.title for one in read.entries] == ["Second added", "First added"]
    assert [one.id for one in read.entries] == [f"{origin}/project/second/", f"{origin}/project/first/"]
    for one in read.entries:
        reply = await new_index.ask(one.link.removeprefix(origin))
        assert reply.status == 301
        assert (await new_index.ask(reply["Location"])).status == 200


async def test_the_releases_of_a_project(new_index: Index) -> None:
    """A project's feed has its versions; other spellings of its name lead to it in one step."""
    for version in ("1.0", "1.1", "2.0a1"):
        await publish(new_index, "Some-Name", version, Summary=f"as of {version}")
    await publish(new_index, "other")
    _, read = await feed(new_index, "/rss/project/some-name/releases.xml")
    assert [one.title for one in read.entries] == ["2.0a1", "1.1", "1.0"]
    assert read.feed.link == f"http://127.0.0.1:{new_index.port}/project/some-name/"
    for spelled in ("Some-Name", "some_name", "SOME.-_NAME"):
        reply = await new_index.ask(f"/rss/project/{spelled}/releases.xml")
        assert (reply.status, reply["Location"]) == (301, "/rss/project/some-name/releases.xml")
    _, read = await feed(new_index, "/rss/packages.xml")
    assert [one.summary for one in read.entries] == ["", "as of 1.1"]


async def test_feeds_are_kept_until_something_changes(new_index: Index) -> None:
    """A reader that asks again gets 304, out of memory; a publish changes what it is shown, at once."""
    await publish(new_index, "one")
    await new_index.application.caches.invalidations.catch_up()
    first, _ = await feed(new_index, "/rss/updates.xml")
    again = await new_index.ask("/rss/updates.xml", {"If-None-Match": first["ETag"]})
    assert (again.status, again["Cache-Status"]) == (304, "cheeseshop-l1; hit")
    await publish(new_index, "two")
    again = await new_index.ask("/rss/updates.xml", {"If-None-Match": first["ETag"]})
    assert (again.status, len(feedparser.parse(again.body).entries)) == (200, 2)
    await new_index.application.caches.invalidations.catch_up()
    own = await new_index.ask("/rss/project/one/releases.xml")
    assert "hit" not in own["Cache-Status"]
    await publish(new_index, "two", "1.1")
    assert (await new_index.ask("/rss/project/one/releases.xml"))["Cache-Status"] == "cheeseshop-l1; hit"


async def test_feeds_are_bounded(new_index: Index) -> None:
    """Feeds end after a hundred releases, or forty projects, however many there are."""
    new_index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) "
        "SELECT 'P' || n, 'p' || n, 'p' || n, now() + n * interval '1 s' FROM generate_series(1, 150) n"
    )
    new_index.sql(
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created) "
        "SELECT id, '1.' || n, '1.' || n, false, '{}', created FROM projects, generate_series(1, 50) n"
    )
    assert len((await feed(new_index, "/rss/updates.xml"))[1].entries) == 100
    _, read = await feed(new_index, "/rss/packages.xml")
    assert [one.title for one in read.entries] == [f"P{number} added" for number in range(150, 110, -1)]
    assert len((await feed(new_index, "/rss/project/p7/releases.xml"))[1].entries) == 40


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.text(max_size=30))
def test_whatever_stands_in_metadata(summary: str, author: str) -> None:
    """No text makes a feed that is not valid, or that a reader takes for markup."""
    author = author.encode("utf-8", "replace").decode()
    item = Item("X", "x", "1.0", summary, author, NOW)
    body = feeds_xml.updates([item], "https://index.example")
    assert complaints(body, "https://index.example/rss/updates.xml") == []
    read = feedparser.parse(body)
    assert not read.bozo
    assert len(read.entries) == 1


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("ada@people.example", "ada@people.example"),
        ('"Ada, Countess" <ada@people.example>, bob@people.example', "ada@people.example"),
        ("Ada", ""),
        ("Ada, bob@people.example", ""),
        ("", ""),
    ],
)
def test_authors(given_: str, shown: str) -> None:
    """An author is one address; where any of them is none, nobody is named."""
    assert feeds_xml.author_of(given_) == shown


# Sitemaps


async def test_sitemaps(new_index: Index) -> None:
    """Every project is in one sitemap, all sitemaps are in the index, and a new project changes one."""
    origin = f"http://127.0.0.1:{new_index.port}"
    names = [f"project-{number}" for number in range(12)]
    for name in names:
        await publish(new_index, name)
    found, before = await sitemaps(new_index)
    assert sorted(found) == sorted(f"{origin}/project/{name}/" for name in names)
    await publish(new_index, "one-more")
    found, after = await sitemaps(new_index)
    assert f"{origin}/project/one-more/" in found
    bucket = f"{origin}/{md5(b'one-more').hexdigest()[:2]}.sitemap.xml"
    assert {url for url in after if after[url] != before.get(url)} == {bucket}
    assert (await new_index.ask("/zz.sitemap.xml")).status == 404
    assert (await new_index.ask("/0.sitemap.xml")).status == 404


async def sitemaps(index: Index) -> tuple[list[str], dict[str, bytes]]:
    """(all pages, sitemap by URL)."""
    reply = await index.ask("/sitemap.xml")
    assert reply["Content-Type"] == "text/xml; charset=UTF-8"
    assert reply["Cache-Control"] == "max-age=3600, public"
    pages, bodies = [], {}
    for url in locations(reply.body, "sitemapindex", "sitemap"):
        found = await index.ask(url.removeprefix(f"http://127.0.0.1:{index.port}"))
        assert found.status == 200
        bodies[url] = found.body
        pages += locations(found.body, "urlset", "url")
    return pages, bodies


def locations(body: bytes, outer: str, inner: str) -> list[str]:
    """What a sitemap lists, by the rules of sitemaps.org."""
    root = ElementTree.fromstring(body)
    assert root.tag == SITEMAP + outer
    assert len(root) <= 50_000
    assert len(body) <= 50_000_000
    found = []
    for one in root:
        assert [child.tag for child in one] == [SITEMAP + "loc", SITEMAP + "lastmod"]
        location, changed = one[0].text or "", one[1].text or ""
        assert one.tag == SITEMAP + inner
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", changed)
        assert location.startswith("http://127.0.0.1:")
        assert len(location) < 2048
        found.append(location)
    return found


def test_the_largest_sitemap() -> None:
    """As many of the longest names as a sitemap may hold are less than it may have in bytes."""
    place = Place("x" * 200, NOW)
    assert len(feeds_xml.sitemap([place] * 50_000, "https://" + "x" * 253)) < 50_000_000


# Other documents


async def test_documents_for_robots_and_browsers(new_index: Index) -> None:
    """robots.txt, OpenSearch and the icon name the configured origin, and may be kept for a day."""
    origin = f"http://127.0.0.1:{new_index.port}"
    robots = await new_index.ask("/robots.txt")
    assert robots["Content-Type"] == "text/plain; charset=utf-8"
    assert robots.text.startswith(f"Sitemap: {origin}/sitemap.xml\n\nUser-agent: *\nDisallow: /simple/\n")
    search = await new_index.ask("/opensearch.xml")
    assert search["Content-Type"] == "text/xml; charset=UTF-8"
    root = ElementTree.fromstring(search.body)
    space = "{http://a9.com/-/spec/opensearch/1.1/}"
    assert root.tag == space + "OpenSearchDescription"
    name = root.findtext(space + "ShortName")
    assert name is not None
    assert len(name) <= 16
    url = root.find(space + "Url")
    assert url is not None
    assert url.attrib["template"] == f"{origin}/search/?q={{searchTerms}}"
    icon = await new_index.ask("/favicon.ico")
    assert icon["Content-Type"] == "image/x-icon"
    assert icon.body[:4] == b"\0\0\1\0"
    for reply in (robots, search):
        assert reply["Cache-Control"] == "max-age=86400, public"


async def test_robots_of_a_private_index(database_url: str, tmp_path: Any) -> None:
    """No robot shall come where only those who are signed in may read."""
    async with running(database_url, tmp_path, access__reads="private") as index:
        assert (await index.ask("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
