"""What somebody typed, as the database is asked for it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from attrs import frozen

from pypi.search.query import STOP

PREFIX_FROM = 3
"""Letters of a word from which longer words that begin so are looked for, too."""

MOST_TOGETHER = 4
"""Words that are read as the name of one project."""

MOST_LEFT_OUT_OF = 6
"""Telling words of which some may be missing: the longest so many."""

WORD = re.compile(r"[^\W_]+")


@frozen(kw_only=True)
class Terms:
    """Queries of full text search, and names; empty texts where there is nothing to ask.

    Attributes:
        whole: all letters and digits that were typed, together.
        inner: likewise of each few words in a row.
        every: all words have to be there.
        beginning: all words, or longer ones that begin so.
        looser: most of the words; and then some of them.
        any: any of the words, or longer ones.
        named: words of names that begin with the words typed, all of them.
    """

    whole: str
    inner: Sequence[str]
    every: str
    beginning: str
    looser: tuple[str, str]
    any: str
    named: str


def terms_of(text: str) -> Terms:
    """The terms of a text of bounded length."""
    typed = [word.lower() for word in WORD.findall(text)]
    telling = list(dict.fromkeys(word for word in typed if word not in STOP))
    return Terms(
        whole="".join(typed),
        inner=list(_inner(typed)),
        every=" & ".join(_quoted(telling)),
        beginning=" & ".join(_begun(telling)),
        looser=_looser(telling),
        any=" | ".join(_begun(telling)),
        named=" & ".join(f"'n:{word}':*" for word in (telling or typed)),
    )


def _inner(words: Sequence[str]) -> Iterator[str]:
    for size in range(1, min(MOST_TOGETHER, len(words)) + 1):
        for at in range(len(words) - size + 1):
            some = words[at : at + size]
            if not all(word in STOP for word in some):
                yield "".join(some)


def _looser(words: Sequence[str]) -> tuple[str, str]:
    """All words but one; and half of them."""
    longest = sorted(words, key=len, reverse=True)[:MOST_LEFT_OUT_OF]
    some = [word for word in words if word in longest]
    sizes = len(some) - 1, len(some) // 2
    return tuple(_of(some, size) for size in sizes)  # type: ignore[return-value]


def _of(words: Sequence[str], size: int) -> str:
    if not 0 < size < len(words):
        return ""
    return " | ".join(f"({' & '.join(some)})" for some in combinations(_begun(words), size))


def _quoted(words: Sequence[str]) -> list[str]:
    return [f"'{word}'" for word in words]


def _begun(words: Sequence[str]) -> list[str]:
    return [f"'{word}':*" if len(word) >= PREFIX_FROM else f"'{word}'" for word in words]
