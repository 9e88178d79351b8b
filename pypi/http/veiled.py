"""Headers of answers that are for readers alone."""

from __future__ import annotations

from collections.abc import Sequence

ASKS_EACH_TIME = "private, no-cache"
"""A client may keep what it got, and asks each time whether that is still good: so it is asked who it is."""

NOBODYS = "private, no-store"

TO_OTHERS = ("surrogate-", "xkey", "cdn-cache-control", "cache-tag", "access-control-")
"""How headers begin that speak to shared caches, or of pages of other origins."""


def veiled(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers as readers get them: no shared cache and no page of another origin has any part in the answer.

    What nobody may keep stays so.
    """
    control = [value for name, value in headers if name.lower() == "cache-control"]
    shown = [
        one
        for one in headers
        if not one[0].lower().startswith(TO_OTHERS) and one[0].lower() != "cache-control"
    ]
    keeps = bool(control) and not any("no-store" in value for value in control)
    return [*shown, ("Cache-Control", ASKS_EACH_TIME if keeps else NOBODYS)]
