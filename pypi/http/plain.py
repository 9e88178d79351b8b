"""What the fast lane may make of a block of header lines: the strict reader's judgement, for plain ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from caching.lane import Meaning
from pypi.http.head import Head, HeadReader
from pypi.http.limits import Limits
from pypi.http.negotiate import takes_gzip
from pypi.http.rejected import Rejected

if TYPE_CHECKING:
    from pypi.http.hosts import Hosts
    from pypi.http.log_lines import Lines

Speaks = Callable[[bytes, bytes | None, str | None], object]

SPECIAL = frozenset(
    (
        *(b"authorization", b"cookie", b"proxy-authorization", b"expect", b"upgrade", b"te", b"trailer"),
        *(b"transfer-encoding", b"content-length", b"content-encoding", b"content-type"),
        *(b"range", b"if-range", b"if-match", b"if-none-match", b"if-unmodified-since"),
    )
)
"""Headers with which a request is not plain; ``If-None-Match`` comes here only where the lane left it in."""

_SPARE = 1
"""Header lines the lane may have cut out before."""


class PlainReader:
    """Reads blocks of header lines for the lane, by the rules of ``pypi.http.head``.

    Args:
        hosts: the names that are ours.
        lines: of the access log; ``None`` where there is none.
        speaks: is told what the log says of the clients of each block, their ``User-Agent`` and ``Accept``.
    """

    def __init__(
        self, hosts: Hosts, limits: Limits, lines: Lines | None = None, speaks: Speaks | None = None
    ) -> None:
        self._hosts = hosts
        self._limits = limits
        self._lines = lines
        self._speaks = speaks

    def __call__(self, block: bytes) -> Meaning | None:
        """What a block says; ``None`` where the channel has to see the request.

        Args:
            block: begins with the CR LF of the request line, ends without one.
        """
        if not block.isascii():
            return None
        reader = HeadReader(self._limits)
        whole = b"GET / HTTP/1.1" + block + b"\r\n\r\n"
        try:
            read = reader.feed(whole, 0)
        except Rejected:
            return None
        head = reader.head
        if head is None or read != len(whole) or not SPECIAL.isdisjoint(head.fields):
            return None
        if sum(map(len, head.fields.values())) > self._limits.headers - _SPARE:
            return None
        if head.authority is None or not self._hosts.admits(head.authority):
            return None
        if [value.lower() for value in head.fields.get(b"connection", ())] not in ([], [b"keep-alive"]):
            return None
        accept = _joined(head.fields.get(b"accept"))
        return Meaning(
            accept=accept,
            gzip=takes_gzip(_joined(head.fields.get(b"accept-encoding"))),
            logged=self._logged(head, accept),
            dated=b"if-modified-since" in head.fields,
        )

    def _logged(self, head: Head, accept: str | None) -> bytes:
        if self._lines is None:
            return b""
        agent = _last(head, b"user-agent")
        suffix = self._lines.suffix(_last(head, b"referer"), agent)
        if self._speaks is not None:
            self._speaks(suffix, agent, accept)
        return suffix


def _last(head: Head, name: bytes) -> bytes | None:
    values = head.fields.get(name)
    return values[-1] if values else None


def _joined(values: list[bytes] | None) -> str | None:
    """A list header as routes see it."""
    return None if values is None else ", ".join(value.decode("ascii") for value in values)
