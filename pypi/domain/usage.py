"""What is known of the use of features, and what follows: may one be switched off?

The rule: a feature is not needed if nobody used it in the whole period, or nobody but robots, who follow old
links and come again whatever they find. It is not known as long as the records do not reach back so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import Enum

from attrs import frozen

from pypi.domain.clients import Kind, kind
from pypi.domain.features import FEATURES, Feature
from pypi.domain.switches import Announcement, Switches


@frozen
class Use:
    """How often a family of clients used a feature in a period.

    Attributes:
        last_seen: aware, UTC; to a minute.
    """

    feature: str
    family: str
    count: int
    last_seen: datetime


class Verdict(Enum):
    """Whether a feature may be switched off."""

    OFF = "is off"
    UNUSED = "yes: not used"
    ROBOTS = "yes: robots only"
    UNKNOWN = "not known yet"
    USED = "no"


@frozen
class Judged:
    """A feature, and what is known of its use in a period.

    Attributes:
        requests: that used it.
        share: of all requests that used a feature, from 0 to 1.
        clients: family → requests, most first.
        announced: when it goes, if that is announced.
    """

    feature: Feature
    requests: int
    share: float
    last_seen: datetime | None
    clients: Mapping[str, int]
    verdict: Verdict
    announced: Announcement | None = None


def judged(
    uses: Iterable[Use], switches: Switches, *, since: date, recorded_since: date | None
) -> list[Judged]:
    """Every feature, the most used first, and those that nobody uses by name.

    Args:
        uses: of the period.
        since: its first day.
        recorded_since: the first day of all that is recorded; ``None`` where nothing is.
    """
    by_feature: dict[str, list[Use]] = {name: [] for name in FEATURES}
    for use in uses:
        by_feature.setdefault(use.feature, []).append(use)
    whole = sum(use.count for of_one in by_feature.values() for use in of_one)
    is_known = recorded_since is not None and recorded_since <= since
    found = [_judged(name, of_one, switches, whole, is_known) for name, of_one in by_feature.items()]
    return sorted(found, key=lambda one: (-one.requests, one.feature.name))


def _judged(name: str, uses: list[Use], switches: Switches, whole: int, is_known: bool) -> Judged:
    requests = sum(use.count for use in uses)
    clients: dict[str, int] = {}
    for use in sorted(uses, key=lambda use: (-use.count, use.family)):
        clients[use.family] = clients.get(use.family, 0) + use.count
    return Judged(
        feature=FEATURES.get(name) or Feature(name, name, ""),
        requests=requests,
        share=requests / whole if whole else 0.0,
        last_seen=max((use.last_seen for use in uses), default=None),
        clients=clients,
        verdict=Verdict.OFF if name in switches.off else _verdict(clients, is_known),
        announced=switches.announced.get(name),
    )


def _verdict(clients: Mapping[str, int], is_known: bool) -> Verdict:
    if any(kind(family) is not Kind.ROBOT for family in clients):
        return Verdict.USED
    if not is_known:
        return Verdict.UNKNOWN
    return Verdict.ROBOTS if clients else Verdict.UNUSED
