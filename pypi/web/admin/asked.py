"""What operators' lists are asked for by: words, and the way to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pypi.web.personal import given, page_number

LONGEST = 200
"""Characters of what is looked for."""


def word(request: Any, name: str) -> str:
    """A parameter of the address; empty where it is not there."""
    return given(request, name).replace("\0", "").strip()[:LONGEST]


def turning(request: Any, same: Mapping[str, str], *, is_more: bool) -> dict[str, Any]:
    """The ways from a page of a list to those beside it, as pages show them; empty where there is none."""
    number = page_number(request)
    return {
        "before": turn(same, number - 1) if number > 1 else "",
        "more": turn(same, number + 1) if is_more else "",
    }


def turn(same: Mapping[str, str], number: int) -> str:
    """The address of another page of the same list."""
    return "?" + urlencode({name: value for name, value in (*same.items(), ("page", str(number))) if value})
