"""Redis as something that may be away: no command waits for ever, none hurts another."""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from select import select
from typing import Any

import pytest
import pytest_twisted
from redis import Redis as PlainRedis
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.logger import LogLevel, capturedLogs, formatEvent

from caching.redis import Redis, RedisDown
from pypi.embedded import Servers


async def until(condition: Any, seconds: float = 60.0) -> None:
    """Wait for something to become true."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await deferLater(reactor, 0.02)
    raise AssertionError("it did not come true in time")


@pytest_twisted.async_yield_fixture
async def server(tmp_path: Path) -> AsyncIterator[tuple[Servers, str]]:
    servers = Servers(tmp_path, reactor, postgres=False)
    urls = await servers.start()
    yield servers, urls.redis
    await servers.stop()


@pytest_twisted.async_yield_fixture
async def redis(server: tuple[Servers, str]) -> AsyncIterator[Redis]:
    # A generous time-out: these machines are busy, and slowness is not what is tested.
    made = Redis(server[1], reactor, timeout=60.0)
    await made.start()
    await until(lambda: made._factory.size == made.connections)
    yield made
    await made.stop()


def process_of(url: str) -> int:
    """The server's process id, as the server says."""
    with closing(PlainRedis(unix_socket_path=url.removeprefix("unix://"))) as plain:
        return int(plain.info("server")["process_id"])


async def test_bytes_go_in_and_bytes_come_out(redis: Redis) -> None:
    """Nothing is decoded, and a text of digits stays a text of digits."""
    await redis.command("set", "key", b"\xff\x00007")
    await redis.command("set", "number", b"007")
    assert await redis.command("get", "key") == b"\xff\x00007"
    assert await redis.command("get", "number") == b"007"
    assert await redis.command("get", "nothing") is None


@pytest.mark.parametrize(
    "words", [("GET", b"\xff"), ("SET", "café", 7, 0.5, b"", bytearray(b"x")), ("PING",)]
)
def test_commands_are_put_together_alike(words: tuple[Any, ...]) -> None:
    """A command is the very bytes that txredisapi makes of it."""
    from txredisapi import RedisProtocol

    from caching.redis_pool import Protocol as Quick

    assert Quick()._build_command(*words) == RedisProtocol()._build_command(*words)


async def test_not_connected_is_a_failure_at_once() -> None:
    """A command is refused while there is no connection, rather than kept waiting for one."""
    nowhere = Redis("unix:///nonexistent/redis.sock", reactor)
    with pytest.raises(RedisDown):
        await nowhere.command("get", "key")
    await nowhere.start()
    await deferLater(reactor, 0.05)
    with pytest.raises(RedisDown):
        await nowhere.command("get", "key")
    await nowhere.stop()


async def test_a_busy_process_is_not_a_slow_server(redis: Redis) -> None:
    """A reply that this process only had no time to read is no failure."""
    await redis.command("set", "key", b"there")
    redis.timeout = 0.05
    asking = Deferred.fromCoroutine(redis.command("get", "key"))
    for one in redis._factory.pool:
        one.transport.doWrite()
    assert select([one.transport for one in redis._factory.pool], [], [], 60)[0]
    time.sleep(0.2)  # noqa: ASYNC251
    assert await asking == b"there"


async def test_a_slow_server_costs_no_more_than_the_time_out(redis: Redis, server: Any) -> None:
    """A command that gets no reply fails by its deadline; late replies reach nobody else's command."""
    await redis.command("set", "key", b"before")
    pid = process_of(server[1])
    redis.timeout = 0.1
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(RedisDown, match="no reply"):
            await redis.command("get", "key")
    finally:
        os.kill(pid, signal.SIGCONT)
    redis.timeout = 60.0
    await deferLater(reactor, 0.1)
    await redis.command("set", "key", b"after")
    assert await redis.command("get", "key") == b"after"


async def test_a_refused_command_is_no_failure_of_the_server(redis: Redis) -> None:
    """What Redis itself refuses is told to who asked, and does not count against the server."""
    await redis.command("set", "key", b"text")
    for _ in range(10):
        with pytest.raises(RedisDown, match="WRONGTYPE"):
            await redis.command("lpush", "key", b"x")
    assert await redis.command("get", "key") == b"text"
    assert "resting" not in repr(redis)


async def test_it_reconnects_by_itself(redis: Redis, server: Any) -> None:
    """After the server was killed and came back, commands work again without anybody's doing."""
    os.kill(process_of(server[1]), signal.SIGKILL)
    await until(lambda: redis._factory.size == 0)
    with pytest.raises(RedisDown):
        await redis.command("get", "key")

    async def answers() -> bool:
        try:
            await redis.ping()
        except RedisDown:
            return False
        return True

    for _ in range(300):
        if await answers():
            break
        await deferLater(reactor, 0.05)
    assert await redis.command("get", "key") is None


class Turnstile(Protocol):
    """Takes a connection, and drops it as soon as something is asked through it."""

    def dataReceived(self, data: bytes) -> None:
        self.factory.turned_away += 1
        self.transport.abortConnection()


@pytest_twisted.async_yield_fixture
async def turnstile(tmp_path: Path) -> AsyncIterator[Any]:
    """A server at a socket of its own that never lets anybody in."""
    factory: Any = Factory.forProtocol(Turnstile)
    factory.turned_away, factory.path = 0, tmp_path / "turnstile.sock"
    factory.port = reactor.listenUNIX(str(factory.path), factory)
    yield factory
    await factory.port.stopListening()


async def test_broken_before_it_was_of_use(turnstile: Any, server: Any) -> None:
    """A server that goes away between accepting and answering is tried again, and used once it answers."""
    made = Redis(f"unix://{turnstile.path}", reactor, timeout=1.0)
    with capturedLogs() as logs:
        await made.start()
        await until(lambda: turnstile.turned_away > 2 * made.connections)
        with pytest.raises(RedisDown):
            await made.ping()
        turnstile.path.unlink()
        turnstile.path.symlink_to(server[1].removeprefix("unix://"))
        await until(lambda: made._factory.size == made.connections)
        await made.ping()
        await made.stop()
    said = [formatEvent(event) for event in logs if event["log_namespace"] == "caching.redis_pool"]
    assert [line.partition(",")[0] for line in said] == ["Redis lets nobody in", "Redis lets us in again"]


async def test_stopping_before_it_was_of_use(server: Any) -> None:
    """Who stops in the middle of connecting leaves no error behind that nobody looks at."""
    gc.collect()  # what tests before this one may have left behind
    with capturedLogs() as logs:
        for moment in range(20):
            made = Redis(server[1], reactor)
            await made.start()
            await deferLater(reactor, moment / 10_000)
            await made.stop()
        gc.collect()
    assert [event for event in logs if event["log_level"] >= LogLevel.error] == []
