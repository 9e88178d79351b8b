"""Who answers this path: all rooms on one screen."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import IResource

from pypi.http.router import klein_for


def public(*rooms: Any) -> IResource:
    """The resource behind the index's own listener: every route of these rooms, first come, first named."""
    return klein_for(rooms).resource()


def operators(*rooms: Any) -> IResource:
    """The resource behind the operator's listener, which is not for the public."""
    return klein_for(rooms).resource()
