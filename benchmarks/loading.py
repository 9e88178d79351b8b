"""A synthetic index into an empty database that has our schema: as if every file had once been uploaded.

Everything refers to everything as uploads would have left it, and the journal tells it in the order in which
it happened, in the words and with the tags of ``pypi.domain``. What is missing is the files' content,
and all that pages of the simple index do not show: descriptions, classifiers, e-mail addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import psycopg2
from attrs import define, field

from benchmarks.copying import Copying, without_indexes
from benchmarks.figure import BenchmarkFailed
from benchmarks.synthetic import Project, Shape, projects
from benchmarks.synthetic_rows import FIRST, Release, changes, releases
from pypi.domain.cache_tags import tags
from pypi.domain.changes import Change, ProjectCreated
from pypi.domain.journal_words import action, version
from pypi.domain.names import look_alike_key

BATCH = 20_000
"""Files between two copies."""

PROJECTS_OF_ONE = 3
"""How many projects an account owns."""

TABLES = ("users", "projects", "roles", "releases", "files", "filenames", "journal")

# The journal's lines come project by project, and get their serials in the order of time.
LINES = """
    CREATE TEMP TABLE lines (place bigint, normalized text, name text, version text, action text,
                             actor text, tags text[], at timestamptz) ON COMMIT DROP"""
NUMBER = """
    INSERT INTO journal (serial, normalized, name, version, action, actor, tags, at)
    SELECT row_number() OVER (ORDER BY at, place), normalized, name, version, action, actor, tags, at
      FROM lines ORDER BY at, place"""
TOUCH = """
    UPDATE projects SET last_serial = last.serial
      FROM (SELECT normalized, max(serial) AS serial FROM journal GROUP BY normalized) AS last
     WHERE projects.normalized = last.normalized"""
FIND = """
    INSERT INTO search SELECT * FROM search_documents;
    INSERT INTO search_labels (name) SELECT DISTINCT unnest(names) FROM labels_meant ORDER BY 1;
    INSERT INTO findable SELECT * FROM findable_documents"""
NEED = "INSERT INTO dependencies SELECT * FROM dependencies_meant"
NEXT = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), greatest(1, (SELECT max(id) FROM {0})))"


@define(eq=False)
class Loader:
    """Rows on their way into the tables."""

    seed: int
    users: Copying = field(factory=lambda: Copying("users", "id, name, created"))
    projects: Copying = field(
        factory=lambda: Copying("projects", "id, name, normalized, look_alike, created")
    )
    roles: Copying = field(factory=lambda: Copying("roles", "project_id, user_id, role, created"))
    releases: Copying = field(
        factory=lambda: Copying(
            "releases",
            "id, project_id, version, canonical, is_prerelease, summary, metadata, yanked, yanked_reason, "
            "created",
        )
    )
    files: Copying = field(
        factory=lambda: Copying(
            "files",
            "id, project_id, release_id, filename, filetype, python_version, size, md5, sha256, blake2_256, "
            "metadata_sha256, requires_python, uploader_id, uploaded",
        )
    )
    filenames: Copying = field(
        factory=lambda: Copying("filenames", "filename, canonical, sha256, blake2_256, first_used")
    )
    lines: Copying = field(
        factory=lambda: Copying("lines", "place, normalized, name, version, action, actor, tags, at")
    )
    _release_ids: Any = field(factory=lambda: count(1), init=False)
    _file_ids: Any = field(factory=lambda: count(1), init=False)
    _places: Any = field(factory=lambda: count(1), init=False)

    def send(self, cursor: Any) -> None:
        """Copy all that was collected."""
        for table in (*TABLES[:-1], "lines"):
            getattr(self, table).send(cursor)

    def add(self, number: int, project: Project) -> None:
        """A project and all that belongs to it."""
        owner_id = (number - 1) // PROJECTS_OF_ONE + 1
        owner = f"publisher{owner_id}"
        if (number - 1) % PROJECTS_OF_ONE == 0:
            self.users.add(owner_id, owner, FIRST)
        created = FIRST + timedelta(minutes=number)
        first = True
        for release in releases(project, self.seed) if project.files else ():
            created = release.created if first else created
            self._add_release(number, owner_id, release)
            for change in changes(project, release, owner, first=first):
                self.add_line(change, release.created)
            first = False
        if first:
            made = ProjectCreated(project=project.normalized, name=project.name, actor=owner)
            self.add_line(made, created)
        alike = look_alike_key(project.name)
        self.projects.add(number, project.name, project.normalized, alike, created)
        self.roles.add(number, owner_id, "Owner", created)

    def _add_release(self, project_id: int, owner_id: int, release: Release) -> None:
        release_id, reason, at = next(self._release_ids), release.yanked_reason, release.created
        self.releases.add(
            *(release_id, project_id, release.version, release.canonical, release.is_prerelease),
            *(release.summary, release.metadata.replace("\\", "\\\\")),
            *(None if reason is None else at, reason or "", at),
        )
        for file in release.files:
            self.files.add(
                *(next(self._file_ids), project_id, release_id, file.filename, file.filetype),
                *(file.python_version, file.size, file.md5, file.sha256, file.blake2_256),
                *(file.metadata_sha256, file.requires_python, owner_id, at),
            )
            self.filenames.add(file.filename, file.canonical, file.sha256, file.blake2_256, at)

    def add_line(self, change: Change, at: object) -> None:
        """A line of the journal, which gets its serial later."""
        self.lines.add(
            *(next(self._places), change.project, change.name, version(change), action(change)),
            *(change.actor, "{" + ",".join(tags(change)) + "}", at),
        )


def load(
    database_url: str, shape: Shape, *, advance: Callable[[int], object], say: Callable[[str], object]
) -> None:
    """Fill a database with a synthetic index.

    Args:
        advance: is told how many more projects have been copied.
        say: is told what is done otherwise.

    Raises:
        BenchmarkFailed: there is something in the database already.
    """
    fill(database_url, lambda cursor: _copy(cursor, shape, advance), say=say)


def fill(database_url: str, copy: Callable[[Any], object], *, say: Callable[[str], object]) -> None:
    """Fill a database, all in one transaction.

    Args:
        copy: puts all rows into the tables, without their indexes, and the journal into ``lines``.
        say: is told what is done otherwise.

    Raises:
        BenchmarkFailed: there is something in the database already.
    """
    connection = psycopg2.connect(database_url)
    try:
        with connection, connection.cursor() as cursor:
            _prepare(cursor)
            with without_indexes(cursor, TABLES):
                cursor.execute(LINES)
                copy(cursor)
                say("Numbering the journal")
                cursor.execute(NUMBER)
                say("Making keys and indexes")
            say("Telling each project its last serial")
            cursor.execute(TOUCH)
            say("Making what searches look into")
            with without_indexes(cursor, ("search", "findable")):
                cursor.execute(FIND)
            with without_indexes(cursor, ("dependencies",)):
                cursor.execute(NEED)
            for table in ("users", "projects", "releases", "files"):
                cursor.execute(NEXT.format(table))
        connection.autocommit = True
        say("Cleaning up and counting")
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    finally:
        connection.close()


def _prepare(cursor: Any) -> None:
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL work_mem = '256MB'")
    cursor.execute("SET LOCAL synchronous_commit = off")
    cursor.execute("SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM journal)")
    if cursor.fetchone()[0]:
        raise BenchmarkFailed("the database is not empty: a synthetic catalogue is loaded into a new one")


def _copy(cursor: Any, shape: Shape, advance: Callable[[int], object]) -> None:
    loader, collected, told = Loader(shape.seed), 0, 0
    for number, project in enumerate(projects(shape), 1):
        loader.add(number, project)
        collected += project.files + 1
        if collected > BATCH:
            loader.send(cursor)
            advance(number - told)
            collected, told = 0, number
    loader.send(cursor)
    advance(shape.projects + sum(block.projects for block in shape.blocks) - told)
