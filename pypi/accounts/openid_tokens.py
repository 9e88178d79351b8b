"""ID tokens of a provider: whether they are true, and what they say of somebody.

What is signed is taken by its signature alone: by a key that the provider publishes for signing, with an
algorithm of keys that are published. A secret that two share, or none, signs nothing here. Keys are used
as what they are: joserfc makes no HMAC secret of the text of a public one.

Source: OpenID Connect Core 1.0, sections 3.1.3.7 and 5.1; RFC 7515 and 7517; RFC 8725, on what went wrong
with such tokens; RFC 8176 (``amr``).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from attrs import field, frozen
from joserfc import jwk, jws
from joserfc.errors import JoseError

from pypi.accounts import addresses
from pypi.accounts.openid_errors import Untrue

ALGORITHMS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", "")),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    **dict.fromkeys(("EdDSA", "Ed25519"), ("OKP", "Ed25519")),
}
"""All that are taken, with the kind of key and the curve each is for."""

PUBLIC = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
"""What of a key is public, by its kind."""

RSA_BITS = range(2048, 8193)
"""Sizes of keys that are neither weak nor a burden."""

LONGEST = 64 << 10
"""Characters of a token."""

MOST_KEYS = 100

LEEWAY = timedelta(minutes=2)
"""How much the provider's clock may differ."""

Claims = Mapping[str, Any]


class UnknownKey(Untrue):
    """A token was signed by a key that was not among those known; there may be a new one."""


@frozen(kw_only=True)
class Expected:
    """What a token has to say.

    Attributes:
        audience: what the provider calls this index.
        nonce: it was asked with.
        asked: when that was; no true token is older.
    """

    issuer: str
    audience: str
    nonce: str = field(repr=False)
    asked: datetime


@frozen(kw_only=True)
class Person:
    """Whom a provider speaks of.

    Attributes:
        issuer, subject: who they are; nothing else says that.
        called: by what they recognise themselves.
        email: an address the provider has verified; ``None`` where it tells of none.
        wish: the user name they have there; empty for none.
        has_mfa: whether they showed a second factor there.
    """

    issuer: str
    subject: str
    called: str
    email: str | None
    wish: str
    has_mfa: bool


def keys_in(document: Any) -> list[Mapping[str, Any]]:
    """The keys of a JWK set; of what they are, each is asked when it is used.

    Raises:
        Untrue: it is no such set.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS or not all(isinstance(one, dict) for one in keys):
        raise Untrue("what it publishes is no set of keys")
    return keys


def verified(token: str, keys: Sequence[Mapping[str, Any]], expected: Expected, *, now: datetime) -> Claims:
    """What a token says that is true.

    Raises:
        UnknownKey: none of these keys has signed it, by its name.
        Untrue: it is not signed, or not meant for us, or not now.
    """
    if len(token) > LONGEST or token.count(".") != 2 or not token.isascii():
        raise Untrue("its token is none")
    header = _header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise Untrue("its token is signed by an algorithm that is not taken")
    key = _key(keys, algorithm, kid)
    try:
        signed = jws.deserialize_compact(token, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError) as error:
        raise Untrue(f"its token is not signed by its key ({type(error).__name__})") from None
    claims = _object(signed.payload)
    _check(claims, expected, now)
    return claims


def person(claims: Claims, more: Claims | None = None) -> Person:
    """Whom claims speak of.

    Args:
        more: what the provider says of the same person elsewhere.
    """
    said = {**(more or {}), **claims}
    names = [said.get(name) for name in ("preferred_username", "nickname", "email", "name")]
    shown = [name for name in names if isinstance(name, str) and name.strip()]
    amr = claims.get("amr")
    return Person(
        issuer=claims["iss"],
        subject=claims["sub"],
        called=_line(shown[0] if shown else claims["sub"]),
        email=verified_email(claims) or verified_email(more or {}),
        wish=_line(shown[0].partition("@")[0]) if shown else "",
        has_mfa=isinstance(amr, list) and "mfa" in amr,
    )


def verified_email(claims: Claims) -> str | None:
    """The address that a provider has verified, ``None`` where it tells of none."""
    email = claims.get("email")
    if claims.get("email_verified") not in (True, "true"):  # some say it as a text
        return None
    return email if isinstance(email, str) and addresses.why_not(email) is None else None


def _key(keys: Sequence[Mapping[str, Any]], algorithm: str, kid: object) -> Any:
    kind, curve = ALGORITHMS[algorithm]
    fit = [
        one
        for one in keys
        if one.get("kty") == kind
        and (not curve or one.get("crv") == curve)
        and one.get("use", "sig") == "sig"
        and one.get("alg", algorithm) == algorithm
        and (kid is None or one.get("kid") == kid)
    ]
    if len(fit) != 1:
        raise UnknownKey("its token is signed by a key that it does not publish")
    try:
        key = jwk.import_key({name: fit[0][name] for name in ("kty", *PUBLIC[kind])})
        bits = key.public_key.key_size if kind == "RSA" else RSA_BITS.start  # type: ignore[union-attr]
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Untrue(f"its key is none ({type(error).__name__})") from None
    if bits not in RSA_BITS:
        raise Untrue("its key is too small, or too large")
    return key


def _check(claims: Claims, expected: Expected, now: datetime) -> None:
    audience = claims.get("aud")
    meant = [audience] if isinstance(audience, str) else audience
    if claims.get("iss") != expected.issuer:
        raise Untrue("its token is another issuer's")
    if not isinstance(meant, list) or expected.audience not in meant:
        raise Untrue("its token is not for this index")
    if claims.get("azp", expected.audience if len(meant) == 1 else None) != expected.audience:
        raise Untrue("its token was made for somebody else")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
        raise Untrue("its token does not say of whom it is")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise Untrue("its token answers another question")
    _check_times(claims, expected, now)


def _check_times(claims: Claims, expected: Expected, now: datetime) -> None:
    at, leeway = now.timestamp(), LEEWAY.total_seconds()
    expires, issued, begins = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise Untrue("its token does not say for when it is")
    if at >= expires + leeway:
        raise Untrue("its token has expired")
    if not expected.asked.timestamp() - leeway <= issued <= at + leeway or (begins or 0) > at + leeway:
        raise Untrue("its token is of another time; one of the two clocks may be wrong")


def _seconds(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _header(token: str) -> dict[str, Any]:
    text = token.partition(".")[0]
    try:
        return _object(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise Untrue("its token is none") from None


def _object(text: bytes | None) -> dict[str, Any]:
    try:
        found = orjson.loads(text or b"")
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Untrue("its token is none")
    return found


def _line(text: str) -> str:
    """Printable characters on one line, no more than are kept."""
    return "".join(one if one.isprintable() else " " for one in text[:254]).strip()
