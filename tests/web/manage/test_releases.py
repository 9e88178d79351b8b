"""All releases of a project, and yanking many of them at once."""

from __future__ import annotations

from tests.support.index import Index
from tests.support.visitor import visitor
from tests.web.manage.shop import last_event, released, yanked

SETTINGS = {"limits__factor": 0}


async def test_list(index: Index, name: str) -> None:
    """Releases are listed, the highest version first, with what of them is yanked and why."""
    await released(index, name, "1.0", "1.10", "1.9", "2.0rc1")
    index.sql(
        "UPDATE releases SET yanked = now(), yanked_reason = 'Mouldy' WHERE version = '1.9' RETURNING id"
    )
    ada = await visitor(index, "ada")
    page = await ada.look(f"/manage/{name}/releases/")
    places = [page.text.index(f'value="{version}"') for version in ("2.0rc1", "1.10", "1.9", "1.0")]
    assert places == sorted(places)
    for said in ("4 releases", "Pre-release", "Reason: Mouldy", "1 file, ", f'href="/project/{name}/"'):
        assert said in page.text, said


async def test_addresses(index: Index, name: str) -> None:
    """Another spelling of a name leads to its own, and the shortest address to the releases."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    reply = await ada.look(f"/manage/{name.upper()}/releases/?page=1", follow=False)
    assert (reply.status, reply["Location"]) == (302, f"/manage/{name}/releases/?page=1")
    reply = await ada.look(f"/manage/{name}/", follow=False)
    assert (reply.status, reply["Location"]) == (302, f"/manage/{name}/releases/")


async def test_yank_many(index: Index, name: str) -> None:
    """Those that are chosen are yanked for one reason, pip hears of it at once, and it can be taken back."""
    await released(index, name, "1.0", "1.1", "1.2")
    ada = await visitor(index, "ada")
    assert "data-yanked" not in (await index.ask(f"/simple/{name}/")).text
    await ada.look(f"/manage/{name}/releases/")
    action = f"/manage/{name}/yank/"
    reply = await ada.send(action, {"version": ["1.0", "1.1"], "reason": "Take 1.2"})
    assert ada.path == f"/manage/{name}/releases/?done=yanked"
    assert "Yanked. Installers leave these releases out" in reply.text
    assert yanked(index, name) == {"1.0": "Take 1.2", "1.1": "Take 1.2"}
    assert (await index.ask(f"/simple/{name}/")).text.count('data-yanked="Take 1.2"') == 2
    assert last_event(index, name) == ("project.release-yanked", "ada", "127.0.0.1")
    form = ada.forms()[action]
    await ada.post(f"/manage/{name}/unyank/", {**form, "version": ["1.0", "1.2"]})
    assert yanked(index, name) == {"1.1": "Take 1.2"}
    assert (await index.ask(f"/simple/{name}/")).text.count("data-yanked") == 1


async def test_nothing_chosen(index: Index, name: str) -> None:
    """With nothing chosen nothing is done, the form says so, and keeps the reason."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    await ada.look(f"/manage/{name}/releases/")
    reply = await ada.send(f"/manage/{name}/yank/", {"reason": "Bad milk"})
    assert reply.status == 400
    assert "Choose at least one release." in reply.text
    assert 'value="Bad milk"' in reply.text
    assert "<title>Error: Releases" in reply.text


async def test_all_or_none(index: Index, name: str) -> None:
    """Where one of them is none of this project's, none is yanked; what was chosen and said is kept."""
    await released(index, name, "1.0", "1.1")
    await released(index, f"other-{name}", "7.0")
    ada = await visitor(index, "ada")
    await ada.look(f"/manage/{name}/releases/")
    reply = await ada.send(f"/manage/{name}/yank/", {"version": ["1.0", "7.0"], "reason": "Oops"})
    assert reply.status == 404
    assert "There is no version &#39;7.0&#39;" in reply.text
    reply = await ada.send(f"/manage/{name}/yank/", {"version": ["1.0", "1\0"]})
    assert (reply.status, "There is no version" in reply.text) == (404, True)
    assert 'value="1.0" checked' in reply.text
    assert 'value="1.1" checked' not in reply.text
    assert 'value="Oops"' in reply.text
    assert not yanked(index, name)
    assert not yanked(index, f"other-{name}")


async def test_bounds(index: Index, name: str) -> None:
    """More than 500 at once, and a reason that is too long or no line of text, are refused."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    await ada.look(f"/manage/{name}/releases/")
    action = f"/manage/{name}/yank/"
    form = ada.forms()[action]
    many = [f"1.{number}" for number in range(501)]
    wrong = (
        {"version": many},
        {"version": "1.0", "reason": "x" * 1001},
        {"version": "1.0", "reason": "a\nb"},
    )
    for fields in wrong:
        reply = await ada.post(action, {**form, **fields})
        assert reply.status == 400
        assert 'role="alert"' in reply.text
    assert (await ada.post(action, {**form, "version": ["1.0"] * 2000})).status == 400
    assert not yanked(index, name)


async def test_quarantine(index: Index, name: str) -> None:
    """A release in quarantine cannot be chosen, nor yanked, and its reason is told to its own people."""
    await released(index, name, "1.0", "1.1")
    index.sql(
        "UPDATE releases SET quarantined = now(), quarantine_reason = 'Looked into' WHERE version = '1.1'"
        f" AND project_id = (SELECT id FROM projects WHERE name = '{name}') RETURNING id"
    )
    ada = await visitor(index, "ada")
    page = await ada.look(f"/manage/{name}/releases/")
    assert 'value="1.1" disabled' in page.text
    assert "In quarantine: Looked into" in page.text
    reply = await ada.send(f"/manage/{name}/yank/", {"version": ["1.0", "1.1"]})
    assert reply.status == 409
    assert not yanked(index, name)


async def test_pages_of_many(index: Index, name: str) -> None:
    """Many releases come in pages; what is yanked on one of them leads back to that."""
    await released(index, name, "0.0")
    index.sql(
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
        " SELECT p.id, '1.' || n, '1.' || n, false, '{}', now() FROM projects p, generate_series(1, 150) AS n"
        f" WHERE p.name = '{name}' RETURNING id"
    )
    ada = await visitor(index, "ada")
    page = await ada.look(f"/manage/{name}/releases/")
    assert ('value="1.150"' in page.text, 'value="0.0"' in page.text) == (True, False)
    page = await ada.look(f"/manage/{name}/releases/?page=2")
    assert ('value="1.150"' in page.text, 'value="0.0"' in page.text) == (False, True)
    reply = await ada.send(f"/manage/{name}/yank/?page=2", {"version": "0.0"}, follow=False)
    assert reply["Location"] == f"/manage/{name}/releases/?page=2&done=yanked"
    assert yanked(index, name) == {"0.0": ""}


async def test_nothing_published(index: Index, name: str) -> None:
    """A project without a release says how one is published."""
    await released(index, name, "1.0")
    index.sql(
        f"DELETE FROM releases WHERE project_id = (SELECT id FROM projects WHERE name = '{name}') RETURNING 1"
    )
    page = await (await visitor(index, "ada")).look(f"/manage/{name}/releases/")
    assert "Nothing is published yet" in page.text
    assert f'href="/manage/{name}/publishing/"' in page.text
