"""A mail server for tests: aiosmtpd on a loopback port, in a thread of its own, with moods."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from attrs import define, field
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.ports import free_port

USER, PASSWORD = "index", "correct horse: battery/staple"

HERE = "127.0.0.1"


def certificate(folder: Path, *, address: str = HERE) -> Path:
    """A file with a key and a certificate for an address of this machine, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = folder / f"{address}.pem"
    path.write_bytes(key.private_bytes(encoding, form, plain) + made.public_bytes(encoding))
    return path


@define(eq=False)
class MailServer:
    """What it was given, and what it says.

    Attributes:
        pem: of its key and certificate; without, it knows no TLS.
        wrapped: whether TLS begins with the first byte.
        asks: whether one has to sign in.
        says: the command (``MAIL``, ``RCPT``, ``DATA``) → what is answered to it; ``hang`` and ``die`` are
            done instead, ``die-after`` when the message was kept.
        refuses: recipients → what is answered to them.
        envelopes: (sender, recipients, bytes) of the messages taken.
        commands: that were answered, in order.
    """

    pem: Path | None = None
    wrapped: bool = False
    asks: bool = False
    says: dict[str, str] = field(factory=dict)
    refuses: dict[str, str] = field(factory=dict)
    port: int = field(factory=free_port)
    envelopes: list[tuple[str, list[str], bytes]] = field(factory=list)
    commands: list[str] = field(factory=list)
    sessions: list[Any] = field(factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages taken, read."""
        return [read(data) for _, _, data in self.envelopes]

    @contextmanager
    def listening(self) -> Iterator[MailServer]:
        """Be there for a while."""
        context = None
        if self.pem:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.pem)
        kept: dict[str, Any] = {"auth_required": self.asks, "authenticator": self._authenticated}
        kept["auth_require_tls"] = bool(self.pem) and not self.wrapped
        if self.wrapped:
            kept["ssl_context"] = context
        else:
            kept["tls_context"] = context
        controller = Controller(self, hostname=HERE, port=self.port, ready_timeout=60.0, **kept)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def _authenticated(
        self, _server: SMTP, _session: Any, _envelope: Any, _how: str, given: Any
    ) -> AuthResult:
        wanted = LoginPassword(USER.encode(), PASSWORD.encode())
        return AuthResult(success=given == wanted, handled=False)

    async def _say(self, command: str, server: SMTP) -> str | None:
        self.commands.append(command)
        what = self.says.get(command)
        if what == "hang":
            await asyncio.sleep(3600)
        if what == "die":
            _die(server)
            return "421 dying"
        return None if what == "die-after" else what

    # What aiosmtpd asks.

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.sessions.append(session)
        if said := await self._say("MAIL", server):
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:
        if said := await self._say("RCPT", server) or self.refuses.get(address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if said := await self._say("DATA", server):
            return said
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        if self.says.get("DATA") == "die-after":
            _die(server)
        return "250 taken"


def _die(server: SMTP) -> None:
    transport: Any = server.transport
    transport.abort()


def read(data: bytes) -> EmailMessage:
    """A message as a mail program reads it."""
    return message_from_bytes(data, _class=EmailMessage, policy=policy.default)


def part(message: EmailMessage, kind: str) -> str:
    """The text (``plain``) or the page (``html``) of a message."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())
