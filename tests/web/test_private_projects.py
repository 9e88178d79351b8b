"""Projects that are not for everybody, on an index that is: whoever may not read one learns nothing of it.

There are two names: of one there is a private project, of the other there is nothing. Every route of the
table is asked about both, as everybody who may not read the first, and the answers are compared byte by byte.
The table is walked, so a route that nobody knows how to ask fails.
"""

from __future__ import annotations

import json
import re
import xmlrpc.client
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_twisted
from attrs import frozen

from legacy_compat.found import Found
from legacy_compat.xmlrpc.answers import TABLE
from legacy_compat.xmlrpc.methods import ARRAY, FLAG, INTEGER, SECONDS, STRUCT, TEXT
from pypi.domain.permissions import Access
from pypi.front import routes
from pypi.http.router import Route
from pypi.http.terms import Credential
from tests.support.archives import sdist, sdist_filename, wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, basic, eventually, with_token
from tests.support.managing import identity
from tests.support.visitor import PASSWORD, operator, visitor

OLD_HOST, OLD_DOCS = "old.example", "docs.old.example"

SETTINGS = {
    "limits__factor": 0,
    "legacy__index_hosts": [OLD_HOST],
    "legacy__docs_hosts": [OLD_DOCS],
    "access__new_projects": "roles",
    "edge__purger": "varnish",
    "edge__varnishes": "http://127.0.0.1:9",
    "lane": True,
}

PUBLIC = "public-brie"
"""A project that everybody reads, and needs the other one."""

ENDLESS = {"/api/changes/stream"}
"""Asked by a test of its own."""

NO_DIGEST = "0" * 64

Shown = Mapping[str, Mapping[str, str]]
"""Who asks → the headers they send."""


@frozen
class Name:
    """What is asked about: a name, and a digest."""

    name: str
    digest: str

    @property
    def values(self) -> Mapping[str, str]:
        """What stands for the variables of paths."""
        return {
            "name": self.name,
            "Name": self.name.capitalize(),
            "project": self.name,
            "version": "1.0",
            "python": "py3",
            "letter": self.name[0],
            "filename": wheel_filename(self.name, "1.0"),
            "first": self.digest[:2],
            "second": self.digest[2:4],
            "rest": self.digest[4:],
            "bucket": "ab",
            "path": "index.html",
            "user": "ada",
        }


OWN = ("/account/", "/admin/")
"""Where variables name what is one's own, or nobody's."""

HIDDEN, NOTHING = "hidden-cheese", "absent-cheese"


@pytest_twisted.async_yield_fixture(scope="module")
async def hidden(index: Index) -> AsyncIterator[Name]:
    """A private project, beside a public one that needs it; with an owner, a reader, and a stranger."""
    for name in ("ruth", "eve"):
        await index.add_user(name, password=PASSWORD)
    for name, needed in ((HIDDEN, PUBLIC), (PUBLIC, HIDDEN)):
        data = wheel(name, "1.0", headers=[("Requires-Dist", needed)])
        reply = await index.upload(data, wheel_filename(name, "1.0"))
        assert reply.status == 200, reply.text
    owner = identity(index, "ada")
    application = index.application
    await application.reads.change(owner, PUBLIC, Access.PUBLIC)
    index.sql(
        "INSERT INTO roles SELECT p.id, u.id, 'Reader', now() FROM projects p, users u"
        f" WHERE p.normalized = '{HIDDEN}' AND u.name = 'ruth' RETURNING 1"
    )
    # What comes after that is nobody's business, either.
    data = sdist(HIDDEN, "1.0")
    assert (await index.upload(data, sdist_filename(HIDDEN, "1.0"))).status == 200
    [(digest,)] = index.sql(
        f"SELECT blake2_256 FROM files WHERE filename = '{wheel_filename(HIDDEN, '1.0')}'"
    )
    await eventually(lambda: len(application_private(index)) == 2)
    yield Name(HIDDEN, digest)


def application_private(index: Index) -> Mapping[str, object]:
    """The files this process knows to be private."""
    part = next(part for part in index.application.parts if type(part).__name__ == "Private")
    files: Mapping[str, object] = part._files  # type: ignore[attr-defined]
    return files


