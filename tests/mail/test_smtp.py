"""SMTP: messages arrive whole, secrets reach only who proves who it is, and failures are told apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from pypi.config import ConfigError, load
from pypi.mail.mailer import Message, NotSent, Refused
from pypi.mail.smtp import Smtp
from pypi.mail.smtp_url import SmtpServer
from tests.support.mail import HERE, PASSWORD, USER, MailServer, certificate
from tests.support.ports import free_port

reactor: Any = _reactor

BODY = b"Subject: cheese\n\n" + b"Hello\n"
MESSAGE = Message(sender="index@pkg.example", to="ada@people.example", data=BODY)
SECRET = f"{quote(USER)}:{quote(PASSWORD, safe='')}@"


def mailer(server: MailServer, *, secret: str = "", ca: Path | None = None, **more: Any) -> Smtp:
    """What sends to a server."""
    tls = f"?ca={ca}" if ca else ""
    if ca and not server.wrapped:
        tls += "&tls=required"
    url = f"{'smtps' if server.wrapped else 'smtp'}://{secret}{HERE}:{server.port}{tls}"
    return Smtp(server=SmtpServer.from_url(url), reactor=reactor, **more)


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for the server's address."""
    return certificate(tmp_path_factory.mktemp("mail"))


async def test_plain() -> None:
    """A message reaches a server on this machine as it was, line ends aside, and both say goodbye."""
    with MailServer().listening() as server:
        assert f"{HERE}:{server.port}, not encrypted" == await mailer(server).probe()
        await mailer(server).send(MESSAGE)
    assert server.envelopes == [(MESSAGE.sender, [MESSAGE.to], BODY.replace(b"\n", b"\r\n"))]


@pytest.mark.parametrize("wrapped", [False, True], ids=["STARTTLS", "smtps"])
async def test_encrypted_and_signed_in(pem: Path, wrapped: bool) -> None:
    """User and password are given to a server whose certificate is trusted, by STARTTLS or TLS at once."""
    with MailServer(pem, wrapped=wrapped, asks=True).listening() as server:
        carrier = mailer(server, secret=SECRET, ca=pem)
        assert (await carrier.probe()).endswith("TLS, signed in")
        assert not server.commands
        await carrier.send(MESSAGE)
    assert len(server.envelopes) == 1
    assert isinstance(server.sessions[0].ssl, dict) or wrapped


@pytest.mark.parametrize("wrapped", [False, True], ids=["STARTTLS", "smtps"])
async def test_a_stranger_is_told_nothing(pem: Path, tmp_path: Path, wrapped: bool) -> None:
    """A server that is not trusted, or not who it should be, gets neither password nor message."""
    other = certificate(tmp_path, address="192.0.2.1")
    for shown, trusted in ((pem, other), (other, other), (pem, None)):
        with MailServer(shown, wrapped=wrapped, asks=True).listening() as server:
            url = mailer(server, secret=SECRET, ca=trusted or pem).server
            carrier = Smtp(server=url if trusted else _system(url), reactor=reactor)
            with pytest.raises(NotSent):
                await carrier.send(MESSAGE)
        assert server.commands == []


def _system(server: SmtpServer) -> SmtpServer:
    return SmtpServer(
        host=server.host, port=server.port, tls=server.tls, user=server.user, password=server.password
    )


async def test_no_encryption_where_it_is_wanted(pem: Path) -> None:
    """A server without STARTTLS, where it is required, is given nothing."""
    with MailServer().listening() as server, pytest.raises(NotSent, match="does not support secure"):
        await mailer(server, secret=SECRET, ca=pem).send(MESSAGE)
    assert server.commands == []


async def test_wrong_password(pem: Path) -> None:
    """A password that is not taken is a reason to try later, and is in no error."""
    with MailServer(pem, asks=True).listening() as server, pytest.raises(NotSent, match="535") as told:
        await mailer(server, secret="index:hunter2@", ca=pem).send(MESSAGE)
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("command", "answer", "error"),
    [
        ("RCPT", "550 5.1.1 no such person", Refused),
        ("RCPT", "450 4.2.1 come again", NotSent),
        ("RCPT", "530 5.7.0 sign in first", NotSent),
        ("MAIL", "550 5.7.1 who are you", NotSent),
        ("MAIL", "451 4.3.0 not now", NotSent),
        ("DATA", "554 5.7.1 spam", Refused),
        ("DATA", "452 4.3.1 no room", NotSent),
        ("RCPT", "die", NotSent),
        ("DATA", "die", NotSent),
        ("MAIL", "hang", NotSent),
        ("DATA", "hang", NotSent),
    ],
)
async def test_refused(command: str, answer: str, error: type[Exception]) -> None:
    """For good is 5xx to a recipient or a message; all else is tried again, silence and broken lines too."""
    with MailServer(says={command: answer}).listening() as server, pytest.raises(error) as told:
        await mailer(server, answers=0.5).send(MESSAGE)
    assert server.envelopes == []
    if answer[0].isdigit():
        assert answer in str(told.value)


class Mute(Protocol):
    """Says one thing, and no more."""

    says = b""

    def connectionMade(self) -> None:
        self.transport.write(self.says)  # type: ignore[union-attr]


class Drip(Protocol):
    """Says a little, for ever, fast enough for every single answer."""

    def connectionMade(self) -> None:
        self.drip()

    def drip(self) -> None:
        """A line of a greeting that does not end."""
        if self.connected:
            self.transport.write(b"220-still here\r\n")  # type: ignore[union-attr]
            reactor.callLater(0.1, self.drip)


async def listen(make: Callable[[], Protocol]) -> Any:
    """A port on which protocols are."""
    return await TCP4ServerEndpoint(reactor, 0, interface=HERE).listen(Factory.forProtocol(make))  # type: ignore[arg-type]


