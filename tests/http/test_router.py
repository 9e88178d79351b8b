"""Routes: what is true of every one of them."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from caching.policy import Policy
from pypi.domain.errors import Forbidden, NoSuchProject, Unavailable
from pypi.http.answer import Answer
from pypi.http.answering import klein_for
from pypi.http.hosts import Hosts
from pypi.http.router import Route, Router
from pypi.http.site import Site
from pypi.http.streams import Stream
from pypi.http.terms import PUBLISHING
from tests.http.memory import HOST, Response, Wire, errors_logged, parse_responses

KEPT = Policy(browser=60, cors=True)


@define
class Room:
    """A room with a route of every kind."""

    router: ClassVar[Router] = Router()
    seen: list[str] = field(factory=list)
    gate: Deferred[None] = field(factory=Deferred)

    @router.get("/page/", policy=KEPT)
    async def page(self, request: Any) -> Answer:
        """Reads."""
        return Answer(body=b"page")

    @router.post("/page/", terms=PUBLISHING)
    async def write(self, request: Any) -> Answer:
        """Writes."""
        return Answer(body=b"written")

    @router.get("/item/<name>", policy=KEPT)
    async def item(self, request: Any, name: str) -> Answer:
        """Has a value in its path."""
        self.seen.append(name)
        return Answer(body=name.encode())

    @router.get("/item/special", policy=KEPT)
    async def special(self, request: Any) -> Answer:
        """Goes before the value."""
        return Answer(body=b"the special one")

    @router.get("/own", policy=Policy())
    async def own(self, request: Any) -> Answer:
        """Is for nobody else's pages."""
        return Answer(body=b"own")

    @router.get("/missing", policy=KEPT)
    async def missing(self, request: Any) -> Answer:
        """Refuses."""
        raise NoSuchProject("x")

    @router.post("/forbidden", terms=PUBLISHING)
    async def forbidden(self, request: Any) -> Answer:
        """Refuses a write."""
        raise Forbidden("Not you.")

    @router.get("/later", policy=KEPT)
    async def later(self, request: Any) -> Answer:
        """Cannot do it now."""
        raise Unavailable("Not now.")

    @router.get("/broken", policy=KEPT)
    async def broken(self, request: Any) -> Answer:
        """Has a mistake."""
        raise LookupError("a secret")

    @router.get("/breaks", policy=KEPT)
    async def breaks(self, request: Any) -> Answer:
        """Has a mistake that shows late."""

        async def pieces() -> Any:
            yield b"x"
            raise LookupError("a secret")

        return Answer(body=Stream(length=2, pieces=pieces))

    @router.get("/waits", policy=KEPT)
    async def waits(self, request: Any) -> Answer:
        """Takes its time."""
        await self.gate
        return Answer(body=b"at last")


@define
class Connection:
    """A connection to a site of these rooms."""

    room: Room = field(factory=Room)

    def connect(self) -> Wire:
        """A new connection."""
        site = Site(klein_for([self.room]).resource(), reactor=Clock(), hosts=Hosts.of([HOST]))
        return Wire(site)

    def ask(self, target: str, method: str = "GET", *headers: str) -> Response:
        """The answer to one request."""
        wire = self.connect()
        wire.send(request(target, method, *headers))
        [answer] = parse_responses(wire.output, head=method == "HEAD")
        return answer


def request(target: str, method: str = "GET", *headers: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", *headers]
    if method == "POST":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode()


@pytest.fixture
def site() -> Connection:
    return Connection()


def test_table_of_routes() -> None:
    """A room's routes are values, in the order they are written."""
    assert Room.router.routes[:3] == [
        Route("GET", "/page/", "page", KEPT),
        Route("POST", "/page/", "write", Policy(store=False), terms=PUBLISHING, writes=True),
        Route("GET", "/item/<name>", "item", KEPT),
    ]


def test_two_rooms_for_one_path() -> None:
    """Two rooms that claim one path are found when the service is put together."""
    with pytest.raises(ValueError, match="GET /page/ is answered by two rooms"):
        klein_for([Room(), Room()])


def test_methods(site: Connection) -> None:
    """Each method of a path has its own handler, and HEAD is that of GET."""
    assert site.ask("/page/").body == b"page"
    assert site.ask("/page/", "POST").body == b"written"
    head = site.ask("/page/", "HEAD")
    assert (head.status, head.body, head.headers[b"content-length"]) == (200, b"", b"4")
    assert site.ask("/page/").headers[b"cache-control"] == b"max-age=60, public"
    assert site.ask("/page/", "POST").headers[b"cache-control"] == b"private, no-store"


@pytest.mark.parametrize(
    ("target", "method", "allowed"),
    [
        ("/page/", "PUT", b"GET, HEAD, OPTIONS, POST"),
        ("/item/x", "POST", b"GET, HEAD, OPTIONS"),
        ("/forbidden", "OPTIONS", b"POST"),
        ("/forbidden", "GET", b"POST"),
        ("/forbidden", "HEAD", b"POST"),
    ],
)
def test_wrong_method(site: Connection, target: str, method: str, allowed: bytes) -> None:
    """A method no handler has is answered with those that have one."""
    answer = site.ask(target, method)
    assert (answer.status, answer.headers[b"allow"]) == (405, allowed)
    assert answer.headers[b"cache-control"] == b"private, no-store"
    assert site.room.seen == []


@pytest.mark.parametrize(
    ("target", "allowed"), [("/page/", b"GET, HEAD, OPTIONS, POST"), ("/item/x", b"GET, HEAD, OPTIONS")]
)
def test_options(site: Connection, target: str, allowed: bytes) -> None:
    """A path says what may be asked of it, and lets the pages of other origins ask."""
    preflight = ("Origin: https://a.example", "Access-Control-Request-Method: GET")
    asked = site.ask(target, "OPTIONS", *preflight, "Access-Control-Request-Headers: if-none-match")
    assert (asked.status, asked.body, asked.headers[b"allow"]) == (204, b"", allowed)
    told = {name: value for name, value in asked.headers.items() if name.startswith(b"access-control-")}
    assert told == {
        b"access-control-allow-origin": b"*",
        b"access-control-allow-methods": b"GET",
        b"access-control-allow-headers": (
            b"Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since"
        ),
        b"access-control-expose-headers": b"X-PyPI-Last-Serial",
        b"access-control-max-age": b"86400",
    }
    assert b"content-length" not in asked.headers
    assert site.room.seen == []


def test_options_of_a_page_for_our_own_only(site: Connection) -> None:
    """A path that is not for pages of other origins does not let them in."""
    asked = site.ask("/own", "OPTIONS")
    assert (asked.status, asked.headers[b"allow"]) == (204, b"GET, HEAD, OPTIONS")
    assert not [name for name in asked.headers if name.startswith(b"access-control-")]


@pytest.mark.parametrize("target", ["//item/a", "/item//a", "//item///a?x"])
def test_empty_segments(site: Connection, target: str) -> None:
    """Several slashes in a row count as one."""
    assert site.ask(target).status == 200
    assert site.room.seen == ["a"]


@pytest.mark.parametrize(("target", "status"), [("//page", 301), ("/page//", 200), ("//page//", 200)])
def test_empty_segments_at_the_end(site: Connection, target: str, status: int) -> None:
    """Where a slash is missing nevertheless, one redirect adds it, and takes away the others."""
    answer = site.ask(target)
    assert (answer.status, answer.headers.get(b"location", b"/page/")) == (status, b"/page/")


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("/item/a", "a"),
        ("/item/caf%C3%A9", "café"),
        ("/item/a%20b+c", "a b+c"),
        ("/item/a%2541", "a%41"),
        ("/item/%3Cb%3E", "<b>"),
        ("/item/a;b=c", "a;b=c"),
        ("/item/a?b=c", "a"),
    ],
)
def test_values(site: Connection, target: str, seen: str) -> None:
    """A handler gets the segment, decoded once."""
    assert site.ask(target).status == 200
    assert site.room.seen == [seen]


