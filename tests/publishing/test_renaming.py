"""Renaming projects: who may, what names may be taken, and that nothing is written by halves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from pypi.db.queries import journal
from pypi.domain.errors import InvalidField, NoSuchProject, ProjectMoved, Refusal, Unavailable
from pypi.domain.permissions import OPERATOR, Access, Identity, Role
from pypi.publishing.errors import (
    NameMoved,
    NameProhibited,
    NameReserved,
    NameTooSimilar,
    NameWithdrawn,
)
from pypi.publishing.holding import InQuarantine, MayNotManage
from pypi.publishing.renaming import MOST_A_DAY, MOST_NAMES, NameTaken, RenamedTooOften, TooManyNames
from tests.support.archives import sdist, wheel
from tests.support.index import OWNER, Index, eventually, running, with_token
from tests.support.managing import check, identity, token_of


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with ``Old.Lib`` 1.0, and somebody who is nothing to it."""
    async with running(database_url, tmp_path) as made:
        await made.upload(wheel("Old.Lib"), "old_lib-1.0-py3-none-any.whl", name="Old.Lib")
        await made.add_user("eve")
        yield made


async def rename(index: Index, name: str, new_name: str, **more: Any) -> int | None:
    """As its owner."""
    return await index.application.renaming.rename(identity(index, OWNER), name, new_name, **more)


def names(index: Index) -> list[str]:
    """What projects are called."""
    return [name for (name,) in index.sql("SELECT name FROM projects ORDER BY name")]


def kept(index: Index) -> list[str]:
    """Names that are not free."""
    return [name for (name,) in index.sql("SELECT normalized FROM former_names ORDER BY normalized")]


async def test_what_is_said_of_it(new_index: Index) -> None:
    """The journal tells of both names, the security log of the act, and all owners get a letter."""
    roles = new_index.application.roles
    for user, role in (("eve", Role.OWNER), ("Bob", Role.MAINTAINER)):
        if user == "Bob":
            await new_index.add_user(user)
        await roles.invite(identity(new_index, OWNER), "old-lib", user, role)
        await roles.accept(identity(new_index, user), "old-lib")
    serial = await rename(new_index, "old-lib", "New.Lib", address="192.0.2.1")
    lines = new_index.sql(
        "SELECT serial, normalized, name, action, actor FROM journal ORDER BY serial DESC LIMIT 2"
    )
    assert serial is not None
    assert lines == [
        (serial, "new-lib", "New.Lib", "rename from Old.Lib", OWNER),
        (serial - 1, "old-lib", "Old.Lib", "rename to New.Lib", OWNER),
    ]
    [(payload,)] = new_index.sql("SELECT payload FROM outbox WHERE kind = 'purge' ORDER BY id DESC LIMIT 1")
    wanted = {
        "project/old-lib",
        "project/new-lib",
        "all-projects",
        "search",
        "journal",
        "user/bob",
        "user/eve",
    }
    assert wanted <= set(payload["tags"])
    told = new_index.sql(
        "SELECT normalized, actor, address, about, serial FROM audit ORDER BY id DESC LIMIT 1"
    )
    about = {"before": "Old.Lib", "name": "New.Lib"}
    assert told == [("new-lib", OWNER, "192.0.2.1", about, serial)]
    letters = new_index.sql(
        "SELECT payload ->> 'to', payload -> 'about' FROM outbox"
        " WHERE payload ->> 'letter' = 'project-renamed'"
    )
    said = {"project": "Old.Lib", "by": OWNER, "new": "New.Lib"}
    assert sorted(letters) == [(f"{user}@people.example", {"user": user, **said}) for user in (OWNER, "eve")]
    check(new_index)


async def test_another_spelling(new_index: Index) -> None:
    """A name spelled otherwise leads nowhere else, and the old one is not kept; the same is no change."""
    assert await rename(new_index, "old.lib", "old_LIB") is not None
    assert await rename(new_index, "old-lib", "old_LIB") is None
    assert (names(new_index), kept(new_index)) == (["old_LIB"], [])
    actions = new_index.sql("SELECT action FROM journal ORDER BY serial DESC LIMIT 1")
    assert actions == [("rename from Old.Lib",)]
    check(new_index)


async def test_there_and_back(new_index: Index) -> None:
    """A project may take a name again that it had, which is its own; files are where they were published."""
    await rename(new_index, "old-lib", "new-lib")
    await new_index.upload(wheel("new-lib", "1.1"), "new_lib-1.1-py3-none-any.whl")
    await rename(new_index, "new-lib", "Old.Lib")
    check(new_index)
    assert kept(new_index) == ["new-lib"]
    files = "SELECT filename, former_name FROM files ORDER BY filename"
    assert new_index.sql(files) == [
        ("new_lib-1.1-py3-none-any.whl", "new-lib"),
        ("old_lib-1.0-py3-none-any.whl", None),
    ]
    await rename(new_index, "old-lib", "third")
    assert [name for _, name in new_index.sql(files)] == ["new-lib", "old-lib"]
    assert kept(new_index) == ["new-lib", "old-lib"]
    check(new_index)


