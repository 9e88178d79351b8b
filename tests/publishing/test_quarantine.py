"""Quarantine: of projects, and of releases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from pypi.domain.errors import NoSuchRelease
from pypi.domain.permissions import OPERATOR
from pypi.publishing.holding import InQuarantine, MayNotManage, ReleaseInQuarantine
from tests.support.archives import sdist, wheel
from tests.support.index import OWNER, Index, eventually, running
from tests.support.managing import check, identity, letters_to

FILE = "demo-1.0-py3-none-any.whl"
LATER = "demo-2.0-py3-none-any.whl"


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with two releases of ``demo``; its fast lane answers, too."""
    async with running(database_url, tmp_path, lane=True) as made:
        await made.upload(wheel("demo"), FILE)
        await made.upload(wheel("demo", "2.0"), LATER)
        await made.add_user("eve")
        yield made


async def page(index: Index) -> tuple[object, list[str]]:
    """(status of ``demo`` in the simple API, its files)."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    told = (await index.ask("/simple/demo/", accept)).json()
    return told["project-status"], sorted(one["filename"] for one in told["files"])


def address(index: Index, filename: str = FILE) -> str:
    """Where a file is."""
    [(digest,)] = index.sql(f"SELECT blake2_256 FROM files WHERE filename = '{filename}'")
    return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}"


def call(method: str, *arguments: str) -> bytes:
    """A call by XML-RPC, all of whose arguments are texts."""
    params = "".join(f"<param><value><string>{one}</string></value></param>" for one in arguments)
    return f"<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>".encode()


async def asked(index: Index, method: str, *arguments: str) -> str:
    headers = {"Content-Type": "text/xml"}
    return (await index.ask("/RPC2", headers, method="POST", body=call(method, *arguments))).text


async def test_a_project(new_index: Index) -> None:
    """In quarantine nothing is listed, handed out, searched or told in feeds; later all is as it was."""
    quarantines, owner = new_index.application.quarantines, identity(new_index, OWNER)
    await new_index.application.statuses.archive(owner, "demo", "Done.")
    where = address(new_index)
    paths = ("/project/demo/", "/rss/updates.xml", "/rss/packages.xml", "/search/?q=demo")
    for path in (*paths, where, where):
        assert (await new_index.ask(path)).status == 200, path
    await quarantines.begin(OPERATOR, "demo", None, "Malware.")
    assert await page(new_index) == ({"status": "quarantined", "reason": "Malware."}, [])
    for path in (where, f"{where}.metadata", "/pypi/demo/json"):
        assert (await new_index.ask(path)).status == 404, path
    html = await new_index.ask("/simple/demo/")
    assert '<meta name="pypi:project-status" content="quarantined">' in html.text
    assert '<meta name="pypi:project-status-reason" content="Malware.">' in html.text
    shown = await new_index.ask("/project/demo/")
    assert (shown.status, "In quarantine" in shown.text, "Reason: Malware." in shown.text) == (
        404,
        True,
        True,
    )
    for path in ("/rss/updates.xml", "/rss/packages.xml", "/simple/"):
        assert b"demo" not in (await new_index.ask(path)).body, path
    refused = await new_index.upload(wheel("demo", "3.0"), "demo-3.0-py3-none-any.whl")
    assert (refused.status, "quarantined" in refused.text) == (403, True)
    assert await quarantines.begin(OPERATOR, "demo") is None
    check(new_index)
    await quarantines.clear(OPERATOR, "demo")
    assert await page(new_index) == ({"status": "archived", "reason": "Done."}, [FILE, LATER])
    assert (await new_index.ask(where)).status == 200
    assert await quarantines.clear(OPERATOR, "demo") is None
    check(new_index)


async def test_a_release(new_index: Index) -> None:
    """Of a release in quarantine nothing is told anywhere, while the others are as they were; and back."""
    quarantines = new_index.application.quarantines
    kept, gone = address(new_index), address(new_index, LATER)
    spread = {
        "/simple/demo/": 1,
        "/pypi/demo/json": 1,
        "/project/demo/": 1,
        "/project/demo/files/": 1,
        "/project/demo/releases/": 1,
        "/rss/updates.xml": 1,
        "/rss/project/demo/releases.xml": 1,
        "/search/?q=demo": 1,
        "/": 1,
        "/user/ada/": 1,
        "/pypi/demo/1.0/json": 0,
    }
    only = ("/pypi/demo/2.0/json", "/project/demo/2.0/", gone, f"{gone}.metadata")
    before = {}
    for path in (*spread, *only, kept, gone):
        reply = await new_index.ask(path)
        assert reply.status == 200, path
        before[path] = reply.body
    for path, told in spread.items():
        assert bool(before[path].count(b"2.0")) >= bool(told), path
    await quarantines.begin(OPERATOR, "Demo", "2.0.0", "Steals <keys>.")
    for path in spread:
        reply = await new_index.ask(path)
        assert reply.status == 200, path
        assert LATER.encode() not in reply.body, path
        assert b"demo 2.0" not in reply.body, path
        assert b"/project/demo/2.0/" not in reply.body, path
    shown = (await new_index.ask("/project/demo/2.0/")).text
    assert "Reason: Steals &lt;keys&gt;." in shown
    for path in only:
        assert (await new_index.ask(path)).status == 404, path
    assert (await new_index.ask(kept)).status == 200
    assert await page(new_index) == ({"status": "active"}, [FILE])
    document = (await new_index.ask("/pypi/demo/json")).json()
    assert (document["info"]["version"], list(document["releases"])) == ("1.0", ["1.0"])
    for method, *arguments in (
        ("package_releases", "demo"),
        ("release_urls", "demo", "2.0"),
        ("release_data", "demo", "2.0"),
        ("updated_releases", "0"),
    ):
        assert "2.0" not in await asked(new_index, method, *arguments), method
    check(new_index)
    assert await quarantines.begin(OPERATOR, "demo", "2.0") is None
    await quarantines.clear(OPERATOR, "demo", "2.0")
    assert await quarantines.clear(OPERATOR, "demo", "2.0") is None
    for path in (*only, *spread):
        assert (await new_index.ask(path)).status == 200, path
    assert await page(new_index) == ({"status": "active"}, [FILE, LATER])
    check(new_index)


async def test_every_release(new_index: Index) -> None:
    """A project all of whose releases are in quarantine is as one without any release."""
    quarantines = new_index.application.quarantines
    for version in ("1.0", "2.0"):
        assert await quarantines.begin(OPERATOR, "demo", version) is not None
    assert await page(new_index) == ({"status": "active"}, [])
    assert (await new_index.ask("/pypi/demo/json")).status == 404
    assert b"demo" not in (await new_index.ask("/rss/packages.xml")).body
    check(new_index)


async def test_nothing_is_changed_meanwhile(new_index: Index) -> None:
    """What is in quarantine takes no files, is not yanked, and is the operator's to delete."""
    application, owner = new_index.application, identity(new_index, OWNER)
    await application.quarantines.begin(OPERATOR, "demo", "2.0")
    refused = await new_index.upload(sdist("demo", "2.0"), "demo-2.0.tar.gz")
    assert (refused.status, "is quarantined and takes no new files" in refused.text) == (403, True)
    again = await new_index.upload(wheel("demo", "2.0"), LATER)
    assert again.status == 403
    for doing in (
        application.yanks.yank(owner, "demo", "2.0"),
        application.deletions.delete_file(owner, "demo", LATER),
        application.deletions.delete_release(owner, "demo", "2.0"),
        application.deletions.delete_project(owner, "demo"),
    ):
        with pytest.raises(ReleaseInQuarantine):
            await doing
    await application.deletions.delete_release(owner, "demo", "1.0")
    await application.quarantines.begin(OPERATOR, "demo")
    with pytest.raises(InQuarantine):
        await application.deletions.delete_project(owner, "demo")
    await application.deletions.delete_project(OPERATOR, "demo")
    check(new_index)


