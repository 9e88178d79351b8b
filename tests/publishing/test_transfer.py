"""Projects that are given to somebody else: offered, accepted, and then no longer one's own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pypi.domain.permissions import OPERATOR, Role
from pypi.publishing.holding import MayNotManage
from pypi.publishing.role_errors import HasRole, NoSuchUser, NotInvited
from tests.support.index import OWNER, Index
from tests.support.managing import check, held, identity


async def test_a_project_is_given_away(new_index: Index) -> None:
    """Nothing changes until it is accepted; then one is owner and the other is nothing, all are told."""
    roles, owner, eve = new_index.application.roles, identity(new_index, OWNER), identity(new_index, "eve")
    await roles.transfer(owner, "Demo", "EVE")
    assert held(new_index) == [(OWNER, "Owner")]
    with pytest.raises(NotInvited):
        await roles.accept(identity(new_index, "Bob"), "demo")
    serial = await roles.accept(eve, "demo", address="192.0.2.1")
    assert held(new_index) == [("eve", "Owner")]
    lines = new_index.sql("SELECT serial, action, actor FROM journal ORDER BY serial DESC LIMIT 2")
    assert lines == [(serial, "add Owner eve", "eve"), (serial - 1, f"remove Owner {OWNER}", "eve")]
    told = new_index.sql("SELECT event, about, address, serial FROM audit ORDER BY id DESC LIMIT 2")
    assert told == [
        ("project.transferred", {"user": "eve", "before": OWNER}, "192.0.2.1", serial),
        ("project.role-taken", {"user": OWNER, "role": "Owner"}, "192.0.2.1", serial - 1),
    ]
    letters = new_index.sql("SELECT payload ->> 'letter', payload ->> 'to' FROM outbox WHERE kind = 'mail'")
    assert sorted(to for letter, to in letters if letter == "project-transferred") == sorted(
        to
        for (to,) in new_index.sql(
            f"SELECT address FROM emails JOIN users ON users.id = user_id WHERE name IN ('eve', '{OWNER}')"
        )
    )
    assert OWNER.encode() not in (await new_index.ask("/project/demo/")).body
    with pytest.raises(MayNotManage):
        await roles.invite(owner, "demo", "Bob", Role.OWNER)
    with pytest.raises(NotInvited):
        await roles.accept(eve, "demo")
    check(new_index)


async def test_who_had_a_role(new_index: Index) -> None:
    """A maintainer may get it, an owner has it; who else owns it goes on to; nobody else is offered it."""
    roles, owner = new_index.application.roles, identity(new_index, OWNER)
    for name, role in (("eve", Role.MAINTAINER), ("Bob", Role.OWNER)):
        await roles.invite(owner, "demo", name, role)
        await roles.accept(identity(new_index, name), "demo")
    with pytest.raises(HasRole):
        await roles.transfer(owner, "demo", "bob")
    with pytest.raises(HasRole):
        await roles.transfer(owner, "demo", OWNER)
    with pytest.raises(NoSuchUser):
        await roles.transfer(owner, "demo", "nobody")
    with pytest.raises(MayNotManage):
        await roles.transfer(identity(new_index, "eve"), "demo", "eve")
    await roles.transfer(owner, "demo", "eve")
    await roles.accept(identity(new_index, "eve"), "demo")
    assert held(new_index) == [("Bob", "Owner"), ("eve", "Owner")]
    assert new_index.sql("SELECT action FROM journal ORDER BY serial DESC LIMIT 1") == [("change Owner eve",)]
    check(new_index)


async def test_offers_that_end(new_index: Index) -> None:
    """What was declined, withdrawn, is too old, or came from one who owns nothing now, is of no use."""
    application, owner = new_index.application, identity(new_index, OWNER)
    roles, eve, bob = application.roles, identity(new_index, "eve"), identity(new_index, "Bob")
    await roles.transfer(owner, "demo", "eve")
    await roles.decline(eve, "demo")
    await roles.transfer(owner, "demo", "eve")
    await roles.withdraw(owner, "demo", "eve")
    with pytest.raises(NotInvited):
        await roles.accept(eve, "demo")
    await roles.transfer(owner, "demo", "eve")
    new_index.sql(f"UPDATE invitations SET expires = now() - interval '{timedelta(seconds=1)}'")
    with pytest.raises(NotInvited):
        await roles.accept(eve, "demo")
    await roles.transfer(owner, "demo", "eve")
    await roles.transfer(owner, "demo", "Bob")
    await roles.accept(bob, "demo")
    with pytest.raises(NotInvited):
        await roles.accept(eve, "demo")
    assert held(new_index) == [("Bob", "Owner")]


async def test_an_offer_that_is_made_anew(new_index: Index) -> None:
    """An invitation in the place of a transfer is no transfer."""
    roles, owner = new_index.application.roles, identity(new_index, OWNER)
    await roles.transfer(owner, "demo", "eve")
    await roles.invite(owner, "demo", "eve", Role.OWNER)
    await roles.accept(identity(new_index, "eve"), "demo")
    assert held(new_index) == [(OWNER, "Owner"), ("eve", "Owner")]


async def test_the_operator_gives_a_project(new_index: Index) -> None:
    """Where owners are gone for good, the operator offers it in the place of all of them."""
    roles, owner = new_index.application.roles, identity(new_index, OWNER)
    await roles.invite(owner, "demo", "Bob", Role.OWNER)
    await roles.accept(identity(new_index, "Bob"), "demo")
    await roles.transfer(OPERATOR, "demo", "eve")
    await roles.accept(identity(new_index, "eve"), "demo")
    assert held(new_index) == [("eve", "Owner")]
    check(new_index)
