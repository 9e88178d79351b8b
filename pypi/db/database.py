"""Transactions on PostgreSQL: ``await database.transact(function, …)``, and that is all.

One function is one transaction. It is committed when ``transact`` returns and rolled back when it raises; it
goes on when the client who caused it hangs up; it is tried again when the server asks for that; and it ends
by its deadline whatever the server does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from random import Random
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg2
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.task import deferLater
from twisted.logger import Logger

from caching.coalesce import shielded
from caching.figures import Figure, gauge
from pypi.db.connection import Connection, Cursor, is_transient, resolved
from pypi.domain.errors import Unavailable

P = ParamSpec("P")
T = TypeVar("T")

log = Logger()

READ_DEADLINE = 5.0
SCAN_DEADLINE = 60.0
WRITE_DEADLINE = 30.0
CONNECT_DEADLINE = 5.0
TRIES = 4
MAX_WAITING = 1000
GRACE = 1.0
"""Seconds that ``stop`` gives the transactions under way."""


class DatabaseDown(Unavailable):
    """PostgreSQL cannot be reached, or has no connection to spare; nothing was changed."""

    def __str__(self) -> str:
        return "The index's database does not answer at the moment; nothing was changed. Try again later."


class DeadlineExceeded(DatabaseDown):
    """The transaction did not end in its time and was rolled back; nothing was changed."""


class OutcomeUnknown(Unavailable):
    """The connection was lost while committing: the transaction may or may not have happened.

    Whoever can ask the database afterwards whether it did, does; nobody guesses.
    """

    def __str__(self) -> str:
        return "The index's database was lost at the last moment; the change may or may not have been made."


@define(eq=False, repr=False)
class Database:
    """A bounded pool of connections, and the only way to use one.

    Attributes:
        dsn: ``postgresql://…``, with all libpq understands.
        reactor: where connections are polled and deadlines kept.
        size: connections kept at most.
        patience: seconds a transaction waits for a free connection before ``DatabaseDown``.
    """

    dsn: str = field(repr=False)
    reactor: Any
    size: int = 8
    patience: float = 5.0
    random: Random = field(factory=Random, repr=False)
    _idle: deque[Connection] = field(factory=deque, init=False, repr=False)
    _busy: set[Connection] = field(factory=set, init=False)
    _waiting: deque[Deferred[None]] = field(factory=deque, init=False, repr=False)
    _stopped: bool = field(default=False, init=False)

    def __repr__(self) -> str:
        return (
            f"<Database {self._open} of {self.size} connections, {len(self._busy)} busy, "
            f"{len(self._waiting)} waiting>"
        )

    def figures(self) -> Iterator[Figure]:
        """Its connections, and who waits for one."""
        yield gauge("database_connections_open", "Open connections to PostgreSQL.", self._open)
        yield gauge("database_connections_busy", "Of those, connections in a transaction.", len(self._busy))
        yield gauge("database_connections_limit", "Connections there may be.", self.size)
        yield gauge("database_waiting", "Transactions that wait for a connection.", len(self._waiting))

    async def transact(
        self,
        function: Callable[Concatenate[Cursor, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run ``function(cursor, *args, **kwargs)`` as one transaction that writes.

        The function may run more than once: it must have no effect but on the database.

        Raises:
            DatabaseDown: nothing was changed.
            DeadlineExceeded: nothing was changed.
            OutcomeUnknown: ask again before saying anything.
        """
        return await self._shielded(_WRITE, WRITE_DEADLINE, lambda c: function(c, *args, **kwargs))

    async def read(
        self,
        function: Callable[Concatenate[Cursor, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run ``function(cursor, *args, **kwargs)`` on one read-only snapshot: its queries see one moment.

        Raises:
            DatabaseDown: the database cannot be reached.
            DeadlineExceeded: it did not answer in time.
        """
        return await self._shielded(_READ, READ_DEADLINE, lambda c: function(c, *args, **kwargs))

    async def ask(
        self,
        function: Callable[Concatenate[Cursor, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """``read`` for a function of a single statement, in one round trip in place of three.

        Raises:
            RuntimeError: the function executes a second statement.
            DatabaseDown: the database cannot be reached.
            DeadlineExceeded: it did not answer in time.
        """
        return await self._shielded(_ASK, READ_DEADLINE, lambda c: function(c, *args, **kwargs))

    async def scan(
        self,
        function: Callable[Concatenate[Cursor, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """``read`` for a function that walks through a whole table, and may take a minute.

        Raises:
            DatabaseDown: the database cannot be reached.
            DeadlineExceeded: it did not answer in time.
        """
        return await self._shielded(_READ, SCAN_DEADLINE, lambda c: function(c, *args, **kwargs))

    async def start(self) -> None:
        """Find out now, rather than at the first request, whether the server answers.

        Raises:
            DatabaseDown: it does not.
        """

        async def nothing(cursor: Cursor) -> None:
            pass

        await self.read(nothing)

    async def stop(self) -> None:
        """Give running transactions ``GRACE`` seconds to end, then close all connections."""
        self._stopped = True
        ends = self._now() + GRACE
        while self._busy and self._now() < ends:
            await deferLater(self.reactor, 0.02)
        for connection in tuple(self._busy):
            log.warn("A transaction did not end in time; its connection is closed")
            connection.discard()
        self._drop_idle()

    # --- one transaction --------------------------------------------------------------------------------

    async def _shielded(self, begin: str, seconds: float, work: Callable[[Cursor], Awaitable[T]]) -> T:
        # Whoever waits no longer has given up on a database that does not answer; that it did not is known.
        return await shielded(self._persist(begin, seconds, work), DatabaseDown)

    async def _persist(self, begin: str, seconds: float, work: Callable[[Cursor], Awaitable[T]]) -> T:
        """Try until it succeeds, is refused for good, or the deadline has passed."""
        ends = self._now() + seconds
        tries = 0
        while True:
            self._refuse_when_stopped()
            tries += 1
            try:
                return await self._once(begin, ends, work)
            except OutcomeUnknown:
                raise
            except (psycopg2.Error, ConnectionClosed, _ConnectFailed) as error:
                if not (is_transient(error) or isinstance(error, LOST)):
                    raise
                self._drop_idle()  # what ended one connection has often ended the others
                pause = self.random.uniform(0.5, 1.5) * 0.05 * 2**tries
                if tries >= TRIES or self._now() + pause >= ends:
                    log.warn("The database failed {tries} times: {error}", tries=tries, error=_told(error))
                    raise DatabaseDown() from None
                await deferLater(self.reactor, pause)

    async def _once(self, begin: str, ends: float, work: Callable[[Cursor], Awaitable[T]]) -> T:
        connection = await self._acquire(ends)
        cursor: Cursor = connection.cursor()
        deadline = _Deadline(self.reactor, ends, connection)
        committing = False
        opening = begin % {"milliseconds": max(1, int((ends - self._now()) * 1000))}
        try:
            if begin is _ASK:
                cursor.opening = opening
                return await work(cursor)
            await cursor.run(opening)
            result = await work(cursor)
            committing = True
            await cursor.run("COMMIT")
        except BaseException as error:
            if (
                committing
                and begin is _WRITE
                and (deadline.passed or not connection.is_open or not _was_answered(error))
            ):
                log.warn("The database was lost during a commit: {error}", error=_told(error))
                raise OutcomeUnknown() from None
            if deadline.passed or _is_timeout(error):
                raise DeadlineExceeded() from None
            await self._roll_back(connection, cursor)
            raise
        finally:
            deadline.cancel()
            self._release(connection)
        return result

    async def _roll_back(self, connection: Connection, cursor: Cursor) -> None:
        if not connection.is_open or connection.is_idle:
            return
        try:
            await cursor.run("ROLLBACK")
        except Exception as error:
            log.info("A rollback failed, its connection goes: {error}", error=_told(error))
            connection.discard()

    # --- connections --------------------------------------------------------------------------------------

    async def _acquire(self, ends: float) -> Connection:
        while not (self._idle or self._open < self.size):
            await self._turn(ends)
            self._refuse_when_stopped()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                self._busy.add(connection)
                return connection
        connection = Connection(reactor=self.reactor)
        self._busy.add(connection)
        try:
            await self._connect(connection, ends)
        except BaseException:
            self._busy.discard(connection)
            self._wake()
            raise
        return connection

    async def _turn(self, ends: float) -> None:
        """Wait until a connection may be free; the longest waiting goes first."""
        if len(self._waiting) >= MAX_WAITING:
            raise DatabaseDown()
        turn: Deferred[None] = Deferred()
        self._waiting.append(turn)
        patience = max(0.0, min(self.patience, ends - self._now()))
        turn.addTimeout(patience, self.reactor, _give_up)
        try:
            await turn
        finally:
            if turn in self._waiting:
                self._waiting.remove(turn)

    async def _connect(self, connection: Connection, ends: float) -> None:
        deadline = _Deadline(self.reactor, min(ends, self._now() + CONNECT_DEADLINE), connection)
        try:
            await connection.connect(**await resolved(self.dsn, self.reactor))
            await connection.cursor().run(_SESSION)
        except Exception as error:
            connection.discard()
            raise _ConnectFailed(_told(error)) from None
        finally:
            deadline.cancel()

    def _release(self, connection: Connection) -> None:
        self._busy.discard(connection)
        if connection.is_open and connection.is_idle and not self._stopped:
            self._idle.append(connection)
        else:
            connection.discard()
        self._wake()

    def _drop_idle(self) -> None:
        while self._idle:
            self._idle.popleft().discard()

    def _wake(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.called:
                turn.callback(None)
                return

    @property
    def _open(self) -> int:
        return len(self._idle) + len(self._busy)

    def _refuse_when_stopped(self) -> None:
        if self._stopped:
            raise DatabaseDown()

    def _now(self) -> float:
        now: float = self.reactor.seconds()
        return now


class _ConnectFailed(Exception):
    """No connection could be made this time."""


LOST = (psycopg2.OperationalError, psycopg2.InterfaceError, ConnectionClosed, _ConnectFailed)


@define(eq=False)
class _Deadline:
    """Closes a connection at a moment: what waits on it fails, and the server rolls back."""

    clock: Any
    ends: float
    connection: Connection
    passed: bool = field(default=False, init=False)
    _call: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._call = self.clock.callLater(max(0.0, self.ends - self.clock.seconds()), self._expire)

    def _expire(self) -> None:
        self.passed = True
        self.connection.discard()

    def cancel(self) -> None:
        if self._call.active():
            self._call.cancel()


# One round trip each. The server ends by itself what has lost its client.
_SESSION = "SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout = '10s'"
_WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; "
    "SET LOCAL statement_timeout = %(milliseconds)s; SET LOCAL lock_timeout = '10s'"
)
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = %(milliseconds)s"
# Several statements in one message are one transaction, which ends with the message.
_ASK = "SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = %(milliseconds)s; "


def _give_up(_result: object, _seconds: float) -> None:
    raise DatabaseDown()


def _is_timeout(error: BaseException) -> bool:
    # txpostgres reports every statement the server cancelled, by its own timeout too, as a CancelledError.
    lock_timeout = getattr(error, "pgcode", None) == "55P03"
    return lock_timeout or isinstance(error, CancelledError)


def _was_answered(error: BaseException) -> bool:
    # A server that is shutting down may have committed before it says so.
    code = getattr(error, "pgcode", None)
    return code is not None and not code.startswith("57P")


def _told(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
