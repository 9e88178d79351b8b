"""Sessions: begun, read, given other secrets, ended; with Redis and without."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from attrs import define, evolve, field
from redis import Redis as PlainRedis
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from caching.redis import Redis
from pypi.accounts.errors import SessionOver, WrongCredentials
from pypi.accounts.session_copies import COPIED, Copy
from pypi.accounts.sessions import OWED, Sessions, Started
from pypi.db.database import DatabaseDown
from pypi.embedded import Urls
from tests.accounts.conftest import Kept
from tests.support.databases import ask

HERE = "192.0.2.1"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@define(eq=False)
class Desk:
    """Two workers that share PostgreSQL and Redis, and an account that signs in.

    Attributes:
        plain: looks into Redis.
        stop_redis: takes Redis away from both workers.
    """

    kept: Kept
    here: Sessions
    there: Sessions
    plain: PlainRedis = field(repr=False)
    user_id: int = 1

    async def begin(self, **more: Any) -> Started:
        """Sign in."""
        given: dict[str, Any] = {"asked": self.kept.clock.time, "by": "password"}
        given |= {"address": HERE, "agent": "Browser/1.0"} | more
        return await self.here.begin(self.user_id, **given)

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        return ask(self.kept.url, text)

    def keys(self) -> list[bytes]:
        """What of sessions is in Redis."""
        return sorted(self.plain.keys("session:*"))


@pytest_twisted.async_yield_fixture
async def desk(kept: Kept, servers: Urls) -> AsyncIterator[Desk]:
    """An account, and two workers."""
    await kept.accounts.add_user("ada", email="ada@people.example", password="correct horse")
    both = [Redis(servers.redis, reactor, timeout=1.0) for _ in range(2)]
    workers = []
    for redis in both:
        await redis.start()
        workers.append(
            Sessions(
                database=kept.accounts.database,
                redis=redis,
                now=kept.clock.now,
                random_bytes=secrets.token_bytes,
            )
        )
        while "2 of 2" not in repr(redis):
            await deferLater(reactor, 0.01)
    [(user_id,)] = ask(kept.url, "SELECT id FROM users")
    with closing(PlainRedis(unix_socket_path=servers.redis.removeprefix("unix://"))) as plain:
        for key in plain.keys("session:*"):
            plain.delete(key)
        yield Desk(kept, *workers, plain=plain, user_id=int(str(user_id)))
    for redis in both:
        await redis.stop()


# Begun


async def test_begin(desk: Desk) -> None:
    """A session says whose it is; of its secret, only a digest is kept."""
    begun = await desk.begin()
    found = await desk.there.read(begun.secret)
    assert found == begun.session
    assert (found.name, found.is_admin, found.is_partial, found.second_factor) == ("ada", False, False, None)
    rows = str(desk.sql("SELECT encode(digest, 'escape'), * FROM sessions"))
    assert begun.secret not in rows
    assert len(begun.secret) == 43


async def test_secrets_differ(desk: Desk) -> None:
    """Each session has a secret of its own."""
    assert len({(await desk.begin()).secret for _ in range(5)}) == 5


@pytest.mark.parametrize("text", ["", "x", "x" * 43, "x" * 44, "é" * 43, "x" * 42 + "\n", "x" * 100_000])
async def test_no_secret(desk: Desk, text: str) -> None:
    """Any other text is nobody's session."""
    await desk.begin()
    assert await desk.here.read(text) is None


async def test_told_of(desk: Desk) -> None:
    """The security log says who signed in, how, and from where."""
    await desk.begin()
    assert desk.sql("SELECT event, actor, address, about FROM audit") == [
        ("account.signed-in", "ada", HERE, {"by": "password"})
    ]


async def test_an_inactive_account_has_no_session(desk: Desk) -> None:
    """An account that was disabled begins none, and those it had are over."""
    begun = await desk.begin()
    desk.sql("UPDATE users SET is_active = false")
    assert await desk.there.read(begun.secret) is None
    with pytest.raises(WrongCredentials):
        await desk.begin()
    with pytest.raises(SessionOver):
        await desk.here.rotate(begun.session)


