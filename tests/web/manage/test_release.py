"""One release: yanked, its files and itself deleted, by pages that say first what that means."""

from __future__ import annotations

import pytest

from pypi.domain.versions import canonical
from tests.support.archives import wheel_filename
from tests.support.index import Index
from tests.support.managing import check
from tests.support.visitor import Visitor, visitor
from tests.web.manage.shop import last_event, released, yanked
from tests.web.ours import strangers

SETTINGS = {"limits__factor": 0}


async def test_page(index: Index, name: str) -> None:
    """It shows files, sizes and who uploaded them; any spelling of a version leads to its own."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    page = await ada.look(f"/manage/{name}/releases/1.0/")
    for said in (wheel_filename(name, "1.0"), "1 file, ", "by ada", f'href="/project/{name}/1.0/"'):
        assert said in page.text, said
    reply = await ada.look(f"/manage/{name}/releases/v1.0.0/", follow=False)
    assert (reply.status, reply["Location"]) == (302, f"/manage/{name}/releases/1.0/")
    assert (await ada.look(f"/manage/{name}/releases/9.9/")).status == 404
    assert (await ada.look(f"/manage/{name}/releases/x.css/")).status == 404


async def test_yank(index: Index, name: str) -> None:
    """It is yanked with a reason, for another one, and no more; what installers read follows at once."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/releases/1.0/"
    await ada.look(own)
    for reason in ("Bad & mouldy", "Only mouldy"):
        await ada.send(f"{own}yank/", {"reason": reason})
        assert ada.path == f"{own}?done=yanked"
        assert yanked(index, name) == {"1.0": reason}
    assert 'data-yanked="Only mouldy"' in (await index.ask(f"/simple/{name}/")).text
    assert 'value="Only mouldy"' in (await ada.look(own)).text
    await ada.send(f"{own}unyank/")
    assert ada.path == f"{own}?done=unyanked"
    assert not yanked(index, name)
    assert "data-yanked" not in (await index.ask(f"/simple/{name}/")).text


