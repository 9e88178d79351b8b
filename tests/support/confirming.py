"""New browsers in tests, and letters that ask about them: known without one, or let in by one."""

from __future__ import annotations

import hashlib
import secrets

from pypi.accounts import secret
from tests.support.client import Reply
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import Visitor

BROWSER = "cheeseshop-browser"
"""The cookie by which a browser is known."""


def known(index: Index, name: str, somebody: Visitor | None = None) -> Visitor:
    """Somebody with a browser in which an account was signed in to before, and nobody is now."""
    found = Visitor(index.port) if somebody is None else somebody
    text = found.cookies.setdefault(BROWSER, secret.make(secrets.token_bytes))
    ((user_id,),) = index.sql(f"SELECT id FROM users WHERE name = '{name}'")
    digest = hashlib.sha256(f"{user_id}/{text}".encode()).hexdigest()
    index.sql(
        f"INSERT INTO browsers (user_id, digest, seen) VALUES ({user_id}, '\\x{digest}', now())"
        " ON CONFLICT DO NOTHING"
    )
    return found


def links(index: Index, name: str) -> list[str]:
    """Where the letters lead that ask an account whether it signs in with a new browser, oldest first."""
    letters = letters_to(index, f"{name}@people.example")
    return [one["about"]["path"] for one in letters if one["letter"] == "confirm-sign-in"]


async def confirm(index: Index, name: str, somebody: Visitor, *, follow: bool = True) -> Reply:
    """Answer the last of these letters in a browser that waits: it is let in."""
    path = links(index, name)[-1]
    await somebody.look(path)
    return await somebody.send(path, follow=follow)