def to(port: int, tls: str = "off", **more: Any) -> Smtp:
    """What sends to a port."""
    return Smtp(server=SmtpServer(host=HERE, port=port, tls=tls), reactor=reactor, **more)


@pytest.mark.parametrize("says", [b"", b"220 hello\r\n", b"\xff\x00 what\r\n", b"220 " + b"x" * 100_000])
async def test_a_server_that_makes_no_sense(says: bytes) -> None:
    """Silence, noise and endless lines end in time."""
    kind = type("Says", (Mute,), {"says": says})
    port = await listen(kind)
    with pytest.raises(NotSent):
        await to(port.getHost().port, answers=0.5).send(MESSAGE)
    await port.stopListening()


async def test_an_answer_without_end() -> None:
    """A server that never ends its answer is left after the time a message may take in all."""
    port = await listen(Drip)
    with pytest.raises(NotSent, match="no end after 1 s, before it was ready"):
        await to(port.getHost().port, whole=1.0).send(MESSAGE)
    await port.stopListening()


class Injected(Mute):
    """Says things before TLS that would be read as said within."""

    says = b"220 hello\r\n"

    def dataReceived(self, data: bytes) -> None:
        if data.startswith(b"EHLO"):
            self.transport.write(b"250-me\r\n250 STARTTLS\r\n")  # type: ignore[union-attr]
        elif data.startswith(b"STARTTLS"):
            self.transport.write(b"220 go\r\n250-me\r\n250 AUTH PLAIN\r\n")  # type: ignore[union-attr]


async def test_nothing_is_said_into_tls() -> None:
    """Answers that come with the one to STARTTLS, before the handshake, end the conversation."""
    port = await listen(Injected)
    with pytest.raises(NotSent, match="into the beginning of TLS"):
        await to(port.getHost().port, "required").send(MESSAGE)
    await port.stopListening()


async def test_nobody_there() -> None:
    """A server that is not there, or has no such name, is told as that."""
    for host in (HERE, "no-such-host.invalid"):
        server = SmtpServer(host=host, port=free_port(), tls="off")
        with pytest.raises(NotSent, match="not reached"):
            await Smtp(server=server, reactor=reactor).send(MESSAGE)


async def test_broken_off() -> None:
    """Sending that is cancelled leaves no connection."""
    with MailServer(says={"DATA": "hang"}).listening() as server:
        sending = Deferred.fromCoroutine(mailer(server).send(MESSAGE))
        while "DATA" not in server.commands:
            await deferLater(reactor, 0.01)
        sending.cancel()
        with pytest.raises(CancelledError):
            await sending


async def test_dots_wherever_they_fall() -> None:
    """Lines that begin with a dot arrive, wherever the message is cut into pieces, and none ends it early."""
    data = b"Subject: dots\n\n"
    while len(data) < 70_000:
        data += b"..\n.\n.x\n"[: 1 + len(data) % 7] + b"\n"
    for shift in range(4):
        moved = b"X: " + b"y" * shift + b"\n" + data
        with MailServer().listening() as server:
            await mailer(server).send(Message(sender=MESSAGE.sender, to=MESSAGE.to, data=moved))
        assert [one[2] for one in server.envelopes] == [moved.replace(b"\n", b"\r\n")]


@pytest.mark.parametrize("to", ["ada", "a b@c@d", "ada@x>\r\nRCPT TO:<eve@e.example", "käse@people.example"])
async def test_addresses_cannot_hold_commands(to: str) -> None:
    """What is no address is refused, and nothing of it is said."""
    with MailServer().listening() as server, pytest.raises((Refused, NotSent)):
        await mailer(server).send(Message(sender=MESSAGE.sender, to=to, data=BODY))
    assert server.envelopes == []


def test_urls() -> None:
    """A URL says where, how it is encrypted, and who signs in; without a word it has to be encrypted."""
    read = SmtpServer.from_url
    assert read("smtp://m.example") == SmtpServer(host="m.example", port=587, tls="required")
    assert read("smtp://localhost:25") == SmtpServer(host="localhost", port=25, tls="off")
    assert read("smtp://[::1]:25").tls == "off"
    assert read("smtps://m.example") == SmtpServer(host="m.example", port=465, tls="wrapped")
    assert read("smtp://m.example?tls=offered").tls == "offered"
    assert read("smtps://m.example?ca=/a/b.pem").ca == Path("/a/b.pem")
    given = read("smtp://a%40b:p%3Aq%2F@m.example")
    assert (given.user, given.password) == ("a@b", "p:q/")
    assert "p:q/" not in repr(given)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "http://m.example",
        "smtp://ada@m.example",
        "smtp://m.example?tls=maybe",
        "smtps://m.example?tls=off",
        "smtp://ada:hunter2@m.example?tls=offered",
        "smtp://ada:hunter2@m.example?startls=off",
    ],
)
def test_wrong_urls(url: str) -> None:
    """A URL that cannot be meant is refused with a reason, without its password."""
    with pytest.raises(ValueError) as told:  # one is like the other to the operator
        SmtpServer.from_url(url)
    with pytest.raises(ConfigError, match=r"^mail\.url = \(hidden\)") as refused:
        load(environment={}, overrides={"mail.url": url})
    assert "hunter2" not in f"{told.value}{refused.value}"


async def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    """A file that holds no certificates is told as that."""
    (tmp_path / "ca.pem").write_text("cheese")
    for ca in (tmp_path / "ca.pem", tmp_path / "nothing.pem"):
        server = SmtpServer(host=HERE, port=1, tls="wrapped", ca=ca)
        with pytest.raises(NotSent, match="cannot be read"):
            await Smtp(server=server, reactor=reactor).send(MESSAGE)
