"""Who is what to a project: invited, changed, removed; leaving it, and handing it over."""

from __future__ import annotations

import pytest

from pypi.domain.permissions import Role
from tests.support.index import Index
from tests.support.managing import identity, letters_to
from tests.support.visitor import visitor
from tests.web.manage.shop import give, last_event, released, roles

SETTINGS = {"limits__factor": 0}


async def test_invite(index: Index, name: str) -> None:
    """An owner invites somebody, who is told by mail; it is listed, and can be withdrawn."""
    await released(index, name, "1.0")
    await visitor(index, "grace")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/people/"
    await ada.look(own)
    reply = await ada.send(own, {"user": " GRACE ", "role": "Maintainer"})
    assert ada.path == f"{own}?done=invited"
    assert "1 invited" in reply.text
    assert last_event(index, name) == ("project.role-invited", "ada", "127.0.0.1")
    assert letters_to(index, "grace@people.example")
    assert roles(index, name) == {"ada": "Owner"}
    reply = await ada.send(f"{own}grace/withdraw/")
    assert ada.path == f"{own}?done=withdrawn"
    assert "1 invited" not in reply.text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"user": "", "role": "Owner"}, 400, "Enter a user name."),
        ({"user": "nobody-at-all", "role": "Owner"}, 404, "There is no user named"),
        ({"user": "no\0body", "role": "Owner"}, 404, "There is no user named"),
        ({"user": "ada", "role": "Owner"}, 409, "is Owner already"),
        ({"user": "grace", "role": "Emperor"}, 400, "Not a valid choice"),
        ({"user": '"><script>', "role": "Reader"}, 404, "There is no user named"),
    ],
)
async def test_who_cannot_be_invited(
    index: Index, name: str, fields: dict[str, str], status: int, said: str
) -> None:
    """A name that is none, somebody who is there, a role that is none: refused at the form."""
    await released(index, name, "1.0")
    await visitor(index, "grace")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/people/"
    await ada.look(own)
    reply = await ada.send(own, fields)
    assert reply.status == status
    assert said in reply.text
    assert "<script>" not in reply.text
    assert "1 invited" not in reply.text
    if fields["user"].isalpha():
        assert f'value="{fields["user"]}"' in reply.text


async def test_change(index: Index, name: str) -> None:
    """An owner gives somebody another role, also their own while there is another owner."""
    await released(index, name, "1.0")
    await give(index, name, "grace", "Maintainer")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/people/"
    await ada.look(own)
    await ada.send(f"{own}grace/role/", {"role": "Owner"})
    assert ada.path == f"{own}?done=role-changed"
    assert roles(index, name) == {"ada": "Owner", "grace": "Owner"}
    reply = await ada.send(f"{own}ada/role/", {"role": "Maintainer"})
    assert roles(index, name) == {"ada": "Maintainer", "grace": "Owner"}
    assert f'action="{own}grace/role/"' not in reply.text


async def test_last_owner(index: Index, name: str) -> None:
    """The last owner can neither become something else, nor be removed, nor leave; pages say so in words."""
    await released(index, name, "1.0")
    await give(index, name, "grace", "Maintainer")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/people/"
    page = await ada.look(own)
    assert "A project always has an owner" in page.text
    assert "Last owner" in page.text
    assert "You are the last owner" in (await ada.look(f"/manage/{name}/leave/")).text
    assert f"/manage/{name}/leave/" not in ada.forms()
    assert "ada is the last owner" in (await ada.look(f"{own}ada/remove/")).text
    await ada.look(own)
    token = {"csrf_token": ada.forms()[own]["csrf_token"]}
    for where, fields in (
        (f"{own}ada/role/", {"role": "Reader"}),
        (f"{own}ada/remove/", {}),
        (f"/manage/{name}/leave/", {}),
    ):
        reply = await ada.post(where, token | fields)
        assert reply.status == 409, where
        assert "would be without an owner" in reply.text
    assert roles(index, name) == {"ada": "Owner", "grace": "Maintainer"}


