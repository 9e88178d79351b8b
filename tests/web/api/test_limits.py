"""How often programs may ask, how often they may be wrong, and what they have to show."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, basic
from tests.support.visitor import visitor
from tests.web.api.calls import call, people, project

SETTINGS = {"limits__factor": 0.01}
"""Of 600 writes in an hour, 6 are left; of 60 offers and of 10 wrong passwords, 1."""

ORDER = {"versions": ["1.0"]}
PASSWORD = "correct horse battery"


@pytest_twisted.async_yield_fixture(scope="module")
async def limited(index: Index) -> AsyncIterator[Index]:
    """An index with accounts that have passwords, each owner of a project of its name."""
    await people(index)
    await project(index, "shared")
    for name in ("carl", "dora", "fred", "gina", "hugo"):
        await index.add_user(name, password=PASSWORD)
        index.sql(
            "INSERT INTO roles (project_id, user_id, role, created) SELECT p.id, u.id, 'Owner', now() "
            f"FROM projects p, users u WHERE p.name = 'shared' AND u.name = '{name}' RETURNING role"
        )
    yield index


async def upload(index: Index, auth: str) -> Reply:
    index.sql("DELETE FROM throttles WHERE key LIKE '%/address/%' RETURNING key")
    return await index.upload(wheel("shared", "1.0"), wheel_filename("shared", "1.0"), auth=auth)


async def yank(index: Index, auth: str, verb: str = "unyank") -> Reply:
    index.sql("DELETE FROM throttles WHERE key LIKE '%/address/%' RETURNING key")
    return await call(index, "shared", verb, ORDER, auth=auth)


async def test_writes(limited: Index) -> None:
    """An account does so much in an hour, whatever comes of it and whatever it shows; others do as much."""
    carl = limited.auth("carl")
    assert [(await yank(limited, carl)).status for _ in range(5)] == [200] * 5
    assert (await call(limited, "nothing", "yank", ORDER, auth=carl)).status == 404
    before = limited.state()
    for auth in (carl, basic("carl", PASSWORD)):
        refused = await yank(limited, auth, "yank")
        assert (refused.status, refused["Content-Type"]) == (429, "application/json")
        assert 1 <= int(refused["Retry-After"]) <= 3600
        assert "Try again in" in refused.json()["message"]
    assert not set(limited.state() - before) - {"tokens", "throttles"}
    assert (await yank(limited, limited.auth("ada"))).status == 200
    assert (await limited.ask("/api/projects", {"Authorization": carl})).status == 200


async def test_offers(limited: Index) -> None:
    """Offers are letters to people, so there are fewer of them."""
    gina, offer = limited.auth("gina"), {"user": "eve", "role": "Reader"}
    assert (await call(limited, "shared", "invite", offer, auth=gina)).status == 200
    assert (await call(limited, "shared", "transfer", {"user": "eve"}, auth=gina)).status == 429
    assert (await yank(limited, gina)).status == 200


async def test_offers_by_pages(limited: Index) -> None:
    """Offers that one makes by pages count with those that one's programs make."""
    hugo = await visitor(limited, "hugo")
    limited.sql("DELETE FROM throttles WHERE key LIKE '%/address/%' RETURNING key")
    page = "/manage/shared/people/"
    await hugo.look(page)
    assert "1 invited" in (await hugo.send(page, {"user": "bob", "role": "Reader"})).text
    limited.sql("DELETE FROM throttles WHERE key LIKE '%/address/%' RETURNING key")
    refused = await hugo.send(page, {"user": "dora", "role": "Reader"})
    assert (refused.status, refused["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert 1 <= int(refused["Retry-After"]) <= 3600
    offer = {"user": "bob", "role": "Reader"}
    assert (await call(limited, "shared", "invite", offer, auth=limited.auth("hugo"))).status == 429


async def test_wrong_passwords(limited: Index) -> None:
    """Wrong passwords count, by account, wherever they are shown; tokens and what just was right do not."""
    right, wrong = basic("dora", PASSWORD), basic("dora", "wrong")
    assert (await yank(limited, right)).status == 200
    assert (await yank(limited, wrong)).status == 401
    unknown = basic("DORA", PASSWORD)
    refused = [await yank(limited, wrong), await yank(limited, unknown), await upload(limited, unknown)]
    assert [one.status for one in refused] == [429] * 3
    assert all(int(one["Retry-After"]) <= 300 for one in refused)
    assert (await yank(limited, right)).status == 200
    assert (await yank(limited, limited.auth("dora"))).status == 200


async def test_many_at_once(limited: Index) -> None:
    """Whoever knows the password may come many times at once."""
    auth = basic("hugo", PASSWORD)
    replies = await gatherResults([Deferred.fromCoroutine(upload(limited, auth)) for _ in range(5)])
    assert [one.status for one in replies] == [200] * 5


async def test_wrong_passwords_of_uploads(limited: Index) -> None:
    """Where files are sent, passwords are guessed no oftener."""
    wrong = basic("bob", "wrong")
    assert [(await upload(limited, wrong)).status for _ in range(3)] == [401, 429, 429]
    assert (await upload(limited, limited.auth("bob"))).status == 200


async def test_second_factors(limited: Index) -> None:
    """The password of an account with a second factor is not enough, and a token is."""
    limited.sql(
        "INSERT INTO totp (user_id, secret, confirmed) "
        "SELECT id, decode(repeat('00', 20), 'hex'), now() FROM users WHERE name = 'fred' "
        "RETURNING user_id"
    )
    refused = await yank(limited, basic("fred", PASSWORD))
    assert (refused.status, "second factor" in refused.json()["message"]) == (403, True)
    assert (await yank(limited, limited.auth("fred"))).status == 200


async def test_who_runs_the_index(limited: Index) -> None:
    """What operators do is done by no token: here, an administrator is an account as any other."""
    limited.sql("UPDATE users SET is_admin = true WHERE name = 'eve' RETURNING id")
    token = limited.auth("eve")
    assert (await call(limited, "shared", "delete", {"confirm": "shared"}, auth=token)).status == 403
    assert (await limited.ask("/admin/", {"Authorization": token})).status == 303
