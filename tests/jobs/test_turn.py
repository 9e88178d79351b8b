"""Jobs that one worker does for all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import define

from pypi.db.database import Database
from pypi.jobs.turn import InTurn
from tests.support.index import reactor

START = datetime(2026, 1, 1, tzinfo=UTC)


@define
class Counting:
    """A job that counts how often it was done."""

    every: float = 3600.0
    times: int = 0

    async def run(self) -> None:
        """Once more."""
        self.times += 1


async def test_one_of_all_does_it(database_url: str) -> None:
    """Of two workers that want to, one does the job; an hour later it is done once more."""
    database = Database(database_url, reactor, size=2)
    moment = START
    job = Counting()
    workers = [InTurn(job=job, name="count", database=database, now=lambda: moment) for _ in range(2)]
    try:
        for worker in workers:
            await worker.run()
        assert job.times == 1
        moment += timedelta(seconds=3599)
        for worker in reversed(workers):
            await worker.run()
        assert job.times == 2
        assert workers[0].every == job.every
    finally:
        await database.stop()