async def test_the_old_name_is_nobody_elses(new_index: Index) -> None:
    """Nobody begins a project by the old name, or one that looks like it; who tries hears of the new one."""
    await rename(new_index, "old-lib", "fresh")
    token = await new_index.application.accounts.add_token(OWNER, project="fresh")
    data, filename = wheel("old-lib", "2.0"), "old_lib-2.0-py3-none-any.whl"
    auths = (new_index.auth("eve"), new_index.auth(), with_token(token))
    for auth in auths:
        refused = await new_index.upload(data, filename, auth=auth)
        assert refused.status == 400
        assert "'old_lib' isn't allowed: that project is called 'fresh' now" in refused.text
    alike = await new_index.upload(wheel("o1dlib"), "o1dlib-1.0-py3-none-any.whl", auth=new_index.auth("eve"))
    assert (alike.status, "too similar" in alike.text) == (400, True)
    assert (names(new_index), kept(new_index)) == (["fresh"], ["old-lib"])
    with pytest.raises(ProjectMoved, match="it is called 'fresh' now"):
        await new_index.application.yanks.yank(identity(new_index, OWNER), "Old.Lib", "1.0")
    check(new_index)


async def test_released_once_more(new_index: Index) -> None:
    """A release of before may be published by the new name, too, however old it is: with all that it had."""
    await new_index.upload(sdist("old-lib", "1.0"), "old_lib-1.0.tar.gz")
    await rename(new_index, "old-lib", "new-lib")
    new_index.sql("UPDATE releases SET created = created - interval '1 year'")
    for data, filename in (
        (sdist("new-lib", "1.0"), "new_lib-1.0.tar.gz"),
        (wheel("new-lib", "1.0"), "new_lib-1.0-py3-none-any.whl"),
    ):
        assert (await new_index.upload(data, filename)).status == 200
    new_index.sql("UPDATE files SET uploaded = uploaded - interval '1 year'")
    late = await new_index.upload(
        wheel("new-lib", "1.0", tag="py3-none-win32"), "new_lib-1.0-py3-none-win32.whl"
    )
    assert (late.status, "older than 14 days" in late.text) == (400, True), late.text
    assert new_index.sql("SELECT count(*) FROM releases") == [(1,)]
    check(new_index)


async def test_names_that_are_not_free(new_index: Index) -> None:
    """Names are refused as they are to whoever begins a project; nothing changes, whatever is refused."""
    await new_index.upload(wheel("other"), "other-1.0-py3-none-any.whl", auth=new_index.auth("eve"))
    await new_index.upload(wheel("gone"), "gone-1.0-py3-none-any.whl", auth=new_index.auth("eve"))
    await new_index.upload(wheel("moving"), "moving-1.0-py3-none-any.whl", auth=new_index.auth("eve"))
    application, eve = new_index.application, identity(new_index, "eve")
    await application.deletions.delete_project(eve, "gone")
    await application.renaming.rename(eve, "moving", "moved")
    new_index.sql("INSERT INTO prohibited_names (normalized, created) VALUES ('bad', now())")
    before = new_index.state()
    expected: list[tuple[str, type[Refusal]]] = [
        ("", InvalidField),
        ("-x", InvalidField),
        ("a b", InvalidField),
        ("x" * 201, InvalidField),
        ("Other", NameTaken),
        ("0ther", NameTooSimilar),
        ("m0ving", NameTooSimilar),
        ("gone", NameWithdrawn),
        ("Moving", NameMoved),
        ("bad", NameProhibited),
        ("json", NameReserved),
    ]
    for name, refusal in expected:
        with pytest.raises(refusal):
            await rename(new_index, "old-lib", name)
    assert not new_index.state() - before
    await rename(new_index, "old-lib", "oldlib")
    check(new_index)


async def test_a_name_one_owned(new_index: Index) -> None:
    """The name of a project that one owned and deleted may be taken for another of one's own."""
    await new_index.upload(wheel("gone"), "gone-1.0-py3-none-any.whl")
    await new_index.application.deletions.delete_project(identity(new_index, OWNER), "gone")
    await rename(new_index, "old-lib", "gone")
    assert (names(new_index), kept(new_index)) == (["gone"], ["old-lib"])
    assert new_index.sql("SELECT count(*) FROM former_owners") == [(0,)]
    check(new_index)


