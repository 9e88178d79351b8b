"""What browsers are asked about passkeys, and whether their answers are true (Web Authentication Level 3).

Importing the library behind this takes 40 ms and 4 MB: only ``pypi.accounts.passkeys`` does, and only when
the first passkey is used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import field, frozen
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from pypi.accounts.relying import RelyingParty

MAX_ANSWER = 32 << 10
"""Characters of an answer: certificates of an authenticator's maker fit in, and nothing much else."""

TIMEOUT = 300
"""Seconds that people have to find their key."""

_HANDLE_SIZE = 8


class Untrue(Exception):
    """An answer is malformed, or does not prove what it should."""


@frozen
class Known:
    """A passkey as its authenticator is reminded of it."""

    id: bytes
    transports: Sequence[str] = ()


@frozen
class Made:
    """A new passkey, as the authenticator told of it."""

    id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    transports: Sequence[str]


@frozen
class Claim:
    """Which passkey an answer speaks of, of whose account, and to which challenge; all still to be proven.

    Attributes:
        user_id: the account the authenticator keeps the passkey for; ``None`` if it does not say.
    """

    id: bytes
    challenge: bytes
    user_id: int | None


def creation(
    site: RelyingParty, *, challenge: bytes, user_id: int, user_name: str, known: Sequence[Known]
) -> str:
    """What ``navigator.credentials.create`` is asked, as JSON: a passkey that can be found without a name.

    Args:
        known: of the account; an authenticator that has one of these makes no other.
    """
    options = generate_registration_options(
        rp_id=site.id,
        rp_name=site.name,
        user_id=user_id.to_bytes(_HANDLE_SIZE, "big"),
        user_name=user_name,
        challenge=challenge,
        timeout=TIMEOUT * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_described(known),
    )
    return options_to_json(options)


def request(site: RelyingParty, *, challenge: bytes, known: Sequence[Known]) -> str:
    """What ``navigator.credentials.get`` is asked, as JSON.

    Args:
        known: those that will do; with none, whichever the browser finds for this index.
    """
    options = generate_authentication_options(
        rp_id=site.id,
        challenge=challenge,
        timeout=TIMEOUT * 1000,
        allow_credentials=_described(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def made(site: RelyingParty, answer: str, *, challenge: bytes) -> Made:
    """The passkey that an answer to ``creation`` tells of.

    Who made the authenticator is of no interest; that it verified its user is.

    Raises:
        Untrue: it is no answer to that challenge, given on this site.
    """
    try:
        told = json.loads(_bounded(answer))
        verified = verify_registration_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
        _refuse_frames(told)
        transports = _transports(told["response"].get("transports"))
    except Exception as error:  # the library raises whatever its own libraries do
        raise Untrue(repr(error)) from error
    return Made(verified.credential_id, verified.credential_public_key, verified.sign_count, transports)


def claimed(answer: str) -> Claim:
    """What an answer to ``request`` says of itself.

    Raises:
        Untrue: it is no such answer.
    """
    try:
        told = json.loads(_bounded(answer))
        handle = told["response"].get("userHandle")
        user_id = None if handle is None else _user_id(base64url_to_bytes(handle))
        data = parse_client_data_json(base64url_to_bytes(told["response"]["clientDataJSON"]))
        return Claim(base64url_to_bytes(told["id"]), data.challenge, user_id)
    except Exception as error:
        raise Untrue(repr(error)) from error


def counted(site: RelyingParty, answer: str, *, challenge: bytes, public_key: bytes) -> int:
    """How often a passkey was used, by an answer to ``request`` that is true.

    Whether that is more often than before, the database decides: there, two answers cannot both be the next.

    Raises:
        Untrue: it is no answer to that challenge, given on this site with that key by a verified user.
    """
    try:
        told = json.loads(_bounded(answer))
        verified = verify_authentication_response(
            credential=told,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        _refuse_frames(told)
    except Exception as error:
        raise Untrue(repr(error)) from error
    return verified.new_sign_count


def _described(known: Sequence[Known]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=one.id, transports=[AuthenticatorTransport(t) for t in one.transports]
        )
        for one in known
    ]


def _transports(told: object) -> tuple[str, ...]:
    """Those among the words a browser used that are known; they are hints, and may be anything."""
    words = {word for word in told if isinstance(word, str)} if isinstance(told, list) else set()
    return tuple(transport.value for transport in AuthenticatorTransport if transport.value in words)


def _bounded(answer: str) -> str:
    if len(answer) > MAX_ANSWER:
        raise Untrue("The answer is too long")
    return answer


def _refuse_frames(told: dict[str, dict[str, str]]) -> None:
    # No page of another site asks for us; the library leaves this to its callers.
    if parse_client_data_json(base64url_to_bytes(told["response"]["clientDataJSON"])).cross_origin:
        raise Untrue("Asked in a frame of another site")


def _user_id(handle: bytes) -> int:
    if len(handle) != _HANDLE_SIZE:
        raise Untrue("The account is none of this index")
    return int.from_bytes(handle, "big")
