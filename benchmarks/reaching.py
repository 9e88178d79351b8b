"""Connections to a worker of one's choice: which one took a connection is read from ``/proc``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from benchmarks import machine
from benchmarks.client import Client
from benchmarks.clients import BARE
from benchmarks.figure import BenchmarkFailed

TRIES = 400


def each(origin: str, workers: Sequence[int], count: int = 1) -> dict[int, list[Client]]:
    """So many connections to each worker; whoever asks closes them.

    Raises:
        BenchmarkFailed: a worker took none of many connections.
    """
    found: dict[int, list[Client]] = {pid: [] for pid in workers}
    for _ in range(TRIES):
        if all(len(clients) == count for clients in found.values()):
            return found
        client = Client(origin)
        pid = _worker(client, workers)
        if pid is not None and len(found[pid]) < count:
            found[pid].append(client)
        else:
            client.close()
    raise BenchmarkFailed(f"{TRIES} connections did not lead to each of {len(workers)} workers")


def _worker(client: Client, workers: Sequence[int]) -> int | None:
    parts = urlsplit(client.origin)
    client.ask(BARE.request("/", parts.netloc))  # who answers has accepted it
    return next((pid for pid in workers if client.port in machine.connections(pid, parts.port or 80)), None)