async def test_who_may(new_index: Index) -> None:
    """Strangers, maintainers, and tokens of other projects rename nothing; what is not there is not found."""
    renaming, owner = new_index.application.renaming, identity(new_index, OWNER)
    before = new_index.state()
    with pytest.raises(MayNotManage):
        await renaming.rename(identity(new_index, "eve"), "old-lib", "mine")
    elsewhere: Identity = evolve(owner, token_id=token_of(new_index, OWNER), project_id=10**6)
    for one in (elsewhere, evolve(elsewhere, project_id=None, is_read_only=True)):
        with pytest.raises(MayNotManage):
            await renaming.rename(one, "old-lib", "mine")
    with pytest.raises(NoSuchProject):
        await renaming.rename(owner, "nothing", "mine")
    assert not new_index.state() - before
    await new_index.application.quarantines.begin(OPERATOR, "old-lib")
    with pytest.raises(InQuarantine):
        await renaming.rename(owner, "old-lib", "mine")
    await renaming.rename(OPERATOR, "old-lib", "mine")
    assert names(new_index) == ["mine"]


async def test_how_often(new_index: Index) -> None:
    """Owners rename a project a few times a day and to so many names; the operator as often as need be."""
    names_given = [f"name-{letter}" for letter in "abcdefghjkm"]
    present = "old-lib"
    for name in names_given[:MOST_A_DAY]:
        await rename(new_index, present, name)
        present = name
    with pytest.raises(RenamedTooOften):
        await rename(new_index, present, "one-more")
    with pytest.raises(RenamedTooOften):
        await rename(new_index, present, present.upper())
    for name in names_given[MOST_A_DAY:MOST_NAMES]:
        await new_index.application.renaming.rename(OPERATOR, present, name)
        present = name
    new_index.sql(f"UPDATE audit SET at = at - interval '{timedelta(days=1)}'")
    assert len(kept(new_index)) == MOST_NAMES
    with pytest.raises(TooManyNames):
        await rename(new_index, present, "one-more")
    await rename(new_index, present, "Old.Lib")
    check(new_index)


async def test_what_is_deleted_afterwards(new_index: Index) -> None:
    """Deleted files are gone under the name they came by; of a deleted project, both names are kept."""
    deletions, owner = new_index.application.deletions, identity(new_index, OWNER)
    await new_index.upload(sdist("old-lib", "1.0"), "old_lib-1.0.tar.gz")
    await rename(new_index, "old-lib", "new-lib")
    assert b"old_lib-1.0.tar.gz" in (await new_index.ask("/simple/old-lib/")).body
    await deletions.delete_file(owner, "new-lib", "old_lib-1.0.tar.gz")
    page = (await new_index.ask("/simple/old-lib/")).body
    assert b"old_lib-1.0.tar.gz" not in page
    assert b"old_lib-1.0-py3" in page
    check(new_index)
    await deletions.delete_project(owner, "new-lib")
    for path in ("/simple/old-lib/", "/simple/new-lib/", "/project/old-lib/", "/pypi/old-lib/json"):
        assert (await new_index.ask(path)).status == 404, path
    assert b"-lib" not in (await new_index.ask("/simple/")).body
    assert kept(new_index) == ["new-lib", "old-lib"]
    lines = new_index.sql("SELECT normalized, action FROM journal ORDER BY serial DESC LIMIT 4")
    assert lines == [
        ("new-lib", "remove project"),
        ("old-lib", "remove project"),
        ("new-lib", "remove file old_lib-1.0.tar.gz"),
        ("old-lib", "remove file old_lib-1.0.tar.gz"),
    ]
    for name in ("old_lib", "new_lib"):
        filename = f"{name}-2.0-py3-none-any.whl"
        refused = await new_index.upload(wheel(name, "2.0"), filename, auth=new_index.auth("eve"))
        assert (refused.status, "was deleted" in refused.text) == (400, True)
        assert (await new_index.upload(wheel(name, "2.0"), filename)).status == 200
    check(new_index)


