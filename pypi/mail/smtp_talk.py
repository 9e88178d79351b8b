"""One conversation with a mail server, by Twisted's client: what it lacks, and what came of it."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.mail.smtp import (
    Address,
    AddressError,
    CramMD5ClientAuthenticator,
    ESMTPClient,
    LOGINAuthenticator,
    PLAINAuthenticator,
    SMTPClientError,
)
from twisted.python.failure import Failure

from pypi.mail.mailer import Message, NotSent, Refused

ANSWER_LENGTH = 300
"""Characters of an answer that are told."""

ACCEPTED = range(200, 300)

GOODBYE = 2.0
"""Seconds for each answer once the message is taken."""

NOT_FOR_GOOD = {530, 535}
"""Refusals that are for us rather than for an address: who signs in, or encrypts, gets further (RFC 4954)."""


class Talk(ESMTPClient):
    """Sends one message, or none and only sees how far it would come.

    Attributes:
        end: succeeds when the server has taken the message; fails with ``NotSent`` or ``Refused``.
        stage: how far it got, in words.
    """

    # The log of a session holds passwords, and would be part of every error.
    debug = False

    def __init__(
        self,
        message: Message | None,
        *,
        identity: str,
        user: str,
        password: str,
        timeout: float,
        later: Callable[..., Any],
    ) -> None:
        super().__init__(password.encode(), None, identity)
        self.timeout: float | None = timeout  # type: ignore[assignment]  # Twisted's own is None
        self._later = later
        self.end: Deferred[None] = Deferred()
        self.stage = "before it was ready for a message"
        self.requireAuthentication = bool(user)
        self.heloFallback = False
        self._message = message
        self._asked = False
        self._over = False
        self._is_well = False
        self._before = b"\n"
        for authenticator in (CramMD5ClientAuthenticator, LOGINAuthenticator, PLAINAuthenticator):
            self.registerAuthenticator(authenticator(user.encode()))

    def hang_up(self) -> None:
        """Be connected no longer: a server that took the message may say goodbye, no other is waited for."""
        if self._is_well and self.connected:
            self.setTimeout(GOODBYE)
        else:
            self._abort()

    def _abort(self) -> None:
        self.setTimeout(None)
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    # What Twisted's client asks.

    def callLater(self, period: float, func: Callable[..., object]) -> Any:
        return self._later(period, func)

    def getMailFrom(self) -> Any:
        if self._message is None and not self._over:
            self._finish(None)
        if self._message is None or self._asked:
            return None
        self._asked = True
        self.stage = "before it took the message"
        return Address(self._message.sender)

    def getMailTo(self) -> Any:
        assert self._message is not None
        try:
            # Without a domain it would be given ours.
            if "@" not in self._message.to:
                raise AddressError(self._message.to)
            return [Address(self._message.to)]
        except (AddressError, UnicodeError):
            self._finish(Refused("the address cannot be written in SMTP"))
            return []

    def getMailData(self) -> BytesIO:
        assert self._message is not None
        self.stage = "while it was given the message: it may have it"
        return BytesIO(self._message.data)

    def transformChunk(self, chunk: bytes) -> bytes:
        # Twisted's own overlooks a dot that begins both a line and a chunk (RFC 5321 §4.5.2).
        self.resetTimeout()
        stuffed = (self._before + chunk).replace(b"\n.", b"\n..")[len(self._before) :]
        self._before = chunk[-1:]
        return stuffed.replace(b"\n", b"\r\n")

    def sentMail(self, code: int, resp: Any, numOk: int, addresses: Sequence[Any], log: object) -> None:
        if code in ACCEPTED and numOk:
            self._finish(None)
            return
        answer = addresses[-1][2] if addresses and not numOk else resp
        self._finish(_verdict(code, _words(code, answer), of_us=not addresses))

    def sendError(self, exc: Any) -> None:
        super().sendError(exc)
        said = isinstance(exc, SMTPClientError)
        self._finish(NotSent(_words(exc.code, exc.resp) if said else type(exc).__name__))

    def timeoutConnection(self) -> None:
        self._finish(NotSent(f"no answer for {self.timeout:g} s {self.stage}"))
        self._abort()

    def esmtpState_starttls(self, code: int, resp: Any) -> None:
        # What was said before the handshake may be anybody's, and would be read as said after it.
        if self._buffer:
            self._finish(NotSent("something was said into the beginning of TLS"))
            self._abort()
        else:
            super().esmtpState_starttls(code, resp)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._finish(NotSent(f"the connection ended {self.stage}: {_why(reason)}"))

    def _finish(self, error: Exception | None) -> None:
        if self._over:
            return
        self._over = True
        self._is_well = error is None
        if error is None:
            self.end.callback(None)
        else:
            self.end.errback(error)


def _verdict(code: int, words: str, *, of_us: bool) -> Exception:
    """For good is 5xx to the recipient or the message; to the sender, it is the operator's to mend."""
    if 500 <= code < 600 and not of_us and code not in NOT_FOR_GOOD:
        return Refused(words)
    return NotSent(words)


def _words(code: int, answer: Any) -> str:
    """An answer, fit for a log."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return f"{code} {line}"[:ANSWER_LENGTH] if code > 0 else line[:ANSWER_LENGTH]


def _why(reason: Failure) -> str:
    return str(reason.value).strip() or type(reason.value).__name__
