"""What people are told by mail about their account; somebody else makes letters of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum

from attrs import field, frozen

from pypi.accounts import secret
from pypi.db.connection import Cursor
from pypi.db.queries import proofs


class Word(Enum):
    """What a notice says."""

    REGISTER = "prove that the address of your new account is yours"
    REGISTER_KNOWN = "somebody wants to make an account with an address that has one already"
    VERIFY = "prove that an address is yours"
    VERIFY_KNOWN = "somebody wants to add your address to another account"
    RESET = "choose another password"
    PASSWORD_CHANGED = "your password was changed"  # noqa: S105  # a sentence, not a password
    PRIMARY_CHANGED = "your mail goes to another address now"
    CONFIRM_SIGN_IN = "confirm that it is you who is signing in with a browser not seen before"
    NEW_SIGN_IN = "somebody signed in with a browser not seen before"


@frozen(kw_only=True)
class Notice:
    """To one person, about one thing.

    Attributes:
        to: an e-mail address.
        user: whom it is written to, by name.
        secret: what proves that it was read; ``None`` where nothing is to be proven.
        lasts: how long it is worth sending; of a secret, how long that is good.
        address: another e-mail address it is about; of a sign-in, the network address.
        agent: what somebody signed in with, in words.
    """

    word: Word
    to: str
    user: str
    secret: str | None = field(default=None, repr=False)
    lasts: timedelta = timedelta(days=2)
    address: str = ""
    agent: str = ""


async def keep_proof(
    cursor: Cursor,
    notice: Notice,
    *,
    user_id: int | None,
    purpose: str,
    now: datetime,
    about: Mapping[str, object] | None = None,
) -> None:
    """Remember what the secret of a notice is going to prove.

    Args:
        user_id: the account it is good for; ``None`` where there is none yet.
        purpose: what it is good for.
        about: what else has to be known then.
    """
    assert notice.secret is not None
    await proofs.add(
        cursor,
        digest=secret.digest_of_made(notice.secret),
        user_id=user_id,
        purpose=purpose,
        address=notice.to,
        expires=now + notice.lasts,
        now=now,
        about=about or {},
    )


Send = Callable[[Cursor, Notice], Awaitable[None]]
"""Has a notice sent once the transaction of the cursor is committed."""
