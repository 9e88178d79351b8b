"""Rendering anew: what others have rendered becomes what is rendered here, whoever is killed meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from pypi.db.queries import descriptions
from pypi.db.queries.descriptions import Anew
from pypi.jobs import rerender
from pypi.jobs.rerender import Rerender
from pypi.publishing.descriptions import Rendered, installed_renderer
from tests.support.archives import core_metadata, wheel, wheel_filename
from tests.support.index import Index, reactor, running

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
OLD = "cheeseshop 0, comrak 0"
HERE = installed_renderer()
RENDERED = """
    SELECT r.version, d.html, d.renderer
      FROM descriptions d JOIN releases r ON r.id = d.release_id ORDER BY r.id"""


@pytest_twisted.async_yield_fixture
async def index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index that nobody has used yet."""
    async with running(database_url, tmp_path, lane=True) as made:
        yield made


async def published(index: Index, *versions: str, name: str = "demo") -> None:
    """Releases whose descriptions are their versions, in bold."""
    for version in versions:
        headers = [("Description-Content-Type", "text/markdown")]
        about = core_metadata(name, version, headers=headers, description=f"**{version}**\n")
        reply = await index.upload(wheel(name, version, metadata=about), wheel_filename(name, version))
        assert reply.status == 200, reply.text


def outdated(index: Index, where: str = "true", *, renderer: str = OLD, html: str | None = "old") -> None:
    """Descriptions as another renderer has left them."""
    written = "html" if html is None else f"'{html}'"
    index.sql(f"UPDATE descriptions SET renderer = '{renderer}', html = {written} WHERE {where} RETURNING 1")


def job_of(index: Index, **changes: Any) -> Rerender:
    """The job as the index runs it."""
    application = index.application
    return Rerender(
        **{
            "database": application.publisher.database,
            "renderer": application.publisher.renderer,
            "reactor": reactor,
            "now": lambda: NOON,
            "announce": application.caches.invalidations.announce,
            **changes,
        }
    )


class Obeying:
    """A renderer that renders nothing, at once."""

    name = HERE
    is_busy = False

    def __init__(self, *results: Rendered) -> None:
        self.results = list(results)
        self.asked: list[str] = []

    async def render(self, text: str, content_type: str) -> Rendered:
        """What was ordered; then, that this is for another time."""
        self.asked.append(text.strip("*\n"))
        return self.results.pop(0) if self.results else Rendered()


async def test_renders_anew(index: Index) -> None:
    """What another renderer made, or nobody had the time for, is made here; the rest is left alone."""
    await published(index, "1", "2", "3")
    outdated(index, "release_id IN (SELECT id FROM releases WHERE version = '1')")
    outdated(index, "release_id IN (SELECT id FROM releases WHERE version = '2')", renderer="", html=None)
    job = job_of(index)
    await job.run()
    assert index.sql(RENDERED) == [(n, f"<p><strong>{n}</strong></p>\n", HERE) for n in "123"]
    assert (job.rendered, job.changed, job.left) == (2, 1, 2)
    await job.run()
    assert (job.rendered, job.changed, job.left) == (2, 1, 0)


async def test_pages_are_forgotten(index: Index) -> None:
    """Pages of projects that look different are made anew, here and at the edge; others are not."""
    await published(index, "1")
    await published(index, "1", name="other")
    outdated(index, html="<p>old</p>")
    paths = ("/project/demo/", "/project/other/", "/simple/other/")
    index.application.caches.ladder.memory.forget_all()
    assert "<p>old</p>" in (await index.ask(paths[0])).text
    ((_,), (same,)) = index.sql("SELECT release_id FROM descriptions ORDER BY 1")
    outdated(index, f"release_id = {same}", html="<p><strong>1</strong></p>\n")
    index.application.caches.ladder.memory.forget_all()
    before = [await index.ask(path) for path in paths]
    assert "<p>old</p>" in before[0].text
    await job_of(index).run()
    after = [await index.ask(path) for path in paths]
    assert "<p>old</p>" not in after[0].text
    assert "<strong>1</strong>" in after[0].text
    assert [reply.headers["etag"] for reply in after[1:]] == [reply.headers["etag"] for reply in before[1:]]
    assert "hit" in after[1].headers["cache-status"]
    ((tags,),) = index.sql("SELECT payload->'tags' FROM outbox ORDER BY id DESC LIMIT 1")
    assert tags == ["project/demo"]


