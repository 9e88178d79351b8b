"""Making an account for oneself: asked for on the web, made when the address is proven.

Until then there is no account, and no name or address is taken. Whether an address belongs to somebody is
told to that address only: whoever asks is answered the same, at the same time. Who proves the address says
the password again, so that nobody makes somebody else's account by following a link they did not ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import field, frozen

from pypi.accounts import addresses, audit, secret
from pypi.accounts.accounts import is_usable
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import (
    AddressTaken,
    NameTaken,
    RegistrationOff,
    UnusableAddress,
    UnusableName,
    UnusableProof,
    WrongCredentials,
)
from pypi.accounts.even import evenly
from pypi.accounts.notices import Notice, Send, Word, keep_proof
from pypi.accounts.passwords import Passwords
from pypi.accounts.strength import Strength
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, proofs, users
from pypi.domain.permissions import Identity

PURPOSE = "register"


@frozen(kw_only=True, eq=False)
class Registration:
    """Makes accounts for those who ask for one.

    Attributes:
        is_open: whether anybody may (``access.registration``).
        send: has a notice sent.
        lasts: how long somebody has to prove the address.
    """

    database: Database
    passwords: Passwords
    strength: Strength
    throttle: Throttle
    send: Send
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    reactor: Any = field(repr=False)
    is_open: bool = False
    lasts: timedelta = timedelta(days=1)

    async def ask(self, name: str, *, email: str, password: str, address: str) -> None:
        """Have it proven that the e-mail address is theirs, who want an account.

        Args:
            address: the network address they are at.

        Raises:
            RegistrationOff: nobody may.
            Throttled: too many of late.
            Refusal: name, address or password cannot be used, or the name is taken.
        """
        self._refuse_if_closed()
        if not is_usable(name):
            raise UnusableName(name)
        if addresses.why_not(email) is not None:
            raise UnusableAddress(email)
        self.strength.look(password, names=(name, email))
        await self.throttle.take(Act.REGISTER, address=address)
        await self.strength.ask(password)
        await self.throttle.take(Act.VERIFY, account=email, address=address)
        await evenly(self.reactor, self._ask(name, email, password))

    async def look(self, text: str) -> str | None:
        """The name of the account a secret makes; ``None`` if it is good for nothing."""
        digest = secret.digest(text)
        if digest is None:
            return None
        proof = await self.database.ask(proofs.look, digest, purpose=PURPOSE, now=self.now())
        return None if proof is None else str(proof.about["name"])

    async def confirm(self, text: str, *, password: str, address: str) -> Identity:
        """Make the account whose address is proven by a secret sent there.

        Args:
            password: as it was given when it was asked for.

        Raises:
            RegistrationOff: nobody may any longer.
            UnusableProof: the secret is good for nothing.
            WrongCredentials: the password is another one; the secret stays good.
            NameTaken, AddressTaken: by somebody who was faster.
            Throttled: too many wrong passwords.
        """
        self._refuse_if_closed()
        digest = secret.digest(text)
        if digest is None:
            raise UnusableProof()
        await self.throttle.take(Act.PASSWORD, account=digest.hex())
        proof = await self.database.ask(proofs.look, digest, purpose=PURPOSE, now=self.now())
        if proof is None:
            raise UnusableProof()
        if not await self.passwords.verify(proof.about["password_hash"], password):
            raise WrongCredentials()
        return await self.database.transact(_make, digest, address, now=self.now())

    def _refuse_if_closed(self) -> None:
        if not self.is_open:
            raise RegistrationOff()

    async def _ask(self, name: str, email: str, password: str) -> None:
        hashed = await self.passwords.hash(password)
        text = secret.make(self.random_bytes)
        known = Notice(word=Word.REGISTER_KNOWN, to=email, user=name)
        new = Notice(word=Word.REGISTER, to=email, user=name, secret=text, lasts=self.lasts)
        await self.database.transact(_ask, self.send, known, new, hashed, now=self.now())

    async def tidy(self) -> int:
        """Forget proofs of any kind that are too old, a bounded number at once; how many."""
        return await self.database.transact(proofs.tidy, now=self.now(), limit=1000)


async def _ask(
    cursor: Cursor, send: Send, known: Notice, new: Notice, password_hash: str, *, now: datetime
) -> None:
    if await users.is_taken(cursor, new.user):
        raise NameTaken(new.user)
    if await emails.is_taken(cursor, new.to):
        await send(cursor, known)
        return
    about = {"name": new.user, "password_hash": password_hash}
    await keep_proof(cursor, new, user_id=None, purpose=PURPOSE, now=now, about=about)
    await send(cursor, new)


async def _make(cursor: Cursor, digest: bytes, address: str, *, now: datetime) -> Identity:
    proof = await proofs.take(cursor, digest, purpose=PURPOSE, now=now)
    if proof is None:
        raise UnusableProof()
    name = proof.about["name"]
    user_id = await users.add(
        cursor, name=name, password_hash=proof.about["password_hash"], is_admin=False, now=now
    )
    if user_id is None:
        raise NameTaken(name)
    if not await emails.verify(cursor, user_id=user_id, address=proof.address, now=now):
        raise AddressTaken(proof.address)
    event = Event(kind=Kind.REGISTERED, user_id=user_id, actor=name, address=address)
    await audit.write(cursor, event, now=now)
    return Identity(user_id=user_id, name=name)