async def test_another_worker(new_index: Index) -> None:
    """Another worker hears of a quarantine, and hands out neither pages nor files; nothing old is kept."""
    # Each index of the tests makes its own account.
    new_index.sql(
        "UPDATE users SET name = 'first' WHERE name = 'ada'; "
        "UPDATE emails SET address = 'first@people.example' WHERE address = 'ada@people.example'"
    )
    async with running(new_index.database_url, new_index.folder, lane=True) as other:
        first, second = address(new_index), address(new_index, LATER)
        for path in (first, first, second, second, "/simple/demo/"):
            assert (await other.ask(path)).status == 200
        withheld = next(part for part in other.application.parts if "Withheld" in repr(part))
        await new_index.application.quarantines.begin(OPERATOR, "demo", "2.0")
        await eventually(lambda: "Withheld 1 files" in repr(withheld))
        assert [(await other.ask(path)).status for path in (first, second)] == [200, 404]
        assert LATER.encode() not in (await other.ask("/simple/demo/")).body
        await new_index.application.quarantines.begin(OPERATOR, "demo")
        await eventually(lambda: "Withheld 2 files" in repr(withheld))
        assert (await other.ask(first)).status == 404
        assert other.application.caches.ladder.memory.get(b"/simple/demo/", "text/html") is None
        assert FILE.encode() not in (await other.ask("/simple/demo/")).body


