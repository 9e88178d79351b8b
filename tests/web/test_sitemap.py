"""The sitemap in the documents, compared with the routes there are."""

from __future__ import annotations

import re
from pathlib import Path

import pypi
from pypi.front import PUBLIC

DOCUMENT = Path(pypi.__file__).parents[1] / "docs" / "pages.md"


def test_every_page_is_on_the_map() -> None:
    """The sitemap names each page once, and no other; those of people, and those for one person."""
    shows = {"templates", "pages", "desk"}
    rooms = [room for room in PUBLIC if shows & set(getattr(room, "__annotations__", {}))]
    there = sorted(route.path for room in rooms for route in room.router.routes if route.method == "GET")
    mapped = sorted(re.findall(r"^\| `(/[^`]*)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    assert mapped == there
