"""Several workers: one is killed, all are replaced, the supervisor dies; clients notice little or nothing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGKILL, SIGSTOP, SIGTERM
from urllib.parse import urlsplit

import pytest
import pytest_twisted
from attrs import define, field

from tests.support.crew import Crew, answered, children, failures, is_alive, readers
from tests.support.databases import Databases
from tests.support.index import OWNER
from tests.support.invariants import check
from tests.support.rig import Victim, answer, load, upload, wait_for
from tests.support.service import postmaster, run, servers_of

REQUESTS = 200
"""How many are answered before, and after, something happens."""


@pytest_twisted.async_yield_fixture(scope="module")
async def crew(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crew]:
    """Two workers for all tests of a module: after each of them they have to be as good as new."""
    url = databases.make()
    made = Crew(tmp_path_factory.mktemp("crew"), database_url=url)
    made.config.write_text("")
    try:
        await made.welcome(OWNER)
        made.start()
        yield made
    finally:
        made.end()
        databases.drop(url)


@pytest_twisted.async_yield_fixture
async def resting_crew(database_url: str, tmp_path: Path) -> AsyncIterator[Crew]:
    """Two workers that were not started yet."""
    made = Crew(tmp_path, database_url=database_url)
    await made.welcome(OWNER)
    try:
        yield made
    finally:
        made.end()


def generation(crew: Crew) -> int:
    """The one that serves."""
    return crew.picture.generation


def test_it_says_once_that_it_is_ready(crew: Crew) -> None:
    """Whoever waits for the ready line reads it once, when all workers serve."""
    crew.await_crew(generation(crew))
    assert crew.said.read_text().count("Cheeseshop ready: ") == 1


def test_each_worker_answers_its_siblings(crew: Crew) -> None:
    """Each has a socket of its own, which nobody else on the machine may open."""
    for worker in crew.await_crew(generation(crew)):
        path = crew.data / "run" / f"worker-{worker.slot}.sock"
        assert path.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert answer(connection).said == "alive\n"
    assert (crew.data / "run").stat().st_mode & 0o777 == 0o700


def test_the_command_shows_them(crew: Crew) -> None:
    """``cheeseshop workers`` prints what the supervisor knows."""
    crew.await_crew(generation(crew))
    shown = json.loads(crew.cheeseshop("workers", "--json").stdout)
    assert [one["state"] for one in shown["workers"]] == ["ready", "ready"]
    assert all(one["memory"] > 10 << 20 for one in shown["workers"])
    assert "ready" in crew.cheeseshop("workers").stdout


def test_a_worker_is_killed(crew: Crew) -> None:
    """Only its own connections break; its sibling goes on, and another takes its place."""
    victim, sibling = crew.await_crew(generation(crew))
    with readers(crew) as clients:
        assert wait_for(lambda: answered(clients) > REQUESTS)
        os.kill(victim.pid, SIGKILL)
        assert wait_for(lambda: crew.picture.workers[0].restarts > victim.restarts)
        before = answered(clients)
        assert wait_for(lambda: answered(clients) > before + REQUESTS)
        now = crew.await_crew(generation(crew))
    # Each client has at most one request there, and one that waits to be accepted is not there.
    assert len(failures(clients)) <= len(clients)
    assert now[0].pid != victim.pid
    assert now[1].pid == sibling.pid
    assert now[1].restarts == sibling.restarts


@pytest.mark.long
async def test_workers_are_killed_under_uploads(crew: Crew) -> None:
    """However often workers die, what was acknowledged stays, and nothing is half there."""
    random = Random(7)
    with load(crew, clients=8, size=20_000) as outcomes:
        for _ in range(60):
            done = len(crew.acks)
            assert wait_for(lambda done=done: len(crew.acks) > done + 3)
            serving = [one for one in crew.picture.workers if one.state == "ready"]
            wait_for(lambda: False, random.uniform(0, 0.1))
            with suppress(ProcessLookupError):  # the picture is a moment old
                os.kill(random.choice(serving).pid, SIGKILL)
            assert wait_for(lambda: any(one.state == "ready" for one in crew.picture.workers))
    assert all(outcome.status == 200 or outcome.is_honest_refusal for _, outcome in outcomes)
    crew.await_crew(generation(crew))
    await check(crew)


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.long)])
def test_reloaded_under_load(crew: Crew, times: int) -> None:
    """Not one request fails while new workers take over, on kept connections and on new ones."""
    with readers(crew) as clients:
        assert wait_for(lambda: answered(clients) > REQUESTS)
        for _ in range(times):
            old = crew.await_crew(generation(crew))
            following = generation(crew) + 1
            crew.reload()
            new = crew.await_crew(following)
            assert {one.pid for one in new}.isdisjoint(one.pid for one in old)
            before = answered(clients)
            assert wait_for(lambda before=before: answered(clients) > before + REQUESTS)
    assert failures(clients) == []


def status_for(crew: Crew, host: str) -> int | None:
    """What the index answers when it is called by a name."""
    with crew.connect() as connection:
        connection.sendall(f"GET /simple/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return answer(connection).status


def test_reloaded_with_another_configuration(crew: Crew) -> None:
    """New workers read the file again; what only a start can change is named in the log."""
    assert status_for(crew, "old.example") == 421
    following = generation(crew) + 1
    crew.config.write_text('[service]\nhosts = ["old.example"]\n[operator]\nport = 1\n')
    crew.reload()
    crew.await_crew(following)
    assert status_for(crew, "old.example") == 200
    crew.config.write_text("")


def test_not_reloaded_with_a_wrong_configuration(crew: Crew) -> None:
    """The old workers go on, and the log says why."""
    old = crew.await_crew(generation(crew))
    crew.config.write_text("[service]\nhost = 1\n")
    crew.reload()
    assert wait_for(lambda: "service.host" in crew.everything_said)
    assert [one.pid for one in crew.await_crew(old[0].generation)] == [one.pid for one in old]
    crew.config.write_text("")


def test_not_reloaded_with_workers_that_cannot_start(crew: Crew) -> None:
    """New workers that end before they serve change nothing."""
    old = crew.await_crew(generation(crew))
    crew.config.write_text('[files]\nurl = "file:///dev/null/files"\n')
    crew.reload()
    assert wait_for(lambda: "Not reloaded, all goes on as before" in crew.everything_said)
    assert [one.pid for one in crew.await_crew(old[0].generation)] == [one.pid for one in old]
    assert status_for(crew, urlsplit(crew.url).netloc) == 200
    crew.config.write_text("")


@pytest.mark.parametrize("made", [Victim, Crew])
async def test_stopped_with_uploads_under_way(made: type[Victim], database_url: str, tmp_path: Path) -> None:
    """What still arrives is finished and answered; who asks a second time does not wait for the rest."""
    service = made(tmp_path, {"SERVICE_DRAIN": "3000"}, database_url=database_url)
    await service.welcome(OWNER)
    try:
        service.start()
        wanted, stalled = upload(size=300_000), upload(size=300_000)
        with service.connect() as slow, service.connect() as never, service.connect() as idle:
            idle.sendall(b"GET /simple/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            whole, half = service.request(wanted), service.request(stalled)
            slow.sendall(whole[:150_000])
            never.sendall(half[:150_000])
            assert wait_for(lambda: len(service.temporaries) == 2)
            service.process.send_signal(SIGTERM)
            assert idle.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
            while idle.recv(1 << 16):
                pass  # the rest, then the end: it is not kept waiting
            slow.sendall(whole[150_000:])
            assert answer(slow).status == 200
            service.process.send_signal(SIGTERM)
            refused = answer(never)
            assert refused.status == 503
            assert refused.headers["retry-after"] == "5"
        assert service.process.wait(30) in (0, -SIGTERM)
        assert service.temporaries == []
    finally:
        service.end()


def test_workers_that_cannot_start(resting_crew: Crew) -> None:
    """What keeps every worker from starting ends the service with its sentence, and status 1."""
    resting_crew.failpoints = "no.such-point"
    done = run(
        resting_crew.command(), cwd=resting_crew.folder, environment=resting_crew.environment(), status=1
    )
    assert done.stderr.splitlines()[-1].startswith("FAILPOINTS: 'no.such-point' is no failpoint")
    assert "Cheeseshop ready" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.long)])
def test_the_supervisor_is_killed(tmp_path: Path, times: int) -> None:
    """Workers and servers end by themselves, and the next supervisor starts at once, on the same port."""
    crew = Crew(tmp_path)
    try:
        crew.start()
        crew.port = urlsplit(crew.url).port
        for _ in range(times):
            workers = [one.pid for one in crew.await_crew()]
            crew.kill()
            crew.start()
            assert wait_for(lambda workers=workers: not any(map(is_alive, workers)))
            assert crew.get("/simple/")[0] == 200
        workers = [one.pid for one in crew.await_crew()]
        crew.kill()
        assert wait_for(lambda: not any(map(is_alive, workers)) and servers_of(crew.data) == [])
    finally:
        crew.end()


LAUNCHER = """
import os, socket, sys
listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
for number, one in enumerate(listening, 3):
    os.dup2(os.dup(one.fileno()), number + 20)
