"""The embedded servers, started for real: found again, shared, restarted, stopped."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGKILL, SIGSTOP, SIGTERM

import psycopg2
import pytest
import pytest_twisted
import sqlalchemy
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.embedded import EmbeddedServerFailed, Postgres, Redis, Servers, Urls, processes
from pypi.embedded.locks import alone
from tests.embedded.conftest import Spawn, ask, end_servers, postmaster, redis_pids, server_pids


@pytest_twisted.async_yield_fixture(scope="module")
async def urls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Urls]:
    """Servers that several tests only look at."""
    data = tmp_path_factory.mktemp("looked_at") / "data"
    servers = Servers(data, reactor, redis_memory=3 << 20)
    yield await servers.start()
    await servers.stop()
    end_servers(data)


def say(url: str, command: str) -> bytes:
    """What Redis answers to one inline command."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(url.removeprefix("unix://"))
        client.sendall(command.encode() + b"\r\n")
        return client.recv(4096)


def is_answering(data: Path) -> bool:
    try:
        return say(f"unix://{data}/redis/run/redis.sock", "PING") == b"+PONG\r\n"
    except OSError:
        return False


def is_unlocked(path: Path) -> bool:
    try:
        with alone(path, wait=0):
            return True
    except EmbeddedServerFailed:
        return False


def is_there(path: Path) -> bool:
    return path.exists()


def another_process() -> subprocess.Popen[bytes]:
    """A process that is nobody's server."""
    return subprocess.Popen(["sleep", "60"])


async def until(condition: object) -> None:
    """Wait for what happens in its own time, at most 60 s."""
    assert callable(condition)
    for _ in range(600):
        if condition():
            return
        await deferLater(reactor, 0.1)
    raise AssertionError("It did not happen within 60 s.")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", ""),
        ("max_connections", "100"),
        ("shared_buffers", "64MB"),
    ],
)
async def test_postgres_keeps_what_it_confirms_and_listens_to_nobody_outside(
    urls: Urls, setting: str, value: str
) -> None:
    """PostgreSQL runs with the settings that clients rely on."""
    assert ask(urls.database, f"SHOW {setting}") == value


async def test_postgres_sorts_by_code_point_and_knows_letters_beyond_ascii(urls: Urls) -> None:
    """The order of texts is the same on every machine, and ``lower`` works on all of Unicode."""
    letters = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'ä', 'a', 'B']) x"
    assert ask(urls.database, letters) == "Babä"
    assert ask(urls.database, "SELECT lower('ÄÖ')") == "äö"


async def test_sqlalchemy_understands_the_url(urls: Urls) -> None:
    """The URL that migrations are given reaches the same database."""
    url = sqlalchemy.make_url(urls.database).set(drivername="postgresql+psycopg2")
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(sqlalchemy.text("SELECT current_database()")).scalar()
    engine.dispose()
    assert found == "cheeseshop"


async def test_redis_is_a_bounded_cache_without_files(urls: Urls) -> None:
    """Redis answers, forgets the oldest at its limit, and never writes to disk."""
    assert say(urls.redis, "PING") == b"+PONG\r\n"
    assert b"\r\n3145728\r\n" in say(urls.redis, "CONFIG GET maxmemory")
    assert b"allkeys-lru" in say(urls.redis, "CONFIG GET maxmemory-policy")
    assert say(urls.redis, "CONFIG GET save").endswith(b"$0\r\n\r\n")
    assert say(urls.redis, "CONFIG GET port").endswith(b"\r\n0\r\n")


