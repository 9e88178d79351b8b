"""What people write stays text, wherever it is shown and whatever shows it."""

from __future__ import annotations

import json
import re
import xmlrpc.client
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from html import unescape
from xml.etree import ElementTree

import pytest
import pytest_twisted
from selectolax.lexbor import LexborHTMLParser

from pypi.front import routes
from tests.support.client import Reply
from tests.support.databases import Databases
from tests.support.hostile import WORD, Hostile, hostile_project, hostile_projects, publish
from tests.support.index import Index, running
from tests.web.ours import strangers
from tests.web.xss_payloads import PAYLOADS, in_a_query, on_one_line

ALL = list(hostile_projects())
HARMLESS = hostile_project("harmless", payloads=["brie", "camembert", "stilton"])
OF_PROJECT = ("releases/", "files/", "dependencies/", "dependents/", "security/")
OF_RELEASE = ("1.0/", "1.0/files/", "1.0/dependencies/", "1.0/security/")
SIMPLE = "application/vnd.pypi.simple.v1+"
REASON = on_one_line(" ".join(PAYLOADS[:40]))


@pytest_twisted.async_yield_fixture(scope="module")
async def index(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Index]:
    """An index of hostile projects, and one that is not."""
    url = databases.make()
    async with running(url, tmp_path_factory.mktemp("hostile")) as made:
        for one in (HARMLESS, *ALL):
            reply = await publish(made, one)
            assert reply.status == 200, (one, reply.text)
        reason = REASON.replace("'", "''")
        made.sql(
            f"UPDATE releases SET yanked = now(), yanked_reason = '{reason}' WHERE id % 7 = 3;"
            f"UPDATE files SET yanked = now(), yanked_reason = '{reason}' WHERE id % 7 = 4;"
            f"UPDATE projects SET status = 'archived', status_reason = '{reason}' WHERE id % 7 = 5"
        )
        yield made
    databases.drop(url)


def judged(reply: Reply, like: str = "", *, at: object = "") -> None:
    """A page has to be one, with nothing on it that is not ours; everything else must not look like one."""
    assert reply["X-Content-Type-Options"] == "nosniff", at
    kind = reply["Content-Type"].partition(";")[0]
    if kind in ("text/html", f"{SIMPLE}html"):
        assert strangers(reply.text, like) == [], at
        assert "default-src 'none'" in reply["Content-Security-Policy"], at
    elif kind.endswith("json"):
        json.loads(reply.body)
    elif kind.endswith("xml"):
        ElementTree.fromstring(reply.body)
    else:
        assert (kind, reply.status >= 300) in (("text/plain", True), ("", True)), at


async def shown(index: Index, path: str, accept: str = "text/html") -> Reply:
    """A page that is there."""
    reply = await index.ask(path, {"Accept": accept})
    assert reply.status == 200, (path, reply.text)
    return reply


def texts(reply: Reply) -> set[str]:
    """The text of every element of a page, on one line."""
    page = LexborHTMLParser(reply.text)
    return {" ".join(node.text(deep=True).split()) for node in page.root.traverse()}


def summary(one: Hostile) -> str:
    """As a reader sees it."""
    return " ".join(one.summary.split())


# What is shown of projects.


async def test_pages_of_projects(index: Index) -> None:
    """The page of a project shows what its publisher wrote as it was written, and does nothing of it."""
    like = (await shown(index, "/project/harmless/")).text
    for one in ALL:
        reply = await shown(index, f"/project/{one.name}/")
        judged(reply, like, at=one)
        assert any(summary(one)[:400] in text for text in texts(reply))


@pytest.mark.parametrize("section", [*OF_PROJECT, *OF_RELEASE])
async def test_sections_of_projects(index: Index, section: str) -> None:
    """So do the further pages of a project, and those of its releases."""
    like = (await shown(index, f"/project/harmless/{section}")).text
    for one in ALL[::3]:
        judged(await shown(index, f"/project/{one.name}/{section}"), like, at=one)


