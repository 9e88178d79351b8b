"""Readers of what the operator says of features: which are off, and which are announced to go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from pypi.config.values import NotAllowed, table, text, texts
from pypi.domain.features import FEATURES
from pypi.domain.switches import Announcement

DAY = "a day such as 2027-06-01"
MEMBERS = frozenset({"deprecated", "sunset"})


def features(value: object) -> tuple[str, ...]:
    """Names of features, ``xmlrpc.*`` written out."""
    return tuple(dict.fromkeys(name for one in texts(value) for name in _meant(one)))


def announcements(value: object) -> Mapping[str, Announcement]:
    """When features go: a table of tables, or in the environment ``name=deprecated/sunset, …``."""
    if isinstance(value, str):
        value = {name: _written(days) for name, days in table(value).items()}
    if not isinstance(value, dict):
        raise NotAllowed("a table of features (in the environment: name=deprecated/sunset, …)")
    return {name: _announcement(one, days) for one, days in value.items() for name in _meant(one)}


def _meant(one: str) -> Iterator[str]:
    family, star = one[:-1], one[-1:]
    names = [name for name in FEATURES if name == one or (star == "*" and name.startswith(family))]
    if not names or (star == "*" and family[-1:] not in ("", ".")):
        raise NotAllowed(
            f"the name of a feature or of a family, such as xmlrpc.search or xmlrpc.*{_near(one)}"
        )
    yield from names


def _near(one: str) -> str:
    import difflib  # only for who has written it wrong

    near = difflib.get_close_matches(one, FEATURES, n=3, cutoff=0.5)
    return f"; {one!r} is none, near it are {', '.join(near)}" if near else f"; {one!r} is none"


def _written(days: str) -> Mapping[str, str]:
    deprecated, _, sunset = days.partition("/")
    given = {"deprecated": deprecated.strip(), "sunset": sunset.strip()}
    return {name: day for name, day in given.items() if day}


def _announcement(name: str, days: object) -> Announcement:
    if not isinstance(days, dict) or not days or not set(days) <= MEMBERS:
        raise NotAllowed(f"for {name} a day deprecated, a day sunset, or both, each {DAY}")
    read = {member: _day(name, day) for member, day in days.items()}
    told = Announcement(**read)
    if told.deprecated is not None and told.sunset is not None and told.sunset < told.deprecated:
        raise NotAllowed(f"for {name} a sunset that is not before it is deprecated (RFC 9745)")
    return told


def _day(name: str, value: object) -> date:
    if isinstance(value, datetime):
        raise NotAllowed(f"for {name} {DAY}, without a time")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(text(value))
    except ValueError:
        raise NotAllowed(f"for {name} {DAY}") from None
