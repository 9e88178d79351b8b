"""Files over plain TCP, beside nginx with sendfile: speed, processor time, and memory with many at once.

Files of 100 MiB and 1 MiB, in memory after the first reading, at 4 and 16 connections; nginx hands out the
very same files from our data folder. *Ordinary*: sendfile and tcp_nopush; *best*: without tcp_nopush, and
with errors cached. One worker on one processor, wrk on the other; on one machine speed is bound by the
client's copying, so processor time counts more. *64 at once*: as many clients read the large file slowly for
some seconds; the highest memory of our service meanwhile, above what it held before. 1 MB = 1,000,000 bytes.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

from benchmarks import distributions, machine, nginx, servers, uploading, wrk
from benchmarks.client import connect
from benchmarks.clients import BARE
from benchmarks.contest import SERVER, Contender, Heat, Turn, heat
from benchmarks.field import OURS
from benchmarks.figure import Bar, Figure, Row, Setting, at_most, times_as_much, times_better
from benchmarks.nginx import Configuration
from benchmarks.processes import Running
from benchmarks.wrk import Load

ENVIRONMENT = {"CHEESESHOP_UPLOADS_MAX_FILE_SIZE": "2GB"}
SIZES = (("100 MB", "largefile", 100 << 20), ("1 MB", "smallfile", 1 << 20))
CONNECTIONS = (4, 16)
SPEED = times_better(0.9)
COSTS = {"100 MB": times_as_much(1.5), "1 MB": times_as_much(2)}
SENDFILE = Configuration(
    "nginx best sendfile", "sendfile on; tcp_nopush off; open_file_cache_errors on;", by_file=True
)
HELD_TO = {"100 MB": nginx.ORDINARY.name, "1 MB": SENDFILE.name}

AT_ONCE = 64
MOST_MEMORY = 5.0
SIP = 1 << 16
SIPPING = 3.0
EVERY = 0.02


def measure(setting: Setting) -> Iterator[Row]:
    """Each size, each number of connections, then many at once."""
    with ExitStack() as stack:
        ours = stack.enter_context(servers.serving(setting.folder / OURS, cores=SERVER, env=ENVIRONMENT))
        contenders = [Contender(OURS, ours.origin, partial(servers.answering, ours.running))]
        for one in (nginx.ORDINARY, SENDFILE):
            folder = setting.folder / one.name.replace(" ", "-")
            server, url = stack.enter_context(
                nginx.serving(one, folder, files=setting.folder / OURS / "data" / "files", cores=SERVER)
            )
            contenders.append(Contender(one.name, url, server.tree))
        paths = {}
        for size, project, count in SIZES:
            uploading.stream(ours, project, distributions.huge(setting.folder, project, count))
            paths[size] = urlsplit(uploading.url_of(ours, project)).path
            for connections in CONNECTIONS:
                what = f"{size}, c{connections}"
                found = heat(
                    setting,
                    what,
                    [(one, _load(setting, one, paths[size], connections)) for one in contenders],
                )
                yield from _rows(what, found, size)
        yield _at_once(setting, ours.running, ours.origin, paths["100 MB"])


def _load(setting: Setting, contender: Contender, path: str, connections: int) -> Load:
    request = BARE.request(path, urlsplit(contender.origin).netloc)
    file = wrk.write(setting.folder / f"{contender.name}.requests", [request])
    return Load(file=file, connections=connections)


def _rows(what: str, found: Heat, size: str) -> Iterator[Row]:
    for peer in (nginx.ORDINARY.name, SENDFILE.name):
        held = peer == HELD_TO[size]
        beside = peer.removeprefix("nginx ").replace("nginx", "ordinary")
        speed: Bar | None = SPEED if held else None
        yield found.row(f"{what}: speed, {beside}", "MB/s", Turn.speed, OURS, peer, bar=speed, rate=True)
        cost = COSTS[size] if held else None
        yield found.row(f"{what}: CPU, {beside}", "s/GB", Turn.cost_of_gigabyte, OURS, peer, bar=cost)


def _at_once(setting: Setting, service: Running, origin: str, path: str) -> Row:
    setting.say(f"{AT_ONCE} at once")
    held = [_sipped(service, origin, path) / 1e6 for _ in range(setting.runs)]
    return Row(measure=f"{AT_ONCE} at once: memory", unit="MB", ours=held, bar=at_most(MOST_MEMORY))


def _sipped(service: Running, origin: str, path: str) -> int:
    """Bytes of memory above those before while many clients read slowly."""
    pids = servers.answering(service)
    before = sum(machine.memory(pid, "VmRSS") for pid in pids)
    for pid in pids:
        machine.forget_peak(pid)
    request = BARE.request(path, urlsplit(origin).netloc)
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for _ in range(AT_ONCE):
            connection = connect(origin)
            stack.callback(connection.close)
            connection.sendall(request)
            selector.register(connection, selectors.EVENT_READ, connection)
        ends = time.monotonic() + SIPPING
        while time.monotonic() < ends:
            for key, _ in selector.select(timeout=EVERY):
                key.data.recv(SIP)
            time.sleep(EVERY)
        return sum(machine.memory(pid, "VmHWM") for pid in pids) - before


FIGURE = Figure(
    name="downloads",
    question="how fast are downloads, and what do they cost?",
    peer="nginx with sendfile",
    measure=measure,
    runs=5,
)
