"""How old addresses spell things: names with blanks, parameters divided by one sign or another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from attrs import frozen

from pypi.domain.errors import Invalid
from pypi.domain.names import MAX_LENGTH, NormalizedName, is_valid, normalize

MOST_PARAMETERS = 100

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")

Pairs = tuple[tuple[str, str], ...]


@frozen
class BadQuery(Invalid):
    """A query that is too long, or not text."""

    detail: str

    def __str__(self) -> str:
        return self.detail


def name_of(text: str) -> NormalizedName | None:
    """The name a project is looked up by; ``None`` of what no project can be called.

    Blanks stand for dashes, as in the names of the first years; but nothing else is folded, and nothing
    beyond ASCII.
    """
    if len(text) > MAX_LENGTH or not text.isascii():
        return None
    dashed = re.sub(" +", "-", text)
    return normalize(dashed) if is_valid(dashed) else None


def pairs(query: bytes) -> Pairs:
    """The parameters of a query or form that say anything, decoded once.

    Raises:
        BadQuery: there are too many, or one is not UTF-8 or has control characters.
    """
    pieces = [piece for piece in re.split(b"[&;]", query) if piece]
    if len(pieces) > MOST_PARAMETERS:
        raise BadQuery(f"A query may not have more than {MOST_PARAMETERS} parameters.")
    found = [piece.partition(b"=") for piece in pieces]
    decoded = [(_text(key), _text(value)) for key, _, value in found]
    return tuple((key, value) for key, value in decoded if value)


def _text(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise BadQuery("The query of this URL is not UTF-8.") from None
    if _CONTROL.search(text):
        raise BadQuery("The query of this URL has control characters.")
    return text


@frozen
class Parameters:
    """The parameters of one question, from its query, its form, or both."""

    given: Pairs

    def all(self, name: str) -> list[str]:
        """Every value of a parameter, in order."""
        return [value for key, value in self.given if key == name]

    def first(self, name: str) -> str | None:
        """A parameter's value, ``None`` where it says nothing."""
        return next(iter(self.all(name)), None)

    def contradict(self, names: Iterable[str]) -> bool:
        """Whether one of these parameters has several values that differ."""
        return any(len(set(self.all(name))) > 1 for name in names)