async def test_sockets_lie_in_folders_nobody_else_may_enter(urls: Urls) -> None:
    """Only the owner reaches the sockets, which is all the authentication there is."""
    for path in (
        Path(urls.redis.removeprefix("unix://")),
        Path(urls.database.split("host=")[1].split("&")[0]) / ".s.PGSQL.5432",
    ):
        assert path.is_socket()
        assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_environment_of_the_operator_changes_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables meant for other PostgreSQL servers lead neither server nor clients astray."""
    for name, value in {
        "PGPORT": "1",
        "PGDATA": "/nowhere",
        "PGHOST": "nowhere.example",
        "LC_ALL": "xx",
    }.items():
        monkeypatch.setenv(name, value)
    async with Postgres(data / "postgres", reactor) as url:
        assert ask(url, "SELECT current_user") == "cheeseshop"


async def test_second_start_finds_the_same_data(new_data: Path) -> None:
    """What was committed before a stop is there after the next start, and no server ran in between."""
    async with Servers(new_data, reactor) as urls:
        ask(urls.database, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert server_pids(new_data) == []
    async with Servers(new_data, reactor) as urls:
        assert ask(urls.database, "SELECT answer FROM kept") == 42
    assert server_pids(new_data) == []


async def test_servers_have_nothing_of_ours_but_their_log(data: Path) -> None:
    """They live in sessions of their own and inherit no pipe or lock: no Ctrl-C or end of ours is theirs."""
    ours = os.pipe()
    for end in ours:
        os.set_inheritable(end, True)
    async with Servers(data, reactor):
        for pid in server_pids(data):
            assert os.getsid(pid) != os.getsid(0)
            held = {os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
            assert os.readlink(f"/proc/self/fd/{ours[0]}") not in held
            assert not [name for name in held if name.endswith(("users.lock", "start.lock"))]
    for end in ours:
        os.close(end)


async def test_killed_process_leaves_servers_that_the_next_start_uses(data: Path, spawn: Spawn) -> None:
    """After ``kill -9`` of the only user, the same PostgreSQL and Redis are found, used, and then stopped."""
    killed = spawn(data)
    before = killed.said()
    pids = server_pids(data)
    say(before["redis"], "SET here still")
    killed.kill()
    assert not is_unlocked(data / "postgres" / "server.lock")
    assert not is_unlocked(data / "redis" / "server.lock")
    async with Servers(data, reactor) as urls:
        assert (urls.database, urls.redis) == (before["database"], before["redis"])
        assert postmaster(data) == before["postmaster"]
        assert redis_pids(data)[0] in pids
        assert say(urls.redis, "GET here") == b"$5\r\nstill\r\n"
    assert server_pids(data) == []


async def test_processes_that_start_at_once_share_one_cluster(new_data: Path, spawn: Spawn) -> None:
    """Three first starts at the same moment make one cluster and one pair of servers."""
    users = [spawn(new_data) for _ in range(3)]
    said = [user.said() for user in users]
    assert said[0] == said[1] == said[2]
    assert len(redis_pids(new_data)) == 1
    assert not list((new_data / "postgres").glob("initdb-*"))


async def test_command_never_stops_the_servers_of_a_service(data: Path, spawn: Spawn) -> None:
    """A second user comes and goes, and only the last one stops the servers."""
    service = Servers(data, reactor)
    await service.start()
    pids = {postmaster(data), *redis_pids(data)}
    command = spawn(data)
    command.said()
    command.leave()
    assert pids <= set(server_pids(data))
    await service.stop()
    assert server_pids(data) == []


async def test_one_server_alone_can_be_had(new_data: Path) -> None:
    """With a URL of one's own for the other, only one is started."""
    async with Servers(new_data, reactor, postgres=False) as urls:
        assert urls.database == ""
        assert say(urls.redis, "PING") == b"+PONG\r\n"
    assert not (new_data / "postgres").exists()


async def test_killed_postmaster_is_replaced_and_nothing_is_lost(data: Path) -> None:
    """PostgreSQL is started again by itself, though clients' connections and backends remained."""
    lost: list[bool] = []
    postgres = Postgres(data / "postgres", reactor, on_loss=lambda: lost.append(postgres.is_up))
    url = await postgres.start()
    ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    busy = psycopg2.connect(url)
    busy.cursor().execute("SELECT pg_backend_pid()")
    before = postmaster(data)
    os.kill(before, SIGKILL)
    await until(lambda: lost and postgres.is_up)
    assert lost == [False]
    assert postmaster(data) != before
    assert postgres.url == url
    assert ask(url, "SELECT answer FROM kept") == 42
    busy.close()
    await postgres.stop()
    assert server_pids(data) == []


async def test_killed_redis_is_replaced(new_data: Path) -> None:
    """Redis is started again under the same URL."""
    redis = Redis(new_data / "redis", reactor)
    url = await redis.start()
    os.kill(server_pids(new_data)[0], SIGKILL)
    await until(lambda: not redis.is_up)
    await until(lambda: redis.is_up)
    assert say(url, "PING") == b"+PONG\r\n"
    await redis.stop()


async def test_hung_redis_is_replaced_at_start(data: Path, spawn: Spawn) -> None:
    """A Redis that was left running and answers nobody makes room for a new one."""
    killed = spawn(data)
    killed.said()
    killed.kill()
    (hung,) = redis_pids(data)
    os.kill(hung, SIGSTOP)
    async with Redis(data / "redis", reactor) as url:
        assert say(url, "PING") == b"+PONG\r\n"
        assert hung not in server_pids(data)


async def test_recycled_process_number_does_not_keep_postgres_from_starting(data: Path) -> None:
    """Files left by a crash that name a process which is another's by now are no obstacle."""
    async with Postgres(data / "postgres", reactor) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        left = (data / "postgres" / "cluster" / "postmaster.pid").read_text()
        processes.end(lambda: server_pids(data), [(SIGKILL, 5)])
        other = another_process()
        try:
            stale = left.replace(left.split("\n")[0], str(other.pid), 1)
            (data / "postgres" / "cluster" / "postmaster.pid").write_text(stale)
            (data / "postgres" / "run" / ".s.PGSQL.5432.lock").write_text(stale)
            second = Postgres(data / "postgres", reactor)
            assert ask(await second.start(), "SELECT answer FROM kept") == 42
            assert other.poll() is None
            await second.stop()
        finally:
            other.kill()
            other.wait()


