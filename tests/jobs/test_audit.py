"""The auditor and a real index behind a real Varnish: what is old at the edge is found, and purged again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest_twisted
from attrs import define
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from caching.client import Client, Reply
from caching.varnish import Varnish
from pypi.jobs.audit import ACCEPTS, PAGES, SETTLED, Audit, Findings
from pypi.jobs.outbox import Outbox
from pypi.jobs.purge import Purge, Purges
from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index, reactor, running
from tests.support.varnish import VarnishServer

LATER = timedelta(minutes=1)


@define(eq=False)
class Shop:
    """An index, the Varnish before it, and an auditor to whom every change is an old one."""

    index: Index
    varnish: VarnishServer
    audit: Audit

    async def through_the_edge(self, path: str, accept: str = "text/html") -> Reply:
        """A page as clients get it."""
        return await self.audit.client.ask("GET", f"{self.varnish.url}{path}", {"Accept": accept})

    async def publish(self, name: str, version: str) -> None:
        """Upload a file."""
        data = wheel(name, version)
        assert (await self.index.upload(data, wheel_filename(name, version))).status == 200

    async def purge(self) -> None:
        """Empty the outbox, twice."""
        purger = Varnish(urls=(self.varnish.url,), secret="", client=Client(reactor))
        database = self.audit.database
        for seconds in (0, 5, 10):
            now = datetime.now(UTC) + timedelta(seconds=seconds)
            job = Outbox(
                database=database,
                reactor=reactor,
                now=lambda now=now: now,  # type: ignore[misc]
                handlers=Purge(purger=purger).handlers(),
            )
            await job.run()

    @property
    def asked(self) -> list[object]:
        """The payloads of purges that are still to be done."""
        return [payload for (payload,) in self.index.sql("SELECT payload FROM outbox ORDER BY id")]


@pytest_twisted.async_yield_fixture
async def shop(database_url: str, tmp_path: Path) -> AsyncIterator[Shop]:
    """With one project, of which the edge knows everything."""
    # Its purges go nowhere unless a test sends them.
    settings = {"edge__purger": "varnish", "edge__varnishes": "http://127.0.0.1:9"}
    async with running(database_url, tmp_path / "index", **settings) as index:
        varnish = VarnishServer(tmp_path / "varnish", index.port)
        try:
            varnish.start()
            database = index.application.publisher.database
            audit = Audit(
                database=database,
                purges=Purges(database=database, now=lambda: datetime.now(UTC), edge=True),
                client=Client(reactor, timeout=60.0),
                url=varnish.url,
                now=lambda: datetime.now(UTC) + LATER,
                random=Random(1),
            )
            made = Shop(index, varnish, audit)
            await made.publish("demo", "1.0")
            for accept in ACCEPTS:
                await made.through_the_edge("/simple/demo/", accept)
            await made.purge()
            yield made
        finally:
            varnish.end()


async def test_all_is_well(shop: Shop) -> None:
    """Where the edge shows what the index says, nothing is purged."""
    await shop.audit.run()
    assert shop.audit.findings == Findings(fresh=1)
    assert shop.asked == []


async def test_stale(shop: Shop) -> None:
    """A page that is older than the index is purged again, with a word to the operator; then it is fresh."""
    for accept in ACCEPTS:
        reply = await shop.through_the_edge("/simple/demo/", accept)
    await shop.publish("demo", "2.0")
    shop.index.sql("DELETE FROM outbox")
    assert (await shop.through_the_edge("/simple/demo/", accept)).body == reply.body
    with Warnings() as told:
        await shop.audit.run()
    assert [(one["count"], one["names"]) for one in told] == [(1, "demo")]
    assert shop.audit.findings == Findings(stale=1)
    assert shop.asked == [{"tags": ["project/demo"]}]
    await shop.purge()
    for accept in ACCEPTS:
        assert b"demo-2.0" in (await shop.through_the_edge("/simple/demo/", accept)).body
    await shop.audit.run()
    assert shop.audit.findings == Findings(stale=1, fresh=1)


async def test_changes_on_their_way(shop: Shop) -> None:
    """A change of this moment may still be on its way, and is no reason to purge."""
    await shop.through_the_edge("/simple/demo/")
    await shop.publish("demo", "2.0")
    shop.index.sql("DELETE FROM outbox")
    shop.audit.now = lambda: datetime.now(UTC) + SETTLED / 2
    await shop.audit.run()
    assert (shop.audit.findings.stale, shop.asked) == (0, [])


async def test_edge_away(shop: Shop) -> None:
    """An edge that cannot be asked says nothing about pages, and fails nothing."""
    shop.varnish.end()
    await shop.audit.run()
    assert (shop.audit.findings, shop.asked) == (Findings(unknown=1), [])


async def test_bounded(shop: Shop) -> None:
    """However much has changed, only the projects changed last are looked at."""
    shop.index.sql(
        "INSERT INTO projects (name, normalized, look_alike, last_serial, created) "
        "SELECT 'p' || n, 'p' || n, 'p' || n, n, now() FROM generate_series(1000, 2999) n"
    )
    shop.index.sql(
        "INSERT INTO journal (serial, normalized, name, action, tags, at) "
        "SELECT n, 'p' || n, 'p' || n, 'create', '{}', now() FROM generate_series(1000, 2999) n"
    )
    await shop.audit.run()
    assert shop.audit.findings.fresh == PAGES


async def test_not_there(shop: Shop) -> None:
    """A project that is missing at the edge, and not in the index, is as old as it gets."""
    index = await shop.through_the_edge("/simple/demo/")
    assert index.status == 200
    shop.audit.url = f"{shop.varnish.url}/nowhere"
    await shop.audit.run()
    assert shop.audit.findings == Findings(stale=1)


class Warnings(list[LogEvent]):
    """Warnings that are logged while it is entered."""

    def __enter__(self) -> Warnings:
        globalLogPublisher.addObserver(self._observe)
        return self

    def __exit__(self, *_args: object) -> None:
        globalLogPublisher.removeObserver(self._observe)

    def _observe(self, event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.warn and event.get("log_namespace") == "pypi.jobs.audit":
            self.append(event)
