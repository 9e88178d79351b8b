"""The table of old addresses, and what follows from it whatever is asked."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from attrs import frozen
from hypothesis import example, given
from hypothesis import strategies as st

from legacy_compat import urls
from legacy_compat.docs_hosting import Moved
from legacy_compat.found import Found
from legacy_compat.paths import Path
from legacy_compat.questions import (
    Digest,
    Document,
    Elsewhere,
    File,
    Gone,
    Links,
    Malformed,
    Missing,
    Page,
    Project,
    Question,
    Stored,
    Text,
    Today,
    User,
)
from legacy_compat.urls_remains import PAGES
from pypi.domain.features import FEATURES
from pypi.domain.names import NormalizedName
from pypi.http.answer import Answer
from pypi.http.rejected import Rejected
from pypi.http.target import parse_target
from pypi.index.lookups import ListedFile

ORIGIN = "https://index.example"
HASH = "ab" * 32
STORED = f"ab/ab/{'ab' * 30}/Foo.Bar-1.0.tar.gz"
FOO = NormalizedName("foo-bar")


def question(target: str, *, foreign: bool = False) -> Question | None:
    """What a target asks for."""
    read = parse_target(target.encode("latin-1"), b"GET")
    path = Path.of(read.text, runs=b"//" in read.path, query=read.query, foreign=foreign)
    return urls.question(path)


@pytest.mark.parametrize(
    "target",
    [
        *("/", "/simple/", "/simple/foo-bar/", "/simple/foo-bar/?x", "/pypi/Foo.Bar/json", "/legacy/"),
        *("/pypi/foo/1.0/json", "/project/Foo.Bar/", "/project/Foo.Bar/1.0/", f"/packages/{STORED}"),
        *("/search/", "/search/?q=a", "/stats/", "/security/", "/account/register/", "/rss/updates.xml"),
        *("/idiom", "/pypifoo", "/id/a/b", "/oauth/other", "/daytime/x", "/tos/x", "/manage/elsewhere"),
        *("/u/a/b", "/p", "/cgi-bin/other.cgi", "/pypi/foo/json/", "/project/", "/account/logout"),
    ],
)
def test_not_of_old(target: str) -> None:
    """Addresses of today, in their spelling, and those that never were, are none of the table's."""
    assert question(target) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/pypi", Page(feature="legacy.home", path="/")),
        ("/PyPI/?utm=x", Page(feature="legacy.home", path="/")),
        ("/cgi-bin/pypi.cgi", Page(feature="legacy.cgi", path="/")),
        ("/pypi/Foo.Bar", Project(feature="legacy.project", name=FOO)),
        ("/pypi/foo%20%20bar/", Project(feature="legacy.project", name=FOO)),
        ("/pypi/foo_bar/1.0", Project(feature="legacy.project", name=FOO, version="1.0")),
        ("/pypi/foo/1/files", Project(feature="legacy.part", name="foo", version="1", fragment="files")),
        ("/pypi/foo/1/display", Project(feature="legacy.part", name="foo", version="1")),
        ("/pypi/foo/1/logout", Missing(feature="legacy.part")),
        ("/pypi/foo/1/doap", Gone(feature="legacy.doap")),
        ("/pypi/foo/doap/", Gone(feature="legacy.doap")),
        (
            "/pypi/foo/1/display_pkginfo",
            Document(feature="legacy.part", name="foo", version="1", by_program=False),
        ),
        ("/pypi/a/b/c/d", Missing(feature="legacy.project")),
        ("/pypi/caf%C3%A9", Missing(feature="legacy.project")),
        ("/pypi/%E2%84%AA", Missing(feature="legacy.project")),
        ("/pypi//foo/json", Today(feature="legacy.json", path="/pypi/foo/json")),
        ("/pypi/packages", Project(feature="legacy.project", name="packages")),
        (
            "/pypi/packages/source/f/foo/foo-1.zip",
            File(feature="legacy.files", project="foo", filename="foo-1.zip"),
        ),
        ("/pypi/packages/source/f/foo/", Links(feature="legacy.file_lists", name="foo")),
        ("/p/foo", Project(feature="legacy.short", name="foo")),
        ("/u/Ada", User(feature="legacy.short", name="Ada")),
        ("/project/Foo.Bar", Project(feature="legacy.pages", name=FOO)),
        ("/simple", Page(feature="legacy.simple", path="/simple/", by_program=True)),
        ("/simple/foo", Links(feature="legacy.simple", name="foo")),
        ("/simple/Foo/", Links(feature="legacy.simple", name="foo")),
        ("/simple//foo/?format=text/html", Links(feature="legacy.simple", name="foo", format="text/html")),
        ("/simple/Foo/?format=evil", Links(feature="legacy.simple", name="foo")),
        ("/simple/Foo/index.html", Links(feature="legacy.simple", name="foo")),
        ("/simple/foo/1.0", Missing(feature="legacy.simple", by_program=True)),
        ("/packages/any/F/Foo.Bar/a.egg", File(feature="legacy.files", project=FOO, filename="a.egg")),
        (
            "/packages/any/F/Foo.Bar/a.egg%23md5=x",
            File(feature="legacy.files", project=FOO, filename="a.egg"),
        ),
        (
            "/packages/any/f/Foo/a.asc",
            File(feature="legacy.signatures", project="foo", filename="a", signature=True),
        ),
        ("/packages/any/g/Foo/a.egg", Missing(feature="legacy.files", by_program=True)),
        ("/packages/any/f/", Missing(feature="legacy.files", by_program=True)),
        ("/packages/any/f/foo", Links(feature="legacy.file_lists", name="foo")),
        (f"//Packages/{STORED}", Today(feature="legacy.files", path=f"/packages/{STORED}")),
        ("/daytime", Text(feature="legacy.mirrors", what="daytime")),
        ("/Last-Modified", Text(feature="legacy.mirrors", what="last-modified")),
        ("/serversig/foo/", Gone(feature="legacy.mirrors")),
        ("/stats", Page(feature="legacy.pages", path="/stats/")),
        ("/stats/months/2008-11.bz2", Gone(feature="legacy.statistics")),
        ("/id/ada", Gone(feature="legacy.openid")),
        ("/oauth/access_token", Gone(feature="legacy.oauth")),
        ("/tos", Gone(feature="legacy.pages")),
        ("/account/login", Page(feature="legacy.pages", path="/account/sign-in/")),
        ("/account/login/?next=/x", Page(feature="legacy.pages", path="/account/sign-in/")),
        ("/manage/account/", Page(feature="legacy.pages", path="/account/")),
        ("/account/reset-password/?token=x", Page(feature="legacy.pages", path="/account/reset/")),
        (
            "/search?page=2&python=3.12&q=a&x=y",
            Page(
                feature="legacy.pages", path="/search/", query=(("q", "a"), ("python", "3.12"), ("page", "2"))
            ),
        ),
    ],
)
def test_table(target: str, expected: Question) -> None:
    """Every family of old addresses, taken apart."""
    assert question(target) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (":action=display&name=Foo_Bar", Project(feature="legacy.action.display", name=FOO)),
        (":action=display&name=foo&version=json", Document(feature="legacy.action.display", name="foo")),
        (":action=files&name=foo", Project(feature="legacy.action.files", name="foo", fragment="files")),
        (":action=display;amp;name=foo", Project(feature="legacy.action.display", name="foo")),
        ("%3aaction=display&name=a+b", Project(feature="legacy.action.display", name="a-b")),
        ("%253Aaction=display&name=a", Project(feature="legacy.action.display", name="a")),
        ("%253Aaction=login", Page(feature="legacy.home", path="/")),
        (":action=display&name=a&name=b", Malformed(feature="legacy.action.display")),
        (":action=rss&:action=home", Malformed(feature="legacy.home")),
        (":action=search&term=a%FF", Malformed(feature="legacy.home")),
        ("&".join("a=b" for _ in range(101)), Malformed(feature="legacy.home")),
        (
            ":action=search&term=a&term=b%26",
            Page(feature="legacy.action.search", path="/search/", query=(("q", "a b&"),)),
        ),
        (
            ":action=browse&c=4&c=1&c=4&c=x",
            Page(
                feature="legacy.action.browse",
                path="/search/",
                query=(("c", "Development Status :: 4 - Beta"), ("c", "Development Status :: 1 - Planning")),
            ),
        ),
        (":action=browse&" + "&".join(["c=1"] * 9), Malformed(feature="legacy.action.browse")),
        (f":action=show_md5&digest={'AB' * 16}", Digest(feature="legacy.action.show_md5", md5="ab" * 16)),
        (":action=show_md5&digest=1234", Missing(feature="legacy.action.show_md5")),
        (":action=user&otk=1", Gone(feature="legacy.action.user")),
        (":action=user&otk=", Page(feature="legacy.action.user", path="/account/register/")),
        (":action=file_upload", Gone(feature="legacy.action.file_upload", publishing=True)),
        (":action=urls", Page(feature="legacy.action.urls", path="/manage/")),
        (":action=gae_file&host=evil.example", Gone(feature="legacy.action.gae_file")),
        (":action=Display&name=foo", Missing(feature="legacy.action.other")),
    ],
)
@pytest.mark.parametrize("address", ["/pypi", "/pypi/", "/cgi-bin/pypi.cgi"])
def test_actions(address: str, query: str, expected: Question) -> None:
    """``:action`` forms, wherever they are sent."""
    found = question(f"{address}?{query}")
    assert found is not None
    if found.feature == "legacy.cgi":
        expected = type(expected)(**{"feature": "legacy.cgi"} | _fields(expected, "feature"))
    assert found == expected


