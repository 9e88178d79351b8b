"""The journal as it grows: one reading of each change for all who follow it.

Nobody looks into the database for news: this process is told of every change in any case, for its caches.
Whoever follows pulls, as fast as a client takes it, out of the last events, which are held once for all; and
what is older out of the journal, page by page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from attrs import Factory, define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from caching.coalesce import Coalescer, TookTooLong
from caching.figures import Figure, counter, gauge
from pypi.domain.errors import Unavailable
from pypi.index.changes import Changes, Line

log = Logger()

PAGE = 200
"""Changes read at a time."""

MOST_BYTES = 1 << 20
"""Of events that are held for those who are not far behind."""

PIECE = 1 << 14
"""Bytes from which a piece is not made longer: what waits for a slow client is its own copy."""

EVERY = 15.0
"""Seconds from one sign of life to the next."""

PATIENCE = 10.0
"""Seconds for which somebody who is behind waits for a reading before he shows that he is alive."""

AGAIN_AFTER = 1.0
"""Seconds after which the database is asked again, when it did not answer."""

IN_A_TURN = 50
"""Followers that are woken in one turn of the reactor: everybody else waits no longer than for these."""


@frozen
class Form:
    """How changes are written to those who follow.

    Attributes:
        event: (serial, JSON object) → bytes.
        begin: what comes first: (serial) → bytes, whether everything before it is known.
        restart: what is said when the journal is not what it was: (serial from which it goes on) → bytes.
        alive: a sign of life.
        end: what comes last: the client shall come again.
    """

    event: Callable[[int, str], bytes]
    begin: Callable[[int], bytes]
    restart: Callable[[int], bytes]
    alive: bytes
    end: bytes


@frozen
class TooManyFollow(Unavailable):
    """As many wait for changes as may (503)."""

    retry_after: int = 10

    def __str__(self) -> str:
        return "Too many clients wait for changes at the moment. Try again later, or ask without waiting."


@define(eq=False)
class _Follower:
    """Somebody who has all changes up to a serial.

    Attributes:
        place: that serial.
        waiting: fires with whether there is something new; ``None`` while he is busy.
        is_misled: whether he knows of changes that have never been.
    """

    place: int
    waiting: Deferred[bool] | None = None
    is_misled: bool = False

    async def wait(self) -> bool:
        self.waiting = Deferred()
        try:
            return await self.waiting
        finally:
            self.waiting = None

    def wake(self, news: bool) -> None:
        if self.waiting is not None and not self.waiting.called:
            self.waiting.callback(news)


@define(eq=False, repr=False, kw_only=True)
class Tail:
    """Tells everybody who follows.

    Attributes:
        changes: the journal.
        form: how changes are written to followers.
        last: the last change this process has been told of, and all before it.
        reactor: ``IReactorTime``.
        followers: streams there may be.
        waiters: how many may wait for the next change.
        readings: of the journal for all who follow.
        told: changes that were read for them.
        caught_up: readings for those who were behind.
        refused: those who were one too many.
    """

    changes: Changes
    form: Form
    last: Callable[[], int]
    reactor: Any
    followers: int
    waiters: int
    readings: int = field(default=0, init=False)
    told: int = field(default=0, init=False)
    caught_up: int = field(default=0, init=False)
    refused: int = field(default=0, init=False)
    _held: Held = field(default=Factory(lambda self: Held(self.form), takes_self=True), init=False)
    _following: dict[_Follower, None] = field(factory=dict, init=False)
    _waiting: dict[_Follower, None] = field(factory=dict, init=False)
    _newest: int = field(default=0, init=False)
    _older: Coalescer[tuple[int, bytes]] = field(factory=Coalescer, init=False)
    _reading: Deferred[None] | None = field(default=None, init=False)
    _is_reading: bool = field(default=False, init=False)
    _walk: Iterator[_Follower] | None = field(default=None, init=False)
    _walk_again: bool = field(default=False, init=False)
    _signs: Any = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)

    def __repr__(self) -> str:
        return f"<Tail at {self._held.end}, {len(self._following)} follow, {len(self._waiting)} wait>"

    def figures(self) -> Iterator[Figure]:
        """Who listens, and what it costs."""
        yield gauge("changes_followers", "Clients that follow the stream of changes.", len(self._following))
        yield gauge("changes_waiters", "Clients that wait for the next change.", len(self._waiting))
        yield counter("changes_told", "Changes that were read, once for all who follow.", self.told)
        yield counter("changes_readings", "Readings of the journal for all who follow.", self.readings)
        yield counter(
            "changes_caught_up", "Readings of the journal for those who were behind.", self.caught_up
        )
        yield counter("changes_refused", "Clients refused, as too many followed or waited.", self.refused)

    async def start(self) -> None:
        """Everything begins with the first who follows."""

    async def stop(self) -> None:
        """Send everybody away, and read no more."""
        self.close()
        reading, self._reading = self._reading, None
        if reading is not None and self._is_reading:
            reading.cancel()
            await reading

    def close(self) -> None:
        """Send everybody away: who follows is told to come again, who waits gets what there is."""
        self._closed = True
        if self._signs is not None:
            self._signs.cancel()
            self._signs = None
        self._wake()

    # --- what happens -------------------------------------------------------------------------------------

    def news(self, serial: int) -> None:
        """Every change up to this serial is known; less than before means that there were others once."""
        if serial < self._newest:
            self._start_over(serial)
        self._newest = serial
        if self._following and self._held.end < serial and not (self._is_reading or self._closed):
            self._is_reading = True
            self._reading = Deferred.fromCoroutine(self._read())
        if self._waiting:
            self._wake()

    def _start_over(self, serial: int) -> None:
        self._held.restart(serial)
        for follower in self._following:
            if follower.place > serial:
                follower.place, follower.is_misled = serial, True
        self._wake()

    async def _read(self) -> None:
        """Read until all is held that is known of."""
        try:
            while self._following and self._held.end < self.last() and not self._closed:
                await self._read_page(self._held.end)
        except CancelledError:
            pass
        except Exception:
            log.failure("The last changes could not be read")
        finally:
            self._is_reading = False

    async def _read_page(self, place: int) -> None:
        try:
            lines = await self.changes.lines(place, PAGE)
        except Unavailable:
            await deferLater(self.reactor, AGAIN_AFTER)
            return
        self.readings += 1
        if place != self._held.end:
            return  # meanwhile all was begun anew
        self.told += len(lines)
        if lines:
            self._held.add(lines)
            self._wake()
        else:
            self._start_over(self.last())

    # --- who follows --------------------------------------------------------------------------------------

    def admit(self) -> None:
        """Refuse one too many who wants to ``follow``.

        Raises:
            TooManyFollow: as many do as may.
        """
        self._admit(len(self._following), self.followers)

    def _admit(self, there: int, most: int) -> None:
        if there >= most:
            self.refused += 1
            raise TooManyFollow()

    async def follow(self, since: int | None) -> AsyncIterator[bytes]:
        """All changes after a serial, in order, without end; only ``close`` ends it.

        Args:
            since: ``None``: from now on.
        """
        if not self._following:
            self._held.restart(self.last())
        follower = _Follower(self._held.end if since is None else since)
        self._following[follower] = None
        try:
            if self._signs is None and not self._closed:
                self._signs = self.reactor.callLater(EVERY, self._give_signs)
            yield self.form.begin(follower.place)
            if follower.place > self._held.end:
                await self._doubt(follower)
            self.news(self.last())  # what came before he was there
            while not self._closed:
                piece = await self._next(follower)
                if piece:
                    yield piece
            yield self.form.end
        finally:
            del self._following[follower]

    async def _next(self, follower: _Follower) -> bytes:
        if follower.is_misled:
            follower.is_misled = False
            return self.form.restart(follower.place)
        if follower.place < self._held.begin:
            return await self._catch_up(follower)
        if follower.place < self._held.end:
            follower.place, piece = self._held.after(follower.place)
            return piece
        news = await follower.wait()
        return b"" if news else self.form.alive

    async def _catch_up(self, follower: _Follower) -> bytes:
        """What is not held any more, or never was; those who are behind by the same share a reading."""
        place, begun = follower.place, self._older.begun
        look = self._older.under_way(place) or self._older.start(place, lambda: self._after(place))
        try:
            end, piece = await look.result(PATIENCE, self.reactor)
        except (Unavailable, TookTooLong):
            await deferLater(self.reactor, AGAIN_AFTER)
            return self.form.alive
        if end > place:
            follower.place = end
        elif look.number >= begun:  # there is nothing between him and what is held
            follower.place = self._held.begin
        return piece

    async def _after(self, place: int) -> tuple[int, bytes]:
        lines = await self.changes.older(place, PAGE)
        self.caught_up += 1
        end = lines[-1][0] if lines else place
        return end, b"".join(_events(self.form, lines))

    async def _doubt(self, follower: _Follower) -> None:
        """He knows more than this process: it may be late, or the journal is not what it was."""
        with suppress(Unavailable):
            page = await self.changes.page(follower.place, 1)
            if page.serial < follower.place:
                follower.place, follower.is_misled = page.serial, True

    async def newer(self, since: int, seconds: float) -> None:
        """Wait until there may be a change after this serial, but not longer than so many seconds.

        Raises:
            TooManyFollow: as many wait as may.
        """
        if self.last() > since or self._closed:
            return
        self._admit(len(self._waiting), self.waiters)
        follower = _Follower(since)
        self._waiting[follower] = None
        patience = self.reactor.callLater(seconds, follower.wake, False)
        try:
            await follower.wait()
        finally:
            del self._waiting[follower]
            if patience.active():
                patience.cancel()

    # --- waking -------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Wake everybody for whom there is something, some in each turn of the reactor."""
        if self._walk is not None:
            self._walk_again = True
        else:
            self._walk = self._to_be_woken()
            self._step()

    def _to_be_woken(self) -> Iterator[_Follower]:
        yield from [one for one in self._following if self._concerns(one, self._held.end)]
        yield from [one for one in self._waiting if self._concerns(one, self.last())]

    def _concerns(self, one: _Follower, end: int) -> bool:
        return one.waiting is not None and (one.place < end or one.is_misled or self._closed)

    def _step(self) -> None:
        assert self._walk is not None
        if _wake(islice(self._walk, IN_A_TURN), news=True):
            self.reactor.callLater(0, self._step)
            return
        self._walk = None
        if self._walk_again:
            self._walk_again = False
            self._wake()

    def _give_signs(self) -> None:
        self._signs = None
        if self._following:
            self._signs = self.reactor.callLater(EVERY, self._give_signs)
            self._sign(iter(list(self._following)))

    def _sign(self, walk: Iterator[_Follower]) -> None:
        if _wake(islice(walk, IN_A_TURN), news=False):
            self.reactor.callLater(0, self._sign, walk)