async def test_remove(index: Index, name: str) -> None:
    """A page says what it means to remove somebody, by whose tokens nothing is published any more."""
    await released(index, name, "1.0")
    await give(index, name, "grace", "Maintainer")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/people/"
    assert f'href="{own}grace/remove/"' in (await ada.look(own)).text
    page = await ada.look(f"{own}grace/remove/")
    assert "Their tokens no longer publish" in page.text
    reply = await ada.send(f"{own}grace/remove/")
    assert ada.path == f"{own}?done=removed"
    assert "grace" not in reply.text
    assert roles(index, name) == {"ada": "Owner"}
    for nobody in ("grace", "nobody-at-all"):
        assert (await ada.look(f"{own}{nobody}/remove/")).status == 404
        assert (await ada.look(own)).status == 200
        form = {"csrf_token": ada.forms()[own]["csrf_token"]}
        assert (await ada.post(f"{own}{nobody}/remove/", form)).status == 404


@pytest.mark.parametrize("role", ["Maintainer", "Reader", "Owner"])
async def test_leave(index: Index, name: str, role: str) -> None:
    """Everybody leaves by themselves, and is nothing to the project afterwards."""
    await released(index, name, "1.0")
    await give(index, name, "grace", role)
    grace = await visitor(index, "grace")
    assert f'href="/manage/{name}/leave/"' in (await grace.look(f"/manage/{name}/people/")).text
    assert f"You are {role.lower()} now" in (await grace.look(f"/manage/{name}/leave/")).text
    await grace.send(f"/manage/{name}/leave/")
    assert grace.path == "/manage/?done=left"
    assert roles(index, name) == {"ada": "Owner"}
    assert (await grace.look(f"/manage/{name}/people/")).status == 404


async def test_transfer(index: Index, name: str) -> None:
    """A project is offered when its name was typed, stays whose it is until then, and goes when accepted."""
    await released(index, name, "1.0")
    grace, ada = await visitor(index, "grace"), await visitor(index, "ada")
    where = f"/manage/{name}/transfer/"
    page = await ada.look(where)
    assert "Until they accept" in page.text
    for fields, status in (
        ({"user": "grace", "confirm": "another"}, 400),
        ({"user": "nobody-at-all", "confirm": name}, 404),
        ({"user": "ada", "confirm": name}, 409),
    ):
        reply = await ada.send(where, fields)
        assert reply.status == status
        assert f'value="{fields["user"]}"' in reply.text
    reply = await ada.send(where, {"user": "grace", "confirm": name})
    assert ada.path == f"/manage/{name}/people/?done=offered"
    assert "Takes the project over" in reply.text
    assert roles(index, name) == {"ada": "Owner"}
    await grace.look("/manage/")
    await grace.send(f"/manage/{name}/invitation/accept/")
    assert roles(index, name) == {"grace": "Owner"}
    assert (await ada.look(f"/manage/{name}/people/")).status == 404


async def test_readers(index: Index, name: str) -> None:
    """Who only reads sees who looks after the project, and neither its other readers nor who is invited."""
    await released(index, name, "1.0")
    await give(index, name, "grace", "Maintainer")
    for user in ("roger", "reba"):
        await give(index, name, user, "Reader")
    await visitor(index, "guest")
    await index.application.roles.invite(identity(index, "ada"), name, "guest", Role.READER)
    seen = {
        user: (await (await visitor(index, user)).look(f"/manage/{name}/people/")).text
        for user in ("grace", "roger")
    }
    for user in ("ada", "grace", "roger"):
        assert f'href="/user/{user}/"' in seen["roger"], user
    for user in ("reba", "guest"):
        assert f'href="/user/{user}/"' in seen["grace"], user
        assert user not in seen["roger"], user
    assert "4 people" in seen["grace"]
    assert 'aria-current="page">People</a>' in seen["roger"]
