"""Projects, releases and files that are just there: written as rows, for tests that only look at them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.queries import files, journal, projects, releases
from pypi.db.queries.files import NewFile
from pypi.domain import versions
from pypi.domain.changes import ProjectCreated
from pypi.domain.names import normalize
from pypi.files.paths import store_path
from tests.support.index import Index

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@frozen(kw_only=True)
class Listed:
    """A file to be there.

    Attributes:
        signed: whether its signature is there, too.
    """

    project: str
    version: str
    filename: str
    content: bytes
    signed: bool = False

    @property
    def path(self) -> str:
        """Where it is stored."""
        return store_path(hashlib.blake2b(self.content, digest_size=32).hexdigest(), self.filename)


async def write(
    index: Index, catalogue: Iterable[tuple[str, Iterable[str]]], listed: Iterable[Listed]
) -> None:
    """Have all this in an index.

    Args:
        catalogue: (name of a project, versions of its releases).
    """
    listed = list(listed)
    await index.application.accounts.database.transact(_rows, list(catalogue), listed)
    for one in listed:
        path = index.folder / "files" / one.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.content)
        if one.signed:
            path.with_name(f"{path.name}.asc").write_text("-----BEGIN PGP SIGNATURE-----\n")


async def _rows(cursor: Cursor, catalogue: list[tuple[str, Iterable[str]]], listed: list[Listed]) -> None:
    ids: dict[tuple[str, str], tuple[int, int]] = {}
    lines = []
    for name, its_versions in catalogue:
        project = await projects.add(cursor, name, now=NOW)
        assert project is not None
        for version in its_versions:
            release = await releases.add(
                cursor, project_id=project.id, version=version, summary="", metadata={}, now=NOW
            )
            await releases.describe(
                cursor, release_id=release.id, content_type="", raw="", html="", renderer="none"
            )
            ids[normalize(name), versions.canonical(version)] = project.id, release.id
        lines.append(ProjectCreated(project=normalize(name), name=name, actor="ada"))
    for one in listed:
        await _file(cursor, one, *ids[normalize(one.project), versions.canonical(one.version)])
    await journal.write(cursor, lines, now=NOW)


async def _file(cursor: Cursor, one: Listed, project_id: int, release_id: int) -> None:
    file = NewFile(
        project_id=project_id,
        release_id=release_id,
        filename=one.filename,
        # Eggs are no longer taken; those that are there count as neither.
        filetype="bdist_wheel" if one.filename.endswith(".whl") else "sdist",
        python_version="source",
        size=len(one.content),
        md5=hashlib.md5(one.content).hexdigest(),
        sha256=hashlib.sha256(one.content).hexdigest(),
        blake2_256=hashlib.blake2b(one.content, digest_size=32).hexdigest(),
        metadata_sha256=None,
        requires_python="",
        comment="",
        uploader_id=None,
        uploaded=NOW,
    )
    await files.add(cursor, file, canonical=one.filename)
