"""Another password: by saying the old one, or by a secret sent to an address of the account.

Whichever way, sessions end, browsers are no longer known, and no secret that was sent before is good.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, field, frozen

from pypi.accounts import addresses, audit, browsers, secret
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import SessionOver, UnusableAddress, UnusableProof, WrongCredentials
from pypi.accounts.even import evenly
from pypi.accounts.notices import Notice, Send, Word, keep_proof
from pypi.accounts.passwords import Passwords
from pypi.accounts.sessions import Sessions, Started
from pypi.accounts.strength import Strength
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, proofs
from pypi.db.queries import sessions as stored_sessions
from pypi.db.queries.emails import HolderRow
from pypi.db.queries.proofs import ProofRow
from pypi.db.queries.sessions import SessionRow

PURPOSE = "reset"


@frozen(kw_only=True, eq=False)
class Renewal:
    """Changes passwords.

    Attributes:
        send: has a notice sent.
        lasts: how long a secret is good.
    """

    database: Database
    passwords: Passwords
    strength: Strength
    sessions: Sessions
    throttle: Throttle
    send: Send
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    reactor: Any = field(repr=False)
    lasts: timedelta = timedelta(hours=1)

    async def ask(self, email: str, *, address: str) -> None:
        """Have a secret sent to an address, if an account has proven it; nobody is told whether one has.

        Args:
            address: the network address it is asked from.

        Raises:
            UnusableAddress: it is none.
            Throttled: too often, for whomever.
        """
        if addresses.why_not(email) is not None:
            raise UnusableAddress(email)
        await self.throttle.take(Act.RESET, account=email, address=address)
        text = secret.make(self.random_bytes)
        new = Notice(word=Word.RESET, to=email, user="", secret=text, lasts=self.lasts)
        await evenly(self.reactor, self.database.transact(_ask, self.send, new, address, now=self.now()))

    async def look(self, text: str) -> bool:
        """Whether a secret is good yet, before a new password is asked for."""
        digest = secret.digest(text)
        return digest is not None and await self.database.read(_found, digest, now=self.now()) is not None

    async def reset(self, text: str, password: str, *, address: str, browser: str | None = None) -> None:
        """Give the account another password; who did it has to sign in with that, with all that takes.

        Args:
            browser: the secret of the one they have, which stays known if it was.

        Raises:
            UnusableProof: the secret is good for nothing.
            UnusablePassword, WeakPassword: the secret stays good.
        """
        digest = secret.digest(text)
        found = None if digest is None else await self.database.read(_found, digest, now=self.now())
        if digest is None or found is None:
            raise UnusableProof()
        await self.strength.check(password, names=found)
        hashed = await self.passwords.hash(password)
        ended = await self.database.transact(
            _reset, self.send, digest, hashed, address, browser, now=self.now()
        )
        await self.sessions.forget(ended)

    async def has_password(self, session: SessionRow) -> bool:
        """Whether there is a password that can be changed.

        Raises:
            SessionOver: the account is not in use any more.
        """
        return (await self.database.read(_known, session.user_id))[1] is not None

    async def change(
        self, session: SessionRow, *, old: str, new: str, address: str, browser: str | None = None
    ) -> Started:
        """Give them another password, who say the one they have; all of their sessions end but this one.

        Args:
            browser: the secret of the one they have, which stays known.

        Returns:
            the session with another secret.

        Raises:
            WrongCredentials: the old password is another one.
            UnusablePassword, WeakPassword: the new one is not good enough.
            Throttled: too many wrong ones.
            SessionOver: the session was ended in the meantime.
        """
        if session.is_partial:
            raise SessionOver()
        await self.throttle.take(Act.PASSWORD, account=str(session.user_id))
        names, known = await self.database.read(_known, session.user_id)
        if not await self.passwords.verify(known, old):
            raise WrongCredentials()
        await self.throttle.give_back(Act.PASSWORD, account=str(session.user_id))
        await self.strength.check(new, names=names)
        hashed = await self.passwords.hash(new)
        ended = await self.database.transact(
            _change, self.send, session, known, hashed, address, browser, now=self.now()
        )
        await self.sessions.forget(ended)
        return await self.sessions.rotate(session)


async def _ask(cursor: Cursor, send: Send, new: Notice, address: str, *, now: datetime) -> None:
    holder = await emails.by_address(cursor, new.to)
    if holder is None:
        return
    # To the address that was proven, and not to what was typed: however alike, only the one is theirs.
    new = evolve(new, to=holder.address)
    await keep_proof(cursor, new, user_id=holder.id, purpose=PURPOSE, now=now)
    # Who asked is nobody known; the account is the one it happens to.
    event = Event(kind=Kind.RESET_ASKED, user_id=holder.id, actor="", address=address)
    await audit.write(cursor, event, now=now)
    await send(cursor, evolve(new, user=holder.name))


async def _found(cursor: Cursor, digest: bytes, *, now: datetime) -> list[str] | None:
    """Names of the account a secret is good for, ``None`` where it is good for nothing."""
    proof = await proofs.look(cursor, digest, purpose=PURPOSE, now=now)
    holder = None if proof is None else await _holder(cursor, proof)
    return None if holder is None else await _names(cursor, holder.id, holder.name)


async def _holder(cursor: Cursor, proof: ProofRow) -> HolderRow | None:
    """Whose a proof is, if the address it was sent to is still theirs."""
    holder = await emails.by_address(cursor, proof.address)
    return holder if holder is not None and holder.id == proof.user_id else None


async def _names(cursor: Cursor, user_id: int, name: str) -> list[str]:
    return [name, *(one.address for one in await emails.of_user(cursor, user_id))]


async def _known(cursor: Cursor, user_id: int) -> tuple[list[str], str | None]:
    holder = await emails.by_id(cursor, user_id)
    if holder is None:
        raise SessionOver()
    return await _names(cursor, user_id, holder.name), holder.password_hash


async def _reset(
    cursor: Cursor,
    send: Send,
    digest: bytes,
    hashed: str,
    address: str,
    browser: str | None,
    *,
    now: datetime,
) -> list[bytes]:
    """The digests of the sessions that ended."""
    proof = await proofs.look(cursor, digest, purpose=PURPOSE, now=now)
    if proof is None or proof.user_id is None:
        raise UnusableProof()
    # Whose the address is, and whether the secret was used, is looked at while nobody changes the account.
    locked = await emails.holder(cursor, proof.user_id)
    holder = None if locked is None else await _holder(cursor, proof)
    if holder is None or await proofs.take(cursor, digest, purpose=PURPOSE, now=now) is None:
        raise UnusableProof()
    event = Event(kind=Kind.PASSWORD_RESET, user_id=holder.id, actor=holder.name, address=address)
    await browsers.forget(cursor, holder.id, but=browser)
    return await _set(cursor, send, holder, hashed, event, but=None, now=now)


async def _change(
    cursor: Cursor,
    send: Send,
    session: SessionRow,
    known: str | None,
    hashed: str,
    address: str,
    browser: str | None,
    *,
    now: datetime,
) -> list[bytes]:
    """The digests of the sessions that ended."""
    holder = await emails.holder(cursor, session.user_id)
    if holder is None or await stored_sessions.by_digest(cursor, session.digest) is None:
        raise SessionOver()
    if holder.password_hash != known:
        raise WrongCredentials()
    event = Event(kind=Kind.PASSWORD_CHANGED, user_id=holder.id, actor=holder.name, address=address)
    await browsers.forget(cursor, holder.id, but=browser)
    return await _set(cursor, send, holder, hashed, event, but=session.digest, now=now)


async def _set(
    cursor: Cursor,
    send: Send,
    holder: HolderRow,
    hashed: str,
    event: Event,
    *,
    but: bytes | None,
    now: datetime,
) -> list[bytes]:
    await emails.set_password(cursor, user_id=holder.id, password_hash=hashed, now=now)
    await proofs.forget(cursor, user_id=holder.id)
    ended = await stored_sessions.end_all(cursor, user_id=holder.id, but=but)
    await audit.write(cursor, event, now=now)
    for one in await emails.of_user(cursor, holder.id):
        if one.is_primary:
            await send(cursor, Notice(word=Word.PASSWORD_CHANGED, to=one.address, user=holder.name))
    return ended
