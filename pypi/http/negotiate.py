"""Content negotiation: what the client says it takes, and the best of what we offer (RFC 9110 §12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen

MAX_LENGTH = 4096
MAX_RANGES = 64
"""A longer Accept header is treated as none at all: no honest client sends one."""

LONGEST_REMEMBERED = 400
"""Characters of a header whose meaning is remembered: more than any client says that many people use."""

MOST_REMEMBERED = 1024

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@frozen
class MediaRange:
    """One member of an Accept header: ``type/subtype``, either may be ``*``, and its weight from 0 to 1."""

    type: str
    subtype: str
    quality: float

    def specificity(self, offer: str) -> int:
        """How exactly it names ``offer``: 0 not at all, 1 ``*/*``, 2 ``type/*``, 3 by name."""
        kind, _, subtype = offer.partition("/")
        if (self.type, self.subtype) == (kind, subtype):
            return 3
        if (self.type, self.subtype) == (kind, "*"):
            return 2
        return 1 if (self.type, self.subtype) == ("*", "*") else 0


def accepted(header: str | None) -> list[MediaRange]:
    """The media ranges of an Accept header; ``[]`` where it is absent, malformed or absurdly long.

    Parameters other than ``q`` are ignored: no type of ours has any.
    """
    if header is None or len(header) > MAX_LENGTH:
        return []
    members = [member for member in header.split(",") if member.strip()]
    ranges = [_media_range(member) for member in members]
    return [] if len(ranges) > MAX_RANGES else [one for one in ranges if one is not None]


def _media_range(member: str) -> MediaRange | None:
    name, *parameters = (part.strip() for part in member.split(";"))
    kind, slash, subtype = name.lower().partition("/")
    if not (kind and slash and subtype):
        return None
    return MediaRange(kind, subtype, _quality(parameters))


def _quality(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            value = value.strip()
            return float(value) if _QUALITY.fullmatch(value) else 0.0
    return 1.0


def best(header: str | None, offers: Sequence[str]) -> str | None:
    """The offer the client likes best; of equals, the one we name first.

    Args:
        header: the Accept header, ``None`` if there was none.
        offers: media types without parameters, our favourite first.

    Returns:
        one of ``offers``; the first for a client that says nothing; ``None`` if it takes none of them.
    """
    if header is None or len(header) > LONGEST_REMEMBERED:
        return _best(header, offers)
    return _remembered_best(header, tuple(offers))


def _best(header: str | None, offers: Sequence[str]) -> str | None:
    ranges = accepted(header)
    if not ranges:
        return offers[0]
    liked = [(_liking(ranges, offer), -place, offer) for place, offer in enumerate(offers)]
    quality, _, offer = max(liked)
    return offer if quality > 0 else None


# Clients repeat what they say, and to take it apart costs a tenth of all that a page from a cache costs.
_remembered_best = lru_cache(MOST_REMEMBERED)(_best)


def _liking(ranges: Sequence[MediaRange], offer: str) -> float:
    """The weight of the most specific range that names the offer; 0 if none does."""
    _, quality = max(((one.specificity(offer), one.quality) for one in ranges), default=(0, 0.0))
    return quality if any(one.specificity(offer) for one in ranges) else 0.0


def joined(request: Any, name: str) -> str | None:
    """A header that is a list, all its lines as one; ``None`` where there is none (RFC 9110 §5.3)."""
    lines = request.requestHeaders.getRawHeaders(name)
    return ", ".join(lines) if lines else None


def takes_gzip(header: str | None) -> bool:
    """Whether an Accept-Encoding header allows gzip; without one only the identity is safe."""
    if header is None or len(header) > MAX_LENGTH:
        return False
    return _takes_gzip(header) if len(header) > LONGEST_REMEMBERED else _remembered_gzip(header)


def _takes_gzip(header: str) -> bool:
    weights = {}
    for member in header.split(","):
        coding, *parameters = (part.strip() for part in member.split(";"))
        weights[coding.lower()] = _quality(parameters)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


_remembered_gzip = lru_cache(MOST_REMEMBERED)(_takes_gzip)
