"""Files, and the ledger of every filename ever used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class FileRow:
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


OF_PROJECT = """
    SELECT f.filename, r.version, f.blake2_256, f.size, f.sha256, f.metadata_sha256, f.requires_python,
           CASE WHEN f.yanked IS NOT NULL THEN f.yanked_reason
                WHEN r.yanked IS NOT NULL THEN r.yanked_reason END,
           f.uploaded
      FROM files f JOIN releases r ON r.id = f.release_id
     WHERE f.project_id = %(project_id)s"""

CLASHING = """
    SELECT filename, sha256, blake2_256 FROM files
     WHERE filename = %(filename)s OR blake2_256 = %(blake2_256)s
     ORDER BY filename = %(filename)s DESC LIMIT 1"""

BY_BLAKE2 = "SELECT filename, sha256, blake2_256 FROM files WHERE blake2_256 = %(blake2_256)s"

EVER_USED = "SELECT filename FROM filenames WHERE filename = %(filename)s OR canonical = %(canonical)s"

SDIST_OF_RELEASE = """
    SELECT filename FROM files WHERE release_id = %(release_id)s AND filetype = 'sdist' LIMIT 1"""

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


async def of_project(cursor: Cursor, project_id: int) -> list[FileRow]:
    """Every file of a project, in no order; ``[]`` for a project without files."""
    return await cursor.rows(FileRow, OF_PROJECT, {"project_id": project_id})


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
    """Filename of the release's source distribution, ``None`` if it has none."""
    found: str | None = await cursor.value(SDIST_OF_RELEASE, {"release_id": release_id})
    return found


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
