"""Reads who says who people are: the issuer of an OpenID Connect provider, and what may be said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pypi.config import values
from pypi.config.values import NotAllowed, is_loopback

if TYPE_CHECKING:
    from pypi.config.sections import OpenId

ISSUER = "the https URL of an issuer, without user, query or fragment (http on this machine only)"

_url = values.url("https", "http")
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def issuer(value: object) -> str:
    """An issuer, exactly as its operator writes it: every character of it counts (Discovery 1.0, §4.3)."""
    given = _url(value)
    parts = urlsplit(given)
    if given and (not may_be_asked(given, of=given) or parts.query or "?" in given or len(given) > 500):
        raise NotAllowed(ISSUER)
    return given


def scopes(value: object) -> tuple[str, ...]:
    """Words between blanks or commas, ``openid`` always among them (RFC 6749, §3.3)."""
    given = value.replace(",", " ").split() if isinstance(value, str) else values.texts(value)
    if not all(_SCOPE.fullmatch(one) for one in given):
        raise NotAllowed("words such as openid profile email")
    return tuple(dict.fromkeys(("openid", *given)))


def domains(value: object) -> tuple[str, ...]:
    """Domains of e-mail addresses, in lower case."""
    given = tuple(one.lower().removeprefix("@") for one in values.texts(value))
    if not all(_DOMAIN.fullmatch(one) for one in given):
        raise NotAllowed("domains such as people.example, separated by commas")
    return given


def may_be_asked(url: str, *, of: str) -> bool:
    """Whether secrets may be sent to a URL: over TLS, or to this machine where the provider itself is there.

    Args:
        of: the issuer.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or "#" in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host) and _is_here(of))


def half_said(section: OpenId) -> Iterator[str]:
    """What is missing of a provider of which something is said."""
    needed = {
        "issuer": section.issuer,
        "client_id": section.client_id,
        "client_secret": section.client_secret,
    }
    missing = [f"openid.{name}" for name, value in needed.items() if not value]
    if missing and (section.issuer or section.client_id):
        yield f"openid: a provider has an issuer that knows this index by name: set {' and '.join(missing)}."


def _is_here(issuer: str) -> bool:
    parts = urlsplit(issuer)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")