async def test_a_password_changed_meanwhile(desk: Desk) -> None:
    """A sign-in that was under way while the password was changed does not end in a session."""
    asked = desk.kept.clock.time
    desk.kept.clock.advance(timedelta(seconds=1))
    desk.sql(f"UPDATE users SET password_changed = '{desk.kept.clock.time.isoformat()}'")
    with pytest.raises(WrongCredentials):
        await desk.begin(asked=asked)
    desk.kept.clock.advance(timedelta(seconds=1))
    await desk.begin()


async def test_a_session_in_place_of_another(desk: Desk) -> None:
    """Who signs in anew leaves no session behind in that browser."""
    first = await desk.begin()
    assert await desk.there.read(first.secret)
    second = await desk.begin(instead_of=first.session)
    assert await desk.there.read(first.secret) is None
    assert await desk.there.read(second.secret)


async def test_the_oldest_makes_room(desk: Desk) -> None:
    """An account has so many sessions and no more, also when many are begun at once."""
    few = evolve(desk.here, most=3)
    first = await few.begin(desk.user_id, asked=desk.kept.clock.time, by="password", address="", agent="")
    assert await desk.there.read(first.secret)

    async def begin() -> Started:
        return await few.begin(desk.user_id, asked=desk.kept.clock.time, by="password", address="", agent="")

    await gatherResults([Deferred.fromCoroutine(begin()) for _ in range(6)])
    assert desk.sql("SELECT count(*) FROM sessions") == [(3,)]
    assert await desk.there.read(first.secret) is None


async def test_what_browsers_send_is_bounded(desk: Desk) -> None:
    """However long a browser's name and address are, they are kept shortened, without what cannot be kept."""
    await desk.begin(agent="x\0" * 5000, address="y" * 500)
    assert desk.sql("SELECT length(agent), length(address) FROM sessions") == [(300, 64)]


# In two steps


async def test_a_second_factor_is_owed(desk: Desk) -> None:
    """A password alone begins a partial session, which is no line of the list, and is over soon."""
    begun = await desk.begin(is_partial=True)
    found = await desk.there.read(begun.secret)
    assert found
    assert found.is_partial
    assert await desk.here.of_user(desk.user_id) == []
    assert desk.sql("SELECT event FROM audit") == [("account.sign-in-half",)]
    desk.kept.clock.advance(OWED)
    assert await desk.there.read(begun.secret) is None


async def test_a_second_factor_is_shown(desk: Desk) -> None:
    """With the second factor the session is whole, has another secret, and lasts as others do."""
    begun = await desk.begin(is_partial=True)
    assert await desk.there.read(begun.secret)
    desk.kept.clock.advance(MINUTE)
    whole = await desk.here.rotate(begun.session, second_factor="totp", address=HERE)
    assert await desk.there.read(begun.secret) is None
    assert await desk.there.read(whole.secret) == evolve(whole.session, last_seen=desk.kept.clock.time)
    assert not whole.session.is_partial
    assert whole.session.second_factor == desk.kept.clock.time
    assert whole.session.expires == desk.kept.clock.time + desk.here.lifetime
    assert desk.sql("SELECT event, about FROM audit ORDER BY id DESC LIMIT 1") == [
        ("account.signed-in", {"by": "totp"})
    ]


async def test_partial_sessions_end_no_others(desk: Desk) -> None:
    """Who knows no more than the password cannot sign its owner out by signing in many times."""
    begun = await desk.begin()
    few = evolve(desk.here, most=2)
    for _ in range(4):
        partial = await few.begin(
            desk.user_id, asked=desk.kept.clock.time, by="password", address="", agent="", is_partial=True
        )
    assert await desk.there.read(begun.secret)
    assert desk.sql("SELECT count(*) FROM sessions") == [(3,)]
    await few.rotate(partial.session, second_factor="totp")
    assert desk.sql("SELECT count(*) FROM sessions WHERE NOT is_partial") == [(2,)]


