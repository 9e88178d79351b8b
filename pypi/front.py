"""Who answers this path: all rooms on one screen."""

from __future__ import annotations

from typing import Any

from klein.resource import KleinResource

from pypi.http.router import klein_for


def public(*rooms: Any) -> KleinResource:
    """The resource behind the index's own listener: every route of these rooms."""
    return klein_for(rooms).resource()


def operators(*rooms: Any) -> KleinResource:
    """The resource behind the operator's listener, which is not for the public."""
    return klein_for(rooms).resource()
