"""Whether searches find what people mean: pairs of what is typed and what is meant, among real projects.

The pairs are in ``search_quality.tsv``. Names that are offered as close count as found after all hits, or in
front of them where none of these has all the words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files

from attrs import frozen

from benchmarks.searchable import real_projects
from pypi.db.connection import Cursor
from pypi.db.queries import projects, releases, search
from pypi.domain.names import normalize
from pypi.search.find import Search
from pypi.search.inquiry import of_parameters

FIRST = 3
"""Places of which one is to be the project that is meant."""

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@frozen
class Pair:
    """Something people type.

    Attributes:
        kind: ``exact``, ``partial``, ``slip`` or ``purpose``.
        meant: normalized names, any of which will do.
    """

    kind: str
    typed: str
    meant: frozenset[str]


@frozen
class Outcome:
    """What came of a pair.

    Attributes:
        found: the first few names.
        place: of the first that is meant, from 1; 0 where it is not among ``FIRST``.
    """

    pair: Pair
    found: Sequence[str]
    place: int


def pairs() -> Sequence[Pair]:
    """All of them, in the order they are written."""
    text = files("benchmarks").joinpath("search_quality.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    return [Pair(kind, typed, frozenset(map(normalize, meant.split()))) for kind, typed, meant in lines]


async def store_real_projects(cursor: Cursor) -> None:
    """Put the real projects into the tables, as publishing does."""
    for one in real_projects():
        project = await projects.add(cursor, one.name, now=NOW)
        assert project is not None, "each name is there once"
        release = await releases.add(
            cursor,
            project_id=project.id,
            version=one.version,
            summary=one.summary,
            metadata={"keywords": list(one.keywords), "requires_python": one.requires_python},
            now=NOW,
        )
        await releases.classify(cursor, release_id=release.id, classifiers=one.classifiers)
        await search.refresh(cursor, project.id)


async def outcomes(searcher: Search) -> Sequence[Outcome]:
    """What comes of all pairs."""
    return [await _outcome(searcher, pair) for pair in pairs()]


async def _outcome(searcher: Search, pair: Pair) -> Outcome:
    found = await searcher.page(of_parameters({b"q": [pair.typed.encode()]}))
    hits, near = [hit.normalized for hit in found.hits], [*map(normalize, found.near)]
    names = list(dict.fromkeys([*near, *hits] if found.is_loose else [*hits, *near]))
    place = next((at for at, name in enumerate(names[:FIRST], 1) if name in pair.meant), 0)
    return Outcome(pair, names[:5], place)


def score(reached: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Of each kind, and of ``all``: (pairs whose project was found, pairs)."""
    every, good = Counter[str](), Counter[str]()
    for one in reached:
        for kind in (one.pair.kind, "all"):
            every[kind] += 1
            good[kind] += one.place > 0
    return {kind: (good[kind], every[kind]) for kind in every}
