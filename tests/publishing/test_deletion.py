"""Deleting files, releases and projects: what is left, who may, and what others see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from pypi.domain.errors import NoSuchFile, NoSuchProject, NoSuchRelease, Refusal
from pypi.domain.permissions import OPERATOR, Identity
from pypi.publishing.holding import MayNotManage
from pypi.publishing.kept_names import NotKept
from tests.support.archives import sdist, wheel
from tests.support.index import OWNER, Index, running
from tests.support.managing import check, identity, token_of


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with two releases of ``demo``, the first of two files."""
    async with running(database_url, tmp_path) as made:
        for version in ("1.0", "2.0"):
            await made.upload(wheel("demo", version), f"demo-{version}-py3-none-any.whl")
        await made.upload(sdist("demo"), "demo-1.0.tar.gz")
        await made.add_user("eve")
        yield made


async def test_a_file(new_index: Index) -> None:
    """A deleted file is listed nowhere, is not handed out any more, and its name is never used again."""
    path = new_index.sql("SELECT blake2_256 FROM files WHERE filename = 'demo-1.0.tar.gz'")[0][0]
    address = f"/packages/{path[:2]}/{path[2:4]}/{path[4:]}/demo-1.0.tar.gz"
    assert (await new_index.ask(address)).status == 200
    assert b"demo-1.0.tar.gz" in (await new_index.ask("/simple/demo/")).body
    deletions = new_index.application.deletions
    await deletions.delete_file(identity(new_index, OWNER), "Demo", "demo-1.0.tar.gz")
    page = await new_index.ask("/simple/demo/")
    assert b"demo-1.0.tar.gz" not in page.body
    assert b"demo-1.0-py3" in page.body
    assert (await new_index.ask(address)).status == 404
    again = await new_index.upload(sdist("demo"), "demo-1.0.tar.gz")
    assert (again.status, "previously used" in again.text) == (400, True)
    assert new_index.sql("SELECT version, action, actor FROM journal ORDER BY serial DESC LIMIT 1") == [
        ("1.0", "remove file demo-1.0.tar.gz", OWNER)
    ]
    check(new_index)


async def test_a_release(new_index: Index) -> None:
    """A deleted release takes its files along; the others stay."""
    deletions = new_index.application.deletions
    await deletions.delete_release(identity(new_index, OWNER), "demo", "1.0.0")
    assert new_index.sql("SELECT filename FROM files") == [("demo-2.0-py3-none-any.whl",)]
    assert (await new_index.ask("/pypi/demo/1.0/json")).status == 404
    assert new_index.sql("SELECT version, action FROM journal ORDER BY serial DESC LIMIT 1") == [
        ("1.0", "remove release")
    ]
    check(new_index)


async def test_a_project(new_index: Index) -> None:
    """A deleted project is gone; its name is left to its owners until the operator frees it."""
    deletions = new_index.application.deletions
    assert (await new_index.ask("/simple/demo/")).status == 200
    await deletions.delete_project(identity(new_index, OWNER), "demo")
    assert (await new_index.ask("/simple/demo/")).status == 404
    assert b"demo" not in (await new_index.ask("/simple/")).body
    assert new_index.sql("SELECT action FROM journal ORDER BY serial DESC LIMIT 1") == [("remove project",)]
    [(payload,)] = new_index.sql("SELECT payload FROM outbox ORDER BY id DESC LIMIT 1")
    assert {"project/demo", f"user/{OWNER}", "all-projects", "withheld"} <= set(payload["tags"])
    check(new_index)
    data, filename = wheel("demo", "3.0"), "demo-3.0-py3-none-any.whl"
    refused = await new_index.upload(data, filename, auth=new_index.auth("eve"))
    assert (refused.status, "was deleted" in refused.text) == (400, True)
    alike = await new_index.upload(
        wheel("dem0", "1.0"), "dem0-1.0-py3-none-any.whl", auth=new_index.auth("eve")
    )
    assert (alike.status, "too similar" in alike.text) == (400, True)
    assert (await new_index.upload(data, filename)).status == 200
    assert new_index.sql("SELECT count(*) FROM former_names") == [(0,)]
    check(new_index)


async def test_a_name_set_free(new_index: Index) -> None:
    """The operator gives the name of a deleted project to whoever comes; filenames stay used."""
    deletions = new_index.application.deletions
    await deletions.delete_project(OPERATOR, "demo")
    names = new_index.application.kept_names
    await names.free(OPERATOR, "Demo")
    with pytest.raises(NotKept):
        await names.free(OPERATOR, "demo")
    for version, status in (("1.0", 400), ("3.0", 200)):
        reply = await new_index.upload(
            wheel("demo", version), f"demo-{version}-py3-none-any.whl", auth=new_index.auth("eve")
        )
        assert reply.status == status, reply.text
    check(new_index)


async def test_who_may(new_index: Index) -> None:
    """Strangers, maintainers, and tokens of other projects delete nothing; what is not there is not found."""
    deletions = new_index.application.deletions
    before = new_index.state()
    eve = identity(new_index, "eve")
    with pytest.raises(MayNotManage):
        await deletions.delete_project(eve, "demo")
    with pytest.raises(MayNotManage):
        await deletions.delete_file(eve, "demo", "demo-1.0.tar.gz")
    owner = identity(new_index, OWNER)
    elsewhere = Identity(
        user_id=owner.user_id, name=OWNER, token_id=token_of(new_index, OWNER), project_id=10**6
    )
    with pytest.raises(MayNotManage):
        await deletions.delete_release(elsewhere, "demo", "1.0")
    with pytest.raises(NoSuchProject):
        await deletions.delete_project(owner, "nothing")
    with pytest.raises(NoSuchRelease):
        await deletions.delete_release(owner, "demo", "7")
    with pytest.raises(NoSuchFile):
        await deletions.delete_file(owner, "demo", "other-1.0.tar.gz")
    assert not new_index.state() - before


async def test_deleting_while_uploading(new_index: Index) -> None:
    """An upload that meets a deletion comes before it or after it, and never in between."""
    owner = identity(new_index, OWNER)
    for number in range(3, 7):
        data, filename = wheel("demo", f"{number}.0"), f"demo-{number}.0-py3-none-any.whl"
        deleting = Deferred.fromCoroutine(new_index.application.deletions.delete_project(owner, "demo"))
        uploading = Deferred.fromCoroutine(new_index.upload(data, filename))
        _, reply = await gatherResults([deleting, uploading])
        assert reply.status == 200, reply.text
        check(new_index)
        rest = await new_index.upload(wheel("demo", f"{number}.1"), f"demo-{number}.1-py3-none-any.whl")
        assert rest.status == 200, rest.text


async def test_deleting_twice_at_once(new_index: Index) -> None:
    """Of two who delete the same release at once, one does, and the other finds nothing."""
    owner, deletions = identity(new_index, OWNER), new_index.application.deletions

    async def delete() -> str:
        try:
            return str(await deletions.delete_release(owner, "demo", "1.0"))
        except Refusal as refusal:
            return type(refusal).__name__

    said = await gatherResults([Deferred.fromCoroutine(delete()) for _ in range(3)])
    assert sorted(said)[1:] == ["NoSuchRelease", "NoSuchRelease"]
    check(new_index)
