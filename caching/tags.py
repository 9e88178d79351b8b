"""What is known of changes: the last serial that touched each tag."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

MOST = 200_000


@define(eq=False, repr=False)
class Known:
    """Remembers, for each tag, the serial of the last change that touched it; bounded.

    A tag it does not remember was last touched at ``floor`` at the latest: forgetting never makes anything
    look fresher than it is.

    Attributes:
        last: every change up to this serial has been applied.
        floor: serial no forgotten tag was touched after.
        most: tags remembered at most.
    """

    last: int = 0
    floor: int = 0
    most: int = MOST
    _serials: dict[str, int] = field(factory=dict, init=False)

    def __repr__(self) -> str:
        return f"<Known up to {self.last}, {len(self._serials)} tags, others before {self.floor}>"

    def touch(self, serial: int, tags: Iterable[str]) -> None:
        """A change touched these tags. Changes may be told twice, and out of order."""
        serials = self._serials
        for tag in tags:
            serials[tag] = max(serial, serials.pop(tag, self.floor))
        while len(serials) > self.most:
            oldest = next(iter(serials))
            self.floor = max(self.floor, serials.pop(oldest))

    def advance(self, serial: int) -> None:
        """Every change up to ``serial`` has been told."""
        self.last = max(self.last, serial)

    def start(self, serial: int) -> None:
        """Know nothing of changes up to ``serial``: only what was made since then can be trusted."""
        self.floor = max(self.floor, serial)
        self.advance(serial)

    def restart(self, serial: int) -> None:
        """Serials have been taken back, or lost: only what is made at ``serial`` or later can be trusted."""
        self._serials.clear()
        self.floor = self.last = serial

    def of(self, tags: Iterable[str]) -> int:
        """The last serial that may have touched any of these tags; 0 for none."""
        floor = self.floor
        serials = self._serials
        return max((serials.get(tag, floor) for tag in tags), default=0)

    def admits(self, serial: int, tags: Iterable[str]) -> bool:
        """Whether what was made from a snapshot at ``serial`` is still true."""
        return serial >= self.of(tags)
