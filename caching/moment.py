"""What is the same for all answers of one second: the date, and whether what is kept can be trusted."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import cache
from http import HTTPStatus
from typing import Any

from attrs import define, field

from caching.conditional import http_date
from caching.kept import Form, Kept

JOINED = 64 * 1024
"""Bytes of an answer up to which head and body are kept in one piece; larger ones go out in pieces."""

ALL_JOINED = 8 << 20
"""Bytes of all such pieces together."""


ALONE_AT_MOST = 3600.0
"""Seconds without a source after which each answer's own policy decides again whether it may be used."""


class Trust(Enum):
    """What memory is worth."""

    FRESH = "every change is known within moments"
    DOUBTED = "changes may have been missed: ask the source first"
    ALONE = "the source does not answer: nothing better can be had"


@define(eq=False, repr=False)
class Moment:
    """The present, as far as it is written into answers; renewed once a second.

    Attributes:
        reactor: source of time (``IReactorTime``).
        wall: POSIX seconds.
        server: value of the ``Server`` header.
        name: of this cache in ``Cache-Status`` (RFC 9211).
        now: what ``Kept.fresh_until`` is compared with: the monotonic clock while memory is trusted; the end
            of time while it is doubted, so that nothing is fresh; the beginning while it stands alone, so
            that everything is but what is known to be outdated.
        ok: the beginning of every 200 from memory, up to its date and ``Cache-Status``.
        unchanged: the same of a 304.
        told_age: ``age`` as every answer of this second tells it.
        number: of the moments there were before this one.
        noted: ``status`` as the access log notes it; the same object as long as it says the same.
    """

    reactor: Any
    wall: Callable[[], float]
    server: bytes
    name: str
    trust: Trust = field(default=Trust.FRESH, init=False)
    now: float = field(default=0.0, init=False)
    ok: bytes = field(default=b"", init=False)
    unchanged: bytes = field(default=b"", init=False)
    date: bytes = field(default=b"", init=False)
    doubted_since: float = field(default=0.0, init=False)
    told_age: int = field(default=0, init=False)
    number: int = field(default=0, init=False)
    noted: bytes = field(default=b"", init=False)
    _joined: list[Form] = field(factory=list, init=False)
    _room: int = field(default=ALL_JOINED, init=False)
    _call: Any = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._renew()

    def __repr__(self) -> str:
        return f"<Moment {self.date.decode()}, {self.trust.name.lower()}>"

    async def start(self) -> None:
        """Begin to keep time."""
        self._tick()

    async def stop(self) -> None:
        """Leave nothing in the reactor."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def set(self, trust: Trust) -> None:
        """Trust what is kept more, or less, from now on."""
        if trust is not self.trust:
            if self.trust is Trust.FRESH:
                self.doubted_since = float(self.reactor.seconds())
            self.trust = trust
            self._renew()

    def head(self, code: int) -> bytes:
        """Status line and first headers of an answer from memory."""
        if code == 200:
            return self.ok
        return self.unchanged if code == 304 else self._head(code)

    def front(self, kept: Kept, form: Form) -> bytes:
        """All of an answer from memory that stands before its body."""
        return b"".join((self.head(kept.code), kept.shared, form.own, form.end))

    def plain_head(self, code: int) -> bytes:
        """The same of an answer that is not from memory: nothing of caches is in it."""
        return b"%s\r\nServer: %s\r\nDate: %s\r\n" % (_status_line(code), self.server, self.date)

    def joined(self, kept: Kept, form: Form) -> bytes:
        """Head and body of a 200, in one piece; kept until the second is over."""
        whole = self.front(kept, form) + form.body
        if len(whole) <= self._room:
            self._room -= len(whole)
            self._joined.append(form)
            form.joined = whole
        return whole

    def joined_304(self, kept: Kept, form: Form) -> bytes:
        """A whole 304; kept until the second is over."""
        whole = b"".join((self.unchanged, kept.shared_304, form.own, b"\r\n"))
        if len(whole) <= self._room:
            self._room -= len(whole)
            self._joined.append(form)
            form.unchanged = whole
        return whole

    @property
    def status(self) -> str:
        """``Cache-Status`` of a hit."""
        if self.trust is Trust.FRESH:
            return f"{self.name}-l1; hit"
        return f"{self.name}-l1; fwd=stale; detail=source-down"

    @property
    def age(self) -> int:
        """Seconds since what is kept was last known to be true; at least 1 where it is not known now."""
        if self.trust is Trust.FRESH:
            return 0
        return max(1, int(self.reactor.seconds() - self.doubted_since))

    def _tick(self) -> None:
        self._renew()
        self._call = self.reactor.callLater(1 - self.wall() % 1 + 0.001, self._tick)

    def _renew(self) -> None:
        for form in self._joined:
            form.joined = form.unchanged = None
        self._joined.clear()
        self.number += 1
        self._room = ALL_JOINED
        self.date = http_date(self.wall()).encode("ascii")
        if self.trust is Trust.ALONE and self.age > ALONE_AT_MOST:
            self.trust = Trust.DOUBTED
        match self.trust:
            case Trust.FRESH:
                self.now = self.reactor.seconds()
            case Trust.DOUBTED:
                self.now = float("inf")
            case Trust.ALONE:
                self.now = float("-inf")
        self.told_age = self.age
        if self.noted != (noted := self.status.encode("ascii")):
            self.noted = noted
        self.ok = self._head(200)
        self.unchanged = self._head(304)

    def _head(self, code: int) -> bytes:
        age = b"Age: %d\r\n" % self.told_age if self.told_age else b""
        return b"%sCache-Status: %s\r\n%s" % (self.plain_head(code), self.noted, age)


@cache
def _status_line(code: int) -> bytes:
    return b"HTTP/1.1 %d %s" % (code, HTTPStatus(code).phrase.encode("ascii"))
