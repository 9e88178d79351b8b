"""Forgets what is over: sessions, proofs, throttles, sign-ins under way, addresses in the security log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from attrs import field, frozen

TIDIED = 1000
"""Of each kind, what one transaction removes; where it was less, that was all."""

MOST = 100
"""Transactions of one kind in a run: what is left then waits for the next."""


@frozen(kw_only=True, eq=False)
class Tidy:
    """Has each kind tidied, a bounded number at once.

    Attributes:
        kinds: each removes some, and says how many.
    """

    every: ClassVar[float] = 3600.0
    kinds: Sequence[Callable[[], Awaitable[int]]] = field(repr=False)

    async def run(self) -> None:
        """Remove what there is."""
        for tidy in self.kinds:
            for _ in range(MOST):
                if await tidy() < TIDIED:
                    break
