"""What is said of projects: their status (PEP 792), why, and what is to be used instead."""

from __future__ import annotations

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class Said:
    """What is said of a project; ``successor`` is a normalized name, empty for none."""

    status: str
    reason: str
    successor: NormalizedName


OF = "SELECT status, status_reason, successor FROM projects WHERE id = %(id)s"

SAY = """
    UPDATE projects SET status = %(status)s, status_reason = %(reason)s, successor = %(successor)s
     WHERE id = %(id)s"""

QUARANTINE = """
    UPDATE projects
       SET before_quarantine = jsonb_build_object(
               'status', status, 'reason', status_reason, 'successor', successor),
           status = 'quarantined', status_reason = %(reason)s, successor = ''
     WHERE id = %(id)s"""

CLEAR = """
    UPDATE projects
       SET status = coalesce(before_quarantine ->> 'status', 'active'),
           status_reason = coalesce(before_quarantine ->> 'reason', ''),
           successor = coalesce(before_quarantine ->> 'successor', ''),
           before_quarantine = NULL
     WHERE id = %(id)s"""

HELD_BACK = """
    SELECT CASE WHEN p.status = 'quarantined' THEN p.status_reason ELSE r.quarantine_reason END
      FROM projects p
      LEFT JOIN releases r ON r.project_id = p.id AND r.canonical = %(canonical)s
           AND r.quarantined IS NOT NULL
     WHERE p.normalized = %(normalized)s AND is_shown(p.reads)
       AND (p.status = 'quarantined' OR r.id IS NOT NULL)"""

WITHHELD = """
    SELECT f.blake2_256 FROM projects p JOIN files f ON f.project_id = p.id
     WHERE p.status = 'quarantined'
     UNION ALL
    SELECT f.blake2_256 FROM releases r JOIN files f ON f.release_id = r.id
     WHERE r.quarantined IS NOT NULL"""


async def of(cursor: Cursor, project_id: int) -> Said:
    """What is said of a project now."""
    found = await cursor.row(Said, OF, {"id": project_id})
    assert found is not None
    return found


async def say(cursor: Cursor, project_id: int, said: Said) -> None:
    """Say this of a project from now on."""
    given = {"status": said.status, "reason": said.reason, "successor": said.successor}
    await cursor.run(SAY, {"id": project_id, **given})


async def quarantine(cursor: Cursor, project_id: int, *, reason: str) -> None:
    """Offer nothing of a project; what was said of it before is remembered."""
    await cursor.run(QUARANTINE, {"id": project_id, "reason": reason})


async def clear(cursor: Cursor, project_id: int) -> None:
    """Offer it again, and say of it what was said before."""
    await cursor.run(CLEAR, {"id": project_id})


async def held_back(cursor: Cursor, name: NormalizedName, canonical: str | None) -> str | None:
    """Why a project, or its release of a canonical version, is in quarantine; ``None``: it is not."""
    found: str | None = await cursor.value(HELD_BACK, {"normalized": name, "canonical": canonical})
    return found


async def withheld(cursor: Cursor) -> frozenset[str]:
    """BLAKE2b-256 digests of all files that are not handed out."""
    return frozenset(digest for (digest,) in await cursor.tuples(WITHHELD))
