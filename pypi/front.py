"""Who answers this path: all rooms on one screen."""

from __future__ import annotations

from typing import Any

from klein.resource import KleinResource

from legacy_compat.xmlrpc.resource import XmlRpc
from pypi.domain.switches import Switches
from pypi.http.keeping import Keeper
from pypi.http.router import SWITCHES, Route, klein_for
from pypi.web.changes import ChangeFeed
from pypi.web.downloads import Downloads
from pypi.web.json_api import JsonApi
from pypi.web.pages import Pages
from pypi.web.simple import SimpleApi
from pypi.web.upload import Upload

PUBLIC = (Pages, SimpleApi, JsonApi, ChangeFeed, XmlRpc, Upload, Downloads)
"""The rooms behind the index's own listener."""


def public(*rooms: Any, keeper: Keeper | None = None, switches: Switches = SWITCHES) -> KleinResource:
    """The resource behind the index's own listener: every route of these rooms.

    Args:
        keeper: of the answers that are kept.
        switches: which features are off, or announced to go.
    """
    return klein_for(rooms, keeper, switches).resource()


def operators(*rooms: Any) -> KleinResource:
    """The resource behind the operator's listener, which is not for the public."""
    return klein_for(rooms).resource()


def routes() -> list[Route]:
    """Every public route."""
    return [route for room in PUBLIC for route in room.router.routes]
