"""All that looks after accounts in one process, put together once: rooms take what they need of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from attrs import field, frozen
from twisted.logger import Logger

from caching.client import Client
from caching.redis import Redis
from pypi.accounts.accounts import Accounts
from pypi.accounts.administration import Administration
from pypi.accounts.again import Again
from pypi.accounts.audit import Audit
from pypi.accounts.breached import Breached
from pypi.accounts.browsers import Browsers
from pypi.accounts.confirming import AFTER, Confirming
from pypi.accounts.emails import Emails
from pypi.accounts.entrance import Entrance
from pypi.accounts.issued import Tokens
from pypi.accounts.last_used import LastUsed
from pypi.accounts.mailed import Mailed
from pypi.accounts.passkeys import Passkeys
from pypi.accounts.passwords import Passwords
from pypi.accounts.programs import Programs
from pypi.accounts.recovery import RecoveryCodes
from pypi.accounts.registration import Registration
from pypi.accounts.relying import RelyingParty
from pypi.accounts.renewal import Renewal
from pypi.accounts.second_factor import SecondFactors
from pypi.accounts.second_step import SecondStep
from pypi.accounts.sessions import Sessions
from pypi.accounts.strength import Strength
from pypi.accounts.throttle import Throttle
from pypi.accounts.totp import Totp
from pypi.config import Config
from pypi.db.database import Database

log = Logger()

REGISTER = "/account/register/confirm/"
VERIFY = "/account/verify/"
RESET = "/account/reset/"
CONFIRM = "/account/confirm/"
"""Pages for whom mail led there; a secret stands behind."""

PATIENCE = 2.0
"""Seconds that others have to say whether a password leaked; then it is taken."""


@frozen(kw_only=True, eq=False)
class Membership:
    """What looks after accounts.

    Attributes:
        sends_mail: whether mail goes anywhere at all, be it a folder.
        mail_is_kept: whether it goes no further than into one.
        mailed: makes letters of what people are told.
        administration: what those who run the index do to accounts.
        audit: the security log, to be read.
    """

    sends_mail: bool
    mail_is_kept: bool
    passwords: Passwords = field(repr=False)
    accounts: Accounts
    sessions: Sessions
    browsers: Browsers
    second_factors: SecondFactors
    confirming: Confirming
    throttle: Throttle
    programs: Programs
    entrance: Entrance
    second_step: SecondStep
    mailed: Mailed
    registration: Registration
    emails: Emails
    renewal: Renewal
    totp: Totp
    recovery_codes: RecoveryCodes
    passkeys: Passkeys
    again: Again
    tokens: Tokens
    last_used: LastUsed
    administration: Administration
    audit: Audit = field(repr=False)

    @property
    def tidied(self) -> list[Callable[[], Awaitable[int]]]:
        """What forgets what is over, a bounded number at once."""
        return [
            self.sessions.tidy,
            self.browsers.tidy,
            self.throttle.tidy,
            self.registration.tidy,
            self.audit.tidy,
        ]


def membership(
    config: Config,
    reactor: Any,
    *,
    database: Database,
    redis: Redis,
    origin: str,
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> Membership:
    """Put it together, by the ``[access]``, ``[limits]`` and ``[mail]`` sections.

    Args:
        origin: URL of the index, without a slash at its end.
    """
    passwords = Passwords(reactor)
    last_used = LastUsed(now, database)
    accounts = Accounts(
        database=database, passwords=passwords, now=now, random_bytes=random_bytes, used=last_used.note
    )
    standing: dict[str, Any] = {"database": database, "now": now, "random_bytes": random_bytes}
    mailed = Mailed(register=REGISTER, verify=VERIFY, reset=RESET, confirm=CONFIRM, now=now)
    browsers = Browsers(send=mailed.send, **standing)
    sessions = Sessions(redis=redis, browsers=browsers, **standing)
    second_factors = SecondFactors(database=database, now=now)
    throttle = Throttle(database=database, now=now, factor=config.limits.factor)
    mailing = standing | {"throttle": throttle, "send": mailed.send, "reactor": reactor}
    strength = Strength(breached=breached(config, reactor))
    choosing: dict[str, Any] = {"passwords": passwords, "strength": strength}
    sends_mail = config.mail.url != "off"
    if not sends_mail and config.access.registration == "on":
        log.warn("access.registration is on, and mail.url is off: nobody can confirm an address, or register")
    if not sends_mail and config.access.confirm_new_browsers != "off":
        log.info("mail.url is off: nobody is asked whether it is them who signs in with a new browser")
    confirming = Confirming(
        sessions=sessions,
        browsers=browsers,
        throttle=throttle,
        send=mailed.send,
        after=AFTER[config.access.confirm_new_browsers] if sends_mail else frozenset(),
        **standing,
    )
    passkeys = Passkeys(site=RelyingParty.of(origin, config.pages.name), **standing)
    entrance = Entrance(
        database=database,
        accounts=accounts,
        sessions=sessions,
        second_factors=second_factors,
        confirming=confirming,
        throttle=throttle,
        now=now,
        reactor=reactor,
    )
    return Membership(
        sends_mail=sends_mail,
        mail_is_kept=sends_mail and not config.mail.url.startswith("smtp"),
        passwords=passwords,
        accounts=accounts,
        sessions=sessions,
        browsers=browsers,
        second_factors=second_factors,
        confirming=confirming,
        throttle=throttle,
        programs=Programs(accounts=accounts, throttle=throttle, reactor=reactor, key=random_bytes(32)),
        entrance=entrance,
        second_step=SecondStep(
            database=database,
            entrance=entrance,
            sessions=sessions,
            second_factors=second_factors,
            passkeys=passkeys,
            confirming=confirming,
            throttle=throttle,
            now=now,
        ),
        mailed=mailed,
        registration=Registration(
            is_open=sends_mail and config.access.registration == "on", **choosing, **mailing
        ),
        emails=Emails(**mailing),
        renewal=Renewal(sessions=sessions, **choosing, **mailing),
        totp=Totp(issuer=config.pages.name, **standing),
        recovery_codes=RecoveryCodes(**standing),
        passkeys=passkeys,
        again=Again(
            database=database,
            passwords=passwords,
            second_factors=second_factors,
            throttle=throttle,
            now=now,
        ),
        tokens=Tokens(throttle=throttle, **standing),
        last_used=last_used,
        administration=Administration(database=database, sessions=sessions, now=now),
        audit=Audit(database=database, now=now),
    )


def breached(config: Config, reactor: Any) -> Breached | None:
    """What knows passwords that leaked, by ``access.breached_passwords_url``; ``None`` for nobody."""
    url = config.access.breached_passwords_url
    return Breached(url=url, client=Client(reactor, timeout=PATIENCE)) if url else None