async def test_nothing_by_halves(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails at its very end has changed nothing, written nothing and told nobody."""

    async def failing(*_: Any, **__: Any) -> int:
        raise Unavailable

    before = new_index.state()
    with monkeypatch.context() as patched:
        patched.setattr(journal, "write", failing)
        with pytest.raises(Unavailable):
            await rename(new_index, "old-lib", "new-lib")
    assert not new_index.state() - before
    await rename(new_index, "old-lib", "new-lib")
    check(new_index)


async def test_other_workers(new_index: Index) -> None:
    """Each worker leads on from all it kept under the old name, as soon as it hears of the new one."""
    # Each index of the tests makes its own account.
    new_index.sql(
        "UPDATE users SET name = 'first' WHERE name = 'ada'; "
        "UPDATE emails SET address = 'first@people.example' WHERE address = 'ada@people.example'"
    )
    paths = {
        "/project/Old.Lib/": b"/project/new-lib/",
        "/pypi/old-lib/json": b"/pypi/new-lib/json",
        "/simple/old-lib/": b"is called new-lib now",
        "/simple/": b'"/simple/new-lib/"',
        "/user/first/": b"/project/new-lib/",
    }
    async with running(new_index.database_url, new_index.folder, lane=True) as other:
        for path, news in 2 * [*paths.items()]:
            assert news not in (await other.ask(path)).body
        serial = await new_index.application.renaming.rename(OPERATOR, "old-lib", "new-lib")
        assert serial is not None
        await eventually(lambda: other.application.caches.ladder.known.last >= serial)
        for path, news in 2 * [*paths.items()]:
            assert news in (await other.ask(path)).body, path


async def test_a_project_that_is_not_for_everybody(new_index: Index) -> None:
    """Nobody hears of either name who does not read it; who reads it is led on."""
    owner = identity(new_index, OWNER)
    await rename(new_index, "old-lib", "new-lib")
    await new_index.application.reads.change(owner, "new-lib", Access.ROLES)
    await rename(new_index, "new-lib", "newer")
    for path in ("/simple/old-lib/", "/simple/newer/", "/project/old-lib/", "/pypi/new-lib/json"):
        assert (await new_index.ask(path)).status in (401, 404), path
    for path in ("/simple/", "/rss/updates.xml", "/api/changes"):
        assert b"newer" not in (await new_index.ask(path)).body, path
    known = {"Authorization": new_index.auth()}
    assert b"old_lib-1.0" in (await new_index.ask("/simple/old-lib/", known)).body
    led = await new_index.ask("/simple/new-lib/", known)
    assert (led.status, led["Location"]) == (301, "/simple/newer/")
    data, filename = wheel("old-lib", "2.0"), "old_lib-2.0-py3-none-any.whl"
    refused = await new_index.upload(data, filename, auth=new_index.auth("eve"))
    assert (refused.status, "newer" in refused.text) == (400, False)


async def test_one_name_for_two(new_index: Index) -> None:
    """Of two projects that want one name at once, one gets it."""
    for letter in "abcd":
        name = f"{letter}{letter}"
        await new_index.upload(wheel(name), f"{name}-1.0-py3-none-any.whl")
    for one, other in (("aa", "bb"), ("cc", "dd")):
        wanted = f"wanted-{one}"
        done = await gatherResults([refused(rename(new_index, name, wanted)) for name in (one, other)])
        assert sorted(done) == ["", "NameTaken"]
        assert names(new_index).count(wanted) == 1
    check(new_index)


async def test_names_that_are_swapped(new_index: Index) -> None:
    """Two projects that want each other's names at once do not wait for each other, and stay as they are."""
    await new_index.upload(wheel("other"), "other-1.0-py3-none-any.whl")
    done = await gatherResults(
        [refused(rename(new_index, "old-lib", "other")), refused(rename(new_index, "other", "old-lib"))]
    )
    assert done == ["NameTaken", "NameTaken"]


async def test_renaming_while_uploading(new_index: Index) -> None:
    """An upload that meets a renaming comes before it, or is refused; one of the new name is never lost."""
    present = "old-lib"
    for number in range(2, 6):
        new = f"name{number}"
        data, filename = wheel(present, f"{number}"), f"{present.replace('-', '_')}-{number}-py3-none-any.whl"
        other, elsewhere = wheel(new, f"{number}.1"), f"{new}-{number}.1-py3-none-any.whl"
        renaming = refused(new_index.application.renaming.rename(OPERATOR, present, new))
        [said, old, its] = await gatherResults(
            [
                renaming,
                Deferred.fromCoroutine(new_index.upload(data, filename)),
                Deferred.fromCoroutine(new_index.upload(other, elsewhere, auth=new_index.auth("eve"))),
            ]
        )
        assert said in ("", "NameTaken")
        assert old.status == 200 or "is called" in old.text, old.text
        assert its.status == (200 if said else 403), its.text
        present = present if said else new
        check(new_index)


def refused(renaming: Any) -> Deferred[str]:
    """Why a name was refused; empty where it was not."""

    async def outcome() -> str:
        try:
            await renaming
        except Refusal as refusal:
            return type(refusal).__name__
        return ""

    return Deferred.fromCoroutine(outcome())
