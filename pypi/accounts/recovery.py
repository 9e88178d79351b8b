"""Recovery codes: what gets somebody in whose telephone is lost; ten, each good once."""

from __future__ import annotations

import hashlib
import re
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.factor_errors import NoFactorYet, WrongCode
from pypi.accounts.owner import Owner, has_added
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import recovery_codes as stored
from pypi.db.queries import second_factors

COUNT = 10
"""Codes an account has at a time."""

SIZE = 10
"""Random bytes of a code: too many to try, even by whoever has the digests."""

_GRAMMAR = re.compile(r"[a-z2-7]{16}", re.ASCII)
_LONGEST = 60
"""Characters of a code with all the blanks people type."""


@frozen(kw_only=True, eq=False)
class RecoveryCodes:
    """The recovery codes of accounts."""

    database: Database
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    async def renew(self, owner: Owner) -> list[str]:
        """Make ten codes in place of all there were.

        Returns:
            the codes, which are shown this once and never again.

        Raises:
            NoFactorYet: the account has no second factor for which they could stand in.
        """
        codes = [make(self.random_bytes) for _ in range(COUNT)]
        digests = [digest(code) for code in codes]
        await self.database.transact(_renew, owner, digests, now=self.now())
        return codes

    async def use(self, user_id: int, code: str) -> None:
        """Accept a code, which is used up by it.

        Raises:
            WrongCode: it is none of the account's, or was used.
        """
        await self.database.transact(use, user_id, code, self.now())


async def _renew(cursor: Cursor, owner: Owner, digests: list[bytes], *, now: datetime) -> None:
    # Under the account's lock: of two who renew at once, the later one's codes remain, and only those.
    factors = await second_factors.locked(cursor, owner.user_id)
    if factors is None or not (factors.totp or factors.passkeys):
        raise NoFactorYet()
    await stored.replace(cursor, owner.user_id, digests=digests)
    count = len(digests)
    await has_added(cursor, owner, Kind.RECOVERY_MADE, f"{count} recovery codes", now=now, count=count)


async def use(cursor: Cursor, user_id: int, code: str, now: datetime) -> None:
    """``RecoveryCodes.use`` within a transaction of the caller's.

    Raises:
        WrongCode: see there.
    """
    bare = normalize(code)
    if bare is None or not await stored.use(cursor, user_id, digest=digest(bare), now=now):
        raise WrongCode()


def make(random_bytes: Callable[[int], bytes]) -> str:
    """A new code such as ``abcd-efgh-ijkl-mn23``, from a source of randomness."""
    bare = b32encode(random_bytes(SIZE)).decode().lower()
    return "-".join(bare[start : start + 4] for start in range(0, len(bare), 4))


def normalize(code: str) -> str | None:
    """A code as somebody typed it from paper, without blanks and strokes; ``None`` if it is no such code.

    The digits 0, 1 and 8 occur in none, and are taken for the letters they look like.
    """
    if len(code) > _LONGEST:
        return None
    bare = "".join(code.replace("-", " ").split()).lower().translate(_MISREAD)
    return bare if _GRAMMAR.fullmatch(bare) else None


_MISREAD = str.maketrans("018", "olb")


def digest(code: str) -> bytes:
    """What is stored of a code.

    Raises:
        ValueError: it is none.
    """
    bare = normalize(code)
    if bare is None:
        raise ValueError("no recovery code")
    return hashlib.sha256(bare.encode()).digest()
