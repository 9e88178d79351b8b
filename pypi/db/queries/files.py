"""Files, and the ledger of every filename ever used."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import attrs
from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


class FileRow(NamedTuple):
    """A file as the simple API needs it; digests are hexadecimal, times aware, UTC.

    Attributes:
        yanked_reason: ``None`` for a file that is not yanked, neither by itself nor with its release.
    """

    filename: str
    version: str
    blake2_256: str
    size: int
    sha256: str
    metadata_sha256: str | None
    requires_python: str
    yanked_reason: str | None
    uploaded: datetime


@frozen
class PageRow:
    """What there is under one name of a project: all files that were published under it.

    Attributes:
        status: a word of PEP 792.
        last_serial: of the last change of what there is under the name.
        count: of the files that are listed; none of a project in quarantine are.
        listing: the files as one text, for ``listed``.
        now: what the project is called now, as displayed; ``None`` where it still has the name.
        successor: the normalized name of what is to be used instead; empty for nothing.
    """

    normalized: NormalizedName
    status: str
    status_reason: str
    last_serial: int
    count: int
    listing: str = field(repr=False)
    successor: NormalizedName = NormalizedName("")
    now: str | None = None


@frozen
class KnownFile:
    """What decides whether an upload is new, a repetition or a clash."""

    filename: str
    sha256: str
    blake2_256: str


@frozen(kw_only=True)
class NewFile:
    """A file to be listed."""

    project_id: int
    release_id: int
    filename: str
    filetype: str
    python_version: str
    size: int
    md5: str
    sha256: str
    blake2_256: str
    metadata_sha256: str | None
    requires_python: str
    comment: str
    uploader_id: int | None
    uploaded: datetime


# All files in one text: reading thousands of rows would keep the reactor busy, and a text can be taken apart
# elsewhere. What people wrote is quoted as in JSON, so that tabs and line ends are only ever ours.
_LISTING = """
      CROSS JOIN LATERAL (
        SELECT count(*),
               coalesce(string_agg(
                 f.filename || E'\\t' || f.blake2_256 || E'\\t' || f.size || E'\\t' || f.sha256 || E'\\t' ||
                 coalesce(f.metadata_sha256, '') || E'\\t' || f.uploaded::text || E'\\t' ||
                 to_json(r.version)::text || E'\\t' || to_json(f.requires_python)::text || E'\\t' ||
                 coalesce(to_json(CASE WHEN f.yanked IS NOT NULL THEN f.yanked_reason
                                       WHEN r.yanked IS NOT NULL THEN r.yanked_reason END)::text, 'null'),
                 E'\\n'), '') AS listing
          FROM files f JOIN releases r ON r.id = f.release_id
         WHERE f.project_id = p.id AND p.status <> 'quarantined' AND r.quarantined IS NULL AND """

_NOW = """
    SELECT p.normalized, p.status, p.status_reason, p.last_serial, listed.count, listed.listing, p.successor
      FROM projects p"""

_OF_NOW = """f.former_name IS NULL) AS listed
     WHERE p.normalized = %(normalized)s AND is_shown(p.reads)"""

_BEFORE = """
    SELECT n.normalized, p.status, p.status_reason, n.last_serial, listed.count, listed.listing, p.successor,
           p.name
      FROM former_names n JOIN projects p ON p.id = n.project_id"""

_OF_BEFORE = """f.former_name = n.normalized) AS listed
     WHERE n.normalized = %(normalized)s AND is_shown(p.reads)"""

PAGE = _NOW + _LISTING + _OF_NOW
# A question of its own, which hardly anybody asks: in one with the other, planning takes twice the time.
PAGE_BEFORE = _BEFORE + _LISTING + _OF_BEFORE

CLASHING = """
    SELECT filename, sha256, blake2_256 FROM files
     WHERE filename = %(filename)s OR blake2_256 = %(blake2_256)s
     ORDER BY filename = %(filename)s DESC LIMIT 1"""

BY_BLAKE2 = "SELECT filename, sha256, blake2_256 FROM files WHERE blake2_256 = %(blake2_256)s"

EVER_USED = "SELECT filename FROM filenames WHERE filename = %(filename)s OR canonical = %(canonical)s"

SDIST_OF_RELEASE = """
    SELECT filename FROM files
     WHERE release_id = %(release_id)s AND filetype = 'sdist' AND former_name IS NULL LIMIT 1"""

LEFT = """
    SELECT coalesce(bool_or(former_name IS NOT NULL), false), min(uploaded) FILTER (WHERE former_name IS NULL)
      FROM files WHERE release_id = %(release_id)s"""

ADD = """
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, metadata_sha256, requires_python, comment, uploader_id, uploaded)
    VALUES (%(project_id)s, %(release_id)s, %(filename)s, %(filetype)s, %(python_version)s, %(size)s,
            %(md5)s, %(sha256)s, %(blake2_256)s, %(metadata_sha256)s, %(requires_python)s, %(comment)s,
            %(uploader_id)s, %(uploaded)s)"""

USE_FILENAME = """
    INSERT INTO filenames (filename, canonical, sha256, blake2_256, first_used)
    VALUES (%(filename)s, %(canonical)s, %(sha256)s, %(blake2_256)s, %(now)s)"""

# The second number keeps these apart from the locks of look-alike names.
LOCK_BLOB = "SELECT pg_advisory_xact_lock(hashtextextended(%(blake2_256)s, 2))"

REFERENCED = "SELECT blake2_256, filename FROM files WHERE blake2_256 = ANY(%(digests)s)"


async def page(cursor: Cursor, name: NormalizedName) -> PageRow | None:
    """The project of that name and its files, ``None`` if there is none; one statement."""
    return await cursor.row(PageRow, PAGE, {"normalized": name})


async def page_before(cursor: Cursor, name: NormalizedName) -> PageRow | None:
    """The project that had that name before, and the files under it, ``None`` if there is none."""
    return await cursor.row(PageRow, PAGE_BEFORE, {"normalized": name})


def listed(listing: str) -> list[FileRow]:
    """The files of ``PageRow.listing``, in no order; takes some microseconds for each."""
    return [_row(line) for line in listing.split("\n")] if listing else []


def _row(line: str) -> FileRow:
    filename, blake2_256, size, sha256, metadata, uploaded, version, python, reason = line.split("\t")
    return FileRow(
        filename=filename,
        version=_unquoted(version),
        blake2_256=blake2_256,
        size=int(size),
        sha256=sha256,
        metadata_sha256=metadata or None,
        requires_python=_unquoted(python),
        yanked_reason=None if reason == "null" else _unquoted(reason),
        uploaded=datetime.fromisoformat(uploaded),
    )


@lru_cache(maxsize=4096)
def _unquoted(text: str) -> str:
    unquoted: str = json.loads(text)
    return unquoted


async def clashing(cursor: Cursor, *, filename: str, blake2_256: str) -> KnownFile | None:
    """The file that has this name, failing that the one that has this content, anywhere on the index."""
    return await cursor.row(KnownFile, CLASHING, {"filename": filename, "blake2_256": blake2_256})


async def by_blake2(cursor: Cursor, blake2_256: str) -> KnownFile | None:
    """The file of that content, ``None`` if none is listed."""
    return await cursor.row(KnownFile, BY_BLAKE2, {"blake2_256": blake2_256})


async def ever_used(cursor: Cursor, *, filename: str, canonical: str) -> str | None:
    """The filename under which such a file was ever published, even if it is long gone.

    Args:
        canonical: what all spellings of the filename have in common.
    """
    found: str | None = await cursor.value(EVER_USED, {"filename": filename, "canonical": canonical})
    return found


async def sdist_of(cursor: Cursor, release_id: int) -> str | None:
    """Filename of the release's source distribution, ``None`` if it has none under the present name."""
    found: str | None = await cursor.value(SDIST_OF_RELEASE, {"release_id": release_id})
    return found


async def left(cursor: Cursor, release_id: int) -> tuple[bool, datetime | None]:
    """(whether a release has files of names its project had before; when it got the first of the present)."""
    [(is_left, begun_again)] = await cursor.tuples(LEFT, {"release_id": release_id})
    return is_left, begun_again


async def add(cursor: Cursor, file: NewFile, *, canonical: str) -> None:
    """List a file and use up its name in all its spellings, for ever.

    Raises:
        psycopg2.errors.UniqueViolation: name or content is there already.
    """
    values: dict[str, Any] = attrs.asdict(file)
    await cursor.run(USE_FILENAME, values | {"canonical": canonical, "now": file.uploaded})
    await cursor.run(ADD, values)


async def lock_blob(cursor: Cursor, blake2_256: str) -> None:
    """Make whoever would list or sweep away this content wait for this transaction."""
    await cursor.run(LOCK_BLOB, {"blake2_256": blake2_256})


async def referenced(cursor: Cursor, digests: list[str]) -> set[tuple[str, str]]:
    """(digest, filename) of the listed files that have one of these BLAKE2b-256 digests."""
    return set(await cursor.tuples(REFERENCED, {"digests": digests}))
