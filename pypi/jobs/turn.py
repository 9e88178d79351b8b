"""A job of the whole index: one worker does it, and the others leave it alone until the next time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen

from pypi.db.database import Database
from pypi.db.queries import turns
from pypi.jobs.schedule import Job

SLACK = 0.9
"""Part of a job's pause after which its turn may be taken again: loops of workers are not in step."""


@frozen(kw_only=True, eq=False)
class InTurn:
    """Does the job if nobody has begun it lately.

    Attributes:
        job: that is done.
        name: under which turns are taken.
    """

    job: Job
    name: str
    database: Database
    now: Callable[[], datetime]

    @property
    def every(self) -> float:
        """Seconds between runs, whoever does them."""
        return self.job.every

    async def run(self) -> None:
        """Take the turn, and do it; or leave it to who has."""
        pause = timedelta(seconds=self.every * SLACK)
        if await self.database.transact(turns.take, self.name, every=pause, now=self.now()):
            await self.job.run()
