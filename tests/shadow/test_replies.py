"""Heads and chunks of answers, read."""

from __future__ import annotations

import pytest

from pypi.shadow.replies import CHUNKED, TO_THE_END, Chunks, Malformed, Reply, read_head

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("head", "read"),
    [
        (OK + b"Content-Length: 5\r\n", (200, 5, False)),
        (OK + b"CONTENT-LENGTH:5 \r\nConnection: close\r\n", (200, 5, True)),
        (b"HTTP/1.1 404 \r\nContent-Length: 0\r\n", (404, 0, False)),
        (b"HTTP/1.1 404\r\nContent-Length: 0\r\n", (404, 0, False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", (200, 5, True)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n", (200, 5, False)),
        (OK + b"Transfer-Encoding: chunked\r\n", (200, CHUNKED, False)),
        (OK, (200, TO_THE_END, True)),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n", (304, 0, False)),
        (b"HTTP/1.1 204 No Content\r\n", (204, 0, False)),
        (b"HTTP/1.1 100 Continue\r\n", (100, 0, False)),
    ],
)
def test_heads(head: bytes, read: tuple[int, int, bool]) -> None:
    """Status, how long the body is, and whether the connection ends behind it."""
    assert read_head(head, bodiless=False) == read


def test_heads_without_bodies() -> None:
    """The answer to HEAD has no body, whatever it says."""
    assert read_head(OK + b"Content-Length: 5\r\n", bodiless=True) == (200, 0, False)


@pytest.mark.parametrize(
    "head",
    [
        b"SSH-2.0-x\r\n",
        b"HTTP/2 200\r\n",
        b"HTTP/1.1 20\r\n",
        b"HTTP/1.1 2000 OK\r\n",
        b"HTTP/1.1 abc OK\r\n",
        OK + b"Content-Length: -1\r\n",
        OK + b"Content-Length: 5, 5\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n",
        OK + b"Content-Length: 99999999999999999999\r\n",
        OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        OK + b"Transfer-Encoding: gzip\r\n",
        b"\r\n",
    ],
)
def test_what_is_no_head(head: bytes) -> None:
    """What is no answer, or says two things of its length, is refused."""
    with pytest.raises(Malformed):
        read_head(head, bodiless=False)


def test_headers() -> None:
    """A header is found whatever the case of its name; the last of several counts."""
    reply = Reply(200, OK + b'ETag: "a"\r\nX-Etag: no\r\nlocation:/b \r\nLocation: /c\r\n')
    assert (reply.header("etag"), reply.header("Location"), reply.header("Server")) == ('"a"', "/c", "")


CHUNKED_BODY = b"5;x=y\r\nhello\r\n1\r\n!\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks(size: int) -> None:
    """A chunked body is found in pieces of any size, with what comes behind it."""
    chunks, found = Chunks(), b""
    data = CHUNKED_BODY + b"more"
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    while pieces and not chunks.is_over:
        found += chunks.feed(pieces.pop(0))
    assert found == b"hello!0123456789"
    assert chunks.is_over
    assert (chunks.rest + b"".join(pieces)) == b"more"


@pytest.mark.parametrize("data", [b"x\r\n", b"-1\r\n", b"\r\n", b"5\r\nhelloxx", b"1" * 2000])
def test_what_is_no_chunk(data: bytes) -> None:
    """Chunks without a length or an end are refused."""
    with pytest.raises(Malformed):
        Chunks().feed(data)
