"""Mail by SMTP (RFC 5321): one connection for each message, made anew."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, optionsForClientTLS, trustRootFromCertificates

from pypi.mail.mailer import Message, NotSent
from pypi.mail.smtp_talk import Talk
from pypi.mail.smtp_url import SmtpServer

ANSWERS = 20.0
"""Seconds the server may take for each answer, and for being reached."""

WHOLE = 45.0
"""Seconds a message may take in all; less than what the outbox grants."""


@frozen(kw_only=True)
class Smtp:
    """Hands messages to one mail server.

    Attributes:
        identity: how we call ourselves: a host name, or an address in brackets (RFC 5321 §4.1.3).
        answers: seconds for each answer.
        whole: seconds for a message.
    """

    server: SmtpServer
    reactor: Any = field(repr=False)
    identity: str = "localhost"
    answers: float = ANSWERS
    whole: float = WHOLE

    async def send(self, message: Message) -> None:
        """Return once the server has acknowledged the message."""
        await self._talk(message)

    async def probe(self) -> str:
        """Go as far as one gets without a message: reach the server, secure the connection, sign in."""
        await self._talk(None)
        secured = {"wrapped": "TLS", "required": "STARTTLS", "offered": "STARTTLS if offered"}
        how = secured.get(self.server.tls, "not encrypted")
        return f"{self.server.host}:{self.server.port}, {how}{', signed in' if self.server.user else ''}"

    async def _talk(self, message: Message | None) -> None:
        """Have one conversation, and leave no connection behind."""
        talk = self._prepared(message)
        conversation = Deferred.fromCoroutine(self._converse(talk))
        conversation.addTimeout(self.whole, self.reactor)
        try:
            await conversation
        except TookTooLong:
            raise NotSent(f"{self._name}: no end after {self.whole:g} s, {talk.stage}") from None
        except (ConnectError, OSError) as error:
            raise NotSent(f"{self._name} is not reached: {error}") from None
        except NotSent as error:
            raise NotSent(f"{self._name}: {error}") from None
        finally:
            talk.hang_up()

    async def _converse(self, talk: Talk) -> None:
        factory = Factory.forProtocol(lambda: talk)
        factory.noisy = False
        await self._endpoint().connect(factory)
        await talk.end

    def _endpoint(self) -> Any:
        server = self.server
        plain: Any = HostnameEndpoint(self.reactor, server.host, server.port, timeout=self.answers)
        return wrapClientTLS(self._trusting(), plain) if server.tls == "wrapped" else plain

    def _prepared(self, message: Message | None) -> Talk:
        server = self.server
        talk = Talk(
            message,
            identity=self.identity,
            user=server.user,
            password=server.password,
            timeout=self.answers,
            later=self.reactor.callLater,
        )
        talk.requireTransportSecurity = server.tls in {"required", "wrapped"}
        talk.context = self._trusting() if server.tls in {"required", "offered"} else None
        return talk

    def _trusting(self) -> Any:
        """Makes TLS connections whose certificate is the server's, and is trusted (RFC 6125)."""
        ca = self.server.ca
        if ca is None:
            return optionsForClientTLS(self.server.host)
        try:
            pieces = ca.read_bytes().split(b"-----BEGIN CERTIFICATE-----")[1:]
            if not pieces:
                raise ValueError("there is none")
            whole = [Certificate.loadPEM(b"-----BEGIN CERTIFICATE-----" + piece) for piece in pieces]
            trusted = trustRootFromCertificates(whole)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise NotSent(f"the certificates in {ca} cannot be read: {type(error).__name__}") from None
        return optionsForClientTLS(self.server.host, trusted)

    @property
    def _name(self) -> str:
        return f"{self.server.host}:{self.server.port}"
