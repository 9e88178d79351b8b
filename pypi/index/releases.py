"""Releases and who makes them, as old clients ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import orjson
from attrs import define

from pypi.db.database import Database
from pypi.db.queries import catalogue
from pypi.db.queries.catalogue import ReleaseDataRow, ReleaseFileRow
from pypi.domain import versions
from pypi.domain.errors import Invalid
from pypi.domain.names import normalize
from pypi.files import paths
from pypi.files.workers import Workers
from pypi.index.history import MOST, Make, made

__all__ = ["ReleaseDataRow", "ReleaseFileRow", "Releases", "TooManyReleases", "path_of", "place_of"]

T = TypeVar("T")

Role = tuple[str, str]


class TooManyReleases(Invalid):
    """More is asked for than anybody can be given at once."""

    def __str__(self) -> str:
        return f"More than {MOST} releases have these classifiers. Name one more."


@define(eq=False)
class Releases:
    """Answers about releases; each answer is one consistent moment. Names may be spelled in any way.

    Attributes:
        threads: where long lists are made; started and stopped by their owner.
    """

    database: Database
    threads: Workers

    async def versions(self, name: str) -> tuple[list[str], str | None]:
        """(versions of a project, highest first; the one a reader means who names none)."""
        found = await self.database.ask(catalogue.versions_of, normalize(name))
        pairs: list[tuple[str, bool]] = [
            (version, yanked) for version, yanked in orjson.loads(f"[{found.items}]")
        ]
        ordered = sorted((version for version, _ in pairs), key=versions.sort_key, reverse=True)
        return ordered, versions.latest(pairs)

    async def files(self, name: str, version: str) -> Sequence[ReleaseFileRow]:
        """The files of a release, by filename; none of a release there is not."""
        return await self.database.ask(catalogue.files_of, normalize(name), version)

    async def data(self, name: str, version: str) -> ReleaseDataRow | None:
        """All that is known of a release, ``None`` of one there is not."""
        return await self.database.ask(catalogue.data_of, normalize(name), version)

    async def classified(self, classifiers: Sequence[str], make: Make[T]) -> T:
        """What is made of the [name, version] of the releases that have all of some classifiers.

        Raises:
            TooManyReleases: there are more than can be told.
        """
        found = await self.database.ask(catalogue.classified, classifiers, limit=MOST + 1)
        if found.count > MOST:
            raise TooManyReleases
        return await made(found, make, self.threads)

    async def roles_of_project(self, name: str) -> list[Role]:
        """(role, account): owners first, then by name."""
        return await self.database.ask(catalogue.roles_of_project, normalize(name))

    async def roles_of_user(self, user: str) -> list[Role]:
        """(role, project as displayed): those owned first, then by name."""
        return await self.database.ask(catalogue.roles_of_user, user)


def path_of(file: ReleaseFileRow) -> str:
    """Where a file lies, below ``/packages/``."""
    return paths.store_path(file.blake2_256, file.filename)


def place_of(data: ReleaseDataRow) -> int:
    """The place of a release among all of its project, by version, the lowest 0."""
    ordered: list[Any] = sorted(data.versions, key=versions.sort_key)
    return ordered.index(data.version)