@pytest_twisted.async_yield_fixture(scope="module")
async def strangers(index: Index, hidden: Name) -> AsyncIterator[Shown]:
    """Everybody who may not read, by the headers they send."""
    browser = await visitor(index, "eve")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    other = await index.application.accounts.add_token("ada", project=PUBLIC)
    yield {
        "nobody": {},
        "a browser": {"Accept": "text/html,*/*;q=0.8"},
        "a stranger's token": {"Authorization": index.auth("eve")},
        "a stranger's password": {"Authorization": basic("eve", PASSWORD)},
        "a stranger's session": {"Cookie": cookies, "Accept": "text/html,*/*;q=0.8"},
        "a wrong password": {"Authorization": basic("ada", "wrong")},
        "a token of nobody": {"Authorization": with_token(f"cheeseshop-{'0' * 16}-{'0' * 64}")},
        "the owner's token for another project": {"Authorization": with_token(other)},
    }


@pytest_twisted.async_yield_fixture(scope="module")
async def readers(index: Index, hidden: Name) -> AsyncIterator[Shown]:
    """Some who may, likewise."""
    browser = await visitor(index, "ruth")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    yield {
        "the owner": {"Authorization": index.auth("ada")},
        "a bearer": {"Authorization": f"Bearer {index._tokens['ruth']}"},
        "a password": {"Authorization": basic("ruth", PASSWORD)},
        "a session": {"Cookie": cookies},
    }


def addressed(route: Route, about: Name) -> tuple[str, Mapping[str, str]]:
    """(path, headers) that ask a route about a name."""

    def value(found: re.Match[str]) -> str:
        if route.path.startswith(OWN):
            return "1"
        assert found[1] in about.values, f"nobody knows here how to ask {route.method} {route.path}"
        return about.values[found[1]]

    path = re.sub(r"<(?:[a-z]+:)?([A-Za-z_]+)>", value, route.path)
    if path.startswith("//old-docs-host"):
        return path.removeprefix("//old-docs-host"), {"Host": OLD_DOCS}
    if path.startswith("//old-host"):
        return path.removeprefix("//old-host"), {"Host": OLD_HOST}
    return path, {}


def told(reply: Reply, about: Name) -> tuple[int, object, object]:
    """All of an answer that may tell something, as if it were about anything."""
    texts = [(about.digest, "digest"), (about.name.capitalize(), "Name"), (about.name, "name")]
    texts += [(about.name.replace("-", "_"), "n_a_m_e"), (about.digest[4:], "rest"), ("absent", "hidden")]

    texts += [(f"{about.digest[:2]}/{about.digest[2:4]}", "first")]

    def plain(text: str) -> str:
        for found, instead in texts:
            text = text.replace(found, instead)
        return re.sub(r'name="csrf[^>]*>|nonce-\S+', "", text)

    fields = {
        name: plain(value)
        for name, value in reply.headers.items()
        if name not in ("age", "cache-status", "content-length", "etag", "set-cookie")
    }
    return reply.status, fields, plain(reply.body.decode("utf-8", "replace"))


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


WALKED = [route for route in routes() if route.path not in ENDLESS]
OLD_WAYS = {route.path for route in Found.router.routes}
"""They do not lead to what is private, not even those who may read it."""

NAMING = [route for route in WALKED if "<" in route.path and not route.path.startswith(OWN)]
"""Whose addresses differ by what they are about; of others, two answers would be one."""

LISTS = [route for route in WALKED if route.method == "GET" and route.of is None]
ABOUT_ONE = [route for route in WALKED if route.of is not None and route.path not in OLD_WAYS]


@pytest.mark.parametrize("route", NAMING, ids=named)
async def test_as_if_it_were_not_there(index: Index, hidden: Name, strangers: Shown, route: Route) -> None:
    """Nobody who may not read a project can tell it from one that is not there, whatever route is asked."""
    for who, headers in strangers.items():
        replies = []
        for about in (hidden, Name(NOTHING, NO_DIGEST)):
            path, more = addressed(route, about)
            reply = await index.ask(path, {**headers, **more}, method=route.method)
            replies.append(told(reply, about))
        assert replies[0] == replies[1], who


