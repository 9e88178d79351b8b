"""A rate: so many in so many seconds."""

from __future__ import annotations

import re

from attrs import frozen

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@frozen
class Rate:
    """So many in so many seconds, as people write it: ``3600/hour``.

    Attributes:
        amount: at least 1.
    """

    amount: int
    seconds: int

    @classmethod
    def of(cls, text: str) -> Rate:
        """The rate that is written so.

        Raises:
            ValueError: it is none.
        """
        found = re.fullmatch(r"([1-9][0-9]*)/(second|minute|hour|day)", text)
        if found is None:
            raise ValueError(f"{text!r} is no rate")
        return cls(int(found[1]), UNITS[found[2]])

    @classmethod
    def scaled(cls, text: str, factor: float) -> Rate | None:
        """So many times what is written; ``None``, no limit, for ``off`` and for a factor of 0.

        Raises:
            ValueError: it is no rate.
        """
        if text == "off" or not factor:
            return None
        rate = cls.of(text)
        return cls(max(1, round(rate.amount * factor)), rate.seconds)

    def __str__(self) -> str:
        unit = next((name for name, seconds in UNITS.items() if seconds == self.seconds), None)
        return f"{self.amount}/{unit or f'{self.seconds} seconds'}"
