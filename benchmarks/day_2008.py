"""Half a day of November 2008, asked again of one worker as fast as it answers: 151,223 requests of 12 hours.

The index holds every project, release, file and MD5 that the log saw answered with success. Requests go out
as ``cheeseshop replay`` sends them, over 16 connections, with redirects followed; all share the machine, and
no rate is limited. *Cold*: the first time, when nothing is in any cache; *warm*: once more. XML-RPC calls,
whose bodies no log holds, are made up by the sizes of their answers (``pypi.shadow.calls`` says how). *Held*:
requests that were answered 200, 206 or 304 then and name a project, release, file or MD5 the index holds;
they should end so now, after one redirect at most. *Pages every index has*: likewise lists, feeds, searches.
Not counted there is what names nothing of an index: the web server's own pictures and statistics, folders of
files that name no project, signatures, pages of accounts, names and filenames nobody may have now; and what
is 410 by decision.

The log is no part of the sources; without it there is nothing to measure.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from benchmarks import machine, servers
from benchmarks.cache import alone
from benchmarks.day_2008_catalogue import kept, log
from benchmarks.day_2008_named import named
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_least, at_most
from benchmarks.processes import Running, run
from pypi.shadow.calls import Calls
from pypi.shadow.choice import Choice
from pypi.shadow.compare import FAULT, change, is_there
from pypi.shadow.exchange import Server
from pypi.shadow.lines import Recorded
from pypi.shadow.record import Logs
from pypi.shadow.replay import Ending, Replay
from pypi.shadow.shapes import shape

CONNECTIONS = 16
DEADLINE = 400.0
RATE = 3000

UNLIMITED = {"CHEESESHOP_LIMITS_FACTOR": "0"}
"""All of 2008 comes from one address here."""

BY_DECISION = "410 by decision"
OPEN = "held, and does not end well"
PAGE = "a page every index has"

Line = tuple[str, str, int, int, int]


@define
class Findings:
    """How the requests ended.

    Attributes:
        failures: answers of 5xx, faults, and no answers.
        held: requests that name something the index holds; ``well`` of them end well.
        pages: requests for what every index has: lists, feeds, searches; ``pages_well`` end well.
        others: (why, shape, then, now, redirects) → how many did not end well.
        examples: the first of each.
    """

    failures: int = 0
    held: int = 0
    well: int = 0
    pages: int = 0
    pages_well: int = 0
    calls: Counter[str] = field(factory=Counter)
    statuses: Counter[int] = field(factory=Counter)
    others: Counter[Line] = field(factory=Counter)
    examples: dict[Line, str] = field(factory=dict)

    def add(self, recorded: Recorded, endings: Sequence[Ending]) -> None:
        """Count one."""
        ending = endings[0]
        now = ending.status
        self.statuses[now] += 1
        self.failures += now >= 500 or not now
        if recorded.method == "POST":
            fault = change(recorded, ending) == FAULT
            self.calls["fault" if fault else str(now)] += 1
            self.failures += fault
        elif is_there(recorded.status) or now >= 500:
            self._compare(recorded, ending)

    def _compare(self, recorded: Recorded, ending: Ending) -> None:
        well = is_there(ending.status) and ending.hops <= 1
        about = named(recorded.target)
        why = about.nameless or (BY_DECISION if ending.status == 410 else "")
        if not why and (about.project or about.digest):
            why = OPEN
            self.held += 1
            self.well += well
        elif not why:
            why = PAGE
            self.pages += 1
            self.pages_well += well
        if not well:
            line = (why, shape(recorded.target), recorded.status, ending.status, ending.hops)
            self.others[line] += 1
            self.examples.setdefault(line, recorded.target)

    def value(self, replay: Replay) -> dict[str, Any]:
        """Fit for JSON."""
        return {
            "requests": sum(self.statuses.values()),
            "answers": replay.exchanges,
            "seconds": replay.seconds,
            "recorded_seconds": replay.last - replay.first,
            "failures": self.failures,
            "held": self.held,
            "well": self.well,
            "pages": self.pages,
            "pages_well": self.pages_well,
            "calls": dict(self.calls),
            "others": [[*line, count, self.examples[line]] for line, count in self.others.most_common()],
        }


async def asked(reactor: Any, url: str) -> dict[str, Any]:
    """Ask a server the whole log."""
    found = Findings()
    replay = Replay(
        servers=[Server.at(url, reactor)],
        requests=Choice(calls=Calls()).of(Logs([log()])),
        reactor=reactor,
        told=found.add,
        connections=CONNECTIONS,
        follow=True,
    )
    await replay.run()
    return found.value(replay)


def table(value: dict[str, Any]) -> Iterator[str]:
    """What did not end well, by shape of the address."""
    yield f"{value['failures']} failures; calls: {value['calls']}"
    yield f"held: {value['well']:,} of {value['held']:,}"
    yield f"pages every index has: {value['pages_well']:,} of {value['pages']:,}"
    for why, kind, then, now, hops, count, example in value["others"]:
        yield f"{count:>7,}  {then} → {now} after {hops}  {why:45}  {kind:36}  {example[:90]}"


@define
class Pass:
    """The whole log, asked once.

    Attributes:
        value: what came of it.
        cpu: seconds of processor time of the service's own processes.
    """

    value: dict[str, Any]
    cpu: float

    @property
    def rate(self) -> float:
        """Requests of the log in a second."""
        return float(self.value["requests"] / self.value["seconds"])

    @property
    def cost(self) -> float:
        """Microseconds of processor time for a request of the log."""
        return 1e6 * self.cpu / float(self.value["requests"])


def measure(setting: Setting) -> Iterator[Row]:
    """A new service for each run, on the same index; each is asked the whole log twice."""
    data = kept(setting.say)
    cold, warm = [], []
    for number in range(setting.runs):
        setting.say(f"Run {number + 1} of {setting.runs}")
        with (
            servers.reading(data, setting.folder / str(number), env=UNLIMITED) as service,
            alone(),
        ):
            cold.append(_ask(service))
            warm.append(_ask(service))
    setting.say("\n".join(["What did not end well:", *table(cold[-1].value)]))
    yield from _rows(cold, warm)


def _rows(cold: Sequence[Pass], warm: Sequence[Pass]) -> Iterator[Row]:
    both = [*cold, *warm]
    failures = [one.value["failures"] for one in both]
    yield Row(measure="5xx, faults, no answers", unit="", ours=failures, bar=at_most(0))
    held = [one.value["held"] - one.value["well"] for one in both]
    yield Row(measure="held, and does not end well", unit="", ours=held, bar=at_most(0))
    pages = [100 * one.value["pages_well"] / max(1, one.value["pages"]) for one in both]
    yield Row(measure="pages every index has, and end well", unit="%", ours=pages, more_is_better=True)
    for name, found in (("cold", cold), ("warm", warm)):
        rates = [one.rate for one in found]
        bar = at_least(RATE) if name == "cold" else None
        yield Row(measure=f"{name}: rate", unit="/s", ours=rates, more_is_better=True, bar=bar)
        yield Row(measure=f"{name}: CPU", unit="µs", ours=[one.cost for one in found])
        speed = [one.value["recorded_seconds"] / one.value["seconds"] for one in found]
        yield Row(measure=f"{name}: times as fast as it came", unit="×", ours=speed, more_is_better=True)


def _ask(service: Running) -> Pass:
    before = _cpu(service)
    command = [sys.executable, "-m", "benchmarks.day_2008", "--json", servers.origin(service)]
    _, printed = run(command, deadline=DEADLINE)
    return Pass(json.loads(printed), _cpu(service) - before)


def _cpu(service: Running) -> float:
    return sum(machine.process_seconds(pid) for pid in servers.answering(service))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(url: str, as_json: bool) -> None:
    """Ask the index at URL the whole log, and print what did not end well."""
    show: Callable[[dict[str, Any]], str] = json.dumps if as_json else lambda value: "\n".join(table(value))

    async def command(reactor: Any) -> None:
        click.echo(show(await asked(reactor, url)))

    try:
        log()
    except BenchmarkFailed as failure:
        raise click.ClickException(str(failure)) from None
    react(lambda reactor: Deferred.fromCoroutine(command(reactor)))


FIGURE = Figure(
    name="day-2008",
    question="how fast is half a day of 2008 answered again, and how well?",
    measure=measure,
    runs=3,
)

if __name__ == "__main__":
    main()
