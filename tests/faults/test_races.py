"""Uploads at the same moment, to the service itself: one wins, all are told so, no serial is missed."""

from __future__ import annotations

import time
from collections import Counter
from threading import Event, Thread

import psycopg2
import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.support.invariants import check, listing, sweep
from tests.support.rig import Outcome, Upload, Victim, at_once, load, new_name, upload

PARALLEL = 20

few_or_many = pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=pytest.mark.long)])


def outcomes_of(victim: Victim, uploads: list[tuple[Upload, str]]) -> list[Outcome]:
    """What uploads by these accounts get, all sent at once."""
    return at_once([lambda one=one: victim.publish(*one) for one in uploads])


@few_or_many
async def test_the_same_file_many_times_at_once(survivor: Victim, rounds: int) -> None:
    """Every one of them gets a 200; one row and one stored file come of it."""
    for _ in range(rounds):
        wanted = upload()
        outcomes = outcomes_of(survivor, [(wanted, "ada")] * PARALLEL)
        assert Counter(outcome.status for outcome in outcomes) == {200: PARALLEL}
        assert sum("x-pypi-last-serial" in outcome.headers for outcome in outcomes) == 1
        found = survivor.sql("SELECT count(*) FROM files WHERE filename = %s", wanted.filename)
        assert found == [(1,)]
    await check(survivor)


@few_or_many
async def test_one_filename_with_many_contents_at_once(survivor: Victim, rounds: int) -> None:
    """Exactly one wins; all others get a 400 that says why, and nothing is left of them."""
    for _ in range(rounds):
        name = new_name()
        rivals = [upload(name) for _ in range(PARALLEL)]
        outcomes = outcomes_of(survivor, [(rival, "ada") for rival in rivals])
        assert Counter(outcome.status for outcome in outcomes) == {200: 1, 400: PARALLEL - 1}
        assert all("already exists" in one.said for one in outcomes if one.status == 400)
        winner = rivals[[outcome.status for outcome in outcomes].index(200)]
        entries, _ = listing(survivor)
        assert entries[winner.filename].sha256 == winner.sha256
    await check(survivor)


@few_or_many
async def test_one_new_name_by_two_users_at_once(survivor: Victim, rounds: int) -> None:
    """Exactly one becomes its owner; the other may not upload to it, and is told so."""
    await survivor.welcome("bob")
    for _ in range(rounds):
        name = new_name()
        rivals = [(upload(name, f"{n}.0"), ("ada", "bob")[n % 2]) for n in range(6)]
        outcomes = outcomes_of(survivor, rivals)
        assert Counter(outcome.status for outcome in outcomes) == {200: 3, 403: 3}
        winners = {user for (_, user), outcome in zip(rivals, outcomes, strict=True) if outcome.status == 200}
        owners = survivor.sql(
            "SELECT u.name FROM roles JOIN users u ON u.id = user_id JOIN projects p ON p.id = project_id"
            " WHERE normalized = %s AND role = 'Owner'",
            name,
        )
        assert owners == [(user,) for user in winners]
    await check(survivor)


@few_or_many
async def test_the_same_file_by_two_users_at_once(survivor: Victim, rounds: int) -> None:
    """The refusal of the one takes nothing away from the other, whose bytes lie in the same place."""
    await survivor.welcome("bob")
    for _ in range(rounds):
        wanted = upload()
        outcomes = outcomes_of(survivor, [(wanted, ("ada", "bob")[n % 2]) for n in range(6)])
        assert Counter(outcome.status for outcome in outcomes) == {200: 3, 403: 3}
    await check(survivor)


@pytest.mark.parametrize("seconds", [2.0, pytest.param(60.0, marks=pytest.mark.long)])
async def test_sweeps_among_uploads(survivor: Victim, seconds: float) -> None:
    """A sweep that spares nothing for its youth may spoil uploads, which get a 503, but no listed file."""
    ends = time.monotonic() + seconds
    with load(survivor) as outcomes:
        while time.monotonic() < ends:
            await sweep(survivor)
    assert all(outcome.status == 200 or outcome.is_honest_refusal for _, outcome in outcomes)
    assert survivor.acks, "some came through"
    await check(survivor)


@pytest.mark.parametrize("seconds", [2.0, pytest.param(60.0, marks=pytest.mark.long)])
async def test_the_journal_is_followed_while_clients_upload(survivor: Victim, seconds: float) -> None:
    """Whoever reads the journal up to a serial never misses a line, and meets the lines in their order."""
    follower = Follower(survivor)
    with load(survivor, clients=8) as outcomes:
        await deferLater(reactor, seconds)
    follower.finish()
    written = [serial for (serial,) in survivor.sql("SELECT serial FROM journal ORDER BY serial")]
    assert {outcome.status for _, outcome in outcomes} == {200}
    assert len(written) > 3 * len(outcomes)
    assert written == list(range(1, len(written) + 1))
    assert follower.seen == written
    assert follower.looks > 10
    await check(survivor)


class Follower:
    """Reads the journal as a mirror does: whatever is after the last serial it has seen."""

    def __init__(self, victim: Victim) -> None:
        self.seen: list[int] = []
        self.looks = 0
        self._enough = Event()
        self._connection = psycopg2.connect(victim.server_url)
        self._connection.autocommit = True
        self._thread = Thread(target=self._follow)
        self._thread.start()

    def finish(self) -> None:
        """Look one last time, and stop."""
        self._enough.set()
        self._thread.join()
        self._look()
        self._connection.close()

    def _follow(self) -> None:
        while not self._enough.is_set():
            self._look()

    def _look(self) -> None:
        last = self.seen[-1] if self.seen else 0
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT serial FROM journal WHERE serial > %s ORDER BY serial LIMIT 1000", (last,))
            self.seen += [serial for (serial,) in cursor.fetchall()]
        self.looks += 1
