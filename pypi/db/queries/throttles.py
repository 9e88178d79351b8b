"""Buckets of tokens, from which is drawn when somebody tries something that may not be tried often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class Bucket:
    """A bucket that is drawn from.

    Attributes:
        most: tokens it holds.
        seconds: in which it fills, evenly.
    """

    key: str
    most: int
    seconds: int


@frozen
class Level:
    """How full a bucket is."""

    key: str
    tokens: float


# In the order of their keys, so that of two who draw from the same buckets one waits for the other, once. A
# clock that went back fills nothing.
FILL = """
    INSERT INTO throttles AS t (key, tokens, at, "full")
    SELECT key, most, %(now)s, %(now)s
      FROM unnest(%(keys)s::text[], %(most)s::float8[], %(seconds)s::float8[]) AS asked (key, most, seconds)
     ORDER BY key
    ON CONFLICT (key) DO UPDATE SET at = greatest(t.at, excluded.at),
       tokens = (SELECT least(most, t.tokens + most / seconds
                              * greatest(0, extract(epoch FROM excluded.at - t.at)::float8))
                   FROM unnest(%(keys)s::text[], %(most)s::float8[], %(seconds)s::float8[])
                     AS asked (key, most, seconds) WHERE asked.key = excluded.key)
    RETURNING key, tokens"""

DRAW = """
    UPDATE throttles t SET tokens = least(most, t.tokens - %(amount)s),
           "full" = t.at + greatest(0, most - (t.tokens - %(amount)s)) * seconds / most * interval '1 second'
      FROM unnest(%(keys)s::text[], %(most)s::float8[], %(seconds)s::float8[]) AS asked (key, most, seconds)
     WHERE t.key = asked.key"""

TIDY = """
    DELETE FROM throttles WHERE key IN (
        SELECT key FROM throttles WHERE "full" <= %(now)s
         ORDER BY "full" LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""


async def fill(cursor: Cursor, buckets: Sequence[Bucket], *, now: datetime) -> list[Level]:
    """Lock the buckets until the transaction ends, and fill them up to now; new ones are full."""
    return await cursor.rows(Level, FILL, _asked(buckets) | {"now": now})


async def draw(cursor: Cursor, buckets: Sequence[Bucket], *, amount: int) -> None:
    """Draw from buckets that ``fill`` locked; a negative amount gives back, up to what they hold."""
    await cursor.run(DRAW, _asked(buckets) | {"amount": amount})


async def tidy(cursor: Cursor, *, now: datetime, limit: int) -> int:
    """Forget buckets that are full; how many."""
    return await cursor.run(TIDY, {"now": now, "limit": limit})


def _asked(buckets: Sequence[Bucket]) -> dict[str, object]:
    return {
        "keys": [bucket.key for bucket in buckets],
        "most": [float(bucket.most) for bucket in buckets],
        "seconds": [float(bucket.seconds) for bucket in buckets],
    }
