"""The provider with which people may sign in, put together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from caching.client import Client
from pypi.accounts.openid import OpenId
from pypi.accounts.openid_links import Links
from pypi.accounts.openid_newcomers import Newcomers
from pypi.accounts.openid_provider import Provider, shown_name
from pypi.config import Config
from pypi.db.database import Database
from pypi.membership import Membership
from pypi.web.account.openid import CALLBACK


def sign_in_with(
    config: Config,
    client: Client,
    members: Membership,
    *,
    database: Database,
    origin: str,
    now: Callable[[], datetime],
    random_bytes: Callable[[int], bytes],
) -> OpenId | None:
    """The provider where people may sign in, by the ``[openid]`` section; ``None`` where there is none."""
    section = config.openid
    if not section.issuer:
        return None
    name = provider_name(config)
    provider = Provider(
        issuer=section.issuer,
        client_id=section.client_id,
        client_secret=section.client_secret,
        name=name,
        scopes=section.scopes,
        redirect_uri=f"{origin}{CALLBACK}",
        client=client,
        now=now,
    )
    registration = config.access.registration if section.registration == "access" else section.registration
    return OpenId(
        provider=provider,
        links=Links(database=database, issuer=section.issuer, provider=name, now=now),
        newcomers=Newcomers(
            database=database,
            throttle=members.throttle,
            provider=name,
            now=now,
            random_bytes=random_bytes,
            is_open=registration == "on",
            domains=frozenset(section.allowed_domains),
        ),
        database=database,
        entrance=members.entrance,
        throttle=members.throttle,
        now=now,
        random_bytes=random_bytes,
        trusts_mfa=section.trust_mfa,
    )


def provider_name(config: Config) -> str:
    """What people call the provider; empty where there is none."""
    return shown_name(config.openid.name, config.openid.issuer) if config.openid.issuer else ""
