"""Who programs are, by what they send: wrong passwords count, apart from those of people who sign in."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from typing import Any

from attrs import define, field

from caching.coalesce import Coalescer, TookTooLong
from pypi.accounts.accounts import Accounts
from pypi.accounts.errors import WrongCredentials
from pypi.accounts.proven import LIFETIME
from pypi.accounts.throttle import Act, Throttle
from pypi.db.database import DatabaseDown
from pypi.domain.permissions import TOKEN_USER, Credentials, Identity

MOST = 10_000
"""Right passwords remembered at once; the oldest make room."""

PATIENCE = 10.0
"""Seconds; hashing a password takes a tenth of one, but many may stand in line."""


@define(eq=False, repr=False, kw_only=True)
class Programs:
    """Recognises them.

    Nobody guesses a token, so these are not counted: whoever has one is never kept out by strangers. A
    password that was right a few minutes ago may be shown as often as anybody likes, so that who guesses at
    an account locks no program out that knows. What is kept of it is an HMAC under a key that dies with the
    process; whether it still is right is looked up each time.

    Attributes:
        reactor: ``IReactorTime``.
        key: random, 32 bytes.
    """

    accounts: Accounts
    throttle: Throttle
    reactor: Any
    key: bytes
    _right: OrderedDict[bytes, float] = field(factory=OrderedDict, init=False)
    _looks: Coalescer[Identity] = field(factory=Coalescer, init=False)

    def __repr__(self) -> str:
        return f"<Programs {len(self._right)} right, {self._looks!r}>"

    async def recognise(self, given: Credentials | None, address: str) -> Identity:
        """Who asks.

        Args:
            given: what the request says of it.
            address: where on the network it comes from.

        Raises:
            Throttled: too many wrong passwords of late.
            NoCredentials, WrongCredentials, TokenNeeded: as ``Accounts.authenticate``.
            DatabaseDown: nobody can say.
        """
        if given is None or given.name == TOKEN_USER:
            return await self.accounts.authenticate(given)
        mark = self.mark(given)
        # Many may come at once that know it, none of whom was right before: one try stands for all of them.
        look = self._looks.under_way(mark) or self._looks.start(
            mark, lambda: self._by_password(mark, given, address)
        )
        try:
            return await look.result(PATIENCE, self.reactor)
        except TookTooLong:
            raise DatabaseDown() from None

    def mark(self, given: Credentials) -> bytes:
        """What credentials are remembered by."""
        return hmac.digest(self.key, f"{given.name}\0{given.password}".encode(), hashlib.sha256)

    async def _by_password(self, mark: bytes, given: Credentials, address: str) -> Identity:
        began = self.reactor.seconds()
        counted = self._right.get(mark, 0.0) <= began
        if counted:
            await self.throttle.take(Act.READ, account=given.name, address=address)
        try:
            identity = await self.accounts.authenticate(given)
        except WrongCredentials:
            self._right.pop(mark, None)
            raise
        if counted:
            await self.throttle.give_back(Act.READ, account=given.name, address=address)
        self._right[mark] = began + LIFETIME
        self._right.move_to_end(mark)
        while len(self._right) > MOST:
            self._right.popitem(last=False)
        return identity