def _fields(one: Question, *without: str) -> dict[str, Any]:
    names = [field.name for field in type(one).__attrs_attrs__ if field.name not in without]  # type: ignore[attr-defined]
    return {name: getattr(one, name) for name in names}


def test_foreign_hosts() -> None:
    """On a host of old, addresses of today are old ones, too."""
    assert question("/simple/foo/", foreign=True) == Links(feature="legacy.simple", name="foo")
    assert question("/pypi/foo/json", foreign=True) == Document(feature="legacy.json", name="foo")
    assert question(f"/packages/{STORED}", foreign=True) == Stored(
        feature="legacy.files", blake2_256=HASH, filename="Foo.Bar-1.0.tar.gz"
    )
    assert question("/project/foo/", foreign=True) == Project(feature="legacy.pages", name="foo")


def test_documentation() -> None:
    """Documentation has gone where the operator says, and nowhere else."""
    moved = Moved.of({"Foo.Bar": "https://docs.example/foo", "old": "https://old.example/"})
    assert moved.question("/foo_bar/a/b.html") == Elsewhere(
        feature="legacy.docs", url="https://docs.example/foo", rest=("a", "b.html")
    )
    assert moved.question("/old/a") == Elsewhere(feature="legacy.docs", url="https://old.example/")
    for text in ("/", "/other/", "/caf\xe9/"):
        assert moved.question(text) == Missing(feature="legacy.docs")


