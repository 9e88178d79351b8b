"""The page of somebody who publishes."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from twisted.internet.task import deferLater

from pypi.accounts.shown import changed
from pypi.domain.permissions import OPERATOR
from pypi.index.people import LISTED
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index, reactor
from tests.support.keeping import until_kept
from tests.web.pages.test_home import BROWSER, Reader

EVIL = '"><script>alert(1)</script>'


async def publish(
    index: Index, name: str, version: str = "1.0", *, by: str = "ada", summary: str = ""
) -> None:
    metadata = core_metadata(name, version, headers=[("Summary", summary)] if summary else [])
    reply = await index.upload(
        wheel(name, version, metadata=metadata),
        wheel_filename(name, version),
        name=name,
        version=version,
        auth=index.auth(by),
    )
    assert reply.status == 200, reply.text


def listed(page: str) -> list[str]:
    return re.findall('class="user-projects__name" href="/project/([^/]+)/"', page)


async def test_content(new_index: Index) -> None:
    """A page shows who somebody is, since when, and each project with role, version, summary and date."""
    await publish(new_index, "Brie.Knife", summary="Cuts soft cheese")
    new_index.sql("UPDATE users SET display_name = 'Ada L.', created = '2026-03-07T12:00:00Z'")
    new_index.sql("UPDATE findable SET created = '2026-03-08T12:00:00Z'")
    page = await new_index.ask("/user/ada/")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    text = " ".join(re.sub(r"<[^>]*>", " ", page.text.partition("<main")[2]).split())
    for shown in ("Ada L. ada Here since 7 Mar 2026", "1 project", "Brie.Knife 1.0", "Owner 8 Mar 2026"):
        assert shown in text
    assert "Cuts soft cheese" in text
    assert '<a class="user-projects__name" href="/project/Brie.Knife/">Brie.Knife</a>' in page.text
    assert "people.example" not in page.text, "whose address is nobody's business"


async def test_order(new_index: Index) -> None:
    """What was released last comes first; what was never released comes last."""
    for name in ("one", "two", "three"):
        await publish(new_index, name)
    new_index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created) VALUES ('Empty', 'empty', 'e', now());"
        "INSERT INTO roles (project_id, user_id, role, created) SELECT p.id, u.id, 'Maintainer', now()"
        " FROM projects p, users u WHERE p.name = 'Empty'"
    )
    await publish(new_index, "two", "2.0")
    page = (await new_index.ask("/user/ada/")).text
    assert listed(page) == ["two", "three", "one", "Empty"]
    assert "nothing published yet" in page


async def test_at_once(new_index: Index) -> None:
    """A page shows a publication, a new role and a yank as soon as they were acknowledged."""
    await new_index.add_user("Grace")
    await publish(new_index, "one")
    assert listed((await new_index.ask("/user/ada/")).text) == ["one"]
    assert listed((await new_index.ask("/user/Grace/")).text) == []
    await publish(new_index, "two", by="Grace")
    assert listed((await new_index.ask("/user/Grace/")).text) == ["two"]
    await publish(new_index, "one", "1.1")
    assert ">1.1</span>" in (await new_index.ask("/user/ada/")).text
    await new_index.application.yanks.yank(OPERATOR, "one", "1.1", "")
    assert ">1.0</span>" in (await new_index.ask("/user/ada/")).text


async def test_kept(new_index: Index) -> None:
    """A page comes out of memory until something happens that it shows."""
    await new_index.add_user("grace")
    await publish(new_index, "one")
    await until_kept(new_index, "/user/ada/")
    await publish(new_index, "two", by="grace")
    again = await new_index.ask("/user/ada/")
    assert again["Cache-Status"] == "cheeseshop-l1; hit"
    assert again["Cache-Control"] == "max-age=0, public, must-revalidate"


@pytest.mark.parametrize("name", ["ADA", "Ada", "aDa"])
async def test_spelling(index: Index, name: str) -> None:
    """Any letter case of a name leads to its own, in one hop."""
    for path in (f"/user/{name}/", f"/user/{name}/?page=2"):
        reply = await index.ask(path)
        assert (reply.status, reply["Location"]) == (301, "/user/ada/")
    assert (await index.ask("/user/ada")).status == 301


@pytest.mark.parametrize("name", ["nobody", "%3Cb%3E", "%25", "ada%20", "x" * 500])
async def test_nobody(index: Index, name: str) -> None:
    """Who has no account has no page."""
    reply = await index.ask(f"/user/{name}/", {"Accept": BROWSER})
    assert (reply.status, reply["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<b>" not in reply.text


async def test_new_account(new_index: Index) -> None:
    """An account has a page as soon as it is made, and none any more once it is closed."""
    assert (await new_index.ask("/user/grace/")).status == 404
    await new_index.add_user("grace")
    page = await new_index.ask("/user/grace/")
    assert page.status == 200
    assert "has published nothing here yet" in page.text
    new_index.sql("UPDATE users SET is_active = false WHERE name = 'ada'")
    assert (await new_index.ask("/user/ada/")).status == 404


async def test_quarantine(new_index: Index) -> None:
    """A project in quarantine is not shown; other states are told."""
    await publish(new_index, "one")
    await publish(new_index, "two")
    new_index.sql("UPDATE projects SET status = 'quarantined' WHERE name = 'one'")
    new_index.sql("UPDATE projects SET status = 'archived' WHERE name = 'two'")
    page = (await new_index.ask("/user/ada/")).text
    assert listed(page) == ["two"]
    assert "archived</span>" in page


async def test_many_projects(new_index: Index) -> None:
    """Very many projects are shown on several pages, none of which is ever outdated."""
    await publish(new_index, "first")
    new_index.sql(
        "INSERT INTO projects (name, normalized, look_alike, created)"
        f" SELECT 'p' || n, 'p' || n, 'p' || n, now() FROM generate_series(1, {LISTED + 20}) AS n;"
        "INSERT INTO roles (project_id, user_id, role, created) SELECT p.id, u.id, 'Owner', now()"
        " FROM projects p, users u WHERE p.name <> 'first' AND u.name = 'ada'"
    )
    page = (await new_index.ask("/user/ada/?page=1")).text
    assert f"{LISTED + 21} projects" in page
    assert len(listed(page)) == LISTED
    assert 'href="/user/ada/?page=2"' in page
    second = (await new_index.ask("/user/ada/?page=2")).text
    assert len(listed(second)) == 21
    assert not set(listed(page)) & set(listed(second))
    assert "There is no page 3 of them." in (await new_index.ask("/user/ada/?page=3")).text
    for odd in ("0", "x", "-1", "99999999"):
        assert listed((await new_index.ask(f"/user/ada/?page={odd}")).text) == listed(page)
    last = listed(second)[-1]
    await publish(new_index, last)
    assert listed((await new_index.ask("/user/ada/")).text)[0] == last
    assert last not in listed((await new_index.ask("/user/ada/?page=2")).text)


async def test_it_is_html(index: Index, name: str) -> None:
    """What people wrote is text, every element is closed, and nothing is executed."""
    await publish(index, name, summary=EVIL)
    index.sql(f"UPDATE users SET display_name = '{EVIL}'")
    page = (await index.ask("/user/ada/?page=1&x=y")).text
    assert page.count("<script") == page.count('<script type="module" src="/static/')
    assert page.count("&lt;script&gt;") >= 2
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    assert not any(attribute.startswith("on") or attribute == "style" for attribute in reader.attributes)


async def test_an_account_that_is_no_more(new_index: Index) -> None:
    """The page of an account that was disabled is not told out of any cache."""
    await publish(new_index, "brie")
    while "hit" not in (await new_index.ask("/user/ada/"))["Cache-Status"]:
        pass
    new_index.sql("UPDATE users SET is_active = false WHERE name = 'ada'")
    assert (await new_index.ask("/user/ada/")).status == 200, "it is kept"
    await new_index.application.accounts.database.transact(changed, "Ada", now=datetime.now(UTC))
    for _ in range(500):
        if (reply := await new_index.ask("/user/ada/")).status == 404:
            break
        await deferLater(reactor, 0.01)
    assert reply.status == 404
    [(payload,)] = new_index.sql("SELECT payload FROM outbox ORDER BY id DESC LIMIT 1")
    assert payload == {"tags": ["user/ada"]}
