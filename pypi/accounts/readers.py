"""Who reads: recognised anew with each request, and so as cheaply as revocation within a second allows."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from attrs import define, field

from caching.coalesce import Coalescer, TookTooLong
from pypi.accounts.programs import PATIENCE, Programs
from pypi.db.database import Database, DatabaseDown
from pypi.db.queries import reads
from pypi.domain.permissions import Credentials, Identity, Role

REMEMBERED = 1.0
"""Seconds for which whoever was recognised is not looked up again, and a revoked token reads on."""

MOST = 10_000
"""Credentials remembered at once; the oldest make room."""


@define(eq=False, repr=False, kw_only=True)
class Readers:
    """Recognises whoever reads what not everybody may.

    An installer shows the same credentials with each of hundreds of requests: all of a second share one
    look-up. Only of right ones anything is kept, and that is no more than ``Programs`` keeps.

    Attributes:
        programs: looks who they are.
        reactor: ``IReactorTime``.
    """

    programs: Programs
    database: Database
    reactor: Any
    _known: OrderedDict[bytes, tuple[float, Identity]] = field(factory=OrderedDict, init=False)
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
        mark = self.programs.mark(given)
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
        identity = await self.programs.recognise(given, address)
        self._known[mark] = (began + REMEMBERED, identity)
        self._known.move_to_end(mark)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return identity
