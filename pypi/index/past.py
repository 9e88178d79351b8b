"""The history of a project: what happened to it, when, and by whom, in words, newest first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from attrs import field, frozen

from pypi.db.database import Database
from pypi.db.queries import past
from pypi.db.queries.past import PastRow
from pypi.domain.errors import Invalid, NoSuchProject
from pypi.domain.names import normalize
from pypi.index.past_words import in_words

PAGE, MOST = 50, 200
"""Entries of one page, and at most."""

POSITION = re.compile(r"(\d{1,20})\.([jl])(\d{1,19})", re.ASCII)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class NoPosition(Invalid):
    """Nothing stands where the page shall begin."""

    text: str

    def __str__(self) -> str:
        return f"{self.text!r} is not where a page of a history ends."


@frozen(kw_only=True)
class Happened:
    """Something that happened to a project.

    Attributes:
        at: aware, UTC.
        actor: name of who did it; empty where that is not known.
        event: what it is, for programs: ``project.release-yanked``.
        words: what it is, for people, to be read behind the actor: ``yanked version 1.0 (“no good”)``.
        version: the version it is about, ``None`` for all.
        serial: of the journal's line; ``None`` for what the journal does not tell.
        about: what else there is to know, as the security log has it.
        address: where on the network it came from; empty for all but operators, and after some time.
    """

    at: datetime
    actor: str
    event: str
    words: str
    version: str | None
    serial: int | None
    about: Mapping[str, str | int | bool | None] = field(repr=False)
    address: str = ""


@frozen
class Page:
    """A page of a history; ``next`` is what the one after it is asked for by, ``None`` for the last."""

    entries: Sequence[Happened]
    next: str | None


@frozen(eq=False)
class Past:
    """Reads the history of projects."""

    database: Database

    async def of_project(
        self, name: str, *, before: str = "", limit: int = PAGE, for_operators: bool = False
    ) -> Page:
        """A page of what happened to a project, also under names it had.

        Args:
            before: ``next`` of the page before; empty for the first.
            for_operators: whether also what happened before its name was given to this project, or after it
                was taken away, and from which addresses.

        Raises:
            NoSuchProject: nothing is known of it.
            NoPosition: ``before`` says nothing.
        """
        limit = max(1, min(limit, MOST))
        rows = await self.database.ask(
            past.of_project,
            normalize(name),
            whole=for_operators,
            before=_position(before) if before else None,
            limit=limit + 1,
        )
        if not rows and not before:
            raise NoSuchProject(name)
        entries = [_happened(row, for_operators) for row in rows[:limit]]
        return Page(entries, _next(rows[limit - 1]) if len(rows) > limit else None)


def _happened(row: PastRow, for_operators: bool) -> Happened:
    event, words = in_words(row)
    return Happened(
        at=row.at,
        actor=row.actor,
        event=event,
        words=words,
        version=row.version,
        serial=None if row.is_logged else row.number,
        about=row.about or {},
        address=row.address if for_operators else "",
    )


def _next(row: PastRow) -> str:
    microseconds = (row.at - EPOCH) // (datetime.resolution)
    return f"{microseconds}.{'l' if row.is_logged else 'j'}{row.number}"


def _position(text: str) -> tuple[datetime, bool, int]:
    found = POSITION.fullmatch(text)
    if found is None:
        raise NoPosition(text[:100])
    try:
        at = EPOCH + int(found[1]) * datetime.resolution
    except OverflowError:
        raise NoPosition(text) from None
    number = int(found[3])
    if number >= 1 << 63:
        raise NoPosition(text)
    return at, found[2] == "l", number
