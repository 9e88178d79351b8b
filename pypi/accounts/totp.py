"""Codes of authenticator apps, by the time of day (RFC 6238): six digits every 30 seconds, each good once."""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime

import pyotp
from attrs import field, frozen

from pypi.accounts.audit import Kind
from pypi.accounts.factor_errors import NoTotp, TotpInUse, WrongCode
from pypi.accounts.owner import Owner, has_added
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import totp as stored

SECRET_SIZE = 20
"""Bytes: as many as the HMAC-SHA1 behind the codes gives out (RFC 4226, section 4)."""

STEP = 30
"""Seconds for which an app shows a code."""

WINDOW = 1
"""Steps that the clock of a telephone may be early or late."""

_LONGEST = 40
"""Characters of a code with all the blanks people type."""


@frozen
class Enrolment:
    """What an authenticator app is to learn.

    Attributes:
        secret: for people to type, in groups of four (base 32).
        uri: for the app, ``otpauth://totp/…``.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)

    def qr(self, title: str) -> str:
        """The URI as a QR code: an ``<svg>`` to stand within a page, dark on white, of no fixed size.

        Args:
            title: what those hear who do not see it.

        Source:
            ISO/IEC 18004; error correction M, as a screen has no scratches.
        """
        import segno  # only those who set up an app need it

        code = segno.make(self.uri, error="m", micro=False)
        svg = code.svg_inline(title=title, light="#fff", omitsize=True, svgclass="qr", lineclass=None)
        return str(svg)


@frozen(kw_only=True, eq=False)
class Totp:
    """The authenticator apps of accounts, one each.

    Whoever guesses is slowed down by the callers: three codes of a million are right at any moment.

    Attributes:
        issuer: what this index is called in the app.
    """

    database: Database
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    issuer: str

    async def begin(self, user_id: int, user_name: str) -> Enrolment:
        """Make a new secret for an app; it counts for nothing until a code of it is shown.

        Raises:
            TotpInUse: the account has an app.
        """
        secret = self.random_bytes(SECRET_SIZE)
        if not await self.database.transact(stored.begin, user_id, secret=secret):
            raise TotpInUse()
        return enrolment(secret, issuer=self.issuer, user_name=user_name)

    async def pending(self, user_id: int, user_name: str) -> Enrolment:
        """The secret that is to be confirmed, to be shown once more.

        Raises:
            NoTotp: none is.
        """
        row = await self.database.ask(stored.of_user, user_id)
        if row is None or row.confirmed is not None:
            raise NoTotp()
        return enrolment(row.secret, issuer=self.issuer, user_name=user_name)

    async def confirm(self, owner: Owner, code: str) -> None:
        """Take the new secret into use, since the app shows its codes; this one is used with it.

        Raises:
            WrongCode: it does not.
            NoTotp: no secret is to be confirmed.
        """
        await self.database.transact(_confirm, owner, code, self.now())

    async def use(self, user_id: int, code: str) -> None:
        """Accept a code that was not used before.

        Raises:
            WrongCode: it is wrong, was used, or is older than one that was; or the account has no app.
        """
        await self.database.transact(use, user_id, code, self.now())


async def _confirm(cursor: Cursor, owner: Owner, code: str, now: datetime) -> None:
    user_id = owner.user_id
    row = await stored.of_user(cursor, user_id)
    if row is None or row.confirmed is not None:
        raise NoTotp()
    step = step_of(row.secret, code, now)
    if step is None or not await stored.confirm(cursor, user_id, secret=row.secret, step=step, now=now):
        raise WrongCode()
    await has_added(cursor, owner, Kind.TOTP_ADDED, "authenticator app", now=now)


async def use(cursor: Cursor, user_id: int, code: str, now: datetime) -> None:
    """``Totp.use`` within a transaction of the caller's.

    Raises:
        WrongCode: see there.
    """
    row = await stored.of_user(cursor, user_id)
    if row is None or row.confirmed is None:
        raise WrongCode()
    step = step_of(row.secret, code, now)
    if step is None or not await stored.use(cursor, user_id, secret=row.secret, step=step):
        raise WrongCode()


def step_of(secret: bytes, code: str, now: datetime) -> int | None:
    """The step of time a code belongs to, ``None`` if it is not right now; takes equally long either way.

    Args:
        code: as people type it, blanks and all.
    """
    digits = _digits(code)
    app = _app(secret)
    current, found = app.timecode(now), None
    for step in range(max(0, current - WINDOW), current + WINDOW + 1):
        # The latest, should two be alike: an earlier one would leave the same code good for once more.
        if hmac.compare_digest(app.generate_otp(step).encode(), digits):
            found = step
    return found


def enrolment(secret: bytes, *, issuer: str, user_name: str) -> Enrolment:
    """A secret as apps and people take it.

    Source:
        Key URI Format: a colon stands between issuer and account, and in neither.
    """
    text = _base32(secret)
    named = " ".join(issuer.replace(":", " ").split())
    uri = _app(secret).provisioning_uri(name=user_name, issuer_name=named)
    return Enrolment(" ".join(text[start : start + 4] for start in range(0, len(text), 4)), uri)


def _digits(code: str) -> bytes:
    # Anything else is compared, too, and is as long as no code.
    bare = "".join(code[:_LONGEST].split()) if len(code) <= _LONGEST else ""
    return bare.encode() if bare.isascii() and bare.isdigit() else b""


def _app(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(_base32(secret), digits=6, interval=STEP)


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode().rstrip("=")
