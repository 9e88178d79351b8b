"""Turns: one worker of all does a job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from pypi.db.database import Database
from pypi.db.queries import turns

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def test_one_of_many(database_url: str) -> None:
    """Of many who ask at once one has the turn; the next turn comes when the time has passed."""
    database = Database(database_url, reactor)

    async def take(job: str, seconds: float) -> bool:
        return await database.transact(turns.take, job, every=MINUTE, now=NOW + timedelta(seconds=seconds))

    asked = [Deferred.fromCoroutine(take("audit", 0)) for _ in range(8)]
    assert sorted(await gatherResults(asked)) == [False] * 7 + [True]
    assert not await take("audit", 59)
    assert await take("sweep", 59), "another job has turns of its own"
    assert await take("audit", 60)
    assert not await take("audit", 61)
    await database.stop()


async def test_clock_ahead(database_url: str) -> None:
    """A turn that was taken by a clock far ahead keeps nobody waiting."""
    database = Database(database_url, reactor)
    assert await database.transact(turns.take, "audit", every=MINUTE, now=NOW + timedelta(days=1000))
    assert await database.transact(turns.take, "audit", every=MINUTE, now=NOW)
    await database.stop()
