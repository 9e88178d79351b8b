"""Answers as they are written: validators, compression, policy, HEAD, streams."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from caching.policy import FOR_EVER, NO_STORE, Policy
from pypi.http.answer import GZIP_FROM, REASON_LENGTH, Answer, gzipped, redirect, safe_reason, write
from pypi.http.request import Request
from pypi.http.streams import Stream
from tests.http.memory import HOST, Response, Wire, parse_responses, serve

PAGE = Policy(browser=60, vary=("Accept",), cors=True)
LONG = b"cheese " * 100


def connect(answer: Answer, policy: Policy = PAGE) -> Wire:
    """A connection to a site that answers everything with this."""

    async def handler(request: Request) -> None:
        await write(request, answer, policy)
        request.finish()

    return serve(handler).connect()


def written(
    answer: Answer, policy: Policy = PAGE, *, method: str = "GET", headers: dict[str, str] | None = None
) -> Response:
    """The answer as a client reads it."""
    wire = connect(answer, policy)
    wire.send(request(method, headers or {}))
    [response] = parse_responses(wire.output, head=method == "HEAD")
    return response


def request(method: str, headers: dict[str, str]) -> bytes:
    lines = [
        f"{method} / HTTP/1.1",
        f"Host: {HOST}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if method == "POST":
        lines.append("Content-Length: 0")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


# Reason phrases


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Plain.", b"Plain."),
        ("Two\r\nlines\tand  more ", b"Two lines and more"),
        ("Set-Cookie: a=b\r\n\r\n<html>", b"Set-Cookie: a=b <html>"),
        ("f\xfcr ж \U0001f9c0", b"f\xfcr ? ?"),
        ("nul \0 del \x7f nel \x85", b"nul ? del ? nel"),
        ("", b""),
        ("x" * 1000, b"x" * REASON_LENGTH),
    ],
)
def test_reason(text: str, phrase: bytes) -> None:
    """A sentence becomes one line of Latin-1."""
    assert safe_reason(text) == phrase


@given(st.text())
def test_any_reason(text: str) -> None:
    """No text ends the line it stands in, or is longer than a client reads."""
    phrase = safe_reason(text)
    assert len(phrase) <= REASON_LENGTH
    assert not set(phrase) & {*range(0x20), 0x7F}


def test_reason_on_the_wire() -> None:
    """The phrase stands behind the status; without one, the standard's does."""
    assert written(Answer(code=400, reason="Bad\r\ncheese")).reason == b"Bad cheese"
    assert written(Answer(code=400)).reason == b"Bad Request"


# What may be kept


def test_policy_of_the_route() -> None:
    """A route's policy stands on its answers."""
    response = written(Answer(body=b"x"))
    assert response.headers[b"cache-control"] == b"max-age=60, public"
    assert response.headers[b"access-control-allow-origin"] == b"*"
    assert response.headers[b"vary"] == b"Accept"
    assert response.headers[b"x-content-type-options"] == b"nosniff"


def test_policy_of_the_answer() -> None:
    """An answer's own policy goes before the route's."""
    response = written(Answer(body=b"x", policy=FOR_EVER))
    assert response.headers[b"cache-control"] == b"max-age=31536000, public, immutable"


@pytest.mark.parametrize("code", [400, 404, 410, 416, 500, 503])
def test_errors_are_not_kept(code: int) -> None:
    """No error is kept, whatever the policy; pages of other origins may still read it."""
    response = written(Answer(code=code, body=LONG, policy=FOR_EVER))
    assert response.headers[b"cache-control"] == b"private, no-store"
    assert b"etag" not in response.headers
    assert b"content-encoding" not in response.headers
    assert written(Answer(code=code)).headers[b"access-control-allow-origin"] == b"*"


def test_redirect() -> None:
    """A redirect says where to, in a header and in words."""
    response = written(redirect("/simple/x/"))
    assert (response.status, response.headers[b"location"]) == (301, b"/simple/x/")
    assert response.body == b"See /simple/x/\n"


# Validators


def test_etag_of_the_bytes() -> None:
    """Equal bytes have one strong validator, other bytes another; a ready one is used as it is."""
    etags = [written(Answer(body=body)).headers[b"etag"] for body in (b"a", b"a", b"b")]
    assert etags[0] == etags[1] != etags[2]
    assert etags[0].startswith(b'"')
    assert written(Answer(body=b"a", etag='"mine"')).headers[b"etag"] == b'"mine"'


def test_answers_without_validator() -> None:
    """Answers to writes, and all but 200, have none."""
    for answer, method in ((Answer(body=b"x"), "POST"), (Answer(code=201, body=b"x"), "GET")):
        assert b"etag" not in written(answer, method=method).headers