for number in (3, 4):
    os.dup2(number + 20, number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="operator:index")
os.execv(sys.argv[1], sys.argv[1:])
"""


@define(eq=False)
class Activated(Crew):
    """The same, started as systemd does it: with its sockets open, and somebody who listens to it."""

    manager: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(self.folder / "notify"))
        self.manager.settimeout(60)

    def environment(self, **more: str) -> dict[str, str]:
        return super().environment(NOTIFY_SOCKET=str(self.folder / "notify"), WATCHDOG_USEC="1000000", **more)

    def command(self) -> list[str | Path]:
        return [sys.executable, "-c", LAUNCHER, *super().command()]

    def await_notice(self, wanted: str) -> None:
        """Wait until it has told its manager so."""
        while wanted not in self.manager.recv(4096).decode().splitlines():
            pass


@pytest.fixture
def activated(database_url: str, tmp_path: Path) -> Iterator[Activated]:
    """A service whose sockets were open before it was."""
    made = Activated(tmp_path, database_url=database_url)
    try:
        yield made
    finally:
        made.end()
        made.manager.close()


def test_started_by_systemd(activated: Activated) -> None:
    """It serves on the sockets it was given, by their names, and tells its manager how it is."""
    activated.start()
    assert activated.get("/simple/")[0] == 200
    assert activated.operator_url != activated.url
    activated.await_notice("READY=1")
    activated.await_notice("WATCHDOG=1")
    activated.reload()
    activated.await_notice("RELOADING=1")
    activated.await_notice(f"MAINPID={activated.pid}")
    activated.process.send_signal(SIGTERM)
    activated.await_notice("STOPPING=1")
    assert activated.process.wait(30) == -SIGTERM


NOTHING_OF_THE_APPLICATION = """
import sys
sys.argv = ["twistd"]
from pypi.service import Options, makeService
options = Options()
options.parseOptions(["--workers", "2"])
service = makeService(options)
heavy = "pypi.app pypi.http pypi.web pypi.db pypi.embedded pypi.foundations pypi.files pypi.index klein " \\
    "psycopg2 txpostgres jinja2 boto3 botocore alembic sqlalchemy txredisapi argon2 click templates " \\
    "twisted.web caching pypi.publishing pypi.accounts pypi.jobs pypi.process.worker pypi.process.serving"
