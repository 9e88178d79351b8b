"""Names that nobody may take, and names of deleted projects that are given back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from pypi.domain.permissions import OPERATOR
from pypi.publishing.holding import MayNotManage
from pypi.publishing.kept_names import InUse, NoName, NotKept
from pypi.publishing.role_errors import NoSuchUser
from pypi.publishing.yank import ReasonUnusable
from tests.support.archives import wheel
from tests.support.client import Reply
from tests.support.index import OWNER, Index, running
from tests.support.managing import check, identity, letters_to


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with ``demo``."""
    async with running(database_url, tmp_path) as made:
        await made.upload(wheel("demo"), "demo-1.0-py3-none-any.whl")
        await made.add_user("eve")
        yield made


async def upload(index: Index, name: str, version: str = "1.0", user: str = OWNER) -> Reply:
    filename = f"{name}-{version}-py3-none-any.whl"
    return await index.upload(wheel(name, version), filename, auth=index.auth(user))


async def test_prohibited(new_index: Index) -> None:
    """Nobody begins a project of a prohibited name, while one that is there goes on; until it is allowed."""
    names = new_index.application.kept_names
    assert await names.prohibit(OPERATOR, "Bank.Login", "Phishing.", address="192.0.2.5")
    assert not await names.prohibit(OPERATOR, "bank_login", "Phishing!")
    assert await names.prohibit(OPERATOR, "demo")
    refused = await upload(new_index, "bank_login")
    assert (refused.status, "The name 'bank_login' isn't allowed" in refused.text) == (400, True)
    assert (await upload(new_index, "demo", "2.0")).status == 200
    listed = await names.prohibited()
    assert [(one.normalized, one.reason, one.actor, one.is_used) for one in listed] == [
        ("bank-login", "Phishing!", "operator", False),
        ("demo", "", "operator", True),
    ]
    assert [one.normalized for one in await names.prohibited(after="bank-login", limit=1)] == ["demo"]
    assert await names.allow(OPERATOR, "BANK-login")
    assert not await names.allow(OPERATOR, "bank-login")
    assert (await upload(new_index, "bank_login")).status == 200
    log = new_index.sql(
        "SELECT event, address, normalized, about FROM audit WHERE event LIKE 'index.%' ORDER BY id"
    )
    assert log[0] == ("index.name-prohibited", "192.0.2.5", "bank-login", {"reason": "Phishing."})
    assert log[-1] == ("index.name-allowed", "", "bank-login", {})
    check(new_index)


async def test_given_back(new_index: Index) -> None:
    """The name of a deleted project is given back to whom the operator names; filenames stay used."""
    application = new_index.application
    with pytest.raises(InUse):
        await application.kept_names.restore(OPERATOR, "demo", "eve")
    await application.deletions.delete_project(identity(new_index, OWNER), "demo")
    assert (await upload(new_index, "demo", "2.0", user="eve")).status == 400
    with pytest.raises(NoSuchUser):
        await application.kept_names.restore(OPERATOR, "demo", "nobody")
    await application.kept_names.restore(OPERATOR, "Demo", "EVE")
    assert (await upload(new_index, "demo", "1.0", user="eve")).status == 400
    assert (await upload(new_index, "demo", "2.0", user="eve")).status == 200
    with pytest.raises(NotKept):
        await application.kept_names.free(OPERATOR, "demo")
    [(about,)] = new_index.sql("SELECT about FROM audit WHERE event = 'project.restored'")
    assert about == {"name": "demo", "user": "eve"}
    check(new_index)


async def test_those_concerned_are_told_of_the_end(new_index: Index) -> None:
    """Whoever looked after a deleted project is told by mail."""
    await new_index.application.deletions.delete_project(OPERATOR, "demo", address="192.0.2.6")
    [letter] = letters_to(new_index, f"{OWNER}@people.example")
    assert (letter["letter"], letter["about"]["by"]) == ("project-deleted", "operator")
    assert letters_to(new_index, "eve@people.example") == []
    [line] = new_index.sql("SELECT event, a.address, about, action FROM audit a JOIN journal USING (serial)")
    assert line == ("project.deleted", "192.0.2.6", {"name": "demo"}, "remove project")


async def test_who_may(new_index: Index) -> None:
    """Names are the operators' to prohibit and to give; what is no name is refused."""
    names, before = new_index.application.kept_names, new_index.state()
    owner = identity(new_index, OWNER)
    for doing in (
        names.prohibit(owner, "x"),
        names.allow(owner, "x"),
        names.free(owner, "x"),
        names.restore(owner, "x", OWNER),
        names.prohibit(identity(new_index, "eve", is_admin=True, token_id="0" * 16), "x"),
    ):
        with pytest.raises(MayNotManage):
            await doing
    for name in ("", "no name", "-", "x\0"):
        with pytest.raises(NoName):
            await names.prohibit(OPERATOR, name)
    with pytest.raises(ReasonUnusable):
        await names.prohibit(OPERATOR, "x", "two\nlines")
    assert not new_index.state() - before
    assert await names.prohibit(identity(new_index, "eve", is_admin=True), "x")
