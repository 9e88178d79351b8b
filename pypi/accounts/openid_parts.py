"""What a provider of OpenID Connect publishes of itself, fetched when it is needed and kept for an hour.

Source: OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC 9207, section 3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import orjson
from attrs import define, field, frozen

from caching.client import NoReply, Reply
from caching.coalesce import Coalescer, TookTooLong
from pypi.accounts.openid_errors import Untrue
from pypi.config.openid import may_be_asked

T = TypeVar("T")

FRESH = 3600.0
"""Seconds that what a provider publishes is kept."""


@frozen(kw_only=True)
class Parts:
    """What a provider publishes of itself.

    Attributes:
        told: the address that tells more of somebody; empty for none.
        by_header: whether this index says who it is in a header, or in the form.
        names_itself: whether it says who it is to everybody it sends back.
    """

    authorize: str
    token: str
    keys: str
    told: str
    by_header: bool
    names_itself: bool

    @classmethod
    def of(cls, document: Any, issuer: str) -> Parts:
        """The parts that are described.

        Raises:
            Untrue: it is another issuer's, or lacks what is needed.
        """
        if not isinstance(document, dict) or document.get("issuer") != issuer:
            raise Untrue("it describes another issuer than openid.issuer, of which every character counts")
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if not isinstance(methods, list) or not {"client_secret_basic", "client_secret_post"} & set(
            filter(_is_text, methods)
        ):
            raise Untrue("it knows nobody by a secret")
        return cls(
            authorize=_endpoint(document, "authorization_endpoint", issuer),
            token=_endpoint(document, "token_endpoint", issuer),
            keys=_endpoint(document, "jwks_uri", issuer),
            told=_endpoint(document, "userinfo_endpoint", issuer) if "userinfo_endpoint" in document else "",
            by_header="client_secret_basic" in methods,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )


@define(eq=False)
class Published(Generic[T]):
    """Something that is fetched once for all who need it, and kept for a while."""

    fetch: Callable[[], Awaitable[T]]
    reactor: Any
    patience: float
    _kept: tuple[T, float] | None = field(default=None, init=False)
    _fetching: Coalescer[T] = field(factory=Coalescer, init=False)

    async def get(self, *, younger_than: float = FRESH) -> T:
        """It, no older than so many seconds.

        Raises:
            NoReply, Untrue: it could not be had.
        """
        if self._kept is not None and self.reactor.seconds() - self._kept[1] < younger_than:
            return self._kept[0]
        under_way = self._fetching.under_way("it") or self._fetching.start("it", self._fetch)
        try:
            return await under_way.result(self.patience, self.reactor)
        except TookTooLong as reason:
            raise NoReply(str(reason)) from None

    async def _fetch(self) -> T:
        found = await self.fetch()
        self._kept = (found, self.reactor.seconds())
        return found


def object_in(reply: Reply) -> Mapping[str, Any]:
    """The JSON object that is the answer.

    Raises:
        NoReply: the provider has a bad day.
        Untrue: it is something else.
    """
    if reply.status >= 500 or reply.status == 429:
        raise NoReply(f"status {reply.status}")
    try:
        found = orjson.loads(reply.body) if reply.status == 200 else None
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Untrue(f"it answers with something else than JSON (status {reply.status})")
    return found


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    url = document.get(name)
    if (
        not isinstance(url, str)
        or len(url) > 2000
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise Untrue(f"it does not say what its {name} is")
    if not may_be_asked(url, of=issuer):
        raise Untrue(f"its {name} is not reached by TLS")
    return url


def _is_text(value: object) -> bool:
    return isinstance(value, str)