print(type(service).__name__, *(name for name in heavy.split() if name in sys.modules))
"""


def test_the_supervisor_carries_nothing_of_the_application(tmp_path: Path) -> None:
    """The process that must never die has no code of the application in it."""
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_OF_THE_APPLICATION], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.split() == ["Supervisor"], done.stderr


@pytest.mark.long
def test_a_worker_that_hangs_is_replaced(crew: Crew) -> None:
    """A worker that does not report for a minute is ended, and another takes its place."""
    hung, sibling = crew.await_crew(generation(crew))
    os.kill(hung.pid, SIGSTOP)
    assert wait_for(lambda: crew.picture.workers[0].restarts > hung.restarts, 120)
    now = crew.await_crew(generation(crew))
    assert now[0].pid != hung.pid
    assert now[1].pid == sibling.pid


def test_the_keeper_of_the_servers_is_killed(tmp_path: Path) -> None:
    """The servers go on, another keeper finds them, and a stop ends them as ever."""
    crew = Crew(tmp_path)
    try:
        crew.start()
        workers = crew.await_crew()
        server = postmaster(crew.data)
        keeper = next(pid for pid in children(crew.pid) if pid not in {one.pid for one in workers})
        os.kill(keeper, SIGKILL)
        assert wait_for(lambda: "The keeper of the servers is gone" in crew.everything_said)
        assert wait_for(lambda: len(children(crew.pid)) == 3)
        assert crew.get("/simple/")[0] == 200
        assert postmaster(crew.data) == server
        crew.process.send_signal(SIGTERM)
        assert crew.process.wait(60) == -SIGTERM
        assert servers_of(crew.data) == []
        assert not (crew.data / "run" / "workers.json").exists()
    finally:
        crew.end()
