"""Entries and kept answers as tests want them."""

from __future__ import annotations

from collections.abc import Mapping

from caching.kept import Heads, Kept
from caching.stats import RouteStats
from caching.store import Entry

STANDING = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "max-age=0, public, must-revalidate"),
    ("Vary", "Accept, Accept-Encoding"),
    ("Content-Type", "text/html; charset=utf-8"),
)


def chooser(accept: str | None, given: Mapping[str, str]) -> str:
    """The representation is what the client says it is."""
    return accept or "html"


def an_entry(
    body: bytes = b"body",
    *,
    code: int = 200,
    packed: bool = False,
    etag: str | None = '"x"',
    tags: tuple[str, ...] = ("project/x",),
    serial: int = 0,
    headers: tuple[tuple[str, str], ...] = (),
) -> Entry:
    """An entry, as far as the test says."""
    return Entry(
        code=code,
        standing=STANDING,
        headers=headers,
        body=body,
        packed=packed,
        etag=etag,
        tags=tags,
        serial=serial,
        made=0.0,
        cost=0.0,
    )


def a_kept(
    address: str = "/x/",
    variant: str = "html",
    entry: Entry | None = None,
    *,
    until: float = 100.0,
    heads: Heads | None = None,
    stats: RouteStats | None = None,
) -> Kept:
    """An entry in the form of memory."""
    return Kept(
        address.encode(), variant, entry or an_entry(), heads or Heads(), stats or RouteStats(""), 0.0, until
    )
