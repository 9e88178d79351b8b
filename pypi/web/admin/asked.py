"""What operators' lists are asked for by: words, pages, and the way to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

LONGEST = 200
"""Characters of what is looked for."""

LAST = 100_000
"""Pages of a list."""


def word(request: Any, name: str) -> str:
    """A parameter of the address; empty where it is not there."""
    given: list[bytes] = request.args.get(name.encode()) or [b""]
    return given[0].decode("utf-8", "replace").replace("\0", "").strip()[:LONGEST]


def page(request: Any) -> int:
    """Which page is meant; the first one where that is not said, or not understood."""
    text = word(request, "page")
    return max(1, min(int(text), LAST)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def turning(request: Any, asked: Mapping[str, str], *, is_more: bool) -> dict[str, Any]:
    """The ways from a page of a list to those beside it, as pages show them; empty where there is none."""
    number = page(request)
    return {
        "before": turn(asked, number - 1) if number > 1 else "",
        "more": turn(asked, number + 1) if is_more else "",
    }


def turn(asked: Mapping[str, str], number: int) -> str:
    """The address of another page of the same list."""
    return "?" + urlencode({name: value for name, value in (*asked.items(), ("page", str(number))) if value})
