"""The list of all projects, which one publish after another changes by a line."""

from __future__ import annotations

from time import sleep

from attrs import Factory, define, field, frozen
from twisted.logger import Logger

from caching.blocks import Whole
from caching.buckets import Bucket, Format, Gatherer, changed, written
from caching.coalesce import Coalescer, TookTooLong
from pypi.db.connection import Cursor
from pypi.db.database import Database, DatabaseDown
from pypi.db.queries import journal, projects
from pypi.db.queries.projects import TouchedRow
from pypi.files.workers import Workers

log = Logger()

MOST_CHANGES = 5000
"""Changed projects from which reading all of them again is less work."""

BREATH = 0.0002
"""Seconds between one bucket and the next."""

PATIENCE = 60.0
"""Seconds to wait for the list; reading all of it takes some."""

STALE_FOR = 24 * 3600.0


@frozen(eq=False)
class Listing:
    """All projects as they were at one moment.

    Attributes:
        serial: of the last change of anything.
        buckets: of lines ``normalized name, name, serial of its last change``, by normalized name.
    """

    serial: int
    buckets: tuple[Bucket, ...] = field(repr=False)
    _written: dict[str, Whole] = field(factory=dict, repr=False, init=False)

    @property
    def count(self) -> int:
        """How many projects there are."""
        return sum(bucket.count for bucket in self.buckets)

    def written(self, form: Format, before: Listing | None = None) -> Whole:
        """The list in a format; takes long where it was not written before.

        Args:
            before: an earlier list, of which much may have stayed as it was.
        """
        if form.name not in self._written:
            known = None if before is None else before._written.get(form.name)
            self._written[form.name] = written(
                self.buckets, form, self.serial, before=known, pause=_let_others_go_on
            )
        return self._written[form.name]

    def is_written(self, form: Format) -> bool:
        """Whether ``written`` takes no time."""
        return form.name in self._written


@define(eq=False, repr=False)
class Names:
    """Holds the list, and brings it up to date when somebody asks.

    Attributes:
        threads: where lists are made, one at a time.
        held: the list as it was when somebody asked last; outdated when the database does not answer.
    """

    database: Database
    threads: Workers = field(
        default=Factory(lambda self: Workers(self.database.reactor, threads=1, name="names"), takes_self=True)
    )
    held: Listing | None = field(default=None, init=False)
    _confirmed: float = field(default=0.0, init=False)
    _written_last: dict[str, Listing] = field(factory=dict, init=False)
    _refreshes: Coalescer[Listing] = field(factory=Coalescer, init=False)

    def __repr__(self) -> str:
        held = self.held
        return f"<Names {held.count} projects at {held.serial}>" if held is not None else "<Names of nobody>"

    @property
    def age(self) -> float:
        """Seconds since ``held`` was known to be what the database says."""
        return float(self.database.reactor.seconds() - self._confirmed)

    async def start(self) -> None:
        """Make a thread available."""
        await self.threads.start()

    async def stop(self) -> None:
        """Let it come to its end."""
        await self.threads.stop()

    async def current(self) -> Listing:
        """The list with every change that was committed before this call.

        All who ask while one look at the database is under way wait for the next one, and share it.

        Raises:
            DatabaseDown: the database does not answer, or not in time; ``held`` stays what it was.
        """
        try:
            return await self._refreshes.anew(None, self._refresh, PATIENCE, self.database.reactor)
        except TookTooLong:
            raise DatabaseDown() from None

    async def latest(self, form: Format, *, stale_for: float = STALE_FOR) -> Whole:
        """The list in a format, with every change that was committed before this call.

        Args:
            stale_for: seconds an outdated list may be shown while the database does not answer.

        Raises:
            DatabaseDown: it does not answer, and there is no list, or only an older one.
        """
        try:
            listing = await self.current()
        except DatabaseDown:
            if self.held is None or self.age > stale_for:
                raise
            listing = self.held
        return await self.write(listing, form)

    async def write(self, listing: Listing, form: Format) -> Whole:
        """A list in a format; only what has changed since the last time is written anew."""
        if listing.is_written(form):
            return listing.written(form)
        whole = await self.threads.run(listing.written, form, self._written_last.get(form.name))
        self._written_last[form.name] = listing
        return whole

    async def _refresh(self) -> Listing:
        asked = self.database.reactor.seconds()
        self.held = await self._moved(self.held) if self.held is not None else await self._read()
        self._confirmed = asked
        return self.held

    async def _moved(self, held: Listing) -> Listing:
        """The list of now, from the one that is held."""
        touched = await self.database.ask(projects.touched, held.serial, limit=MOST_CHANGES)
        if touched.serial == held.serial:
            return held
        if touched.serial < held.serial or touched.count == MOST_CHANGES:
            return await self._read()
        return await self.threads.run(_changed, held, touched)

    async def _read(self) -> Listing:
        listing = await self.database.scan(self._all)
        log.info("The list of all {count} projects was read", count=listing.count)
        return listing

    async def _all(self, cursor: Cursor) -> Listing:
        gatherer = Gatherer()
        serial = await journal.last_serial(cursor)
        async for lines in projects.listed(cursor):
            await self.threads.run(gatherer.add, lines)
        return Listing(serial, await self.threads.run(gatherer.done))


def _let_others_go_on() -> None:
    """Hand the interpreter over for a moment: a thread that computes on and on slows the reactor's down."""
    sleep(BREATH)


def _changed(listing: Listing, touched: TouchedRow) -> Listing:
    changes: dict[str, str | None] = {}
    for line in touched.lines.split("\n") if touched.lines else ():
        key, _, rest = line.partition("\t")
        changes[key] = line if rest else None
    return Listing(touched.serial, changed(listing.buckets, changes) if changes else listing.buckets)
