"""The pages of those who run the index: who gets in, and what they can do there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from pypi.domain.permissions import Permission
from pypi.front import PUBLIC
from pypi.metrics.overview import overview
from tests.support.archives import wheel, wheel_filename
from tests.support.factors import give_app, give_code
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, give_password, operator, visitor
from tests.support.walked import SENT

SETTINGS = {"limits__factor": 0}

PAGES = [
    route.path.replace("<name>", "brie" if "projects" in route.path else "ada")
    for room in PUBLIC
    if room.__module__.startswith("pypi.web.admin.")
    for route in room.router.routes
    if route.method == "GET"
]


@pytest_twisted.async_yield_fixture(scope="module")
async def otto(index: Index) -> AsyncIterator[Visitor]:
    """Who runs an index with a project."""
    for version in ("1.0", "2.0"):
        reply = await index.upload(wheel("brie", version), wheel_filename("brie", version))
        assert reply.status == 200, reply.text
    yield await operator(index)


@pytest.mark.parametrize("path", PAGES)
async def test_who_gets_in(index: Index, otto: Visitor, path: str) -> None:
    """Every page is for those alone who run the index and have shown a second factor."""
    nobody = Visitor(index.port)
    assert (await nobody.look(path, follow=False))["Location"].startswith("/account/sign-in/")
    grace = await visitor(index, "grace")
    assert (await grace.look(path)).status == 403
    reply = await otto.look(path)
    assert reply.status == 200, reply.text
    assert reply["Cache-Control"] == "private, no-store"


async def test_second_factor_first(index: Index, otto: Visitor) -> None:
    """Who runs the index and has no second factor is led to where one is set up; who has, to show it."""
    fresh = await visitor(index, "fresh")
    index.sql("UPDATE users SET is_admin = true WHERE name = 'fresh'")
    reply = await fresh.look("/admin/", follow=False)
    assert (reply.status, reply["Location"]) == (303, "/account/factors/?why=operator")
    index.sql(
        "INSERT INTO totp (user_id, secret, confirmed, last_step)"
        " SELECT id, 'a secret of no use', now(), 0 FROM users WHERE name = 'fresh'"
    )
    reply = await fresh.look("/admin/", follow=False)
    assert (reply.status, reply["Location"]) == (303, "/account/second-factor/?next=/admin/")
    index.sql("UPDATE users SET is_admin = false WHERE name = 'fresh'")


AT_ONCE = {
    "/admin/users/<name>/sign-out/",
    "/admin/projects/<name>/quarantine/",
    "/admin/names/prohibit/",
}
"""What protects the index, and is not to wait."""


def test_a_session_is_not_enough() -> None:
    """Whatever operators do takes a second factor shown of late, but for what protects the index."""
    acts = [one for one in SENT if one.terms.permission is Permission.ADMINISTER]
    assert {one.path for one in acts if not one.terms.lately} == AT_ONCE
    assert len(acts) > 2 * len(AT_ONCE)


async def test_second_factor_once_more(index: Index, otto: Visitor) -> None:
    """Who has not shown a second factor of late does so first, and is led back to send the form again."""
    ruth = await visitor(index, "ruth")
    index.sql("UPDATE users SET is_admin = true WHERE name = 'ruth'")
    app = give_app(index, "ruth")
    whose = "(SELECT id FROM users WHERE name = 'ruth')"
    index.sql(f"UPDATE sessions SET second_factor = now() - interval '16 minutes' WHERE user_id = {whose}")
    await give_password(index, "victor")
    path, give = "/admin/users/victor/", "/admin/users/victor/give-admin/"
    page = await ruth.look(path)
    assert 'href="/account/second-factor/?next=/admin/users/victor/"' in page.text
    assert [one for one in ruth.forms() if one.startswith(path)] == [f"{path}sign-out/"]
    fields = form_token(ruth) | {"confirm": "victor"}
    came = {"Referer": f"http://127.0.0.1:{index.port}{path}?page=2"}
    reply = await ruth.post(give, fields, follow=False, headers=came)
    wanted = "/account/second-factor/?next=/admin/users/victor/%3Fdone%3Dnot-done"
    assert (reply.status, reply["Location"]) == (303, wanted)
    for strange in ("http://[", "//evil.example//", ""):
        reply = await ruth.post(give, fields, follow=False, headers={"Referer": strange})
        assert reply["Location"] == "/account/second-factor/?next=/admin/%3Fdone%3Dnot-done"
    assert index.sql("SELECT is_admin FROM users WHERE name = 'victor'") == [(False,)]
    await ruth.look(wanted)
    page = await ruth.send("/account/second-factor/", {"code": app.now()})
    assert "was not done: send it once more" in page.text
    await ruth.send(give, {"confirm": "victor"})
    assert index.sql("SELECT is_admin FROM users WHERE name = 'victor'") == [(True,)]
    index.sql("UPDATE users SET is_admin = false WHERE name IN ('ruth', 'victor')")


async def test_quarantine_waits_for_nothing(index: Index, otto: Visitor) -> None:
    """A project is put into quarantine by the session alone; to offer it again takes more."""
    whose = "(SELECT id FROM users WHERE name = 'otto')"
    index.sql(f"UPDATE sessions SET second_factor = now() - interval '1 hour' WHERE user_id = {whose}")
    await otto.look("/admin/projects/brie/")
    await otto.send("/admin/projects/brie/quarantine/", {"reason": "malware"})
    page = await otto.look("/admin/projects/brie/")
    assert "brie-1.0" not in (await index.ask("/simple/brie/")).text
    assert "/admin/projects/brie/clear/" not in otto.forms()
    assert "/account/second-factor/?next=/admin/projects/brie/" in page.text
    index.sql(f"UPDATE sessions SET second_factor = now() WHERE user_id = {whose}")
    await otto.look("/admin/projects/brie/")
    await otto.send("/admin/projects/brie/clear/")
    assert "brie-1.0" in (await index.ask("/simple/brie/")).text


async def test_tokens_do_not(index: Index, otto: Visitor) -> None:
    """A token of who runs the index does not; a token that leaked opens none of these doors."""
    otto_token = await index.application.accounts.add_token("otto")
    reply = await index.ask("/admin/", {"Authorization": f"Bearer {otto_token}"})
    assert reply.status == 303


async def test_overview(index: Index, otto: Visitor) -> None:
    """The first page says whether all is well, and what there is."""
    text = (await otto.look("/admin/")).text
    assert "All is well." in text
    assert re.search(r">Files</dt><dd[^>]*>2<", text)


async def test_looking_for_accounts(index: Index, otto: Visitor) -> None:
    """Accounts are found by a part of their name or address, in any letter case, and by nothing else."""
    await give_password(index, "Hedwig")
    found = (await otto.look("/admin/users/?q=hEDw")).text
    assert "/admin/users/Hedwig/" in found
    assert "/admin/users/otto/" not in found
    assert "/admin/users/Hedwig/" in (await otto.look("/admin/users/?q=hedwig@people")).text
    assert "There is no such account." in (await otto.look("/admin/users/?q=h%25g")).text
    assert "/admin/users/Hedwig/" not in (await otto.look("/admin/users/?operators=1")).text


async def test_disabling(index: Index, otto: Visitor) -> None:
    """A disabled account is signed out at once, and gets in by nothing until it is enabled again."""
    mallory = await visitor(index, "mallory")
    await otto.look("/admin/users/mallory/")
    reply = await otto.send("/admin/users/mallory/disable/", {"confirm": "somebody"})
    assert reply.status == 400
    assert (await mallory.look("/account/", follow=False)).status == 200
    reply = await otto.send("/admin/users/mallory/disable/", {"confirm": "Mallory", "reason": "spam"})
    assert "disabled" in reply.text
    assert (await mallory.look("/account/", follow=False)).status == 303
    await mallory.look("/account/sign-in/")
    reply = await mallory.send("/account/sign-in/", {"name": "mallory", "password": PASSWORD})
    assert reply.status == 403
    data, filename = wheel("spam", "1.0"), wheel_filename("spam", "1.0")
    assert (await index.upload(data, filename, auth=index.auth("mallory"))).status in (401, 403)
    await otto.send("/admin/users/mallory/enable/")
    assert (await mallory.sign_in("mallory")).status == 200
    log = (await otto.look("/admin/log/?event=account.disabled")).text
    assert "reason: spam" in log


async def test_log(index: Index, otto: Visitor) -> None:
    """The log says in sentences what happened, and leads to all lines of one kind."""
    lovelace = await visitor(index, "lovelace")
    await lovelace.send("/account/sign-out/")
    page = (await otto.look("/admin/log/")).text
    assert "lovelace signed out." in page
    assert "lovelace signed in with their password." in page
    assert ">account.signed-out</a>" in page
    assert 'href="/admin/users/lovelace/"' in page
    only = (await otto.look("/admin/log/?event=account.signed-out")).text
    assert "lovelace signed out." in only
    assert "signed in with" not in only
    await otto.look("/admin/names/")
    await otto.send("/admin/names/prohibit/", {"name": "a-trap", "reason": "a trap"})
    assert "otto prohibited the name (“a trap”)." in (await otto.look("/admin/log/")).text
    assert "lovelace signed out." in (await otto.look("/admin/users/lovelace/")).text


async def test_removing_factors(index: Index, otto: Visitor) -> None:
    """Who lost all second factors is signed out, gets in by the password alone, and is told by mail, once."""
    nora = await visitor(index, "nora")
    give_app(index, "nora")
    give_code(index, "nora")
    await otto.look("/admin/users/nora/")
    reply = await otto.send("/admin/users/nora/remove-factors/", {"confirm": "nora", "reason": "rang me up"})
    assert "All second factors are removed" in reply.text
    assert (await nora.look("/account/", follow=False)).status == 303
    assert "<h1>nora</h1>" in (await nora.sign_in("nora")).text
    await otto.post("/admin/users/nora/remove-factors/", form_token(otto) | {"confirm": "nora"})
    told = [one["letter"] for one in letters_to(index, "nora@people.example")]
    assert told.count("factors-removed") == 1


async def test_oneself(index: Index, otto: Visitor) -> None:
    """Nobody disables themselves, nor takes the last operator away, whatever they send."""
    page = await otto.look("/admin/users/otto/")
    assert "This is your own account" in page.text
    token = otto.forms()["/account/sign-out/"]["csrf_token"]
    for act in ("disable", "take-admin", "remove-factors"):
        reply = await otto.post(f"/admin/users/otto/{act}/", {"csrf_token": token, "confirm": "otto"})
        assert reply.status == 409, act
    assert (await otto.look("/admin/")).status == 200


async def test_operators_come_and_go(index: Index, otto: Visitor) -> None:
    """Who is to run the index signs in anew first; who is not to any more is out at once."""
    second = await visitor(index, "second")
    await otto.look("/admin/users/second/")
    await otto.send("/admin/users/second/give-admin/", {"confirm": "second"})
    assert (await second.look("/account/", follow=False)).status == 303
    await second.sign_in("second")
    assert (await second.look("/admin/", follow=False))["Location"].startswith("/account/factors/")
    await otto.look("/admin/users/second/")
    await otto.send("/admin/users/second/take-admin/")
    assert (await second.look("/admin/", follow=False))["Location"].startswith("/account/sign-in/")


async def test_quarantine(index: Index, otto: Visitor) -> None:
    """A release, or all of a project, is gone from everybody's sight at once, and back at once."""
    await index.ask("/simple/brie/")
    await otto.look("/admin/projects/brie/")
    base = "/admin/projects/brie"
    await otto.post(f"{base}/quarantine/", form_token(otto) | {"version": "2.0", "reason": "looks odd"})
    page = (await index.ask("/simple/brie/")).text
    assert ("brie-1.0" in page, "brie-2.0" in page) == (True, False)
    assert "looks odd" in (await otto.look("/admin/projects/brie/")).text
    await otto.post(f"{base}/quarantine/", form_token(otto) | {"reason": "malware"})
    assert "brie-1.0" not in (await index.ask("/simple/brie/")).text
    assert "brie" in (await otto.look("/admin/projects/?withheld=1")).text
    await otto.look("/admin/projects/brie/")
    await otto.post(f"{base}/clear/", form_token(otto))
    await otto.look("/admin/projects/brie/")
    await otto.post(f"{base}/clear/", form_token(otto) | {"version": "2.0"})
    page = (await index.ask("/simple/brie/")).text
    assert ("brie-1.0" in page, "brie-2.0" in page) == (True, True)
    assert "There is no such project." in (await otto.look("/admin/projects/?withheld=1")).text


