"""One connection to PostgreSQL: txpostgres with its traps covered.

What txpostgres 1.7 does on today's Twisted, and what is done about it here:

- cancelling its Deferreds raises at the canceller, and asking the server to cancel blocks the thread:
  nothing here cancels; a deadline closes the connection, and the server's own timeouts end the statement;
- a lost connection stays in its pool for ever: ours are thrown away at the first sign of trouble;
- the loss of an idle connection is logged as an unhandled error: here it closes the connection, quietly;
- ``runInteraction`` does not understand coroutines: ``pypi.db.database`` runs its own transactions.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import psycopg2
import psycopg2.extensions
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore
from twisted.logger import Logger
from txpostgres import txpostgres

Row = TypeVar("Row")
Parameters = Mapping[str, Any]

log = Logger()

psycopg2.extensions.register_type(psycopg2.extensions.UNICODE)
psycopg2.extensions.register_type(psycopg2.extensions.UNICODEARRAY)


class Cursor(txpostgres.Cursor):  # type: ignore[misc]
    """A cursor whose results are rows of a class of the caller's.

    All methods raise ``psycopg2.Error`` for what the server refuses, or for a lost connection.

    Attributes:
        opening: statements sent in front of the first, in one message with it; such a cursor executes one
            statement and no more. ``None`` for an ordinary one.
    """

    opening: str | None = None
    _is_spent = False

    def execute(self, query: str, params: Parameters | None = None) -> Deferred[Any]:
        """Execute a statement; the methods below do it for everybody else."""
        if self.opening is not None:
            if self._is_spent:
                raise RuntimeError("A second statement would see another moment than the first")
            self._is_spent = True
            query = self.opening + query
        executed: Deferred[Any] = super().execute(query, params)
        return executed

    async def run(self, sql: str, parameters: Parameters | None = None) -> int:
        """Execute a statement.

        Returns:
            how many rows it touched.
        """
        await self.execute(sql, parameters)
        return int(self.rowcount)

    async def tuples(self, sql: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """All rows, as tuples."""
        await self.execute(sql, parameters)
        found: list[tuple[Any, ...]] = self.fetchall()
        return found

    async def rows(self, row: type[Row], sql: str, parameters: Parameters | None = None) -> list[Row]:
        """All rows, each ``row(*columns)``: the columns stand in the order of the class's fields."""
        return [row(*columns) for columns in await self.tuples(sql, parameters)]

    async def row(self, row: type[Row], sql: str, parameters: Parameters | None = None) -> Row | None:
        """The only row, or ``None`` where there is none."""
        found = await self.tuples(sql, parameters)
        return row(*found[0]) if found else None

    async def value(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The first column of the only row, or ``None`` where there is none."""
        found = await self.tuples(sql, parameters)
        return found[0][0] if found else None


class Connection(txpostgres.Connection):  # type: ignore[misc]
    """A connection that may be closed at any moment, from outside, and then fails what waits for it."""

    cursorFactory = Cursor

    @property
    def is_open(self) -> bool:
        """Whether the server was still there at the last look."""
        return self._connection is not None and not self._connection.closed

    @property
    def is_idle(self) -> bool:
        """Whether no transaction is open on the server's side."""
        status = self._connection.info.transaction_status
        return bool(status == psycopg2.extensions.TRANSACTION_STATUS_IDLE)

    def discard(self) -> None:
        """Close at once; whoever waits for a statement gets ``ConnectionDone``."""
        if self._connection is not None:
            self.close()

    def doRead(self) -> None:
        """Read what has come; the end of an idle connection is no error, only the end."""
        try:
            super().doRead()
        except psycopg2.Error as error:
            log.info("An idle database connection was lost: {error}", error=str(error).strip())
            self.discard()


async def resolved(dsn: str, reactor: IReactorCore) -> dict[str, str]:
    """The DSN's parts, with the host name looked up, since libpq itself would block the reactor on that.

    Args:
        dsn: ``postgresql://…`` or libpq's ``key=value`` form.
    """
    parts: dict[str, str] = psycopg2.extensions.parse_dsn(dsn)
    host = parts.get("host", "")
    if host and "hostaddr" not in parts and "," not in host and not host.startswith(("/", "@")):
        parts["hostaddr"] = await _address(host, reactor)
    return parts


async def _address(host: str, reactor: Any) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return str(await reactor.resolve(host, timeout=(1, 3)))


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may well succeed when it is tried again."""
    code = getattr(error, "pgcode", None) or ""
    return code in _TRANSIENT


_TRANSIENT: Sequence[str] = (
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "57P01",  # admin_shutdown: our backend was ended
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now: the server is starting
)
