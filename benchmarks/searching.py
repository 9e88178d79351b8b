"""Searches as people make them, in 140,000 projects, and what search boxes offer: nothing comes from a cache.

Each question is asked once over HTTP, one after the other, of ``/api/search``, which does for programs what
the page does for people: names, what a project is for, words that very many projects have, all that narrowed
by classifiers, Pythons and wheels, in each order; with numbers of what results can be narrowed to. Names are
completed as they are typed, letter by letter, and with slips.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from urllib.parse import urlencode

from benchmarks import searchable, servers
from benchmarks.cache import alone
from benchmarks.client import Client
from benchmarks.figure import Figure, Row, Setting, at_most
from benchmarks.search_quality import pairs
from benchmarks.searchable import real_projects
from benchmarks.synthetic import LARGE, by_popularity

COUNT, WARM_UP = 150, 20
"""Questions of each kind in each run, none of them twice, after some others."""

MOST, MOST_OF_SUGGESTIONS = 30.0, 10.0
"""Milliseconds."""

ORDERS = ("relevance", "relevance", "date", "downloads")
ENVIRONMENT = {"CHEESESHOP_LIMITS_FACTOR": "0"}


def measure(setting: Setting) -> Iterator[Row]:
    """A new service for each run, which is asked other questions than those before it."""
    data = searchable.kept(setting.say)
    kinds = {"a search": _searches(), "of these with filters": _narrowed(), "a suggestion": _typed()}
    waits: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    for run in range(setting.runs):
        setting.say(f"Run {run + 1} of {setting.runs}")
        with (
            alone(),
            servers.reading(data, setting.folder / str(run), env=ENVIRONMENT) as service,
            closing(Client(servers.origin(service))) as client,
        ):
            for kind, questions in kinds.items():
                for path in islice(questions, WARM_UP):
                    client.ask(_get(client, path))
                asked = islice(questions, COUNT)
                waits[kind].append(sorted(1e3 * client.time(_get(client, path)) for path in asked))
    for kind, runs in waits.items():
        most = MOST_OF_SUGGESTIONS if kind == "a suggestion" else MOST
        yield Row(measure=f"{kind}: median", unit="ms", ours=[one[len(one) // 2] for one in runs])
        p95 = [one[len(one) * 95 // 100] for one in runs]
        yield Row(measure=f"{kind}: p95", unit="ms", ours=p95, bar=at_most(most))
        yield Row(measure=f"{kind}: longest", unit="ms", ours=[one[-1] for one in runs])


def _searches() -> Iterator[str]:
    """Names, purposes and common words, in each order; none of them twice."""
    source = random.Random(2)
    names, typed, words = by_popularity(LARGE)[:20_000], [one.typed for one in pairs()], _common_words()
    seen: set[str] = set()
    while True:
        kind = source.random()
        if kind < 0.3:
            text = source.choice(names)
        elif kind < 0.7:
            text = source.choice(typed) + source.choice(["", "", " " + source.choice(words)])
        else:
            text = " ".join(source.sample(words, source.choice([1, 1, 2])))
        path = "/api/search?" + urlencode({"q": text, "o": source.choice(ORDERS)})
        if path not in seen:
            seen.add(path)
            yield path


def _narrowed() -> Iterator[str]:
    source, seen = random.Random(3), set[str]()
    classifiers = sorted({name for one in real_projects() for name in one.classifiers})
    for path in _searches():
        more = [("c", name) for name in source.sample(classifiers, source.choice([1, 1, 2]))]
        more += [("python", source.choice(["3.9", "3.12"]))] if source.random() < 0.4 else []
        more += [("wheels", "1")] if source.random() < 0.4 else []
        narrowed = f"{path}&{urlencode(more)}"
        if narrowed not in seen:
            seen.add(narrowed)
            yield narrowed


def _typed() -> Iterator[str]:
    """Beginnings of names, every third of them with a slip, none twice."""
    source, names, seen = random.Random(4), by_popularity(LARGE)[:20_000], set[str]()
    while True:
        name = source.choice(names)
        text = name[: source.randint(1, len(name))]
        at = source.randrange(len(text))
        if source.random() < 1 / 3 and len(text) > 3:
            text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        if text not in seen:
            seen.add(text)
            yield "/api/search/suggest?" + urlencode({"q": text})


def _common_words() -> Sequence[str]:
    """Words of real summaries, as often as they are there: most of what is drawn, many projects have."""
    words = [word.strip(".,").lower() for one in real_projects() for word in one.summary.split()]
    return [word for word in words if word.isalpha() and len(word) > 2]


def _get(client: Client, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {client.host}\r\nAccept-Encoding: gzip\r\n\r\n".encode()


FIGURE = Figure(
    name="searching",
    question="how long do searches and suggestions in 140,000 projects take that nobody has asked before?",
    measure=measure,
)
