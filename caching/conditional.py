"""Conditional requests: validators, how they compare, and what follows (RFC 9110 §8.8, §13)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from calendar import timegm
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import formatdate
from enum import Enum
from hashlib import blake2b

from attrs import frozen

Text = bytes | str
"""A header's value as it came; bytes are read as Latin-1."""

SAFE_METHODS = frozenset({"GET", "HEAD"})

_OPAQUE = r'"([\x21\x23-\x7e\x80-\xff]*)"'
_ETAG = re.compile(rf"(W/)?{_OPAQUE}")
_MEMBERS = re.compile(rf"(?:\A|,)[ \t]*(W/)?{_OPAQUE}[ \t]*(?=,|\Z)")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DATES = (
    re.compile(rf"\w{{3}}, (?P<day>\d\d) (?P<month>\w{{3}}) (?P<year>\d{{4}}) {_TIME} GMT", re.ASCII),
    re.compile(rf"\w{{6,9}}, (?P<day>\d\d)-(?P<month>\w{{3}})-(?P<year>\d\d) {_TIME} GMT", re.ASCII),
    re.compile(rf"\w{{3}} (?P<month>\w{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})", re.ASCII),
)
"""IMF-fixdate, and the two obsolete forms a recipient still has to take (RFC 9110 §5.6.7)."""


@frozen
class ETag:
    """An entity tag: what stands between its quotes, and whether it only promises equivalence (§8.8.3)."""

    value: str
    weak: bool = False

    def __str__(self) -> str:
        return f'{"W/" if self.weak else ""}"{self.value}"'

    def same_bytes(self, other: ETag) -> bool:
        """Strong comparison: both stand for one sequence of bytes."""
        return not self.weak and not other.weak and self.value == other.value

    def equivalent(self, other: ETag) -> bool:
        """Weak comparison: either may be weak."""
        return self.value == other.value


@frozen(kw_only=True)
class Conditions:
    """The preconditions of one request, each as its header's value or ``None``."""

    if_match: Text | None = None
    if_none_match: Text | None = None
    if_modified_since: Text | None = None
    if_unmodified_since: Text | None = None
    if_range: Text | None = None

    @classmethod
    def of(cls, lines: Callable[[bytes], Sequence[bytes] | None]) -> Conditions:
        """Collect them.

        Args:
            lines: header name → its lines, such as Twisted's ``requestHeaders.getRawHeaders``.
        """

        def value(name: bytes) -> bytes | None:
            found = lines(name)
            return b", ".join(found) if found else None

        return cls(
            if_match=value(b"if-match"),
            if_none_match=value(b"if-none-match"),
            if_modified_since=value(b"if-modified-since"),
            if_unmodified_since=value(b"if-unmodified-since"),
            if_range=value(b"if-range"),
        )


class Verdict(Enum):
    """What the preconditions of a request ask for."""

    PROCEED = "as if there were none"
    NOT_MODIFIED = "304"
    FAILED = "412"


def strong_etag(data: bytes) -> str:
    """A strong validator of these bytes, quoted: equal bytes, equal tag."""
    return f'"{urlsafe_b64encode(blake2b(data, digest_size=15).digest()).decode("ascii")}"'


def parse_etag(text: Text) -> ETag | None:
    """One entity tag; ``None`` if it is malformed."""
    found = _ETAG.fullmatch(_decoded(text).strip(" \t"))
    return ETag(found[2], found[1] is not None) if found else None


def parse_etags(text: Text) -> list[ETag]:
    """The well-formed members of a list of entity tags; others are passed over."""
    return [ETag(found[2], found[1] is not None) for found in _MEMBERS.finditer(_decoded(text))]


def any_match(given: Text, etag: Text, *, strong: bool = False) -> bool:
    """Whether ``given``, a list of entity tags or ``*``, names ``etag``.

    Args:
        strong: compare as ``If-Match`` does; else as ``If-None-Match`` does.
    """
    if _decoded(given).strip(" \t") == "*":
        return True
    ours = parse_etag(etag)
    if ours is None:
        return False
    return any(ours.same_bytes(one) if strong else ours.equivalent(one) for one in parse_etags(given))


def evaluate(
    method: str, given: Conditions, *, etag: str | None = None, modified: float | None = None
) -> Verdict:
    """Weigh the preconditions in their order of precedence (RFC 9110 §13.2.2).

    Args:
        etag: the current representation's, quoted; ``None`` if it has none.
        modified: POSIX seconds of its last change; ``None`` if unknown.
    """
    if given.if_match is not None:
        if not any_match(given.if_match, etag or "", strong=True):
            return Verdict.FAILED
    elif _is_newer(modified, given.if_unmodified_since) is True:
        return Verdict.FAILED
    if given.if_none_match is not None:
        if any_match(given.if_none_match, etag or ""):
            return Verdict.NOT_MODIFIED if method in SAFE_METHODS else Verdict.FAILED
    elif method in SAFE_METHODS and _is_newer(modified, given.if_modified_since) is False:
        return Verdict.NOT_MODIFIED
    return Verdict.PROCEED


def range_still_holds(
    if_range: Text | None, *, etag: str | None = None, modified: float | None = None
) -> bool:
    """Whether the part asked for belongs to the representation the client knows (``If-Range``, §13.1.5).

    A date counts only if it is the very date of the last change.
    """
    if if_range is None:
        return True
    theirs = parse_etag(if_range)
    if theirs is not None:
        ours = parse_etag(etag) if etag is not None else None
        return ours is not None and ours.same_bytes(theirs)
    since = parse_http_date(if_range)
    return since is not None and modified is not None and int(modified) == since


def http_date(seconds: float) -> str:
    """POSIX seconds as an IMF-fixdate, such as ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    return formatdate(int(seconds), usegmt=True)


def parse_http_date(text: Text) -> int | None:
    """An HTTP date in any of its three forms as POSIX seconds; ``None`` if it is not one."""
    stripped = _decoded(text).strip(" \t")
    for form in _DATES:
        found = form.fullmatch(stripped)
        if found:
            return _seconds(found)
    return None


def _seconds(found: re.Match[str]) -> int | None:
    month, year = found["month"].title(), int(found["year"])
    if month not in _MONTHS:
        return None
    if len(found["year"]) == 2:
        # Pivot as POSIX has it: nothing that is served here is older than 1969 or newer than 2068.
        year += 1900 if year >= 69 else 2000
    # A leap second is no time of day to ``datetime``.
    second = 59 if found["second"] == "60" else int(found["second"])
    clock = int(found["hour"]), int(found["minute"]), second
    try:
        return timegm(datetime(year, _MONTHS.index(month) + 1, int(found["day"]), *clock).timetuple())
    except ValueError:
        return None


def _is_newer(modified: float | None, since: Text | None) -> bool | None:
    """Whether the last change came after the date given; ``None`` if either is missing or unusable."""
    date = parse_http_date(since) if since is not None else None
    return None if date is None or modified is None else int(modified) > date


def _decoded(text: Text) -> str:
    return text.decode("latin-1") if isinstance(text, bytes) else text
