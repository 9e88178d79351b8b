"""Second factors that accounts of tests have, and the devices they are of."""

from __future__ import annotations

import secrets
from base64 import b32encode

import pyotp

from pypi.accounts import recovery
from tests.support.authenticator import Authenticator
from tests.support.index import Index

HANDLE = 8
"""Bytes of what an authenticator knows an account by."""


def give_app(index: Index, name: str) -> pyotp.TOTP:
    """Let an account have an authenticator app; the app."""
    secret = secrets.token_bytes(20)
    index.sql(
        "INSERT INTO totp (user_id, secret, confirmed) "
        f"SELECT id, '\\x{secret.hex()}', now() FROM users WHERE name = '{name}'"
    )
    return pyotp.TOTP(b32encode(secret).decode())


def give_code(index: Index, name: str) -> str:
    """Let an account have one more recovery code; the code."""
    code = recovery.make(secrets.token_bytes)
    index.sql(
        "INSERT INTO recovery_codes (user_id, digest) "
        f"SELECT id, '\\x{recovery.digest(code).hex()}' FROM users WHERE name = '{name}'"
    )
    return code


def give_passkey(index: Index, name: str, origin: str) -> Authenticator:
    """Let an account have a passkey for an origin; the device it is on."""
    device = Authenticator(origin)
    public_key = device._described()[18 + len(device.id) :]
    [(user_id,)] = index.sql(
        "INSERT INTO passkeys (id, user_id, public_key, sign_count, name, created) "
        f"SELECT '\\x{device.id.hex()}', id, '\\x{public_key.hex()}', 0, 'Key', now() "
        f"FROM users WHERE name = '{name}' RETURNING user_id"
    )
    device.handle = int(user_id).to_bytes(HANDLE, "big")
    return device
