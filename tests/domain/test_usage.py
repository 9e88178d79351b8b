"""What is said of features by their use."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pypi.domain.features import FEATURES
from pypi.domain.switches import Announcement, Switches
from pypi.domain.usage import Judged, Use, Verdict, judged

SINCE, BEFORE, AFTER = date(2026, 10, 23), date(2026, 1, 1), date(2026, 11, 1)
NOON, EVENING = datetime(2026, 11, 20, 12, tzinfo=UTC), datetime(2026, 11, 20, 20, tzinfo=UTC)

USES = (
    Use("simple.json", "pip 24", 60, NOON),
    Use("simple.json", "uv 0", 30, EVENING),
    Use("xmlrpc.search", "pip 9", 5, NOON),
    Use("xmlrpc.browse", "Googlebot", 4, NOON),
    Use("xmlrpc.browse", "other robot", 1, NOON),
)


def by_name(
    uses: tuple[Use, ...] = USES, switches: Switches = Switches(), recorded_since: date | None = BEFORE
) -> dict[str, Judged]:
    """What is said of each."""
    found = judged(uses, switches, since=SINCE, recorded_since=recorded_since)
    return {one.feature.name: one for one in found}


def test_every_feature_is_there_the_most_used_first() -> None:
    """Every feature is told of, by its requests and then by its name."""
    found = judged(USES, Switches(), since=SINCE, recorded_since=BEFORE)
    names = [one.feature.name for one in found]
    assert names[:3] == ["simple.json", "xmlrpc.browse", "xmlrpc.search"]
    assert names[3:] == sorted(set(FEATURES) - set(names[:3]))


def test_what_is_said_of_one() -> None:
    """Requests, their share, the last time, and clients with the most requests first."""
    one = by_name()["simple.json"]
    assert (one.requests, one.share, one.last_seen) == (90, 0.9, EVENING)
    assert list(one.clients.items()) == [("pip 24", 60), ("uv 0", 30)]
    nobody = by_name()["xmlrpc.changelog"]
    assert (nobody.requests, nobody.share, nobody.last_seen, nobody.clients) == (0, 0.0, None, {})
    assert by_name(())["simple.json"].share == 0


@pytest.mark.parametrize(
    ("name", "recorded_since", "verdict"),
    [
        ("simple.json", BEFORE, Verdict.USED),
        ("simple.json", AFTER, Verdict.USED),
        ("xmlrpc.browse", SINCE, Verdict.ROBOTS),
        ("xmlrpc.browse", AFTER, Verdict.UNKNOWN),
        ("xmlrpc.changelog", SINCE, Verdict.UNUSED),
        ("xmlrpc.changelog", AFTER, Verdict.UNKNOWN),
        ("xmlrpc.changelog", None, Verdict.UNKNOWN),
    ],
)
def test_verdicts(name: str, recorded_since: date | None, verdict: Verdict) -> None:
    """What nobody used, or robots alone, could be switched off, if there are records of the whole period."""
    assert by_name(recorded_since=recorded_since)[name].verdict is verdict


def test_what_is_off_or_goes() -> None:
    """What is off is said to be, also where it is still asked for; and of what goes, when."""
    goes = Announcement(sunset=date(2027, 6, 1))
    switches = Switches(off=frozenset({"xmlrpc.search"}), announced={"xmlrpc.browse": goes})
    found = by_name(switches=switches)
    assert found["xmlrpc.search"].verdict is Verdict.OFF
    assert found["xmlrpc.search"].requests == 5
    assert found["xmlrpc.browse"].announced == goes


def test_features_of_another_version() -> None:
    """A feature that a later version no longer has is shown by its name alone."""
    one = by_name((Use("xmlrpc.gone", "pip 9", 1, NOON),))["xmlrpc.gone"]
    assert (one.feature.title, one.verdict) == ("xmlrpc.gone", Verdict.USED)
