"""What not everybody reads, put together once: who decides, and the rooms that answer readers."""

from __future__ import annotations

from typing import Any, cast

from attrs import evolve, field, frozen

from pypi.accounts.readers import Readers
from pypi.config import Config
from pypi.db.database import Database
from pypi.db.revealing import Revealing
from pypi.domain.permissions import Access
from pypi.index.private import Private
from pypi.index.withheld import Withheld
from pypi.membership import Membership
from pypi.web.door import Cookies
from pypi.web.downloads import Downloads
from pypi.web.downloads_handoff import Handoff, ToBucket
from pypi.web.feeds import FeedRoom
from pypi.web.json_api import JsonApi
from pypi.web.pages.project.room import ProjectPages
from pypi.web.reading import ReadDoor
from pypi.web.simple import SimpleApi

PRESIGNED = 60
"""Seconds for which the bucket hands out a private file by an address that a reader got."""


@frozen(kw_only=True, eq=False)
class Readership:
    """Who reads.

    Attributes:
        door: decides, for every route that reads.
        rooms: answer readers of what is private, each in place of another of its class.
    """

    door: ReadDoor
    rooms: tuple[Any, ...] = field(repr=False)


def _briefly(handoff: Handoff | None) -> Handoff | None:
    """The same, but an address that was given to a reader is soon good for nobody."""
    if not isinstance(handoff, ToBucket):
        return handoff
    return evolve(handoff, seconds=min(handoff.seconds, PRESIGNED), shared=False)


def access(config: Config) -> Access:
    """Who reads the index as a whole, by ``access.reads``."""
    return Access.PUBLIC if config.access.reads == "public" else Access.ACCOUNTS


def readership(
    config: Config,
    reactor: Any,
    *,
    database: Database,
    members: Membership,
    private: Private,
    withheld: Withheld,
    cookies: Cookies | None,
    simple: SimpleApi,
    json_api: JsonApi,
    project_pages: ProjectPages,
    feeds: FeedRoom,
    downloads: Downloads,
) -> Readership:
    """Put it together.

    Args:
        withheld: which files nobody gets.
        simple, json_api, project_pages, feeds, downloads: the rooms that answer everybody.
    """
    readers = Readers(programs=members.programs, database=database, reactor=reactor)
    door = ReadDoor(
        access=access(config), private=private, readers=readers, sessions=members.sessions, cookies=cookies
    )
    # It answers the questions of a database, and writes nothing: those who write have no room here.
    revealing = cast(Database, Revealing(database))
    documents = evolve(json_api.documents, database=revealing)
    popularity = project_pages.popularity
    rooms = (
        evolve(simple, index=evolve(simple.index, database=revealing)),
        evolve(json_api, documents=documents),
        evolve(
            project_pages,
            documents=documents,
            popularity=None if popularity is None else evolve(popularity, database=revealing),
        ),
        evolve(feeds, feeds=evolve(feeds.feeds, database=revealing)),
        evolve(
            downloads,
            withheld=lambda: withheld.digests,
            for_everybody=False,
            settle=None,
            handoff=_briefly(downloads.handoff),
        ),
    )
    return Readership(door=door, rooms=rooms)
