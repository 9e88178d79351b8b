"""Whether there is an account, or an address belongs to one: no answer tells it, in no part."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from pypi.accounts.even import SECONDS
from tests.support.client import Reply
from tests.support.factors import give_app
from tests.support.index import Index
from tests.support.visitor import PASSWORD, Fields, Visitor, give_password

SETTINGS = {"limits__factor": 0, "access__registration": "on"}

SIGN_IN, REGISTER, RESET = "/account/sign-in/", "/account/register/", "/account/reset/"

TOKEN = re.compile(r'value="[0-9a-f]{128}"')


@pytest_twisted.async_yield_fixture(scope="module")
async def known(index: Index) -> AsyncIterator[Index]:
    """Accounts as most are, with a second factor, in no use any more, and without a proven address."""
    for name in ("ruth", "kay", "jean"):
        await give_password(index, name)
    give_app(index, "kay")
    index.sql("UPDATE users SET is_active = false WHERE name = 'jean'")
    index.sql("UPDATE emails SET verified = NULL WHERE address = 'ada@people.example'")
    yield index


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch, no_waiting: None) -> list[float]:
    """The seconds that were waited for, to the end."""
    seconds: list[float] = []

    def shortly(reactor: Any, until: float) -> Deferred[None]:
        return deferLater(reactor, 0.02, seconds.append, until)

    monkeypatch.setattr("pypi.accounts.even.deferLater", shortly)
    return seconds


FORMS: list[tuple[str, list[Fields], int]] = [
    (
        SIGN_IN,
        [{"name": name, "password": "wrong"} for name in ("ruth", "kay", "jean", "ada", "nobody")],
        403,
    ),
    (SIGN_IN, [{"name": name, "password": PASSWORD} for name in ("jean", "nobody")], 403),
    (
        REGISTER,
        [
            {"name": f"newcomer{number}", "email": f"{name}@people.example", "password": "a b c d e f g h i"}
            for number, name in enumerate(("ruth", "kay", "jean", "ada", "nobody"))
        ],
        303,
    ),
    (RESET, [{"email": f"{name}@people.example"} for name in ("ruth", "kay", "jean", "ada", "nobody")], 303),
]


@pytest.mark.parametrize(
    ("path", "forms", "wanted"), FORMS, ids=["wrong password", "right password", "register", "reset"]
)
async def test_alike(known: Index, waited: list[float], path: str, forms: list[Fields], wanted: int) -> None:
    """Whoever is asked about, the answer is the same, as late, and leads to the same page."""
    answers = []
    for fields in forms:
        somebody = Visitor(known.port)
        await somebody.look(path)
        first = await somebody.send(path, fields, follow=False)
        then = await somebody.look(first["Location"] or path)
        assert (first.status, waited) == (wanted, [SECONDS])
        waited.clear()
        answers.append((told(first, fields), told(then, fields), sorted(somebody.cookies)))
    assert all(answer == answers[0] for answer in answers), answers


def told(reply: Reply, fields: Fields) -> tuple[int, dict[str, str], str]:
    """All of an answer but what was sent oneself, and the token of the form."""
    text = TOKEN.sub("", reply.text)
    for value in fields.values():
        text = text.replace(str(value), "")
    headers = {
        name: value for name, value in reply.headers.items() if name not in ("set-cookie", "content-length")
    }
    return reply.status, headers, text
