"""Addresses of an account: added when they are proven, and which of them mail goes to.

What is asked for is answered the same whether or not the address belongs to somebody else, who is told. A
secret is good for the account that asked only, while its owner is signed in: nobody gets an address by having
its owner follow a link.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from pypi.accounts import addresses, audit, secret
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import (
    AddressTaken,
    NoSuchAddress,
    PrimaryAddress,
    SessionOver,
    TooManyAddresses,
    UnusableAddress,
    UnusableProof,
)
from pypi.accounts.even import evenly
from pypi.accounts.notices import Notice, Send, Word, keep_proof
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, proofs
from pypi.db.queries.emails import EmailRow
from pypi.db.queries.proofs import PendingRow
from pypi.db.queries.sessions import SessionRow

PURPOSE = "verify"

MOST = 10
"""Addresses of an account, those that are yet to be proven among them."""


@frozen(kw_only=True)
class Addresses:
    """The addresses of an account.

    Attributes:
        proven: the primary one first.
        pending: a secret was sent to these.
    """

    proven: tuple[EmailRow, ...]
    pending: tuple[PendingRow, ...]


@frozen(kw_only=True, eq=False)
class Emails:
    """All there is to know and to change about addresses.

    Attributes:
        send: has a notice sent.
        lasts: how long somebody has to prove an address.
    """

    database: Database
    throttle: Throttle
    send: Send
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    reactor: Any = field(repr=False)
    lasts: timedelta = timedelta(days=1)

    async def of_user(self, user_id: int) -> Addresses:
        """An account's addresses."""
        return await self.database.read(_of_user, user_id, now=self.now())

    async def add(self, session: SessionRow, email: str, *, address: str) -> None:
        """Have it proven that an address is theirs.

        Args:
            address: the network address they are at.

        Raises:
            UnusableAddress, TooManyAddresses: it cannot be added.
            Throttled: too many of late.
        """
        if addresses.why_not(email) is not None:
            raise UnusableAddress(email)
        await self.throttle.take(Act.VERIFY, account=email, address=address)
        text = secret.make(self.random_bytes)
        new = Notice(word=Word.VERIFY, to=email, user=session.name, secret=text, lasts=self.lasts)
        work = self.database.transact(_add, self.send, new, session, address, now=self.now())
        await evenly(self.reactor, work)

    async def look(self, session: SessionRow, text: str) -> str | None:
        """The address that a secret would prove to be theirs; ``None`` if it is good for nothing, or not for
        them."""
        digest = secret.digest(text)
        if digest is None:
            return None
        proof = await self.database.ask(proofs.look, digest, purpose=PURPOSE, now=self.now())
        return proof.address if proof is not None and proof.user_id == session.user_id else None

    async def verify(self, session: SessionRow, text: str, *, address: str) -> str:
        """Add the address that is proven by a secret sent there.

        Returns:
            the address.

        Raises:
            UnusableProof: the secret is good for nothing, or not for them.
            AddressTaken: by somebody who was faster.
        """
        digest = secret.digest(text)
        if digest is None:
            raise UnusableProof()
        return await self.database.transact(_verify, digest, session, address, now=self.now())

    async def withdraw(self, session: SessionRow, email: str, *, address: str) -> None:
        """Let an address be that is yet to be proven; nothing that was sent there proves it any more."""
        await self.database.transact(_withdraw, session, email, address, now=self.now())

    async def make_primary(self, session: SessionRow, email_id: int, *, address: str) -> None:
        """Have mail go to another of their addresses, and tell the one it went to.

        Raises:
            NoSuchAddress: they have none of that id that is proven.
        """
        await self.database.transact(_make_primary, self.send, session, email_id, address, now=self.now())

    async def remove(self, session: SessionRow, email_id: int, *, address: str) -> None:
        """Take an address away; what was sent there proves nothing any longer.

        Raises:
            NoSuchAddress: they have none of that id.
            PrimaryAddress: mail goes there.
        """
        await self.database.transact(_remove, session, email_id, address, now=self.now())


