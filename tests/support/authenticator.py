"""An authenticator in software: makes passkeys and shows them, as browsers hand it on (WebAuthn Level 3).

Whatever an attacker could do differently is an argument.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from attrs import define, field
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, NEW = 0x01, 0x04, 0x40
"""Flags of authenticator data: somebody touched it, proved who they are, and there is a new key."""


def base64url(data: bytes) -> str:
    """As JSON of browsers holds bytes."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    """The opposite."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@define(eq=False)
class Authenticator:
    """A device with one passkey.

    Attributes:
        origin: of the page that its browser shows.
        count: of signatures; stays 0 if it does not count.
    """

    origin: str
    counts: bool = True
    count: int = 0
    id: bytes = field(factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: bytes = b""

    def make(
        self,
        asked: str,
        *,
        origin: str | None = None,
        rp_id: str | None = None,
        challenge: str | None = None,
        flags: int = PRESENT | VERIFIED,
        **client: Any,
    ) -> str:
        """What comes of ``navigator.credentials.create``, as JSON."""
        options = json.loads(asked)
        self.handle = bytes_of(options["user"]["id"])
        data = self._data(rp_id or options["rp"]["id"], flags | NEW) + self._described()
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        told = self._client("webauthn.create", challenge or options["challenge"], origin, client)
        response = {
            "clientDataJSON": base64url(told),
            "attestationObject": base64url(attestation),
            "transports": ["internal", "hybrid", "carrier-pigeon"],
        }
        return self._answer(response)

    def show(
        self,
        asked: str,
        *,
        origin: str | None = None,
        rp_id: str | None = None,
        challenge: str | None = None,
        flags: int = PRESENT | VERIFIED,
        handle: bytes | None = None,
        **client: Any,
    ) -> str:
        """What comes of ``navigator.credentials.get``, as JSON."""
        options = json.loads(asked)
        self.count += self.counts
        data = self._data(rp_id or options["rpId"], flags)
        told = self._client("webauthn.get", challenge or options["challenge"], origin, client)
        signature = self.key.sign(data + hashlib.sha256(told).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64url(told),
            "authenticatorData": base64url(data),
            "signature": base64url(signature),
            "userHandle": base64url(self.handle if handle is None else handle),
        }
        return self._answer(response)

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _described(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public_key

    def _client(self, kind: str, challenge: str, origin: str | None, more: dict[str, Any]) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": origin or self.origin, **more}
        return json.dumps(told).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        named = base64url(self.id)
        return json.dumps({"id": named, "rawId": named, "type": "public-key", "response": response})


def changed(answer: str, part: str, change: Any) -> str:
    """An answer with one part of its response changed on the way; ``change`` is a function of its bytes."""
    told = json.loads(answer)
    told["response"][part] = base64url(change(bytes_of(told["response"][part])))
    return json.dumps(told)
