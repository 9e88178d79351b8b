"""Who reads a project: what its owners say, what follows, and what others learn of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from pypi.domain.errors import NoSuchProject
from pypi.domain.permissions import OPERATOR, Access, Role
from pypi.publishing.holding import InQuarantine, MayNotManage
from pypi.publishing.status import NoSuccessor
from tests.support.archives import wheel, wheel_filename
from tests.support.index import OWNER, Index, running
from tests.support.managing import check, identity


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with ``demo`` and ``other``, and two strangers."""
    async with running(database_url, tmp_path) as made:
        for name in ("demo", "other"):
            data = wheel(name, "1.0", headers=[("Requires-Dist", "needed")])
            assert (await made.upload(data, wheel_filename(name))).status == 200
        for name in ("eve", "bob"):
            await made.add_user(name)
        yield made


async def test_what_follows(new_index: Index) -> None:
    """Searches, dependents and lists forget a project that is private, and find it again when it is not."""
    reads, owner = new_index.application.reads, identity(new_index, OWNER)
    serial = await reads.change(owner, "Demo", Access.ROLES, address="192.0.2.1")
    assert serial is not None
    assert await reads.change(owner, "demo", Access.ROLES) is None
    check(new_index)
    for table in ("search", "findable"):
        assert new_index.sql(f"SELECT normalized FROM {table}") == [("other",)]
    assert new_index.sql("SELECT dependent FROM dependencies") == [("other",)]
    assert await reads.change(owner, "demo", Access.ACCOUNTS) == serial + 1
    assert await reads.change(owner, "demo", Access.PUBLIC) == serial + 2
    check(new_index)
    assert new_index.sql("SELECT count(*) FROM findable") == [(2,)]
    lines = new_index.sql(f"SELECT action, is_private FROM journal WHERE serial >= {serial} ORDER BY serial")
    assert lines == [("remove project", False), ("remove project", True), ("create", False)]
    noted = new_index.sql(
        "SELECT about, address FROM audit WHERE event = 'project.reads-changed' ORDER BY id"
    )
    assert noted[0] == ({"reads": "roles", "before": "public"}, "192.0.2.1")
    assert [about["reads"] for about, _ in noted] == ["roles", "accounts", "public"]


async def test_who_may_say_so(new_index: Index) -> None:
    """Owners may; maintainers may not; and to strangers a private project is not there, whatever they ask."""
    application, owner, eve = new_index.application, identity(new_index, OWNER), identity(new_index, "eve")
    new_index.sql(
        "INSERT INTO roles SELECT p.id, u.id, 'Maintainer', now() FROM projects p, users u"
        " WHERE p.name = 'demo' AND u.name = 'bob' RETURNING 1"
    )
    with pytest.raises(MayNotManage):
        await application.reads.change(eve, "demo", Access.ROLES)
    await application.reads.change(owner, "demo", Access.ROLES)
    with pytest.raises(MayNotManage):
        await application.reads.change(identity(new_index, "bob"), "demo", Access.PUBLIC)
    acts: list[Any] = [
        application.reads.change(eve, "demo", Access.PUBLIC),
        application.statuses.archive(eve, "demo"),
        application.yanks.yank(eve, "demo", "1.0"),
        application.deletions.delete_project(eve, "demo"),
        application.roles.remove(eve, "demo", "ada"),
        application.roles.accept(eve, "demo"),
    ]
    for act in acts:
        with pytest.raises(NoSuchProject):
            await act
    with pytest.raises(NoSuccessor):
        await application.statuses.deprecate(owner, "other", "", "demo")
    assert await application.reads.change(OPERATOR, "demo", Access.PUBLIC) is not None


async def test_in_quarantine(new_index: Index) -> None:
    """Who reads a project in quarantine is for the operator to say; afterwards it is as it was said."""
    application, owner = new_index.application, identity(new_index, OWNER)
    await application.quarantines.begin(OPERATOR, "demo")
    with pytest.raises(InQuarantine):
        await application.reads.change(owner, "demo", Access.ROLES)
    await application.reads.change(OPERATOR, "demo", Access.ROLES)
    auth = {"Authorization": new_index.auth()}
    path = new_index.sql("SELECT blake2_256 FROM files ORDER BY id")[0][0]
    file = f"/packages/{path[:2]}/{path[2:4]}/{path[4:]}/{wheel_filename('demo')}"
    assert (await new_index.ask(file, auth)).status == 404
    await application.quarantines.clear(OPERATOR, "demo")
    assert (await new_index.ask(file, auth)).status == 200
    assert (await new_index.ask(file)).status == 404
    check(new_index)


async def test_who_is_invited(new_index: Index) -> None:
    """Whoever is invited to a private project may accept, and reads it from then on."""
    application, owner, eve = new_index.application, identity(new_index, OWNER), identity(new_index, "eve")
    await application.reads.change(owner, "demo", Access.ROLES)
    await application.roles.invite(owner, "demo", "eve", Role.READER)
    auth = {"Authorization": new_index.auth("eve")}
    assert (await new_index.ask("/simple/demo/", auth)).status == 404
    await application.roles.accept(eve, "demo")
    assert (await new_index.ask("/simple/demo/", auth)).status == 200


async def test_a_name_that_was_private(new_index: Index) -> None:
    """A private project that is deleted leaves a name that is prohibited to all but its owners."""
    application, owner = new_index.application, identity(new_index, OWNER)
    await application.reads.change(owner, "demo", Access.ROLES)
    serial = new_index.sql("SELECT max(serial) FROM journal")[0][0]
    await application.deletions.delete_project(owner, "demo")
    assert new_index.sql(f"SELECT is_private FROM journal WHERE serial > {serial}") == [(True,)]
    for name in ("demo", "dem0"):
        refused = await new_index.upload(
            wheel(name, "2.0"), wheel_filename(name, "2.0"), auth=new_index.auth("eve")
        )
        assert refused.status == 400
        assert f"The name '{name}' isn't allowed." in refused.text
    again = await new_index.upload(wheel("demo", "2.0"), wheel_filename("demo", "2.0"))
    assert again.status == 200, again.text


async def test_counted_for_its_readers(new_index: Index) -> None:
    """Downloads of what is private are counted for its readers, and in no sum of everything."""
    application, owner = new_index.application, identity(new_index, OWNER)
    await application.reads.change(owner, "demo", Access.ROLES)
    for name in ("demo", "other"):
        [(digest, filename)] = new_index.sql(
            "SELECT blake2_256, filename FROM files JOIN projects p ON p.id = project_id"
            f" WHERE p.normalized = '{name}'"
        )
        path = f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}"
        assert (await new_index.ask(path, {"Authorization": new_index.auth()})).status == 200
    await application.downloads.run()
    assert new_index.sql("SELECT count(*), sum(count) FROM downloads") == [(2, 2)]
    assert new_index.sql("SELECT sum(count) FROM download_days") == [(1,)]
