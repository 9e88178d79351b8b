"""The security log: what happened to accounts and projects, when, and by whom."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class AuditRow:
    """A line of the log.

    Attributes:
        id: grows with time; pages are asked for by it.
        at: aware, UTC.
        user_id: the account it happened to; ``None`` for none, or for one that is no more.
        actor: the name of who did it.
        address: from where; empty after some time.
        normalized: the project it happened to.
        about: what else there is to know.
    """

    id: int
    at: datetime
    user_id: int | None
    actor: str
    address: str
    event: str
    normalized: str | None
    about: dict[str, Any]


@frozen
class NamedRow(AuditRow):
    """A line for those who see all accounts.

    Attributes:
        user: name of the account it happened to; empty for none, or for one that is no more.
    """

    user: str


ADD = """
    INSERT INTO audit (at, user_id, actor, address, event, normalized, about)
    VALUES (%(at)s, %(user_id)s, %(actor)s, %(address)s, %(event)s, %(normalized)s, %(about)s)"""

# Every column but the time is of its own line.
ADD_ALL = """
    INSERT INTO audit (at, user_id, actor, address, event, normalized, about)
    SELECT %(at)s, user_id, actor, address, event, normalized, about
      FROM ROWS FROM (jsonb_to_recordset(%(lines)s::jsonb) AS
           (user_id bigint, actor text, address text, event text, normalized text, about jsonb))
           WITH ORDINALITY AS given (user_id, actor, address, event, normalized, about, number)
     ORDER BY number RETURNING id"""

TIE = """
    UPDATE audit SET serial = %(first)s + number - 1
      FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS line (id, number) WHERE audit.id = line.id"""

OF_USER = """
    SELECT id, at, user_id, actor, address, event, normalized, about FROM audit
     WHERE user_id = %(user_id)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
     ORDER BY id DESC LIMIT %(limit)s"""

OF_PROJECT = """
    SELECT id, at, user_id, actor, address, event, normalized, about FROM audit
     WHERE normalized = %(normalized)s AND (%(before)s::bigint IS NULL OR id < %(before)s)
     ORDER BY id DESC LIMIT %(limit)s"""

OF_EVENT = """
    SELECT a.id, at, user_id, actor, address, event, normalized, about, coalesce(u.name, '')
      FROM audit a LEFT JOIN users u ON u.id = a.user_id
     WHERE event = %(event)s AND (%(before)s::bigint IS NULL OR a.id < %(before)s)
     ORDER BY a.id DESC LIMIT %(limit)s"""

ALL = """
    SELECT a.id, at, user_id, actor, address, event, normalized, about, coalesce(u.name, '')
      FROM audit a LEFT JOIN users u ON u.id = a.user_id
     WHERE %(before)s::bigint IS NULL OR a.id < %(before)s
     ORDER BY a.id DESC LIMIT %(limit)s"""

COUNT = """
    SELECT count(*) FROM audit
     WHERE user_id = %(user_id)s AND event = %(event)s AND normalized = %(normalized)s AND at > %(since)s"""

FORGET_ADDRESSES = """
    UPDATE audit SET address = '' WHERE id IN (
        SELECT id FROM audit WHERE address <> '' AND at < %(before)s
         ORDER BY at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""


async def add(
    cursor: Cursor,
    *,
    at: datetime,
    user_id: int | None,
    actor: str,
    address: str,
    event: str,
    normalized: str | None,
    about: Mapping[str, object],
) -> None:
    """Write a line."""
    parameters = {
        "at": at,
        "user_id": user_id,
        "actor": actor,
        "address": address,
        "event": event,
        "normalized": normalized,
        "about": json.dumps(about),
    }
    await cursor.run(ADD, parameters)


async def add_all(cursor: Cursor, lines: Sequence[Mapping[str, object]], *, at: datetime) -> list[int]:
    """Write several lines of one moment.

    Args:
        lines: each with ``user_id``, ``actor``, ``address``, ``event``, ``normalized`` and ``about``.

    Returns:
        their ids, in the same order.
    """
    added = await cursor.tuples(ADD_ALL, {"at": at, "lines": json.dumps(list(lines))})
    return sorted(number for (number,) in added)


async def tie(cursor: Cursor, ids: Sequence[int], *, first: int) -> None:
    """Say which lines of the journal tell of the same: the first of them, and those that follow."""
    await cursor.run(TIE, {"ids": list(ids), "first": first})


async def of_user(cursor: Cursor, *, user_id: int, before: int | None, limit: int) -> list[AuditRow]:
    """What happened to an account, last first, of all lines before one."""
    return await cursor.rows(AuditRow, OF_USER, {"user_id": user_id, "before": before, "limit": limit})


async def of_project(cursor: Cursor, *, normalized: str, before: int | None, limit: int) -> list[AuditRow]:
    """What happened to a project, last first, of all lines before one."""
    parameters = {"normalized": normalized, "before": before, "limit": limit}
    return await cursor.rows(AuditRow, OF_PROJECT, parameters)


async def of_event(cursor: Cursor, *, event: str, before: int | None, limit: int) -> list[NamedRow]:
    """Where one thing happened to anybody, last first, of all lines before one."""
    return await cursor.rows(NamedRow, OF_EVENT, {"event": event, "before": before, "limit": limit})


async def everything(cursor: Cursor, *, before: int | None, limit: int) -> list[NamedRow]:
    """The whole log, last first, of all lines before one."""
    return await cursor.rows(NamedRow, ALL, {"before": before, "limit": limit})


async def count(cursor: Cursor, *, user_id: int, event: str, normalized: str, since: datetime) -> int:
    """How often one thing happened to an account because of a project, since a moment."""
    given = {"user_id": user_id, "event": event, "normalized": normalized, "since": since}
    return int(await cursor.value(COUNT, given))


async def forget_addresses(cursor: Cursor, *, before: datetime, limit: int) -> int:
    """Take the addresses out of the oldest lines from before a moment; how many."""
    return await cursor.run(FORGET_ADDRESSES, {"before": before, "limit": limit})