async def test_mirrors_need_not_come(index: Index) -> None:
    """It is a line of the journal, but of no project: its serial stays, and changelogs do not tell of it."""
    await published(index, "1", "2")
    outdated(index)
    before = index.sql("SELECT last_serial FROM projects")
    ((last,),) = index.sql("SELECT max(serial) FROM journal")
    await job_of(index).run()
    assert index.sql("SELECT last_serial FROM projects") == before
    line = f"SELECT normalized, name, version, action, actor, tags, at FROM journal WHERE serial > {last}"
    assert index.sql(line) == [(None, None, None, "render descriptions", None, ["project/demo"], NOON)]
    asked = (
        "<methodCall><methodName>changelog_since_serial</methodName><params>"
        f"<param><value><int>{last}</int></value></param></params></methodCall>"
    )
    reply = await index.ask("/pypi", {"Content-Type": "text/xml"}, method="POST", body=asked.encode())
    assert "<array><data></data></array>" in "".join(reply.text.split())


async def test_nothing_to_say(index: Index) -> None:
    """Where a new renderer makes the same HTML, only its name is noted."""
    await published(index, "1")
    outdated(index, html=None)
    before = index.sql("SELECT count(*) FROM journal"), index.sql("SELECT count(*) FROM outbox")
    await job_of(index).run()
    assert index.sql("SELECT DISTINCT renderer FROM descriptions") == [(HERE,)]
    assert (index.sql("SELECT count(*) FROM journal"), index.sql("SELECT count(*) FROM outbox")) == before


