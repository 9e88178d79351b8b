"""Passwords that leaked: asked of a service that is told five digits, and believed only if it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from attrs import define, field
from twisted.internet import reactor

from caching.client import Client
from pypi.accounts.breached import Breached, NobodyKnows
from pypi.accounts.errors import WeakPassword
from pypi.accounts.strength import Strength

LEAKED = "correct horse battery"
DIGITS = hashlib.sha1(LEAKED.encode()).hexdigest().upper()


@define(eq=False)
class Service:
    """A range service.

    Attributes:
        answer: what it says to every question.
        asked: paths.
        patience: seconds that who asks it waits.
    """

    answer: Callable[[BaseHTTPRequestHandler], None]
    asked: list[str] = field(factory=list)
    port: int = 0
    patience: float = 60.0
    over: Event = field(factory=Event)

    @property
    def breached(self) -> Breached:
        """What asks it."""
        client = Client(reactor, connect_timeout=self.patience, timeout=self.patience)
        return Breached(url=f"http://127.0.0.1:{self.port}/range/", client=client)

    def says(self, body: str, status: int = 200) -> None:
        """Answer like this from now on."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body.encode())

        self.answer = answer


@pytest.fixture
def service() -> Iterator[Service]:
    """A service on a local port."""
    made = Service(lambda request: None)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            made.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.over.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


def lines(*told: str) -> str:
    return "\r\n".join(("0018A45C4D1DEF81644B54AB7F969B88D65:3", *told, "F" * 35 + ":0"))


@pytest.mark.parametrize(
    ("told", "leaked"),
    [
        (f"{DIGITS[5:]}:12", True),
        (f"{DIGITS[5:].lower()}:1", True),
        (f"{DIGITS[5:]}:0", False),
        (f"{DIGITS[5:-1]}0:12", False),
        (DIGITS[5:], False),
    ],
)
async def test_told(service: Service, told: str, leaked: bool) -> None:
    """A password leaked if the rest of its digits is among the answer, and that is no padding."""
    service.says(lines(told))
    assert await service.breached(LEAKED) is leaked
    assert service.asked == [f"/range/{DIGITS[:5]}"], "it is told nothing more"


async def test_strength(service: Service) -> None:
    """A password that leaked is refused with a sentence, any other is not."""
    service.says(lines(f"{DIGITS[5:]}:12"))
    strength = Strength(breached=service.breached)
    with pytest.raises(WeakPassword, match="leaked elsewhere"):
        await strength.check(LEAKED, names=["ada"])
    await strength.check(LEAKED + "!", names=["ada"])


async def test_silent(service: Service) -> None:
    """Who does not answer in time, answers wrongly, or is not there, keeps nobody from their password."""
    strength = Strength(breached=service.breached)
    service.answer = lambda request: service.over.wait(60) and None
    service.patience = 1.0
    with pytest.raises(NobodyKnows, match="no answer within 1 s"):
        await service.breached(LEAKED)
    service.patience = 60.0
    service.says("", 503)
    with pytest.raises(NobodyKnows, match="status 503"):
        await service.breached(LEAKED)
    await strength.check(LEAKED, names=["ada"])
    service.port = 1
    await Strength(breached=service.breached).check(LEAKED, names=["ada"])
