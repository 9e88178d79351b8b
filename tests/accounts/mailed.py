"""Rooms of accounts that send notices, which a test reads, and a time that passes at once."""

from __future__ import annotations

import json
import secrets
from typing import Any

from attrs import define, field

from pypi.accounts.emails import Emails
from pypi.accounts.notices import Notice, Word
from pypi.accounts.registration import Registration
from pypi.accounts.renewal import Renewal
from pypi.accounts.sessions import Sessions
from pypi.accounts.strength import Strength
from pypi.accounts.throttle import Throttle
from pypi.db.connection import Cursor
from pypi.db.queries.sessions import SessionRow
from tests.accounts.conftest import Kept
from tests.support.databases import ask

HERE = "192.0.2.1"
PASSWORD = "correct horse battery"

POST = (
    "INSERT INTO outbox (serial, kind, payload, created, due) VALUES (0, 'test', %(payload)s, now(), now())"
)


@define
class AtOnce:
    """A reactor whose calls are due at once.

    Attributes:
        waits: seconds that were asked for.
    """

    waits: list[float] = field(factory=list)

    def callLater(self, seconds: float, call: Any, *args: Any) -> Any:
        from twisted.internet import reactor

        self.waits.append(seconds)
        return reactor.callLater(0, call, *args)


@define(eq=False)
class Office:
    """All rooms that send mail, on one database; notices stand in the outbox, as letters would."""

    kept: Kept
    factor: float = 0.0
    reactor: AtOnce = field(factory=AtOnce)
    leaked: set[str] = field(factory=set)
    asked: list[str] = field(factory=list)
    sessions: Sessions = field(init=False)
    registration: Registration = field(init=False)
    emails: Emails = field(init=False)
    renewal: Renewal = field(init=False)

    def __attrs_post_init__(self) -> None:
        database, now = self.kept.accounts.database, self.kept.clock.now
        throttle = Throttle(database=database, now=now, factor=self.factor)
        common: dict[str, Any] = {"database": database, "now": now, "random_bytes": secrets.token_bytes}
        mailing = common | {"throttle": throttle, "send": send, "reactor": self.reactor}
        choosing = {"passwords": self.kept.accounts.passwords, "strength": Strength(breached=self._breached)}
        self.sessions = Sessions(redis=None, **common)
        self.registration = Registration(is_open=True, **choosing, **mailing)
        self.emails = Emails(**mailing)
        self.renewal = Renewal(sessions=self.sessions, **choosing, **mailing)

    async def _breached(self, password: str) -> bool:
        self.asked.append(password)
        return password in self.leaked

    def sent(self) -> list[Notice]:
        """What was sent since the last look."""
        rows = ask(self.kept.url, "SELECT payload FROM outbox WHERE kind = 'test' ORDER BY id")
        ask(self.kept.url, "DELETE FROM outbox")
        return [Notice(word=Word[row.pop("word")], **row) for (row,) in rows]  # type: ignore[attr-defined]

    def secret(self) -> str:
        """The only secret that was sent since the last look."""
        [notice] = self.sent()
        assert notice.secret is not None
        return notice.secret

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        return ask(self.kept.url, text)

    def events(self) -> list[str]:
        """What the security log tells, first to last."""
        return [event for (event,) in self.sql("SELECT event FROM audit ORDER BY id")]

    async def account(self, name: str = "ada") -> SessionRow:
        """An account that is signed in."""
        await self.kept.accounts.add_user(name, email=f"{name}@people.example", password=PASSWORD)
        [(user_id,)] = self.sql(f"SELECT id FROM users WHERE name = '{name}'")
        begun = await self.sessions.begin(
            user_id, asked=self.kept.clock.time, by="password", address=HERE, agent=""
        )
        return begun.session


async def send(cursor: Cursor, notice: Notice) -> None:
    """Put a notice into the outbox."""
    told = {"word": notice.word.name, "to": notice.to, "user": notice.user, "secret": notice.secret}
    await cursor.run(POST, {"payload": json.dumps(told | {"address": notice.address})})
