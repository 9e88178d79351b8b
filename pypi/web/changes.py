"""The change feed: what mirrors and dashboards follow, by pages, by waiting, or as a stream."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar

from attrs import frozen

from caching.policy import DAY, Policy
from pypi.domain.errors import Invalid, Refusal, Unavailable
from pypi.http.answer import Answer
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.streams import Stream
from pypi.index.changes import Changes, Page
from pypi.index.tail import Tail
from pypi.web import changes_described as described
from pypi.web import changes_forms as forms

LIMIT, MOST = 1000, 10_000
"""Changes on a page: unless somebody says otherwise, and at most."""

LONGEST = 60
"""Seconds that a client may wait for a change."""

LARGEST = 2**63 - 1
"""No serial is larger."""


def kind(accept: str | None, given: Mapping[str, str]) -> str:
    """Which feature is meant, by the parameters."""
    return "list" if given.get("wait", "").strip("0.") == "" else "wait"


LIST = Policy(edge=60, query=("since", "limit", "wait"), variant=kind, cors=True)
FULL = Policy(browser=DAY, edge=30 * DAY, stale_if_error=30 * DAY, cors=True)
"""Of a page that will always be what it is now."""

WAITED = Policy(store=False, cors=True)
STREAM = Policy(store=False, cors=True)

UNBUFFERED = (("X-Accel-Buffering", "no"),)
"""What nginx, and who follows its lead, has to be told; by ``no-store`` alone it keeps pieces back."""

ERRORS = {400: "Bad Request", 503: "Service Unavailable"}


@frozen
class BadParameter(Invalid):
    """A parameter of the query is not what it has to be."""

    message: str

    def __str__(self) -> str:
        return self.message


@frozen(kw_only=True, eq=False)
class ChangeFeed:
    """Answers ``/api/changes``: every change of anything that is for everybody, by serials.

    Attributes:
        changes: the journal, page by page.
        tail: the journal as it grows.
        origin: this index's URL, for the address of the next page.
    """

    router: ClassVar[Router] = Router()
    changes: Changes
    tail: Tail
    origin: str

    @router.get(
        "/api/changes",
        policy=LIST,
        tags=("journal",),
        feature=lambda kind: f"changes.{kind}",
        about=described.PAGE,
    )
    async def page(self, request: Any) -> Answer:
        """The changes after a serial; if there are none, those that come within some seconds, if asked to."""
        return await _in_json(lambda: self._page(request))

    async def _page(self, request: Any) -> Answer:
        since = _whole(request, "since", 0, 0, LARGEST)
        limit = _whole(request, "limit", LIMIT, 1, MOST)
        seconds = _seconds(request)
        if not seconds:
            return self._answer(await self.changes.page(since, limit), LIST)
        page = await self._awaited(since, limit, seconds)
        return self._answer(page, WAITED, UNBUFFERED)

    async def _awaited(self, since: int, limit: int, seconds: float) -> Page:
        if since != self.tail.last():
            page = await self.changes.page(since, limit)
            if page.count or page.serial < since:
                return page
        await self.tail.newer(since, seconds)
        if self.tail.last() <= since:
            return Page(since=since, limit=limit, serial=since, count=0, lines="")
        return await self.changes.page(since, limit)

    def _answer(self, page: Page, policy: Policy, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        return Answer(
            body=forms.page(page, self.origin),
            content_type=forms.JSON,
            headers=(("X-PyPI-Last-Serial", str(page.serial)), *headers),
            tags=("changes",) if page.is_full else ("journal",),
            policy=FULL if page.is_full and policy is LIST else policy,
        )

    @router.get("/api/changes/stream", policy=STREAM, feature="changes.stream", about=described.STREAM)
    async def stream(self, request: Any) -> Answer:
        """All changes from now on, or after a serial, as they happen."""
        return await _in_json(lambda: self._stream(request))

    async def _stream(self, request: Any) -> Answer:
        since = _last_seen(request)
        self.tail.admit()
        return Answer(
            body=Stream(length=None, pieces=lambda: self.tail.follow(since)),
            content_type=forms.EVENTS,
            headers=UNBUFFERED,
        )


async def _in_json(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """An answer; in JSON also where there is none."""
    try:
        return await ask()
    except Refusal as refusal:
        code = status_of(refusal)
        if code not in ERRORS:
            raise
        headers: tuple[tuple[str, str], ...] = ()
        if isinstance(refusal, Unavailable):
            headers = (("Retry-After", str(refusal.retry_after)),)
        body = forms.error(code, ERRORS[code], str(refusal))
        return Answer(code=code, body=body, content_type=forms.JSON, headers=headers)


def _last_seen(request: Any) -> int | None:
    """The serial after which a stream begins; ``None``: with the next change.

    A client that lost its connection says the last one it has seen, whatever its address says.
    """
    seen = request.getHeader(b"Last-Event-ID") or b""
    if seen:
        return _number("Last-Event-ID", seen, 0, LARGEST)
    return _whole(request, "since", -1, 0, LARGEST) if b"since" in request.args else None


def _whole(request: Any, name: str, default: int, least: int, most: int) -> int:
    given = set(request.args.get(name.encode(), ()))
    if not given:
        return default
    if len(given) > 1:
        raise BadParameter(f"{name} is given more than once, with different values.")
    return _number(name, given.pop(), least, most)


def _number(name: str, given: bytes, least: int, most: int) -> int:
    if not re.fullmatch(rb"[0-9]{1,19}", given) or not least <= int(given) <= most:
        raise BadParameter(f"{name} has to be a whole number from {least} to {most}.")
    return int(given)


def _seconds(request: Any) -> float:
    given = set(request.args.get(b"wait", ()))
    if not given:
        return 0.0
    value = given.pop()
    if given or not re.fullmatch(rb"[0-9]{1,3}(\.[0-9]{1,3})?", value) or float(value) > LONGEST:
        raise BadParameter(f"wait has to be a number of seconds from 0 to {LONGEST}.")
    return float(value)
