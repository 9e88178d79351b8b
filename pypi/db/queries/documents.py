"""Everything about one release of a project, and its files, in one statement: for documents and pages."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NamedTuple

from attrs import asdict, field, frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName
from pypi.domain.permissions import Access
from pypi.domain.values import Extent


class FileRow(NamedTuple):
    """A file; digests are hexadecimal.

    Attributes:
        uploaded: in the words of PostgreSQL, UTC.
        comment: the uploader's.
        yanked_reason: ``None`` for a file that is not yanked, neither by itself nor with its release.
    """

    filename: str
    filetype: str
    blake2_256: str
    md5: str
    sha256: str
    metadata_sha256: str
    size: str
    uploaded: str
    version: str
    python_version: str
    requires_python: str
    comment: str
    yanked_reason: str | None


class ReleaseRow(NamedTuple):
    """A release.

    Attributes:
        created: in the words of PostgreSQL, UTC.
        yanked_reason: ``None`` for one that is not yanked.
    """

    version: str
    created: str
    yanked_reason: str | None


class SummaryRow(NamedTuple):
    """A project in a list of many, with its latest release."""

    name: str
    version: str
    summary: str


@frozen
class DocumentRow:
    """One release and what stands around it; whatever may be long is text that is taken apart elsewhere.

    Attributes:
        status: a word of PEP 792.
        last_serial: of the project's last change.
        created: of the release, in the words of PostgreSQL, UTC.
        latest: the version a reader means who names none.
        release_count: of the project.
        metadata: core metadata as JSON, without the description.
        description: as written; empty where ``html`` takes its place.
        html: the description, rendered, where that was asked for and is there.
        count: of the files that ``files`` is about, whether it lists them or not.
        wheels: how many of these are wheels.
        files: for ``listed_files``.
        releases: all of the project, the highest version first, for ``listed_releases``.
        roles: ``role<tab>name`` lines, owners first.
        successor: what is to be used instead, as displayed; ``None`` for nothing, or nothing that is shown.
        former_name: under which the release was published; ``None`` where there are files of the present one.
        reads: a word of ``Access``.
    """

    name: str
    normalized: NormalizedName
    status: str
    status_reason: str
    last_serial: int
    version: str
    yanked_reason: str | None
    created: str
    latest: str
    release_count: int
    metadata: str = field(repr=False)
    description: str = field(repr=False)
    html: str | None = field(repr=False)
    count: int
    wheels: int
    files: str = field(repr=False)
    releases: str = field(repr=False)
    roles: str = field(repr=False)
    successor: str | None = None
    former_name: str | None = None
    reads: str = Access.PUBLIC.value

    @property
    def length(self) -> int:
        """Characters of all that has to be taken apart."""
        texts = (self.metadata, self.description, self.html or "", self.files, self.releases)
        return sum(map(len, texts))


# As ``pypi.domain.versions.latest``.
_LATEST = """
    SELECT * FROM releases WHERE project_id = p.id AND quarantined IS NULL
     ORDER BY yanked IS NOT NULL, is_prerelease, place DESC LIMIT 1"""

# The last condition is looked at once, and keeps what nobody has ever used from being looked for everywhere.
CLASSIFIED = """
    SELECT DISTINCT ON (s.normalized) p.name, r.version, r.summary
      FROM classifiers c
      JOIN release_classifiers rc ON rc.classifier_id = c.id
      JOIN search s ON s.release_id = rc.release_id
      JOIN projects p ON p.id = s.project_id
      JOIN releases r ON r.id = s.release_id
     WHERE (c.name = %(classifier)s OR starts_with(c.name, %(classifier)s || ' :: '))
       AND p.status <> 'quarantined'
       AND EXISTS (SELECT FROM classifiers
                    WHERE name = %(classifier)s OR starts_with(name, %(classifier)s || ' :: '))
     ORDER BY s.normalized LIMIT %(limit)s"""

_VERSION = """
    SELECT * FROM releases
     WHERE project_id = p.id AND canonical = %(canonical)s AND quarantined IS NULL"""

_FOUND = """
    SELECT p.name, p.normalized, p.status, p.status_reason, p.last_serial, chosen.version,
           CASE WHEN chosen.yanked IS NOT NULL THEN chosen.yanked_reason END,
           chosen.created::text, coalesce(shown.version, chosen.version),
           (SELECT count(*) FROM releases WHERE project_id = p.id AND quarantined IS NULL),
           chosen.metadata::text,
           CASE WHEN %(rendered)s AND d.html IS NOT NULL THEN '' ELSE coalesce(d.raw, '') END,
           CASE WHEN %(rendered)s THEN d.html END,
           listed.count, listed.wheels, listed.listing, history.listing, people.listing,
           CASE WHEN p.successor <> '' THEN (
                SELECT s.name FROM project_names o JOIN projects s ON s.id = o.project_id
                 WHERE o.normalized = p.successor AND s.is_listed) END,
           (SELECT f.former_name FROM files f WHERE f.release_id = chosen.id
             ORDER BY f.former_name NULLS FIRST LIMIT 1),
           p.reads
      FROM projects p
      CROSS JOIN LATERAL ("""

# Lines, with what people wrote quoted as in JSON, so that tabs and line ends are only ever ours.
_AROUND = """) AS chosen
      LEFT JOIN search s ON s.project_id = p.id
      LEFT JOIN releases shown ON shown.id = coalesce(s.release_id, (
        -- Of what is private ``search`` knows nothing.
        SELECT id FROM releases WHERE project_id = p.id AND quarantined IS NULL AND p.reads <> 'public'
         ORDER BY yanked IS NOT NULL, is_prerelease, place DESC LIMIT 1))
      LEFT JOIN descriptions d ON d.release_id = chosen.id AND %(described)s
      CROSS JOIN LATERAL (
        SELECT count(*), count(*) FILTER (WHERE f.filetype = 'bdist_wheel') AS wheels,
               coalesce(string_agg(
                 f.filename || E'\\t' || f.filetype || E'\\t' || f.blake2_256 || E'\\t' || f.md5 || E'\\t' ||
                 f.sha256 || E'\\t' || coalesce(f.metadata_sha256, '') || E'\\t' || f.size || E'\\t' ||
                 f.uploaded::text || E'\\t' || to_json(r.version)::text || E'\\t' ||
                 to_json(f.python_version)::text || E'\\t' || to_json(f.requires_python)::text || E'\\t' ||
                 to_json(f.comment)::text || E'\\t' ||
                 coalesce(to_json(CASE WHEN f.yanked IS NOT NULL THEN f.yanked_reason
                                       WHEN r.yanked IS NOT NULL THEN r.yanked_reason END)::text, 'null'),
                 E'\\n') FILTER (WHERE %(files)s), '') AS listing
          FROM files f JOIN releases r ON r.id = f.release_id
         WHERE f.project_id = p.id AND r.quarantined IS NULL
           AND (%(all_files)s OR f.release_id = chosen.id)) AS listed
      CROSS JOIN LATERAL (
        SELECT coalesce(string_agg(
                 to_json(r.version)::text || E'\\t' || r.created::text || E'\\t' ||
                 coalesce(to_json(CASE WHEN r.yanked IS NOT NULL THEN r.yanked_reason END)::text, 'null'),
                 E'\\n' ORDER BY r.place DESC), '') AS listing
          FROM releases r
         WHERE r.project_id = p.id AND r.quarantined IS NULL AND %(history)s) AS history
      CROSS JOIN LATERAL (
        SELECT coalesce(string_agg(o.role || E'\\t' || u.name, E'\\n'
                                   ORDER BY o.role DESC, lower(u.name) COLLATE "C"), '') AS listing
          FROM roles o JOIN users u ON u.id = o.user_id
         WHERE o.project_id = p.id AND o.role <> 'Reader') AS people
     WHERE p.normalized = %(normalized)s AND p.status <> 'quarantined' AND is_shown(p.reads)"""

OF_LATEST = _FOUND + _LATEST + _AROUND
OF_VERSION = _FOUND + _VERSION + _AROUND


PLAIN = 8
"""Columns of a file that are not quoted."""


async def of_latest(cursor: Cursor, name: NormalizedName, extent: Extent) -> DocumentRow | None:
    """The release a reader means who names none; ``None`` for a project without any, or in quarantine."""
    return await cursor.row(DocumentRow, OF_LATEST, {"normalized": name, **asdict(extent)})


async def of_version(
    cursor: Cursor, name: NormalizedName, canonical: str, extent: Extent
) -> DocumentRow | None:
    """The release of that canonical version; ``None`` if there is none, or in quarantine."""
    parameters = {"normalized": name, "canonical": canonical, **asdict(extent)}
    return await cursor.row(DocumentRow, OF_VERSION, parameters)


async def classified(cursor: Cursor, classifier: str, *, limit: int) -> list[SummaryRow]:
    """Projects whose latest release has that classifier, or one below it, by name."""
    return await cursor.rows(SummaryRow, CLASSIFIED, {"classifier": classifier, "limit": limit})


def listed_files(listing: str) -> list[FileRow]:
    """The files of a row, in no order; takes some microseconds for each."""
    return [_file(line) for line in listing.split("\n")] if listing else []


def _file(line: str) -> FileRow:
    columns = line.split("\t")
    return FileRow._make((*columns[:PLAIN], *map(_unquoted, columns[PLAIN:])))


def listed_releases(listing: str) -> list[ReleaseRow]:
    """The releases of a row, in its order."""
    return [_release(*line.split("\t")) for line in listing.split("\n")] if listing else []


def _release(version: str, created: str, reason: str) -> ReleaseRow:
    return ReleaseRow(str(_unquoted(version)), created, _unquoted(reason))


@lru_cache(maxsize=4096)
def _unquoted(text: str) -> str | None:
    unquoted: str | None = json.loads(text)
    return unquoted
