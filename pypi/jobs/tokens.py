"""Writes down when tokens were used last."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from pypi.accounts.last_used import LastUsed


@frozen(eq=False)
class KeepTokenUse:
    """Writes down what a worker has noted; what it cannot is noted again at the next use."""

    every: ClassVar[float] = 5.0
    last_used: LastUsed

    async def run(self) -> None:
        """Write it down.

        Raises:
            DatabaseDown: nobody can.
        """
        await self.last_used.keep()
