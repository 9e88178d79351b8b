"""PostgreSQL is killed, or its connections cut, under uploads: no false ack, no lost one, no restart."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from signal import SIGKILL
from threading import Event, Thread

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from pypi.embedded import processes
from tests.support.invariants import check
from tests.support.rig import Victim, load, upload, wait_for

AFTER_RECOVERY = 60.0
"""Seconds within which uploads go on after PostgreSQL was killed; it takes about 2 on an idle machine."""


CUT_ONE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"""


@pytest.mark.parametrize(("restarts", "kills"), [(1, 2), pytest.param(15, 4, marks=pytest.mark.long)])
async def test_postgres_is_killed_under_uploads(embedded: Victim, restarts: int, kills: int) -> None:
    """Every upload gets a 200 that holds, or a 503 that says when to come back; then they succeed again."""
    for restart in range(restarts):
        if restart:
            embedded.restart()
        with load(embedded) as outcomes:
            for _ in range(kills):
                assert acknowledged_more(embedded, 10)
                kill_postgres(embedded)
                assert acknowledged_more(embedded, 10)
        answers = {outcome.status for _, outcome in outcomes}
        assert answers <= {200, 503}
        assert all(outcome.status == 200 or outcome.is_honest_refusal for _, outcome in outcomes)
        await check(embedded)
        for wanted, outcome in outcomes:
            if outcome.status != 200:
                assert embedded.publish(wanted).status == 200
        await check(embedded)


async def test_uploads_are_refused_while_postgres_is_away(embedded: Victim) -> None:
    """An upload that comes in the outage is a 503 with Retry-After, and leaves nothing behind."""
    wanted = upload()
    with kept_away(embedded):
        outcome = embedded.publish(wanted)
    assert outcome.status == 503
    assert int(outcome.headers["retry-after"]) > 0
    assert wait_for(lambda: embedded.publish(wanted).status == 200, AFTER_RECOVERY)
    await check(embedded)


@pytest.mark.parametrize("seconds", [2.0, pytest.param(60.0, marks=pytest.mark.long)])
async def test_connections_are_cut_under_uploads(victim: Victim, seconds: float) -> None:
    """Whatever backend is ended in the middle of whatever: uploads are 200 or 503, and go on afterwards."""
    random = Random(5)
    ends = time.monotonic() + seconds
    with load(victim) as outcomes:
        while time.monotonic() < ends:
            victim.sql(CUT_ONE)
            await deferLater(reactor, random.uniform(0, 0.05))
    assert {outcome.status for _, outcome in outcomes} <= {200, 503}
    assert all(outcome.status == 200 or outcome.is_honest_refusal for _, outcome in outcomes)
    await check(victim)
    for wanted, _ in outcomes[-20:]:
        assert victim.publish(wanted).status == 200
    await check(victim)


def acknowledged_more(victim: Victim, uploads: int) -> bool:
    """Wait until that many more uploads were acknowledged."""
    enough = len(victim.acks) + uploads
    return wait_for(lambda: len(victim.acks) >= enough, AFTER_RECOVERY)


@contextmanager
def kept_away(victim: Victim) -> Iterator[None]:
    """Kill PostgreSQL as often as it is started again."""
    over = Event()

    def kill() -> None:
        while not over.wait(0.05):
            kill_postgres(victim)

    kill_postgres(victim)
    killer = Thread(target=kill)
    killer.start()
    try:
        yield
    finally:
        over.set()
        killer.join()


def kill_postgres(victim: Victim) -> None:
    """Kill every process of the service's own PostgreSQL."""
    for pid in processes.working_in(victim.data.resolve() / "postgres" / "cluster", "postgres"):
        with suppress(ProcessLookupError):  # ended by itself, as its parent was gone
            os.kill(pid, SIGKILL)