@pytest.mark.parametrize("given_tag", ['"mine"', 'W/"mine"', '"a", "mine"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_not_modified(given_tag: str, method: str) -> None:
    """Whoever has it gets 304 with the headers that keep it fresh, and no body."""
    answer = Answer(body=LONG, etag='"mine"', headers=(("X-Serial", "1"),))
    response = written(answer, method=method, headers={"If-None-Match": given_tag})
    assert (response.status, response.body) == (304, b"")
    assert response.headers[b"etag"] == b'"mine"'
    assert response.headers[b"cache-control"] == b"max-age=60, public"
    assert response.headers[b"vary"] == b"Accept, Accept-Encoding"
    assert response.headers[b"x-serial"] == b"1"
    assert b"content-length" not in response.headers
    assert b"content-type" not in response.headers


def test_modified() -> None:
    """Whoever has another one gets it whole; so does whoever writes."""
    answer = Answer(body=b"x", etag='"mine"')
    assert written(answer, headers={"If-None-Match": '"other"'}).status == 200
    assert written(answer, method="POST", headers={"If-None-Match": "*"}).status == 200


# Compression

GZIP = {"Accept-Encoding": "gzip"}


def test_gzip() -> None:
    """A compressible body that is long enough is packed, under a validator of its own."""
    plain, packed = written(Answer(body=LONG)), written(Answer(body=LONG), headers=GZIP)
    assert packed.headers[b"content-encoding"] == b"gzip"
    assert gzip.decompress(packed.body) == plain.body == LONG
    assert packed.headers[b"content-length"] == b"%d" % len(packed.body)
    assert packed.headers[b"etag"] != plain.headers[b"etag"]
    assert plain.headers[b"vary"] == packed.headers[b"vary"] == b"Accept, Accept-Encoding"
    again = written(Answer(body=LONG), headers={**GZIP, "If-None-Match": packed.headers[b"etag"].decode()})
    assert again.status == 304
    assert b"content-encoding" not in again.headers


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"x" * (GZIP_FROM - 1), "text/html"),
        (LONG, "application/octet-stream"),
        (LONG, "image/png"),
        (LONG, "application/zip"),
    ],
)
def test_not_worth_packing(body: bytes, content_type: str) -> None:
    """Short bodies and those of packed formats stay as they are, and do not vary."""
    response = written(Answer(body=body, content_type=content_type), headers=GZIP)
    assert b"content-encoding" not in response.headers
    assert response.headers[b"vary"] == b"Accept"


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=utf-8",
        "application/json",
        "application/xml",
        "application/vnd.pypi.simple.v1+json",
        "image/svg+xml",
    ],
)
def test_worth_packing(content_type: str) -> None:
    """Text in all its forms is packed."""
    response = written(Answer(body=LONG, content_type=content_type), headers=GZIP)
    assert response.headers[b"content-encoding"] == b"gzip"


@given(st.binary(max_size=2000))
def test_gzip_is_a_function(body: bytes) -> None:
    """Equal bytes give equal bytes, so that one validator fits them, and they unpack to what they were."""
    assert gzipped(body) == gzipped(body)
    assert zlib.decompress(gzipped(body), 16 + zlib.MAX_WBITS) == body


async def test_large_body() -> None:
    """A large page, packed in a thread, is the same page."""
    body = b"cheese " * 100_000
    wire = connect(Answer(body=body))
    wire.send(request("GET", GZIP))
    while not wire.output:
        await deferLater(reactor, 0.005)  # type: ignore[arg-type]
    [response] = wire.answers()
    assert gzip.decompress(response.body) == body


# Streams


class Tap:
    """A stream whose pieces are drawn one by one.

    Attributes:
        third: what is done before the third piece.
        drawn: how many were asked for.
        closed: whether the stream let go of its source.
    """

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.third: Callable[[], None] = lambda: None
        self.drawn = 0
        self.closed = False

    @property
    def stream(self) -> Stream:
        return Stream(length=sum(map(len, self.pieces)), pieces=self._draw)

    async def _draw(self) -> AsyncIterator[bytes]:
        try:
            for piece in self.pieces:
                self.drawn += 1
                if self.drawn == 3:
                    self.third()
                yield piece
        finally:
            self.closed = True


def test_stream() -> None:
    """A stream is written piece by piece under its announced length, unpacked and without a validator."""
    tap = Tap(LONG, LONG)
    response = written(Answer(body=tap.stream), headers=GZIP)
    assert (response.status, response.body) == (200, LONG * 2)
    assert response.headers[b"content-length"] == b"%d" % (2 * len(LONG))
    assert b"etag" not in response.headers
    assert tap.closed


@pytest.mark.parametrize(
    ("method", "code", "headers"),
    [
        ("HEAD", 200, {}),
        ("GET", 304, {}),
        ("GET", 200, {"If-None-Match": '"mine"'}),
    ],
)
def test_stream_that_is_not_sent(method: str, code: int, headers: dict[str, str]) -> None:
    """Where the body is not sent, nothing of it is read."""
    tap = Tap(LONG)
    response = written(Answer(code=code, body=tap.stream, etag='"mine"'), method=method, headers=headers)
    assert (response.body, tap.drawn) == (b"", 0)


def test_pace() -> None:
    """No more is drawn than the client takes."""
    tap = Tap(*[b"x" * 1000] * 50)
    wire = connect(Answer(body=tap.stream))
    tap.third = wire.transport.choke
    wire.send(request("GET", {}))
    assert (tap.drawn, tap.closed) == (3, False)
    wire.transport.take()
    assert (tap.drawn, tap.closed) == (50, True)
    assert wire.answers()[0].body == b"x" * 50_000


def test_client_that_leaves() -> None:
    """A stream lets go of its source when its client has gone."""
    tap = Tap(*[b"x" * 1000] * 50)
    wire = connect(Answer(body=tap.stream))
    tap.third = wire.transport.choke
    wire.send(request("GET", {}))
    wire.lose()
    assert (tap.drawn, tap.closed) == (3, True)


def test_source_that_fails() -> None:
    """A source that fails breaks the answer off, so that nobody takes it for whole."""

    async def failing() -> AsyncIterator[bytes]:
        yield LONG
        raise LookupError

    failed: Deferred[None] = Deferred()

    async def handler(request: Request) -> None:
        try:
            await write(request, Answer(body=Stream(length=2 * len(LONG), pieces=failing)), NO_STORE)
        except LookupError:
            failed.callback(None)
            request.channel.abort()

    wire = serve(handler).connect()
    wire.send(request("GET", {}))
    assert failed.called
    assert wire.transport.aborted
