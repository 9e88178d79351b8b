"""How calls are answered: by HTTP, out of caches that are never behind, within limits."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, dumps, loads

import pytest
import pytest_twisted
from twisted.internet.task import deferLater

from legacy_compat.xmlrpc.calls import LARGEST
from legacy_compat.xmlrpc.resource import MOST_CALLS
from pypi.db import database as database_module
from pypi.db.database import Database
from pypi.embedded import Urls
from tests.legacy_compat.xmlrpc.calling import call, send
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.databases import Databases
from tests.support.index import Index, reactor, running

XML = {"Content-Type": "text/xml"}


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index that nobody has used yet."""
    async with running(database_url, tmp_path, limits__factor=0) as made:
        yield made


async def post(index: Index, method: str, *arguments: Any, **headers: str) -> Reply:
    """The answer to a call, as it is sent."""
    return await index.ask("/RPC2", XML | headers, method="POST", body=dumps(arguments, method).encode())


async def publish(index: Index, name: str, version: str = "1.0") -> None:
    """Upload a wheel."""
    reply = await index.upload(wheel(name, version), wheel_filename(name, version))
    assert reply.status == 200, reply


async def until(index: Index, status: str, method: str, *arguments: Any) -> Reply:
    """The answer to a call once it comes from there: just after a change, what was made is not yet kept.

    Args:
        status: as ``Cache-Status`` says it. Redis is looked into by a memory that believes nothing.
    """
    for _ in range(200):
        if "l2; hit" in status:
            index.application.caches.ladder.memory.forget_all()  # as if this were another process
        reply = await post(index, method, *arguments)
        if reply["Cache-Status"] == status:
            return reply
        await deferLater(reactor, 0.02)
    raise AssertionError(f"{reply['Cache-Status']}, not {status}")


# By HTTP