async def test_rotated(desk: Desk) -> None:
    """A session that gets another secret stays the same; the old secret is dead everywhere, at once."""
    begun = await desk.begin()
    for worker in (desk.here, desk.there):
        assert await worker.read(begun.secret)
    rotated = await desk.here.rotate(begun.session)
    for worker in (desk.here, desk.there):
        assert await worker.read(begun.secret) is None
        assert (await worker.read(rotated.secret)) == rotated.session
    assert rotated.session.id == begun.session.id
    with pytest.raises(SessionOver):
        await desk.there.rotate(begun.session)


# Over


async def test_lifetime(desk: Desk) -> None:
    """A session ends after its time, however much it is used."""
    begun = await desk.begin()
    while desk.kept.clock.time < begun.session.expires - DAY:
        desk.kept.clock.advance(DAY)
        assert await desk.here.read(begun.secret)
    desk.kept.clock.advance(DAY)
    assert await desk.here.read(begun.secret) is None


async def test_idle(desk: Desk) -> None:
    """A session that is not used ends sooner."""
    begun = await desk.begin()
    desk.kept.clock.advance(desk.here.idle)
    assert await desk.there.read(begun.secret) is None
    assert await desk.here.of_user(desk.user_id) == []


async def test_seen_once_a_minute(desk: Desk) -> None:
    """When a session was used last is known to the minute, and written no oftener."""
    begun = await desk.begin()

    def written() -> list[tuple[Any, ...]]:
        return desk.sql("SELECT last_seen, xmin::text FROM sessions")

    before = written()
    desk.kept.clock.advance(MINUTE - timedelta(seconds=1))
    await desk.here.read(begun.secret)
    assert written() == before
    desk.kept.clock.advance(timedelta(seconds=1))
    await gatherResults([Deferred.fromCoroutine(w.read(begun.secret)) for w in (desk.here, desk.there) * 3])
    after = written()
    assert after[0][0] == desk.kept.clock.time
    desk.kept.clock.advance(MINUTE / 2)
    await desk.there.read(begun.secret)
    assert written() == after


async def test_signed_out(desk: Desk) -> None:
    """Who signs out is signed out for every worker, at once, and the log says so once."""
    begun = await desk.begin()
    assert await desk.there.read(begun.secret)
    await desk.here.end(begun.session, address=HERE)
    await desk.here.end(begun.session, address=HERE)
    for worker in (desk.here, desk.there):
        assert await worker.read(begun.secret) is None
    assert desk.sql("SELECT event FROM audit ORDER BY id")[1:] == [("account.signed-out",)]


async def test_listed(desk: Desk) -> None:
    """An account's sessions say since when, from where and with what; the one used last stands first."""
    first = await desk.begin()
    desk.kept.clock.advance(MINUTE)
    second = await desk.begin(address="2001:db8::1", agent="Other/2")
    found = await desk.there.of_user(desk.user_id)
    assert [(line.id, line.address, line.agent) for line in found] == [
        (second.session.id, "2001:db8::1", "Other/2"),
        (first.session.id, HERE, "Browser/1.0"),
    ]
    assert [line.created for line in found] == [second.session.created, first.session.created]


async def test_revoke_one(desk: Desk) -> None:
    """A session is ended from another one of the same account, and from no stranger's."""
    mine, other = await desk.begin(), await desk.begin()
    await desk.kept.accounts.add_user("eve", email="eve@people.example", password=None)
    [(eve,)] = desk.sql("SELECT id FROM users WHERE name = 'eve'")
    hers = await desk.here.begin(eve, asked=desk.kept.clock.time, by="password", address="", agent="")
    assert await desk.there.read(other.secret)
    assert not await desk.here.revoke(hers.session, other.session.id, address="")
    assert await desk.there.read(other.secret)
    assert await desk.here.revoke(mine.session, other.session.id, address=HERE)
    assert await desk.there.read(other.secret) is None
    assert await desk.there.read(mine.secret)
    assert not await desk.here.revoke(mine.session, other.session.id, address=HERE)