def test_fixed_paths_go_first(site: Connection) -> None:
    """A path that is spelled out goes before one with a value."""
    assert site.ask("/item/special").body == b"the special one"


@pytest.mark.parametrize("target", ["/", "/nowhere", "/item/", "/item/a/b", "/item/a/", "/missing/"])
def test_nothing_there(site: Connection, target: str) -> None:
    """An address nobody has gets 404 for every method."""
    for method in ("GET", "HEAD", "POST", "DELETE"):
        answer = site.ask(target, method)
        assert (answer.status, answer.headers[b"cache-control"]) == (404, b"private, no-store"), method
    assert site.ask(target).body == b"404 Not Found\n\nThere is nothing at this address.\n"


@pytest.mark.parametrize(
    ("method", "target", "status", "location"),
    [
        ("GET", "/page", 301, b"/page/"),
        ("HEAD", "/page", 301, b"/page/"),
        ("POST", "/page", 308, b"/page/"),
        ("GET", "/page?a=b&c=%2Fd", 301, b"/page/?a=b&c=%2Fd"),
    ],
)
def test_missing_slash(site: Connection, method: str, target: str, status: int, location: bytes) -> None:
    """A missing slash at the end is one redirect, to a path of this host."""
    answer = site.ask(target, method)
    assert (answer.status, answer.headers[b"location"]) == (status, location)


def test_refusals(site: Connection) -> None:
    """A refusal is an answer, not a failure: nothing is logged; readers of other origins may read it."""
    with errors_logged() as errors:
        missing, forbidden, later = (
            site.ask("/missing"),
            site.ask("/forbidden", "POST"),
            site.ask("/later"),
        )
    assert errors == []
    assert (missing.status, missing.reason) == (404, b"Not Found")
    assert missing.headers[b"access-control-allow-origin"] == b"*"
    assert missing.headers[b"cache-control"] == b"private, no-store"
    assert (forbidden.status, forbidden.reason) == (403, b"Not you.")
    assert (later.status, later.headers[b"retry-after"]) == (503, b"5")
    assert site.ask("/missing", "HEAD").headers[b"content-length"] == b"%d" % len(missing.body)


def test_mistakes(site: Connection) -> None:
    """A mistake of ours is logged once, and tells the client nothing but that it was one."""
    with errors_logged() as errors:
        answer = site.ask("/broken", "GET", "Accept: application/json")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert answer.headers[b"content-type"] == b"application/json"
    assert answer.headers[b"cache-control"] == b"private, no-store"
    assert len(errors) == 1


def test_mistake_behind_the_head(site: Connection) -> None:
    """A mistake after the first byte breaks the connection off."""
    wire = site.connect()
    with errors_logged() as errors:
        wire.send(request("/breaks"))
    assert wire.output.endswith(b"\r\n\r\nx")
    assert wire.lost
    assert len(errors) == 1


def test_client_that_leaves(site: Connection) -> None:
    """A handler whose client has gone is cancelled, and that is nothing to log."""
    wire = site.connect()
    with errors_logged() as errors:
        wire.send(request("/waits"))
        wire.lose()
    assert site.room.gate.called
    assert errors == []


def test_answer_that_takes_its_time(site: Connection) -> None:
    """An answer may come later, and the next request waits for it."""
    wire = site.connect()
    wire.send(request("/waits") + request("/page/"))
    assert wire.output == b""
    site.room.gate.callback(None)
    assert [answer.body for answer in wire.answers()] == [b"at last", b"page"]
