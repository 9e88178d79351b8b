"""Notices become letters, every one of them, with their secrets behind the paths they are for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pypi.accounts.mailed import Mailed
from pypi.accounts.notices import Notice, Word
from pypi.db.database import Database
from pypi.mail.messages import Messages
from pypi.mail.post import Posted
from tests.support.databases import ask
from tests.support.index import reactor
from tests.support.mail import part, read

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)

MAILED = Mailed(
    register="/account/register/confirm/",
    verify="/account/verify/",
    reset="/account/reset/",
    confirm="/account/confirm/",
    now=lambda: NOW,
)

SECRET = "s3cret_-" * 5


@pytest.mark.parametrize("word", Word)
async def test_every_notice_is_a_letter(database_url: str, word: Word) -> None:
    """A notice is posted as a letter that lasts as long; a secret is in those with a link, and only there."""
    has_secret = word in {Word.REGISTER, Word.VERIFY, Word.RESET, Word.CONFIRM_SIGN_IN}
    notice = Notice(
        word=word,
        to="ada@people.example",
        user="" if word is Word.RESET else "ada",
        secret=SECRET if has_secret else None,
        lasts=timedelta(hours=3),
        address="192.0.2.7" if word in {Word.NEW_SIGN_IN, Word.CONFIRM_SIGN_IN} else "eve@other.example",
    )
    database = Database(database_url, reactor)
    await database.transact(MAILED.send, notice)
    await database.stop()
    rows: Any = ask(database_url, "SELECT payload FROM outbox WHERE kind = 'mail'")
    posted = Posted.of(rows[0][0])
    assert (posted.to, posted.until) == (notice.to, NOW + timedelta(hours=3))
    text = part(
        read(Messages(origin="https://pkg.example", index="Shop").write(posted, number=1).data), "plain"
    )
    assert (SECRET in text) is has_secret
    assert "eve@" not in text


def test_secrets_go_where_they_are_for() -> None:
    """The links of a new account, of one more address and of a lost password lead to pages of their own."""
    paths = [
        MAILED.letter(Notice(word=word, to="a@b.example", user="ada", secret="x")).link_path
        for word in (Word.REGISTER, Word.VERIFY, Word.RESET, Word.CONFIRM_SIGN_IN)
    ]
    assert paths == [
        "/account/register/confirm/x",
        "/account/verify/x",
        "/account/reset/x",
        "/account/confirm/x",
    ]


def test_new_addresses_are_veiled() -> None:
    """Who had the old address learns of the new one what they need to know it again."""
    notice = Notice(word=Word.PRIMARY_CHANGED, to="a@b.example", user="ada", address="eve@other.example")
    assert "e…@other.example" in str(MAILED.letter(notice))
