"""``cheeseshop legacy-usage``: what of the old is still used, by whom, and what could be switched off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from textwrap import fill
from typing import Any

import attrs
import click

from pypi.cli.running import application, configured, run, show
from pypi.configured import switches
from pypi.domain.usage import Judged, Verdict, judged

TOP = 3
"""Families of clients that are shown of each feature."""

SAFE = {Verdict.UNUSED: True, Verdict.ROBOTS: True, Verdict.USED: False}
"""What programs are told; of what is off, or not known, nothing."""

HEAD = ("feature", "requests", "share", "last seen (UTC)", "switch off?", "top clients")
FROM_THE_RIGHT = frozenset({"requests", "share"})


@click.command("legacy-usage")
@click.option(
    "--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Length of the period."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with all clients of each feature.")
@click.pass_context
def legacy_usage(context: click.Context, days: int, as_json: bool) -> None:
    """Show which features were used in the last days, and whether they could be switched off.

    A feature could be switched off if nobody used it in the period, or nobody but robots, who follow old
    links and come again whatever they find. As long as there are no records of the whole period, nothing is
    said of a feature that was not used. The share is that of all requests which used any feature. Workers
    add what they counted once a minute.
    """
    settings = configured(context)
    told: dict[str, Any] = {}

    async def command(reactor: Any) -> None:
        until = datetime.now(UTC).date()
        since = until - timedelta(days=days - 1)
        async with application(settings, reactor) as index:
            uses, recorded_since = await index.usage.since(since)
        features = judged(uses, switches(settings), since=since, recorded_since=recorded_since)
        told.update(_told(features, since, until, recorded_since))

    run(command)
    show(told, as_json=as_json, text=_text)


def _told(
    features: Sequence[Judged], since: date, until: date, recorded_since: date | None
) -> dict[str, Any]:
    return {
        "since": since,
        "until": until,
        "recorded_since": recorded_since,
        "requests": sum(one.requests for one in features),
        "features": [_feature(one) for one in features],
    }


def _feature(one: Judged) -> dict[str, Any]:
    return {
        "name": one.feature.name,
        "title": one.feature.title,
        "replacement": one.feature.replacement,
        "requests": one.requests,
        "share": round(one.share, 6),
        "last_seen": None if one.last_seen is None else one.last_seen.isoformat(timespec="minutes"),
        "clients": dict(one.clients),
        "verdict": one.verdict.name.lower(),
        "safe_to_switch_off": SAFE.get(one.verdict),
        "announced": None if one.announced is None else attrs.asdict(one.announced),
    }


def _text(told: dict[str, Any]) -> str:
    return "\n".join(_lines(told))


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"Features used from {told['since']} to {told['until']}: {told['requests']:,} requests."
    recorded = told["recorded_since"]
    if recorded is None:
        yield "Nothing is recorded yet."
    elif recorded > told["since"]:
        yield f"There are records since {recorded} only: what they do not show may be used all the same."
    features = told["features"]
    used = [one for one in features if one["requests"]]
    if used:
        yield ""
        yield from _table([HEAD, *map(_row, used)])
    for verdict, about in _UNUSED.items():
        names = [one["name"] for one in features if not one["requests"] and one["verdict"] == verdict]
        if names:
            yield f"\n{about}"
            yield fill(
                ", ".join(names), 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
            )
    yield from _hint(features)


_UNUSED = {
    "unused": "Not used in this period; these could be switched off:",
    "unknown": "Not used since there are records:",
    "off": "Switched off, and not asked for in this period:",
}


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    clients = list(one["clients"].items())
    shown = [f"{name} ({count:,})" for name, count in clients[:TOP]]
    more = [f"{len(clients) - TOP} more"] if len(clients) > TOP else []
    return (
        one["name"],
        f"{one['requests']:,}",
        f"{one['share']:.1%}",
        one["last_seen"][:16].replace("T", " "),
        "; ".join((Verdict[one["verdict"].upper()].value, *_goes(one["announced"]))),
        ", ".join((*shown, *more)),
    )


def _goes(announced: dict[str, Any] | None) -> Iterator[str]:
    for word, day in (announced or {}).items():
        if day is not None:
            yield f"{word} {day}"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            f"{cell:>{width}}" if head in FROM_THE_RIGHT else f"{cell:<{width}}"
            for cell, width, head in zip(row, widths, HEAD, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _hint(features: Iterable[dict[str, Any]]) -> Iterator[str]:
    """How one of them is switched off: the one that is asked for in vain most often, if there is one."""
    could = [one["name"] for one in features if one["safe_to_switch_off"]]
    if not could:
        return
    today = datetime.now(UTC).date()
    day, later = today + timedelta(days=30), today + timedelta(days=210)
    yield "\nFirst announce it, and later switch it off, in the configuration:"
    yield f'\n  [legacy.announced]\n  "{could[0]}" = {{ deprecated = {day}, sunset = {later} }}'
    yield f'\n  [legacy]\n  off = ["{could[0]}"]'
