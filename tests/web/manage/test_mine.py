"""``/manage/``: somebody's projects, and what they are invited to."""

from __future__ import annotations

import pytest

from pypi.domain.permissions import Access, Role
from tests.support.index import Index
from tests.support.managing import identity
from tests.support.visitor import Visitor, visitor
from tests.web.manage.shop import give, released, roles, take

SETTINGS = {"limits__factor": 0}


async def test_nothing_yet(index: Index) -> None:
    """Who has no projects is told by which lines the first one is published."""
    page = await (await visitor(index, "newcomer")).look("/manage/")
    assert page.status == 200
    assert "You have no projects here yet." in page.text
    upload = f"http://127.0.0.1:{index.port}/legacy/"
    assert f"twine upload --repository-url {upload} --username __token__ dist/*" in page.text
    assert f"uv publish --publish-url {upload}" in page.text
    assert page["Cache-Control"] == "private, no-store"


async def test_list(index: Index, name: str) -> None:
    """Projects are listed by name with one's role, the latest version, files, size, status and who reads."""
    await released(index, name, "1.0", "2.0", "3.0a1")
    index.sql(f"UPDATE projects SET status = 'archived', reads = 'roles' WHERE name = '{name}' RETURNING id")
    for role in ("Maintainer", "Reader"):
        user = f"{role.lower()}-of-{name}"
        await give(index, name, user, role)
        page = await (await visitor(index, user)).look("/manage/")
        assert f'href="/manage/{name}/releases/">{name}</a>' in page.text
        for said in (role, "1 project<", ">2.0<", "3 files, ", "Archived", "Private", "Last release"):
            assert said in page.text, said


async def test_pages_of_many(index: Index) -> None:
    """A list of many projects comes in pages, in the order of names; a page there is not is the last."""
    many = await visitor(index, "collector")
    index.sql(
        "WITH made AS (INSERT INTO projects (name, normalized, look_alike, created)"
        " SELECT 'shelf-' || lpad(n::text, 3, '0'), 'shelf-' || lpad(n::text, 3, '0'), 'x' || n, now()"
        " FROM generate_series(1, 120) AS n RETURNING id)"
        " INSERT INTO roles (project_id, user_id, role, created)"
        " SELECT made.id, u.id, 'Owner', now() FROM made, users u WHERE u.name = 'collector' RETURNING role"
    )
    first, last = await many.look("/manage/"), await many.look("/manage/?page=99")
    assert "120 projects" in first.text
    assert ("shelf-050" in first.text, "shelf-051" in first.text) == (True, False)
    assert ("shelf-100" in last.text, "shelf-101" in last.text) == (False, True)
    assert "Nothing published yet" in last.text
    assert (await many.look("/manage/?page=%E2%85%A7")).status == 200


async def invited(index: Index, name: str, user: str, role: Role = Role.MAINTAINER) -> Visitor:
    """Somebody who is invited to a new project."""
    await released(index, name, "1.0")
    somebody = await visitor(index, user)
    await index.application.roles.invite(identity(index, "ada"), name, user, role)
    return somebody


async def test_accept(index: Index, name: str) -> None:
    """An invitation says who invites to what; accepted, the project is among one's own."""
    grace = await invited(index, name, "grace")
    page = await grace.look("/manage/")
    assert "ada invites you to be maintainer." in page.text
    reply = await grace.send(f"/manage/{name}/invitation/accept/")
    assert grace.path == "/manage/?done=accepted"
    assert "You accepted." in reply.text
    assert "invites you" not in reply.text
    assert roles(index, name)["grace"] == "Maintainer"


async def test_accept_what_is_private(index: Index, name: str) -> None:
    """An invitation to read what is not for everybody is found, and accepted once; then it is read."""
    grace = await invited(index, name, "grace", Role.READER)
    await index.application.reads.change(identity(index, "ada"), name, Access.ROLES)
    own = f"/manage/{name}/releases/"
    assert (await grace.look(own)).status == 404
    await grace.look("/manage/")
    action = f"/manage/{name}/invitation/accept/"
    form = grace.forms()[action]
    await grace.send(action)
    assert (await grace.look(own)).status == 200
    assert (await grace.look(f"/project/{name}/")).status == 200
    assert (await grace.post(action, form)).status == 403
    assert roles(index, name)["grace"] == "Reader"


async def test_decline(index: Index, name: str) -> None:
    """Declined, it is gone, and one is nothing to the project."""
    grace = await invited(index, name, "grace")
    await grace.look("/manage/")
    reply = await grace.send(f"/manage/{name}/invitation/decline/")
    assert "You declined." in reply.text
    assert f"/manage/{name}/" not in reply.text
    assert "grace" not in roles(index, name)


async def test_transfer(index: Index, name: str) -> None:
    """Who is offered a project is told so, and owns it in the place of who offered it."""
    await released(index, name, "1.0")
    grace = await visitor(index, "grace")
    await index.application.roles.transfer(identity(index, "ada"), name, "grace")
    assert "ada wants to hand the project over to you" in (await grace.look("/manage/")).text
    await grace.send(f"/manage/{name}/invitation/accept/")
    assert roles(index, name) == {"grace": "Owner"}


@pytest.mark.parametrize("how", ["withdrawn", "too old", "no owner any more"])
async def test_not_good_any_more(index: Index, name: str, how: str) -> None:
    """One that was withdrawn, is too old, or came from who is no owner any more is good for nothing."""
    grace = await invited(index, name, "grace")
    await grace.look("/manage/")
    action = f"/manage/{name}/invitation/accept/"
    form = grace.forms()[action]
    match how:
        case "withdrawn":
            await index.application.roles.withdraw(identity(index, "ada"), name, "grace")
        case "too old":
            index.sql("UPDATE invitations SET expires = now() RETURNING role")
        case _:
            await give(index, name, "heir", "Owner")
            take(index, name, "ada")
    reply = await grace.post(action, form)
    assert reply.status == 403
    assert "isn&#39;t invited to project" in reply.text
    assert "grace" not in roles(index, name)
    assert "invites you" not in (await grace.look("/manage/")).text


async def test_whether_there_is_a_project(index: Index, name: str) -> None:
    """Who is not invited learns nothing of whether there is such a project at all."""
    await released(index, name, "1.0")
    index.sql(f"UPDATE projects SET reads = 'roles' WHERE name = '{name}' RETURNING id")
    mallory = await visitor(index, "mallory")
    token = mallory.forms()["/account/sign-out/"]["csrf_token"]
    told = []
    for asked in (name, f"{name}-is-none"):
        for act in ("accept", "decline"):
            reply = await mallory.post(f"/manage/{asked}/invitation/{act}/", {"csrf_token": token})
            told.append((reply.status, reply.text.replace(asked, "X").replace(token, "T")))
    assert len({(status, text[:200], "isn&#39;t invited" in text) for status, text in told}) == 1
    assert told[0][0] == 403


async def test_menu(index: Index) -> None:
    """The menu of who is signed in leads to their projects."""
    grace = await visitor(index, "grace")
    assert grace.seen is not None
    assert 'href="/manage/"' in grace.seen.text
