"""The access log: whole lines that nobody can forge, in batches, whatever the disk does."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor as _reactor
from twisted.internet.task import Clock, deferLater

from caching.stats import RouteStats
from pypi.http.access_log import MANY, AccessLog
from pypi.http.log_file import PIPE, LogFile, LogStream
from pypi.http.log_lines import Combined, Json, Lines
from pypi.http.log_writer import LogUnusable, LogWriter
from pypi.http.observed import Observer
from pypi.http.request import Request
from tests.http.memory import HOST, Service, reply, serve

reactor: Any = _reactor

NOON = 1_795_262_400.0
"""21 November 2026, 12:00 UTC."""

STAMPS = {"combined": "[21/Nov/2026:12:00:00 +0000]", "json": '"time":"2026-11-21T12:00:00Z"'}
FORMATS: list[Lines] = [Combined(), Json("3")]

COMBINED = re.compile(
    rb'(\S+) - (\S+) \[[^\]\n]+\] "([^"\n]*)" ([0-9]{3}) ([0-9]+) "([^"\n]*)" "([^"\n]*)"\n'
)


@define(eq=False)
class Kept:
    """A sink in memory."""

    data: bytes = b""
    fails: bool = False
    hangs: Event | None = None
    opened: int = 0

    def open(self) -> None:
        self.opened += 1

    def write(self, data: bytes) -> None:
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.fails:
            raise OSError("No space left on device")
        self.data += data

    def reopen(self) -> None:
        self.opened += 1

    def close(self) -> None:
        self.opened = 0


@define(eq=False)
class Direct:
    """A writer without a thread."""

    batches: list[bytes] = field(factory=list)
    lines: int = 0
    dropped: int = 0

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    def put(self, data: bytes, lines: int) -> None:
        self.batches.append(data)
        self.lines += lines

    @property
    def written(self) -> bytes:
        return b"".join(self.batches)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what a thread does."""
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        await deferLater(reactor, 0.01)


def log_in(lines: Lines, clock: Clock | None = None) -> tuple[AccessLog, Direct]:
    """A log that writes into memory, at noon."""
    clock, writer = clock or Clock(), Direct()
    return AccessLog(lines, writer, clock, lambda: NOON + clock.seconds()), writer  # type: ignore[arg-type]


def watched(lines: Lines) -> tuple[Service, Observer, Direct]:
    """A site whose requests are logged."""
    log, writer = log_in(lines)
    route = RouteStats("/simple/<name>/")

    async def handler(request: Request) -> None:
        request.setHeader(b"Cache-Status", b"cheeseshop-l1; hit")
        request.route = route  # type: ignore[attr-defined]
        reply(request, b"0123456789")

    service = serve(handler)
    observer = Observer(service.clock, log)
    service.site._access_log = observer
    return service, observer, writer


