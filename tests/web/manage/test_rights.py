"""Who gets to manage what: strangers nothing, each role what comes with it, while it lasts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from pypi.domain.permissions import Access
from pypi.front import PUBLIC
from pypi.http.router import Route
from tests.support.archives import wheel_filename
from tests.support.index import Index
from tests.support.managing import identity
from tests.support.visitor import Visitor, visitor
from tests.web.manage.shop import give, released, take

SETTINGS = {"limits__factor": 0}

BY_INVITED = ("/invitation/accept/", "/invitation/decline/")

ROUTES = [
    route
    for room in PUBLIC
    if room.__module__.startswith("pypi.web.manage.")
    for route in room.router.routes
    if "<name>" in route.path and not route.path.endswith(BY_INVITED)
]
PAGES = [route for route in ROUTES if route.method == "GET"]
FORMS = [route for route in ROUTES if route.method == "POST"]

FILLED = {
    "version": "1.0",
    "reason": "For no reason",
    "user": "mallory",
    "role": "Owner",
    "status": "archived",
    "successor": "",
    "reads": "roles",
}
"""What may be sent to any form."""

SEEN = {
    "Owner": {
        "releases/",
        "releases/1.0/",
        "people/",
        "publishing/",
        "history/",
        "settings/",
        "settings/rename/",
        "settings/delete/",
        "transfer/",
        "releases/1.0/delete/",
        "releases/1.0/files/F/delete/",
        "people/ada/remove/",
    },
    "Maintainer": {"releases/", "releases/1.0/", "people/", "publishing/", "history/"},
    "Reader": {"releases/", "releases/1.0/", "people/"},
}
"""What each role gets to see, beside the pages that everybody may leave by."""


def address(path: str, name: str, filename: str = "") -> str:
    values = {"name": name, "version": "1.0", "filename": filename or wheel_filename(name, "1.0")}
    return re.sub(r"<([^>]+)>", lambda found: values.get(found[1], "ada"), path)


def filled(who: Visitor, name: str) -> dict[str, str]:
    """A form with the token of the page shown last, and everything else that any form has."""
    token = who.forms()["/account/sign-out/"]["csrf_token"]
    typed = {"confirm": name, "name": f"stolen-{name}"}
    return {**FILLED, **typed, "csrf_token": token}


@pytest_twisted.async_yield_fixture(scope="module")
async def stocked(index: Index) -> AsyncIterator[Index]:
    """An index with projects of ada's, one of them for nobody else."""
    for name in ("brie", "secret"):
        await released(index, name, "1.0")
    await index.application.reads.change(identity(index, "ada"), "secret", Access.ROLES)
    yield index


@pytest_twisted.async_yield_fixture(scope="module")
async def mallory(stocked: Index) -> AsyncIterator[Visitor]:
    """Somebody with a project of their own."""
    found = await visitor(stocked, "mallory")
    await released(stocked, "mallory-owns-this", "1.0", by="mallory")
    yield found


def test_walked() -> None:
    """All rooms of managing are walked."""
    assert len(PAGES) >= 14
    assert len(FORMS) >= 16


@pytest.mark.parametrize("name", ["brie", "secret"])
async def test_strangers(stocked: Index, mallory: Visitor, name: str) -> None:
    """Who has no role is answered byte by byte as for a project there is not, and changes nothing."""
    await mallory.look("/manage/")
    form = filled(mallory, name)
    before = stocked.state()
    for route in ROUTES:
        told = []
        for asked in (name, "n" * len(name)):
            where = address(route.path, asked, wheel_filename(name, "1.0"))
            if route.method == "GET":
                reply = await mallory.look(where, follow=False)
            else:
                reply = await mallory.post(where, form, follow=False)
            told.append((reply.status, reply.text.replace(asked, "X"), reply["Cache-Control"]))
        assert told[0][0] == 404, route
        assert "You have no project named" in told[0][1], route
        assert 'value="releases"' not in told[0][1]
        assert told[0] == told[1], route
        assert told[0][2] in ("private, no-store", "no-store"), route
    assert not stocked.state() - before


@pytest.mark.parametrize("role", SEEN)
async def test_what_each_role_sees(index: Index, name: str, role: str) -> None:
    """Each role sees its pages; others are refused, and nothing it sees leads there."""
    await released(index, name, "1.0")
    user = f"{role.lower()}-{name}"
    await give(index, name, user, role)
    who = await visitor(index, user)
    own = f"/manage/{name}/"
    seen = {f"{own}{one}".replace("/F/", f"/{wheel_filename(name, '1.0')}/") for one in SEEN[role]}
    offered: set[str] = set()
    for route in PAGES:
        where = address(route.path, name)
        reply = await who.look(where)
        if where in (own, f"{own}leave/"):
            assert reply.status == 200
            continue
        assert reply.status == (200 if where in seen else 403), where
        if reply.status == 200:
            offered |= set(re.findall(rf'(?:href|action|formaction)="({own}[^"?#]*)', reply.text))
    allowed = seen | {f"{own}leave/"}
    if role == "Owner":
        allowed |= {address(route.path, name) for route in ROUTES} | {f"{own}people/{user}/role/"}
    assert offered <= allowed


def typed(route: Route, form: dict[str, str]) -> dict[str, str]:
    """The form with what has to be typed into it to have this done."""
    return form | {"confirm": "1.0"} if "<version>" in route.path else form


@pytest.mark.parametrize("role", ["Maintainer", "Reader"])
async def test_what_others_may_not(stocked: Index, role: str) -> None:
    """Nothing is changed by who is a maintainer or a reader, whatever they send."""
    await give(stocked, "brie", f"{role.lower()}-of-brie", role)
    who = await visitor(stocked, f"{role.lower()}-of-brie")
    form = filled(who, "brie")
    before = stocked.state()
    for route in FORMS:
        if not route.path.endswith("/leave/"):
            reply = await who.post(address(route.path, "brie"), typed(route, form), follow=False)
            assert reply.status == 403, route
    assert not stocked.state() - before


async def test_rights_end_with_the_role(stocked: Index) -> None:
    """A form that was shown to an owner does nothing once they are none, and tells them of no project."""
    await give(stocked, "secret", "heir", "Owner")
    heir = await visitor(stocked, "heir")
    assert (await heir.look("/manage/secret/settings/")).status == 200
    form = filled(heir, "secret")
    take(stocked, "secret", "heir")
    before = stocked.state()
    for route in FORMS:
        reply = await heir.post(address(route.path, "secret"), typed(route, form), follow=False)
        assert reply.status == 404, route
    assert not stocked.state() - before


async def test_nobody_sends_forms(stocked: Index) -> None:
    """A form without the token of the session changes nothing, though its sender owns the project."""
    ada = await visitor(stocked, "ada")
    before = stocked.state()
    form = {key: value for key, value in filled(ada, "brie").items() if key != "csrf_token"}
    for route in FORMS:
        reply = await ada.post(address(route.path, "brie"), typed(route, form), follow=False)
        assert reply.status == 403, route
    assert not stocked.state() - before
