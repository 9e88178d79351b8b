"""What there is of a project, a release, a classifier or an account, as old clients ask for it.

Names that projects had lead to them: programs of old follow no redirects.

A project in quarantine has no releases for anybody; its roles are still told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.db.queries.history import Listed
from pypi.domain import versions
from pypi.domain.names import NormalizedName


@frozen
class ReleaseFileRow:
    """A file of a release; digests are hexadecimal, ``uploaded`` is aware, UTC."""

    filename: str
    filetype: str
    python_version: str
    size: int
    md5: str
    sha256: str
    blake2_256: str
    comment: str
    uploaded: datetime


@frozen
class ReleaseDataRow:
    """A release.

    Attributes:
        name: of the project, as displayed.
        version: as displayed.
        metadata: the fields of core metadata, without the description.
        description: as it was written; ``None`` where there is none.
        versions: all of the project.
    """

    name: str
    version: str
    metadata: Mapping[str, Any] = field(repr=False)
    description: str | None = field(repr=False)
    versions: Sequence[str] = field(repr=False)


VERSIONS = """
    SELECT count(*), coalesce(string_agg(json_build_array(r.version, r.yanked IS NOT NULL)::text, ','), '')
      FROM project_names n JOIN projects p ON p.id = n.project_id JOIN releases r ON r.project_id = p.id
     WHERE n.normalized = %(project)s AND p.is_listed AND r.quarantined IS NULL"""

FILES = """
    SELECT f.filename, f.filetype, f.python_version, f.size, f.md5, f.sha256, f.blake2_256, f.comment,
           f.uploaded
      FROM project_names n JOIN projects p ON p.id = n.project_id JOIN releases r ON r.project_id = p.id
      JOIN files f ON f.release_id = r.id
     WHERE n.normalized = %(project)s AND r.canonical = %(canonical)s AND p.is_listed
       AND r.quarantined IS NULL
     ORDER BY f.filename"""

DATA = """
    SELECT p.name, r.version, r.metadata, d.raw,
           (SELECT array_agg(o.version) FROM releases o
             WHERE o.project_id = p.id AND o.quarantined IS NULL)
      FROM project_names n JOIN projects p ON p.id = n.project_id JOIN releases r ON r.project_id = p.id
      LEFT JOIN descriptions d ON d.release_id = r.id
     WHERE n.normalized = %(project)s AND r.canonical = %(canonical)s AND p.is_listed
       AND r.quarantined IS NULL"""

CLASSIFIED = """
    SELECT count(*), coalesce(string_agg(item, ',' ORDER BY name, version), '')
      FROM (SELECT p.name, r.version, json_build_array(p.name, r.version)::text AS item
              FROM release_classifiers rc JOIN classifiers c ON c.id = rc.classifier_id
              JOIN releases r ON r.id = rc.release_id JOIN projects p ON p.id = r.project_id
             WHERE c.name = ANY(%(classifiers)s) AND p.is_listed AND r.quarantined IS NULL
             GROUP BY r.id, p.id HAVING count(*) = %(count)s
             LIMIT %(limit)s) AS releases"""

ROLES_OF_PROJECT = """
    SELECT r.role, u.name FROM project_names n JOIN projects p ON p.id = n.project_id
      JOIN roles r ON r.project_id = p.id JOIN users u ON u.id = r.user_id
     WHERE n.normalized = %(project)s AND p.reads = 'public' AND r.role <> 'Reader'
     ORDER BY r.role DESC, u.name"""

ROLES_OF_USER = """
    SELECT r.role, p.name FROM roles r JOIN users u ON u.id = r.user_id JOIN projects p ON p.id = r.project_id
     WHERE lower(u.name) = lower(%(user)s) AND p.reads = 'public' AND r.role <> 'Reader'
     ORDER BY r.role DESC, p.name"""


async def versions_of(cursor: Cursor, project: NormalizedName) -> Listed:
    """The versions of a project, each with whether it is yanked, in no order."""
    found = await cursor.row(Listed, VERSIONS, {"project": project})
    assert found is not None
    return found


async def files_of(cursor: Cursor, project: NormalizedName, version: str) -> list[ReleaseFileRow]:
    """The files of a release, by filename; the version may be spelled otherwise (``1.0`` is ``1.0.0``)."""
    return await cursor.rows(ReleaseFileRow, FILES, _release(project, version))


async def data_of(cursor: Cursor, project: NormalizedName, version: str) -> ReleaseDataRow | None:
    """All that is known of a release, ``None`` if there is none."""
    return await cursor.row(ReleaseDataRow, DATA, _release(project, version))


async def classified(cursor: Cursor, classifiers: Sequence[str], *, limit: int) -> Listed:
    """The releases that have all of some classifiers: name, version; by name, then by version."""
    names = sorted(set(classifiers))
    parameters = {"classifiers": names, "count": len(names), "limit": limit}
    found = await cursor.row(Listed, CLASSIFIED, parameters)
    assert found is not None
    return found


async def roles_of_project(cursor: Cursor, project: NormalizedName) -> list[tuple[str, str]]:
    """(role, account) of all who have one in a project; owners first, then by name."""
    return await cursor.tuples(ROLES_OF_PROJECT, {"project": project})


async def roles_of_user(cursor: Cursor, user: str) -> list[tuple[str, str]]:
    """(role, project as displayed) of all an account has, its name in any capitals; those it owns first."""
    return await cursor.tuples(ROLES_OF_USER, {"user": user})


def _release(project: NormalizedName, version: str) -> dict[str, str]:
    return {"project": project, "canonical": versions.canonical(version)}