# --- whatever is asked --------------------------------------------------------------------------------------


@frozen
class Shelf:
    """Stands in for the database: one project, Foo.Bar, with two releases and a file."""

    async def project(self, name: str) -> str | None:
        return "Foo.Bar" if name == "foo-bar" else None

    async def release(self, name: str, version: str) -> tuple[str, str] | None:
        known = {"1": "1.0", "1.0": "1.0", "1.0+local!": "1.0+local"}
        return ("Foo.Bar", known[version]) if name == "foo-bar" and version in known else None

    async def file(self, filename: str) -> ListedFile | None:
        found = ListedFile(FOO, "Foo.Bar-1.0.tar.gz", HASH, True)
        return found if filename == found.filename else None

    async def stored(self, blake2_256: str) -> ListedFile | None:
        return await self.file("Foo.Bar-1.0.tar.gz") if blake2_256 == HASH else None

    async def files_of(self, name: str, canonical: str) -> tuple[ListedFile, ...]:
        found = await self.file("Foo.Bar-1.0.tar.gz")
        return (found,) if found and (name, canonical) == ("foo-bar", "1") else ()

    async def has_md5(self, md5: str) -> bool:
        return md5 == "0" * 32

    async def user(self, name: str) -> str | None:
        return "Ada" if name.lower() == "ada" else None

    async def last_serial(self) -> int:
        return 7

    async def last_change(self) -> datetime | None:
        return None


async def _is_signed(path: str) -> bool:
    return True


SHELF: Any = Shelf()
FOUND = Found(
    lookups=SHELF,
    origin=ORIGIN,
    files_url=ORIGIN,
    signed=_is_signed,
    classifiers=("A :: B",),
    now=lambda: datetime(2026, 11, 21, tzinfo=UTC),
)


