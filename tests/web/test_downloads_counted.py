"""Downloads from a real index, its fast lane before it: counted once each, kept, and told."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from attrs import frozen

from pypi.jobs.downloads import TendDownloads
from tests.legacy_compat.xmlrpc.calling import call
from tests.support import client
from tests.support.archives import wheel, wheel_filename
from tests.support.databases import ask
from tests.support.index import Index, eventually, running
from tests.web.test_downloads import DATA, ETAG, FILENAME, PATH
from tests.web.test_usage import is_whole

LARGE = wheel("large", files={"noise": Random(2).randbytes(3_000_000)})
LARGE_FILENAME = wheel_filename("large")
BY_FILE = "SELECT filename, count FROM file_downloads JOIN files ON files.id = file_id ORDER BY filename"


@frozen
class Shop:
    """An index, and clients that download from it."""

    index: Index

    async def get(self, path: str, *, times: int = 1, method: str = "GET", **headers: str) -> list[int]:
        """Ask on one connection, again and again: the lane answers no others.

        Returns:
            the statuses.
        """
        exchange, found = await client.connect(self.index.port), []
        for _ in range(times):
            exchange.received = b""
            exchange.send(
                client.request(self.index.port, method, path, {**headers, "Connection": "keep-alive"})
            )
            await eventually(lambda: is_whole(exchange.received, method))
            found.append(int(exchange.received[9:12]))
        exchange.vanish()
        return found

    async def counts(self) -> dict[str, int]:
        """Filename → downloads, as they are kept."""
        await self.index.application.downloads.run()
        return dict(self.index.sql(BY_FILE))


async def path_of(index: Index, project: str) -> str:
    """Where the only file of a project is."""
    reply = await index.ask(f"/simple/{project}/", {"Accept": "application/vnd.pypi.simple.v1+json"})
    (file,) = reply.json()["files"]
    return str(file["url"]).removeprefix(f"http://127.0.0.1:{index.port}")


@pytest.mark.parametrize("lane", [True, False])
async def test_every_download_is_counted_once(database_url: str, tmp_path: Path, lane: bool) -> None:
    """Small files and large ones, the first time and again, by the lane or without it; nothing else is."""
    async with running(database_url, tmp_path, lane=lane) as index:
        shop = Shop(index)
        for data, filename in ((DATA, FILENAME), (LARGE, LARGE_FILENAME)):
            assert (await index.upload(data, filename)).status == 200
        large = await path_of(index, "large")
        assert await shop.get(PATH, times=3) == [200] * 3
        assert await shop.get(large, times=2) == [200] * 2
        assert await shop.get(PATH, Range="bytes=0-") == [206]
        assert bool(index.application.caches.lane.files) == lane  # type: ignore[union-attr]
        for asked, status in (
            (shop.get(PATH, method="HEAD"), 200),
            (shop.get(PATH, **{"If-None-Match": ETAG}), 304),
            (shop.get(PATH, Range="bytes=1-"), 206),
            (shop.get(f"{PATH}.metadata", times=2), 200),
            (shop.get(PATH.replace(FILENAME, "other-1.0.tar.gz")), 404),
        ):
            assert set(await asked) == {status}
        assert await shop.counts() == {FILENAME: 4, LARGE_FILENAME: 2}
        assert await shop.counts() == {FILENAME: 4, LARGE_FILENAME: 2}
        reply = await client.ask(index.operator_port, "GET", "/metrics")
        assert 'cheeseshop_downloads_total{worker="0"} 6.0' in reply.text
        assert 'cheeseshop_downloads_dropped_total{worker="0"} 0.0' in reply.text


async def test_they_are_told_by_xmlrpc(database_url: str, tmp_path: Path) -> None:
    """Clients of old hear which projects are downloaded most, and how often each file of a release was."""
    async with running(database_url, tmp_path) as index:
        shop = Shop(index)
        for data, filename in ((DATA, FILENAME), (LARGE, LARGE_FILENAME)):
            assert (await index.upload(data, filename)).status == 200
        name = FILENAME.split("-")[0]
        await shop.get(PATH, times=3)
        await shop.get(await path_of(index, "large"))
        await shop.counts()
        assert await call(index, "top_packages") == [[name, 3], ["large", 1]]
        assert await call(index, "top_packages", 1) == [[name, 3]]
        assert await call(index, "top_packages", -1) == await call(index, "top_packages", 0) == []
        assert await call(index, "release_downloads", name, "1.0") == [[FILENAME, 3]]
        assert await call(index, "release_downloads", "Large", "1") == [[LARGE_FILENAME, 1]]
        assert await call(index, "release_downloads", "large", "2.0") == []
        assert [one["downloads"] for one in await call(index, "release_urls", name, "1.0")] == [-1]


async def test_people_see_them(database_url: str, tmp_path: Path) -> None:
    """Searches order by them, and pages say how many there were."""
    async with running(database_url, tmp_path) as index:
        shop = Shop(index)
        for data, filename in ((LARGE, LARGE_FILENAME), (DATA, FILENAME)):
            assert (await index.upload(data, filename)).status == 200
        await shop.get(await path_of(index, "large"), times=2)
        await shop.get(PATH)
        await shop.counts()
        keeping = index.application.downloads
        await TendDownloads(database=keeping.database, now=keeping.downloaded.now).run()
        found = (await index.ask("/search/?o=downloads")).text
        assert re.findall(r"[0-9]+ downloads? in 30 days", found) == [
            "2 downloads in 30 days",
            "1 download in 30 days",
        ]
        page = (await index.ask("/project/large/")).text
        assert "<strong>2</strong> in the last 30 days" in page
        assert 'aria-label="Downloads a day, of the last three months: at most 2 a day' in page
        assert (await index.ask("/stats/")).text.index(">large<") > 0


async def test_nobody_counts(database_url: str, tmp_path: Path) -> None:
    """An index may be told to count nothing; then nothing is said of downloads."""
    async with running(database_url, tmp_path, downloads__count="off") as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        shop = Shop(index)
        assert await shop.get(PATH, times=2) == [200] * 2
        assert await shop.counts() == {}
        assert "in the last 30 days" not in (await index.ask(f"/project/{FILENAME.split('-')[0]}/")).text
        assert await call(index, "top_packages") == []
        assert await call(index, "release_downloads", FILENAME.split("-")[0], "1.0") == [[FILENAME, -1]]


async def test_files_that_others_send(database_url: str, tmp_path: Path) -> None:
    """Where the server in front sends the bytes, a download is counted when it is told where they are."""
    settings = {"files__handoff": "x-sendfile", "service__trusted_proxies": "127.0.0.0/8"}
    async with running(database_url, tmp_path, **settings) as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        shop = Shop(index)
        assert await shop.get(PATH, times=2) == [200] * 2
        assert await shop.get(PATH, Range="bytes=0-4") == [200]
        assert await shop.get(PATH, **{"If-None-Match": ETAG}) == [304]
        assert await shop.get(PATH, method="HEAD") == [200]
        assert await shop.counts() == {FILENAME: 2}


async def test_nothing_is_lost_at_the_end(database_url: str, tmp_path: Path) -> None:
    """What was downloaded last is kept when the service stops."""
    async with running(database_url, tmp_path) as index:
        assert (await index.upload(DATA, FILENAME)).status == 200
        await Shop(index).get(PATH, times=2)
    assert ask(database_url, BY_FILE) == [(FILENAME, 2)]