def _events(form: Form, lines: Iterable[Line]) -> list[bytes]:
    """One of each line; nothing of those that are not for everybody."""
    return [b"" if said is None else form.event(serial, said) for serial, said in lines]


def _wake(followers: Iterable[_Follower], *, news: bool) -> int:
    """Wake them; how many there were."""
    count = 0
    for count, follower in enumerate(followers, 1):  # noqa: B007
        follower.wake(news)
    return count


@define(eq=False)
class Held:
    """The last events, once for all.

    Attributes:
        begin: the serial before the first of them.
        end: the serial of the last of them.
    """

    form: Form
    begin: int = 0
    end: int = 0
    _serials: list[int] = field(factory=list, init=False)
    _events: list[bytes] = field(factory=list, init=False)
    _bytes: int = field(default=0, init=False)
    _pieces: dict[int, tuple[int, bytes]] = field(factory=dict, init=False)

    def restart(self, serial: int) -> None:
        """Hold nothing; what comes next is after this serial."""
        self.begin = self.end = serial
        self._serials.clear()
        self._events.clear()
        self._pieces.clear()
        self._bytes = 0

    def add(self, lines: Sequence[Line]) -> None:
        """Hold these, too, which follow; and forget the oldest where there is no room."""
        events = _events(self.form, lines)
        self._serials += [serial for serial, _ in lines]
        self._events += events
        self._bytes += sum(map(len, events))
        self.end = self._serials[-1]
        self._pieces.clear()
        forgotten = 0
        while self._bytes > MOST_BYTES:
            self._bytes -= len(self._events[forgotten])
            forgotten += 1
        if forgotten:
            self.begin = self._serials[forgotten - 1]
            del self._serials[:forgotten], self._events[:forgotten]

    def after(self, place: int) -> tuple[int, bytes]:
        """(the serial of the last of them, the first events after a serial), the same bytes for everybody."""
        piece = self._pieces.get(place)
        if piece is None:
            piece = self._pieces[place] = self._piece(bisect_right(self._serials, place))
        return piece

    def _piece(self, first: int) -> tuple[int, bytes]:
        end, size = first, 0
        while end < len(self._events) and size < PIECE:
            size += len(self._events[end])
            end += 1
        return self._serials[end - 1], b"".join(self._events[first:end])
