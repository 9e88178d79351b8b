"""What a handler finds in its request."""

from __future__ import annotations

import pytest

from pypi.http.request import Request, TooManyParameters
from tests.http.memory import Service, reply, serve
from tests.http.probes import NEXT, H


def get(target: bytes, *lines: bytes) -> Request:
    """The request that a handler sees."""
    seen: list[Request] = []

    async def handler(request: Request) -> None:
        seen.append(request)
        reply(request)

    head = b"GET " + target + b" HTTP/1.1\r\n" + H + b"".join(line + b"\r\n" for line in lines)
    serve(handler).connect().send(head + b"\r\n")
    return seen[0]


def test_path_is_decoded_once() -> None:
    """Routes match decoded segments; what looks like an escape after that is text."""
    request = get(b"/caf%C3%A9/a%252fb/?x#y")
    assert request.text_path == "/café/a%2fb/"
    assert request.postpath == ["café".encode(), b"a%2fb", b""]
    assert (request.path, request.query, request.uri) == (
        b"/caf%C3%A9/a%252fb/",
        b"x",
        b"/caf%C3%A9/a%252fb/?x",
    )


def test_absolute_form_replaces_the_host() -> None:
    """Of an absolute target the path is left, and its host is the request's."""
    request = get(b"http://INDEX.example/x?y=z")
    assert request.uri == b"/x?y=z"
    assert request.requestHeaders.getRawHeaders(b"host") == [b"index.example"]


def test_parameters() -> None:
    """Parameters are those of the query, blank ones included."""
    assert get(b"/?a=1&b=%20&a=2;c=").args == {b"a": [b"1", b"2"], b"b": [b" "], b"c": [b""]}
    assert get(b"/").args == {}


def test_parameters_are_bounded() -> None:
    """More than a hundred parameters are refused when they are asked for."""
    assert len(get(b"/?" + b"&".join(b"a%d=b" % n for n in range(100))).args) == 100
    with pytest.raises(TooManyParameters, match="100"):
        _ = get(b"/?" + b"&" * 100).args


def test_headers_are_text() -> None:
    """Every header can be read as text: Latin-1 where it is not UTF-8."""
    assert get(b"/", b"X-A: \xe4").getHeader("x-a") == "ä"
    assert get(b"/", "X-A: ä".encode()).getHeader("x-a") == "ä"


def test_cookies_are_not_parsed() -> None:
    """Cookies are read where sessions are taken, more strictly than Twisted does, and nowhere else."""
    assert get(b"/", b"Cookie: a=b; c=d").received_cookies == {}


def answered() -> tuple[Service, Request]:
    """A site that has answered one request, received twelve seconds in."""
    seen: list[Request] = []

    async def handler(request: Request) -> None:
        seen.append(request)
        reply(request, b"hello", 201)

    made = serve(handler)
    wire = made.connect()
    wire.send(NEXT[:10])
    made.clock.advance(5)
    wire.send(NEXT[10:])
    return made, seen[0]


def test_received_at() -> None:
    """The time of a request is when its headers were complete, on the site's clock."""
    assert answered()[1].received_at == 5


def test_access_log() -> None:
    """The log gets every request once, with status and bytes of its answer."""
    made, request = answered()
    assert made.logged == [request]
    assert (request.code, request.sentLength, request.aborted) == (201, 5, False)


def test_standing_headers() -> None:
    """Every answer has a date, and names the product without its version."""

    async def handler(request: Request) -> None:
        reply(request)

    wire = serve(handler).connect()
    wire.send(NEXT)
    headers = wire.answers()[0].headers
    assert headers[b"server"] == b"Cheeseshop"
    assert headers[b"date"].endswith(b" GMT")


def test_answer_of_unknown_length() -> None:
    """An answer without a length is chunked, and the connection goes on; in HTTP/1.0 it closes."""

    async def handler(request: Request) -> None:
        request.write(b"hello ")
        request.write(b"world")
        request.finish()

    wire = serve(handler).connect()
    wire.send(NEXT * 2)
    assert [answer.body for answer in wire.answers()] == [b"hello world"] * 2
    wire = serve(handler).connect()
    wire.send(b"GET / HTTP/1.0\r\n\r\n")
    assert wire.answers()[0].body == b"hello world"
    assert wire.transport.disconnecting


def test_finishing_without_a_client() -> None:
    """A handler that finishes after its client has gone does no harm, nor one that fails then."""
    kept: list[Request] = []

    async def handler(request: Request) -> None:
        kept.append(request)

    made = serve(handler)
    wire = made.connect()
    wire.send(NEXT)
    wire.lose()
    kept[0].write(b"x")
    kept[0].unregisterProducer()
    kept[0].finish()
    assert wire.output == b""
    assert made.logged == kept


def test_only_http_1_1_is_offered_in_tls() -> None:
    """A TLS client cannot agree on HTTP/2."""

    async def handler(request: Request) -> None:
        reply(request)

    assert serve(handler).site.acceptableProtocols() == [b"http/1.1"]
