"""Roles of projects: how they are got and lost, and that there is always an owner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from twisted.internet.defer import Deferred, gatherResults

from pypi.domain.errors import Refusal
from pypi.domain.permissions import OPERATOR, Role
from pypi.index.managed import Managing
from pypi.publishing.holding import MayNotManage
from pypi.publishing.inviting import GOOD_FOR, MOST_A_DAY
from pypi.publishing.role_errors import HasRole, InvitedOften, LastOwner, NoRole, NoSuchUser, NotInvited
from pypi.publishing.roles import Roles
from tests.support.archives import wheel
from tests.support.index import OWNER, Index
from tests.support.managing import check, held, identity, letters_to


async def test_an_invitation(new_index: Index) -> None:
    """Who is invited and accepts has the role at once; nobody else can accept it, and it is good once."""
    roles, owner, eve = new_index.application.roles, identity(new_index, OWNER), identity(new_index, "eve")
    await roles.invite(owner, "Demo", "EVE", Role.MAINTAINER)
    data, filename = wheel("demo", "2.0"), "demo-2.0-py3-none-any.whl"
    assert (await new_index.upload(data, filename, auth=new_index.auth("eve"))).status == 403
    with pytest.raises(NotInvited):
        await roles.accept(identity(new_index, "Bob"), "demo")
    assert (await new_index.ask("/user/eve/")).status == 200
    await roles.accept(eve, "demo")
    assert b"demo" in (await new_index.ask("/user/eve/")).body
    with pytest.raises(NotInvited):
        await roles.accept(eve, "demo")
    assert (await new_index.upload(data, filename, auth=new_index.auth("eve"))).status == 200
    lines = new_index.sql("SELECT action, actor FROM journal WHERE action LIKE '% eve'")
    assert lines == [("add Maintainer eve", "eve")]
    check(new_index)


async def test_invitations_that_end(new_index: Index) -> None:
    """What was declined, withdrawn, is too old, or came from one who owns nothing now, is of no use."""
    application, owner = new_index.application, identity(new_index, OWNER)
    roles, eve, bob = application.roles, identity(new_index, "eve"), identity(new_index, "Bob")
    await roles.invite(owner, "demo", "eve", Role.OWNER)
    await roles.decline(eve, "demo")
    await roles.invite(owner, "demo", "Bob", Role.OWNER)
    await roles.withdraw(owner, "demo", "bob")
    for who in (eve, bob):
        with pytest.raises(NotInvited):
            await roles.accept(who, "demo")
    await roles.invite(owner, "demo", "eve", Role.OWNER)
    later = Roles(
        database=roles.database,
        now=lambda: datetime.now(UTC) + timedelta(days=8),
        announce=roles.announce,
    )
    with pytest.raises(NotInvited):
        await later.accept(eve, "demo")
    await roles.accept(eve, "demo")
    await roles.invite(eve, "demo", "Bob", Role.MAINTAINER)
    await roles.remove(owner, "demo", "eve")
    with pytest.raises(NotInvited):
        await roles.accept(bob, "demo")
    check(new_index)


async def test_an_offer_of_an_account_that_is_disabled(new_index: Index) -> None:
    """What somebody offered whose account was disabled is of no use, while it is, and is shown to nobody."""
    application, owner = new_index.application, identity(new_index, OWNER)
    roles, eve, bob = application.roles, identity(new_index, "eve"), identity(new_index, "Bob")
    managing = Managing(database=roles.database, now=lambda: datetime.now(UTC))
    await roles.invite(owner, "demo", "eve", Role.OWNER)
    await roles.transfer(owner, "demo", "Bob")
    new_index.sql(f"UPDATE users SET is_active = false WHERE name = '{OWNER}'")
    for who in (eve, bob):
        with pytest.raises(NotInvited):
            await roles.accept(who, "demo")
        assert (await managing.mine(who)).offers == []
    assert held(new_index) == [(OWNER, "Owner")]
    new_index.sql(f"UPDATE users SET is_active = true WHERE name = '{OWNER}'")
    await roles.accept(eve, "demo")
    assert held(new_index) == [(OWNER, "Owner"), ("eve", "Owner")]


async def test_giving_a_project_away(new_index: Index) -> None:
    """An owner makes another one and leaves; the rights end with the role, and tokens with them."""
    roles, owner, eve = new_index.application.roles, identity(new_index, OWNER), identity(new_index, "eve")
    await roles.invite(owner, "demo", "eve", Role.MAINTAINER)
    await roles.accept(eve, "demo")
    with pytest.raises(LastOwner):
        await roles.remove(owner, "demo", OWNER)
    with pytest.raises(LastOwner):
        await roles.change(owner, "demo", OWNER, Role.MAINTAINER)
    await roles.change(owner, "demo", "eve", Role.OWNER)
    await roles.remove(owner, "demo", OWNER)
    assert held(new_index) == [("eve", "Owner")]
    refused = await new_index.upload(wheel("demo", "2.0"), "demo-2.0-py3-none-any.whl")
    assert refused.status == 403
    actions = new_index.sql("SELECT action FROM journal ORDER BY serial DESC LIMIT 2")
    assert actions == [(f"remove Owner {OWNER}",), ("change Owner eve",)]
    check(new_index)


async def test_two_owners_removing_each_other(new_index: Index) -> None:
    """Of two owners who remove each other, or leave, at once, one is left."""
    roles, owner, eve = new_index.application.roles, identity(new_index, OWNER), identity(new_index, "eve")
    await roles.invite(owner, "demo", "eve", Role.OWNER)
    await roles.accept(eve, "demo")

    async def attempt(one: Deferred[int]) -> str:
        try:
            return str(type(await one).__name__)
        except Refusal as refusal:
            return type(refusal).__name__

    both = [
        Deferred.fromCoroutine(roles.remove(owner, "demo", "eve")),
        Deferred.fromCoroutine(roles.remove(eve, "demo", OWNER)),
    ]
    said = await gatherResults([Deferred.fromCoroutine(attempt(one)) for one in both])
    assert sorted(said) == ["MayNotManage", "int"]
    assert len(held(new_index)) == 1
    check(new_index)


async def test_who_may(new_index: Index) -> None:
    """Only owners, and the operator, give roles; of whom there is nothing, nothing is changed."""
    roles, owner, eve = new_index.application.roles, identity(new_index, OWNER), identity(new_index, "eve")
    before = new_index.state()
    with pytest.raises(MayNotManage):
        await roles.invite(eve, "demo", "eve", Role.OWNER)
    with pytest.raises(MayNotManage):
        await roles.remove(eve, "demo", OWNER)
    with pytest.raises(NoSuchUser):
        await roles.invite(owner, "demo", "nobody", Role.OWNER)
    with pytest.raises(HasRole):
        await roles.invite(owner, "demo", OWNER, Role.MAINTAINER)
    with pytest.raises(NoRole):
        await roles.remove(owner, "demo", "eve")
    assert not new_index.state() - before
    await roles.invite(OPERATOR, "demo", "eve", Role.OWNER)
    assert await roles.accept(eve, "demo")


async def test_written_down(new_index: Index) -> None:
    """Those concerned are told by mail, and the security log of project and account has it all."""
    application, owner = new_index.application, identity(new_index, OWNER)
    roles, eve = application.roles, identity(new_index, "eve")
    await roles.invite(owner, "demo", "eve", Role.READER, address="192.0.2.1")
    await roles.decline(eve, "demo")
    await roles.invite(owner, "demo", "eve", Role.MAINTAINER)
    await roles.accept(eve, "demo", address="192.0.2.2")
    await roles.change(owner, "demo", "eve", Role.OWNER)
    await roles.remove(owner, "demo", "eve")
    letters = letters_to(new_index, "eve@people.example")
    assert [one["letter"] for one in letters] == ["invited", "invited", "role-changed", "role-removed"]
    assert letters[0]["about"] == {
        "user": "eve",
        "path": "/manage/",
        "project": "demo",
        "by": OWNER,
        "role": "Reader",
    }
    assert datetime.fromisoformat(letters[0]["until"]) - datetime.fromisoformat(letters[0]["at"]) == GOOD_FOR
    log = new_index.sql(
        "SELECT event, a.actor, about ->> 'role', a.address, action FROM audit a"
        f" LEFT JOIN journal USING (serial) WHERE user_id = {eve.user_id} AND a.normalized = 'demo'"
        " ORDER BY id"
    )
    assert log == [
        ("project.role-invited", OWNER, "Reader", "192.0.2.1", None),
        ("project.role-invitation-ended", "eve", "Reader", "", None),
        ("project.role-invited", OWNER, "Maintainer", "", None),
        ("project.role-given", "eve", "Maintainer", "192.0.2.2", "add Maintainer eve"),
        ("project.role-changed", OWNER, "Owner", "", "change Owner eve"),
        ("project.role-taken", OWNER, "Owner", "", "remove Owner eve"),
    ]


async def test_nobody_is_written_to_all_day(new_index: Index) -> None:
    """However often an invitation is taken back and sent again, there are a few letters a day and no more."""
    roles, owner = new_index.application.roles, identity(new_index, OWNER)
    for _ in range(MOST_A_DAY):
        await roles.invite(owner, "demo", "eve", Role.READER)
        await roles.withdraw(owner, "demo", "eve")
    before = new_index.state()
    with pytest.raises(InvitedOften):
        await roles.invite(owner, "demo", "eve", Role.READER)
    assert not new_index.state() - before
    assert len(letters_to(new_index, "eve@people.example")) == MOST_A_DAY
    await roles.invite(owner, "demo", "Bob", Role.READER)


async def test_readers_are_not_told_of(new_index: Index) -> None:
    """Who only reads a project is no maintainer of it for XML-RPC, documents and pages."""
    roles, eve = new_index.application.roles, identity(new_index, "eve")
    await roles.invite(identity(new_index, OWNER), "demo", "eve", Role.READER)
    await roles.accept(eve, "demo")
    call = "<methodCall><methodName>{}</methodName><params><param><value><string>{}</string></value></param>"
    for method, of in (("package_roles", "demo"), ("user_packages", "eve")):
        body = (call + "</params></methodCall>").format(method, of).encode()
        told = await new_index.ask("/RPC2", {"Content-Type": "text/xml"}, method="POST", body=body)
        assert (told.status, "Reader" in told.text) == (200, False), method
    document = (await new_index.ask("/pypi/demo/json")).json()
    assert "eve" not in str(document["ownership"])
    assert "/user/eve/" not in (await new_index.ask("/project/demo/")).text
    assert "demo" not in (await new_index.ask("/user/eve/")).text
