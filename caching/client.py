"""One HTTP exchange with an edge, bounded in every way: connecting, the whole of it, and what comes back."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred

if TYPE_CHECKING:
    from caching.exchange import Exchange

CONNECT_TIMEOUT = 2.0
TIMEOUT = 10.0
"""Seconds for a connection, and for all from its beginning to the last byte of the answer."""

LONGEST_BODY = 256 * 1024
"""Bytes of an answer that are read; one that is longer is a failure."""


class NoReply(Exception):
    """There was no complete answer, or not in time; ``str()`` says why."""


@frozen(kw_only=True)
class Reply:
    """An answer.

    Attributes:
        headers: by their names in lower case; of several lines the last.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@define(eq=False)
class Client:
    """Asks, each time over a connection of its own; follows no redirects, and has no second try.

    Attributes:
        reactor: where connections are made and time passes.
        connect_timeout: seconds.
        timeout: seconds for the whole exchange.
    """

    reactor: Any = field(repr=False)
    connect_timeout: float = CONNECT_TIMEOUT
    timeout: float = TIMEOUT

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Ask once.

        Raises:
            NoReply: nobody answered, or not all of it, or not in time, or too much.
        """
        ends = self.reactor.seconds() + self.timeout
        exchange = Deferred.fromCoroutine(self._exchange.over(method, url, headers, body))
        exchange.addTimeout(self.timeout, self.reactor)
        try:
            return await exchange
        except CancelledError:
            raise
        except Exception as error:
            # What was broken off at that moment fails in many ways.
            late = self.reactor.seconds() >= ends
            told = f"no answer within {self.timeout:g} s" if late else _told(error)
            raise NoReply(f"{_host(url)}: {told}") from None

    @cached_property
    def _exchange(self) -> Exchange:
        # Imported here: an index that has nobody to ask does without. It takes 10 ms.
        from caching.exchange import Exchange

        return Exchange(self.reactor, self.connect_timeout)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _told(error: BaseException) -> str:
    reasons = getattr(error, "reasons", None)  # of an answer that broke off
    if reasons:
        error = reasons[0].value
    return str(error) or type(error).__name__
