"""The operator's listener: alive, ready, and apart from the public one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pypi.embedded import Urls
from tests.support import client
from tests.support.client import Reply
from tests.support.databases import Databases
from tests.support.index import Index, running


async def ask(index: Index, path: str, method: str = "GET") -> Reply:
    return await client.ask(index.operator_port, method, path)


async def test_live(index: Index) -> None:
    """A process that answers is alive."""
    reply = await ask(index, "/health/live")
    assert (reply.status, reply.body, reply["Cache-Control"]) == (200, b"alive\n", "private, no-store")


async def test_ready(servers: Urls, database_url: str, tmp_path: Path) -> None:
    """With everything behind it the index is ready."""
    async with running(database_url, tmp_path, redis_url=servers.redis) as index:
        reply = await ask(index, "/health/ready")
        assert (reply.status, reply["Content-Type"]) == (200, "application/json")
        assert reply.json() == {"ready": True, "parts": {"database": "ok", "files": "ok", "redis": "ok"}}
        headed = await ask(index, "/health/ready", "HEAD")
        assert (headed.status, headed.headers) == (200, reply.headers)


async def test_ready_without_redis(index: Index) -> None:
    """Redis is missed, but not needed."""
    reply = await ask(index, "/health/ready")
    assert reply.status == 200
    assert reply.json() == {"ready": True, "parts": {"database": "ok", "files": "ok", "redis": "down"}}


async def test_not_ready(databases: Databases, tmp_path: Path) -> None:
    """Without its database the index lives on, is not ready, and tells publishers to come back."""
    url = databases.make()
    async with running(url, tmp_path) as index:
        databases.drop(url)
        reply = await ask(index, "/health/ready")
        assert reply.status == 503
        assert reply.json()["ready"] is False
        assert reply.json()["parts"]["database"] == "down"
        assert (await ask(index, "/health/live")).status == 200
        page = await index.ask("/simple/")
        assert (page.status, page["Retry-After"]) == (503, "5")
        assert "database" in page.text


async def test_not_ready_without_its_files(index: Index) -> None:
    """An index whose folder of files is gone is not ready."""
    files = index.folder / "files"
    files.rename(index.folder / "elsewhere")
    try:
        reply = await ask(index, "/health/ready")
    finally:
        (index.folder / "elsewhere").rename(files)
    index.errors.clear()
    assert (reply.status, reply.json()["parts"]["files"]) == (503, "down")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_not_for_the_public(index: Index, path: str) -> None:
    """The public listener knows nothing of it."""
    assert (await index.ask(path)).status == 404


@pytest.mark.parametrize("path", ["/", "/simple/", "/legacy/"])
async def test_nothing_public_there(index: Index, path: str) -> None:
    """The operator's listener serves no packages."""
    assert (await ask(index, path)).status == 404