def get(target: str, *fields: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {HOST}", *fields, "", ""]).encode("latin-1")


# Lines


def test_combined() -> None:
    """The combined format, as analysers of logs know it."""
    service, observer, writer = watched(Combined())
    service.connect().send(get("/simple/x/", "User-Agent: pip/26.0", "Referer: https://a.example/"))
    assert observer.log is not None
    observer.log.flush()
    assert writer.written == (
        b'203.0.113.7 - - [21/Nov/2026:12:00:00 +0000] "GET /simple/x/ HTTP/1.1" 200 10'
        b' "https://a.example/" "pip/26.0"\n'
    )


def test_json() -> None:
    """One JSON object a line, with what the combined format has no place for."""
    service, observer, writer = watched(Json("3"))
    service.connect().send(get('/simple/x/?q="', "User-Agent: pip/26.0 \\ \xe4"))
    assert observer.log is not None
    observer.log.flush()
    assert json.loads(writer.written) == {
        "address": "203.0.113.7",
        "user": None,
        "time": "2026-11-21T12:00:00Z",
        "request": 'GET /simple/x/?q=" HTTP/1.1',
        "status": 200,
        "bytes": 10,
        "seconds": 0.0,
        "cache": "cheeseshop-l1; hit",
        "route": "/simple/<name>/",
        "referer": None,
        "agent": "pip/26.0 \\ ä",
        "worker": "3",
    }


@pytest.mark.parametrize("lines", FORMATS, ids=repr)
def test_lines_in_pieces(lines: Lines) -> None:
    """A line put together from kept pieces is the very line of the long way."""
    service, observer, writer = watched(lines)
    service.connect().send(get("/simple/x/", "User-Agent: pip/26.0", "Referer: \xe4"))
    log = observer.log
    assert log is not None
    answer = lines.answer(200, 10, cache=b"cheeseshop-l1; hit", route="/simple/<name>/")
    suffix = lines.suffix(b"\xe4", b"pip/26.0")
    log.append(lines.prefix("203.0.113.7") + log.stamp + b"GET /simple/x/ HTTP/1.1" + answer + suffix)
    log.flush()
    slow, fast = writer.written.splitlines()
    assert slow == fast


anything = st.one_of(st.none(), st.binary(max_size=60), st.binary(min_size=480, max_size=3000))


@given(target=st.binary(max_size=4000), referer=anything, agent=anything)
def test_combined_cannot_be_forged(target: bytes, referer: bytes | None, agent: bytes | None) -> None:
    """Whatever a client sends stays within its field and its line, and a line within four kilobytes."""
    lines = Combined()
    line = b"".join(
        (
            lines.prefix("192.0.2.1"),
            lines.stamp(NOON),
            lines.request(b"GET", target, b"HTTP/1.1"),
            lines.answer(200, 1),
            lines.suffix(referer, agent),
        )
    )
    assert COMBINED.fullmatch(line)
    assert rb"\x" * line.count(b"\\") == b"".join(re.findall(rb"\\x(?=[0-9A-F]{2})", line))
    assert line.isascii()
    assert line[:-1].decode().isprintable()
    assert len(line) <= PIPE


@given(target=st.binary(max_size=4000), referer=anything, agent=anything, route=st.text(max_size=20))
def test_json_cannot_be_forged(target: bytes, referer: bytes | None, agent: bytes | None, route: str) -> None:
    """Every line is one object with the same members, whatever a client sends."""
    lines = Json()
    line = b"".join(
        (
            lines.prefix("192.0.2.1"),
            lines.stamp(NOON),
            lines.request(b"GET", target, b"HTTP/1.1"),
            lines.answer(200, 1, cache=target, route=route),
            lines.suffix(referer, agent),
        )
    )
    members = "address user time request status bytes seconds cache route referer agent worker".split()
    assert list(json.loads(line)) == members
    assert line.isascii()
    assert line[:-1].decode().isprintable()
    assert len(line) <= PIPE


def test_secrets_are_not_logged() -> None:
    """Credentials and cookies are in no line."""
    for lines in FORMATS:
        service, observer, writer = watched(lines)
        service.connect().send(get("/", "Authorization: Basic Y2FuYXJ5", "Cookie: canary=1"))
        assert observer.log is not None
        observer.log.flush()
        assert b"anary" not in writer.written
        assert b"Y2FuYXJ5" not in writer.written


def test_clients_that_left() -> None:
    """A client that leaves before its answer begins is noted with 499, and not with what it never got."""
    log, writer = log_in(Combined())

    async def handler(request: Request) -> None:
        pass

    service = serve(handler)
    service.site._access_log = Observer(service.clock, log)
    wire = service.connect()
    wire.send(get("/"))
    service.clock.advance(1)
    wire.lose()
    log.flush()
    assert b'"GET / HTTP/1.1" 499 0 ' in writer.written


def test_refusals_are_logged() -> None:
    """Bytes that were no request have a line and a count, too; a request that is spoilt later has but one."""
    service, observer, writer = watched(Combined())
    service.site._refusals = observer.refuse
    service.connect().send(b"NONSENSE\r\n\r\n")
    late = service.connect()
    late.send(b"GET ")
    service.clock.advance(service.site.limits.header_seconds)
    assert late.statuses == [408]
    chunked = get("/", "Transfer-Encoding: chunked", method="POST")
    service.connect().send(chunked + b"not a size\r\n")
    assert observer.log is not None
    observer.log.flush()
    lines = [line.split(b'"') for line in writer.written.splitlines()]
    assert [(line[1], line[2].split()[0]) for line in lines] == [
        (b"-", b"400"),
        (b"-", b"408"),
        (b"POST / HTTP/1.1", b"200"),
    ]
    assert observer.refused == {400: 1, 408: 1}


# Batches


async def test_batches() -> None:
    """Lines of one moment are handed over together, within 20 ms while there are some."""
    clock = Clock()
    log, writer = log_in(Combined(), clock)
    await log.start()
    log.append(b"a\n")
    log.append(b"b\n")
    clock.advance(0.25)
    log.append(b"c\n")
    clock.advance(0.02)
    assert writer.batches == [b"a\nb\n", b"c\n"]
    log.append(b"d\n")
    await log.stop()
    assert writer.batches[2:] == [b"d\n"]
    assert not clock.getDelayedCalls()


async def test_batches_of_a_busy_service() -> None:
    """The more lines come, the sooner they are handed over, but no more than five hundred times a second."""
    clock = Clock()
    log, writer = log_in(Combined(), clock)
    await log.start()
    sizes = []
    for milliseconds in [250] + [1] * 40:
        for _ in range(128 * milliseconds):
            log.append(b"x\n")
        before = len(writer.batches)
        clock.advance(milliseconds / 1000)
        sizes += [batch.count(b"\n") for batch in writer.batches[before:]]
    assert sizes[-3:] == [MANY] * 3
    for _ in range(30):
        for _ in range(10_000):
            log.append(b"x\n")
        clock.advance(0.001)
    assert writer.batches[-1].count(b"\n") == 20_000
    await log.stop()


async def test_the_stamp_is_of_the_second() -> None:
    """The time in a line is renewed every second, and ``append`` stays what it was."""
    clock = Clock()
    log, _ = log_in(Combined(), clock)
    append = log.append
    await log.start()
    clock.pump([0.5, 0.6])
    assert log.stamp == b'[21/Nov/2026:12:00:01 +0000] "'
    append(b"x\n")
    log.flush()
    assert log.append is append
    await log.stop()


async def test_the_writer() -> None:
    """What is handed over is written in order by a thread, all of it before the writer ends."""
    sink = Kept()
    writer = LogWriter(sink, reactor)
    await writer.start()
    for number in range(100):
        writer.put(b"%d\n" % number, 1)
    writer.reopen()
    await eventually(lambda: sink.opened == 2)
    await writer.stop()
    assert sink.data == b"".join(b"%d\n" % number for number in range(100))
    assert (writer.lines, writer.dropped, writer.waiting, sink.opened) == (100, 0, 0, 0)


async def test_a_disk_that_hangs() -> None:
    """While the disk hangs, lines beyond a bound are dropped and counted, and nobody waits."""
    sink = Kept(hangs=Event())
    writer = LogWriter(sink, reactor, most_waiting=100)
    await writer.start()
    for _ in range(50):
        writer.put(b"123456789\n", 1)
    assert (writer.waiting, writer.dropped) == (100, 40)
    assert sink.hangs is not None
    sink.hangs.set()
    await writer.stop()
    assert len(sink.data) == 100


async def test_a_disk_that_is_full() -> None:
    """Lines the disk refuses are counted as lost, and logging goes on once there is room."""
    sink = Kept(fails=True)
    writer = LogWriter(sink, reactor)
    await writer.start()
    writer.put(b"lost\n", 1)
    await eventually(lambda: writer.dropped == 1)
    sink.fails = False
    writer.put(b"kept\n", 1)
    await writer.stop()
    assert sink.data == b"kept\n"


async def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    """A file that cannot be written is told in a sentence, at the start."""
    (tmp_path / "log").write_text("a file where a folder should be")
    writer = LogWriter(LogFile(tmp_path / "log" / "access.log"), reactor)
    with pytest.raises(LogUnusable, match=r"^log.access: .*access.log|^log.access: .*log"):
        await writer.start()
    await writer.stop()


# Files


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log may lie; its folder is not there yet."""
    return tmp_path / "log" / "access.log"


def all_of(path: Path) -> list[str]:
    """Every line, of the oldest file first."""
    old = sorted(path.parent.glob("access.log.*"), key=lambda one: -int(one.suffix[1:]))
    return [line for one in [*old, path] for line in one.read_text().splitlines()]


def test_rotation(path: Path) -> None:
    """A file that is full is moved aside; so many old ones are kept, in order."""
    file = LogFile(path, limit=40, keep=2)
    file.open()
    for number in range(20):
        file.write(b"line %04d\n" % number)
    file.close()
    assert sorted(one.name for one in path.parent.iterdir()) == ["access.log", "access.log.1", "access.log.2"]
    assert all_of(path) == [f"line {number:04}" for number in range(8, 20)]
    assert all(one.stat().st_size <= 40 for one in path.parent.iterdir())


def test_nothing_is_kept_or_rotated(path: Path) -> None:
    """Without old files a full one is thrown away; without a limit none is full."""
    file = LogFile(path, limit=10, keep=0)
    for number in range(3):
        file.write(b"line %d..\n" % number)
    assert [one.name for one in path.parent.iterdir()] == ["access.log"]
    assert path.read_text() == "line 2..\n"
    file.limit = 0
    for _ in range(100):
        file.write(b"more\n")
    assert path.stat().st_size == 509


def test_files_that_others_move(path: Path) -> None:
    """When the file was moved or removed by somebody else, a new one is begun without being told."""
    file = LogFile(path)
    file.write(b"one\n")
    path.rename(path.with_name("moved"))
    file.write(b"two\n")
    assert (path.with_name("moved").read_text(), path.read_text()) == ("one\n", "two\n")
    path.unlink()
    file.write(b"three\n")
    file.reopen()
    file.write(b"four\n")
    assert path.read_text() == "three\nfour\n"


def test_logs_are_not_for_everybody(path: Path) -> None:
    """A log has addresses of people in it: nobody but owner and group may read it."""
    LogFile(path).write(b"line\n")
    assert not path.stat().st_mode & 0o007


def test_a_torn_line_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a line was written, the next begins on a line of its own."""
    file, write = LogFile(path), os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 4:
            return write(descriptor, data[:4])
        raise OSError("No space left on device")

    file.open()
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="space"):
        file.write(b"one two\n")
    monkeypatch.undo()
    file.write(b"three\n")
    assert path.read_text() == "one \nthree\n"


