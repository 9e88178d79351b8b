"""Klein behind the channel: cancelled when its client goes, never asked about paths that mean nothing."""

from __future__ import annotations

import pytest
from klein import Klein
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pypi.http.bodies import BodyIncomplete
from pypi.http.hosts import Hosts
from pypi.http.request import Request
from pypi.http.site import Site
from tests.http.memory import HOST, Wire, errors_logged
from tests.http.probes import POST, H


def connect(app: Klein) -> Wire:
    """A connection to a site that serves this application."""
    return Wire(Site(app.resource(), reactor=Clock(), hosts=Hosts.of([HOST])))


@pytest.mark.parametrize("reads", [True, False])
def test_disconnect(reads: bool) -> None:
    """A handler is cancelled when its client goes, while it reads the body or waits for something else."""
    app = Klein()
    ended: list[type[BaseException]] = []

    @app.route("/x", methods=["POST"])
    async def handler(request: Request) -> bytes:
        try:
            if reads:
                return await request.body.read(100)
            return await Deferred[bytes]()
        except BaseException as error:
            ended.append(type(error))
            raise

    wire = connect(app)
    with errors_logged() as errors:
        wire.send(POST + b"Content-Length: 10\r\n\r\nhello")
        wire.lose()
    assert len(ended) == 1
    assert wire.output == b""
    assert errors == []


def test_incomplete_body_while_answering() -> None:
    """A handler that notices the loss by itself, after having been cancelled in vain, does no harm."""
    app = Klein()

    @app.route("/x", methods=["POST"])
    async def handler(request: Request) -> bytes:
        try:
            await Deferred()
        except Exception:
            raise BodyIncomplete from None
        return b"never"

    wire = connect(app)
    wire.send(POST + b"Content-Length: 10\r\n\r\n")
    wire.lose()
    assert wire.output == b""


def test_body_and_answer() -> None:
    """A handler reads the body and answers; the connection goes on."""
    app = Klein()

    @app.route("/x", methods=["POST"])
    async def handler(request: Request) -> bytes:
        return b"".join([data async for data in request.body.chunks()])

    wire = connect(app)
    wire.send(POST + b"Content-Length: 5\r\n\r\n", b"hello", POST + b"\r\n")
    assert [answer.body for answer in wire.answers()] == [b"hello", b""]


@pytest.mark.parametrize(
    ("target", "seen"),
    [(b"/p/caf%C3%A9/", "café"), (b"/p/a%252fb/", "a%2fb"), (b"/p/a%20b/", "a b"), (b"/p/a+b/", "a+b")],
)
def test_segments_are_decoded_once(target: bytes, seen: str) -> None:
    """A route's values are the decoded segments."""
    app = Klein()
    got: list[str] = []

    @app.route("/p/<name>/")
    async def handler(request: Request, name: str) -> bytes:
        got.append(name)
        return b""

    connect(app).send(b"GET " + target + b" HTTP/1.1\r\n" + H + b"\r\n")
    assert got == [seen]


@pytest.mark.parametrize("target", [b"/%ff", b"/%", b"/a%00", b"/../x", b"/%5c", b"/p/a%2fb/"])
def test_meaningless_paths_never_reach_it(target: bytes) -> None:
    """What is not a path is answered by the connection; Klein has nothing to log about it."""
    app = Klein()
    wire = connect(app)
    with errors_logged() as errors:
        wire.send(b"GET " + target + b" HTTP/1.1\r\n" + H + b"\r\n")
    assert wire.statuses in ([400], [404])
    assert wire.answers()[0].headers[b"content-type"].startswith(b"text/plain")
    assert errors == []
