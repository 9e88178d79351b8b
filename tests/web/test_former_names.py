"""Names that projects had: what is found under them, and where they lead."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted

from pypi.domain.permissions import OPERATOR
from pypi.index.database import DatabaseIndex
from tests.legacy_compat.xmlrpc.calling import call
from tests.support.archives import sdist, wheel
from tests.support.databases import Databases
from tests.support.index import OWNER, Index, running
from tests.support.managing import check, identity

JSON = "application/vnd.pypi.simple.v1+json"

OLD, OLD_SDIST, NEW = "old_lib-1.0-py3-none-any.whl", "old_lib-1.0.tar.gz", "new_lib-1.1-py3-none-any.whl"

LED_ON = {
    "/project/old-lib/": "/project/New.Lib/",
    "/project/Old.Lib/": "/project/New.Lib/",
    "/project/old-lib/1.0/": "/project/New.Lib/1.0/",
    "/project/old-lib/releases/": "/project/New.Lib/releases/",
    "/project/old-lib/files/": "/project/New.Lib/files/",
    "/project/old-lib/dependents/?page=2": "/project/New.Lib/dependents/?page=2",
    "/project/even-older/": "/project/New.Lib/",
    "/pypi/old-lib/json": "/pypi/new-lib/json",
    "/pypi/Old.Lib/json": "/pypi/new-lib/json",
    "/pypi/old-lib/1.0/json": "/pypi/new-lib/1.0/json",
    "/pypi/old-lib/json/": "/pypi/new-lib/json",
    "/rss/project/old-lib/releases.xml": "/rss/project/new-lib/releases.xml",
    "/rss/project/Old.Lib/releases.xml": "/rss/project/new-lib/releases.xml",
    "/simple/even-older/": "/simple/new-lib/",
    f"/simple/even-older/?format={JSON}": "/simple/new-lib/?format=application%2Fvnd.pypi.simple.v1+json",
    "/pypi/old-lib": "/project/New.Lib/",
    "/pypi/old-lib/1.0": "/project/New.Lib/1.0/",
    "/pypi?:action=display&name=Old.Lib": "/project/New.Lib/",
    "/pypi?:action=json&name=old-lib": "/pypi/new-lib/json",
    "/simple/Old.Lib": "/simple/old-lib/",
}
"""Address → where it leads at once."""


@pytest_twisted.async_yield_fixture(scope="module")
async def renamed(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Index]:
    """``even-older`` without files, then ``Old.Lib`` 1.0, then ``New.Lib`` 1.1; all was asked for before.

    ``by-old`` needs it by its old name, ``by-both`` by both, and ``by-new`` by the new one.
    """
    url = databases.make()
    async with running(url, tmp_path_factory.mktemp("renamed")) as made:
        await made.upload(wheel("Old.Lib"), OLD, name="Old.Lib")
        await made.upload(sdist("Old.Lib"), OLD_SDIST, name="Old.Lib")
        # As if it had been called so before there was a file.
        renaming, owner = made.application.renaming, identity(made, OWNER)
        await renaming.rename(owner, "old-lib", "even-older")
        await renaming.rename(owner, "even-older", "Old.Lib")
        for name, needs in (
            ("by-old", ["old.lib>1"]),
            ("by-both", ["old-lib", "new-lib"]),
            ("by-new", ["New_Lib"]),
        ):
            headers = [("Requires-Dist", one) for one in needs]
            filename = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
            await made.upload(wheel(name, headers=headers), filename, name=name)
        for path in (
            *LED_ON,
            "/simple/",
            "/simple/old-lib/",
            "/simple/new-lib/",
            "/project/by-old/dependencies/",
        ):
            await made.ask(path)
        await call(made, "package_releases", "old-lib")
        await renaming.rename(owner, "old-lib", "New.Lib")
        assert (await made.upload(wheel("New.Lib", "1.1"), NEW, name="New.Lib")).status == 200
        yield made
    databases.drop(url)


async def page(index: Index, name: str) -> tuple[dict[str, str], list[str]]:
    """(status, filenames) of what installers find under a name."""
    answer = await index.ask(f"/simple/{name}/", headers={"Accept": JSON})
    found = json.loads(answer.body)
    assert (answer.status, found["name"]) == (200, name)
    return found["project-status"], [one["filename"] for one in found["files"]]


async def test_installers(renamed: Index) -> None:
    """Under each name there is what was published by it, and who comes by the old one hears of the new."""
    told = {"status": "deprecated", "reason": "This project is called New.Lib now."}
    assert await page(renamed, "old-lib") == (told, [OLD, OLD_SDIST])
    assert await page(renamed, "new-lib") == ({"status": "active"}, [NEW])
    html = (await renamed.ask("/simple/old-lib/")).text
    assert 'content="This project is called New.Lib now."' in html
    assert html.count("<a ") == 2
    found = json.loads((await renamed.ask("/simple/old-lib/", headers={"Accept": JSON})).body)
    assert found["versions"] == ["1.0"]
    for file in found["files"]:
        path = file["url"][file["url"].index("/packages/") :]
        assert (await renamed.ask(path)).status == 200
    wheel_path = found["files"][0]["url"][found["files"][0]["url"].index("/packages/") :]
    assert b"Name: Old.Lib" in (await renamed.ask(f"{wheel_path}.metadata")).body
    check(renamed)


async def test_the_list_of_all_projects(renamed: Index) -> None:
    """Names with files are listed, each with its own serial; a name that only leads on is not."""
    wanted = {"old-lib", "new-lib"}
    html = (await renamed.ask("/simple/")).text
    assert {name for name in (*wanted, "even-older") if f'"/simple/{name}/"' in html} == wanted
    listed = json.loads((await renamed.ask("/simple/", headers={"Accept": JSON})).body)["projects"]
    serials = {one["name"]: one["_last-serial"] for one in listed}
    assert serials == await call(renamed, "list_packages_with_serial")
    assert serials["Old.Lib"] < serials["New.Lib"]
    for name in ("Old.Lib", "New.Lib"):
        answer = await renamed.ask(f"/simple/{name.lower().replace('.', '-')}/")
        assert int(answer["X-PyPI-Last-Serial"]) == serials[name]
    # The same of a process that has read all of it at once.
    [index] = [part for part in renamed.application.parts if isinstance(part, DatabaseIndex)]
    index.names.held = None
    again = json.loads((await renamed.ask("/simple/?format=" + JSON, headers={"Accept": JSON})).body)
    assert again["projects"] == listed


@pytest.mark.parametrize("path", LED_ON)
async def test_all_else_leads_on(renamed: Index, path: str) -> None:
    """People and programs are led to the present name at once, also where another page was kept before."""
    answer = await renamed.ask(path)
    assert (answer.status, answer["Location"]) == (301, LED_ON[path])


async def test_programs_of_old(renamed: Index) -> None:
    """XML-RPC answers for the old name what it answers for the new one; files are found by either."""
    for method, more in (
        ("package_releases", (True,)),
        ("release_urls", ("1.0",)),
        ("release_data", ("1.1",)),
    ):
        answers = [await call(renamed, method, name, *more) for name in ("Old.Lib", "new-lib")]
        assert answers[0] == answers[1] != []
    assert await call(renamed, "package_releases", "even_older", True) == ["1.1", "1.0"]
    assert await call(renamed, "package_roles", "old-lib") == [["Owner", OWNER]]
    lines = [line[:1] + line[3:4] for line in await call(renamed, "changelog_since_serial", 0)]
    assert ["New.Lib", "rename from Old.Lib"] in lines
    assert ["Old.Lib", "rename to New.Lib"] in lines
    old = await renamed.ask(f"/packages/source/o/old-lib/{OLD_SDIST}")
    assert (old.status, old["Location"].endswith(OLD_SDIST)) == (302, True)
    assert (await renamed.ask(f"/packages/py3/n/new-lib/{NEW}")).status == 302


async def test_who_needs_it(renamed: Index) -> None:
    """Who needs it by a name it had is among those who need it, once, and is shown where it leads."""
    shown = (await renamed.ask("/project/New.Lib/dependents/")).text
    assert [shown.count(f'href="/project/{name}/"') for name in ("by-old", "by-both", "by-new")] == [1, 1, 1]
    needed = (await renamed.ask("/project/by-old/dependencies/")).text
    assert 'href="/project/New.Lib/"' in needed


async def test_searches(renamed: Index) -> None:
    """Who looks for the old name finds the project, by its present name."""
    assert "New.Lib" in (await renamed.ask("/api/search/suggest?q=new-lib")).text
    for words in ("old-lib", "new lib"):
        assert "/project/New.Lib/" in (await renamed.ask(f"/search/?q={words.replace(' ', '+')}")).text
    [hit] = await call(renamed, "search", {"name": "old-lib"})
    assert (hit["name"], hit["version"]) == ("New.Lib", "1.1")


async def test_what_is_yanked_or_withheld(renamed: Index) -> None:
    """What is done to a release or a project is seen under each of its names, by all who look."""
    application, owner = renamed.application, identity(renamed, OWNER)

    async def yanked(name: str) -> list[Any]:
        answer = await renamed.ask(f"/simple/{name}/", headers={"Accept": JSON})
        return [one["yanked"] for one in json.loads(answer.body)["files"]]

    await application.yanks.yank(owner, "new-lib", "1.0", "too old")
    assert (await yanked("old-lib"), await yanked("new-lib")) == (["too old", "too old"], [False])
    lines = renamed.sql("SELECT normalized, action FROM journal ORDER BY serial DESC LIMIT 2")
    assert lines == [("new-lib", "yank release"), ("old-lib", "yank release")]
    await application.yanks.yank(owner, "new-lib", "1.1")
    lines = renamed.sql("SELECT normalized, action FROM journal ORDER BY serial DESC LIMIT 2")
    assert lines == [("new-lib", "yank release"), ("new-lib", "yank release")]
    await application.yanks.unyank_all(owner, "new-lib", ["1.0", "1.1"])
    await application.statuses.archive(owner, "new-lib", "Enough.")
    told = {"status": "archived", "reason": "This project is called New.Lib now. Enough."}
    assert (await page(renamed, "old-lib"))[0] == told
    await application.statuses.activate(owner, "new-lib")
    await application.quarantines.begin(OPERATOR, "new-lib")
    assert await page(renamed, "old-lib") == ({"status": "quarantined"}, [])
    assert b"-lib" not in (await renamed.ask("/simple/")).body
    await application.quarantines.clear(OPERATOR, "new-lib")
    assert (await page(renamed, "old-lib"))[1] == [OLD, OLD_SDIST]
    check(renamed)
