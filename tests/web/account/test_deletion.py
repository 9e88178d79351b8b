"""The end of an account, by its owner: what goes with it, what stays, and what is in the way."""

from __future__ import annotations

from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index
from tests.support.managing import check, letters_to
from tests.support.visitor import PASSWORD, Visitor, visitor

SETTINGS = {"limits__factor": 0, "access__registration": "on"}

DELETE = "/account/delete/"


async def publish(index: Index, project: str, name: str) -> None:
    """Let an account have a project."""
    reply = await index.upload(wheel(project, "1.0"), wheel_filename(project, "1.0"), auth=index.auth(name))
    assert reply.status == 200, reply.text


async def delete(somebody: Visitor, name: str, password: str = PASSWORD) -> int:
    """Fill in the form; the status of what comes of it."""
    await somebody.look(DELETE)
    return (await somebody.send(DELETE, {"name": name, "again": password})).status


async def test_all_of_it(index: Index) -> None:
    """An account is deleted with its sessions, tokens and addresses, and its owner is told."""
    grace, elsewhere = await visitor(index, "grace"), await visitor(index, "grace")
    token = index.auth("grace")
    await grace.look(DELETE)
    reply = await grace.send(DELETE, {"name": "grace", "again": PASSWORD})
    assert "Your account is deleted." in reply.text
    assert "cheeseshop-session" not in grace.cookies
    assert (await elsewhere.look("/account/", follow=False)).status == 303
    assert (await grace.sign_in("grace")).status == 403
    assert (await index.upload(b"", "x-1.0.tar.gz", auth=token)).status == 401
    assert letters_to(index, "grace@people.example")[-1]["letter"] == "account-deleted"
    assert (await index.ask("/user/grace/")).status == 404
    assert index.sql("SELECT 1 FROM emails WHERE address = 'grace@people.example'") == []
    assert index.sql("SELECT actor, about FROM audit WHERE event = 'account.deleted'") == [
        ("grace", {"name": "grace"})
    ]
    check(index)


async def test_needed(index: Index) -> None:
    """Who alone owns a project has to give it away first; after that the project goes on without them."""
    joan = await visitor(index, "joan")
    await visitor(index, "kay")
    await publish(index, "alone", "joan")
    page = (await joan.look(DELETE)).text
    assert '<a href="/manage/alone/people/">alone</a>' in page
    assert DELETE not in joan.forms()
    token = joan.forms()["/account/sign-out/"]["csrf_token"]
    form = {"csrf_token": token, "name": "joan", "again": PASSWORD}
    reply = await joan.post(DELETE, form)
    assert reply.status == 409
    assert "You alone own alone." in reply.text
    index.sql(
        "INSERT INTO roles (project_id, user_id, role, created) "
        "SELECT p.id, u.id, 'Owner', now() FROM projects p, users u WHERE p.name = 'alone' AND u.name = 'kay'"
    )
    assert "/user/joan/" in (await index.ask("/project/alone/", {"Accept": "text/html"})).text
    assert await delete(joan, "joan") == 200
    page = (await index.ask("/project/alone/", {"Accept": "text/html"})).text
    assert "/user/kay/" in page
    assert "/user/joan/" not in page
    assert index.sql("SELECT event FROM audit WHERE normalized = 'alone' ORDER BY id DESC LIMIT 1") == [
        ("project.role-taken",)
    ]
    check(index)


async def test_meant(index: Index) -> None:
    """Without the name typed, or with a wrong password, nothing is deleted."""
    ida = await visitor(index, "ida")
    assert await delete(ida, "IDA") == 400
    assert await delete(ida, "") == 400
    assert await delete(ida, "ida", "wrong") == 403
    assert (await ida.look("/account/", follow=False)).status == 200


async def test_last_operator(index: Index) -> None:
    """The last account that runs the index stays."""
    index.sql("UPDATE users SET is_admin = false")
    mary = await visitor(index, "mary")
    await mary.send("/account/sign-out/")
    index.sql("UPDATE users SET is_admin = true WHERE name = 'mary'")
    await mary.sign_in("mary")
    assert await delete(mary, "mary") == 409
    index.sql("UPDATE users SET is_admin = true WHERE name = 'ada'")
    assert await delete(mary, "mary") == 200


async def test_name_is_kept(index: Index) -> None:
    """Nobody gets the name again, in whatever letters, neither on the web nor by the operator's hand."""
    radia = await visitor(index, "radia")
    assert await delete(radia, "radia") == 200
    somebody = Visitor(index.port)
    await somebody.look("/account/register/")
    form = {"name": "Radia", "email": "new@people.example", "password": PASSWORD}
    reply = await somebody.send("/account/register/", form)
    assert reply.status == 400
    assert "or there was" in reply.text
    found = index.sql("SELECT name FROM former_users WHERE name = 'radia'")
    assert found == [("radia",)]
