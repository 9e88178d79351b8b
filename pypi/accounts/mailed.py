"""Notices as letters: what people are told of their account, posted in the transaction that is the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from attrs import evolve, field, frozen

from pypi.accounts.notices import Notice, Word
from pypi.db.connection import Cursor
from pypi.db.queries import emails
from pypi.mail import letters
from pypi.mail.letters import Letter
from pypi.mail.post import post


@frozen(kw_only=True)
class Mailed:
    """Makes letters of notices.

    Attributes:
        register: path of the page that makes an account; the secret is put behind it.
        verify: path of the page that proves one more address of an account; likewise.
        reset: path of the page that takes another password; likewise.
        confirm: path of the page that lets a new browser in; likewise.
    """

    register: str
    verify: str
    reset: str
    confirm: str
    now: Callable[[], datetime] = field(repr=False)

    async def send(self, cursor: Cursor, notice: Notice) -> None:
        """Have a notice sent once the transaction of the cursor is committed."""
        await post(cursor, self.letter(notice), to=notice.to, now=self.now(), lasts=notice.lasts)

    def letter(self, notice: Notice) -> Letter:
        """What is written of it."""
        user, secret = notice.user, quote(notice.secret or "", safe="")
        match notice.word:
            case Word.REGISTER:
                return letters.VerifyAddress(user=user, path=f"{self.register}{secret}")
            case Word.VERIFY:
                return letters.VerifyAddress(user=user, path=f"{self.verify}{secret}")
            case Word.RESET:
                return letters.ResetPassword(user=user, path=f"{self.reset}{secret}")
            case Word.REGISTER_KNOWN:
                return letters.AddressKnown(user="", wanted=user)
            case Word.VERIFY_KNOWN:
                return letters.AddressWanted(user="", by=user)
            case Word.PASSWORD_CHANGED:
                return letters.PasswordChanged(user=user)
            case Word.PRIMARY_CHANGED:
                return letters.AddressChanged(user=user, new=veiled(notice.address))
            case Word.CONFIRM_SIGN_IN:
                return letters.ConfirmSignIn(
                    user=user,
                    path=f"{self.confirm}{secret}",
                    address=notice.address,
                    agent=notice.agent,
                )
            case Word.NEW_SIGN_IN:
                return letters.NewSignIn(user=user, address=notice.address, agent=notice.agent)


async def tell(cursor: Cursor, user_id: int, letter: Letter, *, now: datetime) -> None:
    """Have a letter sent to an account, by its name, where it can be written to."""
    for one in await emails.reachable(cursor, [user_id]):
        await post(cursor, evolve(letter, user=one.name), to=one.address, now=now)


def veiled(address: str) -> str:
    """An address for whom knows it: ``a…@people.example``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
