"""PostgreSQL, Redis and workers are halted and killed: known pages stay, and then nothing old is left.

Every page is asked of every worker, each by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from math import inf
from random import Random
from signal import SIGKILL

import pytest
import pytest_twisted
from attrs import define, field
from redis import Redis

from tests.support.index import OWNER
from tests.support.pages import Line, Shown, Stage, halted
from tests.support.rig import Upload, upload, wait_for

SOON = 30.0
"""Seconds within which a busy machine does what is promised for two or three."""

AT_ONCE = 2.0
"""Seconds within which it does what needs no waiting, if not always, then once in a while."""

PROJECTS = 4

_numbers = count(1)


def cold() -> str:
    """A page nobody has asked for."""
    return f"/simple/nobody-{next(_numbers)}/"


@define(eq=False)
class Town:
    """A service of three workers, and the pages all of them know.

    Attributes:
        pages: name of a project → its last upload.
    """

    stage: Stage
    pages: dict[str, Upload] = field(factory=dict)
    _versions: dict[str, int] = field(factory=dict)
    _read: int = 0

    def publish(self, name: str) -> str:
        """Publish a new version; which."""
        self._versions[name] = self._versions.get(name, 0) + 1
        version = f"{self._versions[name]}.0"
        wanted = upload(name, version)
        assert self.stage.publish(wanted).status == 200
        self.pages[name] = wanted
        return version

    def shown(self) -> dict[str, list[Shown]]:
        """What every worker answers for every page, on fresh connections."""
        lines = self.stage.lines()
        try:
            return {name: [line.ask(f"/simple/{name}/") for line in lines] for name in self.pages}
        finally:
            close(lines)

    def at_once(self, path: str) -> list[Shown]:
        """What every worker answers to the same question in the same moment."""
        lines = self.stage.lines()
        try:
            with ThreadPoolExecutor(len(lines)) as pool:
                return list(pool.map(lambda line: line.ask(path), lines))
        finally:
            close(lines)

    def is_warm(self) -> bool:
        """Whether every worker answers every page, and trusts it."""
        return all(
            one.status == 200 and not one.is_stale and int(one.headers.get("age", 0)) == 0
            for answers in self.shown().values()
            for one in answers
        )

    def is_stale(self) -> bool:
        """Whether every worker answers every page at once, and says that it may be outdated."""
        shown = [one for answers in self.shown().values() for one in answers]
        assert [one.status for one in shown] == [200] * len(shown)
        told = [one.is_stale and int(one.headers["age"]) > 0 for one in shown]
        return all(told) and all(one.took < AT_ONCE for one in shown)

    def is_all_right(self) -> None:
        """Everything is as good as new: pages, uploads, yanks, and the log."""
        self.stage.come_back()
        assert wait_for(self.is_warm, SOON)
        name, other, *_ = self.pages
        version = self.publish(name)
        assert wait_for(lambda: all(version in one.versions for one in self.shown()[name]), SOON)
        yanked = self.stage.cheeseshop("yank", other, f"{self._versions[other]}.0").stdout
        assert "is yanked" in yanked, yanked
        assert "Not every worker" not in yanked
        for one in self.stage.everywhere(f"/simple/{other}/"):
            assert self.pages[other].filename in one.yanked
        self.publish(other)
        said = self.stage.everything_said[self._read :]
        self._read += len(said)
        assert "Traceback" not in said, said
        assert "Unhandled" not in said, said


def close(lines: list[Line]) -> None:
    """Hang up."""
    for line in lines:
        line.close()


@pytest_twisted.async_yield_fixture(scope="module")
async def lasting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """One town for all tests."""
    stage = Stage(tmp_path_factory.mktemp("town"), workers=3)
    try:
        stage.start()
        await stage.welcome(OWNER)
        town = Town(stage)
        for number in range(PROJECTS):
            town.publish(f"page{number}")
        yield town
    finally:
        stage.end()


@pytest.fixture
def town(lasting: Town) -> Town:
    """The same, with everything warm."""
    lasting.stage.come_back()
    assert wait_for(lasting.is_warm, SOON)
    return lasting


def refusing(answers: list[Shown]) -> list[float]:
    """Seconds each of them took to say when to come back."""
    for one in answers:
        assert one.status == 503
        assert int(one.headers["retry-after"]) > 0
    return [one.took for one in answers]


def each_refuses_at_once(town: Town) -> bool:
    """Whether every worker does so before long; now and then one finds out whether the database is back."""
    slowest = [inf, inf, inf]

    def ask() -> bool:
        slowest[:] = map(min, slowest, refusing(town.at_once(cold())))
        return max(slowest) < AT_ONCE

    return wait_for(ask, SOON)


EITHER = [
    (("postgres",), "halted"),
    pytest.param(("postgres", "redis"), "killed", marks=pytest.mark.long),
    pytest.param(("postgres",), "killed", marks=pytest.mark.long),
    pytest.param(("postgres", "redis"), "halted", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("servers", "how"), EITHER)
def test_without_a_database(town: Town, servers: tuple[str, ...], how: str) -> None:
    """Known pages are answered, and after five seconds as old; all else is refused; then all is fresh."""
    with town.stage.without(*servers, how=how):
        assert max(refusing(town.at_once(cold()))) < SOON
        for answers in town.shown().values():
            assert [one.status for one in answers] == [200] * 3
        assert wait_for(town.is_stale, SOON)
        assert each_refuses_at_once(town)
        refused = town.stage.publish(upload("page0", "0.1"))
        assert refused.is_honest_refusal
        assert refused.status == 503
    town.is_all_right()


@pytest.mark.long
def test_quarantined_without_a_database(town: Town) -> None:
    """What went into quarantine is not even shown by caches that show all else while the database is away."""
    name, kept = "page3", "page2"
    wanted = town.pages[name]
    [(digest,)] = town.stage.sql("SELECT blake2_256 FROM files WHERE filename = %s", wanted.filename)
    file = f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{wanted.filename}"
    assert [one.status for one in town.stage.everywhere(file)] == [200] * 3
    told = town.stage.cheeseshop("project", "quarantine", name, wanted.filename.split("-")[1]).stdout
    assert "is in quarantine" in told
    assert "Not every worker" not in told
    with town.stage.without("postgres", how="halted"):
        for one in town.at_once(f"/simple/{name}/"):
            assert one.status == 503 or wanted.filename.encode() not in one.body
        assert [one.status for one in town.at_once(file)] == [404] * 3
        assert [one.status for one in town.at_once(f"/simple/{kept}/")] == [200] * 3
    town.stage.come_back()
    for one in town.stage.everywhere(f"/simple/{name}/"):
        assert wanted.filename.encode() not in one.body
    town.stage.cheeseshop("project", "clear", name, wanted.filename.split("-")[1])
    assert [one.status for one in town.stage.everywhere(file)] == [200] * 3
    town.is_all_right()


@pytest.mark.long
def test_private_without_a_database(town: Town) -> None:
    """What was public a moment ago and is private now is shown by no cache, whatever else they show."""
    name, kept = "page1", "page2"
    wanted = town.pages[name]
    [(digest,)] = town.stage.sql("SELECT blake2_256 FROM files WHERE filename = %s", wanted.filename)
    file = f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{wanted.filename}"
    assert [one.status for one in town.stage.everywhere(file)] == [200] * 3
    told = town.stage.cheeseshop("project", "reads", name, "roles").stdout
    assert "is read by those with a role" in told
    assert "Not every worker" not in told
    with town.stage.without("postgres", how="halted"):
        assert {one.status for one in town.at_once(f"/simple/{name}/")} <= {404, 503}
        assert [one.status for one in town.at_once(file)] == [404] * 3
        assert [one.status for one in town.at_once(f"/simple/{kept}/")] == [200] * 3
    town.stage.come_back()
    assert {one.status for one in town.stage.everywhere(f"/simple/{name}/")} == {404}
    town.stage.cheeseshop("project", "reads", name, "public")
    assert [one.status for one in town.stage.everywhere(file)] == [200] * 3
    town.is_all_right()


@pytest.mark.parametrize("how", ["halted", "killed"])
def test_without_redis(town: Town, how: str) -> None:
    """Nobody notices: pages, new questions and uploads go on, and nothing counts as old."""
    with town.stage.without("redis", how=how):
        for answers in town.shown().values():
            assert [(one.status, one.is_stale) for one in answers] == [(200, False)] * 3
        assert [one.status for one in town.at_once(cold())] == [404] * 3
        version = town.publish("page0")
        assert wait_for(lambda: all(version in one.versions for one in town.shown()["page0"]), SOON)
    town.is_all_right()


def test_redis_is_emptied(town: Town) -> None:
    """What Redis forgets is made again, and what it no longer knows of changes brings nothing old back."""
    stage = town.stage
    version = town.publish("page1")
    where = str((stage.data / "redis" / "run" / "redis.sock").resolve())
    with Redis(unix_socket_path=where) as redis:
        redis.flushall()
    assert wait_for(lambda: all(version in one.versions for one in town.shown()["page1"]), SOON)
    town.is_all_right()


@pytest.mark.parametrize("seconds", [3.0, pytest.param(10.0, marks=pytest.mark.long)])
def test_a_worker_is_halted(town: Town, seconds: float) -> None:
    """A worker that did nothing for a while shows nothing old when it goes on, not even at first."""
    lines = [line for _ in town.pages for line in town.stage.lines([1])]
    for line, name in zip(lines, town.pages, strict=True):
        line.ask(f"/simple/{name}/")
    with halted(lines[0].pid):
        began = time.monotonic()
        versions = {name: town.publish(name) for name in tuple(town.pages)}
        for line, name in zip(lines, versions, strict=True):
            line.begin(f"/simple/{name}/")
        time.sleep(max(0.0, began + seconds - time.monotonic()))
    for line, (name, version) in zip(lines, versions.items(), strict=True):
        shown = line.end(SOON)
        assert shown.status == 200
        assert version in shown.versions, name
    close(lines)
    town.is_all_right()


@pytest.mark.parametrize("times", [4, pytest.param(200, marks=pytest.mark.long)])
def test_a_slow_render_races_a_write(town: Town, times: int) -> None:
    """A page that is half made when its project changes is kept by nobody, wherever it was halted."""
    random = Random(11)
    (line,) = town.stage.lines([1])
    for _ in range(times):
        town.publish("page3")
        line.begin("/simple/page3/")
        time.sleep(random.random() ** 2 / 30)
        with halted(line.pid):
            version = town.publish("page3")
        assert line.end(SOON).status == 200
        assert wait_for(lambda: all(version in one.versions for one in town.shown()["page3"]), SOON)  # noqa: B023
        assert all(version in one.versions for one in town.shown()["page3"])
    line.close()
    town.is_all_right()


def test_the_journal_is_emptied(town: Town) -> None:
    """A database that was restored from before tells of other changes: all that was kept is forgotten."""
    stage = town.stage
    ((last,),) = stage.sql("SELECT max(serial) FROM journal")
    stage.sql("DELETE FROM files WHERE filename = %s", town.pages["page2"].filename)
    stage.sql("DELETE FROM journal WHERE serial > 3")
    gone = town.pages["page2"].filename
    assert wait_for(lambda: not any(gone.encode() in one.body for one in town.shown()["page2"]), SOON)
    assert wait_for(lambda: stage.figures("cheeseshop_invalidation_last_serial") == 9, SOON)
    town.is_all_right()
    assert stage.figures("cheeseshop_invalidation_last_serial") < 3 * last


def test_a_worker_is_killed_before_it_hears(town: Town) -> None:
    """A change that a worker was told of, and had not read when it died, is shown by all, its heir too."""
    stage = town.stage
    victim = stage.picture.workers[0]
    with halted(victim.pid):
        versions = {name: town.publish(name) for name in tuple(town.pages)}
        os.kill(victim.pid, SIGKILL)
    assert wait_for(lambda: stage.picture.workers[0].restarts > victim.restarts)
    stage.await_crew()
    stage.come_back()
    for name, answers in town.shown().items():
        assert all(versions[name] in one.versions for one in answers)
    town.is_all_right()


def test_workers_die_of_what_they_hear(town: Town) -> None:
    """Workers that die between being told of a change and forgetting what it touched leave nothing old."""
    stage = town.stage
    stage.restart("hear.before-apply")
    stage.await_crew()
    assert wait_for(town.is_warm, SOON)
    victims = {one.slot: one.restarts for one in stage.picture.workers}
    stage.publish(upload("page3", "99.0"))  # whoever takes it may die of the news before it answers
    assert wait_for(lambda: all(one.restarts > victims[one.slot] for one in stage.picture.workers))
    stage.await_crew()
    assert wait_for(lambda: all("99.0" in one.versions for one in town.shown()["page3"]), SOON)
    stage.restart()
    stage.await_crew()
    town.is_all_right()


def test_a_worker_dies_before_it_announces(town: Town) -> None:
    """A worker that dies between a commit and all that follows leaves nothing old anywhere."""
    stage = town.stage
    stage.restart("upload.after-commit")
    stage.await_crew()
    assert wait_for(town.is_warm, SOON)
    wanted = upload("page2", "99.0")
    assert stage.publish(wanted).status is None
    stage.await_crew()
    assert wait_for(lambda: all("99.0" in one.versions for one in town.shown()["page2"]), SOON)
    stage.restart()
    stage.await_crew()
    town.is_all_right()