async def test_reason_that_cannot_be(index: Index, name: str) -> None:
    """A reason that cannot be shown on one line is refused at the form, and kept there."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/releases/1.0/"
    await ada.look(own)
    reply = await ada.send(f"{own}yank/", {"reason": "a\tb"})
    assert reply.status == 400
    assert "A reason is one line of at most 1000 characters." in reply.text
    assert 'value="a\tb"' in reply.text
    assert not yanked(index, name)


async def test_delete_file(index: Index, name: str) -> None:
    """A file goes when the version was typed: from the pages, from the simple index, from the store."""
    await released(index, name, "1.0")
    index.sql(
        "INSERT INTO file_downloads (file_id, count)"
        f" SELECT id, 41 FROM files WHERE filename = '{wheel_filename(name, '1.0')}' RETURNING count"
    )
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/releases/1.0/"
    filename = wheel_filename(name, "1.0")
    ask = f"{own}files/{filename}/delete/"
    assert f'href="{ask}"' in (await ada.look(own)).text
    page = await ada.look(ask)
    for said in ("never free again", "41 times so far", "only file of this release", "type the version"):
        assert said in page.text, said
    for typed in ("", "1.1", name):
        reply = await ada.send(ask, {"confirm": typed})
        assert reply.status == 400
        assert 'aria-invalid="true"' in reply.text
        assert index.sql(f"SELECT filename FROM files WHERE filename = '{filename}'")
    reply = await ada.send(ask, {"confirm": " 1.0 "})
    assert ada.path == f"{own}?done=file-deleted"
    assert "No files" in reply.text
    assert filename not in (await index.ask(f"/simple/{name}/")).text
    assert last_event(index, name) == ("project.file-deleted", "ada", "127.0.0.1")
    check(index)
    again = await index.upload(b"PK", filename, name=name)
    assert again.status == 400
    assert (await ada.look(ask)).status == 404


async def test_delete_release(index: Index, name: str) -> None:
    """A release goes with its files when its version was typed, and stays while it was not."""
    await released(index, name, "1.0", "1.1")
    ada = await visitor(index, "ada")
    ask = f"/manage/{name}/releases/1.1/delete/"
    page = await ada.look(ask)
    for said in (
        f"{name}==1.1</code> break",
        "1 file goes with it",
        "never free again",
        "in the last 30 days",
    ):
        assert said in page.text, said
    reply = await ada.send(ask, {"confirm": "1.0"})
    assert (reply.status, "This is not 1.1." in reply.text) == (400, True)
    assert 'value="1.0"' in reply.text
    reply = await ada.send(ask, {"confirm": "1.1"})
    assert ada.path == f"/manage/{name}/releases/?done=release-deleted"
    assert "1 release<" in reply.text
    assert (await index.ask(f"/project/{name}/1.1/")).status == 404
    assert last_event(index, name) == ("project.release-deleted", "ada", "127.0.0.1")
    check(index)


async def test_what_belongs_to_others(index: Index, name: str) -> None:
    """A release of another project, and a file of another release, are not there under this one."""
    other = f"other-{name}"
    await released(index, name, "1.0", "1.1")
    await released(index, other, "7.0")
    ada = await visitor(index, "ada")
    token = ada.forms()["/account/sign-out/"]["csrf_token"]
    before = index.sql("SELECT count(*) FROM files")
    for where in (
        f"/manage/{name}/releases/7.0/delete/",
        f"/manage/{name}/releases/1.1/files/{wheel_filename(name, '1.0')}/delete/",
        f"/manage/{name}/releases/1.0/files/{wheel_filename(other, '7.0')}/delete/",
        f"/manage/{name}/releases/7.0/files/{wheel_filename(other, '7.0')}/delete/",
    ):
        assert (await ada.look(where)).status == 404, where
        for typed in ("1.0", "1.1", "7.0"):
            assert (await ada.post(where, {"confirm": typed, "csrf_token": token})).status == 404, where
    assert (await ada.post(f"/manage/{name}/releases/7.0/yank/", {"csrf_token": token})).status == 404
    assert index.sql("SELECT count(*) FROM files") == before
    assert not yanked(index, other)


@pytest.mark.parametrize("of", ["release", "project"])
async def test_quarantine(index: Index, name: str, of: str) -> None:
    """What is in quarantine shows why, has nothing to change it by, and is not changed by forms of before."""
    await released(index, name, "1.0")
    ada = await visitor(index, "ada")
    own = f"/manage/{name}/releases/1.0/"
    await ada.look(f"{own}delete/")
    form = {**ada.forms()[f"{own}delete/"], "confirm": "1.0"}
    if of == "release":
        index.sql(
            "UPDATE releases SET quarantined = now(), quarantine_reason = 'Why not' WHERE project_id ="
            f" (SELECT id FROM projects WHERE name = '{name}') RETURNING id"
        )
    else:
        index.sql(
            "UPDATE projects SET status = 'quarantined', status_reason = 'Why not'"
            f" WHERE name = '{name}' RETURNING id"
        )
    page = await ada.look(own)
    assert f"This {of} is in quarantine." in page.text
    assert "Reason: Why not" in page.text
    assert sorted(ada.forms()) == ["/account/sign-out/", "/search/"]
    for ask in (f"{own}delete/", f"{own}files/{wheel_filename(name, '1.0')}/delete/"):
        assert (await ada.look(ask)).status == 409
        assert (await ada.post(ask, form)).status == 409
    assert (await ada.post(f"{own}yank/", form)).status == 409
    assert index.sql(f"SELECT 1 FROM files WHERE filename = '{wheel_filename(name, '1.0')}'")


async def test_many_files(index: Index, name: str) -> None:
    """A release of very many files shows them in pages."""
    await released(index, name, "1.0")
    index.sql(
        "INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,"
        " blake2_256, uploaded) SELECT f.project_id, f.release_id, 'a-' || lpad(n::text, 3, '0') || '.whl',"
        " filetype, python_version, size, md5, sha256, encode(sha256(n::text::bytea), 'hex'), uploaded"
        f" FROM files f, generate_series(1, 150) AS n WHERE filename = '{wheel_filename(name, '1.0')}'"
        " RETURNING id"
    )
    ada: Visitor = await visitor(index, "ada")
    first = await ada.look(f"/manage/{name}/releases/1.0/")
    second = await ada.look(f"/manage/{name}/releases/1.0/?page=2")
    assert "151 files" in first.text
    assert ("a-100.whl" in first.text, "a-101.whl" in first.text) == (True, False)
    assert ("a-100.whl" in second.text, "a-101.whl" in second.text) == (False, True)
    index.sql("DELETE FROM files WHERE filename LIKE 'a-%' RETURNING id")


async def test_versions_with_signs(index: Index, name: str) -> None:
    """A version with an epoch and a local part has its page, where it can be yanked."""
    await released(index, name, "1.0")
    version = "1!2.0+abc.1"
    index.sql(
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
        f" SELECT id, '{version}', '{canonical(version)}', false, '{{}}', now() FROM projects"
        f" WHERE name = '{name}' RETURNING id"
    )
    ada = await visitor(index, "ada")
    page = await ada.look(f"/manage/{name}/releases/")
    own = f"/manage/{name}/releases/{version}/"
    assert f'href="{own}"' in page.text
    assert (await ada.look(own, follow=False)).status == 200
    await ada.send(f"{own}yank/", {"reason": "Local"})
    assert ada.path == f"{own}?done=yanked"
    assert yanked(index, name) == {version: "Local"}


async def test_hostile(index: Index, name: str) -> None:
    """What people write, wherever it is shown, stays text."""
    unyank = f' formaction="/manage/{name}/unyank/"'
    evil = "\"''><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}"
    ada = await visitor(index, "ada")
    seen: dict[str, list[str]] = {}
    for project, text in ((f"good-{name}", "Harmless"), (name, evil)):
        await released(index, project, "1.0")
        quoted = text.replace("'", "''")
        index.sql(
            f"UPDATE releases SET yanked = now(), yanked_reason = '{quoted}' WHERE project_id ="
            f" (SELECT id FROM projects WHERE name = '{project}') RETURNING id"
        )
        index.sql(
            f"UPDATE projects SET status = 'deprecated', status_reason = '{quoted}', successor = '{quoted}'"
            f" WHERE name = '{project}' RETURNING id"
        )
        for page in ("releases/", "releases/1.0/", "settings/", "history/"):
            seen.setdefault(page, []).append((await ada.look(f"/manage/{project}/{page}")).text)
    for good, bad in seen.values():
        assert strangers(bad.replace(unyank, ""), good.replace("good-", "").replace(unyank, "")) == []
    assert all("{{7*7}}" in bad for _, bad in list(seen.values())[:3])
