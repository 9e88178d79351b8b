"""A person with a browser, without one: keeps cookies, fills in forms of pages, follows where led."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from urllib.parse import urlencode, urljoin, urlsplit

from attrs import define, field

from tests.support import client
from tests.support.client import Reply
from tests.support.index import OWNER, Index

HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
PASSWORD = "correct horse battery"
"""Of the accounts that tests make."""

Fields = Mapping[str, str | Sequence[str]]

NONE: Fields = {}
HEADERS: Mapping[str, str] = {}

_FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')
_INPUT = re.compile(r"<input\b([^>]*)>")


@define(eq=False)
class Visitor:
    """Somebody who looks at an index.

    Attributes:
        port: of the index.
        cookies: by name.
        seen: the page shown last.
        path: its address.
    """

    port: int
    cookies: dict[str, str] = field(factory=dict)
    seen: Reply | None = None
    path: str = "/"

    async def look(self, path: str, *, follow: bool = True) -> Reply:
        """Go to a page; where it leads elsewhere, there."""
        return await self._ask("GET", path, {}, b"", follow=follow)

    async def send(
        self, action: str, fields: Fields = NONE, *, follow: bool = True, headers: Mapping[str, str] = HEADERS
    ) -> Reply:
        """Fill in the form of the page shown last whose action this is, and send it.

        What is not filled in is sent as the page has it; hidden fields, the token among them, too.
        """
        found = self.forms().get(action)
        assert found is not None, f"{self.path} has no form for {action}, only for {sorted(self.forms())}"
        return await self.post(action, {**found, **fields}, follow=follow, headers=headers)

    async def post(
        self, action: str, fields: Fields, *, follow: bool = True, headers: Mapping[str, str] = HEADERS
    ) -> Reply:
        """Send just these fields, as a page of this index."""
        body = urlencode(fields, doseq=True).encode()
        origin = f"http://127.0.0.1:{self.port}"
        more = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin, **headers}
        return await self._ask("POST", action, more, body, follow=follow)

    def forms(self) -> dict[str, dict[str, str]]:
        """The forms of the page shown last: what their fields hold, by action."""
        assert self.seen is not None
        return forms_of(self.seen.text, self.path)

    async def sign_in(self, name: str = OWNER, password: str = PASSWORD) -> Reply:
        """Sign in by the form."""
        await self.look("/account/sign-in/")
        return await self.send("/account/sign-in/", {"name": name, "password": password})

    async def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, follow: bool
    ) -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Accept": HTML, "Cookie": cookie or None, **headers}
        reply = await client.ask(self.port, method, path, sent, body)
        self._keep(reply)
        for _ in range(5):
            if not follow or reply.status not in (301, 302, 303, 307, 308):
                break
            path = urljoin(path, reply["Location"])
            parts = urlsplit(path)
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            reply = await client.ask(self.port, "GET", path, {"Accept": HTML, "Cookie": cookie or None})
            self._keep(reply)
        self.seen, self.path = reply, path
        return reply

    def _keep(self, reply: Reply) -> None:
        for name, value in reply.fields:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                text = rest.partition(";")[0]
                if "Max-Age=0" in value:
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = text


def forms_of(page: str, path: str) -> dict[str, dict[str, str]]:
    """The forms of a page: what their fields hold, by action.

    Args:
        path: of the page, to which forms go that do not say where.
    """
    found: dict[str, dict[str, str]] = {}
    for attributes, inside in _FORM.findall(page):
        action = unescape(dict(_ATTRIBUTE.findall(attributes)).get("action", path))
        inputs = [dict(_ATTRIBUTE.findall(one)) for one in _INPUT.findall(inside)]
        found[action] = {
            unescape(one["name"]): unescape(one.get("value", ""))
            for one in inputs
            if "name" in one and one.get("type") not in ("checkbox", "radio", "submit", "file")
        }
    return found


async def visitor(index: Index, name: str | None = None) -> Visitor:
    """Somebody, signed in where a name is given; the account is made if need be, with ``PASSWORD``."""
    found = Visitor(index.port)
    if name is not None:
        await give_password(index, name)
        reply = await found.sign_in(name)
        assert reply.status == 200, reply.text
    return found


async def give_password(index: Index, name: str) -> None:
    """See to it that there is an account of a name, and that ``PASSWORD`` is its password."""
    known = index.sql(f"SELECT password_hash FROM users WHERE name = '{name}'")
    if not known:
        await index.add_user(name, password=PASSWORD)
    elif known == [(None,)]:
        hashed = await index.application.accounts.passwords.hash(PASSWORD)
        index.sql(f"UPDATE users SET password_hash = '{hashed}' WHERE name = '{name}'")


async def operator(index: Index, name: str = "otto") -> Visitor:
    """Somebody who runs the index, and has shown a second factor in this session."""
    found = await visitor(index, name)
    whose = f"(SELECT id FROM users WHERE name = '{name}')"
    index.sql(f"UPDATE users SET is_admin = true WHERE name = '{name}'")
    index.sql(
        "INSERT INTO totp (user_id, secret, confirmed, last_step)"
        f" VALUES ({whose}, 'a secret of no use', now(), 0)"
        " ON CONFLICT DO NOTHING"
    )
    index.sql(f"UPDATE sessions SET second_factor = now() WHERE user_id = {whose}")
    return found
