"""Features: their names, what is said of those that are off, and when one goes."""

from __future__ import annotations

import re
from datetime import date

import pytest

from pypi.domain.features import FEATURES, SwitchedOff
from pypi.domain.switches import Announcement, Switches

MAY, JUNE = date(2027, 5, 1), date(2027, 6, 1)
FAMILIES = {"simple", "json", "feeds", "changes", "xmlrpc", "legacy"}


def test_every_feature_is_found_by_its_name() -> None:
    """The table's keys are the names, each of a known family, and fit for a label and for the environment."""
    assert [feature.name for feature in FEATURES.values()] == list(FEATURES)
    assert {name.partition(".")[0] for name in FEATURES} == FAMILIES
    assert [name for name in FEATURES if not re.fullmatch(r"[a-z]+(\.[A-Za-z0-9_]+)+", name)] == []


@pytest.mark.parametrize("name", FEATURES)
def test_what_is_said_of_one_that_is_off(name: str) -> None:
    """The refusal is two sentences: what is off, and what to use instead."""
    said = str(SwitchedOff(FEATURES[name]))
    assert re.fullmatch(r"[A-Z].* (is|are) switched off on this index\. [A-Z].*\.", said)
    assert len(said) < 200


def test_check() -> None:
    """A feature that is off is refused, and no other."""
    switches = Switches(off=frozenset({"xmlrpc.search"}))
    switches.check("xmlrpc.browse")
    with pytest.raises(SwitchedOff, match="XML-RPC method search is switched off"):
        switches.check("xmlrpc.search")


def test_several_features_go_when_the_first_of_them_goes() -> None:
    """What uses several features is told the earliest of the days that are announced."""
    switches = Switches(
        announced={
            "xmlrpc.search": Announcement(JUNE, date(2028, 1, 1)),
            "xmlrpc.browse": Announcement(MAY, None),
            "simple.html": Announcement(None, JUNE),
        }
    )
    assert switches.announcement(["xmlrpc.search"]) == Announcement(JUNE, date(2028, 1, 1))
    assert switches.announcement(["xmlrpc.search", "xmlrpc.browse", "simple.html"]) == Announcement(MAY, JUNE)
    assert switches.announcement(["json.project"]) is None
    assert switches.announcement([]) is None
    assert Switches().announcement(["xmlrpc.search"]) is None


def test_switches_are_told_the_same_way_by_every_process() -> None:
    """The line that caches tell makers of answers apart by does not depend on an order that is random."""
    names = sorted(FEATURES)
    assert len({str(Switches(off=frozenset(given))) for given in (names, names[::-1])}) == 1
    announced = Switches(announced={"simple.html": Announcement(MAY, JUNE)}, link="https://index.example/x")
    assert str(announced) == ("off: ; announced: simple.html=2027-05-01/2027-06-01; https://index.example/x")
