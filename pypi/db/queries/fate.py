"""What became of a transaction whose end nobody heard of."""

from __future__ import annotations

import psycopg2

from pypi.db.connection import Cursor

TRANSACTION = "SELECT pg_current_xact_id()::text"
FATE = "SELECT pg_xact_status(%(transaction)s::xid8)"

IN_THE_FUTURE = "22023"
"""Invalid parameter: a transaction with a number that was not given to any yet."""


async def transaction(cursor: Cursor) -> str:
    """What this transaction is called, to ask later what became of it."""
    return str(await cursor.value(TRANSACTION))


async def fate(cursor: Cursor, transaction: str) -> str | None:
    """What became of a transaction: ``committed``, ``aborted``, ``in progress``; ``None`` if it is too old.

    A server that has never heard of it has lost it, and is another one by now. For ``Database.ask``.
    """
    try:
        told: str | None = await cursor.value(FATE, {"transaction": transaction})
    except psycopg2.Error as error:
        if error.pgcode != IN_THE_FUTURE:
            raise
        return "aborted"
    return told
