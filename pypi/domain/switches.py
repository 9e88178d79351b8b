"""Switches: which features the operator has switched off, and which are announced to go."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from attrs import field, frozen

from pypi.domain.features import FEATURES, SwitchedOff


@frozen
class Announcement:
    """When a feature goes; days begin at midnight UTC.

    Attributes:
        deprecated: from when on nobody should begin to use it (RFC 9745); it may lie ahead.
        sunset: from when on it may be gone (RFC 8594).
    """

    deprecated: date | None = None
    sunset: date | None = None

    def __str__(self) -> str:
        """As in the environment: ``2026-12-01/2027-06-01``."""
        return "/".join("" if day is None else day.isoformat() for day in (self.deprecated, self.sunset))

    def earlier(self, other: Announcement) -> Announcement:
        """What is true of both together: of each day the earlier one."""
        return Announcement(
            _first(self.deprecated, other.deprecated),
            _first(self.sunset, other.sunset),
        )


@frozen(kw_only=True)
class Switches:
    """What the operator says of features.

    Attributes:
        off: names of those that are switched off.
        announced: name → when it goes.
        link: URL of a page that says more; empty where there is none.
    """

    off: frozenset[str] = frozenset()
    announced: Mapping[str, Announcement] = field(factory=dict)
    link: str = ""

    def __str__(self) -> str:
        """All of it on one line, the same in every process."""
        told = ", ".join(f"{name}={one}" for name, one in sorted(self.announced.items()))
        return f"off: {', '.join(sorted(self.off))}; announced: {told}; {self.link}"

    def check(self, name: str) -> None:
        """Let a feature pass, or not.

        Raises:
            SwitchedOff: it is switched off.
        """
        if name in self.off:
            raise SwitchedOff(FEATURES[name])

    def announcement(self, names: Collection[str]) -> Announcement | None:
        """What is announced of these features together; ``None`` where nothing is."""
        if not self.announced:
            return None
        told: Announcement | None = None
        for one in self._announcements(names):
            told = one if told is None else told.earlier(one)
        return told

    def _announcements(self, names: Collection[str]) -> Iterator[Announcement]:
        return (self.announced[name] for name in names if name in self.announced)


def _first(one: date | None, other: date | None) -> date | None:
    return min(one, other) if one is not None and other is not None else one or other
