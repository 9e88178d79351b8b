"""What came of a replay: as data, and as a page of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from pypi.shadow.choice import Choice
from pypi.shadow.compare import MATTERS
from pypi.shadow.record import Logs
from pypi.shadow.replay import Replay
from pypi.shadow.tally import Offenders, ServerTally, Tally

SHARES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))
SHOWN = 20
"""Offenders that are printed; the data hold ``MOST_IN_DATA``."""

MOST_IN_DATA = 200

Value = dict[str, Any]


@frozen(kw_only=True)
class Report:
    """A replay that is over.

    Attributes:
        tolerated: percent of the requests that may go otherwise.
        unreadable: why the logs could not be read to their end.
    """

    logs: Logs
    choice: Choice
    replay: Replay
    tally: Tally
    tolerated: float = 0.0
    unreadable: str = ""

    @property
    def is_good(self) -> bool:
        """Whether everybody answered, nobody with 5xx, and no more went otherwise than is tolerated."""
        tally = self.tally
        failures = sum(server.failures for server in tally.servers)
        allowed = tally.requests * self.tolerated / 100
        return not failures and not self.stopped and tally.different <= allowed

    @property
    def stopped(self) -> str:
        """Why not all was asked; empty where it was."""
        return self.replay.stopped or self.unreadable

    def value(self) -> Value:
        """All of it, fit for JSON; times in seconds unless they say otherwise."""
        replay, tally, seconds = self.replay, self.tally, max(self.replay.seconds, 1e-9)
        found: Value = {
            "good": self.is_good,
            "stopped": self.stopped,
            "requests": tally.requests,
            "answers": replay.exchanges,
            "different": tally.different,
            "seconds": round(replay.seconds, 3),
            "requests_per_second": round(tally.requests / seconds, 1),
            "recorded_seconds": round(replay.last - replay.first, 3),
            "times_as_fast": round((replay.last - replay.first) / seconds, 1),
            "latest_seconds": round(replay.late, 3),
            "log": {
                "lines": self.logs.lines,
                "malformed": self.logs.malformed,
                "examples": self.logs.examples,
                "passed_over": dict(self.choice.passed_over.most_common()),
            },
            "servers": [
                _server(server.url, counted)
                for server, counted in zip(replay.servers, tally.servers, strict=True)
            ],
        }
        if len(tally.servers) == 2:
            found["between"] = {
                "different": tally.different,
                "kinds": dict(tally.kinds.most_common()),
                "offenders": _offenders(tally.offenders),
            }
        return found


def _server(url: str, tally: ServerTally) -> Value:
    latency = tally.latency
    times = {name: round(1e3 * latency.at(share), 3) for name, share in SHARES}
    return {
        "url": url,
        "failures": tally.failures,
        "statuses": [
            {"then": then, "now": now, "requests": count}
            for (then, now), count in sorted(tally.statuses.items())
        ],
        "changes": dict(tally.kinds.most_common()),
        "redirects": {str(hops): count for hops, count in sorted(tally.hops.items())},
        "errors": dict(tally.errors.most_common(20)),
        "bytes": tally.bytes,
        "milliseconds": times | {"longest": round(1e3 * latency.longest, 3)},
        "offenders": _offenders(tally.offenders),
    }


def _offenders(table: Offenders) -> list[Value]:
    return [
        {
            "kind": kind,
            "shape": shape,
            "one": one,
            "other": other,
            "requests": found.requests,
            "example": found.example,
        }
        for (kind, shape, one, other), found in list(table.top())[:MOST_IN_DATA]
    ]


def text(value: Value) -> str:
    """The data for people."""
    return "\n".join(_lines(value))


def _lines(value: Value) -> Iterator[str]:
    took = f"{value['requests']:,} requests in {value['seconds']:,.1f} s"
    rate = f"{value['requests_per_second']:,.0f}/s, {value['times_as_fast']:,.0f} times as fast as recorded"
    yield f"{took}: {rate}{_late(value['latest_seconds'])}."
    if value["stopped"]:
        yield f"Stopped: {value['stopped']}"
    log = value["log"]
    if log["passed_over"]:
        yield f"Passed over: {_counts(log['passed_over'])}."
    if log["malformed"]:
        yield f"{log['malformed']:,} of {log['lines']:,} lines are malformed: {'; '.join(log['examples'])}."
    for server in value["servers"]:
        yield from _server_lines(server)
    if "between" in value:
        between = value["between"]
        yield ""
        yield f"Different between the two: {between['different']:,} requests ({_counts(between['kinds'])})."
        yield from _table(between["offenders"])


def _late(seconds: float) -> str:
    return f", up to {seconds:,.1f} s behind it" if seconds > 0.1 else ""


def _server_lines(server: Value) -> Iterator[str]:
    yield ""
    yield f"{server['url']}: {server['failures']:,} of 5xx, {server['bytes']:,} bytes"
    times = ", ".join(f"{name} {value:,.1f}" for name, value in server["milliseconds"].items())
    yield f"  milliseconds: {times}"
    by_then: dict[int, Counter[str]] = {}
    for one in server["statuses"]:
        by_then.setdefault(one["then"], Counter())[str(one["now"] or "none")] += one["requests"]
    yield from (f"  {then} then: {_counts(dict(now.most_common()))} now" for then, now in by_then.items())
    if set(server["redirects"]) - {"0"}:
        yield f"  redirects followed: {_counts(server['redirects'])}"
    changes = {MATTERS.get(kind, kind): count for kind, count in server["changes"].items() if kind in MATTERS}
    if changes:
        yield f"  what matters: {_counts(changes)}"
    if server["errors"]:
        yield f"  no answers: {_counts(server['errors'])}"
    yield from _table(server["offenders"])


def _table(offenders: list[Value]) -> Iterator[str]:
    for one in offenders[:SHOWN]:
        statuses = f"{one['one']} → {one['other']}"
        yield f"  {one['requests']:>8,}  {one['kind']:10}  {statuses:9}  {one['shape']:32}  {one['example']}"
    if len(offenders) > SHOWN:
        yield f"            and {len(offenders) - SHOWN:,} kinds more"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing"
