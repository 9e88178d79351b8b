"""What becomes of projects: archived, deprecated, active again, in quarantine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from pypi.domain.permissions import OPERATOR
from pypi.publishing.holding import MayNotManage
from pypi.publishing.status import InQuarantine, NoSuccessor
from pypi.publishing.yank import ReasonUnusable
from tests.support.archives import wheel
from tests.support.index import OWNER, Index, eventually, running
from tests.support.managing import check, identity

FILE = "demo-1.0-py3-none-any.whl"


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with ``demo`` and ``other``; its fast lane answers, too."""
    async with running(database_url, tmp_path, lane=True) as made:
        for name in ("demo", "other"):
            await made.upload(wheel(name), f"{name}-1.0-py3-none-any.whl")
        await made.add_user("eve")
        yield made


async def status(index: Index) -> tuple[object, int]:
    """(status of ``demo`` in the simple API, how many files it has)."""
    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    page = (await index.ask("/simple/demo/", accept)).json()
    return page["project-status"], len(page["files"])


async def address(index: Index) -> str:
    """Where the file of ``demo`` is."""
    [(digest,)] = index.sql(f"SELECT blake2_256 FROM files WHERE filename = '{FILE}'")
    return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{FILE}"


async def test_archived(new_index: Index) -> None:
    """An archived project says so and why, offers its files, and takes none until it is active again."""
    statuses, owner = new_index.application.statuses, identity(new_index, OWNER)
    assert await status(new_index) == ({"status": "active"}, 1)
    serial = await statuses.archive(owner, "demo", "We are done.")
    assert serial is not None
    assert await statuses.archive(owner, "demo", "We are done.") is None
    assert await status(new_index) == ({"status": "archived", "reason": "We are done."}, 1)
    data, filename = wheel("demo", "2.0"), "demo-2.0-py3-none-any.whl"
    refused = await new_index.upload(data, filename)
    assert (refused.status, "is archived and takes no new files" in refused.text) == (403, True)
    assert await statuses.activate(owner, "demo") == serial + 1
    assert (await new_index.upload(data, filename)).status == 200
    lines = new_index.sql("SELECT action FROM journal WHERE action LIKE 'project %' ORDER BY serial")
    assert lines == [("project archived",), ("project active",)]
    check(new_index)


async def test_deprecated(new_index: Index) -> None:
    """A deprecated project names what is to be used instead, which has to be another one of this index."""
    statuses, owner = new_index.application.statuses, identity(new_index, OWNER)
    await statuses.deprecate(owner, "demo", "Old.", "Other")
    assert await status(new_index) == ({"status": "deprecated", "reason": "Old."}, 1)
    assert new_index.sql("SELECT successor FROM projects ORDER BY id") == [("other",), ("",)]
    for name in ("Demo", "nothing", "no name"):
        with pytest.raises(NoSuccessor):
            await statuses.deprecate(owner, "demo", "", name)
    with pytest.raises(ReasonUnusable):
        await statuses.deprecate(owner, "demo", "two\nlines")
    check(new_index)


async def test_quarantine(new_index: Index) -> None:
    """In quarantine nothing is listed, handed out, searched or told in feeds; later all is as it was."""
    statuses, owner = new_index.application.statuses, identity(new_index, OWNER)
    await statuses.archive(owner, "demo", "Done.")
    where = await address(new_index)
    paths = ("/project/demo/", "/rss/updates.xml", "/rss/packages.xml", "/search/?q=demo")
    for path in (*paths, where, where):
        assert (await new_index.ask(path)).status == 200, path
    await statuses.quarantine(OPERATOR, "demo", "Malware.")
    assert await status(new_index) == ({"status": "quarantined", "reason": "Malware."}, 0)
    for path in (where, f"{where}.metadata", "/pypi/demo/json"):
        assert (await new_index.ask(path)).status == 404, path
    for path in ("/rss/updates.xml", "/rss/packages.xml", "/simple/"):
        assert b"demo" not in (await new_index.ask(path)).body, path
    refused = await new_index.upload(wheel("demo", "2.0"), "demo-2.0-py3-none-any.whl")
    assert (refused.status, "quarantined" in refused.text) == (403, True)
    with pytest.raises(InQuarantine):
        await statuses.activate(owner, "demo")
    assert await statuses.quarantine(OPERATOR, "demo") is None
    check(new_index)
    await statuses.clear(OPERATOR, "demo")
    assert await status(new_index) == ({"status": "archived", "reason": "Done."}, 1)
    assert (await new_index.ask(where)).status == 200
    check(new_index)


async def test_another_worker(new_index: Index) -> None:
    """Another worker hears of a quarantine, and hands out neither pages nor files; nothing old is kept."""
    folder = new_index.folder
    # Each index of the tests makes its own account.
    new_index.sql(
        "UPDATE users SET name = 'first' WHERE name = 'ada'; "
        "UPDATE emails SET address = 'first@people.example' WHERE address = 'ada@people.example'"
    )
    async with running(new_index.database_url, folder, lane=True) as other:
        where = await address(new_index)
        for path in (where, where, "/simple/demo/"):
            assert (await other.ask(path)).status == 200
        await new_index.application.statuses.quarantine(OPERATOR, "demo")
        withheld = next(part for part in other.application.parts if "Withheld" in repr(part))
        await eventually(lambda: "Withheld 1 files" in repr(withheld))
        assert (await other.ask(where)).status == 404
        assert other.application.caches.ladder.memory.get(b"/simple/demo/", "text/html") is None
        assert FILE.encode() not in (await other.ask("/simple/demo/")).body


async def test_who_may(new_index: Index) -> None:
    """Owners archive; quarantine is for administrators; strangers do neither."""
    statuses = new_index.application.statuses
    before = new_index.state()
    with pytest.raises(MayNotManage):
        await statuses.archive(identity(new_index, "eve"), "demo")
    with pytest.raises(MayNotManage):
        await statuses.quarantine(identity(new_index, OWNER), "demo")
    with pytest.raises(MayNotManage):
        await statuses.clear(identity(new_index, OWNER), "demo")
    assert not new_index.state() - before
    assert await statuses.quarantine(identity(new_index, "eve", is_admin=True), "demo") is not None
