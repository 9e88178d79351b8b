"""Yanks: who may, many at once, and what they leave behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from pypi.domain.errors import NoSuchRelease
from pypi.domain.permissions import OPERATOR, Identity, Role
from pypi.publishing.holding import InQuarantine, MayNotManage
from pypi.publishing.yank import MOST_AT_ONCE, NotThatMany, ReasonUnusable
from tests.support.archives import wheel
from tests.support.index import OWNER, Index, running
from tests.support.managing import check, identity, token_of

ACCEPT = {"Accept": "application/vnd.pypi.simple.v1+json"}


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with three releases of ``demo``."""
    async with running(database_url, tmp_path) as made:
        for version in ("1.0", "2.0", "3.0"):
            await made.upload(wheel("demo", version), f"demo-{version}-py3-none-any.whl")
        await made.add_user("eve")
        yield made


async def yanked(index: Index) -> dict[str, object]:
    """Version → what installers are told."""
    files = (await index.ask("/simple/demo/", ACCEPT)).json()["files"]
    return {file["filename"].split("-")[1]: file["yanked"] for file in files}


async def test_many_at_once(new_index: Index) -> None:
    """Several releases are yanked for one reason by one transaction, each with lines of its own."""
    yanks, owner = new_index.application.yanks, identity(new_index, OWNER)
    before = new_index.sql("SELECT max(serial) FROM journal")[0][0]
    serial = await yanks.yank_all(owner, "Demo", ["3.0", "1", "3.0.0"], "Leaks.", address="192.0.2.3")
    assert serial == before + 2
    assert await yanked(new_index) == {"1.0": "Leaks.", "2.0": False, "3.0": "Leaks."}
    lines = new_index.sql(
        "SELECT j.version, action, event, a.actor, a.address, about ->> 'version', about ->> 'reason'"
        " FROM journal j JOIN audit a USING (serial) ORDER BY serial"
    )
    told = ("yank release", "project.release-yanked", OWNER, "192.0.2.3")
    assert lines == [("3.0", *told, "3.0", "Leaks."), ("1.0", *told, "1.0", "Leaks.")]
    assert await yanks.yank_all(owner, "demo", ["1.0", "3.0"], "Leaks.") is None
    assert await yanks.yank_all(owner, "demo", ["1.0", "2.0"], "Leaks.") == serial + 1
    assert await yanks.unyank_all(owner, "demo", ["1.0", "2.0", "3.0"]) == serial + 4
    assert set((await yanked(new_index)).values()) == {False}
    check(new_index)


async def test_all_or_none(new_index: Index) -> None:
    """Where one of the releases is not there, none is yanked; nor is any for no good order."""
    yanks, owner = new_index.application.yanks, identity(new_index, OWNER)
    before = new_index.state()
    with pytest.raises(NoSuchRelease, match="7"):
        await yanks.yank_all(owner, "demo", ["1.0", "7.0"])
    for asked in ([], ["1.0"] * (MOST_AT_ONCE + 1)):
        with pytest.raises(NotThatMany):
            await yanks.yank_all(owner, "demo", asked)
    with pytest.raises(ReasonUnusable):
        await yanks.yank(owner, "demo", "1.0", "two\nlines")
    assert not new_index.state() - before


async def test_who_may(new_index: Index) -> None:
    """Owners yank, also by a token for their project; maintainers, strangers and other tokens do not."""
    application, owner = new_index.application, identity(new_index, OWNER)
    await application.roles.invite(owner, "demo", "eve", Role.MAINTAINER)
    await application.roles.accept(identity(new_index, "eve"), "demo")
    [(project_id,)] = new_index.sql("SELECT id FROM projects")
    before = new_index.state()
    for who in (
        identity(new_index, "eve"),
        identity(new_index, "eve", is_admin=True),
        Identity(
            user_id=owner.user_id, name=OWNER, token_id=token_of(new_index, OWNER), project_id=project_id + 1
        ),
        Identity(user_id=owner.user_id, name=OWNER, token_id=token_of(new_index, OWNER), is_read_only=True),
    ):
        with pytest.raises(MayNotManage):
            await application.yanks.yank(who, "demo", "1.0")
    assert not new_index.state() - before
    by_token = Identity(
        user_id=owner.user_id, name=OWNER, token_id=token_of(new_index, OWNER), project_id=project_id
    )
    assert await application.yanks.yank(by_token, "demo", "1.0") is not None


async def test_in_quarantine(new_index: Index) -> None:
    """What is looked into stays as it is, but for the operator."""
    application = new_index.application
    await application.quarantines.begin(OPERATOR, "demo")
    with pytest.raises(InQuarantine):
        await application.yanks.yank(identity(new_index, OWNER), "demo", "1.0")
    assert await application.yanks.yank(OPERATOR, "demo", "1.0") is not None
