"""Whom mail asks about new browsers, by ``access.confirm_new_browsers``, and what is done without mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from tests.support.confirming import confirm, links
from tests.support.databases import Databases
from tests.support.factors import give_app
from tests.support.index import Index, running
from tests.support.visitor import PASSWORD, Visitor, give_password

HERE = "/account/confirm/"

CHOICES = {
    "all": {"access__confirm_new_browsers": "all"},
    "off": {"access__confirm_new_browsers": "off"},
    "no mail": {"access__confirm_new_browsers": "all", "mail__url": "off"},
}


@pytest_twisted.async_yield_fixture
async def chosen(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> AsyncIterator[Index]:
    """An index that was told whom to ask."""
    url = databases.make()
    async with running(url, tmp_path, limits__factor=0, **CHOICES[request.param]) as made:
        yield made
    databases.drop(url)


@pytest.mark.parametrize("chosen", ["all"], indirect=True)
async def test_all(chosen: Index) -> None:
    """Where all are asked, so is who has shown a password alone; its link leads on where they wanted."""
    await give_password(chosen, "grace")
    grace = Visitor(chosen.port)
    await grace.look("/account/sign-in/?next=/account/log/")
    await grace.send("/account/sign-in/", {"name": "grace", "password": PASSWORD})
    assert grace.path == f"{HERE}?next=/account/log/"
    assert (await grace.look("/account/", follow=False)).status == 303
    reply = await confirm(chosen, "grace", grace, follow=False)
    assert (reply.status, reply["Location"]) == (303, "/account/log/")
    assert chosen.sql("SELECT second_factor FROM sessions") == [(None,)]
    await grace.look("/account/")
    await grace.send("/account/sign-out/")
    await grace.sign_in("grace")
    assert grace.path == "/account/"
    assert len(links(chosen, "grace")) == 1


@pytest.mark.parametrize("chosen", ["off", "no mail"], indirect=True)
async def test_nobody(chosen: Index) -> None:
    """Where nobody is asked, or no mail is sent, a password and a code are all it takes."""
    await give_password(chosen, "grace")
    app = give_app(chosen, "grace")
    grace = Visitor(chosen.port)
    await grace.sign_in("grace")
    await grace.send("/account/second-factor/", {"code": app.now()})
    assert grace.path == "/account/"
    assert links(chosen, "grace") == []
