"""What becomes of a project: status, readers, name and end; its history, and how to publish it."""

from __future__ import annotations

import json

import pytest

from tests.support.index import Index
from tests.support.managing import check
from tests.support.visitor import visitor
from tests.web.manage.shop import give, last_event, released, roles

SETTINGS = {"limits__factor": 0}

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


async def test_status(index: Index, name: str) -> None:
    """An owner archives a project, deprecates it, and makes it active again; installers are told."""
    await released(index, name, "1.0")
    await released(index, f"new-{name}", "1.0")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/settings/"
    for fields in (
        {"status": "archived", "reason": "Ripe"},
        {"status": "deprecated", "reason": "Old", "successor": f"New_{name}"},
        {"status": "active", "reason": "", "successor": ""},
    ):
        await ada.look(own)
        reply = await ada.send(own, fields)
        assert ada.path == f"{own}?done=status"
        assert f'value="{fields["status"]}" checked' in reply.text
        page = json.loads((await index.ask(f"/simple/{name}/", JSON)).text)
        assert page["project-status"]["status"] == fields["status"]
        assert fields["reason"] in page["project-status"].get("reason", "")
    assert last_event(index, name) == ("project.status", "ada", "127.0.0.1")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"status": "deprecated", "successor": "nothing-of-this-name"}, "cannot be used instead"),
        ({"status": "quarantined"}, "Not a valid choice"),
        ({"status": "archived", "reason": "x" * 1001}, "at most 1000 characters"),
        ({}, "Not a valid choice"),
    ],
)
async def test_status_that_cannot_be(index: Index, name: str, fields: dict[str, str], said: str) -> None:
    """A successor or a status that is none, and a reason that is too long, are refused at the form."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/settings/"
    await ada.look(own)
    reply = await ada.send(own, fields)
    assert (reply.status, said in reply.text) == (400, True)
    if successor := fields.get("successor"):
        assert f'value="{successor}"' in reply.text
        assert 'value="deprecated" checked' in reply.text
    assert index.sql(f"SELECT status FROM projects WHERE name = '{name}'") == [("active",)]


async def test_reads(index: Index, name: str) -> None:
    """An owner says who reads the project; strangers find nothing from then on, and its own people all."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/settings/"
    await ada.look(own)
    reply = await ada.send(f"{own}reads/", {"reads": "roles"})
    assert ada.path == f"{own}?done=reads"
    assert 'value="roles" checked' in reply.text
    assert "Private" in reply.text
    assert (await index.ask(f"/simple/{name}/")).status in (401, 404)
    assert (await ada.send(f"{own}reads/", {"reads": "friends"})).status == 400
    await ada.look(own)
    await ada.send(f"{own}reads/", {"reads": "public"})
    assert (await index.ask(f"/simple/{name}/")).status == 200


async def test_rename(index: Index, name: str) -> None:
    """A project is renamed when the name it has was typed; the old name leads to the new one."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    ask, new = f"/manage/{name}/settings/rename/", f"Fresh-{name}"
    page = await ada.look(ask)
    assert "leads to the new one for ever" in page.text
    reply = await ada.send(ask, {"name": new, "confirm": new})
    assert (reply.status, f"This is not {name}." in reply.text) == (400, True)
    assert f'value="{new}"' in reply.text
    reply = await ada.send(ask, {"name": new, "confirm": name})
    assert ada.path == f"/manage/{new}/settings/?done=renamed"
    assert "Renamed." in reply.text
    assert (await index.ask(f"/simple/{name}/")).status == 200
    reply = await ada.look(f"/manage/{name}/people/", follow=False)
    assert (reply.status, reply["Location"]) == (302, f"/manage/{new}/people/")
    check(index)


@pytest.mark.parametrize(
    ("wanted", "status"), [("taken", 409), ("not a name", 400), ("", 400), ("os", 400), ("same", 400)]
)
async def test_names_that_cannot_be(index: Index, name: str, wanted: str, status: int) -> None:
    """A name that is taken, is none, or nobody may have is refused at the form."""
    await released(index, name, "1.0")
    await released(index, f"taken-by-{name}", "1.0")
    ada = await visitor(index, "ada")
    ask = f"/manage/{name}/settings/rename/"
    new = {"taken": f"taken-by-{name}", "same": name}.get(wanted, wanted)
    await ada.look(ask)
    reply = await ada.send(ask, {"name": new, "confirm": name})
    assert reply.status == status, reply.text
    assert 'role="alert"' in reply.text
    assert index.sql(f"SELECT name FROM projects WHERE normalized = '{name}'") == [(name,)]


async def test_delete(index: Index, name: str) -> None:
    """A project is deleted when its name was typed, after a page that says what goes."""
    await released(index, name, "1.0", "1.1")
    await give(index, name, "grace", "Maintainer")
    ada = await visitor(index, "ada")
    ask = f"/manage/{name}/settings/delete/"
    page = await ada.look(ask)
    for said in ("2 releases with 2 files", "never free again", "2 people lose their roles", "last 30 days"):
        assert said in page.text, said
    assert (await ada.send(ask, {"confirm": "yes"})).status == 400
    assert roles(index, name)
    reply = await ada.send(ask, {"confirm": name})
    assert ada.path == "/manage/?done=project-deleted"
    assert "The project was deleted." in reply.text
    assert (await index.ask(f"/simple/{name}/")).status == 404
    assert (await ada.look(f"/manage/{name}/releases/")).status == 404
    check(index)


async def test_history(index: Index, name: str) -> None:
    """The history says what happened and who did it, the last first, in pages."""
    await released(index, name, "1.0")
    index.sql(
        "INSERT INTO journal (serial, normalized, name, version, action, actor, tags, at)"
        " SELECT last.serial + n, normalized, name, '1.' || n, 'new release', 'ada', '{}', now()"
        " FROM (SELECT * FROM journal ORDER BY serial DESC LIMIT 1) AS last, generate_series(1, 60) AS n"
        " RETURNING serial"
    )
    ada = await visitor(index, "ada")
    await ada.look(f"/manage/{name}/releases/1.0/")
    await ada.send(f"/manage/{name}/releases/1.0/yank/", {"reason": "<b>Bad</b>"})
    page = await ada.look(f"/manage/{name}/history/")
    assert "yanked version 1.0 (“&lt;b&gt;Bad&lt;/b&gt;”)" in page.text
    assert page.text.index("yanked version 1.0") < page.text.index("released version 1.60")
    assert "created the project" not in page.text
    older = page.text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    assert "created the project" in (await ada.look(older)).text
    assert (await ada.look(f"/manage/{name}/history/?before=nonsense")).status == 400


async def test_publishing(index: Index, name: str) -> None:
    """The exact lines publish here, and the token that is made is for this project."""
    await released(index, name, "1.0")
    page = await (await visitor(index, "ada")).look(f"/manage/{name}/publishing/")
    upload = f"http://127.0.0.1:{index.port}/legacy/"
    for said in (
        f"twine upload --repository-url {upload} --username __token__ dist/*",
        f"uv publish --publish-url {upload}",
        f"TWINE_REPOSITORY_URL: {upload}",
        f'href="/account/tokens/new/?project={name}"',
    ):
        assert said in page.text, said
