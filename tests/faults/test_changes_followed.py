"""Listeners of the stream of changes live through what happens behind it, and miss nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGTERM

import pytest
import pytest_twisted

from tests.faults.test_database_lost import acknowledged_more, kill_postgres
from tests.support.crew import Crew
from tests.support.databases import Databases
from tests.support.index import OWNER
from tests.support.listeners import have_heard, listeners
from tests.support.rig import Victim, load, upload, wait_for

COUNT = 12
ENDS_WITHIN = 30.0


def last_serial(victim: Victim) -> int:
    """The serial of the last change."""
    return int(victim.sql("SELECT coalesce(max(serial), 0) FROM journal")[0][0])


@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.long)])
async def test_postgres_is_killed_under_listeners(embedded: Victim, kills: int) -> None:
    """Their connections stay, and once PostgreSQL is back they get every change, once, in order."""
    with listeners(embedded, COUNT) as clients:
        with load(embedded, clients=2):
            for _ in range(kills):
                assert acknowledged_more(embedded, 5)
                kill_postgres(embedded)
                assert acknowledged_more(embedded, 5)
        have_heard(clients, last_serial(embedded))
        assert [client.connections for client in clients] == [1] * COUNT


@pytest.mark.parametrize("rounds", [1, pytest.param(12, marks=pytest.mark.long)])
async def test_the_service_is_killed_and_comes_back(victim: Victim, rounds: int) -> None:
    """Whoever comes again with the last event it has seen misses nothing, and gets nothing twice."""
    with listeners(victim, COUNT) as clients:
        for _ in range(rounds):
            with load(victim, clients=2):
                assert acknowledged_more(victim, 5)
                victim.kill()
            victim.start()
            with load(victim, clients=2):
                assert acknowledged_more(victim, 5)
        have_heard(clients, last_serial(victim))
        assert all(client.connections > 1 for client in clients)


async def test_a_stop_does_not_wait_for_listeners(victim: Victim) -> None:
    """A service that is told to stop ends its streams as they should end, and is gone in its time."""
    with listeners(victim, COUNT) as clients:
        assert victim.publish(upload()).status == 200
        have_heard(clients, last_serial(victim))
        assert victim.process is not None
        victim.process.send_signal(SIGTERM)
        assert victim.process.wait(ENDS_WITHIN) == 0
        wait_for(lambda: all(client.ends for client in clients))
        assert [client.ends for client in clients] == [1] * COUNT
        victim.restart()
        assert victim.publish(upload()).status == 200
        have_heard(clients, last_serial(victim))


@pytest_twisted.async_yield_fixture
async def crew(databases: Databases, tmp_path: Path) -> AsyncIterator[Crew]:
    """Two workers that would wait half a minute for what is under way."""
    url = databases.make()
    made = Crew(tmp_path, database_url=url, settings={"SERVICE_DRAIN": "30"})
    try:
        await made.welcome(OWNER)
        made.start()
        yield made
    finally:
        made.end()
        databases.drop(url)


@pytest.mark.long
async def test_a_reload_under_listeners(crew: Crew) -> None:
    """The old workers leave at once, and all who listened to them go on with the new ones, without a gap."""
    crew.await_crew()
    with listeners(crew, COUNT) as clients, load(crew, clients=2):
        assert acknowledged_more(crew, 5)
        crew.reload()
        began = time.monotonic()
        crew.await_crew(generation=2)
        assert time.monotonic() - began < 25, "they waited for the listeners"
        assert acknowledged_more(crew, 5)
    with listeners(crew, 1) as late:
        have_heard(late, last_serial(crew))
    for client in clients:
        assert client.connections > 1
        assert client.serials == list(range(1, len(client.serials) + 1))