def fill(path: Path, who: int, lines: int) -> None:
    """One process of several."""
    file = LogFile(path, limit=4_000, keep=1_000)
    file.open()
    for number in range(0, lines, 4):
        file.write(b"".join(b"%d %06d %s\n" % (who, one, b"x" * 40) for one in range(number, number + 4)))
    file.close()


def test_processes_share_a_file(path: Path) -> None:
    """Several processes write and rotate one log: no line is lost, cut, or there twice."""
    context = multiprocessing.get_context("spawn")
    lines = 2_000
    processes = [context.Process(target=fill, args=(path, who, lines)) for who in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    found = all_of(path)
    assert all(re.fullmatch(r"[0-3] [0-9]{6} x{40}", line) for line in found)
    assert sorted(found) == [f"{who} {one:06} {'x' * 40}" for who in range(4) for one in range(lines)]
    assert len(list(path.parent.iterdir())) > 5


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_standard_output(pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a stream lines go out whole, never more at once than a pipe takes in one piece."""
    sizes: list[int] = []
    write = os.write

    def noted(descriptor: int, data: bytes) -> int:
        sizes.append(len(data))
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", noted)
    lines = b"".join(b"%0*d\n" % (size, 7) for size in (10, 3000, 2000, 4095, 1, 90, 5000, 3))
    stream = LogStream(pipe[1])
    stream.open()
    stream.write(lines)
    stream.reopen()
    stream.close()
    assert os.read(pipe[0], 100_000) == lines
    assert sizes == [3012, 2001, 4096, 93, 5001, 4]


def test_time_is_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Months are English and times are UTC, wherever the service runs."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert STAMPS["combined"].encode() in Combined().stamp(NOON)
        assert STAMPS["json"].encode() in Json().stamp(NOON)
    finally:
        monkeypatch.undo()
        time.tzset()