async def test_reasons(index: Index) -> None:
    """Reasons for what was yanked or archived are text, too."""
    pages = [await shown(index, f"/project/{one.name}/") for one in ALL[:14]]
    assert sum(any(REASON[:60] in text for text in texts(page)) for page in pages) >= 4


@pytest.mark.parametrize("accept", ["text/html", f"{SIMPLE}html", f"{SIMPLE}json"])
async def test_what_installers_read(index: Index, accept: str) -> None:
    """Pages for installers list files whose reasons and requirements are text."""
    for path in ("/simple/", *(f"/simple/{one.name}/" for one in ALL[::3])):
        judged(await shown(index, path, accept), at=path)


async def test_documents(index: Index) -> None:
    """JSON says what was written, and says that it is JSON."""
    for one in ALL:
        reply = await shown(index, f"/pypi/{one.name}/json", "application/json")
        judged(reply, at=one)
        assert reply["Content-Type"] == "application/json"
        assert reply.json()["info"]["summary"] == one.summary


async def test_changes(index: Index) -> None:
    """So do changes."""
    reply = await shown(index, "/api/changes?limit=5000", "application/json")
    judged(reply)
    assert any("<script>" in one["action"] for one in reply.json()["changes"])


@pytest.mark.parametrize(
    "path", ["/rss/updates.xml", "/rss/packages.xml", "/rss/project/hostile-003/releases.xml", "/sitemap.xml"]
)
async def test_feeds(index: Index, path: str) -> None:
    """Feeds are XML, whatever is in them, in which nothing is declared and all is text."""
    reply = await shown(index, path)
    judged(reply, at=path)
    assert re.fullmatch(r"(application|text)/xml(; charset=UTF-8)?", reply["Content-Type"])
    assert b"<!" not in reply.body.replace(b"<!DOCTYPE rss>", b"")
    # Readers of feeds take it for HTML.
    said = {
        unescape(element.text or "") for element in ElementTree.fromstring(reply.body).iter("description")
    }
    assert path.startswith("/sitemap") or said & {one.summary for one in ALL}


async def test_calls(index: Index) -> None:
    """XML-RPC tells what was written."""
    for one in ALL[::5]:
        body = xmlrpc.client.dumps((one.name, one.version), "release_data").encode()
        reply = await index.ask("/pypi", {"Content-Type": "text/xml"}, method="POST", body=body)
        ((said,), _) = xmlrpc.client.loads(reply.body)
        assert said["summary"] == one.summary


# Where projects are found.


async def test_lists(index: Index) -> None:
    """Lists of projects, of whatever kind, have nothing in them but names and text."""
    for path in ("/", "/user/ada/", "/classifiers/", "/stats/", *_pages_of_hits()):
        judged(await shown(index, path), at=path)


def _pages_of_hits() -> Iterator[str]:
    return (f"/search/?q={WORD}&page={page}&o={order}" for page in (1, 2) for order in ("relevance", "date"))


async def test_summaries_of_hits(index: Index) -> None:
    """What is found is shown with its summary, in which words are marked and nothing else is."""
    seen: set[str] = set()
    for page in (1, 2, 3):
        seen |= texts(await shown(index, f"/search/?q={WORD}&page={page}"))
    assert sum(any(summary(one)[:60] in text for text in seen) for one in ALL) >= len(ALL) - 2


async def test_what_is_asked(index: Index) -> None:
    """What a link to a search brings along is looked for, and is text on the page that says so."""
    like = (
        await shown(index, f"/search/?q={WORD}&c=Private+%3A%3A+x&o=date&page=1&python=3.12&wheels=1")
    ).text
    names = ("q", "c", "o", "page", "python", "wheels", "no")
    for first in range(0, len(PAYLOADS), len(names)):
        given = zip(names, PAYLOADS[first:], strict=False)
        query = "&".join(f"{name}={in_a_query(payload)}" for name, payload in given)
        reply = await index.ask(f"/search/?{query}", {"Accept": "text/html"})
        assert reply.status in (200, 400, 404), query
        judged(reply, like, at=query)


