"""What the people of the site have, beside projects: put there behind its back, for their pages to show.

What is secret is known, and so are numbers: they stand in the addresses of ``tests.browser.pages``.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from pypi.accounts.secret import digest
from tests.browser.people import ADA, IRIS, NEWCOMER, OTTO, VERA
from tests.support.service import Service

REGISTERING, VERIFYING, RESETTING, CONFIRMING = ("r" * 43, "v" * 43, "s" * 43, "c" * 43)
"""What was sent by mail."""

SPENT = "x" * 43
"""What is good for nothing any more."""

SECOND_ADDRESS = 9001
"""The number of another address of ``ADA``."""

PASSKEY = urlsafe_b64encode(b"a key of otto").decode().rstrip("=")
"""One of ``OTTO``, as it stands in addresses."""

LONG_ADDRESS = "ada.lovelace.of.the.analytical.engine@wensleydale-and-other-crumbly-cheeses.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

WISH = '{"name": "wallace", "password_hash": ""}'
USER = "(SELECT id FROM users WHERE name = %s)"
PROJECT = "(SELECT id FROM projects WHERE normalized = %s)"

PROOF = f"""
    INSERT INTO proofs (digest, user_id, purpose, address, created, expires, about)
    VALUES (%s, {USER}, %s, %s, now(), now() + interval '1 day', '{WISH}')"""

ASKED = f"""
    INSERT INTO proofs (digest, user_id, purpose, address, created, expires, about)
    SELECT %s, user_id, 'sign-in', %s, now(), now() + interval '1 day',
           jsonb_build_object('user', %s, 'session', id, 'by', 'authenticator app', 'address', address,
                              'agent', 'Firefox on Windows', 'at', now(), 'wanted', '/manage/')
      FROM sessions WHERE user_id = {USER}"""

ADDRESS = f"""
    INSERT INTO emails (id, user_id, address, created, verified) OVERRIDING SYSTEM VALUE
    VALUES (%s, {USER}, %s, now() - interval '40 days', now() - interval '39 days')"""

TOKEN = f"""
    INSERT INTO tokens (id, user_id, project_id, secret_sha256, description, created, expires, last_used,
                        is_read_only)
    VALUES (%s, {USER}, {PROJECT}, sha256('x'), %s, now() - interval '90 days', now() + %s::interval,
            now() - interval '3 hours', %s)"""

SESSION = f"""
    INSERT INTO sessions (digest, user_id, created, last_seen, expires, address, agent)
    VALUES (sha256(%s), {USER}, now() - interval '2 days', now() - interval '5 hours',
            now() + interval '20 days', '2001:db8:85a3:8d3:1319:8a2e:370:7348', %s)"""

KEY = f"""
    INSERT INTO passkeys (id, user_id, public_key, name, created, last_used)
    VALUES (%s, {USER}, 'x', %s, now() - interval '9 days', now() - interval '1 hour')"""

CODE = f"INSERT INTO recovery_codes (user_id, digest) VALUES ({USER}, sha256('x'))"

ROLE = f"INSERT INTO roles (project_id, user_id, role, created) VALUES ({PROJECT}, {USER}, %s, now())"

INVITATION = f"""
    INSERT INTO invitations (project_id, user_id, role, invited_by, created, expires)
    VALUES ({PROJECT}, {USER}, 'Maintainer', {USER}, now() - interval '1 day', now() + interval '9 days')"""


def give(service: Service) -> None:
    """Give them all of it that does not keep them from signing in."""
    _mail(service)
    _tokens(service)
    service.sql(SESSION, b"one", ADA, FIREFOX)
    service.sql(
        SESSION, b"two", ADA, "a program nobody knows, with a name that does not end where names do/6.2.0"
    )
    service.sql(ROLE, "wensleydale", IRIS, "Maintainer")
    service.sql(INVITATION, "gromit", NEWCOMER, ADA)
    service.sql(INVITATION, "wensleydale", NEWCOMER, ADA)


def protect(service: Service) -> None:
    """Give them more to sign in with, and to be asked about, once they are signed in."""
    service.sql(KEY, b"a key of otto", OTTO, "Key on the keyring")
    service.sql(CODE, OTTO)
    service.sql(ASKED, digest(CONFIRMING), f"{VERA}@example.com", VERA, VERA)


def _mail(service: Service) -> None:
    """Letters nobody answered yet, and an address whose letter was."""
    for secret, name, purpose, address in (
        (REGISTERING, None, "register", "wallace@cheese.example"),
        (VERIFYING, ADA, "verify", LONG_ADDRESS),
        (RESETTING, ADA, "reset", "ada@example.com"),
    ):
        service.sql(PROOF, digest(secret), name, purpose, address)
    service.sql(ADDRESS, SECOND_ADDRESS, ADA, "ada@cheese.example")


def _tokens(service: Service) -> None:
    """One for each of what tokens may be."""
    for number, (project, description, lasts, is_read_only) in enumerate(
        (
            (None, "laptop", "30 days", False),
            (
                "wensleydale",
                "nightly builds of the crumbly cheese, on the machine under the stairs",
                None,
                False,
            ),
            ("gromit", "a forgotten job", "-2 days", False),
            (None, "", "30 days", True),
        )
    ):
        service.sql(TOKEN, f"{number:016x}", ADA, project, description, lasts, is_read_only)
