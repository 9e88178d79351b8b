"""All routes, to be walked by tests: addresses of theirs, and people who are signed in to walk them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from attrs import frozen

from pypi.domain.permissions import Permission
from pypi.front import routes
from pypi.http import csrf
from pypi.http.router import Route
from pypi.http.terms import Credential
from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index
from tests.support.visitor import Visitor, operator, visitor

SESSION, VISIT = "cheeseshop-session", "cheeseshop-visit"

VALUES = {
    "name": "walked",
    "version": "1.0",
    "user": "grace",
    "filename": wheel_filename("walked", "1.0"),
    "secret": "s" * 43,
    "email": "1",
    "number": "1",
    "passkey": "a2V5",
    "token": "0123456789abcdef",
}
"""What stands for the values in patterns; of whatever else, anything does."""

ALL: Sequence[Route] = list({(route.method, route.path): route for route in routes()}.values())

PERSONAL: Sequence[Route] = [route for route in ALL if Credential.SESSION in route.terms.takes]
"""Routes that look at who is signed in."""

SHOWN: Sequence[Route] = [route for route in PERSONAL if route.method == "GET"]
SENT: Sequence[Route] = [route for route in PERSONAL if route.method == "POST"]


def address(route: Route, **values: str) -> str:
    """An address of a route."""
    return re.sub(r"<([^>]+)>", lambda found: (VALUES | values).get(found[1], "ab"), route.path)


def named(route: Route) -> str:
    """What its tests are called."""
    return f"{route.method} {route.path}"


@frozen
class People:
    """Somebody with a project, the same somebody at another browser, who runs the index, and nobody."""

    ada: Visitor
    elsewhere: Visitor
    otto: Visitor
    nobody: Visitor

    def of(self, route: Route) -> Visitor:
        """Who may ask a route."""
        return self.otto if route.terms.permission is Permission.ADMINISTER else self.ada


async def gather(index: Index) -> People:
    """Sign all of them in; what ``VALUES`` speak of is there."""
    reply = await index.upload(wheel("walked", "1.0"), VALUES["filename"])
    assert reply.status == 200, reply.text
    ada, elsewhere = await visitor(index, "ada"), await visitor(index, "ada")
    otto = await operator(index)
    nobody = await visitor(index)
    await nobody.look("/account/sign-in/")
    return People(ada, elsewhere, otto, nobody)


def token_of(somebody: Visitor) -> str:
    """A token of the forms they are shown."""
    secret = somebody.cookies.get(SESSION) or somebody.cookies[VISIT]
    return csrf.token(secret.encode(), secrets.token_bytes)
