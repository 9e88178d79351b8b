"""``cheeseshop replay``: access logs asked again."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from pypi.cli.running import fail, run, show
from pypi.config.values import NotAllowed, url
from pypi.shadow.calls import Calls
from pypi.shadow.choice import Choice
from pypi.shadow.compare import KINDS
from pypi.shadow.exchange import Server
from pypi.shadow.lines import Recorded
from pypi.shadow.record import Logs, Unreadable
from pypi.shadow.replay import TIMEOUT, Ending, Replay, Told
from pypi.shadow.report import Report, text
from pypi.shadow.tally import ServerTally, Tally

EVERY = 256
"""Requests between two looks at the progress bar."""


class Address(click.ParamType[str]):
    """A URL of a server, without path."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return url("http", "https", words=(), bare=True, path=False)(value)
        except NotAllowed as allowed:
            self.fail(f"{value!r} is not {allowed}", param, ctx)


class Name(click.ParamType[str]):
    """What may stand in a Host header."""

    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._~:\[\]-]{1,255}", value):
            self.fail(f"{value!r} is no host", param, ctx)
        return str(value)


class Moment(click.ParamType[float]):
    """A moment in a log."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float) or re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,9})?", value):
            return float(value)
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a time such as 2008-11-18T06:27Z nor seconds", param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


class Speed(click.ParamType[float]):
    """How many times as fast as recorded; 0 is as fast as possible."""

    name = "speed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if value == "max":
            return 0.0
        try:
            return click.FloatRange(0.001, 1_000_000).convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is neither max nor a number from 0.001 to 1,000,000", param, ctx)


@click.command()
@click.argument("logs", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "server", type=Address(), metavar="URL", help="The server that is asked.")
@click.option("--compare", type=Address(), metavar="URL", help="A second one, asked the same as the first.")
@click.option("--speed", type=Speed(), default="1", show_default=True, help="Times as fast, or max.")
@click.option(
    "--percent",
    type=click.FloatRange(0, 100, min_open=True),
    default=100,
    show_default=True,
    help="Share of the requests; always the same ones.",
)
@click.option(
    "--since", type=Moment(), help="First moment: a time (UTC), or seconds where the log counts so."
)
@click.option("--until", type=Moment(), help="The moment behind the last.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Requests at most.")
@click.option(
    "--connections",
    type=click.IntRange(1, 1000),
    default=16,
    show_default=True,
    help="Connections to each server, and so requests at once.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=TIMEOUT,
    show_default=True,
    help="Seconds for an answer.",
)
@click.option("--follow", is_flag=True, help="Follow redirects that stay at the server, and count them.")
@click.option(
    "--alias", "aliases", multiple=True, type=Address(), help="A URL by which the servers call themselves."
)
@click.option("--host", type=Name(), metavar="HOST", help="Value of the Host header, if not the URL's.")
@click.option(
    "--xmlrpc",
    type=click.Choice(["log", "made"]),
    default="log",
    show_default=True,
    help="Calls: those whose body the log holds, or, for others, read-only ones of a like size.",
)
@click.option(
    "--ignore", multiple=True, type=click.Choice(KINDS), help="Between two servers, what may differ."
)
@click.option(
    "--tolerate",
    type=click.FloatRange(0, 100),
    default=0,
    show_default=True,
    help="Percent of the requests that may go otherwise.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be asked.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(logs: tuple[Path, ...], dry_run: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Ask a server again what LOGS tell of, and say what has changed.

    LOGS are access logs, plain or gzip, in the order of time: combined, our own JSON, or values between tabs
    (seconds, method, target, version, status, bytes, agent). Only what is safe is asked: GET, HEAD, and
    XML-RPC calls that change nothing; without credentials.

    Status 1 if an answer was 5xx or more went otherwise than --tolerate allows, 2 if a log cannot be read.
    """
    if not dry_run and options["server"] is None:
        raise click.UsageError("Say --to URL, or --dry-run.")
    task = Task(Logs(logs), **options)
    try:
        if dry_run:
            show(task.dry(quiet), as_json=as_json, text=_would)
            return
        report = task.asked(quiet)
    except Unreadable as error:
        fail(str(error), status=2)
    show(report.value(), as_json=as_json, text=text)
    if report.unreadable:
        raise SystemExit(2)
    if not report.is_good:
        raise SystemExit(1)