async def test_names(index: Index, otto: Visitor) -> None:
    """Nobody begins a project of a prohibited name, in any spelling, until it is allowed again."""
    await otto.look("/admin/names/")
    reply = await otto.send("/admin/names/prohibit/", {"name": "Bad.Name", "reason": "a trap"})
    assert "bad-name" in reply.text
    data, filename = wheel("bad_name", "1.0"), wheel_filename("bad_name", "1.0")
    assert (await index.upload(data, filename)).status in (400, 403)
    reply = await otto.send("/admin/names/prohibit/", {"name": "not a name!"})
    assert (reply.status, "is no name of a project" in reply.text) == (400, True)
    await otto.look("/admin/names/")
    await otto.send("/admin/names/allow/")
    assert (await index.upload(data, filename)).status == 200


async def test_legacy(index: Index, otto: Visitor) -> None:
    """What was not used is not called safe to switch off as long as the records do not reach back."""
    text = (await otto.look("/admin/legacy/?days=7")).text
    assert "Safe to switch off?" in text
    assert "yes: not used" not in text


@pytest.mark.parametrize("path", ["/admin/users/nobody/", "/admin/projects/nothing/", "/admin/projects/%20/"])
async def test_nothing_there(otto: Visitor, path: str) -> None:
    """What there is not is not found, with a page that says so."""
    assert (await otto.look(path)).status == 404


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=-1", "?page=9999999999", "?page=x", "?q=%FF%25", "?before=x"]
)
@pytest.mark.parametrize("path", ["/admin/users/", "/admin/projects/", "/admin/log/", "/admin/names/"])
async def test_odd_questions(otto: Visitor, path: str, query: str) -> None:
    """Whatever is asked of a list, it answers with a page."""
    assert (await otto.look(path + query)).status == 200


