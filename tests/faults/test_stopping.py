"""SIGTERM in the middle of uploads: each is finished or refused, and the service ends in its time."""

from __future__ import annotations

from signal import SIGTERM

import psycopg2
import pytest

from tests.support.invariants import check
from tests.support.rig import Victim, answer, load, upload, wait_for

ENDS_WITHIN = 30.0
"""Seconds in which it has ended on a machine that is busy; on one that is not, it is a fraction of one."""

SIZE = 400_000


def stop(victim: Victim) -> None:
    """Ask the service to end; it does, in time and well."""
    victim.process.send_signal(SIGTERM)
    assert victim.process.wait(ENDS_WITHIN) == 0


async def test_stopped_while_bytes_arrive(victim: Victim) -> None:
    """The upload gets a 503 or the end of its connection, and nothing is left of it."""
    wanted = upload(size=SIZE)
    request = victim.request(wanted)
    with victim.connect() as connection:
        connection.sendall(request[: len(request) // 2])
        assert wait_for(lambda: victim.temporaries != [])
        stop(victim)
        assert answer(connection).is_honest_refusal
    assert victim.temporaries == []
    victim.restart()
    await check(victim)
    assert victim.publish(wanted).status == 200


@pytest.mark.parametrize("lock", ["SELECT pg_advisory_lock(7301)", "LOCK projects"], ids=["journal", "rows"])
async def test_stopped_while_a_transaction_waits(victim: Victim, lock: str) -> None:
    """A database that makes an upload wait does not make the end of the service wait."""
    wanted = upload()
    with psycopg2.connect(victim.server_url) as blocker:
        blocker.cursor().execute(lock)
        with victim.connect() as connection:
            connection.sendall(victim.request(wanted))
            assert wait_for(
                lambda: victim.sql("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted") == [(True,)]
            )
            stop(victim)
            assert answer(connection).is_honest_refusal
    blocker.close()
    victim.restart()
    await check(victim)
    assert victim.publish(wanted).status == 200


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.long)])
async def test_stopped_under_load(victim: Victim, rounds: int) -> None:
    """Of many uploads at any stage, each is a 200 that holds, a 503, or gets no answer."""
    for _ in range(rounds):
        with load(victim, size=SIZE) as outcomes:
            assert wait_for(lambda: len(victim.acks) > 5)
            stop(victim)
        assert all(outcome.status == 200 or outcome.is_honest_refusal for _, outcome in outcomes)
        assert victim.temporaries == []
        victim.restart()
        await check(victim)
