"""What happened to a project, in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_twisted
from twisted.internet import reactor

from pypi.accounts.audit import Kind
from pypi.db.database import Database
from pypi.db.queries.past import PastRow
from pypi.domain.errors import NoSuchProject
from pypi.index.past import NoPosition, Past
from pypi.index.past_words import EVENTS, in_words
from tests.support.databases import ask

FILL = """
    INSERT INTO projects (name, normalized, look_alike, created)
    VALUES ('New', 'new', '', '2026-01-01 00:00+00');
    INSERT INTO former_names (normalized, name, look_alike, project_id, since)
    VALUES ('old', 'Old', '', (SELECT id FROM projects), '2026-01-05 00:00+00');
    INSERT INTO journal (serial, normalized, name, version, action, actor, tags, at) VALUES
        (1, 'old', 'Old', NULL, 'create', 'first', '{}', '2025-06-01 00:00+00'),
        (2, 'old', 'Old', NULL, 'remove project', 'first', '{}', '2025-06-02 00:00+00'),
        (3, 'old', 'Old', NULL, 'create', 'ada', '{}', '2026-01-01 00:00+00'),
        (4, 'old', 'Old', '1.0', 'new release', 'ada', '{}', '2026-01-01 00:00+00'),
        (5, 'old', 'Old', '1.0', 'add py3 file old-1.0.whl', 'ada', '{}', '2026-01-01 00:00+00'),
        (6, 'old', 'Old', NULL, 'rename to New', 'ada', '{}', '2026-01-05 00:00+00'),
        (7, 'new', 'New', NULL, 'rename from Old', 'ada', '{}', '2026-01-05 00:00+00'),
        (8, 'other', 'Other', NULL, 'create', 'eve', '{}', '2026-01-06 00:00+00'),
        (9, 'old', 'Old', '1.0', 'yank release', 'ada', '{}', '2026-01-07 00:00+00'),
        (10, 'new', 'New', '1.0', 'yank release', 'ada', '{}', '2026-01-07 00:00+00');
    INSERT INTO audit (at, actor, address, event, normalized, about, serial) VALUES
        ('2026-01-02 00:00+00', 'ada', '192.0.2.1', 'project.role-invited', 'old',
         '{"user": "eve", "role": "Owner"}', NULL),
        ('2026-01-05 00:00+00', 'ada', '192.0.2.1', 'project.renamed', 'new',
         '{"before": "Old", "name": "New"}', 7),
        ('2026-01-07 00:00+00', 'ada', '192.0.2.1', 'project.release-yanked', 'new',
         '{"version": "1.0", "reason": "no good"}', 10);"""

OF_PROJECT = [
    "yanked version 1.0 (“no good”)",
    "renamed the project from Old to New",
    "invited eve to be Owner",
    "uploaded the file old-1.0.whl",
    "released version 1.0",
    "created the project",
]


@pytest_twisted.async_yield_fixture
async def past(database_url: str) -> AsyncIterator[Past]:
    """Of an index with a project that was called otherwise, by a name that another had before."""
    database = Database(database_url, reactor, size=1)
    ask(database_url, FILL)
    yield Past(database)
    await database.stop()


async def test_everything_once(past: Past) -> None:
    """All that happened to a project is told, also under its former name, each thing once, newest first."""
    page = await past.of_project("NEW")
    assert [one.words for one in page.entries] == OF_PROJECT
    assert [one.serial for one in page.entries] == [10, 7, None, 5, 4, 3]
    assert page.next is None
    first = page.entries[0]
    assert (first.actor, first.event, first.version) == ("ada", "project.release-yanked", "1.0")
    assert first.at == datetime(2026, 1, 7, tzinfo=UTC)


async def test_addresses(past: Past) -> None:
    """Addresses are for operators, and so is what another project of the same name went through before."""
    assert {one.address for one in (await past.of_project("new")).entries} == {""}
    page = await past.of_project("old", for_operators=True)
    assert [one.words for one in page.entries][-2:] == ["deleted the project", "created the project"]
    [invited] = [one for one in page.entries if one.event == "project.role-invited"]
    assert invited.address == "192.0.2.1"
    with pytest.raises(NoSuchProject):
        await past.of_project("old")


async def test_pages(past: Past) -> None:
    """A history is read page by page, each thing once; what is no position is refused."""
    words, before = [], ""
    while True:
        page = await past.of_project("new", before=before, limit=2)
        assert len(page.entries) <= 2
        words += [one.words for one in page.entries]
        if page.next is None:
            break
        before = page.next
    assert words == OF_PROJECT
    for text in ("x", "1.k1", "1.j" + "9" * 19, "9" * 20 + ".l1", "1.j1 "):
        with pytest.raises(NoPosition):
            await past.of_project("new", before=text)
    with pytest.raises(NoSuchProject):
        await past.of_project("nothing")


def row(*, event: str | None = None, action: str | None = None, **about: str) -> PastRow:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return PastRow(now, action is None, 1, "demo", "ada", "1.0", action, event, dict(about), "")


def test_words_for_all() -> None:
    """All that can be done to a project has words, and no sentence is left open when all is known."""
    for kind in Kind:
        if not kind.event.startswith(("project.", "index.")):
            continue
        event, words = in_words(row(event=kind.event, **dict.fromkeys(kind.about, "thing")))
        assert event == kind.event
        assert kind.event in EVENTS or kind is Kind.PROJECT_STATUS
        assert "…" not in words, words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (row(event="project.status", status="archived", before="active"), "archived the project"),
        (
            row(event="project.status", status="deprecated", before="active", successor="new", reason="Old."),
            "deprecated the project, in favour of new (“Old.”)",
        ),
        (
            row(event="project.status", status="archived", before="quarantined"),
            "let the project out of quarantine, archived as it was",
        ),
        (row(event="project.role-given", user="ada", role="Owner"), "accepted to be Owner"),
        (row(event="project.role-taken", user="eve", role="Owner"), "took the role Owner from eve"),
        (row(event="project.unheard-of"), "project.unheard-of"),
        (row(action="add Owner eve"), "made eve Owner"),
        (row(action="add Owner file x y.zip"), "uploaded the file x y.zip"),
        (row(action="remove Maintainer eve"), "took the role Maintainer from eve"),
        (row(action="yank release"), "yanked version 1.0"),
        (row(action="project archived"), "said that the project is archived"),
        (row(action="something {else}"), "something {else}"),
    ],
)
def test_sentences(given: PastRow, words: str) -> None:
    """A line says what was done, with whom it was done to, and why."""
    assert in_words(given)[1] == words
