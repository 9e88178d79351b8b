"""A request as routes see it: checked, with its body still to be read."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import NO_BODY_CODES, datetimeToString, parse_qs
from twisted.web.http_headers import Headers

from pypi.domain.errors import Invalid
from pypi.domain.features import FEATURES
from pypi.domain.permissions import Identity
from pypi.http.bodies import Body, BodyIncomplete
from pypi.http.caller import HEARSAY, Caller
from pypi.http.forms import Form
from pypi.http.head import ALLOW, Head
from pypi.http.hosts import Authority
from pypi.http.hushed import hushed

if TYPE_CHECKING:
    from pypi.http.channel import StrictChannel
    from pypi.http.refused import ErrorPage
    from pypi.http.site import Site

log = Logger()

MAX_PARAMETERS = 100

MOST_FEATURES = 32
"""Features one request is counted for; a multicall of XML-RPC may use many."""

BYPASS = b"cheeseshop-l1; fwd=bypass"
NOT_FOR_METHOD = b"cheeseshop-l1; fwd=method"
"""``Cache-Status`` of what is not kept (RFC 9211)."""

_FAILED = b"Something went wrong on the server. It was noted, and will be looked into.\n"


class TooManyParameters(Invalid):
    """The query of the URL has more parameters than any route here reads."""

    def __str__(self) -> str:
        return f"The query of a URL may not have more than {MAX_PARAMETERS} parameters."


class Request(server.Request):
    """One request and the answer to it.

    Handlers are called as soon as the headers are here; ``content`` is never filled.

    Attributes:
        body: what follows the headers; empty for most requests.
        caller: who asks, by connection or by a proxy that is trusted.
        authority: the host that is asked; ``None`` where none is named (HTTP/1.0).
        text_path: the path decoded once; routes match against it.
        query: the query as sent.
        features: names of those it uses.
        error_page: shows people what went wrong; ``None`` where programs ask.
        in_json: whether what went wrong is said in JSON, whatever the client accepts.
        identity: who asks, where the terms of the route want that known; ``None`` for nobody.
        session: of a browser that is signed in, or about to be (``pypi.accounts.sessions``).
        browser: the secret by which a browser is known that somebody has signed in with; ``None`` for none.
        secret: what the forms of a page are bound to; empty where it has none.
        form: what was filled in, where only our own pages may send forms; it is one of theirs.
        for_readers: whether the answer depends on who may read it, and so is for no shared cache.
        received_at: seconds on the reactor's clock when the headers were complete.
        aborted: whether the connection ended before the answer did.
        broken_off: whether that was our doing.
    """

    channel: StrictChannel
    site: Site
    body: Body
    caller: Caller
    authority: Authority | None
    text_path: str
    query: bytes
    received_at: float
    features: tuple[str, ...] = ()
    error_page: ErrorPage | None = None
    in_json = False
    identity: Identity | None = None
    session: Any = None
    browser: str | None = None
    secret: bytes = b""
    form: Form = Form()
    for_readers = False
    aborted = False
    broken_off = False
    defaultContentType = b"text/plain; charset=utf-8"
    _parameters: dict[bytes, list[bytes]] | None = None

    def begin(self, head: Head, body: Body) -> None:
        """Take on a checked head and the body to come, and find who answers."""
        self.site = self.channel.site
        self.received_at = self.site.reactor.seconds()
        self.method = head.method
        self.uri, self.path, self.query = head.target.raw, head.target.path, head.target.query
        self.text_path, self.authority = head.target.text, head.authority
        self.clientproto = b"HTTP/1.%d" % head.minor
        self.body = body
        for name, values in head.fields.items():
            if name not in HEARSAY:
                self.requestHeaders.setRawHeaders(name, [_utf8(value) for value in values])
        if head.target.authority is not None:
            self.requestHeaders.setRawHeaders(b"Host", [str(head.target.authority).encode()])
        scheme = "https" if self.channel.isSecure() else "http"
        self.caller = self.site.callers.identify(self.channel.address, scheme, head.fields)
        self.process()

    @property
    def args(self) -> dict[bytes, list[bytes]]:  # type: ignore[override]
        """Parameters of the query (never of a form), parsed when first asked for.

        Raises:
            TooManyParameters: there are more than ``MAX_PARAMETERS``.
        """
        if self._parameters is None:
            if self.query.count(b"&") + self.query.count(b";") >= MAX_PARAMETERS:
                raise TooManyParameters
            self._parameters = parse_qs(self.query, keep_blank_values=True) if self.query else {}
        return self._parameters

    def used(self, name: str) -> None:
        """Note that this request uses a feature; it is counted when the request is over, once.

        Raises:
            KeyError: there is no feature of this name (``pypi.domain.features``).
        """
        feature = FEATURES[name].name
        if feature not in self.features and len(self.features) < MOST_FEATURES:
            self.features = (*self.features, feature)

    def process(self) -> None:
        """Find the resource for the path, and let it answer."""
        self._set_standing_headers()
        self.prepath: list[bytes] = []
        self.postpath = self.text_path[1:].encode().split(b"/")
        if self.text_path == "*":
            self.setHeader(b"Allow", ALLOW)
            self.setHeader(b"Content-Length", b"0")
            self.finish()
            return
        try:
            self.render(self.site.getResourceFor(self))
        except Exception:
            self.processingFailed(Failure())

    def isSecure(self) -> bool:
        """Whether the caller itself spoke TLS, be it to us or to a trusted proxy."""
        return self.caller.scheme == "https"

    def write_ready(self, lines: bytes, body: bytes = b"") -> None:
        """Write a whole answer at once; nothing happens when nobody is there to take it.

        Args:
            lines: of its head, beside those in ``responseHeaders``, ready to be sent; with the length of the
                body, unless it can have none.
            body: nothing where the method or the status wants none.
        """
        if self._disconnected:
            return
        self.startedWriting = 1
        self.sentLength = len(body)
        code, reason = b"%d" % self.code, self.code_message
        self.channel.write_answer(self.clientproto, code, reason, self.responseHeaders, lines, body)

    def finish(self) -> None:
        """The answer is complete; nothing happens when nobody is there to take it any more."""
        if self._disconnected or self.broken_off:
            return
        if self._broke_its_length():
            log.error(
                "{method} {uri} was answered with another length than announced",
                method=self.method,
                uri=hushed(self.uri),
            )
            self.channel.abort()
            return
        super().finish()

    def break_off(self) -> None:
        """The answer will never be complete: close, so that nobody takes it for whole."""
        self.broken_off = True
        self.channel.abort()

    def processingFailed(self, reason: Failure) -> Failure:
        """Answer 500 for a handler that failed, and log why, once."""
        uri = hushed(self.uri)
        if self._disconnected or self.finished:
            if not reason.check(CancelledError, BodyIncomplete):
                log.failure("{method} {uri} failed behind its answer", reason, method=self.method, uri=uri)
            return reason
        log.failure("{method} {uri} failed", reason, method=self.method, uri=uri)
        if self.startedWriting:
            self.channel.abort()
            return reason
        self.start_over()
        self.setResponseCode(500)
        self.setHeader(b"Content-Type", self.defaultContentType)
        self.setHeader(b"X-Content-Type-Options", b"nosniff")
        self.setHeader(b"Cache-Control", b"no-store")
        self.setHeader(b"Content-Length", b"%d" % len(_FAILED))
        self.write(_FAILED)
        self.finish()
        return reason

    def start_over(self) -> None:
        """Forget an answer of which nothing has been sent yet."""
        self.responseHeaders = Headers()
        self.cookies.clear()
        self.etag = self.lastModified = None
        self._set_standing_headers()

    def connectionLost(self, reason: Failure) -> None:
        """Nobody is there any more: cancel the handler, and fail whoever reads the body."""
        self.aborted = True
        # Handlers are told first: one that is cancelled need not also fail on its body.
        super().connectionLost(reason)
        self.body.fail(BodyIncomplete())
        self.site.log(self)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let ``producer`` write the answer; it is stopped at once when nobody is there."""
        if self._disconnected:
            producer.stopProducing()
        else:
            super().registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """The producer has written all."""
        if self._disconnected:
            self.producer = None
        else:
            super().unregisterProducer()

    def _set_standing_headers(self) -> None:
        self.setHeader(b"Server", b"Cheeseshop")
        self.setHeader(b"Date", datetimeToString())
        self.setHeader(b"Cache-Status", BYPASS if self.method in (b"GET", b"HEAD") else NOT_FOR_METHOD)

    def _broke_its_length(self) -> bool:
        declared = self.responseHeaders.getRawHeaders(b"Content-Length")
        if not declared or not self.startedWriting or self.method == b"HEAD" or self.code in NO_BODY_CODES:
            return False
        return int(declared[0]) != self.sentLength


def _utf8(value: bytes) -> bytes:
    """A header value that is text whatever its sender thought of: Latin-1 where it is not UTF-8."""
    if value.isascii():
        return value
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value
