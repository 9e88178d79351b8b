"""Forms that only our own pages can make a browser send: the origin is looked at, and a token of the session.

The token is made of the secret that the browser keeps in its cookie, so it is bound to one session, ends with
it, and needs no key or row of its own. Each page shows it under another mask: a page that is compressed would
otherwise tell, by its length, one who can add to it what is in it.

Source: RFC 6454 (``Origin``); W3C Fetch Metadata (``Sec-Fetch-Site``); RFC 2104 (HMAC).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from pypi.domain.errors import Forbidden

FIELD = "csrf_token"
"""The hidden field of a form."""

HEADER = "X-CSRF-Token"
"""Where scripts of our own say it instead."""

SIZE = 32
"""Bytes of a token without its mask."""

_PURPOSE = b"cheeseshop form"
_GRAMMAR = re.compile(rf"[0-9a-f]{{{4 * SIZE}}}", re.ASCII)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class NotOurForm(Forbidden):
    """A form that was not sent by a page of this index, or not by this session's."""

    def __str__(self) -> str:
        return (
            "This form does not come from a page that this index showed you, or you signed in or out since: "
            "nothing was changed. Go back, load the page again, and send it once more."
        )


class NotForPages(Forbidden):
    """A page of another site made a browser ask this."""

    def __str__(self) -> str:
        return "Pages of other sites may not do this: nothing was changed."


def token(secret: bytes, random_bytes: Callable[[int], bytes]) -> str:
    """A token for one page.

    Args:
        secret: of the session, as the browser keeps it, or of the visit of somebody who signs in.
        random_bytes: fit for secrets.
    """
    mask = random_bytes(SIZE)
    return mask.hex() + _masked(mask, _bound(secret)).hex()


def check_token(secret: bytes, given: str | None) -> None:
    """Make sure that a token is one of this session; takes equally long for all that look like one.

    Raises:
        NotOurForm: it is none.
    """
    if given is None or not _GRAMMAR.fullmatch(given):
        raise NotOurForm()
    mask, masked = bytes.fromhex(given[: 2 * SIZE]), bytes.fromhex(given[2 * SIZE :])
    if not hmac.compare_digest(_masked(mask, masked), _bound(secret)):
        raise NotOurForm()


def given_token(request: Any, fields: Mapping[str, Sequence[str]]) -> str | None:
    """The token that came with a form; ``None`` where there is none, or more than one.

    Args:
        fields: of the form.
    """
    said = [*fields.get(FIELD, ()), *(request.requestHeaders.getRawHeaders(HEADER) or ())]
    return said[0] if len(said) == 1 else None


@frozen
class Origins:
    """The origins of our own pages: scheme, host and port.

    Attributes:
        ours: as browsers spell them.
    """

    ours: frozenset[str]

    @classmethod
    def of(cls, origin: str) -> Origins:
        """The one of a URL; on loopback, each name of this machine, since it makes no difference there."""
        parts = urlsplit(origin.lower())
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
        names = _LOOPBACK if host in _LOOPBACK else (host,)
        return cls(frozenset(f"{parts.scheme}://{name}{port}" for name in names))

    def check(self, request: Any) -> None:
        """Make sure that a browser sends this for one of our own pages.

        Every browser says one of the two with each form; whoever says neither is none.

        Raises:
            NotOurForm: it does not.
        """
        origins = request.requestHeaders.getRawHeaders("Origin") or []
        sites = request.requestHeaders.getRawHeaders("Sec-Fetch-Site") or []
        if not origins and not sites:
            raise NotOurForm()
        if self._is_foreign(origins, sites):
            raise NotOurForm()

    def keep_strangers_out(self, request: Any) -> None:
        """Make sure that no page of others makes a browser send this; programs say nothing of any page.

        A browser in which somebody once typed a token sends that along, whichever page makes it ask.

        Raises:
            NotForPages: one does.
        """
        origins = request.requestHeaders.getRawHeaders("Origin") or []
        sites = request.requestHeaders.getRawHeaders("Sec-Fetch-Site") or []
        if self._is_foreign(origins, sites):
            raise NotForPages()

    def _is_foreign(self, origins: Sequence[str], sites: Sequence[str]) -> bool:
        # "none" is the person: a form sent once more by loading its answer anew.
        return any(origin not in self.ours for origin in origins) or any(
            site not in ("same-origin", "none") for site in sites
        )


def _bound(secret: bytes) -> bytes:
    return hmac.new(secret, _PURPOSE, hashlib.sha256).digest()


def _masked(mask: bytes, value: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, value, strict=True))