@pytest.mark.parametrize("path", [one.path for one in routes() if one.path.startswith("/api/search")])
async def test_what_programs_ask(index: Index, path: str) -> None:
    """Programs that search are answered in JSON, whatever they look for."""
    for payload in ("hostile", WORD, *PAYLOADS[::9]):
        asked = f"{path}?q={in_a_query(on_one_line(payload))}"
        reply = await index.ask(asked, {"Accept": "application/json"})
        assert reply["Content-Type"] == "application/json"
        judged(reply, at=payload)


async def test_classifiers(index: Index) -> None:
    """A classifier nobody but its project has is a link to a search for it, and to nothing else."""
    for one in ALL[::6]:
        for classifier in one.classifiers[::4]:
            judged(await shown(index, f"/search/?c={in_a_query(classifier)}"), at=classifier)


# What is not there, and what is refused.

NOWHERE = (
    "/{0}",
    "/project/{0}/",
    "/project/harmless/{0}/",
    "/user/{0}/",
    "/simple/{0}/",
    "/pypi/{0}/json",
    "/pypi/harmless/{0}/json",
    "/packages/{0}",
    "/packages/source/h/harmless/{0}",
    "/rss/project/{0}/releases.xml",
    "/static/{0}",
    "/pypi?:action=display&name={0}&version={0}",
    "/pypi?:action={0}",
    "/pypi?:action=search&term={0}&submit=search",
    "/pypi?:action=browse&c={0}",
    "/pypi/{0}",
    "/{0}.sitemap.xml",
)


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/json"])
async def test_what_is_not_there(index: Index, accept: str) -> None:
    """Whoever is told that something is not there is told so in text, or led to an address of this index."""
    for number, payload in enumerate(PAYLOADS):
        path = NOWHERE[number % len(NOWHERE)].format(in_a_query(payload))
        reply = await index.ask(path, {"Accept": accept})
        judged(reply, at=path)
        where = reply["Location"]
        origin = f"http://127.0.0.1:{index.port}"
        assert where == "" or re.match(r"/(?!/)", where.removeprefix(origin)), (path, where)


async def test_who_asks(index: Index) -> None:
    """Nothing that a browser says of itself or of where it comes from is on any page."""
    paths = ("/project/harmless/", "/search/?q=brie", "/nowhere/", "/project/nowhere/", "/account/")
    plain = [await index.ask(path, {"Accept": "text/html"}) for path in paths]
    for payload in PAYLOADS[::7]:
        said = on_one_line(payload).encode("latin-1", "replace").decode("latin-1")
        headers = {"Accept": "text/html", "Referer": said, "User-Agent": said, "Accept-Language": said}
        for path, before in zip(paths, plain, strict=True):
            assert (await index.ask(path, headers)).body == before.body


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_what_is_refused(index: Index, accept: str) -> None:
    """An upload that is refused is told so in text, and so is one whose classifier nobody knows."""
    for number, payload in enumerate(PAYLOADS[::5]):
        field = ("name", "version", "filetype", "protocol_version", "md5_digest", "sha256_digest")[number % 6]
        changed = {field: on_one_line(payload)}
        reply = await index.upload(HARMLESS.data, HARMLESS.filename, accept=accept, **changed)
        assert reply.status == 400, reply.text
        judged(reply, at=changed)
    unknown = hostile_project("harmless", "2.0", payloads=["x"], headers=[("Classifier", "<script>alert(1)")])
    reply = await publish(index, unknown)
    assert (reply.status, "is not a valid classifier" in reply.text) == (400, True)
    judged(reply)


def test_the_judge() -> None:
    """The judge of these pages sees what browsers would do, and lets our templates be."""
    for payload in _obvious(PAYLOADS):
        assert strangers(f"<!DOCTYPE html><html><body><p>{payload}</p></body></html>"), payload
    assert strangers("<p>a &lt;script> {{ x }} </p><a href='/x'>x</a><input name=q>") == []
    assert strangers("<input name=q>", "<p>x</p>") == ["input name=q 1 times"]


def _obvious(payloads: Sequence[str]) -> Iterable[str]:
    """Those that begin with something no template of ours has."""
    return (one for one in payloads if re.match(r"<(script|iframe|object|embed|base|style|svg on|math)", one))