async def test_start_while_the_server_is_shutting_down(data: Path, spawn: Spawn) -> None:
    """A server that was told to stop, and still waits for a client, makes room for a new one."""
    killed = spawn(data)
    said = killed.said()
    waited_for = psycopg2.connect(said["database"])
    killed.kill()
    os.kill(said["postmaster"], SIGTERM)
    status = data / "postgres" / "cluster" / "postmaster.pid"
    await until(lambda: "stopping" in status.read_text())
    async with Postgres(data / "postgres", reactor) as url:
        assert ask(url, "SELECT 1") == 1
        assert postmaster(data) != said["postmaster"]
    waited_for.close()


async def test_start_after_a_kill_in_the_middle_of_initdb(new_data: Path, spawn: Spawn) -> None:
    """A cluster that was never finished is not mistaken for one, and its remains are removed."""
    killed = spawn(new_data)
    await until(lambda: list(new_data.glob("postgres/initdb-*/global")))
    killed.kill()
    assert not (new_data / "postgres" / "cluster").exists()
    async with Postgres(new_data / "postgres", reactor) as url:
        assert ask(url, "SELECT 1") == 1
    assert not list((new_data / "postgres").glob("initdb-*/PG_VERSION")) or server_pids(new_data) == []


async def test_stop_in_the_middle_of_the_first_start(new_data: Path) -> None:
    """Who is told to stop while starting leaves nothing running, and says why it did not start."""
    servers = Servers(new_data, reactor)
    starting = Deferred.fromCoroutine(servers.start())
    await until(lambda: list(new_data.glob("postgres/initdb-*")))
    await servers.stop()
    with pytest.raises(EmbeddedServerFailed):
        await starting
    assert server_pids(new_data) == []
    async with servers as urls:
        assert ask(urls.database, "SELECT 1") == 1


async def test_stop_at_the_very_end_of_a_start(new_data: Path) -> None:
    """A stop that comes when the server runs, but before anybody was told, stops it for good."""
    redis = Redis(new_data / "redis", reactor)
    starting = Deferred.fromCoroutine(redis.start())
    # The reactor stands still here, so the thread's success cannot be reported before the stop.
    assert processes.wait_until(lambda: bool(redis_pids(new_data)) and is_answering(new_data), 60)
    assert processes.wait_until(lambda: is_unlocked(new_data / "redis" / "start.lock"), 60)
    stopping = Deferred.fromCoroutine(redis.stop())
    with pytest.raises(EmbeddedServerFailed, match="was asked to stop while it started"):
        await starting
    await stopping
    assert server_pids(new_data) == []


async def test_cancelled_start_leaves_nothing_running(new_data: Path) -> None:
    """A start that nobody waits for any more is undone."""
    servers = Servers(new_data, reactor)
    starting = Deferred.fromCoroutine(servers.start())
    starting.addErrback(lambda _: None)
    await until(lambda: list(new_data.glob("postgres/initdb-*")))
    starting.cancel()
    await starting
    await servers.stop()
    assert server_pids(new_data) == []


async def test_servers_of_one_process_may_be_stopped_twice(new_data: Path) -> None:
    """Stopping twice, also at once, is stopping."""
    servers = Servers(new_data, reactor, postgres=False)
    await servers.start()
    await gatherResults([Deferred.fromCoroutine(servers.stop()) for _ in range(2)])
    await servers.stop()
    assert server_pids(new_data) == []


async def test_deep_data_folder_gets_its_sockets_elsewhere(new_data: Path) -> None:
    """A path too long for a socket, or with letters to quote, is made up for by a short one."""
    deep = new_data / "d" / ("deep" * 30) / "with, 'quotes' and spaces"
    servers = Servers(deep, reactor)
    urls = await servers.start()
    place = Path(urls.redis.removeprefix("unix://")).parent
    assert ask(urls.database, "SELECT 1") == 1
    assert say(urls.redis, "PING") == b"+PONG\r\n"
    assert place.stat().st_mode & 0o777 == 0o700
    async with Servers(deep, reactor) as found:
        assert found == urls
    assert is_there(place)
    await servers.stop()
    assert not is_there(place)


async def test_data_folder_under_folders_only_we_may_enter(new_data: Path) -> None:
    """Root's PostgreSQL needs no folder that another account could reach."""
    os.mkdir(new_data, mode=0o700)
    async with Postgres(new_data / "postgres", reactor) as url:
        assert ask(url, "SELECT 1") == 1
        assert (new_data / "postgres" / "cluster").stat().st_uid == os.geteuid()