def answer(asked: Question, base: str) -> Answer:
    """The answer to a question, from the shelf."""
    work = FOUND.answer(asked, base)
    try:
        work.send(None)
    except StopIteration as ended:
        made: Answer = ended.value
        return made
    raise AssertionError("nobody has to wait for a shelf")


PIECES = st.sampled_from(
    [
        *("pypi", "PyPI", "simple", "packages", "project", "p", "u", "source", "F", "f", "json", "1.0", "1"),
        *("Foo.Bar", "foo_bar", "foo-bar", "foo bar", "Ada", "Foo.Bar-1.0.tar.gz", "Foo.Bar-1.0.tar.gz.asc"),
        *(
            "foo_bar-1.0.0.tar.gz",
            "index.html",
            "files",
            "search",
            "account",
            "login",
            "evil.example",
            "http:",
        ),
        *(
            "ab",
            "ab" * 30,
            "..",
            ".",
            "%2e%2e",
            "%5C",
            "@evil.example",
            "%0d%0aX:1",
            "caf\u00e9",
            "a#b",
            "a?b",
        ),
        *(
            "cgi-bin",
            "pypi.cgi",
            "1.0+local!",
            "oauth",
            "id",
            "daytime",
            "serial",
            "stats",
            "days",
            "display",
        ),
    ]
)
SEGMENTS = st.one_of(PIECES, st.text(max_size=8)).map(lambda text: quote(text, safe="%#?@:!$&'()*+,;=~\\"))
PATHS = st.lists(SEGMENTS, max_size=6).map(lambda parts: "/" + "/".join(parts))
VALUES = st.one_of(
    PIECES, st.sampled_from(["display", "files", "rss", "browse", "4", "text/html"]), st.text(max_size=5)
)
KEYS = st.sampled_from(
    [":action", "%3Aaction", "name", "version", "term", "c", "digest", "format", "q", "next"]
)
PARAMETERS = st.tuples(KEYS, VALUES.map(lambda value: quote(value, safe="%:/")))
QUERIES = st.lists(PARAMETERS.map("=".join), max_size=4).map("&".join)

LOOKED_UP = {
    "project",
    "pypi",
    "simple",
    "packages",
    "user",
    "json",
    "Foo.Bar",
    "foo-bar",
    "Ada",
    "1.0",
    "1.0+local",
}
LOOKED_UP |= {
    "ab",
    "ab" * 30,
    "Foo.Bar-1.0.tar.gz",
    "Foo.Bar-1.0.tar.gz.asc",
    "Foo.Bar-1.0.tar.gz.metadata",
    "",
}
KNOWN = {"/", "/simple/", "/search/", "/rss/updates.xml", "/rss/packages.xml", *PAGES}


@given(path=PATHS, query=QUERIES, foreign=st.booleans())
@example("//pypi///FOO__bar//1.0.0//", "", False)
@example("/pypi", ":action=display&name=Foo.Bar&version=1.0%2Blocal!", True)
@example("/packages/source/F/Foo.Bar/foo_bar-1.0.0.tar.gz", "", True)
def test_one_hop_to_what_is_known(path: str, query: str, foreign: bool) -> None:
    """A redirect leads to what was looked up, of our own origin, in its final spelling."""
    target = path + (f"?{query}" if query else "")
    try:
        asked = question(target, foreign=foreign)
    except Rejected:
        return
    if asked is None or isinstance(asked, Today):
        return
    assert asked.feature in FEATURES
    base = ORIGIN if foreign else ""
    answered = answer(asked, base)
    location = dict(answered.headers).get("Location")
    assert (location is not None) == (answered.code in (301, 302))
    if location is None:
        assert not answered.tags or answered.code == 404
        return
    assert re.fullmatch(r"[A-Za-z0-9%._~/?=&#+:-]+", location)
    assert location.startswith(f"{base}/")
    assert not location.startswith(f"{base}//")
    there = urlsplit(location.removeprefix(base))
    assert there.path in KNOWN or {unquote(part) for part in there.path.split("/")} <= LOOKED_UP
    assert there.path == "/search/" or not there.query or there.query == "format=text/html"
    assert question(location.removeprefix(base).partition("#")[0]) is None, "one hop was not enough"
