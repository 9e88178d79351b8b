"""What each method answers, in the last shape in which it was of use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from attrs import frozen

from caching.blocks import Whole
from legacy_compat.xmlrpc import marshal
from legacy_compat.xmlrpc.faults import no_such_method, refused
from legacy_compat.xmlrpc.methods import (
    ARRAY,
    FLAG,
    INTEGER,
    SECONDS,
    STRUCT,
    TABLE,
    TEXT,
    Keep,
    Method,
)
from legacy_compat.xmlrpc.releases import release_data, release_file
from pypi.domain.cache_tags import WITHHELD
from pypi.domain.names import normalize
from pypi.index.downloads import Popularity
from pypi.index.history import History
from pypi.index.names import Names
from pypi.index.releases import Releases
from pypi.index.xmlrpc_lists import LIST_PACKAGES, LIST_PACKAGES_WITH_SERIAL
from pypi.search.find import Search
from pypi.search.query import of_fields

MOST_TAGS = 500
"""Projects whose changes an answer hears of; with more it hears of those of all."""

MOST_TOP = 1000
"""Projects among those downloaded most."""


@frozen
class Made:
    """An answer.

    Attributes:
        body: as ``marshal.response`` writes it.
        tags: of everything it was made from.
    """

    body: bytes
    tags: tuple[str, ...] = ()


def made(value: Any, *tags: str) -> Made:
    """The answer that is this value."""
    return Made(marshal.response(marshal.xml(value)), tags)


def _written(value: Any) -> bytes:
    return marshal.response(marshal.xml(value))


@frozen(kw_only=True, eq=False)
class Answers:
    """Every method but the one that makes several calls.

    Attributes:
        names: the list of all projects.
        popularity: knows how often they are downloaded.
        origin: URL of this index.
        files_url: what stands before ``/packages/…`` in the URLs of files.
    """

    history: History
    releases: Releases
    names: Names
    popularity: Popularity
    finder: Search
    origin: str
    files_url: str

    # --- all projects -------------------------------------------------------------------------------------

    @TABLE.add("array", keep=Keep.NEVER)
    async def list_packages(self) -> Whole:
        """The names of all projects."""
        return await self.names.latest(LIST_PACKAGES)

    @TABLE.add("struct", keep=Keep.NEVER)
    async def list_packages_with_serial(self) -> Whole:
        """The names of all projects, each with the serial of its last change."""
        return await self.names.latest(LIST_PACKAGES_WITH_SERIAL)

    @TABLE.add("array", spec=STRUCT, operator=TEXT)
    async def search(self, spec: Mapping[str, Any], operator: str = "and") -> Made:
        """Projects in which certain words occur, the best first.

        ``spec`` names fields, each with a text or an array of texts of which any will do; ``operator`` says
        whether all fields have to match (``and``) or any (``or``). Returns structs of name, version, summary
        and _pypi_ordering, which is higher for better ones.
        """
        hits = await self.finder.find(of_fields(spec, operator))
        found = [
            {"_pypi_ordering": hit.ordering, "version": hit.version, "name": hit.name, "summary": hit.summary}
            for hit in hits
        ]
        return made(found, "search")

    @TABLE.add("array", classifiers=ARRAY)
    async def browse(self, classifiers: list[Any]) -> Made:
        """The releases that have all of these classifiers, as arrays of name and version."""
        texts = [one for one in classifiers if isinstance(one, str)]
        if len(texts) < len(classifiers) or not texts:
            return made([], "search")
        return Made(await self.releases.classified(texts, _written), ("search",))

    @TABLE.add("array", keep=Keep.FOR_MINUTES, num=INTEGER)
    async def top_packages(self, num: int | None = None) -> Made:
        """The projects downloaded most in the last 30 days, as arrays of name and downloads, the most first.

        There are 1000 at most, and none where downloads are not counted.
        """
        limit = MOST_TOP if num is None else max(0, min(num, MOST_TOP))
        found = [[one.name, one.recent] for one in await self.popularity.top(limit)]
        # A minute late is soon enough for numbers, but not for a name that nobody may be told any more.
        return made(found, WITHHELD)

    # --- one project --------------------------------------------------------------------------------------

    @TABLE.add("array", package_name=TEXT, show_hidden=FLAG)
    async def package_releases(self, package_name: str, show_hidden: bool = False) -> Made:
        """The latest version of a project in an array; with show_hidden all of them, the latest first."""
        every, latest = await self.releases.versions(package_name)
        chosen = every if show_hidden else [] if latest is None else [latest]
        return made(chosen, _project(package_name))

    @TABLE.add("array", package_name=TEXT, version=TEXT)
    async def release_urls(self, package_name: str, version: str) -> Made:
        """The files of a release, with their URLs and digests; none of a release there is not."""
        rows = await self.releases.files(package_name, version)
        return made([release_file(row, self.files_url) for row in rows], _project(package_name))

    @TABLE.add("array", package_name=TEXT, version=TEXT)
    async def package_urls(self, package_name: str, version: str) -> Made:
        """The same as release_urls."""
        return await self.release_urls(package_name, version)

    @TABLE.add("struct", package_name=TEXT, version=TEXT)
    async def release_data(self, package_name: str, version: str) -> Made:
        """The metadata of a release; nothing of a release there is not."""
        row = await self.releases.data(package_name, version)
        found = (
            {} if row is None else release_data(row, self._page(row.name), self._page(row.name, row.version))
        )
        return made(found, _project(package_name))

    @TABLE.add("struct", package_name=TEXT, version=TEXT)
    async def package_data(self, package_name: str, version: str) -> Made:
        """The same as release_data."""
        return await self.release_data(package_name, version)

    @TABLE.add("array", keep=Keep.FOR_MINUTES, package_name=TEXT, version=TEXT)
    async def release_downloads(self, package_name: str, version: str) -> Made:
        """The files of a release, as arrays of name and downloads: -1 where those are not counted."""
        counts = await self.popularity.of_release(package_name, version)
        return made([list(one) for one in counts], _project(package_name))

    @TABLE.add("string", package_name=TEXT)
    async def package_hosting_mode(self, package_name: str) -> Made:
        """Where the files of a project are: always pypi-only, on the index itself."""
        return made("pypi-only")

    @TABLE.add("array", package_name=TEXT)
    async def package_roles(self, package_name: str) -> Made:
        """Who has a role in a project, as arrays of role and user name; owners first."""
        roles = await self.releases.roles_of_project(package_name)
        return made([list(role) for role in roles], _project(package_name))

    @TABLE.add("array", username=TEXT)
    async def user_packages(self, username: str) -> Made:
        """The projects in which somebody has a role, as arrays of role and project; those owned first."""
        roles = await self.releases.roles_of_user(username)
        return made([list(role) for role in roles], f"user/{username.lower()}", *_projects(roles))

    @TABLE.add("boolean", keep=Keep.NEVER, package_name=TEXT, version=TEXT, score=INTEGER, password=TEXT)
    async def post_cheesecake_for_release(
        self, package_name: str, version: str, score: int, password: str
    ) -> Made:
        """Rate the quality of a release: nobody takes ratings any more."""
        raise refused(
            "RuntimeError", "Ratings of releases are no longer taken. Nothing has taken their place."
        )

    # --- changes ------------------------------------------------------------------------------------------

    @TABLE.add("int", keep=Keep.NEVER)
    async def changelog_last_serial(self) -> Made:
        """The serial of the last change of anything."""
        return made(await self.history.last_serial())

    @TABLE.add("array", keep=Keep.AT_SERIAL, serial=INTEGER)
    async def changelog_since_serial(self, serial: int) -> Made:
        """Changes after a serial: arrays of name, version or nil, seconds since 1970, action and serial.

        There are 50000 at most; ask again from the last serial on.
        """
        return Made(await self.history.since_serial(serial, _written), ("journal",))

    @TABLE.add("array", since=SECONDS, with_ids=FLAG)
    async def changelog(self, since: float, with_ids: bool = False) -> Made:
        """Changes after a moment, in seconds since 1970; with_ids adds the serial of each.

        There are 50000 at most; changelog_since_serial tells them without gaps.
        """
        write = _written if with_ids else _without_serials
        return Made(await self.history.since(since, write), ("journal",))

    @TABLE.add("array", since=SECONDS)
    async def updated_releases(self, since: float) -> Made:
        """Releases made after a moment, in seconds since 1970, as arrays of name and version."""
        return Made(await self.history.releases_since(since, _written), ("journal",))

    @TABLE.add("array", since=SECONDS)
    async def changed_packages(self, since: float) -> Made:
        """Names of the projects of which anything changed after a moment, in seconds since 1970."""
        return Made(await self.history.projects_since(since, _written), ("journal",))

    # --- about the methods --------------------------------------------------------------------------------

    @TABLE.add("array", keep=Keep.NEVER, name="system.listMethods")
    async def list_methods(self) -> Made:
        """The names of all methods."""
        return made(sorted(TABLE.methods))

    @TABLE.add("string", keep=Keep.NEVER, name="system.methodHelp", method_name=TEXT)
    async def method_help(self, method_name: str) -> Made:
        """What a method is for."""
        return made(_known(method_name).help)

    @TABLE.add("array", keep=Keep.NEVER, name="system.methodSignature", method_name=TEXT)
    async def method_signature(self, method_name: str) -> Made:
        """What a method returns and is called with, an array of types for each number of arguments."""
        return made(_known(method_name).signatures)

    def _page(self, name: str, version: str = "") -> str:
        path = "".join(f"{quote(part)}/" for part in (name, version) if part)
        return f"{self.origin}/project/{path}"


def _known(name: str) -> Method:
    method = TABLE.get(name)
    if method is None:
        raise no_such_method()
    return method


def _project(name: str) -> str:
    return f"project/{normalize(name)}"


def _projects(roles: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Tags by which an answer hears that a project is spelled otherwise."""
    return ["all-projects"] if len(roles) > MOST_TAGS else [_project(name) for _, name in roles]


def _without_serials(rows: Sequence[Any]) -> bytes:
    return _written([row[:4] for row in rows])
