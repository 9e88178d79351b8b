"""What is over is forgotten, in pieces."""

from __future__ import annotations

from attrs import define

from pypi.jobs.tidy import MOST, TIDIED, Tidy


@define
class Kind:
    """Something of which there is so much."""

    left: int
    calls: int = 0

    async def tidy(self) -> int:
        """Remove a piece."""
        self.calls += 1
        removed = min(self.left, TIDIED)
        self.left -= removed
        return removed


async def test_all_of_it() -> None:
    """Each kind is tidied until there is no more of it."""
    kinds = [Kind(0), Kind(2 * TIDIED), Kind(2 * TIDIED + 1)]
    await Tidy(kinds=[kind.tidy for kind in kinds]).run()
    assert [(kind.left, kind.calls) for kind in kinds] == [(0, 1), (0, 3), (0, 3)]


async def test_bounded() -> None:
    """What is too much for one run waits for the next."""
    kind = Kind((MOST + 1) * TIDIED)
    await Tidy(kinds=[kind.tidy]).run()
    assert kind.left == TIDIED
