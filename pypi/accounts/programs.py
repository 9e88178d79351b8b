"""Who programs are, by what they send: wrong passwords are counted, as where people sign in."""

from __future__ import annotations

from attrs import frozen

from pypi.accounts.accounts import Accounts
from pypi.accounts.throttle import Act, Throttle
from pypi.domain.permissions import TOKEN_USER, Credentials, Identity


@frozen(kw_only=True, eq=False)
class Programs:
    """Recognises them.

    Nobody guesses a token, so these are not counted: whoever has one is never kept out by strangers.
    """

    accounts: Accounts
    throttle: Throttle

    async def recognised(self, given: Credentials | None, *, address: str) -> Identity:
        """Who asks.

        Args:
            given: what the request says of it.
            address: network address it comes from.

        Raises:
            Throttled: too many wrong passwords of late.
            NoCredentials, WrongCredentials, TokenNeeded: as ``Accounts.authenticate``.
        """
        if given is None or given.name == TOKEN_USER:
            return await self.accounts.authenticate(given)
        await self.throttle.take(Act.SIGN_IN, account=given.name, address=address)
        identity = await self.accounts.authenticate(given)
        await self.throttle.give_back(Act.SIGN_IN, account=given.name, address=address)
        return identity
