"""The table of contents of a description, read off its HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import islice

from attrs import evolve, frozen

FEWEST = 3
"""Headings from which a table of contents helps."""

LONG = 3000
"""Characters of HTML from which it does."""

MOST = 60
MOST_READ = 4000
"""Tags that are looked at."""
LONGEST = 100
"""Characters of a heading."""

_OPENED = re.compile(r"<(section|div|h[1-6])\b([^<>]*)>", re.IGNORECASE)
_ID = re.compile(r"\bid=\"([^\"<>\s]{1,200})\"", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


@frozen
class Heading:
    """A heading one can go to.

    Attributes:
        depth: 0 for the highest there is, 1 for those below it.
        text: without markup.
    """

    depth: int
    id: str
    text: str


def contents(html: str) -> Sequence[Heading]:
    """The headings of the two highest levels, if a reader is helped by them; ``()`` otherwise.

    Args:
        html: harmless and well-formed, as the renderer leaves it; ids have double quotes.
    """
    if len(html) < LONG:
        return ()
    found = list(_headings(html))
    if found and sum(one.depth == found[0].depth for one in found) == 1 < len(found):
        # The title of the whole.
        rest = [one for one in found[1:] if one.depth > found[0].depth]
        found = rest if len(rest) == len(found) - 1 else found
    highest = min((one.depth for one in found), default=0)
    shown = [evolve(one, depth=one.depth - highest) for one in found if one.depth - highest < 2]
    if len(shown) > MOST:
        shown = [one for one in shown if one.depth == 0]
    return tuple(shown[:MOST]) if len(shown) >= FEWEST else ()


def _headings(html: str) -> Iterator[Heading]:
    """Those with an id: of their own, of something in them, or of the section they begin."""
    section, end = "", 0
    for opened in islice(_OPENED.finditer(html), MOST_READ):
        tag, own = opened[1].lower(), _ID.search(opened[2])
        if not tag.startswith("h"):
            section, end = (own[1] if own else ""), opened.end()
            continue
        closed = html.find(f"</{tag}>", opened.end(), opened.end() + 20 * LONGEST)
        inside = html[opened.end() : closed] if closed >= 0 else ""
        within = _ID.search(inside)
        begins = section if section and not html[end : opened.start()].strip() else ""
        section = ""
        where = own[1] if own else within[1] if within else begins
        text = " ".join(unescape(_TAG.sub("", inside)).split())
        if where and text:
            yield Heading(int(tag[1]), where, text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
