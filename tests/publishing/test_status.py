"""What becomes of projects: archived, deprecated, active again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from pypi.domain.permissions import OPERATOR
from pypi.publishing.holding import InQuarantine, MayNotManage
from pypi.publishing.status import NoSuccessor
from pypi.publishing.yank import ReasonUnusable
from tests.support.archives import wheel
from tests.support.index import OWNER, Index, running
from tests.support.managing import check, identity


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
    assert await status(new_index) == ({"status": "deprecated", "reason": "Old. Use other instead."}, 1)
    page = (await new_index.ask("/project/demo/")).text
    assert 'Use <a href="/project/other/">other</a> instead.' in page
    assert "Reason: Old." in page
    await new_index.application.quarantines.begin(OPERATOR, "other")
    assert await status(new_index) == ({"status": "deprecated", "reason": "Old."}, 1)
    assert "/project/other/" not in (await new_index.ask("/project/demo/")).text
    await new_index.application.quarantines.clear(OPERATOR, "other")
    assert new_index.sql("SELECT successor FROM projects ORDER BY id") == [("other",), ("",)]
    for name in ("Demo", "nothing", "no name"):
        with pytest.raises(NoSuccessor):
            await statuses.deprecate(owner, "demo", "", name)
    with pytest.raises(ReasonUnusable):
        await statuses.deprecate(owner, "demo", "two\nlines")
    check(new_index)


async def test_in_quarantine(new_index: Index) -> None:
    """Nobody but the operator changes the status of a project in quarantine."""
    statuses, owner = new_index.application.statuses, identity(new_index, OWNER)
    await new_index.application.quarantines.begin(OPERATOR, "demo")
    with pytest.raises(InQuarantine):
        await statuses.activate(owner, "demo")


async def test_written_down(new_index: Index) -> None:
    """The security log has what a project was, is, why, and who said so from where, beside the journal."""
    statuses, owner = new_index.application.statuses, identity(new_index, OWNER)
    await statuses.deprecate(owner, "demo", "Old.", "Other", address="192.0.2.7")
    await statuses.activate(owner, "demo")
    lines = new_index.sql(
        "SELECT a.actor, a.address, a.about, j.action FROM audit a JOIN journal j USING (serial)"
        " WHERE a.normalized = 'demo' ORDER BY a.id"
    )
    said = {"status": "deprecated", "before": "active", "reason": "Old.", "successor": "other"}
    assert lines == [
        (OWNER, "192.0.2.7", said, "project deprecated"),
        (OWNER, "", {"status": "active", "before": "deprecated", "reason": ""}, "project active"),
    ]


async def test_who_may(new_index: Index) -> None:
    """Owners archive; strangers and administrators do not."""
    statuses = new_index.application.statuses
    before = new_index.state()
    for who in (identity(new_index, "eve"), identity(new_index, "eve", is_admin=True)):
        with pytest.raises(MayNotManage):
            await statuses.archive(who, "demo")
    assert not new_index.state() - before
