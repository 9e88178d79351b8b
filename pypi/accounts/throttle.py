"""How often one may try: buckets of tokens in PostgreSQL, so that they hold whatever becomes of caches.

A token is drawn from every bucket a try is counted in, or from none. What is refused writes nothing, so that
whoever goes on trying makes the table no larger, and empties no bucket of others.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum
from math import ceil

from attrs import frozen

from caching.rate import Rate
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import throttles
from pypi.db.queries.throttles import Bucket
from pypi.domain.errors import TooMany

MINUTE, HOUR, DAY = 60, 3600, 86400
"""Seconds."""

TIDIED = 1000
"""Buckets forgotten in one transaction."""


class Scope(Enum):
    """Whose tries are counted together."""

    ACCOUNT = "account"
    ADDRESS = "address"
    BOTH = "both"
    EVERYBODY = "everybody"


class Act(Enum):
    """What may not be tried often, and how often it may.

    An account is named as it was typed, whether there is one or not; with ``RESET`` and ``VERIFY`` it is
    the e-mail address.
    """

    SIGN_IN = (
        "sign-in",
        (Scope.ACCOUNT, Rate(10, 5 * MINUTE)),
        (Scope.ADDRESS, Rate(10, 5 * MINUTE)),
        (Scope.EVERYBODY, Rate(1000, 5 * MINUTE)),
    )
    # Apart, since an installer with an old password must not keep anybody from signing in.
    READ = (
        "read",
        (Scope.ACCOUNT, Rate(10, 5 * MINUTE)),
        (Scope.ADDRESS, Rate(10, 5 * MINUTE)),
        (Scope.EVERYBODY, Rate(1000, 5 * MINUTE)),
    )
    OPENID = (
        "openid",
        (Scope.ADDRESS, Rate(30, 5 * MINUTE)),
        (Scope.EVERYBODY, Rate(1000, 5 * MINUTE)),
    )
    PASSKEY = (
        "passkey",
        (Scope.ADDRESS, Rate(60, 5 * MINUTE)),
        (Scope.EVERYBODY, Rate(2000, 5 * MINUTE)),
    )
    SECOND_FACTOR = (
        "second-factor",
        (Scope.ACCOUNT, Rate(5, 5 * MINUTE)),
        (Scope.ACCOUNT, Rate(20, HOUR)),
        (Scope.ACCOUNT, Rate(50, DAY)),
        (Scope.EVERYBODY, Rate(1000, 5 * MINUTE)),
    )
    CONFIRM = (
        "confirm",
        (Scope.ACCOUNT, Rate(5, HOUR)),
        (Scope.ACCOUNT, Rate(15, DAY)),
        (Scope.EVERYBODY, Rate(1000, HOUR)),
    )
    RESET = (
        "reset",
        (Scope.ACCOUNT, Rate(5, DAY)),
        (Scope.BOTH, Rate(3, HOUR)),
        (Scope.ADDRESS, Rate(20, HOUR)),
        (Scope.EVERYBODY, Rate(1000, HOUR)),
    )
    VERIFY = (
        "verify",
        (Scope.ACCOUNT, Rate(5, DAY)),
        (Scope.ADDRESS, Rate(20, HOUR)),
        (Scope.EVERYBODY, Rate(1000, HOUR)),
    )
    REGISTER = (
        "register",
        (Scope.ADDRESS, Rate(10, HOUR)),
        (Scope.EVERYBODY, Rate(200, HOUR)),
    )
    API_WRITE = (
        "api.write",
        (Scope.ACCOUNT, Rate(600, HOUR)),
        (Scope.ADDRESS, Rate(1200, HOUR)),
    )
    # By pages or by programs: either way these are letters to people.
    INVITE = (
        "invite",
        (Scope.ACCOUNT, Rate(60, HOUR)),
        (Scope.ADDRESS, Rate(120, HOUR)),
    )
    PASSWORD = (
        "password",
        (Scope.ACCOUNT, Rate(10, 5 * MINUTE)),
        (Scope.EVERYBODY, Rate(1000, 5 * MINUTE)),
    )
    TOKEN = (
        "token",
        (Scope.ACCOUNT, Rate(100, DAY)),
    )
    REPORT = (
        "report",
        (Scope.ADDRESS, Rate(300, 5 * MINUTE)),
        (Scope.EVERYBODY, Rate(3000, 5 * MINUTE)),
    )

    def __init__(self, word: str, *limits: tuple[Scope, Rate]) -> None:
        self.word = word
        self.limits = limits


@frozen
class Throttled(TooMany):
    """It was tried too often, by whomever.

    Attributes:
        seconds: until it may be tried again, at least 1.
    """

    seconds: int

    @property
    def retry_after(self) -> int:  # type: ignore[override]
        """Seconds until asking again makes sense."""
        return self.seconds

    def __str__(self) -> str:
        minutes = ceil(self.seconds / MINUTE)
        when = f"{self.seconds} seconds" if self.seconds < 2 * MINUTE else f"{minutes} minutes"
        return f"That was tried too often. Try again in {when}."


@frozen(kw_only=True, eq=False)
class Throttle:
    """Counts tries.

    Attributes:
        factor: scales all rates; 0 counts nothing and refuses nobody.
    """

    database: Database
    now: Callable[[], datetime]
    factor: float = 1.0

    async def take(self, act: Act, *, account: str = "", address: str = "") -> None:
        """Count a try, before anything else is done for it.

        Args:
            account: the name as it was typed.
            address: where the try comes from; all of an IPv6 network of 64 bits are one.

        Raises:
            Throttled: too many before; this one is not counted.
            DatabaseDown: nobody can say, so nobody may try.
        """
        if buckets := self._buckets(act, account, address):
            await self.database.transact(_take, buckets, now=self.now())

    async def give_back(self, act: Act, *, account: str = "", address: str = "") -> None:
        """Take back the counting of a try, as is due where it was right: only wrong ones count for long."""
        if buckets := self._buckets(act, account, address):
            await self.database.transact(_give_back, buckets, now=self.now())

    async def tidy(self) -> int:
        """Forget whom nothing is held against, a bounded number at once.

        Returns:
            how many; there may be more while it is ``TIDIED``.
        """
        return await self.database.transact(throttles.tidy, now=self.now(), limit=TIDIED)

    def _buckets(self, act: Act, account: str, address: str) -> list[Bucket]:
        if not self.factor:
            return []
        return list(_scaled(act, account, address, self.factor))


def _scaled(act: Act, account: str, address: str, factor: float) -> Iterator[Bucket]:
    account, address = account.strip().lower(), _network(address)
    # What is typed where a name belongs may be a password, and addresses are people's: neither is kept.
    whose = {
        Scope.ACCOUNT: account,
        Scope.ADDRESS: address,
        Scope.BOTH: f"{account}\0{address}",
        Scope.EVERYBODY: "",
    }
    for scope, rate in act.limits:
        if scope is Scope.ADDRESS and not address:
            continue
        digest = hashlib.sha256(whose[scope].encode("utf-8", "surrogatepass")).hexdigest()
        key = f"{act.word}/{scope.value}/{rate.seconds}/{digest}"
        yield Bucket(key, max(1, round(rate.amount * factor)), rate.seconds)


def _network(address: str) -> str:
    """What somebody has one of: an IPv4 address, or an IPv6 network of 64 bits (RFC 6177)."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


async def _take(cursor: Cursor, buckets: list[Bucket], *, now: datetime) -> None:
    levels = {level.key: level.tokens for level in await throttles.fill(cursor, buckets, now=now)}
    waits = [(1 - levels[bucket.key]) * bucket.seconds / bucket.most for bucket in buckets]
    # A hair less than a whole token is one: seconds are not counted exactly.
    if (wait := max(waits)) > 1e-6:
        raise Throttled(max(1, ceil(wait)))
    await throttles.draw(cursor, buckets, amount=1)


async def _give_back(cursor: Cursor, buckets: list[Bucket], *, now: datetime) -> None:
    await throttles.fill(cursor, buckets, now=now)
    await throttles.draw(cursor, buckets, amount=-1)