@pytest.mark.parametrize("route", LISTS, ids=named)
async def test_no_list_has_it(
    index: Index, hidden: Name, strangers: Shown, readers: Shown, route: Route
) -> None:
    """What is not about it never names it, whoever asks; nor do headers for caches."""
    is_own = Credential.NONE not in route.terms.takes
    for who, headers in {**strangers, **({} if is_own else readers)}.items():
        path, more = addressed(route, Name("ada", NO_DIGEST))
        reply = await index.ask(path, {**headers, **more})
        for word in (HIDDEN, HIDDEN.replace("-", "_"), hidden.digest, hidden.digest[4:]):
            assert word not in str(reply.fields) + reply.body.decode("utf-8", "replace"), who


@pytest.mark.parametrize("route", ABOUT_ONE, ids=named)
async def test_its_readers(index: Index, hidden: Name, readers: Shown, route: Route) -> None:
    """Owners and readers are answered, whatever they show, and no shared cache has any part in it."""
    path, _ = addressed(route, hidden)
    for who, headers in readers.items():
        reply = await index.ask(path, headers)
        assert reply.status in (200, 301), (who, reply.text)
        assert reply["Cache-Control"] == "private, no-cache", who
        assert not {name for name in reply.headers if name.startswith(("access-control", "surrogate"))}, who
        for method, more in (("HEAD", {}), ("GET", {"If-None-Match": reply["ETag"] or "*"})):
            again = await index.ask(path, {**headers, **more}, method=method)
            assert again.status == (304 if more and reply.status == 200 else reply.status), who
            assert again["Cache-Control"] == "private, no-cache", who


async def test_a_known_validator_is_worth_nothing(index: Index, hidden: Name, strangers: Shown) -> None:
    """Whoever knows what a page or file was gets no 304, no part of it, and no word of HEAD."""
    paths = [addressed(route, hidden)[0] for route in ABOUT_ONE]
    for path in paths:
        etag = (await index.ask(path, {"Authorization": index.auth()}))["ETag"]
        for headers in strangers.values():
            for method, more in (
                ("GET", {"If-None-Match": etag or '"a"'}),
                ("HEAD", {}),
                ("GET", {"Range": "bytes=0-1"}),
                ("GET", {"Range": "bytes=0-1", "If-Range": etag or '"a"'}),
            ):
                reply = await index.ask(path, {**headers, **more}, method=method)
                assert reply.status in (301, 404), (path, method, more)
                assert etag not in str(reply.fields) or not etag


async def test_calls_by_xmlrpc(index: Index, hidden: Name) -> None:
    """No method of XML-RPC tells a project from nothing, and no list has it, not even to its owner."""
    answers = []
    for name in (HIDDEN, NOTHING):
        values = {
            TEXT: name,
            INTEGER: 0,
            SECONDS: 0,
            FLAG: True,
            ARRAY: [],
            STRUCT: {"name": name},
        }
        for method in TABLE.methods.values():
            arguments = [values[one.kind] for one in method.parameters]
            if method.name == "user_packages":
                arguments = ["ada"]
            elif method.name in ("release_data", "release_urls", "package_urls", "package_data"):
                arguments = [name, "1.0"]
            body = xmlrpc.client.dumps(tuple(arguments), method.name).encode()
            headers = {"Content-Type": "text/xml", "Authorization": index.auth()}
            reply = await index.ask("/RPC2", headers, method="POST", body=body)
            answers.append((name, method.name, reply.text.replace(name, "name")))
    half = len(answers) // 2
    assert [one[1:] for one in answers[:half]] == [one[1:] for one in answers[half:]]
    told_of = [method for name, method, text in answers if name == NOTHING and HIDDEN in text]
    assert not told_of


async def test_what_the_journal_tells(index: Index, hidden: Name) -> None:
    """Of a project that is private from now on, the last that everybody hears is that it was removed."""
    name = "once-public"
    owner = identity(index, "ada")
    assert (await index.upload(wheel(name, "1.0"), wheel_filename(name, "1.0"))).status == 200
    await index.application.reads.change(owner, name, Access.PUBLIC)
    assert (await index.upload(wheel(name, "2.0"), wheel_filename(name, "2.0"))).status == 200
    path = f"/simple/{name}/"
    assert (await index.ask(path)).status == 200
    await index.application.reads.change(owner, name, Access.ACCOUNTS)
    assert (await index.ask(path)).status == 404
    assert (await index.upload(wheel(name, "3.0"), wheel_filename(name, "3.0"))).status == 200
    page = json.loads((await index.ask("/api/changes?limit=1000")).text)
    lines = [line["action"] for line in page["changes"] if line["normalized"] == name]
    assert [line.split()[0] for line in lines] == ["create", "new", "add", "remove"]
    [(last,)] = index.sql("SELECT max(serial) FROM journal")
    assert page["changes"][-1]["serial"] < last == page["serial"]
    for who in ("eve", "ada"):
        reply = await index.ask(path, {"Authorization": index.auth(who)})
        assert (reply.status, "3.0" in reply.text) == (200, True)


