"""The edge fails, or the service dies between two steps of a purge: none is lost, each is sent twice."""

from __future__ import annotations

import http.client
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from tests.support.fastly import SERVICE, TOKEN, FastlyServer
from tests.support.invariants import check
from tests.support.ports import free_port
from tests.support.rig import PATIENCE, Upload, Victim, answer, load, upload, wait_for
from tests.support.varnish import VarnishServer

POINTS = ["outbox.before-drain", "purge.after-first", "purge.between", "purge.after-second"]

BAD = ["refuses", "closes", "error", "garbage", "429", "500"]

EVERY_RUN = {"purge.after-first", "purge.between", "error"}
"""What is tried in every run; the rest is for long ones."""


def some(names: list[str]) -> list[object]:
    """Parameters, most of them for long runs only."""
    return [pytest.param(one, marks=() if one in EVERY_RUN else pytest.mark.long) for one in names]


DRAINED = 75.0
"""Seconds until everything is delivered once the edge is well: the longest pause, and the second purge."""

ROUNDS = 50


@pytest.fixture
def api() -> Iterator[FastlyServer]:
    """Fastly's API."""
    server = FastlyServer().start()
    yield server
    server.stop()
    assert server.wrong == []


@pytest.fixture
def behind(resting: Victim, api: FastlyServer) -> Victim:
    """A service behind Fastly, that was not started yet."""
    resting.settings = {
        "EDGE_PURGER": "fastly",
        "EDGE_SERVICE": SERVICE,
        "EDGE_TOKEN": TOKEN,
        "EDGE_API": api.url,
    }
    return resting


def errands(victim: Victim) -> int:
    """How many are left."""
    return int(victim.sql("SELECT count(*) FROM outbox")[0][0])


def delivered(api: FastlyServer, wanted: Upload) -> int:
    """How often the page of an upload was purged."""
    return api.keys().count(f"project/{wanted.project}")


def break_it(api: FastlyServer, how: str) -> None:
    """Have the API fail."""
    if how == "refuses":
        api.stop()
    else:
        api.mood = how


def heal(api: FastlyServer) -> None:
    """Have it be well again."""
    api.mood = "well"
    api.stop()
    api.start()


@pytest.mark.parametrize("point", some(POINTS))
async def test_killed_between_any_two_steps(behind: Victim, api: FastlyServer, point: str) -> None:
    """A purge that was under way when the service was killed is sent, twice at least, by the next one."""
    behind.restart(point)
    wanted = upload()
    behind.publish(wanted)
    assert behind.process is not None
    assert behind.process.wait(PATIENCE) == -SIGKILL
    assert errands(behind) == 1
    behind.restart()
    assert wait_for(lambda: errands(behind) == 0)
    assert delivered(api, wanted) >= 2
    await check(behind)


@pytest.mark.parametrize("how", some(BAD))
async def test_edge_away_for_a_while(behind: Victim, api: FastlyServer, how: str) -> None:
    """While the edge fails, uploads go on; afterwards every page is purged twice, over one connection."""
    behind.start()
    break_it(api, how)
    wanted = [upload() for _ in range(6)]
    for one in wanted:
        assert behind.publish(one).status == 200
    calls = api.calls
    assert wait_for(lambda: how == "refuses" or api.calls > calls)
    assert errands(behind) == len(wanted)
    heal(api)
    assert wait_for(lambda: errands(behind) == 0, DRAINED)
    assert {delivered(api, one) for one in wanted} == {2}
    assert api.most == 1
    await check(behind)


async def test_stopped_while_the_edge_hangs(behind: Victim, api: FastlyServer) -> None:
    """A service stops in its time whatever the edge does, and the next one sends what is left."""
    behind.start()
    api.mood = "hangs"
    wanted = upload()
    behind.publish(wanted)
    assert wait_for(lambda: api.open == 1)
    assert behind.get(f"/simple/{wanted.project}/")[0] == 200
    assert behind.sql("SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'") == []
    behind.stop()
    assert errands(behind) == 1
    heal(api)
    behind.restart()
    assert wait_for(lambda: errands(behind) == 0)
    assert delivered(api, wanted) == 2