async def test_told(new_index: Index) -> None:
    """Those who look after a project are told by mail; the security log has who it was, and from where."""
    quarantines = new_index.application.quarantines
    eve = identity(new_index, "eve", is_admin=True)
    await quarantines.begin(eve, "demo", "2.0", "Steals keys.", address="192.0.2.9")
    await quarantines.begin(eve, "demo")
    first, second = letters_to(new_index, f"{OWNER}@people.example")
    assert first["about"] == {"user": OWNER, "project": "demo 2.0", "by": "eve", "reason": "Steals keys."}
    assert (second["about"]["project"], second["about"]["reason"]) == ("demo", "none was given")
    await quarantines.clear(eve, "demo", "2.0")
    await quarantines.clear(eve, "demo")
    cleared = letters_to(new_index, f"{OWNER}@people.example")[2:]
    assert [(one["letter"], one["about"]["project"]) for one in cleared] == [
        ("quarantine-cleared", "demo 2.0"),
        ("quarantine-cleared", "demo"),
    ]
    lines = new_index.sql(
        "SELECT event, a.actor, a.address, about, action, version FROM audit a JOIN journal USING (serial) "
        "ORDER BY serial LIMIT 2"
    )
    assert lines == [
        (
            "project.release-quarantined",
            "eve",
            "192.0.2.9",
            {"version": "2.0", "reason": "Steals keys."},
            "release quarantined",
            "2.0",
        ),
        (
            "project.status",
            "eve",
            "",
            {"status": "quarantined", "before": "active", "reason": ""},
            "project quarantined",
            None,
        ),
    ]


async def test_who_may(new_index: Index) -> None:
    """Quarantine is for administrators; owners and strangers neither begin nor end it."""
    quarantines = new_index.application.quarantines
    before = new_index.state()
    for version in (None, "1.0"):
        with pytest.raises(MayNotManage):
            await quarantines.begin(identity(new_index, OWNER), "demo", version)
        with pytest.raises(MayNotManage):
            await quarantines.clear(identity(new_index, "eve"), "demo", version)
    with pytest.raises(NoSuchRelease):
        await quarantines.begin(OPERATOR, "demo", "7")
    assert not new_index.state() - before
    eve = identity(new_index, "eve", is_admin=True)
    assert await quarantines.begin(eve, "demo", "1.0") is not None