@pytest.mark.parametrize("path", ["/RPC2", "/RPC2/", "/pypi", "/pypi/"])
@pytest.mark.parametrize("content_type", ["text/xml", "Text/XML; charset=utf-8", "application/xml"])
async def test_where_it_answers(index: Index, path: str, content_type: str) -> None:
    """Calls are answered at every address they ever had, whatever parameters their type has."""
    body = dumps(("golden-cheese",), "package_hosting_mode").encode()
    reply = await index.ask(path, {"Content-Type": content_type}, method="POST", body=body)
    assert (reply.status, reply["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert loads(reply.body) == (("pypi-only",), None)


@pytest.mark.parametrize("path", ["/RPC2", "/RPC2/"])
async def test_other_methods(index: Index, path: str) -> None:
    """Only POST calls anything."""
    reply = await index.ask(path, XML)
    assert (reply.status, reply["Allow"]) == (405, "POST")


async def test_other_types(index: Index) -> None:
    """What does not say that it is XML is no call."""
    reply = await index.ask("/RPC2", {"Content-Type": "application/json"}, method="POST", body=b"{}")
    assert reply.status == 415


@pytest.mark.parametrize("path", ["/RPC2", "/pypi"])
async def test_too_large(index: Index, path: str) -> None:
    """A call beyond the bound is refused at its headers, or as soon as it is beyond."""
    headers = XML | {"Content-Length": str(LARGEST + 1), "Expect": "100-continue"}
    assert (await index.ask(path, headers, method="POST")).status == 413
    body = b"a" * (LARGEST + 1)
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    reply = await index.ask(path, XML | {"Transfer-Encoding": "chunked"}, method="POST", body=chunked)
    assert reply.status == 413


async def test_a_large_call(index: Index) -> None:
    """A call that takes long to read is read elsewhere, and answered like any other."""
    classifiers = ["Three", *(f"unknown {number}" for number in range(5000))]
    assert await call(index, "browse", classifiers) == []
    with pytest.raises(Fault, match="-32700"):
        await send(index, b"<methodCall>" + b" " * 100_000)


@pytest.mark.parametrize("method", ["release_data", "system.listMethods", "list_packages"])
async def test_compression(index: Index, method: str) -> None:
    """An answer is sent as gzip to who takes that, first and later, and plain to the others."""
    arguments = ("golden-cheese", "1.10") if method == "release_data" else ()
    for _ in range(2):
        packed = await post(index, method, *arguments, **{"Accept-Encoding": "gzip"})
        plain = await post(index, method, *arguments)
        assert (packed["Content-Encoding"], plain["Content-Encoding"]) == ("gzip", "")
        assert gzip.decompress(packed.body) == plain.body


async def test_short_answers(index: Index) -> None:
    """An answer that compression would not make shorter is sent as it is."""
    reply = await post(index, "package_releases", "golden-cheese", **{"Accept-Encoding": "gzip"})
    assert (reply["Content-Encoding"], loads(reply.body)) == ("", ((["1.10"],), None))


async def test_nobody_keeps_it(index: Index) -> None:
    """Nobody between us and the client may keep an answer."""
    reply = await post(index, "package_releases", "golden-cheese")
    assert reply["Cache-Control"] == "private, no-store"


# Out of the caches


async def test_kept_until_something_changes(new_index: Index) -> None:
    """An answer comes out of memory until a change touches it, and then shows the change at once."""
    assert (await post(new_index, "package_releases", "cheese"))["Cache-Status"].count("fwd=miss") == 2
    assert (await post(new_index, "package_releases", "cheese"))["Cache-Status"] == "cheeseshop-l1; hit"
    await publish(new_index, "cheese")
    assert await call(new_index, "package_releases", "cheese") == ["1.0"]
    await publish(new_index, "other")
    reply = await until(new_index, "cheeseshop-l1; hit", "package_releases", "cheese")
    assert loads(reply.body)[0][0] == ["1.0"]


async def test_never_behind(new_index: Index) -> None:
    """Every method shows every publish, as soon as it is acknowledged."""
    for number in range(1, 4):
        version = f"{number}.0"
        await publish(new_index, "cheese", version)
        serial = await call(new_index, "changelog_last_serial")
        assert await call(new_index, "list_packages_with_serial") == {"cheese": serial}
        assert (await call(new_index, "changelog_since_serial", 0))[-1][4] == serial
        assert await call(new_index, "changelog_since_serial", serial) == []
        assert (await call(new_index, "changelog", 0, True))[-1][4] == serial
        assert (await call(new_index, "updated_releases", 0))[-1] == ["cheese", version]
        assert await call(new_index, "changed_packages", 0) == ["cheese"]
        assert await call(new_index, "package_releases", "cheese") == [version]
        assert len(await call(new_index, "release_urls", "cheese", version)) == 1
        assert (await call(new_index, "release_data", "cheese", version))["_pypi_ordering"] == number - 1
        assert [hit["version"] for hit in await call(new_index, "search", {"name": "chee"})] == [version]
        assert await call(new_index, "user_packages", "ada") == [["Owner", "cheese"]]
        assert await call(new_index, "list_packages") == ["cheese"]


async def test_changes_made_elsewhere(new_index: Index) -> None:
    """The changelog tells what others have changed before this process has heard of it."""
    assert await call(new_index, "changelog_since_serial", 0) == []
    new_index.sql(
        "INSERT INTO journal (serial, normalized, name, action, tags, at)"
        " VALUES (1, 'a', 'A', 'create', '{}', now())"
    )
    assert await call(new_index, "changelog_last_serial") == 1
    assert [line[0] for line in await call(new_index, "changelog_since_serial", 0)] == ["A"]


async def test_out_of_redis(databases: Databases, servers: Urls, tmp_path: Path) -> None:
    """What one process has made others find in Redis."""
    url = databases.make()
    async with running(url, tmp_path, redis_url=servers.redis, limits__factor=0) as index:
        await publish(index, "cheese")
        reply = await until(
            index, "cheeseshop-l2; hit, cheeseshop-l1; fwd=miss", "search", {"name": "cheese"}
        )
        assert [hit["name"] for hit in loads(reply.body)[0][0]] == ["cheese"]
    databases.drop(url)


async def test_without_a_database(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the database is gone what was answered before is answered again, and all else is a fault."""
    await publish(new_index, "cheese")
    kept = [("package_releases", "cheese"), ("changelog_since_serial", 0), ("list_packages",)]
    before = [await call(new_index, *one) for one in kept]
    for one in kept[:2]:
        await until(new_index, "cheeseshop-l1; hit", *one)
    [database] = [part for part in new_index.application.parts if isinstance(part, Database)]
    monkeypatch.setattr(database_module, "TRIES", 1)
    monkeypatch.setattr(database, "dsn", "postgresql://nobody@127.0.0.1:1/nothing")
    database._drop_idle()
    assert [await call(new_index, *one) for one in kept] == before
    for method, *arguments in [
        ("changelog_last_serial",),
        ("package_releases", "other"),
        ("top_packages", 5),
    ]:
        with pytest.raises(Fault, match="server error; service unavailable") as caught:
            await call(new_index, method, *arguments)
        assert caught.value.faultCode == -32403


async def test_mistakes(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours is in the log, and a fault that says no more than that."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("pypi.index.releases.Releases.roles_of_project", broken)
    with pytest.raises(Fault) as caught:
        await call(index, "package_roles", "cheese")
    assert (caught.value.faultCode, caught.value.faultString) == (-32500, "application error")
    [result] = await multicall(index, ("package_roles", "cheese"))
    assert result["faultString"] == "application error"
    assert len(index.errors) == 2
    index.errors.clear()


# Several in one


async def multicall(index: Index, *calls: tuple[Any, ...]) -> Any:
    """The results of several calls."""
    structs = [{"methodName": name, "params": list(arguments)} for name, *arguments in calls]
    return await call(index, "system.multicall", structs)


async def test_multicall(index: Index) -> None:
    """Several calls are answered in one, each with its result in an array, or its fault as a struct."""
    found = await multicall(
        index,
        ("package_releases", "golden-cheese"),
        ("package_hosting_mode", "x"),
        ("changelog_last_serial",),
        ("no_such_method",),
        ("package_roles",),
        ("list_packages",),
        ("release_data", "golden-cheese", "1.10"),
    )
    assert found[:3] == [[["1.10"]], ["pypi-only"], [3000000012]]
    assert [one["faultCode"] for one in found[3:6]] == [-32601, -32602, -32500]
    assert found[5]["faultString"] == "ValueError: list_packages is too long for a multicall"
    assert found[6] == [await call(index, "release_data", "golden-cheese", "1.10")]


async def test_multicall_of_nothing(index: Index) -> None:
    """No calls have no results; what is no call is a fault among the others."""
    assert await multicall(index) == []
    found = await call(
        index, "system.multicall", ["x", {}, {"methodName": 1}, {"methodName": "a", "params": 1}]
    )
    assert [one["faultCode"] for one in found] == [-32602] * 4


async def test_multicall_is_bounded(index: Index) -> None:
    """There is a bound to how many calls are in one, and none of them is one of several itself."""
    many = [("package_hosting_mode", "x")] * MOST_CALLS
    assert await multicall(index, *many) == [["pypi-only"]] * MOST_CALLS
    with pytest.raises(Fault, match="ValueError: Multicall limit is 100 calls"):
        await multicall(index, *many, many[0])
    [inner] = await multicall(index, ("system.multicall", []))
    assert inner["faultString"] == "ValueError: Cannot use system.multicall inside a multicall"


async def test_multicall_ends(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that are left when time or room is over are not made."""
    monkeypatch.setattr("legacy_compat.xmlrpc.resource.MOST_BYTES", 100)
    found = await multicall(index, *[("release_data", "golden-cheese", "1.10")] * 3)
    assert [type(one) for one in found] == [list, dict, dict]
    assert found[2]["faultCode"] == -32403
    monkeypatch.setattr("legacy_compat.xmlrpc.resource.MOST_SECONDS", 0)
    [late] = await multicall(index, ("package_hosting_mode", "x"))
    assert late["faultCode"] == -32403


# Within limits


async def test_limit(databases: Databases, servers: Urls, tmp_path: Path) -> None:
    """Who calls too often is told so, in the client's own format and in headers."""
    url = databases.make()
    settings = {"redis_url": servers.redis, "limits__xmlrpc": "5/hour"}
    async with running(url, tmp_path, **settings) as index:
        reply = await post(index, "package_releases", "cheese")
        assert reply["RateLimit-Policy"] == '"xmlrpc.client";q=5;w=3600;pk=:ip:'
        assert reply["RateLimit"].startswith('"xmlrpc.client";r=4;t=')
        with pytest.raises(Fault, match="HTTPTooManyRequests"):
            await multicall(index, *[("package_hosting_mode", "x")] * 5)
        for _ in range(3):
            assert await call(index, "package_hosting_mode", "x") == "pypi-only"
        with pytest.raises(Fault) as caught:
            await call(index, "package_hosting_mode", "x")
        assert caught.value.faultCode == -32500
        assert caught.value.faultString.startswith(
            "HTTPTooManyRequests: The action could not be performed because there were too many requests by "
            "the client. Limit may reset in "
        )
    databases.drop(url)


async def test_switched_off(database_url: str, tmp_path: Path) -> None:
    """A method that is switched off is a fault that says what to use instead, also among several."""
    settings = {"legacy__off": ["xmlrpc.search"], "limits__factor": 0}
    async with running(database_url, tmp_path, **settings) as index:
        with pytest.raises(Fault) as caught:
            await call(index, "search", {"name": "x"})
        sentence = "RuntimeError: The XML-RPC method search is switched off on this index."
        assert caught.value.faultCode == -32500
        assert caught.value.faultString.startswith(sentence)
        [inner] = await multicall(index, ("search", {"name": "x"}))
        assert inner["faultString"].startswith(sentence)
        assert await call(index, "package_releases", "x") == []