async def _of_user(cursor: Cursor, user_id: int, *, now: datetime) -> Addresses:
    proven = await emails.of_user(cursor, user_id)
    pending = await proofs.pending(cursor, user_id=user_id, now=now)
    return Addresses(proven=tuple(proven), pending=tuple(pending))


async def _add(
    cursor: Cursor, send: Send, new: Notice, session: SessionRow, address: str, *, now: datetime
) -> None:
    await _hold(cursor, session)
    user_id = session.user_id
    have = await _of_user(cursor, user_id, now=now)
    theirs = {one.address.lower(): one for one in have.proven}
    pending = {one.address.lower() for one in have.pending}
    if len(theirs.keys() | pending | {new.to.lower()}) > MOST:
        raise TooManyAddresses(MOST)
    this = theirs.get(new.to.lower())
    if this is not None and this.verified:
        return
    is_taken = this is None and await emails.is_taken(cursor, new.to)
    # What belongs to somebody else is pending, too, and stays so: its secret is told to nobody.
    await proofs.forget_address(cursor, user_id=user_id, address=new.to)
    await keep_proof(cursor, new, user_id=user_id, purpose=PURPOSE, now=now)
    await _write(cursor, Kind.EMAIL_ADDED, session, address, now, email=new.to)
    await send(cursor, Notice(word=Word.VERIFY_KNOWN, to=new.to, user=new.user) if is_taken else new)


async def _verify(cursor: Cursor, digest: bytes, session: SessionRow, address: str, *, now: datetime) -> str:
    await _hold(cursor, session)
    proof = await proofs.take(cursor, digest, purpose=PURPOSE, now=now)
    if proof is None or proof.user_id != session.user_id:
        raise UnusableProof()
    if not await emails.verify(cursor, user_id=session.user_id, address=proof.address, now=now):
        raise AddressTaken(proof.address)
    await _write(cursor, Kind.EMAIL_VERIFIED, session, address, now, email=proof.address)
    return proof.address


async def _withdraw(cursor: Cursor, session: SessionRow, email: str, address: str, *, now: datetime) -> None:
    await _hold(cursor, session)
    if await proofs.withdraw(cursor, user_id=session.user_id, address=email):
        await _write(cursor, Kind.EMAIL_REMOVED, session, address, now, email=email)


async def _make_primary(
    cursor: Cursor, send: Send, session: SessionRow, email_id: int, address: str, *, now: datetime
) -> None:
    await _hold(cursor, session)
    have = await emails.of_user(cursor, session.user_id)
    new = next((one for one in have if one.id == email_id and one.verified), None)
    old = next((one for one in have if one.is_primary), None)
    if new is None:
        raise NoSuchAddress()
    if new.is_primary:
        return
    await emails.make_primary(cursor, user_id=session.user_id, email_id=email_id)
    before = old.address if old else None
    await _write(cursor, Kind.EMAIL_PRIMARY, session, address, now, email=new.address, before=before)
    if old is not None:
        told = Notice(word=Word.PRIMARY_CHANGED, to=old.address, user=session.name, address=new.address)
        await send(cursor, told)


async def _remove(cursor: Cursor, session: SessionRow, email_id: int, address: str, *, now: datetime) -> None:
    await _hold(cursor, session)
    have = await emails.of_user(cursor, session.user_id)
    old = next((one for one in have if one.id == email_id), None)
    if old is None:
        raise NoSuchAddress()
    if old.is_primary:
        raise PrimaryAddress()
    await emails.remove(cursor, user_id=session.user_id, email_id=email_id)
    await proofs.forget_address(cursor, user_id=session.user_id, address=old.address)
    await _write(cursor, Kind.EMAIL_REMOVED, session, address, now, email=old.address)


async def _hold(cursor: Cursor, session: SessionRow) -> None:
    if session.is_partial or await emails.holder(cursor, session.user_id) is None:
        raise SessionOver()


async def _write(
    cursor: Cursor, kind: Kind, session: SessionRow, address: str, now: datetime, **about: str | None
) -> None:
    event = Event(kind=kind, user_id=session.user_id, actor=session.name, address=address, about=about)
    await audit.write(cursor, event, now=now)
