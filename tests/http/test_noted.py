"""Routes that serve features: noted, refused where they are off, and announced to go."""

from __future__ import annotations

from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import pytest
from attrs import define, field
from twisted.internet.task import Clock

from caching.policy import Policy
from pypi.domain.features import FEATURES
from pypi.domain.switches import Announcement, Switches
from pypi.http.announced import announcements
from pypi.http.answer import Answer
from pypi.http.answering import klein_for
from pypi.http.hosts import Hosts
from pypi.http.log_lines import Combined
from pypi.http.observed import Observer
from pypi.http.overheard import Overheard
from pypi.http.request import MOST_FEATURES, Request
from pypi.http.router import Router
from pypi.http.site import Site
from pypi.http.terms import ANYBODY_READS
from pypi.http.usage import Usage
from tests.http.memory import HOST, Response, Wire, parse_responses

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
BY_TYPE = Policy(variant=lambda accept, given: "json" if accept == "text/json" else "html")

SWITCHES = Switches(
    off=frozenset({"xmlrpc.search", "simple.json"}),
    announced={
        "simple.html": Announcement(date(2026, 12, 1), date(2027, 6, 1)),
        "feeds.updates": Announcement(sunset=date(2027, 6, 1)),
        "feeds.packages": Announcement(deprecated=date(2026, 12, 1)),
    },
    link="https://index.example/news",
)


@define
class Room:
    """Routes that serve features."""

    router: ClassVar[Router] = Router()
    switches: Switches

    @router.get("/page/", policy=BY_TYPE, feature=lambda kind: f"simple.{kind}")
    async def page(self, request: Any) -> Answer:
        """Which feature it is follows from the representation."""
        return Answer(body=b"page")

    @router.get("/feed", policy=Policy(), feature="feeds.updates")
    async def feed(self, request: Any) -> Answer:
        """One feature, and a link of its own."""
        return Answer(body=b"feed", headers=(("Link", "</next>; rel=next"),))

    @router.call("/call", feature="json.project", terms=ANYBODY_READS)
    async def call(self, request: Any) -> Answer:
        """Many features, by what is asked."""
        for name in request.args.get(b"use", ()):
            request.used(name.decode())
            self.switches.check(name.decode())
        return Answer(body=b"called")

    @router.get("/plain", policy=Policy())
    async def plain(self, request: Any) -> Answer:
        """None."""
        return Answer(body=b"plain")


@define
class Connection:
    """A connection to that room."""

    switches: Switches = SWITCHES
    usage: Usage = field(init=False)

    def ask(self, line: str, *headers: str) -> Response:
        """The answer to one request."""
        clock = Clock()
        observer = Observer(clock)
        self.usage = Usage(observer.routes, Overheard(Combined()), lambda: None, lambda: NOON)
        observer.usage = self.usage
        resource = klein_for([Room(self.switches)], switches=self.switches).resource()
        wire = Wire(Site(resource, reactor=clock, hosts=Hosts.of([HOST]), access_log=observer))
        method = line.partition(" ")[0]
        length = ["Content-Length: 0"] if method == "POST" else []
        wire.send("\r\n".join([f"{line} HTTP/1.1", f"Host: {HOST}", *headers, *length, "", ""]).encode())
        [answer] = parse_responses(wire.output, head=method == "HEAD")
        return answer


def test_a_feature_is_counted_by_its_client() -> None:
    """A request is counted for the feature of its route, and for the family of who made it."""
    connection = Connection()
    connection.ask("GET /page/", "User-Agent: curl/8.5.0")
    assert connection.usage.counts == {("simple.html", "curl"): 1}
    connection.ask("HEAD /feed")
    assert connection.usage.counts == {("feeds.updates", "none"): 1}
    for line in ("GET /plain", "GET /nothing", "OPTIONS /feed", "POST /feed"):
        connection.ask(line)
        assert connection.usage.counts == {}


def test_many_features_in_one_request() -> None:
    """A request that uses several features is counted for each of them, and once for each."""
    connection = Connection()
    connection.ask("POST /call?use=xmlrpc.browse&use=xmlrpc.browse&use=xmlrpc.changelog")
    features = ("json.project", "xmlrpc.browse", "xmlrpc.changelog")
    assert connection.usage.counts == {(feature, "none"): 1 for feature in features}


def test_features_of_a_request_are_bounded() -> None:
    """However much a request uses, the list is bounded; a feature that is not in the table is a mistake."""
    request = Request.__new__(Request)
    for name in FEATURES:
        request.used(name)
    assert request.features == tuple(FEATURES)[:MOST_FEATURES]
    with pytest.raises(KeyError):
        request.used("xmlrpc.serch")


def test_routes_name_features_that_are_there() -> None:
    """A name that is not in the table is found when the route is written."""
    with pytest.raises(KeyError):
        Router().get("/x", policy=Policy(), feature="xmlrpc.serch")


def test_a_feature_that_is_off() -> None:
    """It is answered by 410 and a sentence, in the client's format, kept by nobody, and still counted."""
    connection = Connection()
    answer = connection.ask("GET /page/", "Accept: text/json")
    assert answer.status == 410
    assert answer.headers[b"cache-control"] == b"private, no-store"
    assert b"The simple index in JSON is switched off on this index. Ask for text/html." in answer.body
    assert connection.usage.counts == {("simple.json", "none"): 1}
    answer = connection.ask("POST /call?use=xmlrpc.browse&use=xmlrpc.search")
    assert answer.status == 410
    assert "The XML-RPC method search is switched off" in answer.reason.decode()
    assert connection.ask("GET /page/").status == 200


def test_headers_that_announce() -> None:
    """``Deprecation`` is a date of structured fields (RFC 9745), ``Sunset`` one of HTTP (RFC 8594)."""
    headers = dict(announcements(SWITCHES, ["simple.html"]))
    assert headers == {
        "Deprecation": "@1796083200",
        "Sunset": "Tue, 01 Jun 2027 00:00:00 GMT",
        "Link": '<https://index.example/news>; rel="deprecation"; type="text/html"',
    }
    assert datetime.fromtimestamp(int(headers["Deprecation"][1:]), UTC) == datetime(2026, 12, 1, tzinfo=UTC)
    assert parsedate_to_datetime(headers["Sunset"]) == datetime(2027, 6, 1, tzinfo=UTC)
    assert [name for name, _ in announcements(SWITCHES, ["feeds.packages"])] == ["Deprecation", "Link"]
    assert announcements(SWITCHES, ["json.project"]) == ()


def test_answers_announce() -> None:
    """What is announced of a feature is in its answers, also without a body, and in no other's."""
    connection = Connection()
    for line in ("GET /page/", "HEAD /page/"):
        answer = connection.ask(line)
        assert answer.headers[b"deprecation"] == b"@1796083200"
        assert answer.headers[b"sunset"] == b"Tue, 01 Jun 2027 00:00:00 GMT"
    plain = connection.ask("GET /plain")
    assert {b"deprecation", b"sunset", b"link"}.isdisjoint(plain.headers)


def test_links_beside_those_of_the_answer() -> None:
    """An answer's own links stay."""
    link = Connection().ask("GET /feed").headers[b"link"]
    assert link == b'</next>; rel=next, <https://index.example/news>; rel="deprecation"; type="text/html"'
