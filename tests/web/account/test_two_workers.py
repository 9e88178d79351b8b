"""Two workers of one index: what ended at one of them, or was used there, is over at the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_twisted
from attrs import define
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.session_copies import COPIED
from pypi.embedded import Urls
from tests.support.client import Reply
from tests.support.confirming import confirm, links
from tests.support.databases import Databases
from tests.support.factors import give_app, give_code
from tests.support.index import NO_REDIS, Index, running
from tests.support.visitor import PASSWORD, Visitor, give_password, visitor

SECOND_FACTOR = "/account/second-factor/"


@define
class Clock:
    """The clock of both: that of the machine, and how far it was put forward."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@define(eq=False)
class Workers:
    """Both of them, on one database.

    Attributes:
        shares: whether both have the same Redis, or none has.
    """

    one: Index
    other: Index
    clock: Clock
    shares: bool

    def at_the_other(self, somebody: Visitor) -> Visitor:
        """The same browser, answered by the other worker."""
        return Visitor(self.other.port, cookies=dict(somebody.cookies))


@pytest_twisted.async_yield_fixture(scope="module", params=["shared", "lost", "gone"])
async def workers(
    request: pytest.FixtureRequest,
    databases: Databases,
    servers: Urls,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Workers]:
    """With one Redis, with one that the first of them does not reach any more, and with none."""
    url, clock = databases.make(), Clock()
    first = servers.redis if request.param == "shared" else NO_REDIS
    second = NO_REDIS if request.param == "gone" else servers.redis
    settings = {"now": clock, "limits__factor": 0}
    folder = tmp_path_factory.mktemp("workers")
    async with (
        running(url, folder / "one", redis_url=first, **settings) as one,
        running(url, folder / "other", redis_url=second, joins=True, **settings) as other,
    ):
        yield Workers(one, other, clock, first == second)
    databases.drop(url)


async def goes_on(somebody: Visitor) -> bool:
    """Whether they are signed in."""
    reply = await somebody.look("/account/", follow=False)
    assert reply.status in (200, 303)
    return reply.status == 200


async def over(workers: Workers, somebody: Visitor) -> None:
    """See that a session is over for both, within the time a copy of it is good for."""
    assert not await goes_on(somebody)
    if not workers.shares:
        workers.clock.ahead += COPIED
    assert not await goes_on(workers.at_the_other(somebody))


async def test_signed_out(workers: Workers) -> None:
    """Who signs out at one worker is signed out at the other: at once, or within a second without Redis."""
    ada = await visitor(workers.one, "ada")
    assert await goes_on(workers.at_the_other(ada))
    before = Visitor(ada.port, cookies=dict(ada.cookies))
    await ada.look("/account/")
    await ada.send("/account/sign-out/")
    await over(workers, before)


async def test_ended_from_another_browser(workers: Workers) -> None:
    """So is another browser's session that somebody ends, and each of them when the password changes."""
    ada, lost = await visitor(workers.one, "grace"), await visitor(workers.one, "grace")
    assert await goes_on(workers.at_the_other(lost))
    await ada.look("/account/sessions/")
    await ada.send("/account/sessions/end-others/")
    await over(workers, lost)
    lost = await visitor(workers.one, "grace")
    before = Visitor(ada.port, cookies=dict(ada.cookies))
    assert await goes_on(workers.at_the_other(lost))
    await ada.look("/account/password/")
    changed = await ada.send("/account/password/", {"old": PASSWORD, "new": "another battery staple"})
    assert changed.status == 200, changed.text
    await over(workers, lost)
    await over(workers, before)
    assert await goes_on(ada)


async def test_confirmed_at_one(workers: Workers) -> None:
    """A new browser that one worker lets in, by a link in mail, is in at the other; its old secret is not."""
    await give_password(workers.one, "mary")
    mary = Visitor(workers.one.port)
    code = give_app(workers.one, "mary").at(workers.clock())
    await mary.sign_in("mary")
    await mary.send(SECOND_FACTOR, {"code": code})
    before = Visitor(mary.port, cookies=dict(mary.cookies))
    there = workers.at_the_other(mary)
    assert not await goes_on(there)
    assert (await confirm(workers.one, "mary", there)).status == 200
    assert await goes_on(there)
    mary.cookies = there.cookies
    assert await goes_on(mary)
    await over(workers, before)


async def test_denied_at_one(workers: Workers) -> None:
    """Nobody is let in by one worker who was said at the other, a moment ago, to be somebody else."""
    await give_password(workers.one, "ida")
    thief, ida = Visitor(workers.one.port), Visitor(workers.other.port)
    code = give_app(workers.one, "ida").at(workers.clock())
    await thief.sign_in("ida")
    await thief.send(SECOND_FACTOR, {"code": code})
    path = links(workers.one, "ida")[-1]
    await thief.look(path)
    form = thief.forms()[path]
    await ida.look(path)
    await ida.send(f"{path}/deny/")
    assert (await thief.post(path, form)).status in (403, 410)
    assert not await goes_on(thief)


async def test_one_code_at_both(workers: Workers) -> None:
    """A code of the app, and one for recovery, gets in once, though both workers are shown it at once."""
    ada, other = await visitor(workers.one, "joan"), await visitor(workers.one, "joan")
    app = give_app(workers.one, "joan")
    code = app.at(workers.clock())
    assert await shown(workers, ada, other, code) == [303, 403]
    assert await shown(workers, ada, other, code) == [403, 403]
    code = give_code(workers.one, "joan")
    assert await shown(workers, ada, other, code) == [303, 403]
    assert await shown(workers, ada, other, code) == [403, 403]


async def shown(workers: Workers, one: Visitor, other: Visitor, code: str) -> list[int]:
    """How a code is answered that two browsers show, one to each worker, at the same time."""
    browsers = (one, workers.at_the_other(other))
    for browser in browsers:
        await browser.look(SECOND_FACTOR)
    sent = [Deferred.fromCoroutine(_send(browser, code)) for browser in browsers]
    replies = await gatherResults(sent)
    other.cookies = browsers[1].cookies
    return sorted(reply.status for reply in replies)


async def _send(browser: Visitor, code: str) -> Reply:
    return await browser.send(SECOND_FACTOR, {"code": code}, follow=False)
