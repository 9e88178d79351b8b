"""Who reads: recognised anew with each request, and so as cheaply as revocation within a second allows."""

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
from pypi.db.database import Database, DatabaseDown
from pypi.db.queries import reads
from pypi.domain.permissions import TOKEN_USER, Credentials, Identity, Role

REMEMBERED = 1.0
"""Seconds for which whoever was recognised is not looked up again, and a revoked token reads on."""

MOST = 10_000
"""Credentials remembered at once; the oldest make room."""

PATIENCE = 10.0
"""Seconds; hashing a password takes a tenth of one, but many may stand in line."""


@define(eq=False, repr=False, kw_only=True)
class Readers:
    """Recognises whoever reads what not everybody may.

    An installer shows the same credentials with each of hundreds of requests: all of a second share one
    look-up. What is kept of them is an HMAC under a key that dies with the process, and only of right ones.
    Of passwords the wrong ones are throttled; one that was right a few minutes ago may be shown as often as
    anybody likes, so that who guesses at an account locks nobody out who knows.

    Attributes:
        reactor: ``IReactorTime``.
        key: random, 32 bytes.
    """

    accounts: Accounts
    throttle: Throttle
    database: Database
    reactor: Any
    key: bytes
    _known: OrderedDict[bytes, tuple[float, Identity]] = field(factory=OrderedDict, init=False)
    _right: OrderedDict[bytes, float] = field(factory=OrderedDict, init=False)
    _looks: Coalescer[Identity] = field(factory=Coalescer, init=False)

    def __repr__(self) -> str:
        return f"<Readers {len(self._known)} known, {self._looks!r}>"

    async def recognise(self, given: Credentials, address: str) -> Identity:
        """Whose credentials these are.

        Args:
            address: where on the network they come from.

        Raises:
            WrongCredentials, TokenNeeded: nobody's, or not enough.
            Throttled: too many wrong passwords of late.
            DatabaseDown: nobody can say.
        """
        mark = hmac.digest(self.key, f"{given.name}\0{given.password}".encode(), hashlib.sha256)
        until, identity = self._known.get(mark, (0.0, None))
        if identity is not None and until > self.reactor.seconds():
            return identity
        look = self._looks.under_way(mark) or self._looks.start(
            mark, lambda: self._look(mark, given, address)
        )
        try:
            return await look.result(PATIENCE, self.reactor)
        except TookTooLong:
            raise DatabaseDown() from None

    async def role(self, identity: Identity, project_id: int) -> Role | None:
        """What somebody is to a project at this moment.

        Raises:
            DatabaseDown: nobody can say.
        """
        if identity.user_id is None:
            return None
        return await self.database.ask(reads.role_of, project_id=project_id, user_id=identity.user_id)

    async def is_about(self, project_id: int, *, name: str, digest: str) -> bool:
        """Whether a normalized name, or the digest of a file, is that of a project; raises the same."""
        return await self.database.ask(reads.is_about, project_id=project_id, name=name, digest=digest)

    async def _look(self, mark: bytes, given: Credentials, address: str) -> Identity:
        began = self.reactor.seconds()
        counted = given.name != TOKEN_USER and self._right.get(mark, 0.0) <= began
        if counted:
            await self.throttle.take(Act.READ, account=given.name, address=address)
        try:
            identity = await self.accounts.authenticate(given)
        except WrongCredentials:
            self._right.pop(mark, None)
            raise
        if counted:
            await self.throttle.give_back(Act.READ, account=given.name, address=address)
        _note(self._known, mark, (began + REMEMBERED, identity))
        if given.name != TOKEN_USER:
            _note(self._right, mark, began + LIFETIME)
        return identity


def _note(memory: OrderedDict[bytes, Any], mark: bytes, value: Any) -> None:
    memory[mark] = value
    memory.move_to_end(mark)
    while len(memory) > MOST:
        memory.popitem(last=False)
