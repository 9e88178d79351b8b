"""Letters: posted with the change that is their reason, sent once to a real server, forgotten when sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet.defer import Deferred

from pypi.config import load
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import outbox
from pypi.jobs.mail import SendMail, figures, send_mail
from pypi.jobs.outbox import Outbox
from pypi.mail.letters import Letter, PasswordChanged, ResetPassword
from pypi.mail.post import LASTS, post
from tests.support.databases import ask
from tests.support.index import eventually, reactor, running
from tests.support.mail import HERE, MailServer, part

START = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)

PATH = "/account/reset/very-secret"

RESET = ResetPassword(user="ada", path=PATH)

ADA = "ada@people.example"


@define(eq=False)
class Office:
    """An outbox of letters on a database, with its server, and a clock that tests turn."""

    database: Database
    url: str
    server: MailServer
    time: datetime = START
    job: SendMail = field(init=False)
    outbox: Outbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        config = load(environment={}, overrides={"mail.url": f"smtp://{HERE}:{self.server.port}?tls=off"})
        made = send_mail(config, reactor, origin="https://pkg.example", now=lambda: self.time)
        assert made is not None
        self.job = made
        self.outbox = made.outbox(self.database, reactor, elsewhere=["purge"])

    async def post(self, letter: Letter = RESET, to: str = ADA, **more: Any) -> int:
        """Commit a change that is the reason for a letter."""
        return await self.database.transact(post, letter, to=to, now=self.time, **more)

    @property
    def left(self) -> list[tuple[Any, ...]]:
        """(attempts, seconds until it is due) of the letters still to be sent."""
        rows: Any = ask(self.url, "SELECT attempts, due FROM outbox WHERE kind = 'mail' ORDER BY id")
        return [(attempts, (due - self.time).total_seconds()) for attempts, due in rows]

    def figures(self) -> dict[str, float]:
        """What metrics say."""
        return {one.name: one.samples[0][1] for one in figures(self.job, self.outbox)}


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server."""
    with MailServer().listening() as made:
        yield made


@pytest_twisted.async_yield_fixture
async def office(database_url: str, server: MailServer) -> AsyncIterator[Office]:
    database = Database(database_url, reactor)
    yield Office(database, database_url, server)
    await database.stop()


async def test_sent_once_and_forgotten(office: Office) -> None:
    """A letter arrives once, with its link, and nothing of it stays in the database."""
    await office.post()
    for _ in range(2):
        await office.outbox.run()
    assert len(office.server.envelopes) == 1
    assert f"https://pkg.example{PATH}" in part(office.server.messages[0], "plain")
    assert ask(office.url, "SELECT * FROM outbox") == []
    assert office.figures()["mail_sent"] == 1


async def test_posted_with_its_reason_or_not_at_all(office: Office) -> None:
    """What is rolled back tells nobody."""

    async def change(cursor: Cursor) -> None:
        await post(cursor, RESET, to=ADA, now=START)
        raise LookupError

    with pytest.raises(LookupError):
        await office.database.transact(change)
    await office.outbox.run()
    assert office.server.envelopes == []


async def test_nothing_more_than_needed_is_kept(office: Office) -> None:
    """A row holds the letter's fields, its address and its times."""
    await office.post()
    ((payload,),) = ask(office.url, "SELECT payload FROM outbox")
    assert payload == {
        "letter": "reset-password",
        "to": ADA,
        "at": START.isoformat(),
        "until": (START + LASTS).isoformat(),
        "about": {"user": "ada", "path": PATH},
    }


async def test_tried_again(office: Office) -> None:
    """A letter that is not taken for now is tried again, later each time, ten minutes at most, and sent."""
    office.server.says["RCPT"] = "450 4.2.1 come again"
    await office.post()
    pauses = []
    for _ in range(12):
        await office.outbox.run()
        ((_attempts, pause),) = office.left
        pauses.append(pause)
        office.time += timedelta(seconds=pause + 1)
    assert all(2**n / 2 <= pause <= 2**n for n, pause in enumerate(pauses[:9]))
    assert all(300 <= pause <= 600 for pause in pauses[-2:])
    assert office.figures()["mail_failures"] == 12
    office.server.says.clear()
    await office.outbox.run()
    assert len(office.server.envelopes) == 1
    assert office.left == []


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
async def test_refused_for_good(office: Office, command: str) -> None:
    """A letter that is refused for good is given up and forgotten, and others are sent."""
    office.server.says[command] = "550 5.1.1 no such person"
    await office.post()
    await office.outbox.run()
    office.server.says.clear()
    await office.post(PasswordChanged(user="ada"))
    await office.outbox.run()
    assert len(office.server.envelopes) == 1
    assert office.left == []
    assert office.figures()["mail_given_up"] == 1