@pytest.mark.long
@pytest.mark.parametrize("how", [*BAD, "hangs", "stalls", "503", "large"])
async def test_edge_away_for_long_under_load(behind: Victim, api: FastlyServer, how: str) -> None:
    """The operator is told after a minute; connections stay few, and everything is delivered soon after."""
    behind.start()
    break_it(api, how)
    begun = time.monotonic()
    with load(behind) as outcomes:
        wait_for(lambda: len(outcomes) > 100, 10)
    assert wait_for(lambda: "errands are in the outbox, the oldest for" in behind.log.read_text(), 90)
    assert time.monotonic() - begun >= 60
    assert api.most <= 1
    heal(api)
    assert wait_for(lambda: errands(behind) == 0, DRAINED)
    assert [one for one, outcome in outcomes if outcome.status == 200 and delivered(api, one) < 2] == []
    await check(behind)


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS)
async def test_killed_again_and_again_under_load(behind: Victim, api: FastlyServer, point: str) -> None:
    """However often the service is killed, every acknowledged upload is purged twice in the end."""
    random = Random(point)
    seen: list[Upload] = []
    for _ in range(ROUNDS):
        behind.restart(f"{point}:{random.randint(1, 4)}")
        with load(behind, clients=2) as outcomes:
            assert behind.process is not None
            assert behind.process.wait(60) == -SIGKILL
        seen += [one for one, outcome in outcomes if outcome.status == 200]
    behind.restart()
    assert wait_for(lambda: errands(behind) == 0, DRAINED)
    assert [one for one in seen if delivered(api, one) < 2] == []
    await check(behind)


# A real Varnish before the real service


@pytest.fixture
def varnish(resting: Victim, tmp_path: Path) -> Iterator[VarnishServer]:
    """An instance before a service that was not started yet."""
    resting.port = free_port()
    server = VarnishServer(tmp_path / "varnish", resting.port)
    try:
        server.start()
        resting.settings = {"EDGE_PURGER": "varnish", "EDGE_VARNISHES": server.url}
        yield server
    finally:
        server.end()


def page(varnish: VarnishServer, wanted: Upload) -> tuple[int, bytes, str]:
    """Status, body and Cache-Status of a project's page, as the edge shows it."""
    connection = http.client.HTTPConnection("127.0.0.1", varnish.port, timeout=60)
    with closing(connection):
        connection.request("GET", f"/simple/{wanted.project}/", headers={"Accept": "text/html"})
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Cache-Status", "")


async def test_service_away_behind_varnish(resting: Victim, varnish: VarnishServer) -> None:
    """The edge serves pages while the service stands still or is dead, and shows every later upload."""
    resting.start()
    first = upload()
    assert resting.publish(first).status == 200
    assert page(varnish, first)[0] == 200
    assert "cheeseshop-edge; hit" in page(varnish, first)[2]

    second = upload(first.project, "2.0")
    assert resting.publish(second).status == 200
    assert wait_for(lambda: second.filename.encode() in page(varnish, first)[1])
    assert wait_for(lambda: errands(resting) == 0)
    shown = page(varnish, first)[1]

    os.kill(resting.pid, SIGSTOP)
    try:
        assert [page(varnish, first)[:2] for _ in range(5)] == [(200, shown)] * 5
    finally:
        os.kill(resting.pid, SIGCONT)
    resting.kill()
    assert [page(varnish, first)[:2] for _ in range(5)] == [(200, shown)] * 5
    resting.restart()

    third = upload(first.project, "3.0")
    assert resting.publish(third).status == 200
    assert wait_for(lambda: third.filename.encode() in page(varnish, first)[1])
    assert wait_for(lambda: errands(resting) == 0)
    await check(resting)


async def test_upload_through_varnish(resting: Victim, varnish: VarnishServer) -> None:
    """Uploads and downloads go through the edge as they are."""
    resting.start()
    wanted = upload(size=3_000_000)
    with socket.create_connection(("127.0.0.1", varnish.port), timeout=60) as connection:
        connection.sendall(resting.request(wanted))
        assert answer(connection).status == 200
    resting.note(wanted)
    [(path,)] = resting.sql("SELECT blake2_256 FROM files")
    url = f"/packages/{path[:2]}/{path[2:4]}/{path[4:]}/{wanted.filename}"
    with closing(http.client.HTTPConnection("127.0.0.1", varnish.port, timeout=60)) as whole:
        whole.request("GET", url)
        assert whole.getresponse().read() == wanted.data
    with closing(http.client.HTTPConnection("127.0.0.1", varnish.port, timeout=60)) as part:
        part.request("GET", url, headers={"Range": "bytes=100-199"})
        response = part.getresponse()
        assert (response.status, response.read()) == (206, wanted.data[100:200])
    assert wait_for(lambda: errands(resting) == 0)
    await check(resting)
