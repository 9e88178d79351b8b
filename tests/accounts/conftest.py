"""Accounts on a new database, with a clock that tests turn."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest_twisted
from argon2 import PasswordHasher
from attrs import define, field
from twisted.internet import reactor

from pypi.accounts.accounts import Accounts
from pypi.accounts.owner import Owner
from pypi.accounts.passwords import Passwords
from pypi.db.database import Database


def owner(user_id: int, name: str = "ada") -> Owner:
    """The owner of an account, somewhere."""
    return Owner(user_id, name, "192.0.2.1")


@define
class Clock:
    """A clock that stands still."""

    time: datetime = datetime(2026, 5, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The time it shows."""
        return self.time

    def advance(self, by: timedelta) -> None:
        """Turn it."""
        self.time += by


@define(eq=False)
class Kept:
    """Accounts, and what they are made of.

    Attributes:
        url: of their database.
        clock: theirs.
    """

    accounts: Accounts
    url: str
    clock: Clock = field(factory=Clock)


@pytest_twisted.async_yield_fixture
async def kept(database_url: str) -> AsyncIterator[Kept]:
    """Accounts whose randomness is predictable."""
    clock, numbers = Clock(), count()
    passwords = Passwords(reactor)
    # As cheap as it gets: what a hash costs is not what is tested.
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    database = Database(database_url, reactor)
    accounts = Accounts(
        database=database,
        passwords=passwords,
        now=clock.now,
        random_bytes=lambda size: hashlib.blake2b(b"%d" % next(numbers), digest_size=size).digest(),
    )
    await passwords.start()
    yield Kept(accounts, database_url, clock)
    await database.stop()
    await passwords.stop()
