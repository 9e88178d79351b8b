"""A provider of OpenID Connect: where it sends people, and what it says of those who come back.

Nothing is believed that was not asked of the issuer the operator named: it says itself where its parts are,
and secrets go there by TLS alone.

Source: OpenID Connect Core 1.0, section 3.1 (the code flow); RFC 6749; RFC 7636 (PKCE); RFC 9207 (``iss``).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote_plus, urlencode, urlsplit

import orjson
from attrs import define, field
from twisted.logger import Logger

from caching.client import Client, NoReply, Reply
from pypi.accounts.openid_errors import ProviderDown, ProviderRefused, ProviderUntrue, Untrue
from pypi.accounts.openid_parts import Parts, Published, object_in

if TYPE_CHECKING:
    from pypi.accounts.openid_tokens import Claims, Person

T = TypeVar("T")

log = Logger()

RARELY = 60.0
"""Seconds between two looks at its keys, however many unknown ones are spoken of."""

IsNew = Callable[["Person"], Awaitable[bool]]

WELL_KNOWN = "/.well-known/openid-configuration"

LONGEST_CODE = 4096
"""Characters of a code."""


@define(eq=False, kw_only=True)
class Provider:
    """One provider, which this index is known to.

    Attributes:
        issuer: as it calls itself.
        name: as people call it.
        redirect_uri: where it sends people back to.
        client: bounded in time and bytes; follows no redirects, and looks at certificates.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    redirect_uri: str
    client: Client = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    _parts: Published[Parts] = field(init=False, repr=False)
    _keys: Published[list[Mapping[str, Any]]] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        patience = 3 * self.client.timeout
        self._parts = Published(self._fetch_parts, self.client.reactor, patience)
        self._keys = Published(self._fetch_keys, self.client.reactor, patience)

    async def probe(self) -> None:
        """Make sure that it answers, and publishes what is needed.

        Raises:
            NoReply, Untrue: it does not.
        """
        await self._parts.get(younger_than=0.0)
        await self._keys.get(younger_than=0.0)

    async def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where somebody is sent to sign in.

        Raises:
            ProviderDown, ProviderUntrue: it cannot be found out.
        """
        parts = await self._said(self._parts.get())
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "scope": " ".join(self.scopes),
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{parts.authorize}{'&' if '?' in parts.authorize else '?'}{query}"

    async def check_sender(self, issuer: str | None) -> None:
        """Make sure that it was this provider that sent somebody back.

        Args:
            issuer: who it says it is; ``None`` where it does not say.

        Raises:
            ProviderUntrue: it was another one.
            ProviderDown: nobody can say.
        """
        if issuer is None and not (await self._said(self._parts.get())).names_itself:
            return
        if issuer != self.issuer:
            raise self._untrue(Untrue("somebody came back from another issuer"))

    async def redeem(self, code: str, *, verifier: str, nonce: str, asked: datetime, is_new: IsNew) -> Person:
        """Whom a code stands for.

        Args:
            asked: when somebody was sent there for it.
            is_new: told the ``Person``, says whether more should be asked of them.

        Raises:
            ProviderDown, ProviderRefused, ProviderUntrue: nobody can say.
        """
        return await self._said(self._redeem(code, verifier, nonce, asked, is_new))

    async def _redeem(self, code: str, verifier: str, nonce: str, asked: datetime, is_new: IsNew) -> Person:
        tokens = self._tokens()
        answer = await self._exchange(code, verifier)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str):
            raise Untrue("it hands out no token of who somebody is")
        expected = tokens.Expected(issuer=self.issuer, audience=self.client_id, nonce=nonce, asked=asked)
        claims = await self._verified(token, expected)
        found: Person = tokens.person(claims)
        # What is signed says more than what is told beside it, also where it says that nothing is verified.
        if "email_verified" not in claims and isinstance(access, str) and await is_new(found):
            found = tokens.person(claims, await self._more(claims, access))
        return found

    async def _verified(self, token: str, expected: Any) -> Claims:
        tokens = self._tokens()
        try:
            found: Claims = tokens.verified(token, await self._keys.get(), expected, now=self.now())
        except tokens.UnknownKey:
            keys = await self._keys.get(younger_than=RARELY)
            found = tokens.verified(token, keys, expected, now=self.now())
        return found

    async def _exchange(self, code: str, verifier: str) -> Mapping[str, Any]:
        parts = await self._parts.get()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if parts.by_header:
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        reply = await self.client.ask("POST", parts.token, headers, urlencode(form).encode())
        if reply.status in (400, 401, 403):
            self._refused(reply)
        return object_in(reply)

    async def _more(self, claims: Claims, access: str) -> Mapping[str, Any]:
        """What it says of somebody beside the token; nothing where it is of somebody else."""
        url = (await self._parts.get()).told
        if not url or len(access) > LONGEST_CODE or not access.isascii() or not access.isprintable():
            return {}
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access}"}
        found = object_in(await self.client.ask("GET", url, headers))
        if found.get("sub") != claims["sub"]:
            raise Untrue("it tells of somebody else than its token")
        return found

    async def _fetch_parts(self) -> Parts:
        return Parts.of(await self._published(self.issuer.rstrip("/") + WELL_KNOWN), self.issuer)

    async def _fetch_keys(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self._tokens().keys_in(
            await self._published((await self._parts.get()).keys)
        )
        return found

    async def _published(self, url: str) -> Mapping[str, Any]:
        return object_in(await self.client.ask("GET", url, {"Accept": "application/json"}))

    async def _said(self, asking: Awaitable[T]) -> T:
        """What was said, or a sentence on why nothing comes of it; the log tells the operator more."""
        try:
            return await asking
        except NoReply as reason:
            log.warn(
                "OpenID Connect: {issuer} does not answer: {reason}", issuer=self.issuer, reason=str(reason)
            )
            raise ProviderDown(self.name) from None
        except Untrue as reason:
            raise self._untrue(reason) from None

    def _untrue(self, reason: Untrue) -> ProviderUntrue:
        log.warn("OpenID Connect: {issuer} is not believed: {reason}", issuer=self.issuer, reason=str(reason))
        return ProviderUntrue(self.name)

    def _refused(self, reply: Reply) -> None:
        try:
            error = _text(orjson.loads(reply.body).get("error"))
        except (orjson.JSONDecodeError, AttributeError):
            error = ""
        log.warn(
            "OpenID Connect: {issuer} redeems no code: {status} {error}",
            issuer=self.issuer,
            status=reply.status,
            error=error,
        )
        raise ProviderRefused(self.name)

    def _tokens(self) -> ModuleType:
        from pypi.accounts import openid_tokens  # heavy, and needed only when somebody comes back

        return openid_tokens


def shown_name(name: str, issuer: str) -> str:
    """What people call a provider: its name, or its host where it has none."""
    return name or urlsplit(issuer).netloc


def _text(value: object) -> str:
    """A word of theirs, fit for the log."""
    return "".join(one for one in value[:60] if one.isprintable()) if isinstance(value, str) else ""
