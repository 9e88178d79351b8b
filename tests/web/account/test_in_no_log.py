"""What only one person is to know is in no log, whatever they do: in no line of a request, nor elsewhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest
from attrs import define, field
from twisted.internet import reactor as _reactor
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from pypi.http.site import Site
from tests.support import client
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.confirming import links
from tests.support.databases import Databases
from tests.support.index import Index, basic, eventually, running, with_token
from tests.support.managing import letters_to
from tests.support.visitor import HEADERS, Fields, Visitor

reactor: Any = _reactor

PASSWORD, OTHER = "canary sings one song", "canary sings another song"
EMAIL = "canary@people.example"

FORM_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{128})"')
TOKEN = re.compile(r"cheeseshop-[0-9a-f]{16}-([0-9a-f]{64})")
CODE = re.compile(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b")
KEY = re.compile(r"<code>((?:[A-Z2-7]{4} ?)+)</code>")


@define(eq=False)
class Canary(Visitor):
    """Somebody who remembers all that only they are to know.

    Attributes:
        origin: of the index, as its pages say it.
        known: by what it is.
    """

    origin: str = ""
    known: dict[str, str] = field(factory=lambda: {"password": PASSWORD, "other password": OTHER})

    async def post(
        self, action: str, fields: Fields, *, follow: bool = True, headers: Mapping[str, str] = HEADERS
    ) -> Reply:
        """Send just these fields, as a page of that origin."""
        return await super().post(action, fields, follow=follow, headers={"Origin": self.origin, **headers})

    def _keep(self, reply: Reply) -> None:
        super()._keep(reply)
        for name, value in self.cookies.items():
            self.known[f"{name} {value[:4]}"] = value
        for number, token in enumerate(FORM_TOKEN.findall(reply.text)):
            self.known[f"token of form {number} of {self.path}"] = token
        for token in TOKEN.findall(reply.text):
            self.known["token"] = token
        for code in CODE.findall(reply.text):
            self.known[f"recovery code {code[:4]}"] = code
        for key in KEY.findall(reply.text):
            self.known["key"] = key
            self.known["key as apps have it"] = key.replace(" ", "")


@contextmanager
def overheard() -> Iterator[list[str]]:
    """All that is logged meanwhile, as it is written and as it is noted."""
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        lines.append(f"{formatEvent(event)} {event!r}")

    globalLogPublisher.addObserver(observe)
    try:
        yield lines
    finally:
        globalLogPublisher.removeObserver(observe)


@pytest.mark.parametrize("form", ["combined", "json"])
async def test_journey(databases: Databases, tmp_path: Path, form: str) -> None:
    """From the wish for an account to all it may do, with mistakes, by browser and by programs."""
    url, file = databases.make(), tmp_path / "access.log"
    settings: dict[str, Any] = {"log__access": str(file), "log__format": form, "limits__factor": 0}
    with overheard() as lines:
        async with running(url, tmp_path / "data", access__registration="on", **settings) as index:
            canary = Canary(0, origin=f"http://127.0.0.1:{index.port}")
            async with watched(index) as canary.port:
                await live(canary, index)
                await eventually(lambda: "/the-end" in file.read_text())
    told = file.read_text()
    databases.drop(url)
    assert len(canary.known) > 30
    assert "/account/reset/***" in told
    assert "/account/confirm/***" in told
    for what, secret in canary.known.items():
        assert secret not in told, what
        assert secret not in "\n".join(lines), what


@asynccontextmanager
async def watched(index: Index) -> AsyncIterator[int]:
    """The port of a site that keeps an access log of the same index."""
    application = index.application
    site = Site(
        application.public,
        reactor=reactor,
        hosts=application.hosts,
        callers=application.callers,
        access_log=application.watch.observer,
        lane=application.caches.lane,
    )
    listening = reactor.listenTCP(0, site, interface="127.0.0.1")
    try:
        yield listening.getHost().port
    finally:
        await listening.stopListening()


async def live(canary: Canary, index: Index) -> None:
    """All of it."""
    await register(canary, index)
    await forget(canary, index)
    await factors(canary)
    await programs(canary, index)
    await canary.send("/account/sign-out/")
    del canary.cookies["cheeseshop-browser"]
    await canary.look("/account/sign-in/")
    await canary.send("/account/sign-in/", {"name": "canary", "password": OTHER})
    await canary.send("/account/second-factor/", {"code": "000000"})
    code = next(code for what, code in canary.known.items() if what.startswith("recovery code"))
    await canary.send("/account/second-factor/", {"code": code})
    await canary.send("/account/confirm/again/")
    path = links(index, "canary")[-1]
    canary.known["link that lets in"] = path.removeprefix("/account/confirm/")
    await canary.look(path)
    await canary.send(path)
    await canary.look(path)
    assert (await canary.look("/account/", follow=False)).status == 200
    await canary.look("/account/password/")
    await canary.send("/account/password/", {"old": PASSWORD, "new": OTHER})
    await canary.look("/the-end")


async def register(canary: Canary, index: Index) -> None:
    """An account, by a link that is followed twice."""
    path = "/account/register/"
    await canary.look(path)
    await canary.send(path, {"name": "canary", "email": EMAIL, "password": PASSWORD})
    link = opened(canary, index)
    await canary.look(link)
    await canary.send(link, {"password": OTHER})
    await canary.send(link, {"password": PASSWORD})
    assert (await canary.look(link)).status == 410


async def forget(canary: Canary, index: Index) -> None:
    """Another password by a link, and then a wrong one."""
    path = "/account/reset/"
    await canary.look(path)
    await canary.send(path, {"email": EMAIL})
    link = opened(canary, index)
    await canary.look(link)
    await canary.send(link, {"password": OTHER})
    await canary.look("/account/sign-in/")
    await canary.send("/account/sign-in/", {"name": "canary", "password": PASSWORD})
    await canary.send("/account/sign-in/", {"name": "canary", "password": OTHER})
    assert (await canary.look("/account/", follow=False)).status == 200


async def factors(canary: Canary) -> None:
    """An app, and codes for recovery."""
    await canary.look("/account/factors/app/")
    await canary.send("/account/factors/app/begin/", {"again": OTHER})
    app = pyotp.TOTP(canary.known["key as apps have it"])
    await canary.send("/account/factors/app/confirm/", {"code": app.at(datetime.now(UTC))})
    assert any(what.startswith("recovery") for what in canary.known)


async def programs(canary: Canary, index: Index) -> None:
    """A token, which an upload shows in its place, and others where it does not belong."""
    await canary.look("/account/tokens/new/")
    wish = {"description": "nest", "project": "", "reach": "write", "lifetime": "365"}
    await canary.send("/account/tokens/new/", wish)
    found = re.search(r"cheeseshop-[0-9a-f]{16}-[0-9a-f]{64}", canary.seen.text if canary.seen else "")
    assert found is not None
    token = found[0]
    data, filename = wheel("nest", "1.0"), wheel_filename("nest", "1.0")
    assert (await index.upload(data, filename, auth=with_token(token))).status == 200
    assert (await index.upload(data, filename, auth=with_token(f"{token[:-1]}x"))).status == 401
    for header in ({"Authorization": basic("canary", OTHER)}, {"Authorization": f"Bearer {token}"}):
        await client.ask(canary.port, "POST", "/api/projects/nest/yank", header)
    await client.ask(canary.port, "GET", f"/simple/nest/?token={token}", {"Referer": f"/account/?t={token}"})


def opened(canary: Canary, index: Index) -> str:
    """The link of the newest letter, whose secret is remembered."""
    path = str(letters_to(index, EMAIL)[-1]["about"]["path"])
    canary.known[f"secret of {path[:15]}"] = path.rpartition("/")[2]
    return path