async def test_too_late(office: Office) -> None:
    """A letter whose link has ended is not sent."""
    await office.post(lasts=timedelta(hours=1))
    office.time += timedelta(hours=1, seconds=1)
    await office.outbox.run()
    assert (office.server.envelopes, office.left) == ([], [])
    assert office.figures()["mail_given_up"] == 1


@pytest.mark.parametrize("payload", [{}, {"letter": "of-tomorrow", "to": ADA}, {"to": 7}])
async def test_what_cannot_be_read(office: Office, payload: dict[str, Any]) -> None:
    """A row that is no letter, or one of another version, is given up and stands in nobody's way."""
    await office.database.transact(outbox.add, serial=1, kind="mail", payload=payload, now=START)
    await office.post()
    await office.outbox.run()
    assert len(office.server.envelopes) == 1
    assert office.left == []


async def test_an_address_that_is_none(office: Office) -> None:
    """A letter to nowhere is given up."""
    await office.post(to="ada@x\r\nRCPT TO:<eve@evil.example>")
    await office.outbox.run()
    assert (office.server.envelopes, office.left) == ([], [])


async def test_died_after_it_was_taken(office: Office) -> None:
    """When the answer to a whole message is lost, it is sent again, and has the same Message-ID."""
    office.server.says["DATA"] = "die-after"
    await office.post()
    await office.outbox.run()
    assert office.left[0][0] == 1
    office.server.says.clear()
    office.time += timedelta(seconds=10)
    await office.outbox.run()
    first, second = office.server.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert office.left == []


async def test_one_that_fails_has_no_other_sent_again(office: Office) -> None:
    """Of several letters each is sent once, whatever becomes of the others."""
    for name in ("a", "b", "c"):
        await office.post(PasswordChanged(user=name), f"{name}@people.example")
    office.server.refuses = {"b@people.example": "450 4.2.1 come again"}
    for _ in range(3):
        await office.outbox.run()
        office.time += timedelta(seconds=60)
    office.server.refuses = {}
    await office.outbox.run()
    assert [one[1] for one in office.server.envelopes] == [
        ["a@people.example"],
        ["c@people.example"],
        ["b@people.example"],
    ]


async def test_a_hanging_server_is_no_matter_for_purges(office: Office) -> None:
    """Stopping does not wait for a server that hangs; the letter stays, and purges are left to their own."""
    office.server.says["DATA"] = "hang"
    await office.post()
    await office.database.transact(outbox.add, serial=1, kind="purge", payload={"tags": []}, now=START)
    running_now = Deferred.fromCoroutine(office.outbox.run())
    await eventually(lambda: "DATA" in office.server.commands)
    await office.outbox.stop()
    await running_now
    assert office.server.envelopes == []
    assert ask(office.url, "SELECT kind FROM outbox ORDER BY id") == [("mail",), ("purge",)]


async def test_two_workers(office: Office) -> None:
    """Workers that empty the outbox together send each letter once."""
    for number in range(10):
        await office.post(PasswordChanged(user=f"u{number}"))
    other = Office(office.database, office.url, office.server)
    runs = [Deferred.fromCoroutine(one.outbox.run()) for one in (office, other)]
    for one in runs:
        await one
    assert len({one["To"] for one in office.server.messages}) == len(office.server.messages) == 10


async def test_the_default_is_a_folder(database_url: str, tmp_path: Path) -> None:
    """Without a word in the configuration, letters lie in a folder of the data, and the doctor says so."""
    async with running(database_url, tmp_path) as index:
        folder = tmp_path / "mail"
        await index.application.outbox.database.transact(post, RESET, to=ADA, now=datetime.now(UTC))
        assert "set mail.url" in str(await index.application.probes["mail"]())
        letters = next(
            one for one in index.application.parts if isinstance(one, Outbox) and "mail" in one.handlers
        )
        await index.application.outbox.run()
        await letters.run()
        (message,) = folder.iterdir()
        assert PATH.encode() in message.read_bytes()


async def test_off(database_url: str, tmp_path: Path) -> None:
    """Where mail is off, letters are for nobody: they are dropped, and nothing is asked."""
    async with running(database_url, tmp_path, mail__url="off") as index:
        await index.application.outbox.database.transact(post, RESET, to=ADA, now=datetime.now(UTC))
        await index.application.outbox.run()
        assert index.sql("SELECT * FROM outbox") == []
        assert "mail" not in index.application.probes
        assert not (tmp_path / "mail").exists()
