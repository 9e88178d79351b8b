"""Old addresses: how many a worker looks up and leads on in a second.

One worker on the large catalogue is asked for the pages of projects by their old addresses, in spellings of
old. *Cold* are addresses that nobody has asked for: each project's own, and ``:action`` forms. *Hot* are a
thousand that were all asked for before. PostgreSQL, Redis and the worker share one processor, as everywhere
here; beside the rates stands what an answer costs the worker's own thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from attrs import define, field

from benchmarks import catalogue, machine, servers, wrk
from benchmarks.cache import alone
from benchmarks.contest import CLIENT, SERVER
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_least
from benchmarks.synthetic import LARGE, by_popularity
from benchmarks.wrk import Load

CONNECTIONS = 64
HOT = 1000
PER_SECOND = 30_000
"""Addresses laid in for each second of a cold run: more than can be asked for."""

ENOUGH = 5000
"""Look-ups a second."""

FORMS = {"cold": "/pypi/{}", "cold, :action": "/pypi?:action=display&name={}"}


@define
class Measured:
    """One number for each run.

    Attributes:
        rate: answers in a second.
        cost: microseconds of the reactor's thread for one.
    """

    rate: list[float] = field(factory=list)
    cost: list[float] = field(factory=list)


def measure(setting: Setting) -> Iterator[Row]:
    """A new service for each run, so that it has never been asked."""
    data = catalogue.kept("large", setting.say)
    names = [name.replace("-", "_").upper() for name in by_popularity(LARGE)]
    found = {what: Measured() for what in (*FORMS, "hot")}
    for run in range(setting.runs):
        setting.say(f"Run {run + 1} of {setting.runs}")
        with alone(), servers.reading(data, setting.folder / str(run), cores=SERVER) as service:
            for place, (what, form) in enumerate(FORMS.items()):
                asked = names[place * len(names) // 2 :][: PER_SECOND * setting.seconds]
                _load(setting, service, [form.format(name) for name in asked], found[what])
            hot = [FORMS["cold"].format(name) for name in names[:HOT]]
            _load(setting, service, hot, found["hot"], warm=True)
    for what, measured in found.items():
        yield Row(
            measure=f"{what}: answers",
            unit="/s",
            ours=measured.rate,
            more_is_better=True,
            bar=at_least(ENOUGH),
        )
        yield Row(measure=f"{what}: reactor", unit="µs", ours=measured.cost)


def _load(
    setting: Setting, service: servers.Running, paths: Sequence[str], found: Measured, *, warm: bool = False
) -> None:
    origin = servers.origin(service)
    load = Load(file=_written(setting.folder, origin, paths), connections=CONNECTIONS, cores=CLIENT)
    if warm:
        wrk.send(origin, load, 1)
    before = machine.thread_seconds(service.pid)
    result = wrk.send(origin, load, setting.seconds)
    used = machine.thread_seconds(service.pid) - before
    if result.requests > len(paths) and not warm:
        raise BenchmarkFailed("addresses were asked for twice: lay in more of them")
    found.rate.append(result.requests / result.seconds)
    found.cost.append(1e6 * used / result.requests)


def _written(folder: Path, origin: str, paths: Sequence[str]) -> Path:
    host = urlsplit(origin).netloc
    requests = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() for path in paths]
    return wrk.write(folder / "redirects.requests", requests, places=1)


FIGURE = Figure(
    name="redirects",
    question="how many old addresses does a worker look up and lead on?",
    measure=measure,
    runs=3,
)