async def test_revoke_all_but_this(desk: Desk) -> None:
    """All but one's own are ended with one word, for every worker, at once."""
    begun = [await desk.begin() for _ in range(4)]
    for one in begun:
        assert await desk.there.read(one.secret)
    assert await desk.here.revoke_others(begun[0].session, address=HERE) == 3
    assert [bool(await desk.there.read(one.secret)) for one in begun] == [True, False, False, False]
    assert await desk.here.revoke_others(begun[0].session, address=HERE) == 0
    assert desk.sql("SELECT about FROM audit WHERE event = 'account.sessions-ended'") == [({"count": 3},)]


async def test_tidy(desk: Desk) -> None:
    """Sessions that are over are removed; others are not."""
    for _ in range(3):
        await desk.begin()
    desk.kept.clock.advance(desk.here.idle - MINUTE)
    assert await desk.here.tidy() == 0
    live = await desk.begin()
    desk.kept.clock.advance(MINUTE)
    assert await desk.here.tidy() == 3
    assert await desk.here.read(live.secret)


# Copies


async def test_a_copy_saves_asking(desk: Desk) -> None:
    """What one worker read another finds in Redis, without asking PostgreSQL."""
    begun = await desk.begin()
    assert desk.keys() == []
    await desk.here.read(begun.secret)
    assert len(desk.keys()) == 1
    assert 0 < desk.plain.pttl(desk.keys()[0]) <= 1000
    assert begun.secret.encode() not in desk.plain.get(desk.keys()[0])
    without = evolve(desk.there, database=None)
    assert await without.read(begun.secret) == begun.session


async def test_losing_redis_logs_nobody_out(desk: Desk) -> None:
    """With Redis empty, away, or full of nonsense, a session goes on, and is ended all the same."""
    begun = await desk.begin()
    await desk.here.read(begun.secret)
    for nonsense in (b"", b"\xff", b"[]", b"[1, 2]", b"[1e999, null]", b'{"a": 1}', b"[0, [1, 2, 3]]"):
        desk.plain.set(desk.keys()[0], nonsense)
        assert await desk.there.read(begun.secret) == begun.session
    desk.plain.delete(*desk.keys())
    assert await desk.there.read(begun.secret) == begun.session
    for worker in (desk.here, desk.there):
        await worker.redis.stop()
    assert await desk.there.read(begun.secret) == begun.session
    await desk.here.end(begun.session, address=HERE)
    assert await desk.there.read(begun.secret) is None


async def test_ended_while_redis_does_not_answer(desk: Desk) -> None:
    """Where a copy could not be taken away it is refused a second later, even if Redis still had it."""
    begun = await desk.begin()
    await desk.there.read(begun.secret)
    [key] = desk.keys()
    deaf = evolve(desk.here, redis=None)
    await deaf.end(begun.session, address=HERE)
    desk.plain.persist(key)
    assert await desk.there.read(begun.secret)
    desk.kept.clock.advance(COPIED)
    assert await desk.there.read(begun.secret) is None


async def test_a_copy_from_before_the_end(desk: Desk) -> None:
    """Who asked before a session was ended, and copies it after, brings it back for nobody."""
    begun = await desk.begin()
    late = Copy(asked=desk.kept.clock.time, session=begun.session)
    await desk.here.end(begun.session, address=HERE)
    await desk.there._copy(begun.session.digest, late)
    for worker in (desk.here, desk.there):
        assert await worker.read(begun.secret) is None


async def test_what_came_late_is_not_copied(desk: Desk) -> None:
    """What PostgreSQL said too long ago is not copied, and counts for nothing; so with what is to come."""
    begun = await desk.begin()
    now: datetime = desk.kept.clock.time
    copy = Copy(asked=now, session=begun.session)
    assert copy.counts(now)
    assert copy.counts(now - COPIED)
    assert not copy.counts(now + COPIED)
    assert not copy.counts(now - COPIED - timedelta(milliseconds=1))
    desk.kept.clock.advance(COPIED)
    await desk.there._copy(begun.session.digest, copy)
    assert desk.keys() == []


async def test_without_the_database(desk: Desk) -> None:
    """Where nobody can say whether a session goes on, it is not taken for one that does, nor for none."""
    begun = await desk.begin()
    await desk.kept.accounts.database.stop()
    with pytest.raises(DatabaseDown):
        await desk.there.read(begun.secret)