async def test_its_page_says_so(index: Index, hidden: Name) -> None:
    """Those who see its page are told that others do not, and how installers get it."""
    path = f"/project/{HIDDEN.replace('-', '_')}/"
    page = (await index.ask(path, {"Authorization": index.auth()})).text
    assert "Private</span>" in page
    assert "Only those with a role in this project know of it" in page
    assert "Some projects may be for few" in (await index.ask("/connect/")).text


async def test_names_it_had(index: Index, hidden: Name, strangers: Shown) -> None:
    """A private project that is renamed is there, under both names, for its readers; and for nobody else."""
    assert (
        await index.upload(wheel("former-rind", "1.0"), wheel_filename("former-rind", "1.0"))
    ).status == 200
    await index.application.renaming.rename(identity(index, "ada"), "former-rind", "latter-rind")
    owner = {"Authorization": index.auth()}
    for path in ("/simple/{}/", "/project/{}/", "/pypi/{}/json", "/pypi/{}", "/rss/project/{}/releases.xml"):
        for headers in strangers.values():
            replies = [
                told(await index.ask(path.format(name), headers), Name(name, NO_DIGEST))
                for name in ("former-rind", "latter-rind", "absent-rind")
            ]
            assert replies[0] == replies[1] == replies[2], path
    assert (await index.ask("/simple/latter-rind/", owner)).status == 200
    assert (await index.ask("/simple/former-rind/", owner)).status == 200
    assert (await index.ask("/project/former-rind/", owner))["Location"] == "/project/latter-rind/"


async def test_uploads(index: Index, hidden: Name) -> None:
    """Its members upload as ever; to others its name, and names like it, are as names that are prohibited."""
    data = wheel(HIDDEN, "3.0")
    refused = await index.upload(data, wheel_filename(HIDDEN, "3.0"), auth=index.auth("eve"))
    like = await index.upload(
        wheel("h1dden-cheese", "3.0"), wheel_filename("h1dden-cheese", "3.0"), auth=index.auth("eve")
    )
    assert (refused.status, like.status) == (400, 400)
    assert "isn't allowed" in refused.text
    assert "user" not in refused.text
    assert HIDDEN not in like.text


async def test_those_who_run_the_index(index: Index, hidden: Name) -> None:
    """Who runs the index reads all there is, by a second factor; by a password alone, what others read."""
    path = f"/simple/{HIDDEN}/"
    otto, olga = await operator(index), await visitor(index, "olga")
    index.sql("UPDATE users SET is_admin = true WHERE name = 'olga'")
    assert (await otto.look(path)).status == 200
    assert (await olga.look(path)).status == 404
    assert (await index.ask(path, {"Authorization": basic("olga", PASSWORD)})).status == 404


async def test_a_role_that_ends(index: Index, hidden: Name) -> None:
    """Reading ends with the role at once, and with a revoked token or an ended session within a second."""
    path = f"/simple/{HIDDEN}/"
    await index.add_user("carl", password=PASSWORD)
    application = index.application
    index.sql(
        "INSERT INTO roles SELECT p.id, u.id, 'Maintainer', now() FROM projects p, users u"
        f" WHERE p.normalized = '{HIDDEN}' AND u.name = 'carl' RETURNING 1"
    )
    headers = {"Authorization": index.auth("carl")}
    assert (await index.ask(path, headers)).status == 200
    await application.roles.remove(identity(index, "ada"), HIDDEN, "carl")
    assert (await index.ask(path, headers)).status == 404
    token = await application.accounts.add_token("ruth")
    headers = {"Authorization": with_token(token)}
    assert (await index.ask(path, headers)).status == 200
    index.sql(f"UPDATE tokens SET revoked = now() WHERE id = '{token.split('-')[1]}' RETURNING 1")
    statuses = []
    while 404 not in statuses:
        statuses.append((await index.ask(path, headers)).status)
    assert set(statuses) == {200, 404} or statuses == [404]
