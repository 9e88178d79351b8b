"""The service dies while a letter is on its way: none is lost, and what is sent twice is one message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from signal import SIGKILL

import pytest

from pypi.mail.letters import PasswordChanged
from pypi.mail.post import Posted
from tests.support.mail import HERE, MailServer
from tests.support.rig import PATIENCE, Victim, wait_for

POINTS = [pytest.param("outbox.before-drain", marks=pytest.mark.long), "mail.after-sent"]

POST = "INSERT INTO outbox (serial, kind, payload, due, created) VALUES (0, 'mail', %s, now(), now())"


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server."""
    with MailServer().listening() as made:
        yield made


def post(victim: Victim) -> None:
    """Commit a letter."""
    now = datetime.now(UTC)
    letter = PasswordChanged(user="ada")
    posted = Posted(letter=letter, to="ada@people.example", at=now, until=now + timedelta(days=1))
    victim.sql(POST, json.dumps(posted.payload()))


def left(victim: Victim) -> int:
    """How many letters are still to be sent."""
    return int(victim.sql("SELECT count(*) FROM outbox WHERE kind = 'mail'")[0][0])


@pytest.mark.parametrize("point", POINTS)
async def test_killed_before_it_is_forgotten(resting: Victim, server: MailServer, point: str) -> None:
    """A letter on its way when the service was killed is sent by the next; sent twice, it is one message."""
    resting.settings = {"MAIL_URL": f"smtp://{HERE}:{server.port}?tls=off"}
    resting.restart(point)
    post(resting)
    assert resting.process is not None
    assert resting.process.wait(PATIENCE) == -SIGKILL
    assert left(resting) == 1
    before = len(server.envelopes)
    assert before == (1 if point == "mail.after-sent" else 0)
    resting.restart()
    assert wait_for(lambda: left(resting) == 0)
    assert len(server.envelopes) == before + 1
    assert len({one["Message-ID"] for one in server.messages}) == 1
