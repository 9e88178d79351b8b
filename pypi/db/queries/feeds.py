"""What is new, and what there is, for feed readers and search engines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class ReleaseRow:
    """A release; ``created`` is aware, UTC; ``author_email`` may be empty."""

    name: str
    normalized: str
    version: str
    summary: str
    author_email: str
    created: datetime


@frozen
class NewProjectRow:
    """A project that is new, with some of its releases.

    Attributes:
        created: when the name was taken; aware, UTC.
        versions, yanked, summaries, author_emails: of its last releases, at least one, one after the other.
    """

    name: str
    normalized: str
    created: datetime
    versions: Sequence[str]
    yanked: Sequence[bool]
    summaries: Sequence[str]
    author_emails: Sequence[str]


@frozen
class BucketRow:
    """A part of all projects; ``changed``: when one of them was changed last, aware, UTC."""

    bucket: str
    changed: datetime


@frozen
class PlaceRow:
    """A project's normalized name, and when it was changed last; aware, UTC."""

    normalized: str
    changed: datetime


UPDATES = """
    SELECT p.name, p.normalized, r.version, r.summary, coalesce(r.metadata->>'author_email', ''), r.created
      FROM releases r JOIN projects p ON p.id = r.project_id
     WHERE p.is_listed AND r.quarantined IS NULL
     ORDER BY r.created DESC, r.id DESC LIMIT %(limit)s"""

OF_PROJECT = """
    SELECT p.name, p.normalized, r.version, r.summary, coalesce(r.metadata->>'author_email', ''), r.created
      FROM releases r JOIN projects p ON p.id = r.project_id
     WHERE p.normalized = %(normalized)s AND p.status <> 'quarantined' AND is_shown(p.reads)
       AND r.quarantined IS NULL
     ORDER BY r.created DESC, r.id DESC LIMIT %(limit)s"""

PROJECT = "SELECT name FROM projects WHERE normalized = %(normalized)s AND is_shown(reads)"

NEW_PROJECTS = """
    SELECT p.name, p.normalized, p.created, last.versions, last.yanked, last.summaries, last.author_emails
      FROM projects p CROSS JOIN LATERAL (
           SELECT array_agg(version) AS versions, array_agg(yanked IS NOT NULL) AS yanked,
                  array_agg(summary) AS summaries,
                  array_agg(coalesce(metadata->>'author_email', '')) AS author_emails
             FROM (SELECT version, yanked, summary, metadata FROM releases
                    WHERE project_id = p.id AND quarantined IS NULL
                    ORDER BY created DESC, id DESC LIMIT %(releases)s) AS r) AS last
     WHERE last.versions IS NOT NULL AND p.is_listed
     ORDER BY p.created DESC, p.id DESC LIMIT %(limit)s"""

# A bucket is named by the first two digits of the MD5 of the normalized name: whatever else comes and goes, a
# project stays in its bucket.
BUCKETS = """
    SELECT bucket, coalesce(j.at, created)
      FROM (SELECT left(md5(normalized), 2) AS bucket, max(last_serial) AS serial, max(created) AS created
              FROM projects WHERE is_listed GROUP BY 1) AS p
      LEFT JOIN journal j ON j.serial = p.serial
     ORDER BY bucket"""

IN_BUCKET = """
    SELECT p.normalized, coalesce(j.at, p.created)
      FROM projects p LEFT JOIN journal j ON j.serial = p.last_serial
     WHERE p.is_listed AND left(md5(p.normalized), 2) = %(bucket)s
     ORDER BY p.normalized COLLATE "C" LIMIT %(limit)s"""


async def updates(cursor: Cursor, limit: int) -> list[ReleaseRow]:
    """The newest releases, the newest first."""
    return await cursor.rows(ReleaseRow, UPDATES, {"limit": limit})


async def of_project(cursor: Cursor, name: NormalizedName, limit: int) -> tuple[str | None, list[ReleaseRow]]:
    """(a project's name, its newest releases, the newest first); ``None`` if there is no such project."""
    found = await cursor.rows(ReleaseRow, OF_PROJECT, {"normalized": name, "limit": limit})
    if found:
        return found[0].name, found
    return await cursor.value(PROJECT, {"normalized": name}), []


async def new_projects(cursor: Cursor, limit: int, releases: int) -> list[NewProjectRow]:
    """The newest projects that have a release, the newest first, with so many of their last releases."""
    return await cursor.rows(NewProjectRow, NEW_PROJECTS, {"limit": limit, "releases": releases})


async def buckets(cursor: Cursor) -> list[BucketRow]:
    """All buckets that have a project in them."""
    return await cursor.rows(BucketRow, BUCKETS)


async def in_bucket(cursor: Cursor, bucket: str, limit: int) -> list[PlaceRow]:
    """The projects of a bucket, by name."""
    return await cursor.rows(PlaceRow, IN_BUCKET, {"bucket": bucket, "limit": limit})
