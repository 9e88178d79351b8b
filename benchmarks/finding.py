"""Whether people find what they mean among the first three: the pairs of ``search_quality.tsv``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks.figure import Figure, Row, Setting, at_least
from benchmarks.search_quality import Outcome, outcomes, score, store_real_projects
from pypi.config import load
from pypi.db.database import Database
from pypi.foundations import Foundations
from pypi.search.find import Search

LEAST = 90.0
"""Per cent."""


def measure(setting: Setting) -> Iterator[Row]:
    """An index of real names and summaries, in which every pair is looked for."""
    reached: list[Outcome] = []

    async def asked(reactor: Any) -> None:
        overrides = {"service.data": str(setting.folder / "data")}
        foundations = Foundations(load(environment={}, overrides=overrides), reactor)
        await foundations.start()
        database = Database(foundations.database_url, reactor)
        try:
            await database.transact(store_real_projects)
            reached.extend(await outcomes(Search(database=database)))
        finally:
            await database.stop()
            await foundations.stop()

    try:
        react(lambda reactor: Deferred.fromCoroutine(asked(reactor)))
    except SystemExit as end:
        if end.code:
            raise
    yield from _rows(setting, reached)


def _rows(setting: Setting, reached: Sequence[Outcome]) -> Iterator[Row]:
    for one in reached:
        if not one.place:
            setting.say(f"Not found by {one.pair.typed!r}: {', '.join(sorted(one.pair.meant))}")
    for kind, (good, every) in score(reached).items():
        bar = at_least(LEAST) if kind == "all" else None
        note = f"{good} of {every}"
        name = f"found among the first three: {kind}"
        yield Row(measure=name, unit="%", ours=[100 * good / every], more_is_better=True, bar=bar, note=note)


FIGURE = Figure(
    name="finding", question="do people find what they mean among the first three?", measure=measure, runs=1
)