async def test_the_newest_first(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest releases come first; what was for another time is asked for again by the next run only."""
    monkeypatch.setattr(rerender, "BATCH", 2)
    await published(index, "1", "2", "3", "4", "5")
    outdated(index)
    obeying = Obeying(*(Rendered("new", (), HERE) for _ in range(2)), Rendered(), Rendered(None, (), HERE))
    await job_of(index, renderer=obeying).run()
    assert obeying.asked == ["5", "4", "3", "2", "1"]
    assert index.sql(RENDERED) == [
        ("1", "old", OLD),
        ("2", None, HERE),
        ("3", "old", OLD),
        ("4", "new", HERE),
        ("5", "new", HERE),
    ]
    again = Obeying()
    await job_of(index, renderer=again).run()
    assert again.asked == ["3", "1"]


async def test_large_batches(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is large is not gathered for long."""
    monkeypatch.setattr(rerender, "BATCH_CHARACTERS", 5)
    await published(index, "1", "2", "3")
    outdated(index)
    await job_of(index, renderer=Obeying(*(Rendered("x" * 6, (), HERE) for _ in range(3)))).run()
    assert index.sql("SELECT count(*) FROM journal WHERE action = 'render descriptions'") == [(3,)]


async def test_a_run_ends(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run leaves the rest to the next one in time."""
    monkeypatch.setattr(rerender, "BATCH", 1)
    monkeypatch.setattr(rerender, "LONGEST", 0.0)
    await published(index, "1", "2")
    outdated(index)
    obeying = Obeying(Rendered("new", (), HERE))
    await job_of(index, renderer=obeying).run()
    assert obeying.asked == []


async def test_uploads_go_first(index: Index) -> None:
    """While somebody waits for a description, nothing is rendered anew."""
    await published(index, "1")
    outdated(index)
    obeying = Obeying(Rendered("new", (), HERE))
    obeying.is_busy = True
    running_job = Deferred.fromCoroutine(job_of(index, renderer=obeying).run())
    await deferLater(reactor, 0.5)
    assert obeying.asked == []
    obeying.is_busy = False
    await running_job
    assert obeying.asked == ["1"]


async def test_stopping(index: Index) -> None:
    """A job that is stopped breaks off, and does nothing until it is started again."""
    await published(index, "1")
    outdated(index)
    obeying = Obeying(*(Rendered("new", (), HERE) for _ in range(2)))
    obeying.is_busy = True
    job = job_of(index, renderer=obeying)
    running_job = Deferred.fromCoroutine(job.run())
    await deferLater(reactor, 0.1)
    await job.stop()
    await running_job
    obeying.is_busy = False
    await job.run()
    assert obeying.asked == []
    await job.start()
    await job.run()
    assert obeying.asked == ["1"]


async def test_somebody_else_was_quicker(index: Index) -> None:
    """What another worker has rendered meanwhile, or removed, stays as it is."""
    await published(index, "1", "2")
    outdated(index)
    database = index.application.publisher.database
    first, second = (row[0] for row in index.sql("SELECT id FROM releases ORDER BY id"))
    index.sql(f"UPDATE descriptions SET renderer = 'newer' WHERE release_id = {first} RETURNING 1")
    anew = [Anew(one, OLD, "new", HERE) for one in (first, second, second + 1)]
    assert await database.transact(descriptions.replace, anew) == ["demo"]
    assert index.sql(RENDERED) == [("1", "old", "newer"), ("2", "new", HERE)]
    assert await database.read(descriptions.written, second + 1) is None
    assert await database.read(descriptions.other_renderers, HERE) == ["newer"]


async def test_figures(index: Index) -> None:
    """What is done and what is left can be seen."""
    await published(index, "1")
    outdated(index)
    job = job_of(index)
    await job.run()
    assert {one.name: one.samples[0][1] for one in job.figures()} == {
        "descriptions_outdated": 1,
        "descriptions_rendered_anew": 1,
        "descriptions_changed": 1,
    }


KILLED = """
import sys
from datetime import UTC, datetime
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from pypi import failpoints
from pypi.db.database import Database
from pypi.jobs import rerender
from pypi.publishing.descriptions import Renderer

async def nobody(serial, tags):
    pass

async def main():
    job = rerender.Rerender(database=Database(sys.argv[1], reactor), renderer=Renderer(reactor=reactor),
                            reactor=reactor, now=lambda: datetime.now(UTC), announce=nobody)
    await job.run()

rerender.BATCH = 2
failpoints.arm(sys.argv[2])
done = Deferred.fromCoroutine(main()).addErrback(lambda failure: failure.printTraceback())
done.addBoth(lambda _: reactor.stop())
reactor.run()
"""


@pytest.mark.parametrize(
    ("point", "done"),
    [
        pytest.param("rerender.before-replace:2", 2, marks=pytest.mark.long),
        pytest.param("rerender.before-commit:1", 0, marks=pytest.mark.long),
        ("rerender.before-commit:3", 4),
    ],
)
async def test_killed_in_the_middle(index: Index, point: str, done: int) -> None:
    """What was kept before the kill is kept with its consequences; another worker does the rest."""
    await published(index, "1", "2", "3", "4", "5")
    outdated(index)
    killed = await deferToThread(
        subprocess.run, [sys.executable, "-c", KILLED, index.database_url, point], timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    count = "SELECT count(*) FROM descriptions WHERE renderer = '{0}'"
    assert index.sql(count.format(HERE)) == [(done,)]
    assert index.sql("SELECT count(*) FROM journal WHERE action = 'render descriptions'") == [(done // 2,)]
    assert index.sql("SELECT count(*) FROM outbox WHERE payload->'tags' = '[\"project/demo\"]'") == [
        (done // 2,)
    ]
    await job_of(index).run()
    assert index.sql(count.format(HERE)) == [(5,)]
    assert index.sql(
        "SELECT DISTINCT html = format(E'<p><strong>%s</strong></p>\\n', version) "
        "FROM descriptions d JOIN releases r ON r.id = d.release_id"
    ) == [(True,)]
