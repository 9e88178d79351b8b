"""Features of a real index, its fast lane before it: counted, announced, and switched off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, dumps, loads

import pytest
from attrs import frozen

from caching.transport import EagerPort
from pypi.embedded import Urls
from pypi.http.site import Site
from pypi.process.sockets import bind
from tests.support import client
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, eventually, reactor, running

JSON = "application/vnd.pypi.simple.v1+json"
ANNOUNCED = "simple.json=2026-12-01/2027-06-01"


@frozen
class Served:
    """An index as the service serves it, its fast lane before it."""

    index: Index
    port: int

    async def ask(
        self,
        path: str,
        accept: str | None = None,
        agent: str | None = None,
        method: str = "GET",
        known: str = "",
    ) -> Reply:
        """One request, on a connection that could take another: the lane answers no others."""
        headers = {"Accept": accept, "User-Agent": agent, "If-None-Match": known or None}
        exchange = await client.connect(self.port)
        asked = client.request(self.port, method, path, {**headers, "Connection": "keep-alive"})
        exchange.send(asked)
        await eventually(lambda: is_whole(exchange.received, method))
        exchange.vanish()
        return client.parse(await exchange.ended, has_body=method != "HEAD")

    @property
    def lane(self) -> int:
        """Requests that the lane has answered."""
        return sum(stats.lane for stats in self.index.application.watch.observer.routes)

    async def counts(self) -> dict[tuple[str, str], int]:
        """Feature and family → requests, as the operator is shown them."""
        reply = await client.ask(self.index.operator_port, "GET", "/metrics")
        line = re.compile(
            r'^cheeseshop_feature_requests_total\{family="([^"]*)",feature="([^"]*)",worker="0"\} ([0-9.]+)$',
            re.M,
        )
        return {(feature, family): int(float(count)) for family, feature, count in line.findall(reply.text)}


def is_whole(data: bytes, method: str) -> bool:
    """Whether this is an answer to its end."""
    head, blank, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
    bodiless = method == "HEAD" or b" 304 " in head[:20] or length is None
    return bool(blank) and (bodiless or len(body) == int(length[1]))  # type: ignore[index]


@asynccontextmanager
async def served(database_url: str, folder: Path, **settings: Any) -> AsyncIterator[Served]:
    """An index with one project, with its lane and all that watches it."""
    async with running(database_url, folder, **settings) as index:
        application = index.application
        site = Site(
            application.public,
            reactor=reactor,
            hosts=application.hosts,
            access_log=application.watch.observer,
            lane=application.caches.lane,
        )
        socket = bind("127.0.0.1", 0, "service.port")
        listening: Any = EagerPort.adopt(reactor, socket.fileno(), socket.family, site)
        port = socket.getsockname()[1]
        socket.close()
        try:
            if not index.sql("SELECT 1 FROM files"):
                assert (await index.upload(wheel("a"), wheel_filename("a"))).status == 200
                await application.caches.invalidations.catch_up()  # before that, nothing is kept
            yield Served(index, port)
        finally:
            await listening.stopListening()


@pytest.mark.parametrize(
    "settings",
    [{"log__access": "off"}, {"log__format": "combined"}, {"log__format": "json"}, {"cache__lane": "off"}],
    ids=lambda given: "-".join(map(str, *given.items())),
)
async def test_all_hits_are_counted(database_url: str, tmp_path: Path, settings: dict[str, str]) -> None:
    """Whoever answers, memory or the lane, and whether there is a log: each hit is counted for its client."""
    async with served(database_url, tmp_path, **settings) as index:
        for _ in range(4):
            assert (await index.ask("/simple/a/", JSON, "pip/24.0 {}")).status == 200
            assert (await index.ask("/simple/a/", None, "Python-urllib/2.7 setuptools/0.6c9")).status == 200
        assert (await index.ask("/simple/a/", JSON, "pip/24.0 {}", "HEAD")).status == 200
        assert (await index.ask("/", None, "curl/8")).status == 200
        assert (index.lane == 0) == ("cache__lane" in settings)
        assert await index.counts() == {("simple.json", "pip 24"): 5, ("simple.html", "setuptools 0"): 4}


async def test_announced_by_every_rung(database_url: str, tmp_path: Path) -> None:
    """The headers that announce are in what is made, in what memory has, and in the lane's 304s."""
    async with served(database_url, tmp_path, legacy__announced=ANNOUNCED) as index:
        for _ in range(3):
            reply = await index.ask("/simple/a/", JSON)
            assert reply["Deprecation"] == "@1796083200"
            assert reply["Sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
            assert "Deprecation" not in await index.ask("/simple/a/")
        before = index.lane
        known = await index.ask("/simple/a/", JSON, known=reply["ETag"])
        assert (known.status, known["Deprecation"]) == (304, "@1796083200")
        assert index.lane == before + 1 > 1


async def test_redis_when_something_is_announced(database_url: str, tmp_path: Path, servers: Urls) -> None:
    """Redis outlives a service; what was made before an announcement is not used by those who make it."""
    settings = {"redis_url": servers.redis, "service__origin": "http://index.example"}
    statuses = []
    for announced in ("", "", ANNOUNCED):
        async with served(database_url, tmp_path, legacy__announced=announced, **settings) as index:
            reply = await index.ask("/simple/a/", JSON)
            statuses.append(reply["Cache-Status"].startswith("cheeseshop-l2; hit"))
            assert ("Deprecation" in reply) == bool(announced)
            counts = index.index.application.caches.ladder.shared.counts
            await eventually(lambda counts=counts: counts.puts or counts.hits)
            # Each start makes the same account.
            index.index.sql(
                "UPDATE users SET name = 'was' || id; UPDATE emails SET address = 'was' || address"
            )
    assert statuses == [False, True, False]


async def test_switched_off(database_url: str, tmp_path: Path) -> None:
    """A format that is off is 410 from the first request on, in the format asked for; others go on."""
    async with served(database_url, tmp_path, legacy__off="simple.json,json.*") as index:
        for _ in range(3):
            assert (await index.ask("/simple/a/")).status == 200
            for path in ("/simple/a/", "/simple/"):
                reply = await index.ask(path, f"{JSON}, application/json;q=0.1", "pip/24.0")
                assert reply.status == 410
                assert reply.json()["message"].endswith("is switched off on this index. Ask for text/html.")
            assert (await index.ask("/pypi/a/json")).status == 410
        counts = await index.counts()
        assert counts[("simple.json", "pip 24")] == 6
        assert counts[("json.project", "none")] == 3


async def test_what_is_said_of_an_old_spelling_alone(database_url: str, tmp_path: Path) -> None:
    """A page that is kept is the same for all: what one was led there by is announced to that one, or off."""
    settings = {"legacy__announced": "legacy.json=/2027-06-01"}
    async with served(database_url, tmp_path, **settings) as index:
        for _ in range(2):
            assert (await index.ask("/PYPI/a/json"))["Sunset"] == "Tue, 01 Jun 2027 00:00:00 GMT"
            reply = await index.ask("/pypi/a/json")
            assert reply.status == 200
            assert "Sunset" not in reply


async def test_an_old_spelling_that_is_off(database_url: str, tmp_path: Path) -> None:
    """Where an old spelling is off, today's goes on."""
    async with served(database_url, tmp_path, legacy__off="legacy.json") as index:
        for _ in range(2):
            assert (await index.ask("/PYPI/a/json")).status == 410
            assert (await index.ask("/pypi/a/json")).status == 200


async def test_methods_of_xmlrpc(database_url: str, tmp_path: Path) -> None:
    """A call is counted by its method, a multicall by each of its own; one that is off is a fault."""
    settings = {"legacy__off": "xmlrpc.browse", "legacy__announced": "xmlrpc.package_releases=2026-12-01"}
    async with served(database_url, tmp_path, **settings) as index:
        agent = {"User-Agent": "xmlrpclib.py/1.0.1 (by www.pythonware.com)", "Content-Type": "text/xml"}

        async def call(method: str, *given: Any) -> Reply:
            return await client.ask(index.port, "POST", "/RPC2", agent, dumps(given, method).encode())

        assert (await call("package_releases", "a"))["Deprecation"] == "@1796083200"
        releases = {"methodName": "package_releases", "params": ["a"]}
        calls = [releases, {"methodName": "changelog_last_serial", "params": []}]
        reply = await call("system.multicall", calls)
        assert loads(reply.body)[0][0][0] == [["1.0"]]
        assert reply["Deprecation"] == "@1796083200"
        reply = await call("browse", [])
        with pytest.raises(Fault, match=r"switched off on this index\. Use the search page, /search/\."):
            loads(reply.body)
        used = {"package_releases": 2, "system.multicall": 1, "changelog_last_serial": 1, "browse": 1}
        assert await index.counts() == {(f"xmlrpc.{one}", "Python xmlrpc 1"): n for one, n in used.items()}
