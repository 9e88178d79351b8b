"""Searches that nobody has asked before, in 140,000 projects, as ``pip search`` asks them.

Whole names, words out of names, and two words, each asked once, one after the other: all of it is found by
PostgreSQL, nothing comes from a cache. What a client waits is counted, from the call to the last byte.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from xmlrpc.client import dumps

from benchmarks import catalogue, servers
from benchmarks.cache import alone
from benchmarks.client import Client
from benchmarks.figure import Figure, Row, Setting, at_most
from benchmarks.synthetic import LARGE, by_popularity

COUNT = 300
"""Searches in each run, none of them twice."""

WARM_UP = 20
MOST = 30.0
"""Milliseconds."""

ENVIRONMENT = {"CHEESESHOP_LIMITS_FACTOR": "0"}


def measure(setting: Setting) -> Iterator[Row]:
    """A new service for each run, which is asked other questions than those before it."""
    data = catalogue.kept("large", setting.say)
    questions = _questions()
    middle, most, worst = [], [], []
    for run in range(setting.runs):
        setting.say(f"Run {run + 1} of {setting.runs}")
        with (
            alone(),
            servers.reading(data, setting.folder / str(run), env=ENVIRONMENT) as service,
            closing(Client(servers.origin(service))) as client,
        ):
            for words in islice(questions, WARM_UP):
                client.ask(_call(client, words))
            waits = sorted(1e3 * client.time(_call(client, words)) for words in islice(questions, COUNT))
        middle.append(waits[COUNT // 2])
        most.append(waits[COUNT * 95 // 100])
        worst.append(waits[-1])
    yield Row(measure="a search of pip: median", unit="ms", ours=middle)
    yield Row(measure="a search of pip: p95", unit="ms", ours=most, bar=at_most(MOST))
    yield Row(measure="a search of pip: longest", unit="ms", ours=worst)


def _questions() -> Iterator[Sequence[str]]:
    """Words to look for, the same for every call, none of them twice."""
    source, names = random.Random(1), by_popularity(LARGE)[:20_000]
    seen = set()
    while True:
        pieces = [piece for piece in re.split("-", source.choice(names)) if len(piece) > 2]
        kind = source.random()
        words = (
            [source.choice(names)]
            if kind < 0.4
            else source.sample(pieces, min(len(pieces), 1 + (kind > 0.8)))
        )
        if words and tuple(words) not in seen:
            seen.add(tuple(words))
            yield words


def _call(client: Client, words: Sequence[str]) -> bytes:
    """A call as pip sends it."""
    body = dumps(({"name": list(words), "summary": list(words)}, "or"), "search").encode()
    head = (
        f"POST /RPC2 HTTP/1.1\r\nHost: {client.host}\r\nUser-Agent: pip/20.3.4\r\n"
        f"Accept-Encoding: gzip, deflate\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


FIGURE = Figure(
    name="search",
    question="how long does a search in 140,000 projects take that nobody has asked before?",
    measure=measure,
)
