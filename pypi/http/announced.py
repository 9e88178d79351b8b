"""The headers that announce the end of a feature (RFC 9745, RFC 8594)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime

from caching.conditional import http_date
from pypi.domain.switches import Switches

Headers = tuple[tuple[str, str], ...]


def announcements(switches: Switches, names: Collection[str]) -> Headers:
    """What an answer says of the features it was made with; nothing where none of them is to go.

    ``Deprecation`` is a date of structured fields (``@1796083200``), ``Sunset`` one of HTTP.
    """
    told = switches.announcement(names)
    if told is None:
        return ()
    headers: list[tuple[str, str]] = []
    if told.deprecated is not None:
        headers.append(("Deprecation", f"@{_seconds(told.deprecated)}"))
    if told.sunset is not None:
        headers.append(("Sunset", http_date(_seconds(told.sunset))))
    if switches.link:
        headers.append(("Link", f'<{switches.link}>; rel="deprecation"; type="text/html"'))
    return tuple(headers)


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
