"""Releases, their core metadata, descriptions and classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from psycopg2.extras import Json

from pypi.db.connection import Cursor
from pypi.domain import versions


@frozen
class ReleaseRow:
    """A release; ``created`` is aware, UTC, and ``is_quarantined`` whether nothing of it is offered."""

    id: int
    version: str
    created: datetime
    is_quarantined: bool = False


BY_VERSION = """
    SELECT id, version, created, quarantined IS NOT NULL FROM releases
     WHERE project_id = %(project_id)s AND canonical = %(canonical)s"""

BY_VERSIONS = """
    SELECT canonical, id, version, created, quarantined IS NOT NULL FROM releases
     WHERE project_id = %(project_id)s AND canonical = ANY(%(canonicals)s)"""

ADD = """
    INSERT INTO releases (project_id, version, canonical, is_prerelease, summary, metadata, created)
    VALUES (%(project_id)s, %(version)s, %(canonical)s, %(is_prerelease)s, %(summary)s, %(metadata)s, %(now)s)
    RETURNING id, version, created, false"""

DESCRIBE = """
    INSERT INTO descriptions (release_id, content_type, raw, html, renderer)
    VALUES (%(release_id)s, %(content_type)s, %(raw)s, %(html)s, %(renderer)s)"""

KNOW_CLASSIFIERS = """
    INSERT INTO classifiers (name) SELECT unnest(%(names)s::text[]) ON CONFLICT DO NOTHING"""

CLASSIFY = """
    INSERT INTO release_classifiers (release_id, classifier_id)
    SELECT %(release_id)s, id FROM classifiers WHERE name = ANY(%(names)s)"""


YANK = """
    UPDATE releases SET yanked = %(now)s, yanked_reason = %(reason)s
     WHERE id = ANY(%(ids)s) AND (yanked IS NULL OR yanked_reason <> %(reason)s) RETURNING id"""

UNYANK = """
    UPDATE releases SET yanked = NULL, yanked_reason = ''
     WHERE id = ANY(%(ids)s) AND yanked IS NOT NULL RETURNING id"""

QUARANTINE = """
    UPDATE releases SET quarantined = %(now)s, quarantine_reason = %(reason)s
     WHERE id = %(id)s AND quarantined IS NULL"""

HELD_BACK = """
    SELECT id, version, created, true FROM releases
     WHERE project_id = %(project_id)s AND quarantined IS NOT NULL ORDER BY place DESC"""

CLEAR = """
    UPDATE releases SET quarantined = NULL, quarantine_reason = ''
     WHERE id = %(id)s AND quarantined IS NOT NULL"""


async def by_version(cursor: Cursor, *, project_id: int, version: str) -> ReleaseRow | None:
    """The release of that version in any spelling (``1.0`` is ``1.0.0``), ``None`` if there is none."""
    if "\0" in version:  # which the database takes in no text
        return None
    return await cursor.row(
        ReleaseRow, BY_VERSION, {"project_id": project_id, "canonical": versions.canonical(version)}
    )


async def by_versions(cursor: Cursor, *, project_id: int, asked: Sequence[str]) -> dict[str, ReleaseRow]:
    """Canonical version → the release, of those of these versions that there are."""
    canonicals = [versions.canonical(one) for one in asked if "\0" not in one]
    given = {"project_id": project_id, "canonicals": canonicals}
    return {key: ReleaseRow(*row) for key, *row in await cursor.tuples(BY_VERSIONS, given)}


async def add(
    cursor: Cursor,
    *,
    project_id: int,
    version: str,
    summary: str,
    metadata: Mapping[str, Any],
    now: datetime,
) -> ReleaseRow:
    """A new release with the core metadata of its first file, without the description."""
    row = await cursor.row(
        ReleaseRow,
        ADD,
        {
            "project_id": project_id,
            "version": version,
            "canonical": versions.canonical(version),
            "is_prerelease": versions.is_prerelease(version),
            "summary": summary,
            "metadata": Json(metadata),
            "now": now,
        },
    )
    assert row is not None
    return row


async def describe(
    cursor: Cursor, *, release_id: int, content_type: str, raw: str, html: str | None, renderer: str
) -> None:
    """Keep the description as it was written, and what became of it.

    Args:
        html: for the page; ``None`` where the text itself has to be shown.
        renderer: who said so; ``""``: nobody yet, it is a job to be done.
    """
    await cursor.run(
        DESCRIBE,
        {
            "release_id": release_id,
            "content_type": content_type,
            "raw": raw,
            "html": html,
            "renderer": renderer,
        },
    )


async def classify(cursor: Cursor, *, release_id: int, classifiers: Sequence[str]) -> None:
    """File the release under its trove classifiers."""
    if classifiers:
        # In one order for all, so that two who add the same new ones wait, but never for each other.
        names = sorted(set(classifiers))
        await cursor.run(KNOW_CLASSIFIERS, {"names": names})
        await cursor.run(CLASSIFY, {"release_id": release_id, "names": names})


async def yank(cursor: Cursor, ids: Sequence[int], *, reason: str, now: datetime) -> set[int]:
    """Mark releases as yanked; which of them were not before, or for another reason."""
    return {one for (one,) in await cursor.tuples(YANK, {"ids": list(ids), "reason": reason, "now": now})}


async def unyank(cursor: Cursor, ids: Sequence[int]) -> set[int]:
    """Take that mark away; from which of them."""
    return {one for (one,) in await cursor.tuples(UNYANK, {"ids": list(ids)})}


async def quarantine(cursor: Cursor, release_id: int, *, reason: str, now: datetime) -> bool:
    """Offer nothing of a release; whether it was offered before."""
    return bool(await cursor.run(QUARANTINE, {"id": release_id, "reason": reason, "now": now}))


async def held_back(cursor: Cursor, project_id: int) -> list[ReleaseRow]:
    """The releases of a project that are in quarantine, the highest version first."""
    return await cursor.rows(ReleaseRow, HELD_BACK, {"project_id": project_id})


async def clear(cursor: Cursor, release_id: int) -> bool:
    """Offer it again; whether it was not."""
    return bool(await cursor.run(CLEAR, {"id": release_id}))
