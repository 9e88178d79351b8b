"""What is new on the index, and what there is: for feed readers and search engines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.db.database import Database
from pypi.db.queries import feeds
from pypi.db.queries.feeds import NewProjectRow
from pypi.domain import versions
from pypi.domain.errors import NotFound
from pypi.domain.names import NormalizedName
from pypi.index.present import nothing_under

UPDATES, NEW_PROJECTS, OF_PROJECT = 100, 40, 40
"""Items of each feed, as the public index has it."""

LOOKED_AT = 10
"""Of a new project's releases, those among which the latest is looked for."""

MOST_IN_BUCKET = 50_000
"""What a sitemap may hold (sitemaps.org); 256 buckets of them are 12 million projects."""

BUCKET = re.compile(r"[0-9a-f]{2}")


@frozen
class Item:
    """A release, or a project by its latest release.

    Attributes:
        created: of the release, or of the project; aware, UTC.
        author_email: as in the metadata, perhaps several addresses, perhaps none.
    """

    name: str
    normalized: str
    version: str
    summary: str = field(repr=False)
    author_email: str = field(repr=False)
    created: datetime


@frozen
class Place:
    """A page, and when it was changed last; aware, UTC."""

    name: str
    changed: datetime


@frozen
class NoSuchBucket(NotFound):
    """No part of all projects is named like that."""

    name: str

    def __str__(self) -> str:
        return f"There is no sitemap {self.name!r}; /sitemap.xml lists them all."


@frozen(eq=False)
class Feeds:
    """Answers from the rows of this index."""

    database: Database

    async def updates(self) -> list[Item]:
        """The newest releases of all projects, the newest first."""
        rows = await self.database.ask(feeds.updates, UPDATES)
        return [_item(row) for row in rows]

    async def new_projects(self) -> list[Item]:
        """The newest projects that have a release, the newest first."""
        rows = await self.database.ask(feeds.new_projects, NEW_PROJECTS, LOOKED_AT)
        return [_by_latest(row) for row in rows]

    async def of_project(self, name: NormalizedName) -> tuple[str, list[Item]]:
        """(a project's name, its newest releases, the newest first).

        Raises:
            NoSuchProject: nobody has taken the name.
            ProjectMoved: the project is called otherwise now.
        """
        found, rows = await self.database.read(feeds.of_project, name, OF_PROJECT)
        if found is None:
            raise await nothing_under(self.database, name)
        return found, [_item(row) for row in rows]

    async def buckets(self) -> list[Place]:
        """The parts that all projects fall into; empty ones are left out."""
        rows = await self.database.scan(feeds.buckets)
        return [Place(row.bucket, row.changed) for row in rows]

    async def in_bucket(self, name: str) -> Sequence[Place]:
        """The projects of one part, by their normalized names.

        Raises:
            NoSuchBucket: there is none of that name, or it is empty.
        """
        rows = (
            await self.database.scan(feeds.in_bucket, name, MOST_IN_BUCKET) if BUCKET.fullmatch(name) else []
        )
        if not rows:
            raise NoSuchBucket(name)
        return [Place(row.normalized, row.changed) for row in rows]


def _item(row: feeds.ReleaseRow) -> Item:
    return Item(row.name, row.normalized, row.version, row.summary, row.author_email, row.created)


def _by_latest(row: NewProjectRow) -> Item:
    latest = versions.latest(zip(row.versions, row.yanked, strict=True))
    assert latest is not None, "the project has a release"
    place = list(row.versions).index(latest)
    return Item(row.name, row.normalized, latest, row.summaries[place], row.author_emails[place], row.created)
