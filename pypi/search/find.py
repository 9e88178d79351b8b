"""Finding what is looked for, the best first."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import field, frozen
from twisted.internet.defer import DeferredSemaphore

from pypi.db.connection import Cursor
from pypi.db.database import Database, DatabaseDown
from pypi.db.queries import search, search_names, search_pages
from pypi.db.queries.search import Sought
from pypi.db.queries.search_names import NearRow
from pypi.domain.names import MAX_LENGTH, normalize
from pypi.search.inquiry import Inquiry
from pypi.search.nearness import SHORTEST, closest, most_slips, pieces
from pypi.search.pages import needs_near, page_sought, results
from pypi.search.query import Operator, Query, Wanted
from pypi.search.results import Results, Suggestion
from pypi.search.terms import terms_of

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 3
"""Searches that one process has the database do at a time: they are work, and others want to read, too."""


MOST_WAITING = 300
"""Further ones that wait for their turn."""


FEW_SUGGESTED = 3
"""Names that begin so, from which nobody is taken to have mistyped one."""


@frozen
class Hit:
    """A project that was found, or a version of it.

    Attributes:
        name: as displayed.
        version: the latest stable one, else the latest; where versions were looked for, this one.
        summary: of that version; may be empty.
        ordering: the higher, the better: sorted by it, descending, hits are in the order they came in.
    """

    name: str
    version: str
    summary: str
    ordering: int


@frozen(kw_only=True, eq=False)
class Search:
    """Answers questions; XML-RPC, pages and JSON all ask here."""

    database: Database
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False, repr=False)

    async def find(self, query: Query) -> Sequence[Hit]:
        """At most ``query.limit`` hits, the best first; what was committed before the call is found.

        Answers made of them belong to the tag ``search``.

        Raises:
            DatabaseDown: it does not answer, or not within the time a search may take.
        """
        if query.is_empty:
            return ()
        rows = await self._ask(search.found, sought(query))
        return [Hit(row.name, row.version, row.summary, len(rows) - place) for place, row in enumerate(rows)]

    async def page(self, inquiry: Inquiry) -> Results:
        """A page of what a person looks for; what was committed before the call is found.

        Answers made of it belong to the tag ``search``.

        Raises:
            DatabaseDown: it does not answer, or not within the time a search may take.
        """
        found = await self._ask(search_pages.page, page_sought(inquiry))
        near = await self.near(inquiry.text) if needs_near(inquiry, found) else ()
        return results(inquiry, found, near)

    async def suggest(self, prefix: str, limit: int = 8) -> Sequence[Suggestion]:
        """Projects whose name somebody may be typing, likely ones first; none for no letter or digit.

        Raises:
            DatabaseDown: it does not answer, or not within the time a search may take.
        """
        terms = terms_of(prefix)
        if not terms.whole or len(terms.whole) > MAX_LENGTH:
            return ()
        begins = normalize("-".join(prefix.split()))
        rows: Sequence[Any] = await self._ask(
            search_names.suggested, begins, terms.whole, terms.named, limit=limit
        )
        if len(rows) < min(FEW_SUGGESTED, limit) and len(terms.whole) > SHORTEST:
            known = {row.normalized for row in rows}
            close = [row for row in await self._near(terms.whole, limit) if row.normalized not in known]
            if close:
                ids = [row.project_id for row in close[: limit - len(rows)]]
                rows = [*rows, *await self._ask(search_names.summaries, ids)]
        return [Suggestion(row.name, row.summary) for row in rows]

    async def near(self, name: str, limit: int = 5) -> Sequence[str]:
        """Names of projects that differ from this one by a slip or two, the closest first.

        Raises:
            DatabaseDown: it does not answer, or not within the time a search may take.
        """
        return [row.name for row in await self._near(terms_of(name).whole, limit)]

    async def _near(self, squashed: str, limit: int) -> Sequence[NearRow]:
        sought = pieces(squashed)
        if not sought:
            return ()
        slips = most_slips(squashed)
        rows = await self._ask(search_names.near, sought, size=len(squashed), slips=slips)
        places = closest(squashed, [(row.squashed, row.downloads) for row in rows], limit)
        return [rows[place] for place in places]

    async def _ask(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Ask the database when it is this one's turn."""
        if len(self._turns.waiting) >= MOST_WAITING:
            raise DatabaseDown()
        await self._turns.acquire()
        try:
            return await self.database.ask(function, *args, **kwargs)
        finally:
            self._turns.release()


def sought(query: Query) -> Sought:
    """A question in the terms of the database."""
    patterns = {one.field: _patterns(one) for one in query.fields if one.field != "description"}
    described = next((one.words for one in query.fields if one.field == "description"), ())
    ranking = tuple(
        dict.fromkeys(
            chain.from_iterable(one.words for one in query.fields if one.field in ("name", "summary"))
        )
    )
    return Sought(
        patterns=patterns,
        description=_any(map(_query, described)) if described else None,
        every=query.operator is Operator.AND,
        grams=_grams_of_fields(query),
        exact=[*map(normalize, ranking), normalize("-".join(ranking))],
        beginnings=[_escaped(normalize(word)) + "%" for word in ranking],
        anywhere=[_within(word) for word in ranking],
        versions=query.of_versions,
        limit=query.limit,
    )


def _patterns(wanted: Wanted) -> list[str]:
    return [_within(text) for word in wanted.words for text in _spellings(wanted.field, word)]


def _spellings(field: str, word: str) -> Iterable[str]:
    """A word as it may stand in a field: of names the normalized form is kept beside the displayed one."""
    yield word
    if field == "name" and re.search("[a-z0-9]", word, re.IGNORECASE) and normalize(word) != word:
        yield normalize(word)


def _within(word: str) -> str:
    return f"%{_escaped(word)}%"


def _escaped(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)


def _query(word: str) -> str:
    """A text search query: every word of a text, or a longer one that begins so; empty where it has none."""
    words = re.findall(r"[^\W_]+", word)
    return " & ".join(f"'{one}':*" if len(one) > 2 else f"'{one}'" for one in words)


def _any(queries: Iterable[str]) -> str:
    return " | ".join(f"({one})" for one in queries if one)


def _grams_of_fields(query: Query) -> str | None:
    """What everything that fits the conditions on short fields fits; ``None`` where that is anything.

    An index answers it, so that only what is left is compared.
    """
    fields = [_grams_of_field(one) for one in query.fields if one.field != "description"]
    known = [one for one in fields if one is not None]
    if query.operator is Operator.AND:
        return " & ".join(known) or None
    return " | ".join(known) if known and len(known) == len(fields) else None


def _grams_of_field(wanted: Wanted) -> str | None:
    if wanted.field == "version":
        return None
    words = [_grams(text) for word in wanted.words for text in _spellings(wanted.field, word)]
    return None if None in words else f"({' | '.join(filter(None, words))})"


def _grams(word: str) -> str | None:
    """All runs of three characters in a word; ``None`` where there are none, and any text may hold it."""
    # Which letters belong together beyond ASCII only the database knows; what it finds is compared anyway.
    runs = dict.fromkeys(word[at : at + 3] for at in range(len(word) - 2))
    quoted = ["'" + re.sub(r"(['\\])", r"\1\1", run) + "'" for run in runs if run.isascii()]
    return f"({' & '.join(quoted)})" if quoted else None
