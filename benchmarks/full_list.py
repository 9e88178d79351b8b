"""The list of 500,000 projects after one upload, compressed: as JSON, and as XML-RPC has it with serials.

The list is asked for, a release is uploaded, and the list is asked for again until it is another, over and
over. *Refreshed*: the service's processor time (all threads and children, without PostgreSQL) from the
acknowledged upload to the end of the answer that shows it, less that of sending the list as often. *Extra*:
the highest resident set meanwhile, above that before. *Longest wait*: in further refreshes a second client
asks every millisecond for a redirect that needs no database; how long it waits is how long the reactor was
blocked, and more on a busy machine. The first list of all does not count.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from statistics import median
from urllib.parse import urlsplit

from attrs import define, field

from benchmarks import catalogue, distributions, machine, servers, uploading
from benchmarks.cache import alone
from benchmarks.client import Client, connect, read_body, read_head
from benchmarks.clients import BARE, PIP_NOW
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_most
from benchmarks.servers import Subject

PROJECT = "refreshes"
REFRESHES = 3
"""In each run, of each kind; the median counts."""

CALL = b"<methodCall><methodName>list_packages_with_serial</methodName><params></params></methodCall>"

EVERY = 0.001
PATIENCE = 60.0
"""Seconds until the list must show an upload."""


@define
class Found:
    """Milliseconds and megabytes, one number for each run."""

    cpu: list[float] = field(factory=list)
    wait: list[float] = field(factory=list)
    blocked: list[float] = field(factory=list)
    extra: list[float] = field(factory=list)


def measure(setting: Setting) -> Iterator[Row]:
    """A new service for each run, on the same index."""
    data = catalogue.kept("list", setting.say)
    found = {"JSON": Found(), "XML-RPC": Found()}
    for run in range(setting.runs):
        setting.say(f"Run {run + 1} of {setting.runs}")
        with servers.serving(setting.folder / str(run), data=data) as subject, alone():
            host = urlsplit(subject.origin).netloc
            _run(setting, subject, PIP_NOW.request("/simple/", host), found["JSON"])
            _run(setting, subject, _call(host), found["XML-RPC"])
    for form, costs in found.items():
        yield Row(measure=f"{form}, refreshed: processor time", unit="ms", ours=costs.cpu, bar=at_most(20))
        yield Row(measure=f"{form}, refreshed: from the upload to the new list", unit="ms", ours=costs.wait)
        yield Row(measure=f"{form}, longest wait of others", unit="ms", ours=costs.blocked, bar=at_most(10))
        yield Row(measure=f"{form}, extra memory", unit="MB", ours=costs.extra, bar=at_most(5))


def _call(host: str) -> bytes:
    """A call as ``xmlrpc.client`` sends it."""
    head = (
        f"POST /RPC2 HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\nContent-Type: text/xml\r\n"
        f"User-Agent: Python-xmlrpc/3.11\r\nContent-Length: {len(CALL)}\r\n\r\n"
    )
    return head.encode() + CALL


def _run(setting: Setting, subject: Subject, request: bytes, found: Found) -> None:
    """Some refreshes for what they cost, and some with a second client, which costs something itself."""
    _version(subject, request)
    _version(subject, request)
    refreshes = [_refresh(setting, subject, request) for _ in range(REFRESHES)]
    found.cpu.append(median(cost for cost, _, _ in refreshes))
    found.wait.append(median(wait for _, wait, _ in refreshes))
    found.extra.append(median(extra for _, _, extra in refreshes))
    longest = []
    for _ in range(REFRESHES):
        with _watched(subject) as waits:
            _refresh(setting, subject, request)
        longest.append(1e3 * max(waits))
    found.blocked.append(median(longest))


def _refresh(setting: Setting, subject: Subject, request: bytes) -> tuple[float, float, float]:
    """An upload and the new list: ms of processor time, ms until it is there, MB of memory."""
    version = str(time.time_ns())  # no version may be used twice, and the index is kept
    wheel = distributions.tiny(setting.folder, PROJECT, version)
    upload = uploading.request(subject, PROJECT, version, wheel)
    before = _cpu(subject)
    old = _version(subject, request)
    sending = _cpu(subject) - before
    with closing(Client(subject.origin)) as uploader:
        uploader.ask(upload)
    held, before, began, asked = _peak(subject), _cpu(subject), time.perf_counter(), 1
    while _version(subject, request) == old:
        asked += 1
        if time.perf_counter() > began + PATIENCE:
            raise BenchmarkFailed("the list does not show the upload")
    took = time.perf_counter() - began
    cost = _cpu(subject) - before - asked * sending
    wheel.unlink()
    extra = machine.memory(subject.running.pid, "VmHWM") - held
    return 1e3 * cost, 1e3 * took, extra / 1e6


def _cpu(subject: Subject) -> float:
    return sum(machine.process_seconds(pid) for pid in servers.answering(subject.running))


def _peak(subject: Subject) -> int:
    """Begin the peak of memory anew; what is held now."""
    machine.forget_peak(subject.running.pid)
    return machine.memory(subject.running.pid, "VmRSS")


def _version(subject: Subject, request: bytes) -> str:
    """Ask for the list; its validator, or the digest of what has none."""
    digest = blake2b()
    with closing(connect(subject.origin)) as connection:
        connection.sendall(request)
        head = read_head(connection)
        read_body(connection, head, digest.update)
    return head.fields.get("etag") or digest.hexdigest()


@contextmanager
def _watched(subject: Subject) -> Iterator[list[float]]:
    """A block during which a second client asks for something small all the time; the seconds it waited."""
    waits: list[float] = [0.0]
    over = threading.Event()
    request = BARE.request("/simple/no-such-project-here", urlsplit(subject.origin).netloc)

    def ask() -> None:
        with closing(connect(subject.origin)) as connection:
            while not over.wait(EVERY):
                began = time.perf_counter()
                connection.sendall(request)
                head = read_head(connection)
                left = int(head.fields.get("content-length", "0")) - len(head.rest)
                while left > 0:
                    left -= len(connection.recv(left))
                waits.append(time.perf_counter() - began)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


FIGURE = Figure(
    name="full-list",
    question="what does the list of 500,000 projects cost after an upload?",
    measure=measure,
)