TOLD = """\
# TYPE cheeseshop_build_info gauge
cheeseshop_build_info{version="1",worker="0"} 1.0
cheeseshop_build_info{version="1",worker="1"} 1.0
# TYPE cheeseshop_requests_total counter
cheeseshop_requests_total{route="/simple/<name>/",method="GET",status="200",worker="0"} 40.0
cheeseshop_requests_total{route="/simple/<name>/",method="GET",status="200",worker="1"} 2.0
cheeseshop_requests_total{route="/legacy/",method="POST",status="503",worker="1"} 8.0
# TYPE cheeseshop_cache_lookups_total counter
cheeseshop_cache_lookups_total{route="/simple/<name>/",rung="l1",result="hit",worker="0"} 30.0
cheeseshop_cache_lookups_total{route="/simple/<name>/",rung="l1",result="miss",worker="1"} 10.0
# TYPE cheeseshop_outbox_oldest_seconds gauge
cheeseshop_outbox_oldest_seconds{worker="0"} 301.0
cheeseshop_outbox_oldest_seconds{worker="1"} 2.0
"""


def test_read_back() -> None:
    """The overview adds up what all workers tell, and says what is not well."""
    seen = overview(TOLD, 1e10)
    assert (seen.workers, seen.total, seen.requests) == (2, 50, {"2": 42, "5": 8})
    assert [(one.route, one.requests, one.errors) for one in seen.busiest] == [
        ("/simple/<name>/", 42, 0),
        ("/legacy/", 8, 8),
    ]
    assert seen.rungs[0].share == 0.75
    assert seen.failing == ("Purges of the edge wait for more than five minutes.",)
    assert overview("", 1e10).failing == ()


def form_token(somebody: Visitor) -> dict[str, str]:
    return {"csrf_token": somebody.forms()["/account/sign-out/"]["csrf_token"]}