@frozen
class Task:
    """What the options say."""

    logs: Logs
    server: str | None
    compare: str | None
    speed: float
    percent: float
    since: float | None
    until: float | None
    limit: int | None
    connections: int
    timeout: float
    follow: bool
    aliases: tuple[str, ...]
    host: str | None
    xmlrpc: str
    ignore: tuple[str, ...]
    tolerate: float

    def choice(self) -> Choice:
        """Which requests are asked."""
        calls = Calls() if self.xmlrpc == "made" else None
        return Choice(self.percent, self.since, self.until, self.limit, calls)

    def dry(self, quiet: bool) -> dict[str, Any]:
        """Read, and ask nothing."""
        choice, kinds = self.choice(), Tally([])
        with _bar(self.logs, quiet) as bar:
            for recorded in choice.of(self.logs):
                kinds.kinds[f"{recorded.method} {recorded.status}"] += 1
                kinds.requests += 1
                if kinds.requests % EVERY == 0:
                    bar.update(self.logs.position - bar.pos)
        return {
            "requests": kinds.requests,
            "kinds": dict(kinds.kinds.most_common()),
            "lines": self.logs.lines,
            "malformed": self.logs.malformed,
            "passed_over": dict(choice.passed_over.most_common()),
        }

    def asked(self, quiet: bool) -> Report:
        """Ask, and say what came of it."""
        found: list[Report] = []

        async def command(reactor: Any) -> None:
            found.append(await self._ask(reactor, quiet))

        run(command)
        return found[0]

    async def _ask(self, reactor: Any, quiet: bool) -> Report:
        choice, tally = self.choice(), Tally([ServerTally() for _ in self._urls()], self.ignore)
        unreadable = ""
        with _bar(self.logs, quiet) as bar:

            def told(recorded: Recorded, endings: Sequence[Ending]) -> None:
                tally.add(recorded, endings)
                if tally.requests % EVERY == 0:
                    bar.update(self.logs.position - bar.pos)

            replay = self._replay(reactor, choice, told)
            reactor.addSystemEventTrigger("before", "shutdown", replay.stop, "It was interrupted.")
            try:
                await replay.run()
            except Unreadable as error:
                unreadable = str(error)
            bar.update(self.logs.position - bar.pos)
        return Report(
            logs=self.logs,
            choice=choice,
            replay=replay,
            tally=tally,
            tolerated=self.tolerate,
            unreadable=unreadable,
        )

    def _urls(self) -> list[str]:
        return [one for one in (self.server, self.compare) if one is not None]

    def _replay(self, reactor: Any, choice: Choice, told: Told) -> Replay:
        hashing = self.compare is not None and "body" not in self.ignore
        servers = [
            Server.at(one, reactor, host=self.host or "", aliases=self.aliases, hashing=hashing)
            for one in self._urls()
        ]
        return Replay(
            servers=servers,
            requests=choice.of(self.logs),
            reactor=reactor,
            told=told,
            connections=self.connections,
            speed=self.speed or None,
            follow=self.follow,
            timeout=self.timeout,
        )


def _bar(logs: Logs, quiet: bool) -> Any:
    """How much of the logs has been read."""
    return click.progressbar(length=logs.size, label="Replaying", hidden=quiet, file=sys.stderr)


def _would(value: dict[str, Any]) -> str:
    lines = [f"{value['requests']:,} of {value['lines']:,} requests would be asked."]
    lines += [f"  {count:>8,}  {kind}" for kind, count in value["kinds"].items()]
    lines += [f"  {count:>8,}  passed over: {why}" for why, count in value["passed_over"].items()]
    if value["malformed"]:
        lines.append(f"  {value['malformed']:>8,}  malformed")
    return "\n".join(lines)
